"""What a cart refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, RefusedError
from eckit.kernel.ids import CartId, OrderId


@attrs.define(kw_only=True, eq=False)
class CartChangedError(ConflictError):
    """The cart is not the version the caller saw; ``version`` is the current one."""

    code: ClassVar[str] = "cart-changed"
    cart_id: CartId
    version: int


@attrs.define(kw_only=True, eq=False)
class AlreadyPlacedError(RefusedError):
    """An order was made of this cart. Its id is all that the cart's token still gives away."""

    code: ClassVar[str] = "already-placed"
    order_id: OrderId


@attrs.define(kw_only=True, eq=False)
class CartAbandonedError(RefusedError):
    """The cart is over: nobody came back in time, or it was merged into ``merged_into``."""

    code: ClassVar[str] = "cart-abandoned"
    cart_id: CartId
    merged_into: CartId | None = None


@attrs.define(kw_only=True, eq=False)
class CartEmptyError(RefusedError):
    """There is nothing in the cart, so nothing can be ordered."""

    code: ClassVar[str] = "cart-empty"
    cart_id: CartId


@attrs.define(kw_only=True, eq=False)
class CannotMergeError(RefusedError):
    """Two carts cannot become one; ``reason`` is ``has-customer``, ``other-channel`` or ``other-market``."""

    code: ClassVar[str] = "cannot-merge"
    reason: str
