"""Decisions about options, shipments and parcels."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import attrs
from moneyed import Money

from eckit.kernel.clock import utc
from eckit.kernel.errors import InvalidInputError, Objection, PluginError, Problem, invalid
from eckit.kernel.ids import GroupId, LineId, LocationId, OptionCode, expect_id
from eckit.kernel.money import to_minor
from eckit.kernel.states import table
from eckit.kernel.text import clean
from eckit.order import rules as order_rules
from eckit.order.model import Order, OrderState
from eckit.pricing.model import ShippingOffer
from eckit.shipping.errors import NotReadyToShipError
from eckit.shipping.model import (
    Fare,
    FareChange,
    FareRequest,
    ParcelItem,
    ParcelPlan,
    Refusal,
    Shipment,
    ShipmentLine,
    ShipmentMove,
    ShipmentState,
    Tracking,
)

S, E = ShipmentState, ShipmentMove
# fmt: off
MOVES = table(
    # from          when          to
    (S.DRAFT,       E.MAKE_READY, S.READY),
    (S.DRAFT,       E.BLOCK,      S.BLOCKED),
    (S.DRAFT,       E.CANCEL,     S.CANCELED),
    (S.BLOCKED,     E.MAKE_READY, S.READY),
    (S.BLOCKED,     E.CANCEL,     S.CANCELED),
    (S.READY,       E.BLOCK,      S.BLOCKED),
    (S.READY,       E.HAND_OVER,  S.HANDED_OVER),
    (S.READY,       E.CANCEL,     S.CANCELED),
    (S.HANDED_OVER, E.DELIVER,    S.DELIVERED),
)
# fmt: on

MAX_STEPS = 10**9
MAX_URL = 500

RANKS = {
    "unknown": 0,
    "accepted": 1,
    "in_transit": 2,
    "out_for_delivery": 3,
    "attempted": 4,
    "ready_for_pickup": 4,
    "delivered": 5,
    "returned": 6,
}
"""A parcel's status is the highest seen, whatever the order of arrival; returned outranks delivered."""


def option_code(carrier: str, service: str) -> OptionCode:
    """How a cart names a carrier's service."""
    return OptionCode(f"{carrier}.{service}")


def one_parcel(items: Sequence[ParcelItem]) -> tuple[ParcelPlan, ...]:
    """All goods in one parcel; weight is added up, size is left open."""
    weight = sum((item.weight_grams or 0) * item.steps for item in items)
    return (ParcelPlan(weight_grams=weight, steps=sum(item.steps for item in items)),)


def fare_trouble(fare: Fare, request: FareRequest) -> str | None:
    """Why a fare cannot be used for this request, or None. Amounts of two currencies or tax bases never meet."""
    try:
        total, parts = to_minor(fare.total), [to_minor(part.amount) for part in fare.parts]
    except (InvalidInputError, TypeError):
        return "fare is no amount in whole units"
    for money in (fare.total, *(part.amount for part in fare.parts)):
        if money.currency != request.goods_value.currency:
            return f"fare in {money.currency.code}"
    if fare.tax_included != request.goods_include_tax:
        return "fare in another tax basis"
    if total < 0:
        return "negative fare"
    if parts and sum(parts) != total:
        return "parts do not add up"
    return None


def objections(carrier: str, plugin: str, problems: Iterable[Problem], locale: str) -> list[Objection]:
    """What a carrier has against a request, as people see it: it cannot deliver that, which is no failure."""
    return [
        Objection(code=problem.code, label=problem.text(locale), path=carrier, plugin=plugin) for problem in problems
    ]


def offer(carrier: str, plugin: str, version: str, fare: Fare) -> ShippingOffer:
    """A fare as pricing takes it."""
    return ShippingOffer(
        option=option_code(carrier, fare.service),
        label=fare.label,
        amount_minor=to_minor(fare.total),
        tax_class=fare.tax_class,
        plugin=plugin,
        plugin_version=version,
        rule=fare.table,
        earliest=fare.earliest,
        latest=fare.latest,
    )


def objection(carrier: str, plugin: str, refusal: Refusal, locale: str) -> Objection:
    """A refusal as people see it."""
    return Objection(
        code=refusal.code,
        label=refusal.message.get(locale),
        path=option_code(carrier, refusal.service),
        plugin=plugin,
    )


def changed(
    offers: Sequence[ShippingOffer], changes: Iterable[tuple[str, FareChange]], currency: str
) -> tuple[list[ShippingOffer], list[Objection]]:
    """Offers after plugins hid or repriced some; hidden ones leave their reason.

    :param currency: of the offers; nothing is repriced in another.
    :raises PluginError: a new price is in another currency, negative, or finer than the currency's unit.
    """
    kept = {one.option: one for one in offers}
    reasons: list[Objection] = []
    for plugin, change in changes:
        if change.option not in kept:
            continue
        if change.hide:
            del kept[change.option]
            reasons.append(Objection(code="hidden", label=change.reason, path=change.option, plugin=plugin))
        elif change.total is not None:
            amount = _repriced(plugin, change.total, currency)
            kept[change.option] = attrs.evolve(
                kept[change.option], amount_minor=amount, plugin=plugin, plugin_version="", rule=change.reason
            )
    return list(kept.values()), reasons


def _repriced(plugin: str, total: Money, currency: str) -> int:
    try:
        amount = to_minor(total)
    except (InvalidInputError, TypeError) as error:
        raise PluginError(plugin=plugin, hook="propose_shipping_changes", reason="no amount in whole units") from error
    if total.currency.code != currency or amount < 0:
        raise PluginError(plugin=plugin, hook="propose_shipping_changes", reason=f"answered {total}")
    return amount


