"""Tables of stock, and the few statements that move its counters."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from eckit.kernel.ids import HoldId, LineId, LocationId, StockMovementId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import at, core_table, ident, minor
from eckit.kernel.work import Work
from eckit.stock.model import Hold, HoldState, Level, Location, Movement, Shortage
from eckit.stock.rules import CAPACITY, ON_HAND, Booking

location = core_table(
    "location",
    ident("id", primary_key=True),
    ident("code", unique=True),
    ident("kind"),
    sa.Column("name", sa.String(200), nullable=False, server_default=""),
    ident("party_id", nullable=True),
    ident("owner"),
    sa.Column("sellable", sa.Boolean, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)


def _steps(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


level = core_table(
    "level",
    ident("variant_id", primary_key=True),
    ident("location_id", sa.ForeignKey(location.c.id), primary_key=True),
    _steps("on_hand"),
    _steps("reserved"),
    _steps("promised"),
    _steps("cap"),
    _steps("short"),
    _steps("version"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand"),
    sa.CheckConstraint("reserved >= 0 and reserved <= on_hand + short", name="reserved"),
    sa.CheckConstraint("promised >= 0 and promised <= cap", name="promised"),
    sa.CheckConstraint("short >= 0", name="short"),
)

hold = core_table(
    "hold",
    ident("id", primary_key=True),
    sa.Column("owner", sa.String(120), nullable=False),
    ident("variant_id"),
    ident("location_id"),
    ident("line_id", nullable=True),
    sa.Column("steps", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    at("until", nullable=True),
    sa.Column("state", sa.String(10), nullable=False),
    at("held_at"),
    at("ended_at", nullable=True),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.CheckConstraint("state in ('live', 'used', 'released')", name="state"),
    sa.Index("ix_eckit_hold_owner", "owner", "state"),
    sa.Index("ix_eckit_hold_place", "variant_id", "location_id", "state"),
    sa.Index("ix_eckit_hold_until", "until"),
)

movement = core_table(
    "stock_movement",
    ident("id", primary_key=True),
    ident("variant_id"),
    ident("location_id"),
    sa.Column("steps", sa.BigInteger, nullable=False),
    ident("kind"),
    sa.Column("cause", sa.String(120), nullable=False),
    minor("unit_cost_minor", nullable=True),
    sa.Column("cost_currency", sa.String(3), nullable=True),
    at("at"),
    ident("by"),
    sa.CheckConstraint("steps <> 0", name="steps"),
    sa.CheckConstraint("cause <> ''", name="cause"),
    sa.Index("ix_eckit_stock_movement_place", "variant_id", "location_id"),
)

shortage = core_table(
    "shortage",
    ident("id", primary_key=True),
    ident("variant_id"),
    ident("location_id"),
    sa.Column("steps", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.String(120), nullable=False),
    at("opened_at"),
    at("closed_at", nullable=True),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.Index("ix_eckit_shortage_place", "variant_id", "location_id", "closed_at"),
)

Place = tuple[VariantId, LocationId]
_MANY = 500
"""More places than this are looked up by reading all that owe something, which are few."""

_LEVELS = (
    sa.select(level, location.c.position)
    .join(location, location.c.id == level.c.location_id)
    .where(level.c.variant_id.in_(sa.bindparam("variants", expanding=True)), location.c.sellable)
    .order_by(location.c.position, location.c.code)
)


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


def _hold(row: Any) -> Hold:
    return Hold(
        id=row.id,
        owner=Ref.parse(row.owner),
        variant_id=row.variant_id,
        location_id=row.location_id,
        line_id=row.line_id,
        steps=row.steps,
        source=row.source,
        until=row.until,
        state=HoldState(row.state),
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
    wanted = _values("wanted", rows, "shelf", "beyond")
    statement = (
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
    return len(work.execute(statement).all())


def shift(work: Work, changes: dict[Place, dict[str, int]]) -> int:
    """Add signed steps to counters of many places in one statement; how many places had them.

    A place whose ``on_hand`` would fall below zero is left as it is.
    """
    names = ("on_hand", "reserved", "promised", "short")
    rows = [(*place, *(change.get(name, 0) for name in names)) for place, change in sorted(changes.items())]
    if not rows:
        return 0
    by = _values("change", rows, *names)
    statement = (
        sa.update(level)
        .where(level.c.variant_id == by.c.variant_id, level.c.location_id == by.c.location_id)
        .where(level.c.on_hand + by.c.on_hand >= 0)
        .values({name: level.c[name] + by.c[name] for name in names} | {"version": level.c.version + 1})
        .returning(level.c.variant_id)
    )
    return len(work.execute(statement).all())


def put_on_hand(work: Work, steps: dict[Place, int]) -> None:
    """Add steps to places, making rows that do not exist yet; one statement, one row per place."""
    rows = [
        {"variant_id": variant, "location_id": place, "on_hand": count, "version": 1}
        for (variant, place), count in sorted(steps.items())
    ]
    insert = upsert(work.connection, level).values(rows)
    work.execute(
        insert.on_conflict_do_update(
            index_elements=["variant_id", "location_id"],
            set_={"on_hand": level.c.on_hand + insert.excluded.on_hand, "version": level.c.version + 1},
        )
    )


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


def _values(name: str, rows: Sequence[tuple[Any, ...]], *counters: str) -> sa.CTE:
    # a VALUES list in FROM is no SQL for SQLite; as a common table expression both databases take it
    columns: list[sa.ColumnClause[Any]] = [sa.column("variant_id", sa.String()), sa.column("location_id", sa.String())]
    columns += [sa.column(counter, sa.BigInteger()) for counter in counters]
    return sa.values(*columns, name=f"{name}_rows").data(list(rows)).cte(name)


# -- holds ------------------------------------------------------------------------------------------------------------


def add_holds(work: Work, owner: Ref, bookings: Sequence[Booking], until: dt.datetime | None) -> tuple[Hold, ...]:
    """Insert a live hold per booking, in one statement."""
    holds = tuple(
        Hold(
            id=HoldId(mint("hold")),
            owner=owner,
            variant_id=booking.variant_id,
            location_id=booking.location_id,
            line_id=booking.line_id,
            steps=booking.steps,
            source=booking.source,
            until=until,
        )
        for booking in bookings
    )
    if holds:
        work.execute(sa.insert(hold).values([_hold_row(one, work.now) for one in holds]))
    return holds


def _hold_row(one: Hold, now: dt.datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "owner": str(one.owner),
        "variant_id": one.variant_id,
        "location_id": one.location_id,
        "line_id": one.line_id,
        "steps": one.steps,
        "source": one.source,
        "until": one.until,
        "state": one.state.value,
        "held_at": now,
        "ended_at": None if one.state is HoldState.LIVE else now,
    }


def live_holds(work: Work, owner: Ref, *, lock: bool = False) -> tuple[Hold, ...]:
    """What is held for an owner now."""
    query = sa.select(hold).where(hold.c.owner == str(owner), hold.c.state == "live").order_by(hold.c.id)
    return tuple(map(_hold, work.execute(query.with_for_update() if lock else query)))


def end_holds(work: Work, condition: sa.ColumnElement[bool]) -> tuple[Hold, ...]:
    """Release live holds that meet the condition: each once, whoever else tries."""
    statement = (
        sa.update(hold)
        .where(hold.c.state == "live", condition)
        .values(state="released", ended_at=work.now)
        .returning(*hold.c)
    )
    return tuple(map(_hold, work.execute(statement)))


def owned_by(owner: Ref) -> sa.ColumnElement[bool]:
    """Condition: holds of one owner."""
    return hold.c.owner == str(owner)


def overdue(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Condition: holds whose time is over; those of placed orders have none."""
    return hold.c.until <= now


