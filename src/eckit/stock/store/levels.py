"""Locations and counters, and the few statements that move them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eckit.kernel.ids import LocationId, VariantId
from eckit.kernel.rows import GivenRows
from eckit.kernel.stamps import upsert
from eckit.kernel.work import Work
from eckit.stock.model import Level, Location
from eckit.stock.rules import CAPACITY, Booking
from eckit.stock.store.tables import Place, level, location

_MANY = 500
"""More places than this are looked up by reading all that owe something, which are few."""

_LEVELS = (
    sa.select(level, location.c.position)
    .join(location, location.c.id == level.c.location_id)
    .where(level.c.variant_id.in_(sa.bindparam("variants", expanding=True)), location.c.sellable)
    .order_by(location.c.position, location.c.code)
)

_COUNTERS: Final = ("on_hand", "reserved", "promised", "short")


def _of_places(name: str, *counters: str) -> GivenRows:
    """A row per place, with steps for some counters."""
    place = {"variant_id": sa.String(), "location_id": sa.String()}
    return GivenRows(name, place | {counter: sa.BigInteger() for counter in counters})


def _reserve(wanted: sa.FromClause) -> sa.Executable:
    return (
        sa.update(level)
        .where(
            level.c.variant_id == wanted.c.variant_id,
            level.c.location_id == wanted.c.location_id,
            sa.or_(wanted.c.shelf == 0, level.c.on_hand - level.c.reserved >= wanted.c.shelf),
            level.c.promised + wanted.c.beyond <= level.c.cap,
        )
        .values(
            reserved=level.c.reserved + wanted.c.shelf,
            promised=level.c.promised + wanted.c.beyond,
            version=level.c.version + 1,
        )
        .returning(level.c.variant_id)
    )


def _shift(by: sa.FromClause) -> sa.Executable:
    return (
        sa.update(level)
        .where(level.c.variant_id == by.c.variant_id, level.c.location_id == by.c.location_id)
        .where(level.c.on_hand + by.c.on_hand >= 0)
        .values({name: level.c[name] + by.c[name] for name in _COUNTERS} | {"version": level.c.version + 1})
        .returning(level.c.variant_id)
    )


def _put(dialect: str, coming: sa.FromClause) -> sa.Executable:
    rows = sa.select(coming.c.variant_id, coming.c.location_id, coming.c.on_hand, sa.literal(1))
    rows = rows.where(sa.true())  # without a WHERE, SQLite takes ON CONFLICT for a join
    insert = _INSERT[dialect](level).from_select(["variant_id", "location_id", "on_hand", "version"], rows)
    put: sa.Executable = insert.on_conflict_do_update(
        index_elements=["variant_id", "location_id"],
        set_={"on_hand": level.c.on_hand + insert.excluded.on_hand, "version": level.c.version + 1},
    )
    return put


_INSERT: Final[dict[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_COMING: Final = _of_places("coming", "on_hand")
_PUT: Final = {dialect: _put(dialect, table) for dialect, table in _COMING.tables.items()}
_WANTED: Final = _of_places("wanted", "shelf", "beyond")
_CHANGES: Final = _of_places("change", *_COUNTERS)
_RESERVE: Final = {dialect: _reserve(table) for dialect, table in _WANTED.tables.items()}
_SHIFT: Final = {dialect: _shift(table) for dialect, table in _CHANGES.tables.items()}


def _level(row: Any) -> Level:
    return Level(
        variant_id=row.variant_id,
        location_id=row.location_id,
        on_hand=row.on_hand,
        reserved=row.reserved,
        promised=row.promised,
        cap=row.cap,
        short=row.short,
        version=row.version,
    )


# -- locations --------------------------------------------------------------------------------------------------------


def put_location(work: Work, place: Location) -> None:
    """Insert or replace a location."""
    values = {
        "id": place.id,
        "code": place.code,
        "kind": place.kind,
        "name": place.name,
        "party_id": place.party_id,
        "owner": place.owner,
        "sellable": place.sellable,
        "position": place.position,
    }
    insert = upsert(work.connection, location).values(values)
    work.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))


def locations(work: Work) -> tuple[Location, ...]:
    """All locations, in the shop's order."""
    rows = work.execute(sa.select(location).order_by(location.c.position, location.c.code))
    return tuple(
        Location(
            id=row.id,
            code=row.code,
            kind=row.kind,
            name=row.name,
            party_id=row.party_id,
            owner=row.owner,
            sellable=row.sellable,
            position=row.position,
        )
        for row in rows
    )