def planned(
    order: Order, modes: Mapping[GroupId, str], places: Mapping[LineId, Sequence[tuple[LocationId, int]]]
) -> dict[tuple[GroupId, LocationId | None], list[ShipmentLine]]:
    """What goes from where to which group: held goods from their location, uncounted ones from nowhere.

    Of a line that is held in several parts at one location, the parts go together.
    """
    plans: dict[tuple[GroupId, LocationId | None], list[ShipmentLine]] = {}
    for line in order.lines:
        if line.open_steps <= 0 or modes.get(line.group_id) == "none":
            continue
        parts: Sequence[tuple[LocationId | None, int]] = places.get(line.id) or ((None, line.open_steps),)
        at: defaultdict[LocationId | None, int] = defaultdict(int)
        for location, steps in parts:
            at[location] += steps
        for location, steps in at.items():
            lines = plans.setdefault((line.group_id, location), [])
            lines.append(ShipmentLine(order_id=order.id, line_id=line.id, steps=steps))
    return plans


def reasons_against(order: Order, now: dt.datetime, group_id: GroupId | None = None) -> tuple[str, ...]:
    """Why goods may not leave: the order is not placed any more, not confirmed, or it or the group is blocked.

    :param group_id: of the goods; None: every block of the order counts.
    """
    found = []
    if order.state is not OrderState.PLACED:
        found.append(order.state.value)
    elif order.confirmed_at is None:
        found.append("not confirmed")
    found += [f"blocked: {block.kind}" for block in order_rules.live_blocks(order.blocks, now, group_id)]
    return tuple(found)


def leaving(
    shipments: Sequence[Shipment], wanted: Mapping[LineId, int] | None
) -> list[tuple[Shipment, list[ShipmentLine]]]:
    """Which lines of which ready shipments go now: all, or so many steps of the lines wanted.

    :raises NotReadyToShipError: nothing is ready, or less than is wanted.
    """
    ready = [one for one in shipments if one.state is ShipmentState.READY]
    if not ready:
        raise NotReadyToShipError(reasons=("nothing is ready",))
    if wanted is None:
        return [(one, list(one.lines)) for one in ready]
    left = dict(wanted)
    going: list[tuple[Shipment, list[ShipmentLine]]] = []
    for one in ready:
        taken = []
        for line in one.lines:
            steps = min(line.steps, left.get(line.line_id, 0))
            if steps > 0:
                left[line.line_id] -= steps
                taken.append(attrs.evolve(line, steps=steps))
        if taken:
            going.append((one, taken))
    if any(left.values()):
        raise NotReadyToShipError(reasons=("more is wanted than is ready",))
    return going


def staying(shipment: Shipment, going: Sequence[ShipmentLine]) -> tuple[ShipmentLine, ...]:
    """What is left of a shipment when some of it goes."""
    gone = {line.line_id: line.steps for line in going}
    rest = (attrs.evolve(line, steps=line.steps - gone.get(line.line_id, 0)) for line in shipment.lines)
    return tuple(line for line in rest if line.steps > 0)


def all_delivered(shipments: Sequence[Shipment]) -> bool:
    """Whether everything that left has arrived, and nothing is still to leave."""
    live = [one for one in shipments if one.state is not ShipmentState.CANCELED]
    return bool(live) and all(one.state is ShipmentState.DELIVERED for one in live)


def is_over(order: Order, shipments: Sequence[Shipment]) -> bool:
    """Whether an order can be closed: everything has arrived, and no step of it is open."""
    nothing_open = not any(line.open_steps > 0 for line in order.lines)
    return order.state is OrderState.PLACED and nothing_open and all_delivered(shipments)


def accepted(report: Tracking) -> Tracking:
    """What a carrier reported, in the form it is stored in.

    :raises InvalidInputError: an unknown status (``unknown`` is one, with the carrier's own words), or no key.
    """
    if report.status not in RANKS:
        raise invalid("unknown-code", "status", report.status, limit=", ".join(RANKS))
    key = clean(report.key, path="key", max_length=200)
    if not key:
        raise invalid("missing", "key", report.key)
    words = clean(report.words, path="words", max_length=500)
    return attrs.evolve(report, key=key, words=words, at=utc(report.at, "at"))


def counts(lines: Mapping[LineId, int] | None) -> Mapping[LineId, int] | None:
    """How many steps of which lines are to leave; None: everything.

    :raises InvalidInputError: none at all, or a number of steps that is none.
    """
    if lines is None:
        return None
    if not lines:
        raise invalid("empty", "lines", "")
    given: Mapping[LineId, object] = lines
    for line_id, steps in given.items():
        expect_id("line", line_id, path="lines")
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
            raise invalid("wrong-quantity", f"lines[{line_id}]", steps, limit=f"1…{MAX_STEPS}")
    return lines


def status_of(statuses: Iterable[str]) -> str:
    """The status of a parcel that was told all of these, in any order."""
    return max(statuses, key=lambda status: (RANKS.get(status, 0), status), default="unknown")


def is_link(url: object) -> bool:
    """Whether a page to follow a parcel on can be linked in mails: https, in plain ASCII, short."""
    return (
        isinstance(url, str)
        and url.startswith("https://")
        and url.isascii()
        and url.isprintable()
        and " " not in url
        and len(url) <= MAX_URL
    )
