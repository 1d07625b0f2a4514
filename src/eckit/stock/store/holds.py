"""Promises."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.ids import HoldId, LineId, LocationId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work
from eckit.stock.model import Hold, HoldState
from eckit.stock.rules import CAPACITY, ON_HAND, Booking
from eckit.stock.store.tables import Place, hold

_ADD: Final = sa.insert(hold).returning(hold.c.id)


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
        work.execute(_ADD, [_hold_row(one, work.now) for one in holds]).all()
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


def lines_held(work: Work, owner: Ref) -> dict[LineId, list[tuple[LocationId, int]]]:
    """Line → (location, steps) of what is held for an owner."""
    found: defaultdict[LineId, list[tuple[LocationId, int]]] = defaultdict(list)
    for one in live_holds(work, owner):
        if one.line_id is not None:
            found[one.line_id].append((one.location_id, one.steps))
    return dict(found)
