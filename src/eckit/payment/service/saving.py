"""What the verbs share: a change is written and announced, an operation is planned, unwanted money goes back."""

import logging
from collections.abc import Sequence
from typing import Any, Final

import attrs

from eckit.kernel.events import Event
from eckit.kernel.ids import OperationId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work
from eckit.payment import rules, store
from eckit.payment.model import (
    Capabilities,
    OperationKind,
    OpState,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentInDoubt,
    PaymentNeedsHuman,
    PaymentRefunded,
    PaymentVoided,
    StoredOperation,
    Task,
)
from eckit.payment.service.gateways import known_capabilities

_log = logging.getLogger("eckit.payment")

UNDECIDED: Final = ("revive", "late_money")
"""Tasks by which a person decides what becomes of a payment's money; until then nothing is given back by itself."""

_TOLD: Final[dict[str, type[PaymentEvent]]] = {
    "authorize": PaymentAuthorized,
    "capture": PaymentCaptured,
    "void": PaymentVoided,
    "refund": PaymentRefunded,
}


def declared(work: Work, payment: Payment) -> Capabilities:
    """What the payment's gateway declares; where it is missing, the plainest there is, so that time still passes."""
    return known_capabilities(work.plugins, payment) or Capabilities(currencies={})


def save(work: Work, change: rules.Change, verb: str = "settle") -> Payment:
    """Write a change, open its tasks, announce what happened; the payment as it is now."""
    store.save_change(work, change)
    store.add_tasks(work, change.tasks)
    for event in _events(change):
        work.announce(event)
    for operation_id, move in change.refused:
        _log.info("payment %s: %s refused for operation %s", change.payment.id, move.value, operation_id)
    work.did(f"payment.{verb}", Ref("payment", change.payment.id), Ref("order", change.payment.order_id))
    return change.payment


def _events(change: rules.Change) -> list[Event]:
    payment = change.payment
    told: list[Event] = []
    for movement in change.movements:
        kind = _TOLD.get(movement.kind)
        if kind is not None and movement.finality == "final":
            told.append(kind(**{**facts_of(payment, movement.amount_minor), "currency": movement.currency}))
    for operation in change.moved_to(OpState.FAILED):
        if operation.kind is OperationKind.BEGIN:
            declined = PaymentDeclined(
                **facts_of(payment, operation.amount_minor), decline_code=operation.decline_code or ""
            )
            told.append(declined)
    for state, kind in ((OpState.IN_DOUBT, PaymentInDoubt), (OpState.NEEDS_HUMAN, PaymentNeedsHuman)):
        told.extend(kind(**facts_of(payment, one.amount_minor)) for one in change.moved_to(state))
    return told


def facts_of(payment: Payment, amount_minor: int) -> dict[str, Any]:
    """What every event of a payment says."""
    return {
        "payment_id": payment.id,
        "order_id": payment.order_id,
        "amount_minor": amount_minor,
        "currency": payment.currency,
    }


def add(
    work: Work,
    payment: Payment,
    kind: OperationKind,
    amount_minor: int,
    capabilities: Capabilities,
    *,
    key: str | None = None,
) -> StoredOperation:
    """Plan an operation of a locked payment, if the sums allow it and nothing is open; errors as ``rules.planned``."""
    operation = rules.planned(
        payment,
        kind,
        amount_minor,
        capabilities,
        shop=work.shop_id,
        operation_id=OperationId(mint("operation")),
        key=key,
        now=work.now,
    )
    store.add_operation(work, operation)
    work.did(f"payment.plan_{kind.value}", Ref("payment", payment.id), Ref("operation", operation.id))
    return operation


def open_task(work: Work, payment: Payment, kind: str, amount_minor: int, reason: str, about: str = "") -> None:
    """Something a person must do; once for the same thing."""
    task = Task(
        kind=kind, payment_id=payment.id, amount_minor=amount_minor, reason=reason, opened_at=work.now, about=about
    )
    store.add_tasks(work, (task,))


def share_out(work: Work, payments: Sequence[Payment], earned_minor: int) -> tuple[Payment, ...]:
    """Write down how much of what their order has earned falls on each of its locked payments, the oldest first."""
    shares = rules.earned_shares(payments, earned_minor, work.now)
    shared = tuple(attrs.evolve(payment, earned_minor=shares[payment.id]) for payment in payments)
    for before, now in zip(payments, shared, strict=True):
        if now.earned_minor != before.earned_minor:
            store.set_earned(work, now.id, now.earned_minor)
        if now.earned_minor < before.earned_minor:  # another bears it now, so nobody need see to it here
            store.withdraw_task(work, now.id, "uncaptured")
    return shared


def capture_earned(work: Work, payment: Payment) -> StoredOperation | None:
    """Plan to capture what a locked payment's order has earned of it; a task where that cannot be done."""
    capabilities = known_capabilities(work.plugins, payment)
    missing, why = rules.uncapturable(payment, capabilities, work.now)
    if missing:
        open_task(work, payment, "uncaptured", missing, why)
    if capabilities is None:
        return None
    due = rules.capture_due(payment, capabilities, work.now)
    return add(work, payment, OperationKind.CAPTURE, due, capabilities) if due else None


def settle_up(work: Work, payment: Payment) -> StoredOperation | None:
    """Plan the next step that a locked payment's live order wants: what was earned is captured, the rest goes back."""
    capture = capture_earned(work, payment)
    if capture is not None or payment.keep_minor is None:
        return capture
    return step_back(work, payment, keep_minor=max(payment.keep_minor, payment.earned_minor))


def step_back(work: Work, payment: Payment, *, keep_minor: int = 0) -> StoredOperation | None:
    """Plan the next step of giving back what a locked payment holds too much; a task where it cannot be done."""
    capabilities = known_capabilities(work.plugins, payment)
    for wish in rules.give_back(payment, capabilities, work.now, keep_minor=keep_minor):
        if capabilities is not None and not wish.task:
            return add(work, payment, wish.kind, wish.amount_minor, capabilities, key=wish.key)
        open_task(work, payment, "give_back", wish.amount_minor, wish.task, about=wish.kind.value)
    return None
