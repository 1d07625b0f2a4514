"""What news means for a payment: answers, snapshots, "no such payment", and questions that failed."""

import datetime as dt
from typing import Final, assert_never

from eckit.kernel.ids import OperationId
from eckit.kernel.money import to_minor
from eckit.payment.errors import NotWaitingForEvidenceError
from eckit.payment.model import (
    ActionRequired,
    Authorized,
    Capabilities,
    Captured,
    Declined,
    Expired,
    InDoubt,
    NotSent,
    OperationKind,
    OpMove,
    OpState,
    Outcome,
    Payment,
    Pending,
    QueryFailed,
    Refunded,
    RefundPending,
    Rejected,
    StoredMovement,
    StoredOperation,
    Unsupported,
    Voided,
)
from eckit.payment.rules import moves, recovery
from eckit.payment.rules.actions import deadline_of, stored_action
from eckit.payment.rules.answers import DECLINE_CODES, RETRIES, shown
from eckit.payment.rules.change import Change, Draft, new_movement
from eckit.payment.rules.sums import AUTHORIZE, CAPTURE, FINAL, REFUND, VOID, reserved, sums

UNSUPPORTED_QUERY: Final = "unsupported"
"""Cause of a failed query that says: this provider cannot be asked at all."""

UNSENDABLE: Final = "could not be sent"
"""Cause of an operation that was dropped for a person to see to."""

EXPIRED: Final = "expired"
MoneyOutcome = Authorized | Captured | Voided | Refunded


def learn_sending(payment: Payment, operation_id: OperationId, capabilities: Capabilities, now: dt.datetime) -> Change:
    """The operation is about to be sent."""
    draft = Draft(payment, capabilities, now)
    draft.move(operation_id, OpMove.SENDING)
    return draft.change()


def learn_abandoned(
    payment: Payment, operation_id: OperationId, why: str, capabilities: Capabilities, now: dt.datetime
) -> Change:
    """What was planned will not be sent."""
    draft = Draft(payment, capabilities, now)
    draft.move(operation_id, OpMove.ABANDONED, cause=why)
    return draft.change()


def learn_outcome(
    payment: Payment,
    operation_id: OperationId,
    outcome: Outcome,
    capabilities: Capabilities,
    now: dt.datetime,
    taken: frozenset[str] = frozenset(),
) -> Change:
    """What the answer to an operation means. News that comes after the operation has ended moves nothing but money."""
    draft = Draft(payment, capabilities, now, taken)
    _learn(draft, draft.operation(operation_id), outcome)
    return draft.change()


def _learn(draft: Draft, operation: StoredOperation, outcome: Outcome) -> None:  # noqa: C901 - one case per outcome
    now = draft.now
    match outcome:
        case Authorized():
            ttl = draft.capabilities.auth_ttl
            expires = outcome.expires_at or (outcome.at + ttl if ttl else None)
            _book(draft, operation, outcome, AUTHORIZE, FINAL, expires_at=expires)
        case Captured():
            _book(draft, operation, outcome, CAPTURE, outcome.finality)
        case Voided():
            _book(draft, operation, outcome, VOID, FINAL)
        case Refunded():
            _book(draft, operation, outcome, REFUND, FINAL)
        case RefundPending():
            draft.move(operation.id, OpMove.PROVIDER_WORKS, expires_at=outcome.arrives_at)
        case ActionRequired():
            _wait_for_buyer(draft, operation, outcome)
        case Pending():
            check_at = now + outcome.check_after if outcome.check_after else None
            draft.provider_ref = outcome.provider_ref or draft.provider_ref
            draft.move(operation.id, OpMove.PROVIDER_WORKS, cause=shown(outcome.reason), check_at=check_at)
        case Declined():
            draft.move(operation.id, OpMove.DECLINED, **decline_facts(outcome))
        case Rejected() | Unsupported() if operation.state is OpState.WAITING_BUYER:
            draft.look_again(operation.id)  # the question of the buyer's return was refused: the attempt is as it was
        case Rejected():
            codes = ", ".join(problem.code for problem in outcome.problems)
            draft.move(operation.id, OpMove.DECLINED, cause=shown(f"rejected: {codes}"), **_OTHER)
        case Unsupported():
            draft.move(operation.id, OpMove.DECLINED, cause=shown(f"unsupported: {outcome.what}"), **_OTHER)
        case NotSent():
            check_at = now + outcome.retry_after if outcome.retry_after else None
            waits = None if operation.kind is OperationKind.BEGIN else check_at
            _not_sent(draft, operation, outcome.cause, waits)
        case InDoubt():
            draft.move(operation.id, OpMove.NO_ANSWER, cause=shown(outcome.cause), expires_at=outcome.cancel_by)
        case Expired():
            draft.move(operation.id, OpMove.EXPIRED, cause=EXPIRED)
        case _:
            assert_never(outcome)


