"""Orders of which a part leaves and the rest is canceled: what was earned is taken, what is not wanted comes back."""

import datetime as dt

import pytest

from eckit.order import OrderBlockedError, rules as order_rules
from eckit.payment.model import NotSent, Pending
from tests.flows.partly import HOUR, gateway, moved, paid
from tests.payment.fakes import (
    CAPABILITIES,
    DECLINED,
    answer,
    fail_before,
    refund_pending,
)
from tests.payment.support import Payments, make_payments, without_shipments


@pytest.fixture(params=[CAPABILITIES], ids=[""])
def shop(request: pytest.FixtureRequest, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop whose gateway can do everything, or what the test says."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url, request.param)


# -- the rest comes back ----------------------------------------------------------------------------------------------


def test_a_capture_that_was_never_sent_is_made_and_then_the_rest_is_released(shop: Payments) -> None:
    """Killed between handing over and capturing, then canceled: recovery takes 400 and releases 600."""
    placed = paid(shop)
    shop.leave(placed, 400, send=False)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (400, 600, 0) == moved(shop)
    assert ([], []) == (shop.tasks_open(), shop.audit())


def test_a_capture_the_provider_works_on_is_awaited_and_then_the_rest_is_released(shop: Payments) -> None:
    placed = paid(shop)
    shop.gateway.script["capture"].append(answer(Pending(reason="under way")))
    shop.leave(placed, 400)
    shop.cancel_rest(placed)
    assert (0, 0, 0) == moved(shop)
    asked = next(op for op in shop.gateway.seen if type(op).__name__ == "Capture")
    shop.ledger.move("capture", asked.begin_reference, asked.reference, asked.money)
    shop.chase_for(HOUR)
    assert (400, 600, 0) == moved(shop)


def test_a_refund_on_its_way_does_not_swallow_the_rest(shop: Payments) -> None:
    """All 1,000 were taken, 100 wait to be refunded when 500 are canceled: in the end 500 went back in all."""
    placed = paid(shop)
    shop.leave(placed, 500, send=False)
    shop.chase_for(HOUR)
    shop.capture(shop.one(placed))
    shop.gateway.script["refund"].append(answer(NotSent(cause="busy", retry_after=dt.timedelta(minutes=5))))
    shop.refund(shop.one(placed), 100)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (1_000, 0, 500) == moved(shop)
    assert [] == shop.audit()


def test_a_refund_of_the_rest_that_is_declined_is_tried_again_and_then_a_persons(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.leave(placed, 500)
    shop.gateway.script["refund"].extend([answer(DECLINED)] * 2)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (1_000, 0, 500) == moved(shop)


def test_a_refund_of_the_rest_that_is_always_declined_is_a_persons(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.leave(placed, 500)
    shop.gateway.script["refund"].extend([answer(DECLINED)] * 20)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert ((1_000, 0, 0), ["give_back"]) == (moved(shop), shop.task_kinds())
    assert 3 == sum("refund failed" == one for one in shop.states(placed))


@pytest.mark.parametrize("failures", [1, 3])
def test_a_refund_of_the_rest_that_comes_back_is_made_anew_and_in_the_end_a_persons(
    shop: Payments, failures: int
) -> None:
    """The provider takes it and cannot give it back, days later. While the core tries again no person is asked to."""
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.leave(placed, 500)
    shop.gateway.script["refund"].extend([answer(refund_pending)] * failures)
    shop.cancel_rest(placed)
    reference = shop.one(placed).begin_reference
    for number in range(failures):
        assert [] == shop.tasks_open()
        refund = next(op for op in reversed(shop.gateway.seen) if type(op).__name__ == "Refund")
        shop.ledger.move("refund_failed", reference, refund.reference, refund.money)
        shop.tell(shop.gateway.notice(shop.gateway.view(reference), f"evt-{number}"))
        shop.chase_for(HOUR)
    expected: tuple[int, list[str]] = (500, []) if failures < 3 else (0, ["give_back"])
    assert expected == (shop.ledger.total("refund"), shop.task_kinds())


def test_recovery_releases_the_rest_where_nothing_else_brings_it_up(shop: Payments) -> None:
    """The provider refuses the void for a while: the sweep over reservations tries no more than thrice."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.gateway.script["void"].append(answer(NotSent(cause="busy")))
    shop.cancel_rest(placed)
    shop.chase_for(HOUR * 3)
    assert (400, 600, 0) == moved(shop)


# -- gateways that capture once ---------------------------------------------------------------------------------------


@gateway(capture="partial")
def test_a_gateway_of_one_partial_capture_takes_what_left_when_the_rest_is_canceled(shop: Payments) -> None:
    placed = paid(shop)
    shop.leave(placed, 400)
    assert (0, 0, 0) == moved(shop)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert ((400, 600, 0), []) == (moved(shop), shop.tasks_open())


@gateway(capture="full")
def test_a_gateway_of_whole_captures_leaves_it_to_a_person(shop: Payments) -> None:
    """Nothing is taken that nobody owes: a person captures all and refunds the rest, or finds another way."""
    placed = paid(shop)
    shop.leave(placed, 400)
    assert [] == shop.tasks_open()
    shop.cancel_rest(placed)
    assert [("uncaptured", 400)] == shop.tasks_open()
    shop.capture(shop.one(placed))
    shop.chase_for(HOUR)
    assert (1_000, 0, 600) == moved(shop)


# -- goods have left and nothing is there to pay them -----------------------------------------------------------------


def test_goods_that_leave_after_the_money_was_released_are_a_task(shop: Payments) -> None:
    placed = paid(shop)
    shop.void(shop.one(placed))
    shop.leave(placed, 1_000)
    assert [("uncaptured", 1_000)] == shop.tasks_open()
    assert (0, 1_000, 0) == moved(shop)


def test_releasing_an_orders_money_keeps_its_goods_until_it_is_paid_anew(shop: Payments) -> None:
    placed = paid(shop)
    shop.void(shop.one(placed))
    with pytest.raises(OrderBlockedError, match="funds"):
        order_rules.require_unblocked(shop.order(placed), shop.clock.now())
    shop.take(placed)
    order_rules.require_unblocked(shop.order(placed), shop.clock.now())
    assert [] == shop.audit()


def test_money_that_comes_after_the_goods_have_left_is_taken_for_them(shop: Payments) -> None:
    """Nothing was there to pay 400 of goods; then the buyer pays 1,000 anew, and the rest is canceled."""
    placed = paid(shop)
    shop.void(shop.one(placed))
    shop.leave(placed, 400)
    shop.take(placed)
    assert [0, 400] == [one.earned_minor for one in shop.all(placed)]
    assert (400, 1_000, 0) == moved(shop)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (400, 1_600, 0) == moved(shop)
    assert [] == shop.audit()


# -- what cannot be done does not stand in the way of what can --------------------------------------------------------


@gateway(void=False)
def test_what_was_taken_goes_back_also_where_the_rest_cannot_be_released(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed), 400)
    shop.cancel(placed)
    shop.send(placed)
    shop.chase_for(HOUR)
    assert ((400, 0, 400), [("give_back", 600)]) == (moved(shop), shop.tasks_open())


@gateway(void=False)
def test_what_was_taken_too_much_goes_back_also_where_the_rest_cannot_be_released(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed), 700)
    shop.leave(placed, 400)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert ((700, 0, 300), [("give_back", 300)]) == (moved(shop), shop.tasks_open())


def test_what_was_taken_goes_back_also_where_the_provider_refuses_to_release(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed), 400)
    shop.gateway.script["void"].extend([answer(DECLINED)] * 20)
    shop.cancel(placed)
    shop.send(placed)
    shop.chase_for(dt.timedelta(days=30), HOUR * 6)
    assert ((400, 0, 400), [("give_back", 600)]) == (moved(shop), shop.tasks_open())


@pytest.mark.parametrize("whole", [True, False])
def test_a_refund_that_could_not_be_sent_does_not_keep_what_is_owed(shop: Payments, whole: bool) -> None:
    """A refund of 100 waits for three days and is given up; the order, or half of it, was canceled meanwhile."""
    placed = paid(shop)
    shop.capture(shop.one(placed))
    if not whole:
        shop.leave(placed, 500)
    shop.gateway.script["refund"].extend([fail_before] * 1_000)
    shop.refund(shop.one(placed), 100)
    (shop.cancel if whole else shop.cancel_rest)(placed)
    shop.chase_for(HOUR * 80, HOUR)
    shop.gateway.script["refund"].clear()
    shop.chase_for(HOUR * 2)
    assert (1_000 if whole else 500) == shop.ledger.total("refund")
    assert ["not_sent"] == shop.task_kinds()


def test_giving_back_that_can_never_be_sent_ends_with_a_person(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.gateway.script["refund"].extend([fail_before] * 10_000)
    shop.cancel(placed)
    shop.chase_for(dt.timedelta(days=14), HOUR)
    assert ["give_back", "not_sent", "not_sent", "not_sent"] == sorted(shop.task_kinds())
