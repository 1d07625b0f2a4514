"""Shipments planned, handed over in parts, tracked in any order, delivered once; what left is a fact."""

import itertools
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, MovedError, NotAllowedError, NotFoundError
from eckit.kernel.ids import GroupId, ParcelId
from eckit.kernel.minting import mint
from eckit.kernel.work import Work
from eckit.order import Block, OrderState
from eckit.shipping import (
    NotReadyToShipError,
    NumberRefusedError,
    Tracking,
    TrackingNumberTakenError,
    audit,
    service as shipping,
)
from eckit.testing.begin import make_begin
from tests.cart.support import raised, together
from tests.planting import broken
from tests.shipping.conftest import OSAKA, STAFF, TOKYO, Dock, Fleet, Reader, an_order

GOOD = "4444-1375-8703"


# -- planning ---------------------------------------------------------------------------------------------------------


def test_an_order_is_planned_once(dock: Dock) -> None:
    """A shipment for each location, ready at once, announced; planning again keeps them."""
    order = an_order(3, 2)
    tea, bowl = order.lines
    places = {tea.id: [(TOKYO, 2), (OSAKA, 1)], bowl.id: [(TOKYO, 2)]}

    planned = dock.plan(order, places)
    assert {one.id for one in planned} == {one.id for one in dock.plan(order, {})}

    assert [("ready", 1), ("ready", 2), ("ready", 2)] == dock.lines(order)
    assert [] == broken(dock.begin, audit.CHECKS)


def test_what_may_not_leave_waits_with_its_reasons(dock: Dock) -> None:
    """Blocked until nothing is against it any more; then ready, once."""
    order = an_order(1, confirmed=False, blocks=("fraud",))
    [shipment] = dock.plan(order)
    assert ("blocked", "not confirmed, blocked: fraud") == (shipment.state.value, shipment.reason)

    with dock.begin.write(STAFF) as work:
        assert () == shipping.make_ready(work, order)
    free = attrs.evolve(order, confirmed_at=order.placed_at, blocks=())
    for expected in (1, 0):
        with dock.begin.write(STAFF) as work:
            assert expected == len(shipping.make_ready(work, free))
            assert ["shipment.ready"] * expected == [event.name for event in work._events]
    assert ["ready"] == dock.states(order)


# -- handing over -----------------------------------------------------------------------------------------------------


def test_a_parcel_leaves_with_its_number_and_page(dock: Dock) -> None:
    """The number in its carrier's normal form, the page from its carrier; the event names both orders' ids."""
    order = an_order(2)
    dock.plan(order)
    [parcel] = dock.hand_over(order, GOOD, weight_grams=750)

    assert ("444413758703", "https://track.example/444413758703", "seven", 750) == (
        parcel.number,
        parcel.tracking_url,
        parcel.carrier,
        parcel.weight_grams,
    )
    assert ["handed_over"] == dock.states(order)
    with dock.begin.read(STAFF) as work:
        assert (parcel,) == shipping.parcels_of(work, shipping.for_order(work, order.id))
    assert [] == broken(dock.begin, audit.CHECKS)


def test_a_part_leaves_and_the_rest_stays_ready(dock: Dock) -> None:
    """One of three, then the rest: two shipments, two parcels; every step is in exactly one of them."""
    order = an_order(3, 2)
    dock.plan(order)
    tea, bowl = (line.id for line in order.lines)

    dock.hand_over(order, lines={tea: 1})
    assert [("handed_over", 1), ("ready", 2), ("ready", 2)] == dock.lines(order)
    dock.hand_over(order, lines={tea: 1, bowl: 2})
    assert [("handed_over", 1), ("handed_over", 1), ("handed_over", 2), ("ready", 1)] == dock.lines(order)
    with pytest.raises(NotReadyToShipError):
        dock.hand_over(order, lines={tea: 2})
    dock.hand_over(order)
    with pytest.raises(NotReadyToShipError):
        dock.hand_over(order)
    assert [] == broken(dock.begin, audit.CHECKS)


def test_nothing_leaves_while_something_is_against_it(dock: Dock) -> None:
    """Asked again when it leaves: a block placed after planning holds it back."""
    order = an_order(1)
    dock.plan(order)
    for against in (an_order(1, blocks=("fraud",)).blocks, ()):
        state = OrderState.PLACED if against else OrderState.CANCELED
        with pytest.raises(NotReadyToShipError) as caught:
            dock.hand_over(attrs.evolve(order, blocks=against, state=state))
        assert (("blocked: fraud",) if against else ("canceled",)) == caught.value.reasons
    assert ["ready"] == dock.states(order)