_OTHER: Final = {"decline_code": "other", "retry": "other"}


def decline_facts(declined: Declined) -> dict[str, str]:
    """A decline as it is kept: a code of the standard list, and the provider's own for staff."""
    code = declined.code if declined.code in DECLINE_CODES else "other"
    retry = declined.retry if declined.retry in RETRIES else "other"
    return {"decline_code": code, "retry": retry, "cause": shown(declined.raw_code)}


def _book(
    draft: Draft,
    operation: StoredOperation,
    outcome: MoneyOutcome,
    kind: str,
    finality: str,
    *,
    expires_at: dt.datetime | None = None,
) -> None:
    draft.provider_ref = _one_provider_ref(draft, operation, outcome.provider_ref)
    trouble = draft.book(
        new_movement(
            draft.before,
            kind=kind,
            now=draft.now,
            amount_minor=to_minor(outcome.money),
            currency=outcome.money.currency.code,
            movement_ref=outcome.movement_ref,
            reference=operation.reference,
            finality=finality,
            at=outcome.at,
        )
    )
    draft.conclude(operation.id, trouble, **({"expires_at": expires_at} if expires_at else {}))


def _one_provider_ref(draft: Draft, operation: StoredOperation, given: str) -> str | None:
    """The provider's name of the payment; a capture's or refund's own id does not replace the one it began with."""
    if operation.kind is OperationKind.BEGIN:
        return given or draft.provider_ref
    return draft.provider_ref or given or None


def _wait_for_buyer(draft: Draft, operation: StoredOperation, outcome: ActionRequired) -> None:
    until = outcome.expires_at or deadline_of(outcome.action) or draft.now + draft.capabilities.action_ttl
    facts = {"action": stored_action(outcome.action), "expires_at": until}
    draft.provider_ref = outcome.provider_ref or draft.provider_ref
    if operation.state is OpState.WAITING_BUYER:
        draft.keep(operation.id, **facts)  # a notice was faster, or the buyer came back too early
    else:
        draft.move(operation.id, OpMove.BUYER_MUST_ACT, **facts)


def _not_sent(draft: Draft, operation: StoredOperation, cause: str, check_at: dt.datetime | None) -> None:
    if operation.state is OpState.SENT:
        draft.move(operation.id, OpMove.NOT_SENT, cause=shown(cause), check_at=check_at)
    elif operation.state is OpState.WAITING_BUYER:
        draft.look_again(operation.id)  # the buyer came back and could not be asked about: it is as it was


