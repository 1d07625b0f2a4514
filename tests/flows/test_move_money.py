"""Capture, void and refund: within the sums, once, by whoever may."""

import datetime as dt
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.flows.move_money import capture_payment
from eckit.flows.refund_payment import refund_payment
from eckit.kernel.actors import Actor, Scope
from eckit.kernel.errors import ConflictError, NotAllowedError, NotFoundError, RefusedError
from eckit.kernel.idempotency import KeyReusedError
from eckit.kernel.minting import mint
from eckit.order import Order, OrderBlockedError, service as order
from eckit.payment import (
    NotPayableError,
    OperationOpenError,
    Payment,
    TooMuchError,
    UnsupportedOperationError,
    service as payment,
)
from eckit.payment.rules import status_of
from tests.payment.fakes import CAPABILITIES, DECLINED, answer, hang, redirect, voucher
from tests.payment.support import STAFF, SYSTEM, Payments, make_payments, together, without_shipments

DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


@pytest.fixture
def authorized(shop: Payments) -> Order:
    placed = shop.place()
    shop.take(placed)
    return placed


@pytest.fixture
def captured(shop: Payments, authorized: Order) -> Order:
    shop.capture(shop.one(authorized))
    return authorized


def state(shop: Payments, placed: Order) -> str:
    return status_of(shop.one(placed), shop.clock.now()).state.value


# -- capture ----------------------------------------------------------------------------------------------------------


def test_parts_are_captured_to_the_last_yen(shop: Payments, authorized: Order) -> None:
    """Several captures add up; one yen more is refused."""
    shop.capture(shop.one(authorized), 400)
    assert "partially_captured" == state(shop, authorized)
    shop.capture(shop.one(authorized), 599)
    with pytest.raises(TooMuchError):
        shop.capture(shop.one(authorized), 2)
    shop.capture(shop.one(authorized), 1)
    assert ("paid", 1_000) == (state(shop, authorized), shop.ledger.total("capture"))
    assert [] == shop.audit()


def test_captures_at_the_same_time_are_one(shop: Payments, authorized: Order) -> None:
    """Four whole captures: one is made, the others are refused."""
    shop.gateway.script["capture"].append(hang(0.2))
    results = together([lambda: shop.capture(shop.one(authorized))] * 4)
    assert 3 == sum(isinstance(result, OperationOpenError | TooMuchError) for result in results)
    assert (1_000, 1) == (shop.ledger.total("capture"), shop.ledger.count("capture"))
    assert [] == shop.audit()


def test_capture_and_void_at_the_same_time(shop: Payments, authorized: Order) -> None:
    """Exactly one wins."""
    results = together([lambda: shop.capture(shop.one(authorized)), lambda: shop.void(shop.one(authorized))])
    assert 1 == sum(isinstance(result, ConflictError | RefusedError) for result in results)
    assert 1_000 == shop.ledger.total("capture") + shop.ledger.total("void")
    assert [] == shop.audit()


def test_the_same_key_is_the_same_capture(shop: Payments, authorized: Order) -> None:
    """Asked twice with one key: one capture; with the key for another amount: refused."""
    for _ in range(2):
        shop.capture(shop.one(authorized), 400, key="parcel-1")
    assert 400 == shop.ledger.total("capture")
    with pytest.raises(KeyReusedError):
        shop.capture(shop.one(authorized), 500, key="parcel-1")


def test_nothing_is_captured_for_a_blocked_or_canceled_order(shop: Payments, authorized: Order) -> None:
    """A live block, or a cancellation, and the money stays reserved or goes back."""
    with shop.begin.write(STAFF) as work:
        block = order.place_block(work, authorized.id, "fraud")
    with pytest.raises(OrderBlockedError):
        shop.capture(shop.one(authorized))
    with shop.begin.write(STAFF) as work:
        order.lift_block(work, block.id)
        order.cancel(work, authorized.id, reason="canceled")
    with pytest.raises(NotPayableError):
        shop.capture(shop.one(authorized))
    assert 0 == shop.ledger.total("capture")


def test_a_refused_capture_blocks_the_order_and_tells_a_person(shop: Payments, authorized: Order) -> None:
    """Goods that are still to leave wait; the buyer is not told that the payment was declined."""
    shop.gateway.script["capture"].append(answer(DECLINED))
    shop.capture(shop.one(authorized))
    assert ["payment"] == [block.kind for block in shop.order(authorized).blocks]
    assert ["uncaptured"] == shop.task_kinds()
    assert "payment.declined" not in shop.events()


