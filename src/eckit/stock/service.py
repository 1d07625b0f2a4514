"""Verbs of stock: load, ask, decide, save, announce."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from moneyed import Money

from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.errors import MovedError, NotFoundError, invalid
from eckit.kernel.hookspecs import declared
from eckit.kernel.ids import LineId, LocationId, ShortageId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.money import to_minor
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work
from eckit.stock import hooks, rules, store
from eckit.stock.errors import LevelMovedError, NotHeldError, OutOfStockError, PromisedError
from eckit.stock.model import Hold, Level, Location, Movement, Shortage, StockChanged, StockShort, Wanted

P = ParamSpec("P")
R = TypeVar("R")

SPECS = declared(hooks, "stock")
MANAGE = "stock.write"
MAX_STEPS = 10**9

_SEEN_TRIES = 8
"""How often a hold looks again after others took what it had seen."""


# -- locations --------------------------------------------------------------------------------------------------------


def save_location(work: Work, location: Location) -> Location:
    """Add or change a location. Needs ``stock.write``.

    :raises InvalidInputError: names the field.
    """
    work.actor.require(MANAGE)
    rules.require_storable(location)
    store.put_location(work, location)
    work.did("stock.save_location", Ref("location", location.id))
    return location


def locations(work: Work) -> tuple[Location, ...]:
    """All locations, in the shop's order."""
    return store.locations(work)


def _place(work: Work, variant: str, at: str) -> store.Place:
    variant_id = work.variant_of(variant)
    location = store.location_id(work, clean(at, path="at", max_length=40))
    if location is None:
        raise NotFoundError(kind="location", id=at)
    return variant_id, location


