"""Decides what was agreed: a sealed placement, and amendments that are the only way it changes (a cancellation is one).

An order never changes by itself: what it is now is its placement folded with its amendments.
"""

from eckit.order.errors import (
    NotCancelableError,
    NotClosableError,
    NotConfirmableError,
    NotOpenError,
    NumberTakenError,
    OrderBlockedError,
)
from eckit.order.model import (
    Amendment,
    Block,
    LineDelta,
    Order,
    OrderAmended,
    OrderBlocked,
    OrderCanceled,
    OrderClosed,
    OrderConfirmed,
    OrderLine,
    OrderLink,
    OrderMove,
    OrderPlaced,
    OrderState,
    OrderUnblocked,
    OrderView,
    Placement,
)

__all__ = [
    "Amendment",
    "Block",
    "LineDelta",
    "NotCancelableError",
    "NotClosableError",
    "NotConfirmableError",
    "NotOpenError",
    "NumberTakenError",
    "Order",
    "OrderAmended",
    "OrderBlocked",
    "OrderBlockedError",
    "OrderCanceled",
    "OrderClosed",
    "OrderConfirmed",
    "OrderLine",
    "OrderLink",
    "OrderMove",
    "OrderPlaced",
    "OrderState",
    "OrderUnblocked",
    "OrderView",
    "Placement",
]
