"""Decisions about stock: facts in, decision out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import attrs

from eckit.kernel.doors import expect_within
from eckit.kernel.ids import LineId, LocationId, VariantId, expect_id
from eckit.kernel.text import clean
from eckit.pricing.model import QuoteLine
from eckit.stock.errors import AllocationError, ShortItem
from eckit.stock.model import Allocation, Hold, Level, Location, Wanted

ON_HAND = "on_hand"
CAPACITY = "capacity"
MAX_POSITION = 10**6


@attrs.frozen(kw_only=True)
class Booking:
    """Steps to hold at one place for one line, from what is there or beyond it."""

    variant_id: VariantId
    location_id: LocationId
    line_id: LineId | None
    steps: int
    source: str


UNCOUNTED_KINDS = frozenset({"digital", "service", "gift_card"})
"""Kinds of variant of which there is always enough."""


def require_storable(location: Location) -> None:
    """Insist on a location's id, and on texts and a place in the order that can be kept.

    :raises InvalidInputError: names the field.
    """
    expect_id("location", location.id, path="location.id")
    for name, most in (("code", 40), ("name", 200), ("kind", 40), ("owner", 40)):
        clean(getattr(location, name), path=f"location.{name}", max_length=most)
    expect_within(location.position, -MAX_POSITION, MAX_POSITION, path="location.position")


def wanted(lines: Sequence[QuoteLine]) -> tuple[Wanted, ...]:
    """What an order of these lines wants held."""
    return tuple(
        Wanted(
            line_id=line.id,
            variant_id=line.variant_id,
            sku=line.sku,
            steps=line.steps,
            unlimited=line.supply.kind == "unlimited" or line.kind in UNCOUNTED_KINDS,
        )
        for line in lines
    )


def can_promise(level: Level) -> int:
    """Steps that can be promised at one place: what is free on the shelf and what may be promised beyond it."""
    return level.available + max(0, level.cap - level.promised)


def offered(levels: Iterable[Level], buffer: int = 0) -> int:
    """Steps of one variant to show as available; a place that owes never lowers what another has."""
    return max(0, sum(map(can_promise, levels)) - buffer)


def short_items(wanted: Sequence[Wanted], levels: Sequence[Level], buffer: int) -> tuple[ShortItem, ...]:
    """What there is not enough of, by variant, over all lines together."""
    needed: defaultdict[VariantId, int] = defaultdict(int)
    skus = {want.variant_id: want.sku for want in wanted}
    for want in wanted:
        if not want.unlimited:
            needed[want.variant_id] += want.steps
    by_variant: defaultdict[VariantId, list[Level]] = defaultdict(list)
    for level in levels:
        by_variant[level.variant_id].append(level)
    return tuple(
        ShortItem(sku=skus[variant], wanted=steps, available=offered(by_variant[variant], buffer))
        for variant, steps in sorted(needed.items())
        if steps > offered(by_variant[variant], buffer)
    )


def covered(plugin: str, wanted: Sequence[Wanted], chosen: Sequence[Allocation], levels: Sequence[Level]) -> None:
    """Insist that a choice gives each counted line its steps, from places that were offered.

    :raises AllocationError: names the plugin whose choice it is.
    """
    places = {(level.variant_id, level.location_id) for level in levels}
    given: defaultdict[tuple[VariantId, LineId | None], int] = defaultdict(int)
    for part in chosen:
        if part.steps <= 0 or (part.variant_id, part.location_id) not in places:
            raise AllocationError(plugin=plugin, hook="choose_allocation", reason="a place that was not offered")
        given[part.variant_id, part.line_id] += part.steps
    needed: defaultdict[tuple[VariantId, LineId | None], int] = defaultdict(int)
    for want in wanted:
        if not want.unlimited:
            needed[want.variant_id, want.line_id] += want.steps
    if given != needed:
        raise AllocationError(plugin=plugin, hook="choose_allocation", reason="steps do not match what is wanted")


def bookings(chosen: Sequence[Allocation], levels: Sequence[Level]) -> tuple[Booking, ...] | None:
    """Each allocation as holds on what is there first, then beyond it; sorted by variant and place, the order of locks.

    None if the choice takes more of a place than it has now.
    """
    free = {(level.variant_id, level.location_id): level.available for level in levels}
    beyond = {(level.variant_id, level.location_id): max(0, level.cap - level.promised) for level in levels}
    booked: list[Booking] = []
    for part in sorted(chosen, key=lambda part: (part.variant_id, part.location_id, part.line_id or "")):
        place = part.variant_id, part.location_id
        shelf = min(part.steps, free[place])
        rest = part.steps - shelf
        if rest > beyond[place]:
            return None
        free[place] -= shelf
        beyond[place] -= rest
        for steps, source in ((shelf, ON_HAND), (rest, CAPACITY)):
            if steps:
                booked.append(
                    Booking(
                        variant_id=part.variant_id,
                        location_id=part.location_id,
                        line_id=part.line_id,
                        steps=steps,
                        source=source,
                    )
                )
    return tuple(booked)


def consume(
    holds: Sequence[Hold], line_id: LineId, steps: int, at: LocationId | None = None
) -> list[tuple[Hold, int]] | None:
    """Which holds on what is there give the steps of a line that leave; None if they do not reach.

    :param at: only those at this location; None: at any.
    """
    taken: list[tuple[Hold, int]] = []
    for hold in sorted(holds, key=lambda hold: hold.id):
        mine = hold.line_id == line_id and hold.source == ON_HAND and at in (None, hold.location_id)
        if mine and steps > 0:
            part = min(hold.steps, steps)
            taken.append((hold, part))
            steps -= part
    return None if steps else taken


def held_steps(holds: Sequence[Hold], line_id: LineId, at: LocationId | None = None) -> int:
    """Steps of a line that are held on what is there: at a location, or anywhere."""
    mine = (one for one in holds if one.line_id == line_id and one.source == ON_HAND)
    return sum(one.steps for one in mine if at in (None, one.location_id))


def newly_short(on_hand: int, reserved: int, short: int) -> int:
    """Steps of promises that have lost their goods and are not on a shortage yet."""
    return max(0, reserved - on_hand - short)