def _count_of(value: object, path: str, *, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_STEPS:
        raise invalid("wrong-quantity", path, value, limit=f"{least}…{MAX_STEPS}")
    return value


# -- goods come and go ------------------------------------------------------------------------------------------------


def receive(
    work: Work, variant: str, steps: int, *, at: str, cause: Ref | None = None, unit_cost: Money | None = None
) -> Movement:
    """Goods have come. ``variant`` is a SKU or a variant id; needs ``stock.write``.

    What was promised beyond stock gets its goods first, oldest promise first; shortages close.

    :raises NotFoundError: no such variant or location.
    """
    work.actor.require(MANAGE)
    place = _place(work, variant, at)
    cause = cause or Ref("actor", str(work.actor))
    cost = (to_minor(unit_cost), unit_cost.currency.code) if unit_cost is not None else None
    move = store.new_movement(work, place, _count_of(steps, "steps"), "receive", cause, cost)
    _come(work, [move])
    work.did("stock.receive", Ref("variant", place[0]), cause)
    return move


def receive_many(work: Work, steps: Mapping[VariantId, int], *, at: str, cause: Ref) -> tuple[Movement, ...]:
    """Goods of many variants have come, in a fixed number of statements. Needs ``stock.write``.

    Promises beyond stock get their goods as with :func:`receive`; no event tells of each variant.

    :raises NotFoundError: no such location.
    """
    work.actor.require(MANAGE)
    location = store.location_id(work, at)
    if location is None:
        raise NotFoundError(kind="location", id=at)
    moves = tuple(
        store.new_movement(work, (variant, location), _count_of(count, f"steps[{variant}]"), "receive", cause)
        for variant, count in sorted(steps.items())
    )
    if moves:
        _come(work, moves, announce_each=False)
        work.did("stock.receive_many", Ref("location", location), cause)
    return moves


_CHUNK = 500
"""Rows of one statement: SQLite takes at most 32,766 parameters."""


def _come(work: Work, moves: Sequence[Movement], *, announce_each: bool = True) -> None:
    for start in range(0, len(moves), _CHUNK):
        chunk = moves[start : start + _CHUNK]
        store.put_on_hand(work, {(move.variant_id, move.location_id): move.steps for move in chunk})
        store.add_movements(work, chunk)
    for place in store.owing(work, {(move.variant_id, move.location_id) for move in moves}):
        _settle_promises(work, place)
    for move in moves if announce_each else ():
        _announce(work, move)
    work.bump("stock")


def _announce(work: Work, move: Movement) -> None:
    work.announce(
        StockChanged(variant_id=move.variant_id, location_id=move.location_id, steps=move.steps, kind=move.kind)
    )


def _settle_promises(work: Work, place: store.Place) -> None:
    """After goods came: shortages close, then promises beyond stock get goods, each oldest first."""
    level = store.lock_level(work, place)
    if level is None:
        return
    closed, covered = [], 0
    if level.short:
        spare = level.on_hand + level.short - level.reserved
        for shortage_id, steps in store.open_shortages(work, place):
            if covered + steps > spare:
                break
            closed.append(shortage_id)
            covered += steps
        store.close_shortages(work, closed)
    served: list[Hold] = []
    free = level.on_hand - level.reserved
    if level.promised and free > 0:
        for one in store.capacity_holds(work, place):
            if one.steps > free:
                break
            served.append(one)
            free -= one.steps
        if served:
            store.give_goods(work, served)
    moved = sum(one.steps for one in served)
    if covered or moved:
        store.shift(work, {place: {"short": -covered, "reserved": moved, "promised": -moved}})


def count(work: Work, variant: str, counted: int, *, at: str, expect_version: int | None = None) -> Level:
    """What was counted on the shelf, as a movement of the difference. Needs ``stock.write``.

    :param expect_version: version of the level the counter saw.
    :raises LevelMovedError: it has moved since; carries the current numbers.
    """
    work.actor.require(MANAGE)
    _count_of(counted, "counted", least=0)
    place = _place(work, variant, at)
    store.put_on_hand(work, {place: 0})
    level = _current(work, place)
    if expect_version is not None and level.version - 1 != expect_version:
        raise LevelMovedError(what="level", on_hand=level.on_hand, version=level.version - 1)
    if counted != level.on_hand:
        _book(work, level, counted - level.on_hand, "count", Ref("actor", str(work.actor)))
    if counted > level.on_hand:
        _settle_promises(work, place)
    work.did("stock.count", Ref("variant", place[0]))
    return _current(work, place)


def note_sold(work: Work, variant: str, steps: int, *, at: str, cause: Ref) -> Movement:
    """Goods were sold elsewhere: a fact, never refused. Needs ``stock.write``.

    If the shelf was emptier in the books than in reality, the missing steps are booked as found; if somebody's promise
    loses its goods, a Shortage opens and is announced.
    """
    work.actor.require(MANAGE)
    place = _place(work, variant, at)
    _count_of(steps, "steps")
    store.put_on_hand(work, {place: 0})
    level = _current(work, place)
    missing = max(0, steps - level.on_hand)
    if missing:
        _book(work, level, missing, "found", cause)
        level = _current(work, place)
    work.did("stock.note_sold", Ref("variant", place[0]), cause)
    return _book(work, level, -steps, "sell", cause)


def _book(work: Work, level: Level, steps: int, kind: str, cause: Ref) -> Movement:
    """A movement and its counters; opens a shortage when promises lose their goods."""
    place = level.variant_id, level.location_id
    short = rules.newly_short(level.on_hand + steps, level.reserved, level.short)
    store.shift(work, {place: {"on_hand": steps, "short": short}})
    move = store.new_movement(work, place, steps, kind, cause)
    store.add_movements(work, [move])
    _announce(work, move)
    work.bump("stock")
    if short:
        lost = Shortage(
            id=ShortageId(mint("shortage")),
            variant_id=place[0],
            location_id=place[1],
            steps=short,
            cause=cause,
            opened_at=work.now,
        )
        store.open_shortage(work, lost)
        work.announce(
            StockShort(shortage_id=lost.id, variant_id=lost.variant_id, location_id=lost.location_id, steps=short)
        )
    return move


def _current(work: Work, place: store.Place) -> Level:
    level = store.lock_level(work, place)
    if level is None:
        raise NotFoundError(kind="level", id=place[0])
    return level


def allow_backorder(work: Work, variant: str, cap: int, *, at: str) -> Level:
    """Let so many steps be promised beyond stock at a place; 0 ends it. Needs ``stock.write``.

    :raises PromisedError: more than ``cap`` is promised already.
    """
    work.actor.require(MANAGE)
    place = _place(work, variant, at)
    if not store.set_cap(work, place, _count_of(cap, "cap", least=0)):
        raise PromisedError(promised=_current(work, place).promised, cap=cap)
    work.did("stock.allow_backorder", Ref("variant", place[0]))
    work.bump("stock")
    return _current(work, place)


# -- promises ---------------------------------------------------------------------------------------------------------


def hold(
    work: Work, owner: Ref, wanted: Sequence[Wanted], *, until: dt.datetime | None, buffer: int = 0
) -> tuple[Hold, ...]:
    """Promise units to an owner: all of them or none. Three statements, whatever the lines.

    :param until: when the promise ends by itself; None: its owner gives it back.
    :param buffer: steps of each variant that this channel leaves to others: a margin against what the counters do not
        know yet. Seen before the promise is made: of buyers at the same instant one may get a step of it.
    :raises InvalidInputError: ``wrong-quantity``: steps below one.
    :raises OutOfStockError: names each SKU, what was wanted and what could be promised.
    """
    for index, want in enumerate(wanted):
        _count_of(want.steps, f"wanted[{index}].steps")
    counted = tuple(want for want in wanted if not want.unlimited)
    if not counted:
        return ()
    for _ in range(_SEEN_TRIES):
        levels = store.levels(work, [want.variant_id for want in counted])
        short = rules.short_items(counted, levels, buffer)
        if short:
            raise OutOfStockError(items=short)
        bookings = rules.bookings(hooks.ask_allocation(work.plugins, counted, levels), levels)
        if bookings is None:
            continue
        places = {(booking.variant_id, booking.location_id) for booking in bookings}
        raised = store.reserve(work, bookings)
        if raised == len(places):
            return store.add_holds(work, owner, bookings, until)
        if raised:  # some places did, others were taken by somebody else: only a rollback gives them back
            break
    raise MovedError(what="stock")


def release(work: Work, owner: Ref) -> tuple[Hold, ...]:
    """Give back everything still held for an owner. A second call finds nothing left and does nothing."""
    return _give_back(work, store.end_holds(work, store.owned_by(owner)))


def expire(work: Work) -> tuple[Hold, ...]:
    """Give back holds whose time is over; those of placed orders have none."""
    ended = _give_back(work, store.end_holds(work, store.overdue(work.now)))
    if ended:
        work.did("stock.expire", *{hold.owner for hold in ended})
    return ended


def _give_back(work: Work, ended: Sequence[Hold]) -> tuple[Hold, ...]:
    changes: defaultdict[store.Place, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in ended:
        counter = "reserved" if one.source == rules.ON_HAND else "promised"
        changes[one.variant_id, one.location_id][counter] -= one.steps
    store.shift(work, {place: dict(change) for place, change in changes.items()})
    for place, change in changes.items():
        if change["reserved"]:
            _settle_promises(work, place)
    return tuple(ended)


def held(work: Work, owner: Ref) -> tuple[Hold, ...]:
    """What is held for an owner now."""
    return store.live_holds(work, owner)


def allocations(work: Work, owner: Ref) -> dict[LineId, list[tuple[LocationId, int]]]:
    """Line → where its held steps are to come from."""
    return store.lines_held(work, owner)


def ship(
    work: Work,
    owner: Ref,
    lines: Sequence[tuple[LineId, int]],
    *,
    cause: Ref,
    location_id: LocationId | None = None,
) -> tuple[Movement, ...]:
    """Held goods have left: holds are used up, counters fall, each with a movement.

    :param location_id: where they left from; None: from wherever they are held.
    :raises NotHeldError: a line has fewer steps held on what is there.
    """
    wanted: defaultdict[LineId, int] = defaultdict(int)
    for line_id, steps in lines:
        wanted[line_id] += _count_of(steps, "steps")
    if not wanted:
        return ()
    holds = store.live_holds(work, owner, lock=True)
    leaving: defaultdict[store.Place, int] = defaultdict(int)
    for line_id, steps in wanted.items():
        taken = rules.consume(holds, line_id, steps, location_id)
        if taken is None:
            have = rules.held_steps(holds, line_id, location_id)
            raise NotHeldError(wanted=steps, held=have)
        for one, part in taken:
            store.use_hold(work, one, part)
            leaving[one.variant_id, one.location_id] += part
    gone = store.shift(work, {place: {"on_hand": -steps, "reserved": -steps} for place, steps in leaving.items()})
    if gone < len(leaving):  # promised, but the goods went elsewhere: a shortage is open
        raise NotHeldError(wanted=sum(leaving.values()), held=0)
    moves = tuple(store.new_movement(work, place, -steps, "sell", cause) for place, steps in sorted(leaving.items()))
    store.add_movements(work, moves)
    for move in moves:
        _announce(work, move)
    work.did("stock.ship", owner, cause)
    return moves


def availability(work: Work, variants: Sequence[VariantId], *, buffer: int = 0) -> dict[VariantId, int]:
    """Steps of each variant that could be promised now through a channel with this buffer; one statement."""
    by_variant: defaultdict[VariantId, list[Level]] = defaultdict(list)
    for level in store.levels(work, variants):
        by_variant[level.variant_id].append(level)
    return {variant: rules.offered(by_variant[variant], buffer) for variant in variants}


def levels(work: Work, variant: str) -> tuple[Level, ...]:
    """The counters of a variant at each sellable location. Needs ``stock.read`` or ``stock.write``."""
    if not work.actor.may("stock.read"):
        work.actor.require(MANAGE)
    return store.levels(work, [work.variant_of(variant)])


def _for_staff(function: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Work, P], R]:
    """The verb as a desk has it: flows promise and give back for any buyer, others need ``stock.write``."""

    @functools.wraps(function)
    def asked(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> R:
        work.actor.require(MANAGE)
        return function(work, *args, **kwargs)

    return asked


class Desk(desk.Desk):
    """``work.stock``. Whoever promises, gives back or ships by it needs ``stock.write``."""

    save_location = verb(save_location)
    locations = verb(locations)
    receive = verb(receive)
    receive_many = verb(receive_many)
    count = verb(count)
    note_sold = verb(note_sold)
    allow_backorder = verb(allow_backorder)
    hold = verb(_for_staff(hold))
    release = verb(_for_staff(release))
    expire = verb(_for_staff(expire))
    held = verb(_for_staff(held))
    allocations = verb(_for_staff(allocations))
    ship = verb(_for_staff(ship))
    availability = verb(availability)
    levels = verb(levels)


def collect(plugins: Any) -> None:
    """Stock registers nothing."""
