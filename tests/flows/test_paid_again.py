"""Several attempts to pay an order, refunds and disputes: what was paid stays paid, what is kept is kept once."""

import datetime as dt
from typing import Any, ClassVar

import pytest

from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.money import from_minor
from eckit.order import Order
from eckit.payment import service as payment
from tests.flows.partly import HOUR, gateway, moved, paid
from tests.payment.fakes import (
    CAPABILITIES,
    DECLINED,
    answer,
    fail_before,
    redirect,
    refund_pending,
)
from tests.payment.support import SYSTEM, Payments, make_payments, without_shipments


@pytest.fixture(params=[CAPABILITIES], ids=[""])
def shop(request: pytest.FixtureRequest, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop whose gateway can do everything, or what the test says."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url, request.param)


# -- several attempts, and goodwill -----------------------------------------------------------------------------------


@gateway(auth_ttl=dt.timedelta(days=7))
def test_what_is_kept_is_kept_of_the_payment_that_can_pay_it(shop: Payments) -> None:
    """The first reservation ran out, the second pays: of that one the earned 400 are kept."""
    placed = paid(shop)
    shop.chase_for(dt.timedelta(days=8), HOUR * 6)
    shop.take(placed)
    shop.leave(placed, 400)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert ((400, 600, 0), []) == (moved(shop), shop.tasks_open())


def test_a_payment_that_was_refunded_in_full_bears_nothing_more(shop: Payments) -> None:
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.refund(shop.one(placed), 1_000)
    shop.take(placed)
    shop.leave(placed, 1_000)
    assert (2_000, 0, 1_000) == moved(shop)


def test_goodwill_does_not_count_against_what_is_kept(shop: Payments) -> None:
    """400 left and were taken, 100 of them refunded out of goodwill: the other 600 are released all the same."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.refund(shop.one(placed), 100)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (400, 600, 100) == moved(shop)


def test_goodwill_that_comes_back_is_not_given_twice(shop: Payments) -> None:
    """200 of goodwill fail after the rest was canceled: the core returns its 100, a person the 200."""
    placed = paid(shop)
    shop.capture(shop.one(placed))
    shop.leave(placed, 900)
    shop.gateway.script["refund"].append(answer(refund_pending))
    shop.refund(shop.one(placed), 200)
    goodwill = next(op for op in reversed(shop.gateway.seen) if type(op).__name__ == "Refund")
    shop.cancel_rest(placed)
    reference = shop.one(placed).begin_reference
    shop.ledger.move("refund_failed", reference, goodwill.reference, goodwill.money)
    shop.tell(shop.gateway.notice(shop.gateway.view(reference)))
    shop.chase_for(HOUR)
    assert (100, [("refund_failed", 200)]) == (shop.ledger.total("refund"), shop.tasks_open())


def test_a_capture_that_could_not_be_sent_is_left_to_the_person_who_was_asked(shop: Payments) -> None:
    placed = paid(shop)

    shop.gateway.script["capture"].extend([fail_before] * 1_000)
    shop.leave(placed, 400)
    shop.chase_for(HOUR * 100, HOUR)
    assert (["begin succeeded", "capture canceled"], [("not_sent", 400)]) == (shop.states(placed), shop.tasks_open())


@gateway(capture="partial", auth_ttl=dt.timedelta(days=7))
def test_a_reservation_that_ends_with_earned_money_in_it_is_a_task(shop: Payments) -> None:
    """Only one capture is possible, a part has left, the rest is late: before nobody sees it, a person is told."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.chase_for(dt.timedelta(days=8), HOUR * 6)
    assert [("uncaptured", 400)] == shop.tasks_open()


def _paid_twice(shop: Payments) -> Order:
    """The first attempt ran out, the second was paid; then the first one's money comes after all."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    late = shop.gateway.seen[0]
    shop.chase_for(2 * HOUR)
    shop.take(placed)
    shop.gateway.book_begin(late)
    shop.tell(shop.gateway.notice(shop.gateway.view(late.begin_reference), "evt-late"))
    return placed


@gateway(void=False, action_ttl=dt.timedelta(minutes=20))
def test_a_surplus_that_cannot_be_released_pays_nothing(shop: Payments) -> None:
    """Two attempts hold money. A person is told to release the late one; nothing is captured from it meanwhile."""
    placed = _paid_twice(shop)
    surplus, wanted = shop.all(placed)
    assert [("give_back", 1_000)] == shop.tasks_open()
    shop.leave(placed, 400)
    shop.cancel_rest(placed)
    shop.chase_for(2 * HOUR)
    captured = [shop.ledger.total("capture", one.begin_reference) for one in (surplus, wanted)]
    assert [0, 400] == captured
    assert [(surplus.id, 1_000), (wanted.id, 600)] == [(one.payment_id, one.amount_minor) for one in shop.tasks()]
    assert [] == shop.audit()


@gateway(void=False, action_ttl=dt.timedelta(minutes=20))
def test_an_order_whose_only_money_is_a_surplus_can_be_paid_anew(shop: Payments) -> None:
    placed = _paid_twice(shop)
    released = shop.all(placed)[1]
    shop.ledger.move("void", released.begin_reference, "desk", released.amount)
    shop.tell(shop.gateway.notice(shop.gateway.view(released.begin_reference), "evt-void"))
    shop.take(placed)
    shop.leave(placed, 1_000)
    shop.chase_for(HOUR)
    taken = [shop.ledger.total("capture", one.begin_reference) for one in shop.all(placed)]
    assert ([0, 0, 1_000], []) == (taken, shop.audit())


def test_more_goods_that_leave_unpaid_are_more_to_see_to(shop: Payments) -> None:
    """A task that is open shows the newest amount; one that a person has closed opens again for more, not for less."""
    placed = paid(shop)
    shop.void(shop.one(placed))
    shop.leave(placed, 400)
    assert [("uncaptured", 400)] == shop.tasks_open()
    shop.leave(placed, 700)
    assert [("uncaptured", 700)] == shop.tasks_open()
    with shop.begin.write(SYSTEM) as work:
        payment.close_task(work, shop.one(placed).id, "uncaptured", reason="paid in cash")
    shop.chase_for(HOUR)
    assert [] == shop.tasks_open()
    shop.leave(placed, 1_000)
    assert [("uncaptured", 1_000)] == shop.tasks_open()


# -- what was paid stays paid ----------------------------------------------------------------------------------------


def test_a_parcel_that_was_refunded_is_not_charged_again(shop: Payments) -> None:
    """The first parcel came broken and its 400 went back; the buyer's page is loaded again. The 600 are there still."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.refund(shop.one(placed), 400)
    shop.take(placed)
    shop.leave(placed, 1_000)
    shop.chase_for(HOUR * 12)
    assert (1_000, 0, 400) == moved(shop)
    assert (1_000, 1, []) == (shop.ledger.total("authorize"), len(shop.all(placed)), shop.audit())


def test_only_what_has_not_left_is_asked_for_anew(shop: Payments) -> None:
    """400 left and were refunded, the other 600 were released: paid anew, and of that only 300 are earned."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.refund(shop.one(placed), 400)
    shop.void(shop.one(placed))
    shop.take(placed)
    assert 1_600 == shop.ledger.total("authorize")
    shop.leave(placed, 700)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert (700, 900, 400) == moved(shop)
    assert ([], []) == (shop.tasks_open(), shop.audit())


def test_an_order_that_was_paid_and_refunded_whole_asks_for_nothing(shop: Payments) -> None:
    placed = paid(shop)
    shop.leave(placed, 1_000)
    shop.refund(shop.one(placed), 1_000)
    shop.take(placed)
    assert (1_000, 0, 1_000) == moved(shop)
    assert 1_000 == shop.ledger.total("authorize")


def test_what_is_reserved_for_a_refused_capture_is_kept(shop: Payments) -> None:
    """400 left and were refunded, 300 more left and their capture is declined: a person needs the reservation."""
    placed = paid(shop)
    shop.leave(placed, 400)
    shop.refund(shop.one(placed), 400)
    shop.gateway.script["capture"].append(answer(DECLINED))
    shop.leave(placed, 700)
    shop.cancel_rest(placed)
    shop.chase_for(HOUR * 12)
    assert ((400, 0, 400), [("uncaptured", 300)]) == (moved(shop), shop.tasks_open())


def test_what_was_charged_back_had_been_paid(shop: Payments) -> None:
    """100 of the 400 that left are lost in a dispute: the rest of the reservation is released all the same."""
    placed = paid(shop)
    shop.leave(placed, 400)
    reference = shop.one(placed).begin_reference
    for kind in ("dispute", "dispute_lost"):
        shop.ledger.move(kind, reference, "d1", from_minor(100, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(reference), "evt-d"))
    shop.cancel_rest(placed)
    shop.chase_for(HOUR)
    assert ((400, 600, 0), [("dispute", 100)]) == (moved(shop), shop.tasks_open())


def test_the_same_key_is_the_same_capture_of_everything(shop: Payments) -> None:
    placed = paid(shop)
    first = shop.capture(shop.one(placed), key="parcel-1")
    again = shop.capture(shop.one(placed), key="parcel-1")
    assert first.status.state is again.status.state
    assert (1_000, 1) == (shop.ledger.total("capture"), shop.ledger.count("capture"))


class Reviver:
    """A plugin that keeps late money."""

    name = "reviver"
    version = "1"
    eckit_interface: ClassVar = {"payment": 1}

    @hookimpl
    def choose_late_money(self, order: Any, payment: Any) -> str:
        """Keep it."""
        return "revive"


def test_late_money_that_is_kept_is_not_given_back_by_canceling_again(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, plugins=[Reviver()])
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    begun = shop.gateway.seen[0]
    shop.cancel(placed)
    shop.gateway.book_begin(begun)
    shop.tell(shop.gateway.notice(shop.gateway.view(begun.begin_reference)))
    shop.plan_without_the_rest(placed)
    shop.chase_for(HOUR)
    assert ((0, 0, 0), ["revive"]) == (moved(shop), shop.task_kinds())
