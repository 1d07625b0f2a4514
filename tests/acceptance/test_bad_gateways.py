"""A gateway that goes wrong while money moves: nothing is booked that it did not say, the order and its stock stay as
they were, and recovery brings the payment to its end, with one charge.
"""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest
from moneyed import Money

from eckit import Payment
from eckit.payment.rules import ENDED, sums_of
from tests.acceptance.faulty import FAULTS, MUTATES, OVERRUNS, WRITES
from tests.acceptance.faulty_things import CARD, TIMEOUT_S
from tests.acceptance.lab import NOTHING, Lab, failed, late, provoke
from tests.acceptance.trial import STAFF
from tests.payment.fakes import answer, fail_after, redirect

NOTES: Final = frozenset({"eckit_history", "eckit_outbox"})
MARKED: Final = NOTES | {"eckit_operation", "eckit_operation_step", "eckit_payment"}
"""What an operation is that was planned or sent, and whose outcome is not known."""
Act = Callable[[], Any]


@attrs.frozen
class Case:
    """A method of a gateway.

    :ivar ready: makes an order; gives it, and what makes the core call the method.
    :ivar touches: what may be written although no answer came.
    :ivar moves: what must have moved at the provider in the end, each once, of the order's whole amount.
    :ivar writable: whether mappings can be reached from the facts it is given.
    :ivar looks: without an answer the provider is looked up at once.
    :ivar talks: it is cut off when it takes too long.
    """

    where: str
    ready: Callable[[Lab], tuple[Any, Act]]
    moves: tuple[str, ...]
    touches: frozenset[str] = MARKED
    writable: bool = False
    looks: bool = False
    talks: bool = True


# -- what makes the core call -----------------------------------------------------------------------------------------


def _beginning(lab: Lab) -> tuple[Any, Act]:
    buyer, order = lab.order()
    return order, lambda: lab.shop.take_payment(buyer, order.id)


def _resuming(lab: Lab) -> tuple[Any, Act]:
    """The buyer was sent to the provider, paid there, and comes back."""
    buyer, order = lab.order()
    lab.things.gateway.script["begin"].append(answer(redirect))
    lab.shop.take_payment(buyer, order.id)
    name = lab.payment(order).begin_reference
    lab.ledger.move("authorize", name, name, order.total)
    return order, lambda: lab.shop.resume_payment(buyer, order.id, {"session": "1"})


def _querying(lab: Lab) -> tuple[Any, Act]:
    """The answer was lost, and the time has come to look it up."""
    buyer, order = lab.order()
    lab.things.gateway.script["begin"].append(fail_after)
    lab.shop.take_payment(buyer, order.id)
    lab.trial.pass_time(dt.timedelta(minutes=1))
    return order, lambda: lab.shop.chase()


def _capturing(lab: Lab) -> tuple[Any, Act]:
    _, order, payment = lab.paid()
    return order, lambda: lab.shop.capture_payment(STAFF, payment.id)


def _voiding(lab: Lab) -> tuple[Any, Act]:
    _, order, payment = lab.paid()
    return order, lambda: lab.shop.void_payment(STAFF, payment.id)


def _refunding(lab: Lab) -> tuple[Any, Act]:
    _, order, payment = lab.paid()
    lab.shop.capture_payment(STAFF, payment.id)
    return order, lambda: lab.shop.refund_payment(STAFF, payment.id, order.total, key="r1", reason="returned")


def _hearing(lab: Lab) -> tuple[Any, Act]:
    """A notice comes about money that the provider took."""
    _, order, payment = lab.paid()
    gateway, name = lab.things.gateway, payment.begin_reference
    lab.ledger.move("capture", name, f"{name}-there", order.total)
    raw = gateway.notice(gateway.view(name), f"evt-{name}")  # type: ignore[arg-type]
    return order, lambda: lab.shop.receive_notice(CARD, raw)


