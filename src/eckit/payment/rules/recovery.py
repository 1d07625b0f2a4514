"""When an operation without an outcome is looked at next, and when waiting is over."""

import datetime as dt
from typing import Final

from eckit.payment.model import Capabilities, OperationKind, OpState, StoredOperation
from eckit.payment.rules.actions import waits_for_funds

STEPS: Final = (
    dt.timedelta(seconds=10),
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=10),
    dt.timedelta(hours=1),
)
LATER: Final = dt.timedelta(hours=6)

ANSWER_GRACE: Final = dt.timedelta(seconds=10)
"""How long after a call's hard limit its outcome may still be on its way into the database."""

BUYER_GRACE: Final = dt.timedelta(minutes=2)
"""How long after the buyer's time is over news of a redirect may still come."""

FUNDS_GRACE: Final = dt.timedelta(hours=24)
"""The same for vouchers and transfers: slips printed just before the deadline, and notices that take a night."""

CANCEL_AHEAD: Final = dt.timedelta(minutes=10)
"""So long before a provider stops taking cancellations, what is still in doubt is canceled."""


def delay(checks: int) -> dt.timedelta:
    """How long after the ``checks``-th look the next one comes: 10 s, 30 s, 2 min, 10 min, 1 h, then every 6 h."""
    return STEPS[checks] if checks < len(STEPS) else LATER


def next_check(operation: StoredOperation, capabilities: Capabilities, now: dt.datetime) -> dt.datetime | None:
    """When recovery looks at an operation next; None where nothing more is expected of it.

    A planned beginning waits for its buyer, who may come or not; all else that is planned is sent by recovery.
    """
    later = now + delay(operation.checks)
    match operation.state:
        case OpState.PLANNED:
            return None if operation.kind is OperationKind.BEGIN else later
        case OpState.SENT:
            return now + dt.timedelta(seconds=capabilities.timeout_s) + ANSWER_GRACE
        case OpState.WAITING_BUYER:
            return _buyer_check(operation, now)
        case OpState.WAITING_PROVIDER:
            return later
        case OpState.IN_DOUBT:
            return min(later, max(now, gives_up_at(operation, capabilities)))
        case _:
            return None


def _buyer_check(operation: StoredOperation, now: dt.datetime) -> dt.datetime:
    over = buyers_time_over(operation)
    if over is None or over <= now:
        return now + delay(operation.checks)
    return min(over, now + LATER) if waits_for_funds(operation.action) else over


def buyers_time_over(operation: StoredOperation) -> dt.datetime | None:
    """When waiting for the buyer ends, grace included."""
    if operation.expires_at is None:
        return None
    return operation.expires_at + (FUNDS_GRACE if waits_for_funds(operation.action) else BUYER_GRACE)


def gives_up_at(operation: StoredOperation, capabilities: Capabilities) -> dt.datetime:
    """When recovery hands an operation in doubt to a person."""
    return (operation.in_doubt_at or operation.sent_at or operation.planned_at) + capabilities.horizon


def overdue(operation: StoredOperation, capabilities: Capabilities, now: dt.datetime) -> bool:
    """Whether a provider has been working longer than it may. A refund may take until a day after it should arrive."""
    sent = operation.sent_at or operation.planned_at
    if operation.kind is OperationKind.REFUND:
        until = operation.expires_at + FUNDS_GRACE if operation.expires_at else sent + capabilities.horizon
    else:
        until = sent + capabilities.max_pending
    return now >= until


def absence_counts(operation: StoredOperation, capabilities: Capabilities, now: dt.datetime) -> bool:
    """Whether "no such thing" is an answer by now, and not just too early."""
    age = capabilities.not_found_after
    return age is not None and operation.sent_at is not None and now >= operation.sent_at + age


def cancel_is_due(operation: StoredOperation, now: dt.datetime) -> bool:
    """Whether the last chance to cancel an attempt in doubt has come."""
    return (
        operation.kind is OperationKind.BEGIN
        and operation.state is OpState.IN_DOUBT
        and operation.expires_at is not None
        and operation.expires_at - CANCEL_AHEAD <= now < operation.expires_at
    )


def too_old_to_send(operation: StoredOperation, capabilities: Capabilities | None, now: dt.datetime) -> bool:
    """Whether something planned could not be sent for so long that a person must look at it."""
    horizon = capabilities.horizon if capabilities is not None else Capabilities(currencies={}).horizon
    return now >= operation.planned_at + horizon


def can_be_looked_up(operation: StoredOperation) -> bool:
    """Whether asking the provider can tell more about it."""
    return operation.state in {OpState.WAITING_BUYER, OpState.WAITING_PROVIDER, OpState.IN_DOUBT}
