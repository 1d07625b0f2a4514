"""Shipments planned, handed over, tracked, delivered."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from eckit.kernel.errors import MovedError, NotFoundError, PluginError, invalid
from eckit.kernel.ids import GroupId, LineId, LocationId, OrderId, ParcelId, ShipmentId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.states import move
from eckit.kernel.text import clean, fold_digits
from eckit.kernel.work import Work
from eckit.order.model import Order
from eckit.pricing.model import QuoteGroup
from eckit.shipping import rules, store
from eckit.shipping.errors import NotReadyToShipError, NumberRefusedError, TrackingNumberTakenError
from eckit.shipping.model import (
    Parcel,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelTracked,
    ReadsNumbers,
    Shipment,
    ShipmentLine,
    ShipmentMove,
    ShipmentReady,
    ShipmentState,
    Tracking,
)
from eckit.shipping.service.options import CARRIERS

MANAGE, READ = "shipping.write", "shipping.read"
MAX_NUMBER: Final = 40
MAX_GRAMS: Final = 10**8
MAX_PAGE: Final = 200


def plan(
    work: Work,
    order: Order,
    groups: Sequence[QuoteGroup],
    places: Mapping[LineId, Sequence[tuple[LocationId, int]]],
) -> tuple[Shipment, ...]:
    """Plan what goes from where, a shipment for each group and location; ready at once unless something is against it.

    An order that has shipments already keeps them.
    """
    there = store.for_order(work, order.id)
    if there:
        return there
    by_id = {group.id: group for group in groups}
    reasons = {group_id: rules.reasons_against(order, work.now, group_id) for group_id in by_id}
    modes: dict[GroupId, str] = {group.id: group.mode for group in groups}
    made = tuple(
        Shipment(
            id=ShipmentId(mint("shipment")),
            state=ShipmentState.BLOCKED if reasons[group_id] else ShipmentState.READY,
            location_id=location,
            group_id=group_id,
            mode=modes[group_id],
            option=by_id[group_id].option,
            lines=tuple(lines),
            reason=", ".join(reasons[group_id])[:200],
            planned_at=work.now,
        )
        for (group_id, location), lines in rules.planned(order, modes, places).items()
    )
    store.add_shipments(work, made)
    for one in made:
        _announce_ready(work, one)
    work.did("shipping.plan", order.ref)
    return made


def _announce_ready(work: Work, one: Shipment) -> None:
    if one.state is ShipmentState.READY:
        work.announce(ShipmentReady(shipment_id=one.id, order_ids=_orders(one)))


def _orders(one: Shipment) -> tuple[OrderId, ...]:
    return tuple(sorted({line.order_id for line in one.lines}))


def make_ready(work: Work, order: Order) -> tuple[Shipment, ...]:
    """Let an order's waiting shipments go, where nothing is against them any more."""
    freed = []
    for one in store.for_order(work, order.id, lock=True):
        waits = one.state in (ShipmentState.DRAFT, ShipmentState.BLOCKED)
        if waits and not rules.reasons_against(order, work.now, one.group_id):
            freed.append(_moved(work, one, ShipmentMove.MAKE_READY, reason=""))
            _announce_ready(work, freed[-1])
    if freed:
        work.did("shipping.make_ready", order.ref)
    return tuple(freed)


def _moved(work: Work, one: Shipment, event: ShipmentMove, **values: Any) -> Shipment:
    state = move(rules.MOVES, one.state, event)
    if not store.set_state(work, one, state, **values):
        raise MovedError(what="shipment")
    return attrs.evolve(one, state=state, version=one.version + 1, **values)


def for_order(work: Work, order_id: OrderId, *, lock: bool = False) -> tuple[Shipment, ...]:
    """Every shipment of an order; for flows, which look the order up first, in its actor's scope."""
    return store.for_order(work, order_id, lock=lock)


def shipments(work: Work, order_id: OrderId) -> tuple[Shipment, ...]:
    """Every shipment of an order. Needs ``shipping.read``; buyers see theirs with the order itself."""
    work.actor.require_everywhere(READ)
    return store.for_order(work, OrderId(expect_id("order", order_id)))