def learn_closing(
    payment: Payment,
    operation_id: OperationId,
    outcome: Outcome,
    capabilities: Capabilities,
    now: dt.datetime,
    *,
    is_seen: bool = True,
) -> Change:
    """What the answer to closing an unfinished attempt means: only a confirmed void ends it.

    Money that has become known meanwhile was released by it.

    :param is_seen: whether the provider could be asked what the void did; otherwise that is still to be found out.
    """
    draft = Draft(payment, capabilities, now)
    operation = draft.operation(operation_id)
    match outcome:
        case Voided() if reserved(payment):
            draft.book(_released(payment, outcome, now))
        case Voided() | Expired() if is_seen or operation.state is not OpState.WAITING_BUYER:
            draft.move(operation_id, OpMove.ABANDONED, cause="closed")
        case Voided() | Expired():
            why = "closed, and not seen yet"
            draft.move(operation_id, OpMove.NO_ANSWER, cause=why, expires_at=operation.expires_at)
        case InDoubt() if operation.state is OpState.WAITING_BUYER:
            draft.move(operation_id, OpMove.NO_ANSWER, cause=shown(outcome.cause), expires_at=operation.expires_at)
        case Declined() if moves.is_open(operation):
            draft.keep(operation_id, check_at=now)  # perhaps it was paid just now; look at once
        case _:
            draft.look_again(operation_id)
    return draft.change()


def _released(payment: Payment, outcome: Voided, now: dt.datetime) -> StoredMovement:
    return new_movement(
        payment,
        kind=VOID,
        now=now,
        amount_minor=reserved(payment),
        currency=payment.currency,
        movement_ref=outcome.movement_ref,
        reference="",
        finality=FINAL,
        at=outcome.at,
    )


def learn_absence(
    payment: Payment, operation_id: OperationId, capabilities: Capabilities, now: dt.datetime, *, wanted: bool
) -> Change:
    """The provider does not know the payment. Believed only of a beginning, and only when it is old enough.

    :param wanted: whether the order still wants the money: then it may be sent again, with the same reference.
    """
    draft = Draft(payment, capabilities, now)
    operation = draft.operation(operation_id)
    if (
        operation.kind is OperationKind.BEGIN
        and operation.state is OpState.WAITING_BUYER
        and _buyer_is_late(draft, operation)
    ):
        draft.move(operation_id, OpMove.EXPIRED)
    elif operation.kind is OperationKind.BEGIN:
        absent(draft, operation, wanted=wanted)
    age(draft, operation_id)
    return draft.change()


def learn_failed_query(
    payment: Payment, operation_id: OperationId, failed: QueryFailed, capabilities: Capabilities, now: dt.datetime
) -> Change:
    """The question failed: nothing is known, but time passes. Where nobody can be asked, a person is needed at once."""
    draft = Draft(payment, capabilities, now)
    operation = draft.operation(operation_id)
    if failed.cause == UNSUPPORTED_QUERY and operation.state is OpState.IN_DOUBT:
        give_up(draft, operation_id, "the provider cannot be asked")
    age(draft, operation_id)
    return draft.change()


def learn_silence(payment: Payment, operation_id: OperationId, capabilities: Capabilities, now: dt.datetime) -> Change:
    """An operation was sent and its outcome never written down: the process died, or hangs."""
    draft = Draft(payment, capabilities, now)
    draft.move(operation_id, OpMove.NO_ANSWER, cause="no outcome was recorded")
    return draft.change()


def learn_evidence(
    payment: Payment,
    operation_id: OperationId,
    capabilities: Capabilities,
    now: dt.datetime,
    *,
    happened: bool,
    cause: str,
) -> Change:
    """A person found out what became of an operation that recovery gave up on.

    Where it happened and its movement had never been told, the movement is booked by the operation's own reference.

    :raises NotWaitingForEvidenceError: recovery has not given up on it.
    """
    draft = Draft(payment, capabilities, now)
    operation = draft.operation(operation_id)
    if operation.state is not OpState.NEEDS_HUMAN:
        raise NotWaitingForEvidenceError(state=operation.state.value)
    if not happened:
        draft.move(operation_id, OpMove.DECLINED, cause=shown(cause), **_OTHER)
        return draft.change()
    if not any(one.reference == operation.reference for one in draft.movements):
        draft.book(_by_evidence(draft, operation))
    draft.move(operation_id, OpMove.SUCCEEDED, cause=shown(cause), expires_at=None)
    return draft.change()