CASES: Final = (
    Case("Gateway.begin", _beginning, ("authorize",)),
    Case("Gateway.query", _querying, ("authorize",)),
    Case("Gateway.open_webhook", _hearing, ("authorize", "capture"), NOTHING, writable=True, talks=False),
    Case("Resumes.resume", _resuming, ("authorize",), writable=True, looks=True),
    Case("Captures.capture", _capturing, ("authorize", "capture")),
    Case("Voids.void", _voiding, ("authorize", "void")),
    Case("Refunds.refund", _refunding, ("authorize", "capture", "refund")),
)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.where)
def test_a_gateway_that_goes_wrong_moves_nothing_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, case: Case, fault: str
) -> None:
    """PAY-01: what the provider did before its gateway went wrong is found out, and happens once."""
    monkeypatch.setattr(lab.told, "slow_s", 1.5 * TIMEOUT_S if case.talks else lab.told.slow_s)
    order, act = case.ready(lab)
    booked = _booked(lab.payment(order))

    outcome = provoke(lab, fault, case.where, act)

    assert lab.told.stopped or fault != MUTATES
    if fault == WRITES:
        assert case.writable == (lab.told.tried > 0)
    assert outcome.error is None  # the money's state is told, not that a plugin failed
    unanswered = failed(lab, fault) or (fault == OVERRUNS and case.talks)
    assert late(lab) == (fault == OVERRUNS)
    if unanswered and not case.looks:
        assert outcome.touched <= case.touches
        assert booked == _booked(lab.payment(order))
    if case.where == "Gateway.open_webhook":
        assert (400 if unanswered else 200) == outcome.value.status
        assert 200 == act().status
    _recover(lab, order)
    assert_moved_once(lab, order, case.moves)


def _booked(payment: Payment) -> list[tuple[str, str]]:
    return sorted((move.kind, move.movement_ref) for move in payment.movements)


def _recover(lab: Lab, order: Any) -> None:
    """The gateway is well again, and recovery goes its rounds."""
    lab.calm()
    for _ in range(6):
        lab.trial.pass_time(dt.timedelta(minutes=11))
        lab.shop.chase()
    assert all(one.state in ENDED for one in lab.payment(order).operations)


def assert_moved_once(lab: Lab, order: Any, moves: tuple[str, ...]) -> None:
    """There and here the same, each once, of the whole amount."""
    payment = lab.payment(order)
    there = lab.ledger.entries[payment.begin_reference]
    assert sorted(moves) == sorted(entry.kind for entry in there)
    assert {order.total_minor} == {entry.minor for entry in there}
    assert sorted((entry.kind, entry.ref) for entry in there) == _booked(payment)
    assert order.total_minor == sums_of(payment).authorized


@pytest.mark.parametrize("fault", FAULTS)
def test_a_line_that_cannot_be_scrubbed_is_not_written(lab: Lab, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    """Scrubs: what might hold a secret is left out of the log, and the payment goes on."""
    order, act = _beginning(lab)
    with caplog.at_level(logging.INFO, "eckit.payment.gateway"):
        outcome = provoke(lab, fault, "Scrubs.scrub", act)
    lines = [record.getMessage() for record in caplog.records]
    assert failed(lab, fault) == ("[a line that could not be scrubbed]" in lines)
    assert failed(lab, fault) != ("Gateway.begin begins" in lines)
    assert "authorized" == outcome.value.status.state.value
    assert_moved_once(lab, order, ("authorize",))


def test_money_that_a_gateway_changes_is_its_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Money`` can be changed in place: what a gateway does to its request changes no amount of ours."""
    buyer, order = lab.order()
    usual = type(lab.things.gateway).begin

    def spending(self: Any, io: Any, op: Any) -> Any:
        done = usual(self, io, op)
        op.money.amount *= 0
        return attrs.evolve(done, money=Money(order.total.amount, "JPY"))

    monkeypatch.setattr(type(lab.things.gateway), "begin", spending)
    assert "authorized" == lab.shop.take_payment(buyer, order.id).status.state.value
    assert_moved_once(lab, order, ("authorize",))