def parcels_of(work: Work, shipments: Sequence[Shipment]) -> tuple[Parcel, ...]:
    """The parcels of shipments."""
    return store.parcels_of(work, [one.id for one in shipments])


def to_leave(
    work: Work, order: Order, wanted: Mapping[LineId, int] | None
) -> list[tuple[Shipment, list[ShipmentLine]]]:
    """Which lines of which shipments of an order go now. Needs ``shipping.write``.

    :raises NotReadyToShipError: says what is against it.
    """
    work.actor.require(MANAGE)
    wanted = rules.counts(wanted)
    shipments = store.for_order(work, order.id, lock=True)
    free = [one for one in shipments if not rules.reasons_against(order, work.now, one.group_id)]
    reasons = rules.reasons_against(order, work.now)
    if reasons and not free:
        raise NotReadyToShipError(reasons=reasons)
    return rules.leaving(free, wanted)


def hand_over(
    work: Work,
    shipment: Shipment,
    going: Sequence[ShipmentLine],
    *,
    number: str,
    carrier: str | None = None,
    weight_grams: int | None = None,
) -> Parcel:
    """The carrier has a parcel with these lines; what stays becomes a shipment of its own. A fact from now on.

    :param weight_grams: of the parcel as weighed.
    :raises TrackingNumberTakenError: the number is another parcel's.
    :raises NumberRefusedError: its carrier has no such numbers.
    """
    if weight_grams is not None and (isinstance(weight_grams, bool) or not 0 < weight_grams <= MAX_GRAMS):
        raise invalid("wrong-quantity", "weight_grams", weight_grams, limit=f"1…{MAX_GRAMS}")
    rest = rules.staying(shipment, going)
    if rest:
        store.set_lines(work, shipment.id, going)
        kept = attrs.evolve(shipment, id=ShipmentId(mint("shipment")), lines=rest, version=1)
        store.add_shipments(work, [kept])
    moved = _moved(work, shipment, ShipmentMove.HAND_OVER, handed_over_at=work.now)
    code = carrier or (shipment.option or "").partition(".")[0] or "own"
    parcel = Parcel(
        id=ParcelId(mint("parcel")),
        shipment_id=shipment.id,
        carrier=clean(code, path="carrier", max_length=40),
        weight_grams=weight_grams,
        **_number(work.plugins, code, number),
    )
    if not store.add_parcel(work, parcel):
        raise TrackingNumberTakenError(what="parcel", number=parcel.number)
    work.did("shipping.hand_over", Ref("shipment", shipment.id))
    work.announce(ParcelHandedOver(parcel_id=parcel.id, shipment_id=shipment.id, order_ids=_orders(moved)))
    return parcel


def _number(plugins: Plugins, carrier: str, text: str) -> dict[str, Any]:
    """A tracking number in its carrier's normal form, with its page."""
    folded = fold_digits(text, "number", letters=True, max_length=MAX_NUMBER) if text.strip() else ""
    entry = plugins.thing(CARRIERS, carrier)
    if entry is None or not folded or not isinstance(entry.thing, ReadsNumbers):
        return {"number": folded, "tracking_url": None}
    reader = entry.thing
    normal: object = plugins.guarded(entry.plugin, "parse_number", reader.parse_number, folded)
    if normal is None:
        raise NumberRefusedError(number=folded, carrier=carrier)
    if not (isinstance(normal, str) and 0 < len(normal) <= MAX_NUMBER):
        raise PluginError(plugin=entry.plugin, hook="parse_number", reason=f"answered {type(normal).__name__}")
    url = plugins.guarded(entry.plugin, "tracking_url", reader.tracking_url, normal, "en")
    return {"number": normal, "tracking_url": url if rules.is_link(url) else None}


def set_number(work: Work, parcel_id: ParcelId, number: str) -> Parcel:
    """Give a parcel its tracking number; the same again changes nothing. Needs ``shipping.write``.

    :raises NotFoundError: no such parcel.
    :raises TrackingNumberTakenError: the number is another parcel's, or the parcel has another one already: which of
        the two is right, only a person can tell.
    :raises NumberRefusedError: its carrier has no such numbers.
    """
    work.actor.require_everywhere(MANAGE)
    expect_id("parcel", parcel_id, path="parcel_id")
    parcel = store.parcel_by_id(work, parcel_id, lock=True)
    if parcel is None:
        raise NotFoundError(kind="parcel", id=parcel_id)
    if not number.strip():
        raise invalid("missing", "number", number)
    named = attrs.evolve(parcel, **_number(work.plugins, parcel.carrier, number))
    if parcel.number:
        if parcel.number == named.number:
            return parcel
        raise TrackingNumberTakenError(what="parcel", number=parcel.number)
    if not store.set_number(work, named):
        raise TrackingNumberTakenError(what="parcel", number=named.number)
    work.did("shipping.set_number", Ref("parcel", parcel.id))
    return named


