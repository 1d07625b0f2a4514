"""A payment's status: a function of its operations and movements, whatever order they came in. Never a gate."""

import datetime as dt
from collections.abc import Iterable, Sequence

from eckit.payment.model import (
    OperationKind,
    OpState,
    Payment,
    PaymentState,
    PaymentStatus,
    StoredMovement,
    StoredOperation,
    Sums,
)
from eckit.payment.rules.actions import waits_for_funds
from eckit.payment.rules.learning import EXPIRED
from eckit.payment.rules.sums import DISPUTE_LOST, REFUND_FAILED, sums

_P = PaymentState


def status(
    operations: Iterable[StoredOperation],
    movements: Iterable[StoredMovement],
    now: dt.datetime,
    *,
    amount_minor: int,
    currency: str,
) -> PaymentStatus:
    """What operations and movements amount to now.

    :param amount_minor: what the payment is to bring, in ``currency``.
    """
    operations, movements = tuple(operations), tuple(movements)
    total = sums(movements, operations, currency=currency)
    begin = next((one for one in operations if one.kind is OperationKind.BEGIN), None)
    late = any(operation.late for operation in operations)
    return PaymentStatus(
        state=_state(total, begin, movements, amount_minor, now, late=late),
        in_doubt=any(operation.state is OpState.IN_DOUBT for operation in operations),
        needs_human=any(operation.state is OpState.NEEDS_HUMAN for operation in operations),
        refund_pending=total.refund_pending > 0,
        refund_failed=any(movement.kind == REFUND_FAILED for movement in movements),
        late=late,
    )


def status_of(payment: Payment, now: dt.datetime) -> PaymentStatus:
    """The status of a payment now."""
    return status(
        payment.operations, payment.movements, now, amount_minor=payment.amount_minor, currency=payment.currency
    )


def _state(
    total: Sums,
    begin: StoredOperation | None,
    movements: Sequence[StoredMovement],
    amount_minor: int,
    now: dt.datetime,
    *,
    late: bool,
) -> PaymentState:
    if total.disputed:
        return _P.DISPUTED
    if any(movement.kind == DISPUTE_LOST for movement in movements):
        return _P.CHARGED_BACK
    if total.captured:
        return _with_money(total, amount_minor, late=late)
    if total.authorized:
        return _with_reservation(total, begin, now)
    return _without_money(begin, now)


def _with_money(total: Sums, amount_minor: int, *, late: bool) -> PaymentState:
    if total.refunded:
        return _P.REFUNDED if total.refunded >= total.captured else _P.PARTIALLY_REFUNDED
    if late:
        return _P.LATE_PAID
    if total.captured_final > amount_minor:
        return _P.OVERPAID
    if total.captured_final == amount_minor:
        return _P.PAID
    if total.captured >= amount_minor:
        return _P.PAID_PROVISIONAL
    if not total.authorized:
        return _P.PARTIALLY_PAID
    return _P.PARTIALLY_CAPTURED if total.authorized - total.captured - total.voided > 0 else _P.PAID


def _with_reservation(total: Sums, begin: StoredOperation | None, now: dt.datetime) -> PaymentState:
    if total.voided >= total.authorized:
        return _P.VOIDED
    return _P.AUTH_EXPIRED if reservation_over(begin, now) else _P.AUTHORIZED


def reservation_over(begin: StoredOperation | None, now: dt.datetime) -> bool:
    """Whether the time of an authorization has passed."""
    if begin is None or begin.state is not OpState.SUCCEEDED or begin.expires_at is None:
        return False
    if waits_for_funds(begin.action):
        return False  # what comes by a slip or transfer is not reserved but paid
    return now >= begin.expires_at


def _without_money(begin: StoredOperation | None, now: dt.datetime) -> PaymentState:
    if begin is None:
        return _P.NEW
    slip = waits_for_funds(begin.action)
    match begin.state:
        case OpState.PLANNED:
            return _P.NEW
        case OpState.WAITING_BUYER:
            return _P.AWAITING_FUNDS if slip else _P.AWAITING_BUYER
        case OpState.FAILED:
            return _P.EXPIRED if begin.cause == EXPIRED else _P.DECLINED
        case OpState.EXPIRED:
            return _P.EXPIRED
        case OpState.CANCELED:
            return _P.VOIDED if slip else _P.CANCELED
        case OpState.SUCCEEDED if slip:  # its money was reversed after it had all come
            over = begin.expires_at is not None and now >= begin.expires_at
            return _P.EXPIRED if over else _P.AWAITING_FUNDS
        case _:
            return _P.PROCESSING