def test_one_group_may_leave_while_another_is_blocked(dock: Dock) -> None:
    """A gift whose address is open waits; the rest of the order goes."""
    order = an_order(1, 1)
    gift = attrs.evolve(order.lines[1], group_id=GroupId(mint("group")))
    block = Block(
        id=mint("block"), order_id=order.id, kind="address", group_id=gift.group_id, placed_at=order.placed_at
    )  # type: ignore[arg-type]
    order = attrs.evolve(order, lines=(order.lines[0], gift), blocks=(block,))
    planned = dock.plan(order)
    assert ["blocked", "ready"] == sorted(one.state.value for one in planned)

    dock.hand_over(order)
    with pytest.raises(NotReadyToShipError):
        dock.hand_over(order)
    lifted = attrs.evolve(order, blocks=())
    with dock.begin.write(STAFF) as work:
        assert 1 == len(shipping.make_ready(work, lifted))
    dock.hand_over(lifted)
    assert ["handed_over", "handed_over"] == dock.states(order)


def test_a_number_is_one_parcels(dock: Dock) -> None:
    """Of one carrier; another carrier may have the same; parcels without a number are many."""
    one, two, three = (an_order(1) for _ in range(3))
    for order in (one, two, three):
        dock.plan(order)
    dock.hand_over(one, GOOD)

    with pytest.raises(TrackingNumberTakenError) as caught:
        dock.hand_over(two, "444413758703")
    assert "444413758703" == caught.value.number
    assert ["ready"] == dock.states(two)
    dock.hand_over(two, "444413758703", carrier="another")
    dock.hand_over(three)
    assert [] == broken(dock.begin, audit.CHECKS)


@pytest.mark.parametrize("number", ["444413758704", "4444-1375-870", "UMN123456789"])
def test_a_number_that_is_none_is_refused(dock: Dock, number: str) -> None:
    """A digit wrong, one missing, another thing: nothing leaves."""
    order = an_order(1)
    dock.plan(order)
    with pytest.raises(NumberRefusedError) as caught:
        dock.hand_over(order, number)
    assert "seven" == caught.value.carrier
    with pytest.raises(InvalidInputError):
        dock.hand_over(order, "４４４４ \U0001f600")
    assert ["ready"] == dock.states(order)
    dock.hand_over(order, "４４４４‐１３７５‐８７０３")


@pytest.mark.parametrize("grams", [0, -5, True, 10**9])
def test_a_weight_is_a_count_of_grams(dock: Dock, grams: Any) -> None:
    """As weighed, or not at all."""
    order = an_order(1)
    dock.plan(order)
    with pytest.raises(InvalidInputError):
        dock.hand_over(order, weight_grams=grams)


def test_a_page_that_is_no_plain_https_address_is_not_kept(dock: Dock) -> None:
    """INJ-19: the parcel leaves; the link is left out."""
    order = an_order(1)
    dock.plan(order)
    begin = make_begin(
        dock.url, plugins=[Fleet("fleet-seven", (Reader(url=lambda number: f"javascript:{number}"),))], clock=dock.clock
    )
    [parcel] = Dock(begin, dock.clock, dock.url).hand_over(order, GOOD)
    assert parcel.tracking_url is None


def test_two_packers_at_one_moment_hand_it_over_once(dock: Dock) -> None:
    """One parcel; the other is told that nothing is ready, or that it moved."""
    order = an_order(1)
    dock.plan(order)

    results = together(*[lambda: dock.hand_over(order)] * 2)
    [error] = raised(results)
    assert isinstance(error, NotReadyToShipError | MovedError)
    assert [("handed_over", 1)] == dock.lines(order)


# -- arriving ---------------------------------------------------------------------------------------------------------


def test_it_arrives_once(dock: Dock) -> None:
    """Delivering again changes nothing and tells nobody again."""
    order = an_order(1)
    dock.plan(order)
    [parcel] = dock.hand_over(order)

    told = []
    for _ in range(2):
        with dock.begin.write(STAFF) as work:
            shipping.deliver(work, order.id)
            told += [(event.name, event.subject.id) for event in work._events]
    assert [("parcel.delivered", parcel.id)] == told
    assert ["delivered"] == dock.states(order)
    assert [] == broken(dock.begin, audit.CHECKS)