def location_id(work: Work, code: str) -> LocationId | None:
    """The id of the location with this code."""
    return work.execute(sa.select(location.c.id).where(location.c.code == code)).scalar_one_or_none()


# -- levels -----------------------------------------------------------------------------------------------------------


def levels(work: Work, variants: Iterable[VariantId]) -> tuple[Level, ...]:
    """Counters of these variants at sellable locations, in the shop's order of locations."""
    return tuple(map(_level, work.execute(_LEVELS, {"variants": sorted(set(variants))})))


def lock_level(work: Work, place: Place) -> Level | None:
    """The counters of one place, locked until the end of the transaction."""
    query = sa.select(level).where(level.c.variant_id == place[0], level.c.location_id == place[1]).with_for_update()
    row = work.execute(query).one_or_none()
    return None if row is None else _level(row)


def reserve(work: Work, bookings: Sequence[Booking]) -> int:
    """Raise the counters of all places in one statement, each only if it still has enough; how many places did."""
    rows = [(*place, shelf, beyond) for place, (shelf, beyond) in sorted(_by_place(bookings).items())]
    return len(work.execute(_RESERVE[work.dialect], _WANTED.parameters(work.dialect, rows)).all())


def shift(work: Work, changes: dict[Place, dict[str, int]]) -> int:
    """Add signed steps to counters of many places in one statement; how many places had them.

    A place whose ``on_hand`` would fall below zero is left as it is.
    """
    rows = [(*place, *(change.get(name, 0) for name in _COUNTERS)) for place, change in sorted(changes.items())]
    if not rows:
        return 0
    return len(work.execute(_SHIFT[work.dialect], _CHANGES.parameters(work.dialect, rows)).all())


def put_on_hand(work: Work, steps: dict[Place, int]) -> None:
    """Add steps to places, making rows that do not exist yet; one statement, one row per place."""
    rows = [(*place, count) for place, count in sorted(steps.items())]
    work.execute(_PUT[work.dialect], _COMING.parameters(work.dialect, rows))


def owing(work: Work, places: set[Place]) -> list[Place]:
    """Those of some places that have a shortage or promises beyond stock, in the order of locks."""
    query = sa.select(level.c.variant_id, level.c.location_id).where(sa.or_(level.c.short > 0, level.c.promised > 0))
    if len(places) <= _MANY:
        query = query.where(level.c.variant_id.in_(sorted({variant for variant, _ in places})))
    return sorted(place for row in work.execute(query) if (place := (row.variant_id, row.location_id)) in places)


def set_cap(work: Work, place: Place, cap: int) -> bool:
    """Set how much may be promised beyond stock, unless more is promised already; whether it was set."""
    put_on_hand(work, {place: 0})
    statement = (
        sa.update(level)
        .where(level.c.variant_id == place[0], level.c.location_id == place[1], level.c.promised <= cap)
        .values(cap=cap, version=level.c.version + 1)
        .returning(level.c.variant_id)
    )
    return work.execute(statement).one_or_none() is not None


def _by_place(bookings: Sequence[Booking]) -> dict[Place, tuple[int, int]]:
    sums: defaultdict[Place, list[int]] = defaultdict(lambda: [0, 0])
    for booking in bookings:
        sums[booking.variant_id, booking.location_id][booking.source == CAPACITY] += booking.steps
    return {place: (shelf, beyond) for place, (shelf, beyond) in sums.items()}
