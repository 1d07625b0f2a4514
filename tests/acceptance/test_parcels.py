"""What leaves and arrives, as shop and buyer see it: from several places, in parts, blocked, told by mail."""

import attrs
import pytest

from eckit import Actor, Location, NotAllowedError, NotFoundError, NotReadyToShipError, OrderState, from_minor, mint
from eckit.shipping import TrackingNumberTakenError
from tests.acceptance.trial import STAFF, Trial

PACKER = Actor.staff("packer", "shipping.read", "shipping.write", "order.read")


def _levels(trial: Trial, variant_id: str) -> dict[str, tuple[int, int]]:
    """Location → on hand and reserved."""
    with trial.shop.read(STAFF) as work:
        codes = {location.id: location.code for location in work.stock.locations()}
        return {codes[one.location_id]: (one.on_hand, one.reserved) for one in work.stock.levels(variant_id)}


def _mails(trial: Trial) -> list[str]:
    """The kinds of mails queued so far, sorted."""
    trial.shop.relay_events()
    with trial.shop.read(STAFF) as work:
        return sorted(mail.kind for mail in work.messages.mails())


def _captured(trial: Trial) -> int:
    return sum(amount for kind, amount, _ in trial.movements() if kind == "capture")


def test_goods_of_two_places_leave_each_from_its_own(trial: Trial) -> None:
    """Two lie in one place, one in another: each parcel takes from where it leaves; money follows what has left."""
    with trial.shop.write(STAFF) as work:
        work.stock.save_location(Location(id=mint("location"), code="osaka", name="Osaka", position=1))  # type: ignore[arg-type]
    tea = trial.goods("TEA-50", 1000, 2)
    with trial.shop.write(STAFF) as work:
        work.stock.receive(tea, 1, at="osaka")
    buyer, order = trial.order(("TEA-50", 3))
    trial.pay(buyer, order)
    line = order.lines[0].id

    [first] = trial.shop.ship_order(PACKER, order.id, number="1", lines={line: 1})
    after_one = _levels(trial, tea)
    trial.shop.ship_order(PACKER, order.id, number="2", lines={line: 1})
    with pytest.raises(NotReadyToShipError):
        trial.shop.ship_order(PACKER, order.id, number="9", lines={line: 2})
    trial.shop.ship_order(PACKER, order.id, number="3")

    assert sorted([(1, 1), (1, 1)]) == sorted(after_one.values()) or sorted([(2, 2), (0, 0)]) == sorted(
        after_one.values()
    )
    assert {"main": (0, 0), "osaka": (0, 0)} == _levels(trial, tea)
    with pytest.raises(NotReadyToShipError):
        trial.shop.ship_order(PACKER, order.id, number="4")
    assert OrderState.PLACED is trial.shop.record_delivery(PACKER, order.id, parcel_id=first.id).state
    assert OrderState.CLOSED is trial.shop.record_delivery(PACKER, order.id).state
    assert order.total_minor >= _captured(trial) > 0
    assert [] == trial.audit()


def test_each_milestone_is_told_once(trial: Trial) -> None:
    """Confirmed, shipped, delivered: three mails, however often somebody records it or the events are heard."""
    trial.goods("TEA-50", 1000, 2)
    buyer, order = trial.order(("TEA-50", 2))
    trial.pay(buyer, order)
    assert ["order_confirmed"] == _mails(trial)
    trial.shop.ship_order(PACKER, order.id, number="1")
    for _ in range(2):
        trial.shop.record_delivery(PACKER, order.id)
        assert ["order_confirmed", "order_delivered", "order_shipped"] == _mails(trial)
    assert [] == trial.audit()


