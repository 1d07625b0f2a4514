"""What may be planned: within the sums, with nothing open or in doubt, and as the gateway declares."""

import datetime as dt
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import OperationId
from eckit.payment import (
    AmountNotAcceptedError,
    OperationOpenError,
    PaymentInDoubtError,
    TooMuchError,
    UnsupportedOperationError,
)
from eckit.payment.model import OperationKind, Payment, StoredMovement, StoredOperation
from eckit.payment.rules import amount_for, planned, require_accepted
from tests.payment.fakes import CAPABILITIES
from tests.payment.made import AT, METHOD, SHOP, movement, operation, planned_payment

AUTHORIZED = [movement("authorize", 1_000, "a", reference="ref-1")]
CAPTURED = [*AUTHORIZED, movement("capture", 1_000, "c")]


def payment(movements: list[StoredMovement], *more: StoredOperation, **begin: Any) -> Payment:
    first = operation("begin", "succeeded", **begin)
    return attrs.evolve(planned_payment(), operations=(first, *more), movements=tuple(movements))


def plan(one: Payment, kind: OperationKind, minor: int, **capabilities: Any) -> StoredOperation:
    return planned(
        one,
        kind,
        minor,
        attrs.evolve(CAPABILITIES, **capabilities),
        shop=SHOP,
        operation_id=OperationId("opr_new"),
        key=None,
        now=AT,
    )


def test_refunds_never_exceed_what_is_left() -> None:
    """Captured 1,000, refunded 990: 20 is refused and says 10; 10 is fine; none of 0 or less is."""
    one = payment([*CAPTURED, movement("refund", 990, "r")])
    with pytest.raises(TooMuchError) as caught:
        plan(one, OperationKind.REFUND, 20)
    assert 10 == caught.value.left_minor
    assert 10 == plan(one, OperationKind.REFUND, 10).amount_minor
    for minor in (0, -5):
        with pytest.raises(TooMuchError):
            plan(one, OperationKind.REFUND, minor)


def test_pending_refunds_count() -> None:
    """What the provider is giving back cannot be given back again."""
    one = payment(CAPTURED, operation("refund", "waiting_provider", 2, 700))
    assert 300 == plan(one, OperationKind.REFUND, 300).amount_minor
    with pytest.raises(TooMuchError):
        plan(one, OperationKind.REFUND, 301)


def test_captures_never_exceed_what_is_reserved() -> None:
    """Authorized 1,000, captured 400, voided 500: 100 is left."""
    one = payment([*AUTHORIZED, movement("capture", 400, "c"), movement("void", 500, "v")])
    assert 100 == plan(one, OperationKind.CAPTURE, 100).amount_minor
    with pytest.raises(TooMuchError):
        plan(one, OperationKind.CAPTURE, 101)


def test_nothing_is_captured_after_a_void_or_when_the_reservation_is_over() -> None:
    """Refused here, even where the provider would take the money."""
    with pytest.raises(TooMuchError):
        plan(payment([*AUTHORIZED, movement("void", 1_000, "v")]), OperationKind.CAPTURE, 1)
    with pytest.raises(TooMuchError):
        plan(payment(AUTHORIZED, expires_at=AT), OperationKind.CAPTURE, 1)
    last_day = payment(AUTHORIZED, expires_at=AT + dt.timedelta(seconds=1))
    assert 1_000 == plan(last_day, OperationKind.CAPTURE, 1_000).amount_minor


@pytest.mark.parametrize("state", ["planned", "sent", "waiting_provider"])
def test_one_operation_at_a_time(state: str) -> None:
    """While one is open no other is planned."""
    with pytest.raises(OperationOpenError):
        plan(payment(AUTHORIZED, operation("capture", state, 2, 100)), OperationKind.CAPTURE, 100)


@pytest.mark.parametrize("state", ["in_doubt", "needs_human"])
def test_nothing_is_planned_in_doubt(state: str) -> None:
    """Nobody knows what the last one did: no capture, no refund, no void."""
    one = payment(CAPTURED, operation("capture", state, 2, 100))
    for kind in (OperationKind.CAPTURE, OperationKind.REFUND, OperationKind.VOID):
        with pytest.raises(PaymentInDoubtError):
            plan(one, kind, 100)


def test_a_dispute_blocks_refunds() -> None:
    """The provider has the money; when it is won, refunds go on."""
    disputed = [*CAPTURED, movement("dispute", 1_032, "d")]
    with pytest.raises(TooMuchError):
        plan(payment(disputed), OperationKind.REFUND, 100)
    assert plan(payment([*disputed, movement("dispute_won", 1_032, "w")]), OperationKind.REFUND, 100)


@pytest.mark.parametrize(
    ("declared", "before", "minor", "fine"),
    [
        ("none", 0, 1_000, False),
        ("full", 0, 1_000, True),
        ("full", 0, 999, False),
        ("partial", 0, 400, True),
        ("partial", 100, 400, False),
        ("multiple", 100, 400, True),
    ],
)
def test_refunds_are_as_declared(declared: str, before: int, minor: int, fine: bool) -> None:
    """None, full, one part, several parts: an undeclared one is refused before anything is sent."""
    one = payment([*CAPTURED, *([movement("refund", before, "r")] if before else [])])
    if fine:
        assert minor == plan(one, OperationKind.REFUND, minor, refund=declared).amount_minor
    else:
        with pytest.raises(UnsupportedOperationError):
            plan(one, OperationKind.REFUND, minor, refund=declared)


def test_limits_of_a_method_are_inclusive() -> None:
    """At the bound accepted, beyond it refused, as is another currency."""
    capabilities = attrs.evolve(CAPABILITIES, currencies={"JPY": (100, 300_000)})
    require_accepted(capabilities, METHOD, 100, "JPY")
    require_accepted(capabilities, METHOD, 300_000, "JPY")
    for minor, currency in ((99, "JPY"), (300_001, "JPY"), (100, "USD")):
        with pytest.raises(AmountNotAcceptedError):
            require_accepted(capabilities, METHOD, minor, currency)


@pytest.mark.parametrize("amount", [Money(0, "JPY"), Money(-5, "JPY"), Money(10, "USD"), Money("0.5", "JPY")])
def test_amounts_that_make_no_sense_are_named(amount: Money) -> None:
    """Zero, negative, another currency, half a yen."""
    with pytest.raises(InvalidInputError):
        amount_for(payment(CAPTURED), OperationKind.REFUND, amount, AT)
