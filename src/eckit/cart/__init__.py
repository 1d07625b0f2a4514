"""Decides what is wanted: lines, where they go, codes and wishes. A cart promises nothing and costs nothing.

Whoever holds its token, or is its customer, may change it until an order is made of it; then it is only a pointer.
"""

from eckit.cart.errors import (
    AlreadyPlacedError,
    CannotMergeError,
    CartAbandonedError,
    CartChangedError,
    CartEmptyError,
)
from eckit.cart.model import (
    Cart,
    CartChanged,
    CartEvent,
    CartGroup,
    CartLine,
    CartState,
    Touch,
)

__all__ = [
    "AlreadyPlacedError",
    "CannotMergeError",
    "Cart",
    "CartAbandonedError",
    "CartChanged",
    "CartChangedError",
    "CartEmptyError",
    "CartEvent",
    "CartGroup",
    "CartLine",
    "CartState",
    "Touch",
]