def test_whole_captures_only_where_parts_are_not_declared(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that captures everything or nothing."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, capture="full"))
    placed = shop.place()
    shop.take(placed)
    with pytest.raises(UnsupportedOperationError):
        shop.capture(shop.one(placed), 999)
    shop.capture(shop.one(placed))
    assert 1_000 == shop.ledger.total("capture")


# -- goods leave ------------------------------------------------------------------------------------------------------


def test_what_has_left_is_captured(shop: Payments, authorized: Order) -> None:
    """Two parcels: 300, then all; said twice, captured once."""
    for earned in (300, 300, 1_000, 1_000):
        shop.leave(authorized, earned)
    assert [300, 700] == [
        e.minor for e in shop.ledger.entries[shop.one(authorized).begin_reference] if e.kind == "capture"
    ]
    assert [] == shop.audit()


def test_a_parcel_that_leaves_during_a_capture_is_captured_next(shop: Payments, authorized: Order) -> None:
    """The second hand-over comes while the first capture is on its way: it follows by itself."""

    def second_parcel(gateway: Any, io: Any, op: Any, usual: Any) -> Any:
        outcome = usual()
        with shop.begin.write(SYSTEM) as work:
            payment.plan_capture(work, authorized.id, 1_000)
        return outcome

    shop.gateway.script["capture"].append(second_parcel)
    shop.leave(authorized, 300)
    assert 1_000 == shop.ledger.total("capture")
    assert ["begin succeeded", "capture succeeded", "capture succeeded"] == shop.states(authorized)


def test_goods_that_left_after_the_reservation_ended_are_a_task(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authorization is over: nothing is sent, a person is told, the hand-over stands."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, auth_ttl=7 * DAY))
    placed = shop.place()
    shop.take(placed)
    shop.clock.advance(7 * DAY)
    assert "auth_expired" == state(shop, placed)
    shop.leave(placed, 1_000)
    assert (0, ["uncaptured"]) == (shop.ledger.total("capture"), shop.task_kinds())


def test_a_gateway_for_whole_captures_waits_for_the_last_parcel(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes one capture only: made when everything has been earned."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, capture="full"))
    placed = shop.place()
    shop.take(placed)
    shop.leave(placed, 300)
    assert 0 == shop.ledger.total("capture")
    shop.leave(placed, 1_000)
    assert 1_000 == shop.ledger.total("capture")


def test_a_partly_canceled_order_keeps_what_it_still_wants(shop: Payments) -> None:
    """400 of 1,000 were shipped and captured, the rest is canceled: the rest of the reservation is released."""
    from eckit.flows.send_operation import send_planned

    placed = shop.place()
    shop.take(placed)
    shop.leave(placed, 400)
    with shop.begin.write(SYSTEM) as work:
        order.lock(work, placed.id)
        payment.plan_give_back(work, placed.id, reason="sold_out", keep_minor=400)
    send_planned(shop.begin, order_id=placed.id)
    assert (400, 600, 0) == tuple(shop.ledger.total(kind) for kind in ("capture", "void", "refund"))
    assert "paid" == state(shop, placed)
    shop.leave(placed, 400)
    assert 400 == shop.ledger.total("capture")
    assert [] == shop.audit()


def test_a_partly_canceled_order_that_was_paid_is_refunded_in_part(shop: Payments, captured: Order) -> None:
    """All was captured, 600 are not wanted any more: 600 go back, once."""
    from eckit.flows.send_operation import send_planned

    for _ in range(2):
        with shop.begin.write(SYSTEM) as work:
            payment.plan_give_back(work, captured.id, reason="sold_out", keep_minor=400)
        send_planned(shop.begin, order_id=captured.id)
    assert (600, "partially_refunded") == (shop.ledger.total("refund"), state(shop, captured))
    assert [] == shop.audit()


def test_what_was_earned_is_kept_when_the_rest_is_canceled(shop: Payments, authorized: Order) -> None:
    """Without being told how much is still wanted, canceling keeps what left the house."""
    from eckit.flows.send_operation import send_planned

    shop.leave(authorized, 400)
    with shop.begin.write(SYSTEM) as work:
        payment.plan_give_back(work, authorized.id, reason="sold_out")
    send_planned(shop.begin, order_id=authorized.id)
    assert (400, 600, 0) == tuple(shop.ledger.total(kind) for kind in ("capture", "void", "refund"))


# -- void -------------------------------------------------------------------------------------------------------------


def test_a_void_releases_what_is_reserved(shop: Payments, authorized: Order) -> None:
    """Voided; nothing can be captured after it, even if the provider would take it."""
    shop.void(shop.one(authorized))
    assert ("voided", 1_000) == (state(shop, authorized), shop.ledger.total("void"))
    with pytest.raises(TooMuchError):
        shop.capture(shop.one(authorized))
    with pytest.raises(TooMuchError):
        shop.void(shop.one(authorized))


def test_a_buyer_closes_an_open_attempt_and_pays_another_way(shop: Payments) -> None:
    """The page is left for good: closed at the provider, then a new attempt."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    assert "canceled" == shop.void(shop.one(placed), shop.buyer(placed)).status.state.value
    assert "authorized" == shop.take(placed).status.state.value
    assert 2 == len(shop.all(placed))
    assert [] == shop.audit()


def test_a_slip_is_closed_by_the_shop(shop: Payments) -> None:
    """The slip is canceled at the provider: voided."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(voucher(shop.clock.now() + 3 * DAY)))
    shop.take(placed)
    assert "voided" == shop.void(shop.one(placed)).status.state.value


def test_a_buyer_cannot_release_authorized_money(shop: Payments, authorized: Order) -> None:
    """That is the shop's to do."""
    with pytest.raises(NotAllowedError):
        shop.void(shop.one(authorized), shop.buyer(authorized))
    with pytest.raises(NotFoundError):
        shop.void(shop.one(authorized), Actor.guest("another token"))


# -- refund -----------------------------------------------------------------------------------------------------------


def test_refunds_in_steps(shop: Payments, captured: Order) -> None:
    """1,000 captured: 990, then 20 refused with what is left, then 10; nothing more."""
    shop.refund(shop.one(captured), 990, "a")
    with pytest.raises(TooMuchError) as caught:
        shop.refund(shop.one(captured), 20, "b")
    assert (10, "¥10") == (caught.value.left_minor, caught.value.left)
    shop.refund(shop.one(captured), 10, "c")
    assert "refunded" == state(shop, captured)
    assert -1_000 == sum(one for one in applications(shop, captured) if one < 0)
    assert [] == shop.audit()


def applications(shop: Payments, placed: Order) -> list[int]:
    from eckit.payment import store

    with shop.begin.read(SYSTEM) as work:
        rows = work.execute(store.application.select().where(store.application.c.order_id == placed.id))
        return [row.amount_minor for row in rows]


@pytest.mark.parametrize("clicks", [2, 8])
def test_the_refund_button_pressed_many_times(shop: Payments, captured: Order, clicks: int) -> None:
    """One key: one refund of 600, and everybody is told so. Different keys: one succeeds, the others are refused."""
    results = together([lambda: shop.refund(shop.one(captured), 600, "same")] * clicks)
    assert not [result for result in results if isinstance(result, Exception)]
    results = together([lambda n=n: shop.refund(shop.one(captured), 600, f"key-{n}") for n in range(clicks)])
    assert clicks == sum(isinstance(result, TooMuchError | OperationOpenError) for result in results)
    assert (600, 1) == (shop.ledger.total("refund"), shop.ledger.count("refund"))
    assert [] == shop.audit()


def test_a_refused_refund_leaves_everything_refundable(shop: Payments, captured: Order) -> None:
    """Declined by the provider: nothing moved, a new request may follow."""
    shop.gateway.script["refund"].append(answer(DECLINED))
    shop.refund(shop.one(captured), 600, "a")
    assert 0 == shop.sums(captured).refunded
    shop.refund(shop.one(captured), 1_000, "b")
    assert 1_000 == shop.ledger.total("refund")


def test_a_refund_that_fails_later_is_refundable_again(shop: Payments, captured: Order) -> None:
    """Accepted, then failed: a task, and the sum is as before."""
    from tests.payment.fakes import refund_pending

    shop.gateway.script["refund"].append(answer(refund_pending))
    shop.refund(shop.one(captured), 600, "a")
    name = shop.one(captured).begin_reference
    reference = shop.one(captured).operations[-1].reference
    shop.ledger.move("refund_failed", name, reference, Money(600, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(name)))  # type: ignore[arg-type]
    assert ("paid", ["refund_failed"]) == (state(shop, captured), shop.task_kinds())
    shop.refund(shop.one(captured), 1_000, "b")
    assert "refunded" == state(shop, captured)
    assert [] == shop.audit()


def test_refunds_need_permission_and_keep_to_limits(shop: Payments, captured: Order) -> None:
    """A limit of 500: 501 is refused. Without the permission nothing; in another channel there is no such payment."""
    one = shop.one(captured)
    clerk = Actor.staff("abe", "order.read", "order.refund", limits={"order.refund": 500})
    abroad = Actor.staff("ito", "order.read", "order.refund", scope=Scope(channels=frozenset({mint("channel")})))  # type: ignore[arg-type]
    for actor, error in (
        (clerk, NotAllowedError),
        (Actor.staff("mori", "order.read"), NotAllowedError),
        (shop.buyer(captured), NotAllowedError),
        (abroad, NotFoundError),
        (Actor.guest(), NotFoundError),
    ):
        with pytest.raises(error):
            shop.refund(one, 501, actor=actor)
    shop.refund(one, 500, actor=clerk)
    assert 500 == shop.ledger.total("refund")


def test_a_konbini_payment_cannot_be_refunded_there(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undeclared: refused before anything is sent."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, refund="none", flows=frozenset({"sale"})))
    placed = shop.place()
    shop.take(placed)
    with pytest.raises(UnsupportedOperationError):
        shop.refund(shop.one(placed), 100)
    assert 0 == shop.ledger.count("refund")


def test_payments_that_do_not_exist(shop: Payments) -> None:
    """An unknown id is not found, whoever asks."""
    unknown = mint("payment")
    with pytest.raises(NotFoundError):
        capture_payment(shop.begin, STAFF, unknown)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        refund_payment(shop.begin, STAFF, unknown, Money(1, "JPY"), key="k", reason="")  # type: ignore[arg-type]


def test_the_amount_of_a_second_payment_is_its_own(shop: Payments, captured: Order) -> None:
    """A paid order takes no other method: it is paid."""
    result = shop.take(captured, method="fake.other")
    assert "paid" == result.status.state.value
    payment_: Payment | None = result.payment
    assert payment_ == shop.one(captured)
