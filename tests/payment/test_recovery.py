"""When recovery looks again, and when it gives up."""

import datetime as dt

import attrs
from moneyed import Money

from eckit.payment.model import Authorized, InDoubt, OpState, Pending
from eckit.payment.rules import cancel_is_due, delay, next_check, overdue
from eckit.payment.rules.recovery import gives_up_at
from tests.payment.fakes import CAPABILITIES
from tests.payment.made import AT, after, operation, sent_payment

HOUR = dt.timedelta(hours=1)


def test_the_schedule() -> None:
    """10 s, 30 s, 2 min, 10 min, 1 h, then every 6 h."""
    assert [10, 30, 120, 600, 3_600, 21_600, 21_600] == [int(delay(n).total_seconds()) for n in range(7)]


def test_the_last_look_is_at_the_horizon() -> None:
    """The next look is never later than the moment of giving up."""
    doubtful = operation("begin", "in_doubt", in_doubt_at=AT, checks=6)
    assert AT + 71 * HOUR + HOUR == next_check(doubtful, CAPABILITIES, AT + 71 * HOUR)


def test_a_planned_beginning_waits_for_its_buyer_and_all_else_is_sent() -> None:
    """Recovery never begins a payment by itself: the buyer's token is not kept."""
    assert next_check(operation("begin", "planned"), CAPABILITIES, AT) is None
    assert AT < (next_check(operation("refund", "planned"), CAPABILITIES, AT) or AT)


def test_ended_operations_and_those_of_people_are_left_alone() -> None:
    """Nothing more is expected of them."""
    states = (OpState.SUCCEEDED, OpState.FAILED, OpState.EXPIRED, OpState.CANCELED, OpState.NEEDS_HUMAN)
    assert {None} == {next_check(operation("begin", state.value), CAPABILITIES, AT) for state in states}


def test_a_refund_may_take_its_days() -> None:
    """Other pending operations are overdue after max_pending, a refund a day after it should have arrived."""
    capture = operation("capture", "waiting_provider", sent_at=AT)
    refund = operation("refund", "waiting_provider", sent_at=AT, expires_at=AT + 120 * HOUR)
    assert (False, True) == (overdue(capture, CAPABILITIES, AT), overdue(capture, CAPABILITIES, AT + HOUR))
    assert (False, True) == tuple(overdue(refund, CAPABILITIES, AT + n * HOUR) for n in (143, 144))


def test_the_last_chance_to_cancel() -> None:
    """Within ten minutes before a provider stops taking cancellations, and not after."""
    doubtful = operation("begin", "in_doubt", expires_at=AT + HOUR)
    found = [cancel_is_due(doubtful, AT + dt.timedelta(minutes=n)) for n in (0, 49, 50, 59, 60)]
    assert [False, False, True, True, False] == found
    assert not cancel_is_due(attrs.evolve(doubtful, expires_at=None), AT + dt.timedelta(minutes=55))


def test_a_provider_that_says_pending_for_ever_gets_no_new_horizon() -> None:
    """Doubt, "pending", doubt again: the horizon counts from the first doubt; only an outcome ends it."""
    later = AT + dt.timedelta(days=1)
    doubtful = after(sent_payment(), InDoubt(cause="timeout")).payment
    pending = after(doubtful, Pending(reason="review"), later).payment
    assert (OpState.WAITING_PROVIDER, AT) == (pending.operations[0].state, pending.operations[0].in_doubt_at)
    again = after(pending, InDoubt(cause="timeout"), later).payment
    assert gives_up_at(doubtful.operations[0], CAPABILITIES) == gives_up_at(again.operations[0], CAPABILITIES)
    won = after(again, Authorized(money=Money(1_000, "JPY"), movement_ref="m1", provider_ref="p1", at=later), later)
    assert won.payment.operations[0].in_doubt_at is None
