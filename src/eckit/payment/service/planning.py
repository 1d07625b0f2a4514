"""Operations are planned, sent once, or dropped. Every verb here works on payments it has locked."""

import attrs

from eckit.kernel.errors import NotFoundError
from eckit.kernel.idempotency import KeyReusedError
from eckit.kernel.ids import OperationId, OrderId, PaymentId
from eckit.kernel.text import clean
from eckit.kernel.work import Work
from eckit.payment import rules, store
from eckit.payment.errors import PaymentInDoubtError, RequestChangedError
from eckit.payment.model import OperationKind, OpState, Payment, StoredOperation
from eckit.payment.service.gateways import gateway_of
from eckit.payment.service.saving import UNDECIDED, add, capture_earned, declared, save, settle_up, share_out, step_back


def plan(
    work: Work, payment: Payment, kind: OperationKind, amount_minor: int, key: str | None = None
) -> StoredOperation:
    """Plan an operation of a locked payment. The same key gives the same operation.

    :raises KeyReusedError: the key was used for something else.
    :raises TooMuchError: more than the sums allow.
    :raises OperationOpenError: one is under way. :raises PaymentInDoubtError: an outcome is unknown.
    :raises UnsupportedOperationError: the gateway does not declare it.
    :raises GatewayMissingError: the gateway is not there.
    """
    if key is not None:
        clean(key, path="key", max_length=200)
    earlier = rules.with_key(payment, key)
    if earlier is None:
        return add(work, payment, kind, amount_minor, gateway_of(work.plugins, payment)[1], key=key)
    if (earlier.kind, earlier.amount_minor) != (kind, amount_minor):
        raise KeyReusedError(what=f"payment.{kind.value}")
    return earlier


def mark_sent(work: Work, payment_id: PaymentId, operation_id: OperationId) -> tuple[Payment, StoredOperation] | None:
    """Note, before it happens, that an operation is being sent: of all who want to send it, one may.

    :return: the payment and operation to send; None if somebody else sent or dropped it.
    :raises RequestChangedError: its reference stands for another request.
    """
    payment = store.load(work, payment_id, lock=True)
    if payment is None:
        raise NotFoundError(kind="payment", id=payment_id)
    operation = next((one for one in payment.operations if one.id == operation_id), None)
    if operation is None or operation.state is not OpState.PLANNED:
        return None
    wanted = rules.hash_of(payment, operation.kind, operation.reference, operation.amount_minor)
    if wanted != operation.request_hash:
        raise RequestChangedError(reference=operation.reference)
    capabilities = gateway_of(work.plugins, payment)[1]
    sent = save(work, rules.learn_sending(payment, operation_id, capabilities, work.now), "send")
    return sent, next(one for one in sent.operations if one.id == operation_id)


def abandon(work: Work, payment: Payment, operation_id: OperationId, why: str) -> Payment:
    """Drop a planned operation of a locked payment; one that is not planned any more stays."""
    operation = next(one for one in payment.operations if one.id == operation_id)
    if operation.state is not OpState.PLANNED:
        return payment
    return save(work, rules.learn_abandoned(payment, operation_id, why, declared(work, payment), work.now), "abandon")


def plan_capture(work: Work, order_id: OrderId, earned_minor: int) -> tuple[StoredOperation, ...]:
    """Goods have left: plan to capture what the order has earned so far, in minor units, and is not captured.

    Never refuses, for the goods are gone: while another operation is open the capture follows when that has ended; what
    cannot be captured any more becomes a task. The caller sends what was planned after the commit.

    :param earned_minor: everything earned since the order was placed.
    """
    payments = store.for_order(work, order_id, lock=True)
    shared = share_out(work, payments, earned_minor)
    more = [now for before, now in zip(payments, shared, strict=True) if now.earned_minor > before.earned_minor]
    planned = [capture_earned(work, payment) for payment in more]
    return tuple(operation for operation in planned if operation is not None)


def plan_give_back(
    work: Work, order_id: OrderId, *, reason: str = "", keep_minor: int | None = None
) -> tuple[StoredOperation, ...]:
    """An order does not want its money any more, or not all of it: drop what is planned, plan to void and refund.

    Planned captures of an order that keeps a part stay. How much is kept of each payment is written down, so that what
    cannot be given back yet is given back when what stands in the way has come to its end: a capture that is still to
    be sent, a provider that is still working. The caller sends what was planned after the commit.

    :param keep_minor: what the order still wants, in minor units; without it, what it has earned by goods that left.
    :raises PaymentInDoubtError: nobody knows yet what an operation did.
    """
    payments = store.for_order(work, order_id, lock=True)
    for operation in (one for payment in payments for one in payment.operations):
        if operation.state in rules.UNKNOWN:
            raise PaymentInDoubtError(kind=operation.kind.value)
    wanted = sum(payment.earned_minor for payment in payments) if keep_minor is None else keep_minor
    keeps = rules.kept_shares(payments, wanted, work.now)
    planned = []
    for payment in payments:
        if store.has_open_task(work, payment.id, UNDECIDED):
            continue
        stays = keeps[payment.id] and rules.expected(payment, work.now)
        kept = payment if stays else _drop_planned(work, payment, reason)
        store.set_keep(work, payment.id, keeps[payment.id])
        step = settle_up(work, attrs.evolve(kept, keep_minor=keeps[payment.id]))
        if step is not None:
            planned.append(step)
    return tuple(planned)


def _drop_planned(work: Work, payment: Payment, why: str) -> Payment:
    for operation in payment.operations:
        if operation.state is OpState.PLANNED and operation.kind in (OperationKind.BEGIN, OperationKind.CAPTURE):
            payment = abandon(work, payment, operation.id, why)
    return payment


def give_up(work: Work, order_id: OrderId) -> bool:
    """Give up the attempts to pay an order whose time is over, unless one is under way or in doubt: its money may come.

    :return: whether they are given up; nothing was changed otherwise.
    """
    payments = store.for_order(work, order_id, lock=True)
    if not all(rules.may_be_given_up(payment) for payment in payments):
        return False
    for payment in payments:
        step_back(work, _drop_planned(work, payment, "the order lapsed"))
    return True