def use_hold(work: Work, one: Hold, steps: int) -> None:
    """Steps of a hold have left: all of it, or a part that becomes a used hold of its own."""
    mine = hold.c.id == one.id
    if steps == one.steps:
        work.execute(sa.update(hold).where(mine).values(state="used", ended_at=work.now))
        return
    work.execute(sa.update(hold).where(mine).values(steps=hold.c.steps - steps))
    used = {**_hold_row(one, work.now), "id": mint("hold"), "steps": steps, "state": "used", "ended_at": work.now}
    work.execute(sa.insert(hold).values(used))


def capacity_holds(work: Work, place: Place) -> tuple[Hold, ...]:
    """Live holds beyond stock at a place, oldest first, locked."""
    query = (
        sa.select(hold)
        .where(hold.c.variant_id == place[0], hold.c.location_id == place[1])
        .where(hold.c.state == "live", hold.c.source == CAPACITY)
        .order_by(hold.c.id)
        .with_for_update()
    )
    return tuple(map(_hold, work.execute(query)))


def give_goods(work: Work, holds: Sequence[Hold]) -> None:
    """Holds beyond stock have goods now."""
    ids = [one.id for one in holds]
    work.execute(sa.update(hold).where(hold.c.id.in_(ids)).values(source=ON_HAND))


