"""Orders with everything stored of them, read little by little for the checks that compare documents with rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.order import rules
from eckit.order.model import Amendment, Order
from eckit.order.store import rows, tables

_BATCH: Final = 200
_IDS: Final[sa.BindParameter[list[str]]] = sa.bindparam("ids", expanding=True)
_PAGE: Final = (
    sa.select(tables.order, tables.placement.c.body, tables.placement.c.digest.label("sealed_digest"))
    .join_from(tables.order, tables.placement, tables.placement.c.order_id == tables.order.c.id)
    .where(tables.order.c.id > sa.bindparam("after"))
    .order_by(tables.order.c.id)
    .limit(_BATCH)
)
_LINES: Final = (
    sa.select(tables.order_line)
    .where(tables.order_line.c.order_id.in_(_IDS))
    .order_by(tables.order_line.c.order_id, tables.order_line.c.position)
)
_CHARGES: Final = (
    sa.select(tables.charge)
    .where(tables.charge.c.order_id.in_(_IDS))
    .order_by(tables.charge.c.order_id, tables.charge.c.position)
)
_AMENDMENTS: Final = (
    sa.select(tables.amendment)
    .where(tables.amendment.c.order_id.in_(_IDS))
    .order_by(tables.amendment.c.order_id, tables.amendment.c.seq)
)


@attrs.frozen(kw_only=True)
class Record:
    """An order: its row, its sealed text, and the rows beside it."""

    row: sa.Row[Any]
    lines: Sequence[sa.Row[Any]]
    charges: Sequence[sa.Row[Any]]
    amendments: tuple[Amendment, ...]

    @property
    def is_intact(self) -> bool:
        """Whether the text still is the one that was sealed; what a changed one says is not worth comparing."""
        return bool(rules.digest_of(self.row.body) == self.row.sealed_digest == self.row.digest)

    @property
    def body(self) -> Mapping[str, Any] | None:
        """What the text says; None if it cannot be read."""
        return rules.read(self.row.body)

    @property
    def order(self) -> Order:
        """The order as its rows say."""
        return rows.order_of(self.row, {self.row.id: [rows.line_of(line) for line in self.lines]}, {}, {})


def records(connection: sa.Connection) -> Iterator[Record]:
    """Every order that has a sealed record, by id, in batches."""
    after = ""
    while found := connection.execute(_PAGE, {"after": after}).all():
        ids = {"ids": [row.id for row in found]}
        lines = _by_order(connection.execute(_LINES, ids).all())
        charges = _by_order(connection.execute(_CHARGES, ids).all())
        amendments = _by_order(connection.execute(_AMENDMENTS, ids).all())
        for row in found:
            yield Record(
                row=row,
                lines=lines[row.id],
                charges=charges[row.id],
                amendments=tuple(rows.amendment_of(one) for one in amendments[row.id]),
            )
        after = found[-1].id


def _by_order(found: Sequence[sa.Row[Any]]) -> Mapping[str, list[sa.Row[Any]]]:
    grouped: defaultdict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in found:
        grouped[row.order_id].append(row)
    return grouped
