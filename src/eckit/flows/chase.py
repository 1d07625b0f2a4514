"""Recovery: operations without an outcome are looked up, planned ones sent, forgotten money released."""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Final

from eckit.flows.ask_gateway import ask_query
from eckit.flows.cancel_unpaid import cancel_unpaid
from eckit.flows.close_attempt import close_attempt
from eckit.flows.receive_notice import apply_notices
from eckit.flows.send_operation import LEASE, send_operation, send_planned
from eckit.flows.settle_payment import Settled, provider, settle_payment
from eckit.kernel.actors import Actor
from eckit.kernel.doors import expect_limit
from eckit.kernel.ids import OperationId, OrderId, PaymentId
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.payment import rules, service as payment
from eckit.payment.errors import GatewayMissingError
from eckit.payment.model import ChaseReport, OpState, Payment, QueryFailed, StoredOperation

_log = logging.getLogger("eckit.payment.chase")
_SYSTEM: Final = Actor.system("chase")


def chase(begin: Begin, *, limit: int = 100) -> ChaseReport:
    """One round of recovery; run it every few seconds, on as many machines as there are.

    Applies notices; looks up what is in doubt or overdue, each operation by one worker at a time, after 10 s, 30 s,
    2 min, 10 min, 1 h, then every 6 h up to the gateway's horizon; sends what is planned; hands what nobody can tell to
    a person; releases money reserved for canceled orders; cancels orders that counted on a slip that ran out.

    :param limit: of each kind, 1 to 10,000.
    """
    expect_limit(limit)
    begin.require_no_transaction("chase")
    with begin.read(_SYSTEM) as work:
        due = payment.due(work)
    done: Counter[str] = Counter()
    if due.notices:
        done["notices"] += apply_notices(begin, limit=limit)
    for payment_id, operation_id in _lease(begin, limit) if due.operations else ():
        try:
            done.update(_look_at(begin, payment_id, operation_id))
        except Exception:  # noqa: BLE001 - one must not hold up the others; when its lease is over it comes up again
            _log.exception("operation %s could not be looked at", operation_id)
            done["failed"] += 1
    if due.reservations:
        done["released"] += sum(_release(begin, order_id) for order_id in _lease_reservations(begin, limit))
    if done:
        done["sent"] += send_planned(begin, limit=limit)
    return ChaseReport(**done)


@again_if_moved
def _lease(begin: Begin, limit: int) -> tuple[tuple[PaymentId, OperationId], ...]:
    with begin.write(_SYSTEM) as work:
        return payment.lease_operations(work, for_=LEASE, limit=limit)


def _look_at(begin: Begin, payment_id: PaymentId, operation_id: OperationId) -> Iterable[str]:
    """What became of one leased operation, in the words of the report."""
    with begin.read(_SYSTEM) as work:
        current = payment.find(work, payment_id)
    operation = _of(current, operation_id)
    if operation.state is OpState.PLANNED:
        return _send(begin, current, operation)
    if operation.state is OpState.SENT:
        current = settle_payment(begin, payment_id, operation_id, payment.Silence(), provider(current.method)).payment
        operation = _of(current, operation_id)
    if not rules.can_be_looked_up(operation):
        return ()
    return ("asked", *_ask(begin, current, operation))


def _of(current: Payment, operation_id: OperationId) -> StoredOperation:
    return next(one for one in current.operations if one.id == operation_id)


def _send(begin: Begin, current: Payment, operation: StoredOperation) -> Iterable[str]:
    """Send what is planned; what could not be sent for too long is dropped, and a person told."""
    if rules.too_old_to_send(operation, payment.known_capabilities(begin.plugins, current), begin.clock.now()):
        _drop(begin, current.id, operation.id)
        return ("needs_human",)
    try:
        settled = send_operation(begin, current.id, operation.id, _SYSTEM)
    except GatewayMissingError as error:
        _log.warning("operation %s waits: %s", operation.id, error)
        return ()
    return ("sent", *_became(settled, operation)) if settled is not None else ()


@again_if_moved
def _drop(begin: Begin, payment_id: PaymentId, operation_id: OperationId) -> None:
    with begin.write(_SYSTEM) as work:
        placed = order.lock(work, payment.order_of(work, payment_id))
        payment.drop_unsendable(work, payment_id, operation_id)
        payment.sweep(work, placed, payment.order_payments(work, placed, lock=True))


def _ask(begin: Begin, current: Payment, operation: StoredOperation) -> Iterable[str]:
    """Look an operation up and settle what is found; where nothing is and time runs out, cancel it there."""
    by = provider(current.method)
    news = ask_query(begin, current)
    settled = settle_payment(begin, current.id, operation.id, news, by)
    now = _of(settled.payment, operation.id)
    if isinstance(news, QueryFailed) and rules.cancel_is_due(now, begin.clock.now()):
        settled = close_attempt(begin, settled.payment, now, by)
    cancel_unpaid(begin, settled)
    return _became(settled, operation)


def _became(settled: Settled, before: StoredOperation) -> Iterable[str]:
    state = settled.state_of(before.id)
    if state is before.state:
        return ("in_doubt",) if state is OpState.IN_DOUBT else ()
    if state in rules.ENDED:
        return ("settled",)
    return (state.value,) if state in rules.UNKNOWN else ()


# -- money nobody waits for -------------------------------------------------------------------------------------------


@again_if_moved
def _lease_reservations(begin: Begin, limit: int) -> tuple[OrderId, ...]:
    with begin.write(_SYSTEM) as work:
        return payment.lease_reservations(work, limit=limit)


@again_if_moved
def _release(begin: Begin, order_id: OrderId) -> int:
    """Plan what becomes of money that is still reserved for an order; how many operations that takes."""
    with begin.write(_SYSTEM) as work:
        placed = order.lock(work, order_id)
        return len(payment.sweep(work, placed, payment.order_payments(work, placed, lock=True)))
