"""What stock refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, PluginError, RefusedError
from eckit.kernel.ids import Sku


@attrs.frozen(kw_only=True)
class ShortItem:
    """One thing there is not enough of: steps wanted, steps that could be promised now."""

    sku: Sku
    wanted: int
    available: int

    def __str__(self) -> str:
        return f"{self.sku}: {self.wanted} > {self.available}"


@attrs.define(kw_only=True, eq=False)
class OutOfStockError(RefusedError):
    """Not enough can be promised; nothing was held, and the cart is as it was."""

    code: ClassVar[str] = "out-of-stock"
    items: tuple[ShortItem, ...] = ()

    def facts(self) -> dict[str, object]:
        """The items as text."""
        return {"items": ", ".join(map(str, self.items))}


@attrs.define(kw_only=True, eq=False)
class LevelMovedError(ConflictError):
    """The counter is not what the form showed; ``on_hand`` and ``version`` are the current ones."""

    code: ClassVar[str] = "stock-moved"
    on_hand: int = 0
    version: int = 0


@attrs.define(kw_only=True, eq=False)
class PromisedError(RefusedError):
    """More is promised beyond stock than the new cap would allow."""

    code: ClassVar[str] = "still-promised"
    promised: int = 0
    cap: int = 0


@attrs.define(kw_only=True, eq=False)
class NotHeldError(RefusedError):
    """Steps are to leave that nobody holds, or that are not on hand yet."""

    code: ClassVar[str] = "not-held"
    wanted: int = 0
    held: int = 0


@attrs.define(kw_only=True, eq=False)
class AllocationError(PluginError):
    """``choose_allocation`` answered something that does not cover what is wanted."""

    code: ClassVar[str] = "bad-allocation"
