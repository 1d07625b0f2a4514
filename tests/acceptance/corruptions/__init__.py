"""At least one corruption for each clause of the invariants that data can violate, and for each of the auditor's."""

from typing import Final

from tests.acceptance.corruptions import around, goods, histories, money, orders
from tests.acceptance.corruptions.planting import Corruption as Corruption

CORRUPTIONS: Final[tuple[Corruption, ...]] = (
    *money.CORRUPTIONS,
    *orders.CORRUPTIONS,
    *goods.CORRUPTIONS,
    *histories.CORRUPTIONS,
    *around.CORRUPTIONS,
)