def _by_evidence(draft: Draft, operation: StoredOperation) -> StoredMovement:
    sale = "authorize" not in draft.capabilities.flows
    kinds = {
        OperationKind.BEGIN: CAPTURE if sale else AUTHORIZE,
        OperationKind.CAPTURE: CAPTURE,
        OperationKind.VOID: VOID,
        OperationKind.REFUND: REFUND,
    }
    return new_movement(
        draft.before,
        kind=kinds[operation.kind],
        now=draft.now,
        amount_minor=operation.amount_minor,
        currency=draft.before.currency,
        movement_ref=f"evidence:{operation.reference}",
        reference=operation.reference,
        finality=FINAL,
        at=draft.now,
    )


# -- time passes ------------------------------------------------------------------------------------------------------


def absent(draft: Draft, operation: StoredOperation, *, wanted: bool) -> None:
    """An operation in doubt that the provider does not know, asked late enough: it may be sent again, or is dropped."""
    if operation.state is not OpState.IN_DOUBT or not recovery.absence_counts(operation, draft.capabilities, draft.now):
        return
    move = OpMove.NOT_FOUND if wanted or operation.kind in _ALWAYS_WANTED else OpMove.ABANDONED
    draft.move(operation.id, move, cause="the provider does not know it")


_ALWAYS_WANTED: Final = frozenset({OperationKind.VOID, OperationKind.REFUND})


def age(draft: Draft, operation_id: OperationId) -> None:
    """Nothing decisive was learned: what has waited too long goes on to the next state, the rest is looked at later."""
    operation = draft.operation(operation_id)
    before = next(one for one in draft.before.operations if one.id == operation_id)
    if operation.state is not before.state or not moves.is_open(operation):
        return
    now, capabilities = draft.now, draft.capabilities
    if operation.state is OpState.WAITING_PROVIDER and recovery.overdue(operation, capabilities, now):
        if draft.move(operation_id, OpMove.OVERDUE, cause="the provider takes too long", expires_at=None):
            return
    elif operation.state is OpState.WAITING_BUYER and _long_lost(draft, operation):
        draft.move(operation_id, OpMove.NO_ANSWER, cause="nobody can tell whether the buyer paid")
        return
    elif operation.state is OpState.IN_DOUBT and now >= recovery.gives_up_at(operation, capabilities):
        give_up(draft, operation_id, "no verdict in time")
        return
    draft.look_again(operation_id)


def give_up(draft: Draft, operation_id: OperationId, why: str) -> None:
    """Recovery hands an operation in doubt to a person."""
    operation = draft.operation(operation_id)
    if draft.move(operation_id, OpMove.GIVEN_UP, cause=why):
        draft.task("in_doubt", operation.amount_minor, why, about=operation_id)


def _buyer_is_late(draft: Draft, operation: StoredOperation) -> bool:
    over = recovery.buyers_time_over(operation)
    return over is not None and draft.now >= over


def _long_lost(draft: Draft, operation: StoredOperation) -> bool:
    over = recovery.buyers_time_over(operation)
    return over is not None and draft.now >= over + draft.capabilities.horizon


def buyers_time_is_over(draft: Draft, operation: StoredOperation) -> None:
    """The provider has no money of a buyer whose time is over: the attempt ends. With a part, a person is asked."""
    if operation.state is not OpState.WAITING_BUYER or not _buyer_is_late(draft, operation):
        return
    total = sums(draft.movements, currency=draft.before.currency)
    if not total.captured and not total.authorized:
        draft.move(operation.id, OpMove.EXPIRED)
    elif total.captured_final and not total.captured_provisional:
        draft.task(
            "underpaid", operation.amount_minor - total.captured_final, "paid only in part, and the time is over"
        )
        draft.move(operation.id, OpMove.SUCCEEDED)
