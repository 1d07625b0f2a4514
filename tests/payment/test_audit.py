"""Every check of the auditor finds what it is for, and nothing in a healthy shop."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from eckit.kernel.minting import mint
from eckit.kernel.work import Work
from eckit.order import Order
from eckit.payment import store
from eckit.payment.audit import CHECKS
from tests.payment.fakes import METHOD
from tests.payment.support import SYSTEM, Payments

Break = Callable[[Work, Any], None]


def _move(kind: str, minor: int, **more: Any) -> Break:
    """Book a movement that never was."""

    def break_it(work: Work, one: Any) -> None:
        work.execute(
            sa.insert(store.movement).values(
                **{
                    "id": mint("movement"),
                    "payment_id": one.id,
                    "kind": kind,
                    "amount_minor": minor,
                    "currency": "JPY",
                    "gateway": METHOD,
                    "account": "default",
                    "mode": "test",
                    "movement_ref": mint("event"),
                    "reference": "",
                    "finality": "final",
                    "at": work.now,
                    "recorded_at": work.now,
                    **more,
                }
            )
        )

    return break_it


def _set(table: sa.Table, where: Callable[[Any], sa.ColumnElement[bool]], **values: Any) -> Break:
    return lambda work, one: work.execute(sa.update(table).where(where(one)).values(**values)) and None


def _operation(kind: str) -> Callable[[Any], sa.ColumnElement[bool]]:
    return lambda one: sa.and_(store.operation.c.payment_id == one.id, store.operation.c.kind == kind)


def _begin(one: Any) -> sa.ColumnElement[bool]:
    return store.operation.c.id == one.operations[0].id


def _steps(one: Any) -> sa.ColumnElement[bool]:
    return sa.and_(store.operation_step.c.operation_id == one.operations[0].id, store.operation_step.c.seq == 1)


def _notice(**values: Any) -> Break:
    def break_it(work: Work, one: Any) -> None:
        work.execute(
            sa.insert(store.notice).values(
                **{
                    "id": mint("notice"),
                    "gateway": METHOD,
                    "event_key": "e",
                    "body": b"",
                    "headers": {},
                    "ip": "",
                    "verdict": "verified",
                    "begin_reference": "nobody",
                    "state": "applied",
                    "tries": 1,
                    "due_at": work.now,
                    "received_at": work.now,
                    "ended_at": work.now,
                    "reason": "",
                    **values,
                }
            )
        )

    return break_it


def _one_provider_ref(work: Work, one: Any) -> None:
    work.execute(sa.update(store.payment).values(provider_ref="the same"))


def _applied_elsewhere(work: Work, one: Any) -> None:
    work.execute(sa.update(store.application).values(order_id=mint("order")))


BREAKS: dict[str, Break] = {
    "refunds-within-captures": _move("refund", 1_001),
    "captures-within-authorizations": _move("capture", 1),
    "voids-within-authorizations": _move("void", 1_001),
    "applications-within-captures": _set(
        store.application, lambda one: store.application.c.payment_id == one.id, amount_minor=1_001
    ),
    "applications-to-its-order": _applied_elsewhere,
    "one-attempt-one-charge": _move("authorize", 1_000),
    "one-charge-one-attempt": _one_provider_ref,
    "charged-as-confirmed": _set(
        store.movement,
        lambda one: sa.and_(store.movement.c.payment_id == one.id, store.movement.c.kind == "authorize"),
        amount_minor=1_500,
    ),
    "asked-as-agreed": _set(store.operation, _begin, amount_minor=999),
    "movement-is-its-payments": _move("gift", 1),
    "steps-are-declared": _set(store.operation_step, _steps, move="declined"),
    "steps-follow-each-other": _set(store.operation_step, _steps, before="sent", move="not_sent", after="planned"),
    "steps-lead-to-the-state": _set(store.operation, _begin, state="failed"),
    "ended-is-ended": _set(store.operation, _begin, ended_at=None),
    "nothing-without-an-owner": _set(store.operation, _begin, state="in_doubt", ended_at=None),
    "success-is-its-movements": _set(
        store.movement, lambda one: sa.and_(store.movement.c.kind == "capture"), reference="somebody-elses"
    ),
    "applied-notice-has-its-payment": _notice(),
    "application-in-its-currency": _set(
        store.application, lambda one: store.application.c.payment_id == one.id, currency="USD"
    ),
    "what-left-is-paid": _set(store.payment, lambda one: store.payment.c.id == one.id, earned_minor=1_001),
    "movement-in-its-currency": _move("capture", 1, currency="USD"),
}
WITHOUT_A_BREAK = {"movement-is-one-entry", "one-operation-of-a-key", "one-notice-of-an-event"}
"""The database's own constraints stand before these; they are planted where there are none, in the acceptance tests."""


@pytest.fixture
def paid(payments: Payments) -> Order:
    """A captured payment, and another that is authorized."""
    placed, other = payments.place(), payments.place()
    payments.take(placed)
    payments.take(other)
    payments.capture(payments.one(placed))
    return placed


def test_every_check_has_something_to_find() -> None:
    """No check that cannot fail."""
    assert {check.invariant for check in CHECKS} == set(BREAKS) | WITHOUT_A_BREAK


@pytest.mark.parametrize("invariant", sorted(BREAKS))
def test_each_check_finds_what_it_is_for(payments: Payments, paid: Order, invariant: str) -> None:
    """A healthy shop has no violation; a row that breaks the invariant is named."""
    assert [] == payments.audit()
    one = payments.one(paid)
    with payments.begin.write(SYSTEM) as work:
        BREAKS[invariant](work, one)
    found = {violation.invariant for violation in payments.audit()}
    assert invariant in found


def test_the_same_movement_twice_cannot_be_stored(payments: Payments, paid: Order) -> None:
    """Unique by gateway, account, mode and reference."""
    from eckit.kernel.database import ConstraintError

    one = payments.one(paid)
    with pytest.raises(ConstraintError), payments.begin.write(SYSTEM) as work:
        _move("capture", 1_000, movement_ref=one.movements[0].movement_ref)(work, one)
