"""Whether an operation may be planned, and what it is then."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import attrs
from moneyed import Money

from eckit.kernel.errors import invalid
from eckit.kernel.ids import CartId, MethodCode, OperationId, OrderId, PaymentId, ShopId
from eckit.kernel.money import format_minor, to_minor
from eckit.payment.errors import (
    AmountNotAcceptedError,
    OperationOpenError,
    PaymentInDoubtError,
    TooMuchError,
    UnsupportedOperationError,
)
from eckit.payment.model import Capabilities, OperationKind, OpState, Payment, StoredOperation
from eckit.payment.rules import moves
from eckit.payment.rules.references import reference, request_hash
from eckit.payment.rules.status import reservation_over
from eckit.payment.rules.sums import refundable, reserved, sums_of
from eckit.pricing.model import Due

ON_CONFIRM: Final = "on_confirm"


def asked_now(dues: Sequence[Due]) -> int:
    """What is to be paid before the order is confirmed, in minor units."""
    return sum(due.amount_minor for due in dues if due.when == ON_CONFIRM)


def require_accepted(capabilities: Capabilities, method: MethodCode, amount_minor: int, currency: str) -> None:
    """Insist that the method takes this amount.

    :raises AmountNotAcceptedError: another currency, too little or too much.
    """
    least, most = capabilities.currencies.get(currency, (0, -1))
    if not least <= amount_minor <= most:
        amount = written(amount_minor, currency)
        shown = (written(least, currency), written(most, currency)) if most >= 0 else ("", "")
        raise AmountNotAcceptedError(method=method, amount=amount, least=shown[0], most=shown[1])


def written(amount_minor: int, currency: str) -> str:
    """An amount as an error shows it."""
    return format_minor(amount_minor, currency, "en")


def begun(
    capabilities: Capabilities,
    *,
    shop: ShopId,
    payment_id: PaymentId,
    operation_id: OperationId,
    order_id: OrderId,
    cart_id: CartId | None,
    method: MethodCode,
    amount_minor: int,
    currency: str,
    now: dt.datetime,
) -> Payment:
    """A new attempt to pay, with the operation it begins with planned.

    :raises AmountNotAcceptedError: as :func:`require_accepted`.
    """
    require_accepted(capabilities, method, amount_minor, currency)
    name = reference(capabilities, shop, payment_id, OperationKind.BEGIN, 1)
    payment = Payment(
        id=payment_id,
        order_id=order_id,
        cart_id=cart_id,
        method=method,
        tender="money",
        held_by="provider",
        amount_minor=amount_minor,
        currency=currency,
        begin_reference=name,
        provider_ref=None,
        account=capabilities.account,
        mode=capabilities.mode,
        version=1,
        created_at=now,
    )
    operation = _planned(payment, OperationKind.BEGIN, 1, name, amount_minor, operation_id, now)
    return attrs.evolve(payment, operations=(operation,))


def with_key(payment: Payment, key: str | None) -> StoredOperation | None:
    """The operation that an earlier request with this key planned."""
    return next((one for one in payment.operations if key is not None and one.key == key), None)


def planned(
    payment: Payment,
    kind: OperationKind,
    amount_minor: int,
    capabilities: Capabilities,
    *,
    shop: ShopId,
    operation_id: OperationId,
    key: str | None,
    now: dt.datetime,
) -> StoredOperation:
    """One more operation, if the sums allow it and nothing is open.

    :raises UnsupportedOperationError: the gateway does not declare it, or not for a part.
    :raises PaymentInDoubtError: an earlier one's outcome is unknown.
    :raises OperationOpenError: an earlier one is under way.
    :raises TooMuchError: more than is left.
    """
    require_free(payment)
    left = left_for(payment, kind, now)
    if not 0 < amount_minor <= left:
        raise TooMuchError(
            kind=kind.value,
            asked=written(amount_minor, payment.currency),
            left=written(left, payment.currency),
            left_minor=left,
            currency=payment.currency,
        )
    require_supported(payment, kind, amount_minor, capabilities)
    seq = max(operation.seq for operation in payment.operations) + 1
    name = reference(capabilities, shop, payment.id, kind, seq)
    return _planned(payment, kind, seq, name, amount_minor, operation_id, now, key=key)


def amount_for(payment: Payment, kind: OperationKind, amount: Money | None, now: dt.datetime) -> int:
    """An amount somebody wishes to move, in minor units; without one, everything that can be.

    :raises InvalidInputError: another currency, not above zero, finer than its currency.
    """
    if amount is None:
        return left_for(payment, kind, now)
    minor = to_minor(amount, "amount")
    if amount.currency.code != payment.currency:
        raise invalid("payment-wrong-currency", "amount", amount.currency.code, limit=payment.currency)
    if minor <= 0:
        raise invalid("payment-not-positive", "amount", minor, limit=1)
    return minor


def sketch(payment: Payment, kind: OperationKind, amount_minor: int, now: dt.datetime) -> StoredOperation:
    """An operation as it would be planned, for plugins that may object; without id and reference."""
    return _planned(payment, kind, len(payment.operations) + 1, "", amount_minor, OperationId(""), now)


def require_free(payment: Payment) -> None:
    """Insist that no operation of the payment is open or in doubt.

    :raises PaymentInDoubtError: an outcome is unknown.
    :raises OperationOpenError: one is under way.
    """
    for operation in payment.operations:
        if operation.state in moves.UNKNOWN:
            raise PaymentInDoubtError(kind=operation.kind.value)
        if moves.blocks(operation):
            raise OperationOpenError(what=payment.id, kind=operation.kind.value, state=operation.state.value)


def left_for(payment: Payment, kind: OperationKind, now: dt.datetime) -> int:
    """How much an operation of this kind may move at most, in minor units."""
    if kind is OperationKind.REFUND:
        return refundable(payment)
    begin = next((one for one in payment.operations if one.kind is OperationKind.BEGIN), None)
    return 0 if reservation_over(begin, now) else reserved(payment)


def require_supported(payment: Payment, kind: OperationKind, amount_minor: int, capabilities: Capabilities) -> None:
    """Insist that the gateway declares the operation, for a part if it is one.

    :raises UnsupportedOperationError: it does not.
    """
    if not supports(payment, kind, amount_minor, capabilities):
        raise UnsupportedOperationError(method=payment.method, kind=kind.value)


def supports(payment: Payment, kind: OperationKind, amount_minor: int, capabilities: Capabilities) -> bool:
    """Whether the gateway declares this."""
    total = sums_of(payment)
    if kind is OperationKind.VOID:
        return capabilities.void and amount_minor == reserved(payment)
    if kind is OperationKind.CAPTURE:
        return _allows(capabilities.capture, amount_minor, whole=total.authorized, before=total.captured)
    if kind is OperationKind.REFUND:
        before = total.refunded + total.refund_pending
        return _allows(capabilities.refund, amount_minor, whole=total.captured, before=before)
    return False


def _allows(declared: str, amount_minor: int, *, whole: int, before: int) -> bool:
    match declared:
        case "multiple":
            return True
        case "partial":
            return before == 0
        case "full":
            return before == 0 and amount_minor == whole
        case _:
            return False


def _planned(
    payment: Payment,
    kind: OperationKind,
    seq: int,
    name: str,
    amount_minor: int,
    operation_id: OperationId,
    now: dt.datetime,
    *,
    key: str | None = None,
) -> StoredOperation:
    return StoredOperation(
        id=operation_id,
        payment_id=payment.id,
        seq=seq,
        kind=kind,
        state=OpState.PLANNED,
        reference=name,
        amount_minor=amount_minor,
        request_hash=hash_of(payment, kind, name, amount_minor),
        version=1,
        planned_at=now,
        check_at=None if kind is OperationKind.BEGIN else now,
        key=key,
    )


def hash_of(payment: Payment, kind: OperationKind, name: str, amount_minor: int) -> str:
    """The request hash of an operation of this payment."""
    return request_hash(
        reference=name,
        kind=kind,
        amount_minor=amount_minor,
        currency=payment.currency,
        method=payment.method,
        account=payment.account,
        mode=payment.mode,
    )
