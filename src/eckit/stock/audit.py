"""The invariants of stock, as queries."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import PREFIXES, expect_id
from eckit.stock.rules import CAPACITY, ON_HAND
from eckit.stock.store import hold, level, movement, shortage

_RESERVED: Final = "reserved ≤ on hand + open shortages"
_PROMISED: Final = "promised beyond stock ≤ its cap, only where the variant allows it"
_COUNTERS: Final = f"0 ≤ on hand; {_RESERVED}; {_PROMISED}"
_OWNERS: Final = "each hold belongs to a live registered owner or has expired"
_OWNER: Final = "hold-has-its-owner"


def _place(table: sa.Table) -> sa.ColumnElement[str]:
    return table.c.variant_id + "@" + table.c.location_id


def _balanced(counter: str, *parts: tuple[sa.Table, str, sa.ColumnElement[bool] | None]) -> sa.Select[Any]:
    """Places where a counter is not the sum of the rows it counts; rows without a counter too."""
    counted = sa.select(_place(level).label("place"), level.c[counter].label("difference"))
    summed = [
        sa.select(_place(table), -table.c[column]).where(sa.true() if condition is None else condition)
        for table, column, condition in parts
    ]
    both = sa.union_all(counted, *summed).subquery()
    total = sa.func.sum(both.c.difference)
    detail = sa.literal(f"{counter} differs by ") + sa.cast(total, sa.String)
    return sa.select(both.c.place, detail).group_by(both.c.place).having(total != 0)


def _live(source: str) -> sa.ColumnElement[bool]:
    return sa.and_(hold.c.state == "live", hold.c.source == source)


def _owners(connection: sa.Connection) -> Iterator[Violation]:
    for row in connection.execute(sa.select(hold.c.id, hold.c.owner).where(hold.c.state == "live")):
        if not _is_known(row.owner):
            yield Violation(invariant=_OWNER, table=hold.name, row=row.id, detail=row.owner)


def _is_known(owner: str) -> bool:
    """A kind of the core with an id of that kind, or a plugin's kind: ``transfers.transfer``."""
    kind, colon, owner_id = owner.partition(":")
    if kind not in PREFIXES:
        return bool(colon and owner_id and "." in kind)
    try:
        expect_id(kind, owner_id)
    except InvalidInputError:
        return False
    return True


CHECKS: Final[tuple[Check, ...]] = (
    query(
        "counters-in-bounds",
        _COUNTERS,
        level.name,
        sa.select(_place(level), level.c.on_hand, level.c.reserved, level.c.promised, level.c.cap, level.c.short).where(
            sa.or_(
                level.c.on_hand < 0,
                level.c.reserved < 0,
                level.c.reserved > level.c.on_hand + level.c.short,
                level.c.promised < 0,
                level.c.promised > level.c.cap,
                level.c.short < 0,
            )
        ),
    ),
    query(
        "movements-make-on-hand",
        "movements = on hand, each with one cause",
        level.name,
        _balanced("on_hand", (movement, "steps", None)),
    ),
    query("holds-make-reserved", _RESERVED, level.name, _balanced("reserved", (hold, "steps", _live(ON_HAND)))),
    query("holds-make-promised", _PROMISED, level.name, _balanced("promised", (hold, "steps", _live(CAPACITY)))),
    query(
        "shortages-make-short",
        _RESERVED,
        level.name,
        _balanced("short", (shortage, "steps", shortage.c.closed_at.is_(None))),
    ),
    query(
        "movement-has-one-cause",
        "movements = on hand, each with one cause",
        movement.name,
        sa.select(movement.c.id, movement.c.cause).where(
            sa.or_(movement.c.cause.not_like("_%:_%"), movement.c.steps == 0, movement.c.kind == "")
        ),
    ),
    query(
        "sold-goods-leave",
        "movements = on hand, each with one cause",
        movement.name,
        sa.select(movement.c.id, movement.c.kind, movement.c.steps).where(
            sa.or_(
                sa.and_(movement.c.kind == "sell", movement.c.steps > 0),
                sa.and_(movement.c.kind.in_(["receive", "return", "found"]), movement.c.steps < 0),
            )
        ),
    ),
    Check(invariant=_OWNER, clause=_OWNERS, table=hold.name, run=_owners),
    query(
        "hold-ends-once",
        "histories contain only declared transitions",
        hold.name,
        sa.select(hold.c.id, hold.c.state).where((hold.c.state == "live") != hold.c.ended_at.is_(None)),
    ),
    query(
        "hold-of-an-order-has-no-end",
        _OWNERS,
        hold.name,
        sa.select(hold.c.id, hold.c.owner).where(
            hold.c.state == "live", hold.c.owner.like("order:%"), hold.c.until.is_not(None)
        ),
    ),
    query(
        "hold-is-of-something",
        "no negative total, line or quantity",
        hold.name,
        sa.select(hold.c.id, hold.c.steps, hold.c.source).where(
            sa.or_(hold.c.steps <= 0, hold.c.source.not_in([ON_HAND, CAPACITY]))
        ),
    ),
)
"""Every invariant that the tables of stock can violate."""
