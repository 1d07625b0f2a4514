"""Goods receipts: what came in, with which delivery note. A plugin with two tables of its own.

``book_receipt`` writes the receipt and its lines, books the stock and announces it, in one transaction.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import attrs
import sqlalchemy as sa
from moneyed import Money

from eckit import Event, Permission, Ref, Work, from_minor, hookimpl, invalid, to_minor
from eckit.kernel.host_hooks import MigrationBranch
from eckit.kernel.tables import Instant, plugin_metadata
from eckit.kernel.text import clean

WRITE: Final = "goods-receipts.write"

# -- tables -----------------------------------------------------------------------------------------------------------

metadata = plugin_metadata()
receipt = sa.Table(
    "goods_receipts_receipt",
    metadata,
    sa.Column("number", sa.String(40), primary_key=True),
    sa.Column("supplier", sa.String(200), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
)
receipt_line = sa.Table(
    "goods_receipts_line",
    metadata,
    sa.Column("number", sa.ForeignKey(receipt.c.number), primary_key=True),
    sa.Column("sku", sa.String(80), primary_key=True),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("unit_cost_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
)

# -- facts ------------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class ReceiptLine:
    """So many of one SKU, at what one cost without tax."""

    sku: str
    steps: int
    unit_cost: Money


@attrs.frozen(kw_only=True)
class Receipt:
    """A delivery note as it was booked."""

    number: str
    supplier: str
    received_at: dt.datetime
    lines: tuple[ReceiptLine, ...]


@attrs.frozen(kw_only=True)
class GoodsReceived(Event):
    """A delivery note was booked."""

    name: ClassVar[str] = "goods.received"
    number: str
    lines: int

    @property
    def subject(self) -> Ref:
        """The receipt."""
        return Ref("goods-receipts.receipt", self.number)


# -- verbs ------------------------------------------------------------------------------------------------------------


def book_receipt(work: Work, number: str, supplier: str, lines: Sequence[ReceiptLine], *, at: str) -> Receipt:
    """Book a delivery note: its rows, the stock, the events. The same note again changes nothing.

    :param at: code of the location the goods are at now.
    :raises NotFoundError: no such SKU or location; nothing of the note is booked.
    """
    work.actor.require(WRITE)
    number, supplier = clean(number, path="number", max_length=40), clean(supplier, path="supplier", max_length=200)
    if booked := find_receipt(work, number):
        return booked
    if not lines:
        raise invalid("missing", "lines", "")
    booked = Receipt(number=number, supplier=supplier, received_at=work.now, lines=tuple(lines))
    work.own.execute(sa.insert(receipt).values(number=number, supplier=supplier, received_at=work.now))
    work.own.execute(sa.insert(receipt_line).values([_row(number, line) for line in lines]))
    event = GoodsReceived(number=number, lines=len(lines))
    for line in lines:
        work.stock.receive(line.sku, line.steps, at=at, cause=event.subject, unit_cost=line.unit_cost)
    work.did("goods-receipts.book", event.subject)
    work.announce(event)
    return booked


def find_receipt(work: Work, number: str) -> Receipt | None:
    """A receipt that was booked, or None."""
    head = work.own.execute(sa.select(receipt).where(receipt.c.number == number)).one_or_none()
    if head is None:
        return None
    rows = work.own.execute(sa.select(receipt_line).where(receipt_line.c.number == number).order_by(receipt_line.c.sku))
    lines = tuple(
        ReceiptLine(sku=row.sku, steps=row.steps, unit_cost=from_minor(row.unit_cost_minor, row.currency))
        for row in rows
    )
    return Receipt(number=head.number, supplier=head.supplier, received_at=head.received_at, lines=lines)


def _row(number: str, line: ReceiptLine) -> dict[str, object]:
    cost, currency = to_minor(line.unit_cost), line.unit_cost.currency.code
    return {
        "number": number,
        "sku": line.sku,
        "steps": line.steps,
        "unit_cost_minor": cost,
        "currency": currency,
    }


# -- the plugin -------------------------------------------------------------------------------------------------------


class GoodsReceipts:
    """Plugin ``goods-receipts``."""

    name = "goods-receipts"
    version = "1.0"
    eckit_interface: Final = {"host": 1, "customer": 1}

    @hookimpl
    def register_tables(self) -> tuple[sa.MetaData, ...]:
        """The receipts and their lines."""
        return (metadata,)

    @hookimpl
    def register_migrations(self) -> MigrationBranch:
        """The branch ``goods-receipts``."""
        folder = Path(__file__).parent / "migrations"
        return MigrationBranch(label="goods-receipts", package=__name__, directory=folder)

    @hookimpl
    def register_permissions(self, settings: None) -> tuple[Permission, ...]:
        """``goods-receipts.write``: may book deliveries."""
        return (Permission(code=WRITE),)


plugin = GoodsReceipts()
