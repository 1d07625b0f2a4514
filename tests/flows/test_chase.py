"""Recovery: what nobody knows is found out, and what is not known is never sent again."""

import datetime as dt
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from eckit.flows.resolve_payment import resolve_payment
from eckit.kernel import faults
from eckit.order import Order
from eckit.payment import NotWaitingForEvidenceError, store
from eckit.payment.model import Declined, InDoubt, QueryFailed
from tests.payment.fakes import (
    CAPABILITIES,
    PENDING,
    FakeGateway,
    answer,
    fail_after,
    fail_before,
    lost_on_the_way,
    redirect,
    refund_pending,
)
from tests.payment.support import STAFF, SYSTEM, Payments, make_payments, together, without_shipments

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
NO_ANSWER = answer(QueryFailed(cause="503"))


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def doubtful(shop: Payments, *, happened: bool = True) -> Order:
    """An order whose charge is in doubt."""
    placed = shop.place()
    shop.gateway.script["begin"].append(fail_after if happened else lost_on_the_way)
    assert shop.take(placed).status.in_doubt
    return placed


# -- in doubt ---------------------------------------------------------------------------------------------------------


def test_recovery_asks_by_its_schedule(shop: Payments) -> None:
    """After 10 s, 30 s, 2 min, 10 min, 1 h and then every 6 h, and not more often."""
    placed = doubtful(shop)
    shop.gateway.script["query"].extend([NO_ANSWER] * 10)
    waits = []
    for _ in range(7):
        due = shop.one(placed).operations[0].check_at
        assert due is not None
        waits.append(int((due - shop.clock.now()).total_seconds()))
        shop.clock.set(due - dt.timedelta(seconds=1))
        assert 0 == shop.chase().asked
        shop.clock.set(due)
        assert 1 == shop.chase().asked
    assert [10, 30, 120, 600, 3_600, 21_600, 21_600] == waits
    assert ["begin in_doubt"] == shop.states(placed)


def test_a_provider_that_never_answers_leads_to_a_person(shop: Payments) -> None:
    """The questions fail for three days: in doubt all the time, then a person is asked; nothing was sent again."""
    placed = doubtful(shop)
    shop.gateway.script["query"].extend([NO_ANSWER] * 100)
    shop.chase_for(70 * HOUR, 2 * HOUR)
    assert ["begin in_doubt"] == shop.states(placed)
    shop.chase_for(3 * HOUR, HOUR)
    assert (["begin needs_human"], ["in_doubt"]) == (shop.states(placed), shop.task_kinds())
    assert (1, 1) == (shop.ledger.count("begin"), shop.events().count("payment.needs_human"))
    assert [] == shop.audit()


@pytest.mark.parametrize(("happened", "expected"), [(True, "authorized"), (False, "declined")])
def test_a_person_brings_evidence(shop: Payments, happened: bool, expected: str) -> None:
    """What a person found out is booked as if the provider had said it; before recovery gave up nobody is asked."""
    placed = doubtful(shop)
    one = shop.one(placed)
    facts: dict[str, Any] = {"happened": happened, "reason": "the provider's statement, page 3"}
    with pytest.raises(NotWaitingForEvidenceError):
        resolve_payment(shop.begin, STAFF, one.id, one.operations[0].id, **facts)
    shop.gateway.script["query"].extend([NO_ANSWER] * 100)
    shop.chase_for(74 * HOUR, HOUR)
    result = resolve_payment(shop.begin, STAFF, one.id, one.operations[0].id, **facts)
    assert expected == result.status.state.value
    assert happened == (shop.order(placed).confirmed_at is not None)
    assert [] == shop.audit()


def test_a_provider_that_cannot_be_asked_needs_a_person_at_once(shop: Payments) -> None:
    """No query at all: no use in waiting."""
    placed = doubtful(shop)
    shop.gateway.script["query"].append(answer(QueryFailed(cause="unsupported")))
    shop.clock.advance(MINUTE)
    assert 1 == shop.chase().needs_human
    assert ["begin needs_human"] == shop.states(placed)


