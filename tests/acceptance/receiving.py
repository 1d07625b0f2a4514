"""A child that books one delivery note with the goods receipts plugin, and may be killed at any step."""

from moneyed import Money

from eckit.kernel import faults
from examples.goods_receipts import ReceiptLine, book_receipt, plugin
from tests.acceptance.trial import STAFF, Place, open_shop

STEPS = (
    "book_receipt.after_goods_receipts_receipt",
    "book_receipt.after_goods_receipts_line",
    "book_receipt.after_level",
    "book_receipt.after_stock_movement",
    "book_receipt.after_stamp",
    "book_receipt.after_history",
    "book_receipt.after_outbox",
)
faults.declare(*STEPS)


def book(place: Place) -> None:
    """Book the note ``N-1``: two lines, two movements, three events, in one transaction."""
    shop = open_shop(place, plugins=[plugin])
    lines = [
        ReceiptLine(sku="TEA-50", steps=40, unit_cost=Money(285, "JPY")),
        ReceiptLine(sku="BOWL", steps=6, unit_cost=Money(1400, "JPY")),
    ]
    with shop.write(STAFF) as work:
        work.trail = "book_receipt"
        book_receipt(work, "N-1", "Shizuoka Tea", lines, at="main")
    shop.close()


def book_and_die(place: str, step: str) -> None:
    """What a child does: the same, and it is killed at a step."""
    faults.arm_from({"ECKIT_FAULTS": f"{step}=kill"})
    book(Place.of(place))
