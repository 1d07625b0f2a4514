"""What a gateway is asked, made of what is stored; and how a payment stands, made for who asks."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eckit.kernel.money import from_minor
from eckit.payment.model import (
    Begin,
    Browser,
    Buyer,
    Capabilities,
    Capture,
    Declined,
    Instrument,
    KnownMovement,
    OperationKind,
    OpState,
    Payment,
    PaymentResult,
    PaymentState,
    PaymentStatus,
    Query,
    Refund,
    Resume,
    StoredOperation,
    Void,
)
from eckit.payment.rules.actions import action_of
from eckit.payment.rules.change import provider_ref_of
from eckit.payment.rules.references import reference
from eckit.payment.rules.status import status_of

Request = Begin | Resume | Capture | Void | Refund


@attrs.frozen(kw_only=True)
class Extras:
    """What a beginning needs besides what is stored; nothing of it is kept.

    :ivar deadline: until when the order waits for its money.
    """

    instrument: Instrument | None = None
    buyer: Buyer = Buyer()
    return_url: str | None = None
    browser: Browser | None = None
    locale: str = "en"
    deadline: dt.datetime | None = None


def request(
    payment: Payment, operation: StoredOperation, capabilities: Capabilities, extras: Extras | None = None
) -> Request:
    """What the gateway is asked for an operation."""
    extras = extras or Extras()
    facts = _facts(payment, operation, extras)
    match operation.kind:
        case OperationKind.CAPTURE:
            return Capture(**facts)
        case OperationKind.VOID:
            return Void(**facts)
        case OperationKind.REFUND:
            return Refund(**facts)
        case _:
            return Begin(
                **facts,
                instrument=extras.instrument,
                buyer=extras.buyer,
                return_url=extras.return_url,
                browser=extras.browser,
                capture="authorize" not in capabilities.flows,
            )


def resumption(payment: Payment, operation: StoredOperation, parameters: Mapping[str, str], locale: str) -> Resume:
    """What the gateway is asked when the buyer has come back; the parameters are hints only."""
    return Resume(**_facts(payment, operation, Extras(locale=locale)), parameters=dict(parameters))


def closing(payment: Payment, operation: StoredOperation, capabilities: Capabilities, shop: Any) -> Void:
    """What the gateway is asked to close an attempt that has not come to money."""
    name = reference(capabilities, shop, payment.id, OperationKind.VOID, operation.seq)
    return Void(**{**_facts(payment, operation, Extras()), "reference": name})


def query(payment: Payment) -> Query:
    """What the gateway is asked to look a payment up."""
    return Query(
        payment_id=payment.id,
        begin_reference=payment.begin_reference,
        provider_ref=payment.provider_ref,
        currency=payment.currency,
    )


def _facts(payment: Payment, operation: StoredOperation, extras: Extras) -> dict[str, Any]:
    return {
        "payment_id": payment.id,
        "seq": operation.seq,
        "reference": operation.reference,
        "begin_reference": payment.begin_reference,
        "provider_ref": payment.provider_ref,
        "money": from_minor(operation.amount_minor, payment.currency),
        "previous": tuple(
            KnownMovement(
                kind=one.kind,
                amount=from_minor(one.amount_minor, one.currency),
                movement_ref=provider_ref_of(payment.movements, one),
            )
            for one in payment.movements
        ),
        "deadline": extras.deadline,
        "locale": extras.locale,
    }


def result(payment: Payment | None, now: dt.datetime) -> PaymentResult:
    """How a payment stands, for who asked."""
    if payment is None:
        return PaymentResult(payment=None, status=PaymentStatus(state=PaymentState.PAID))
    begin = next(one for one in payment.operations if one.kind is OperationKind.BEGIN)
    waits = begin.state is OpState.WAITING_BUYER
    decline = None
    if begin.state is OpState.FAILED and begin.decline_code:
        decline = Declined(code=begin.decline_code, retry=begin.retry or "other")
    return PaymentResult(
        payment=payment,
        status=status_of(payment, now),
        action=action_of(begin.action) if waits else None,
        decline=decline,
    )


def newest(payments: Sequence[Payment]) -> Payment | None:
    """The latest attempt."""
    return payments[-1] if payments else None