def test_not_found_is_believed_late_enough_only(shop: Payments) -> None:
    """ "No such payment" before its time is no verdict: it may be on its way."""
    placed = doubtful(shop, happened=False)
    shop.chase_for(4 * MINUTE, dt.timedelta(seconds=10))
    assert ["begin in_doubt"] == shop.states(placed)
    shop.chase_for(20 * MINUTE, MINUTE)
    assert ["begin planned"] == shop.states(placed)


def test_not_found_is_never_believed_where_that_is_not_declared(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway whose "not found" says nothing: in doubt until a person looks."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, not_found_after=None))
    placed = doubtful(shop, happened=False)
    shop.chase_for(70 * HOUR, HOUR)
    assert ["begin in_doubt"] == shop.states(placed)


def test_nobody_waits_for_what_a_canceled_order_never_sent(shop: Payments) -> None:
    """Not found, and the order is gone meanwhile: the attempt is dropped instead of planned."""
    from eckit.order import service as order

    placed = doubtful(shop, happened=False)
    with shop.begin.write(SYSTEM) as work:
        order.cancel(work, placed.id, reason="canceled")
    shop.chase_for(20 * MINUTE, MINUTE)
    assert ["begin canceled"] == shop.states(placed)
    assert [] == shop.audit()


def test_one_worker_asks(shop: Payments) -> None:
    """Four workers, one operation: one question."""
    doubtful(shop)
    shop.clock.advance(MINUTE)
    results = together([shop.chase] * 4)
    assert 1 == sum(report.asked for report in results)
    assert 1 == shop.ledger.count("query")


def test_the_last_chance_to_cancel_is_taken(shop: Payments) -> None:
    """A provider that takes cancellations only for some time: undecided until shortly before that, it is canceled."""
    placed = shop.place()
    until = shop.clock.now() + 20 * MINUTE
    shop.gateway.script["begin"].append(answer(InDoubt(cause="timeout", cancel_by=until)))
    shop.take(placed)
    shop.gateway.script["query"].extend([NO_ANSWER] * 20)
    shop.chase_for(14 * MINUTE, MINUTE)
    assert (["begin canceled"], 1) == (shop.states(placed), shop.ledger.count("void"))
    assert [] == shop.audit()


def test_a_capture_in_doubt_blocks_and_is_found(shop: Payments) -> None:
    """No refund, no second capture while nobody knows; the provider's reference settles it."""
    from eckit.payment import PaymentInDoubtError

    placed = shop.place()
    shop.take(placed)
    shop.gateway.script["capture"].append(fail_after)
    assert shop.capture(shop.one(placed)).status.in_doubt
    for move in (lambda: shop.capture(shop.one(placed)), lambda: shop.refund(shop.one(placed), 100)):
        with pytest.raises(PaymentInDoubtError):
            move()
    shop.clock.advance(MINUTE)
    shop.chase()
    assert (1_000, 1) == (shop.sums(placed).captured_final, shop.ledger.count("capture"))
    assert [] == shop.audit()


@pytest.mark.parametrize("tells", [True, False])
def test_an_operation_the_provider_shows_nothing_of_is_sent_again(shop: Payments, tells: bool) -> None:
    """The payment is known, the capture is not, long enough after it was sent: once more, with the same reference.

    Whether or not the provider keeps our references.
    """
    placed = shop.place()
    shop.take(placed)
    shop.gateway.tells_references = tells
    shop.gateway.script["capture"].append(lost_on_the_way)
    shop.capture(shop.one(placed))
    shop.chase_for(20 * MINUTE, MINUTE)
    assert (1_000, ["begin succeeded", "capture succeeded"]) == (shop.ledger.total("capture"), shop.states(placed))
    assert 1 == len({op.reference for op in shop.gateway.seen if type(op).__name__ == "Capture"})
    assert [] == shop.audit()


def test_a_provider_without_our_references_is_understood(shop: Payments) -> None:
    """Kind, amount and time say which operation a movement belongs to."""
    placed = shop.place()
    shop.take(placed)
    shop.gateway.tells_references = False
    shop.capture(shop.one(placed), 400)
    shop.gateway.script["capture"].append(fail_after)
    shop.capture(shop.one(placed), 400)
    shop.clock.advance(MINUTE)
    shop.chase()
    assert (800, ["begin succeeded", "capture succeeded", "capture succeeded"]) == (
        shop.sums(placed).captured_final,
        shop.states(placed),
    )
    assert [] == shop.audit()


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_an_abandoned_page_expires(shop: Payments) -> None:
    """The buyer never came back and the provider has nothing: expired, and a new attempt may be begun."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.ledger.words[shop.one(placed).begin_reference] = "waiting_buyer"
    shop.chase_for(31 * MINUTE, MINUTE)
    assert ["begin waiting_buyer"] == shop.states(placed)
    shop.chase_for(2 * MINUTE, MINUTE)
    assert ["begin expired"] == shop.states(placed)
    assert "authorized" == shop.take(placed).status.state.value
    assert [] == shop.audit()


def test_without_any_notice_asking_alone_finds_the_money(shop: Payments) -> None:
    """All notices are lost and the browser never came back: the look at the end finds it."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    shop.chase_for(35 * MINUTE, MINUTE)
    assert shop.order(placed).confirmed_at is not None
    assert [] == shop.audit()


def test_pending_for_too_long_is_in_doubt(shop: Payments) -> None:
    """A provider that never finishes: recovery takes over, and hands over at last."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(PENDING))
    shop.take(placed)
    shop.ledger.words[shop.one(placed).begin_reference] = "unknown word"
    shop.chase_for(70 * MINUTE, 2 * MINUTE)
    assert ["begin waiting_provider"] == shop.states(placed)
    shop.chase_for(60 * MINUTE, 10 * MINUTE)
    shop.chase_for(8 * HOUR, HOUR)
    assert ["begin in_doubt"] == shop.states(placed)
    shop.chase_for(80 * HOUR, 2 * HOUR)
    assert ["begin needs_human"] == shop.states(placed)


def test_a_refund_may_take_days(shop: Payments) -> None:
    """Accepted and not done: reserved, not in doubt after an hour, and done when the provider says so."""
    placed = shop.place()
    shop.take(placed)
    shop.capture(shop.one(placed))
    shop.gateway.script["refund"].append(answer(refund_pending))
    assert shop.refund(shop.one(placed), 700).status.refund_pending
    shop.chase_for(20 * HOUR, HOUR)
    assert ("refund waiting_provider", 0) == (shop.states(placed)[-1], shop.sums(placed).refunded)
    [op] = [op for op in shop.gateway.seen if type(op).__name__ == "Refund"]
    shop.ledger.move("refund", op.begin_reference, op.reference, op.money)
    shop.chase_for(7 * HOUR, HOUR)
    assert ("refund succeeded", 700) == (shop.states(placed)[-1], shop.sums(placed).refunded)
    assert [] == shop.audit()


# -- planned and sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["capture", "void", "refund"])
@pytest.mark.parametrize("point", ["after_plan", "after_sent", "after_provider", "before_commit"])
def test_a_crash_at_any_point_of_any_operation_converges(shop: Payments, operation: str, point: str) -> None:
    """The process dies between plan and commit: recovery ends with one movement here and one there."""
    placed = shop.place()
    shop.take(placed)
    if operation == "refund":
        shop.capture(shop.one(placed))
    run = {
        "capture": lambda: shop.capture(shop.one(placed)),
        "void": lambda: shop.void(shop.one(placed)),
        "refund": lambda: shop.refund(shop.one(placed), 600),
    }[operation]
    with faults.armed({f"{operation}.{point}": faults.fail()}), pytest.raises(faults.FaultError):
        run()
    shop.chase_for(30 * MINUTE, dt.timedelta(seconds=30))
    minor = 600 if operation == "refund" else 1_000
    assert (minor, 1) == (shop.ledger.total(operation), shop.ledger.count(operation))
    assert f"{operation} succeeded" == shop.states(placed)[-1]
    assert [] == shop.audit()


def test_what_was_not_sent_is_tried_again_and_given_up_in_the_end(shop: Payments) -> None:
    """A provider that cannot be reached for three days: the capture is dropped, and a person told."""
    placed = shop.place()
    shop.take(placed)
    shop.gateway.script["capture"].extend([fail_before] * 100)
    shop.capture(shop.one(placed))
    assert "capture planned" == shop.states(placed)[-1]
    shop.chase_for(71 * HOUR, HOUR)
    assert "capture planned" == shop.states(placed)[-1]
    shop.chase_for(8 * HOUR, HOUR)
    assert ("capture canceled", ["not_sent"]) == (shop.states(placed)[-1], shop.task_kinds())
    assert 0 == shop.ledger.total("capture")
    assert [] == shop.audit()


def test_what_cannot_be_sent_is_tried_ever_more_rarely(shop: Payments) -> None:
    """After 10 s, 30 s, 2 min, 10 min …: a provider that is down is not hammered."""
    placed = shop.place()
    shop.take(placed)
    shop.gateway.script["capture"].extend([fail_before] * 10)
    shop.capture(shop.one(placed))
    waits = []
    for _ in range(5):
        due = shop.one(placed).operations[-1].check_at
        assert due is not None
        waits.append(int((due - shop.clock.now()).total_seconds()))
        shop.clock.set(due)
        shop.chase()
    assert [10, 30, 120, 600, 3_600] == waits


def test_one_that_cannot_be_handled_does_not_hold_up_others(shop: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug with one operation: counted, logged, and the next is looked at."""
    from eckit.flows import chase as chasing

    one, two = doubtful(shop), doubtful(shop)
    usual = chasing.ask_query

    def broken(begin: Any, current: Any) -> Any:
        if current.order_id == one.id:
            raise KeyError("a bug")
        return usual(begin, current)

    monkeypatch.setattr(chasing, "ask_query", broken)
    shop.clock.advance(MINUTE)
    assert (1, 1) == ((report := shop.chase()).failed, report.settled)
    monkeypatch.setattr(chasing, "ask_query", usual)
    shop.chase_for(10 * MINUTE, MINUTE)
    assert [["begin succeeded"], ["begin succeeded"]] == [shop.states(one), shop.states(two)]


def test_payments_of_a_plugin_that_is_gone_stay(shop: Payments, migrated_url: str) -> None:
    """Readable, not lost, nothing answered for it; when the plugin is back recovery goes on."""
    placed = doubtful(shop)
    without = make_payments(migrated_url, gateways=lambda clock: (FakeGateway(clock, id="fake.new"),))  # type: ignore[arg-type]
    without.clock.set(shop.clock.now() + MINUTE)
    report = without.chase()
    assert (1, 0) == (report.asked, report.failed)
    assert "fake.card" == without.one(placed).method
    shop.chase_for(10 * MINUTE, MINUTE)
    assert ["begin succeeded"] == shop.states(placed)


def test_a_test_payment_never_reaches_the_live_provider(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway was switched to live: what was begun in test mode is neither sent nor asked there."""
    from eckit.payment import GatewayMissingError

    without_shipments(monkeypatch)
    shop = make_payments(migrated_url)
    placed = shop.place()
    live = make_payments(migrated_url, attrs.evolve(CAPABILITIES, mode="live"))
    with pytest.raises(GatewayMissingError):
        live.take(placed)
    assert [] == live.gateway.seen
    shop.take(placed)
    assert 1 == len(shop.gateway.seen)


def test_history_tells_how_every_operation_came_to_its_state(shop: Payments) -> None:
    """Each transition is a row: from, news, to, when, by whom."""
    doubtful(shop)
    shop.clock.advance(MINUTE)
    shop.chase()
    with shop.begin.read(SYSTEM) as work:
        rows = work.execute(sa.select(store.operation_step).order_by(store.operation_step.c.seq)).all()
    assert [
        ("planned", "sending", "sent"),
        ("sent", "no_answer", "in_doubt"),
        ("in_doubt", "succeeded", "succeeded"),
    ] == [(row.before, row.move, row.after) for row in rows]
    assert ["guest", "channel:fake.card", "channel:fake.card"] == [row.by for row in rows]


def test_a_decline_that_asks_for_another_look_is_looked_at(shop: Payments) -> None:
    """Closing is refused because the buyer has just paid: found out at once."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    shop.gateway.script["void"].append(answer(Declined(code="other")))
    shop.void(shop.one(placed))
    shop.chase()
    assert ["begin succeeded"] == shop.states(placed)