def test_a_blocked_order_leaves_when_the_block_is_lifted(trial: Trial) -> None:
    """The reason is told; stock and money stay as they are; afterwards it goes as if nothing had been."""
    tea = trial.goods("TEA-50", 1000, 2)
    buyer, order = trial.order(("TEA-50", 2))
    trial.pay(buyer, order)
    with trial.shop.write(STAFF) as work:
        block = work.order.place_block(order.id, "fraud")

    with pytest.raises(NotReadyToShipError) as caught:
        trial.shop.ship_order(PACKER, order.id, number="1")
    assert ("blocked: fraud",) == caught.value.reasons
    assert ((2, 2), 0) == (trial.level(tea), _captured(trial))
    with trial.shop.write(STAFF) as work:
        work.order.lift_block(block.id)
    trial.shop.ship_order(PACKER, order.id, number="1")
    assert (0, 0) == trial.level(tea)
    assert [] == trial.audit()


def test_numbers_may_come_after_the_parcels(trial: Trial) -> None:
    """Given once; the same again changes nothing; another one, or another parcel's, is a conflict for a person."""
    trial.goods("TEA-50", 1000, 5)
    parcels = []
    for _ in range(2):
        buyer, order = trial.order(("TEA-50", 1))
        trial.pay(buyer, order)
        parcels += trial.shop.ship_order(PACKER, order.id, number="", carrier="yamato")
    assert ["", ""] == [parcel.number for parcel in parcels]

    with trial.shop.write(PACKER) as work:
        named = work.shipping.set_number(parcels[0].id, "4444‐1375‐8703")
        assert named == work.shipping.set_number(parcels[0].id, "4444-1375-8703")
        for parcel, number in ((parcels[0], "1"), (parcels[1], "4444-1375-8703")):
            with pytest.raises(TrackingNumberTakenError):
                work.shipping.set_number(parcel.id, number)
        with pytest.raises(NotFoundError):
            work.shipping.set_number(mint("parcel"), "1")
    assert "4444-1375-8703" == named.number
    assert [] == trial.audit()


def test_a_stranger_neither_ships_nor_receives(trial: Trial) -> None:
    """Missing equals forbidden; the buyer cannot say that it arrived."""
    trial.goods("TEA-50", 1000, 2)
    buyer, order = trial.order(("TEA-50", 2))
    trial.pay(buyer, order)
    before = trial.view(order.id)
    for actor in (buyer, Actor.guest(), attrs.evolve(PACKER, permissions=frozenset({"shipping.write"}))):
        for attempt in (
            lambda who: trial.shop.ship_order(who, order.id, number="1"),
            lambda who: trial.shop.record_delivery(who, order.id),
        ):
            with pytest.raises((NotFoundError, NotAllowedError)):
                attempt(actor)
    assert before == trial.view(order.id)


def test_a_buyer_who_presses_again_after_a_refund_pays_nothing_twice(trial: Trial) -> None:
    """One of two arrived broken and its money went back; paid again, nothing is charged, and the second is paid."""
    trial.goods("TEA", 1000, 10)
    buyer, order = trial.order(("TEA", 2))
    trial.pay(buyer, order)
    trial.shop.ship_order(STAFF, order.id, number="N1", lines={order.lines[0].id: 1})
    with trial.shop.read(STAFF) as work:
        (payment,) = work.payment.for_order(order.id)
    broken = from_minor(_captured(trial), "JPY")
    trial.shop.refund_payment(STAFF, payment.id, broken, key="broken", reason="came broken")

    trial.pay(buyer, order)
    trial.shop.ship_order(STAFF, order.id, number="N2")

    assert ["authorize", "capture", "capture", "refund"] == sorted(kind for kind, _, _ in trial.ledger())
    assert order.total_minor == _captured(trial)
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def test_an_attempt_that_is_closed_a_moment_after_it_was_paid_leaves_clean_books(trial: Trial) -> None:
    """The buyer approves, and wants another card after all: the order waits for its money, as the audit agrees."""
    trial.goods("TEA", 1000, 10)
    buyer, order = trial.order(("TEA", 2))
    result = trial.pay(buyer, order, "tok_challenge")
    assert result.payment is not None
    trial.provider.approve(result.payment.begin_reference)

    trial.shop.void_payment(buyer, result.payment.id)

    assert trial.view(order.id).confirmed_at is None
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()
