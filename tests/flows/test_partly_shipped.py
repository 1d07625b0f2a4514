"""Orders of which a part leaves and the rest is canceled: what was earned is taken, what is not wanted comes back."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar

import attrs
import pytest

from eckit.kernel.errors import Problem
from eckit.kernel.hookspecs import hookimpl
from eckit.order import Order, OrderBlockedError, rules as order_rules
from eckit.payment import service as payment
from eckit.payment.model import NotSent, Pending, Rejected
from tests.payment.fakes import (
    CAPABILITIES,
    DECLINED,
    FakeGateway,
    Script,
    answer,
    fail_before,
    redirect,
    refund_pending,
)
from tests.payment.support import SYSTEM, Payments, make_payments, without_shipments

HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=[CAPABILITIES], ids=[""])
def shop(request: pytest.FixtureRequest, migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop whose gateway can do everything, or what the test says."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url, request.param)


def gateway(**facts: Any) -> pytest.MarkDecorator:
    """The shop's gateway declares this."""
    return pytest.mark.parametrize("shop", [attrs.evolve(CAPABILITIES, **facts)], indirect=True, ids=[""])


def paid(shop: Payments) -> Order:
    """An order of 1,000, reserved."""
    placed = shop.place()
    shop.take(placed)
    return placed


def moved(shop: Payments) -> tuple[int, int, int]:
    """Captured, voided and refunded at the provider."""
    captured, voided, refunded = (shop.ledger.total(kind) for kind in ("capture", "void", "refund"))
    return captured, voided, refunded


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


# -- an attempt is closed a moment after it was paid ------------------------------------------------------------------


def _paid_meanwhile(shop: Payments) -> Order:
    """The buyer stands at the provider's page, and has just paid there; nobody has told us."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    return placed


def _books(shop: Payments, placed: Order) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    one = shop.one(placed)
    theirs = [(entry.kind, entry.minor) for entry in shop.ledger.entries[one.begin_reference]]
    return sorted(theirs), sorted((row.kind, row.amount_minor) for row in one.movements)


def _told_first(shop: Payments, reference: str) -> Script:
    """The provider's notice is applied before its answer is."""

    def script(gateway: FakeGateway, io: Any, op: Any, usual: Callable[[], Any]) -> Any:
        shop.tell(gateway.notice(gateway.snapshot(reference, gateway.ledger.entries[reference])))
        return usual()

    return script


BOTH = [("authorize", 1_000), ("void", 1_000)]


def test_what_a_closing_released_is_booked(shop: Payments) -> None:
    """No notice ever comes, and yet both books say the same; the order does not count."""
    placed = _paid_meanwhile(shop)
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    assert shop.order(placed).confirmed_at is None
    assert [] == shop.audit()


@pytest.mark.parametrize("backwards", [False, True])
def test_notices_after_a_closing_change_nothing(shop: Payments, backwards: bool) -> None:
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference
    authorized = shop.gateway.notice(shop.gateway.view(reference), "evt-1")
    shop.void(shop.one(placed))
    voided = shop.gateway.notice(shop.gateway.view(reference), "evt-2")
    for raw in (voided, authorized) if backwards else (authorized, voided):
        shop.tell(raw)
    assert (BOTH, BOTH) == _books(shop, placed)
    assert shop.order(placed).confirmed_at is None


def test_a_notice_that_overtakes_a_closing_is_met(shop: Payments) -> None:
    """The money's notice is applied while the provider closes: the order counted, and its goods stay."""
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference

    shop.gateway.script["void"].append(_told_first(shop, reference))
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    with pytest.raises(OrderBlockedError, match="funds"):
        order_rules.require_unblocked(shop.order(placed), shop.clock.now())


def test_a_closing_that_cannot_be_seen_yet_is_looked_up_later(shop: Payments) -> None:
    placed = _paid_meanwhile(shop)

    shop.gateway.script["query"].append(fail_before)
    shop.void(shop.one(placed))
    assert ["begin in_doubt"] == shop.states(placed)
    shop.chase_for(HOUR)
    assert (BOTH, BOTH) == _books(shop, placed)


def test_a_closing_that_is_seen_too_early_is_booked_by_its_answer(shop: Payments) -> None:
    """The provider's view is a moment old and shows the money only: the void is known from its answer."""
    placed = _paid_meanwhile(shop)
    shop.gateway.script["query"].append(answer(shop.gateway.view(shop.one(placed).begin_reference)))
    shop.void(shop.one(placed))
    shop.chase_for(HOUR)
    assert (BOTH, BOTH) == _books(shop, placed)
    with pytest.raises(OrderBlockedError, match="funds"):
        order_rules.require_unblocked(shop.order(placed), shop.clock.now())
    assert [] == shop.audit()


def test_a_notice_that_overtakes_a_closing_that_cannot_be_seen(shop: Payments) -> None:
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference

    shop.gateway.script["void"].append(_told_first(shop, reference))
    shop.gateway.script["query"].append(fail_before)
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    shop.tell(shop.gateway.notice(shop.gateway.view(reference), "evt-later"))
    assert (BOTH, BOTH) == _books(shop, placed)


def test_a_buyer_whose_return_is_refused_may_still_have_paid(shop: Payments) -> None:
    """The question of the buyer's return is called malformed: that is no decline, and there is no second charge."""
    placed = _paid_meanwhile(shop)
    shop.gateway.script["resume"].append(answer(Rejected(problems=(Problem(path="token", code="unknown"),))))
    shop.resume(placed)
    assert ["begin waiting_buyer"] == shop.states(placed)
    shop.take(placed)
    assert 1_000 == shop.ledger.total("authorize")
    shop.chase_for(HOUR)
    assert ["begin succeeded"] == shop.states(placed)


@gateway(void=False, action_ttl=dt.timedelta(minutes=20))
def test_a_surplus_that_cannot_be_released_pays_nothing(shop: Payments) -> None:
    """Two attempts hold money. A person is told to release the late one; nothing is captured from it meanwhile."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    late = shop.gateway.seen[0]
    shop.chase_for(2 * HOUR)
    shop.take(placed)
    shop.gateway.book_begin(late)
    shop.tell(shop.gateway.notice(shop.gateway.view(late.begin_reference), "evt-late"))
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
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    late = shop.gateway.seen[0]
    shop.chase_for(2 * HOUR)
    shop.take(placed)
    shop.gateway.book_begin(late)
    shop.tell(shop.gateway.notice(shop.gateway.view(late.begin_reference), "evt-late"))
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