def test_one_parcel_of_several_arrives(dock: Dock) -> None:
    """The others are still on their way; another order's parcel is not found here."""
    order, other = an_order(2), an_order(1)
    dock.plan(order)
    dock.plan(other)
    [first] = dock.hand_over(order, lines={order.lines[0].id: 1})
    dock.hand_over(order)
    [stray] = dock.hand_over(other)

    dock.deliver(order, parcel_id=first.id)
    assert ["delivered", "handed_over"] == sorted(dock.states(order))
    for unknown in (stray.id, ParcelId(mint("parcel"))):
        with pytest.raises(NotFoundError):
            dock.deliver(order, parcel_id=unknown)
    dock.deliver(order)
    assert ["delivered", "delivered"] == dock.states(order)


def test_what_has_not_left_does_not_arrive(dock: Dock) -> None:
    """A ready or canceled shipment is left as it is."""
    order = an_order(1)
    dock.plan(order)
    assert () == dock.deliver(order)
    with dock.begin.write(STAFF) as work:
        assert 1 == len(shipping.cancel_for(work, order.id))
    assert () == dock.deliver(order)
    assert ["canceled"] == dock.states(order)


def test_canceling_keeps_what_has_left(dock: Dock) -> None:
    """Only what is still here is canceled; again, nothing."""
    order = an_order(2)
    dock.plan(order)
    dock.hand_over(order, lines={order.lines[0].id: 1})
    for expected in (1, 0):
        with dock.begin.write(STAFF) as work:
            assert expected == len(shipping.cancel_for(work, order.id))
    assert ["canceled", "handed_over"] == sorted(dock.states(order))
    assert [] == broken(dock.begin, audit.CHECKS)


def test_reports_in_any_order_and_twice_end_the_same(dock: Dock) -> None:
    """SHP-07: all permutations of four events with a duplicate: delivered, and each milestone is told at most once."""
    told = ("accepted", "in_transit", "out_for_delivery", "delivered")
    for order_of_arrival in itertools.permutations(told):
        order = an_order(1)
        dock.plan(order)
        [parcel] = dock.hand_over(order)
        announced, status = [], ""
        for word in (*order_of_arrival, order_of_arrival[0]):
            with dock.begin.write(STAFF) as work:
                report = Tracking(parcel_id=parcel.id, key=f"carrier-{word}", status=word, at=work.now, words=word)
                status = shipping.track(work, report)
                announced += [event.status for event in work._events]  # type: ignore[attr-defined]
        assert "delivered" == status
        assert len(announced) == len(set(announced))
        assert "delivered" == announced[-1]
        assert sorted(announced, key=told.index) == announced


def test_a_report_about_nothing_is_refused(dock: Dock) -> None:
    """No such parcel, an id of another kind, a status nobody knows."""
    for parcel_id, status, error in (
        (mint("parcel"), "delivered", NotFoundError),
        (mint("order"), "delivered", InvalidInputError),
        (mint("parcel"), "teleported", InvalidInputError),
    ):
        with pytest.raises(error), dock.begin.write(STAFF) as work:
            shipping.track(work, Tracking(parcel_id=ParcelId(parcel_id), key="1", status=status, at=work.now))


# -- who may ----------------------------------------------------------------------------------------------------------


def test_only_who_may_sees_and_moves_shipments(dock: Dock) -> None:
    """Buyers see theirs with their order; nobody ships without ``shipping.write``."""
    order = an_order(1)
    dock.plan(order)
    report = Tracking(parcel_id=ParcelId(mint("parcel")), key="1", status="delivered", at=dock.clock.now())
    attempts: list[Callable[[Work], object]] = [
        lambda work: shipping.to_leave(work, order, None),
        lambda work: shipping.deliver(work, order.id),
        lambda work: shipping.Desk(work).track(report),
        lambda work: shipping.Desk(work).shipments(order.id),
        lambda work: shipping.Desk(work).waiting(),
    ]
    for actor in (Actor.guest(), Actor.staff("sato", "order.read")):
        for attempt in attempts:
            with pytest.raises(NotAllowedError), dock.begin.write(actor) as work:
                attempt(work)
    with dock.begin.read(STAFF) as work:
        assert shipping.Desk(work).waiting() == shipping.Desk(work).shipments(order.id)
        for limit in (0, 201, True):
            with pytest.raises(InvalidInputError):
                shipping.Desk(work).waiting(limit=limit)