def track(work: Work, report: Tracking) -> str:
    """Note what a carrier reported, once; the parcel's status after it. Needs ``shipping.write``.

    Reports may come late, twice and in any order: the status is the highest of all that were told.

    :raises NotFoundError: no such parcel.
    :raises InvalidInputError: an unknown status.
    """
    work.actor.require_everywhere(MANAGE)
    expect_id("parcel", report.parcel_id, path="parcel_id")
    report = rules.accepted(report)
    parcel = store.parcel_by_id(work, report.parcel_id)
    if parcel is None:
        raise NotFoundError(kind="parcel", id=report.parcel_id)
    before = rules.status_of(store.statuses(work, parcel.id))
    if store.add_tracking(work, report):
        work.did("shipping.track", Ref("parcel", parcel.id))
        after = rules.status_of(store.statuses(work, parcel.id))
        if after != before:
            one = _of(work, parcel)
            work.announce(ParcelTracked(parcel_id=parcel.id, shipment_id=one.id, order_ids=_orders(one), status=after))
        return after
    return before


def _of(work: Work, parcel: Parcel) -> Shipment:
    one = store.get(work, parcel.shipment_id, lock=work.writes)
    if one is None:
        raise NotFoundError(kind="shipment", id=parcel.shipment_id)
    return one


def deliver(work: Work, order_id: OrderId, *, parcel_id: ParcelId | None = None) -> tuple[Shipment, ...]:
    """The buyer has it: one parcel, or everything of an order that was handed over. Again changes nothing.

    Needs ``shipping.write``.

    :raises NotFoundError: the parcel is none of this order's.
    """
    work.actor.require(MANAGE)
    shipments = store.for_order(work, order_id, lock=True)
    parcels = store.parcels_of(work, [one.id for one in shipments])
    if parcel_id is not None and parcel_id not in {box.id for box in parcels}:
        raise NotFoundError(kind="parcel", id=parcel_id)
    arrived = []
    for one in shipments:
        boxes = [box for box in parcels if box.shipment_id == one.id]
        if one.state is not ShipmentState.HANDED_OVER or (parcel_id and parcel_id not in {box.id for box in boxes}):
            continue
        arrived.append(_moved(work, one, ShipmentMove.DELIVER, delivered_at=work.now))
        for box in boxes:
            key = Tracking(parcel_id=box.id, key="delivered", status="delivered", at=work.now)
            store.add_tracking(work, key)
            work.announce(ParcelDelivered(parcel_id=box.id, shipment_id=one.id, order_ids=_orders(one)))
    if arrived:
        work.did("shipping.deliver", Ref("order", order_id))
    return tuple(arrived)


def cancel_for(work: Work, order_id: OrderId) -> tuple[Shipment, ...]:
    """Nothing more of an order leaves; what has left stays a fact."""
    canceled = tuple(
        _moved(work, one, ShipmentMove.CANCEL)
        for one in store.for_order(work, order_id, lock=True)
        if one.state in (ShipmentState.DRAFT, ShipmentState.BLOCKED, ShipmentState.READY)
    )
    if canceled:
        work.did("shipping.cancel_for", Ref("order", order_id))
    return canceled


def waiting(work: Work, *, limit: int = 100) -> tuple[Shipment, ...]:
    """Shipments that may be picked now, oldest first. Needs ``shipping.read``.

    :param limit: 1 to 200.
    """
    work.actor.require_everywhere(READ)
    if isinstance(limit, bool) or not 1 <= limit <= MAX_PAGE:
        raise invalid("wrong-quantity", "limit", limit, limit=f"1…{MAX_PAGE}")
    return store.ready(work, limit)
