"""Decides what can be promised: goods are held for orders, allocated to locations, counted.

A promise is refused when there is not enough; what already happened is recorded, and what does not fit is a Shortage.
"""

from eckit.stock.errors import (
    AllocationError,
    LevelMovedError,
    NotHeldError,
    OutOfStockError,
    PromisedError,
    ShortItem,
)
from eckit.stock.model import (
    Allocation,
    Hold,
    HoldState,
    Level,
    Location,
    Movement,
    Shortage,
    StockChanged,
    StockShort,
    Wanted,
)

__all__ = [
    "Allocation",
    "AllocationError",
    "Hold",
    "HoldState",
    "Level",
    "LevelMovedError",
    "Location",
    "Movement",
    "NotHeldError",
    "OutOfStockError",
    "PromisedError",
    "ShortItem",
    "Shortage",
    "StockChanged",
    "StockShort",
    "Wanted",
]
