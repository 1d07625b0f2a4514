"""The sending protocol, in one place: planned and committed, noted as sent and committed, sent with no transaction
open, and the outcome settled.

Whoever wins the second step sends; nobody sends twice. A crash anywhere leaves a row that recovery finds.
"""

import datetime as dt
import logging
from typing import Final

from eckit.flows.ask_gateway import ask_operation
from eckit.flows.settle_payment import Settled, provider, settle_payment
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.errors import EckitError
from eckit.kernel.ids import OperationId, OrderId, PaymentId
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payment
from eckit.payment.errors import GatewayMissingError
from eckit.payment.model import OperationKind, Payment, StoredOperation

faults.declare(
    "take_payment.after_tx2",
    "take_payment.after_provider",
    "capture.after_sent",
    "capture.after_provider",
    "void.after_sent",
    "void.after_provider",
    "refund.after_sent",
    "refund.after_provider",
)

_SENT: Final = {
    OperationKind.BEGIN: "take_payment.after_tx2",
    OperationKind.CAPTURE: "capture.after_sent",
    OperationKind.VOID: "void.after_sent",
    OperationKind.REFUND: "refund.after_sent",
}
_ANSWERED: Final = {
    OperationKind.BEGIN: "take_payment.after_provider",
    OperationKind.CAPTURE: "capture.after_provider",
    OperationKind.VOID: "void.after_provider",
    OperationKind.REFUND: "refund.after_provider",
}

LEASE: Final = dt.timedelta(minutes=5)
_ROUNDS: Final = 5
"""What settling one operation plans is sent too, so many times over; the rest is recovery's."""

_SYSTEM: Final = Actor.system("send_planned")
_log = logging.getLogger("eckit.payment")


def send_operation(
    begin: Begin,
    payment_id: PaymentId,
    operation_id: OperationId,
    by: Actor,
    extras: rules.Extras | None = None,
) -> Settled | None:
    """Send a planned operation and settle its outcome.

    :param extras: what a beginning needs besides what is stored.
    :return: None if somebody else sends or sent it, or dropped it.
    :raises WorkOpenError: a transaction is open here, of eckit's or the host's.
    :raises GatewayMissingError: its gateway is not there; it stays planned.
    """
    begin.require_no_transaction("send_operation")
    marked = _mark_sent(begin, payment_id, operation_id, by)
    if marked is None:
        return None
    current, operation = marked
    faults.hit(_SENT[operation.kind])
    outcome = ask_operation(begin, current, operation, extras)
    faults.hit(_ANSWERED[operation.kind])
    return settle_payment(begin, payment_id, operation_id, outcome, provider(current.method, by))


@again_if_moved
def _mark_sent(
    begin: Begin, payment_id: PaymentId, operation_id: OperationId, by: Actor
) -> tuple[Payment, StoredOperation] | None:
    with begin.write(by) as work:
        return payment.mark_sent(work, payment_id, operation_id)


def send_planned(begin: Begin, *, order_id: OrderId | None = None, limit: int = 100) -> int:
    """Send what is planned and due: captures, voids and refunds, of one order or of all; how many were sent.

    What one of them brings about (a refund where a void came too late) is sent as well. Where finding out what is due
    or sending it fails the operation stays as it is, and recovery goes on with it: what was committed before is not
    undone by that, so nobody is told to send the whole request again.
    """
    begin.require_no_transaction("send_planned")
    sent = 0
    for _ in range(_ROUNDS):
        try:
            due = _lease(begin, order_id, limit)
        except EckitError:
            _log.exception("what is planned could not be taken up for sending; recovery goes on with it")
            break
        if not due:
            break
        sent += sum(_send(begin, payment_id, operation_id, _SYSTEM) for payment_id, operation_id in due)
    return sent


@again_if_moved
def _lease(begin: Begin, order_id: OrderId | None, limit: int) -> tuple[tuple[PaymentId, OperationId], ...]:
    with begin.write(_SYSTEM) as work:
        return payment.lease_operations(work, for_=LEASE, limit=limit, order_id=order_id, planned_only=True)


def _send(begin: Begin, payment_id: PaymentId, operation_id: OperationId, by: Actor) -> bool:
    try:
        return send_operation(begin, payment_id, operation_id, by) is not None
    except GatewayMissingError as error:
        _log.warning("operation %s waits: %s", operation_id, error)
    except EckitError:
        _log.exception("operation %s could not be sent or settled; recovery goes on with it", operation_id)
    return False