# -- movements and shortages ------------------------------------------------------------------------------------------


def add_movements(work: Work, moves: Sequence[Movement]) -> None:
    """Insert movements in one statement."""
    rows = [
        {
            "id": move.id,
            "variant_id": move.variant_id,
            "location_id": move.location_id,
            "steps": move.steps,
            "kind": move.kind,
            "cause": str(move.cause),
            "unit_cost_minor": move.unit_cost_minor,
            "cost_currency": move.cost_currency,
            "at": move.at,
            "by": move.by,
        }
        for move in moves
    ]
    if rows:
        work.execute(sa.insert(movement).values(rows))


def new_movement(
    work: Work, place: Place, steps: int, kind: str, cause: Ref, cost: tuple[int, str] | None = None
) -> Movement:
    """A movement of now, by the Work's actor."""
    return Movement(
        id=StockMovementId(mint("stock_movement")),
        variant_id=place[0],
        location_id=place[1],
        steps=steps,
        kind=kind,
        cause=cause,
        unit_cost_minor=cost[0] if cost else None,
        cost_currency=cost[1] if cost else None,
        at=work.now,
        by=str(work.actor),
    )


def open_shortage(work: Work, one: Shortage) -> None:
    """Insert a shortage."""
    work.execute(
        sa.insert(shortage).values(
            id=one.id,
            variant_id=one.variant_id,
            location_id=one.location_id,
            steps=one.steps,
            cause=str(one.cause),
            opened_at=one.opened_at,
        )
    )


def open_shortages(work: Work, place: Place) -> list[tuple[str, int]]:
    """Id and steps of the open shortages of a place, oldest first."""
    query = (
        sa.select(shortage.c.id, shortage.c.steps)
        .where(shortage.c.variant_id == place[0], shortage.c.location_id == place[1], shortage.c.closed_at.is_(None))
        .order_by(shortage.c.id)
    )
    return [(row.id, row.steps) for row in work.execute(query)]


def close_shortages(work: Work, ids: Sequence[str]) -> None:
    """The promises have their goods again."""
    if ids:
        work.execute(sa.update(shortage).where(shortage.c.id.in_(ids)).values(closed_at=work.now))


def lines_held(work: Work, owner: Ref) -> dict[LineId, list[tuple[LocationId, int]]]:
    """Line → (location, steps) of what is held for an owner."""
    found: defaultdict[LineId, list[tuple[LocationId, int]]] = defaultdict(list)
    for one in live_holds(work, owner):
        if one.line_id is not None:
            found[one.line_id].append((one.location_id, one.steps))
    return dict(found)
