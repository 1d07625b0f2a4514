"""Payments put together by hand, for tests of rules."""

import datetime as dt
from typing import Any

from eckit.kernel.ids import MethodCode, MovementId, OperationId, OrderId, PaymentId, ShopId
from eckit.kernel.minting import mint
from eckit.payment.model import (
    Capabilities,
    OperationKind,
    OpState,
    Payment,
    StoredMovement,
    StoredOperation,
)
from eckit.payment.rules import Change, begun, learn_outcome, learn_sending
from tests.payment.fakes import CAPABILITIES

AT = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
SHOP = ShopId("shp_00000000000000000000000000")
METHOD = MethodCode("fake.card")


def planned_payment(amount: int = 1_000, currency: str = "JPY", capabilities: Capabilities = CAPABILITIES) -> Payment:
    """A payment whose beginning is planned."""
    return begun(
        capabilities,
        shop=SHOP,
        payment_id=PaymentId(mint("payment")),
        operation_id=OperationId(mint("operation")),
        order_id=OrderId(mint("order")),
        cart_id=None,
        method=METHOD,
        amount_minor=amount,
        currency=currency,
        now=AT,
    )


def sent_payment(amount: int = 1_000, capabilities: Capabilities = CAPABILITIES) -> Payment:
    """A payment whose beginning is on its way."""
    payment = planned_payment(amount, capabilities=capabilities)
    return learn_sending(payment, payment.operations[0].id, capabilities, AT).payment


def after(payment: Payment, outcome: Any, at: dt.datetime = AT, capabilities: Capabilities = CAPABILITIES) -> Change:
    """What an answer to the newest operation does."""
    return learn_outcome(payment, payment.operations[-1].id, outcome, capabilities, at)


def movement(
    kind: str, minor: int, ref: str, *, reference: str = "", finality: str = "final", currency: str = "JPY"
) -> StoredMovement:
    """A movement."""
    return StoredMovement(
        id=MovementId(ref),
        payment_id=PaymentId("pay_00000000000000000000000000"),
        kind=kind,
        amount_minor=minor,
        currency=currency,
        gateway=METHOD,
        account="default",
        mode="test",
        movement_ref=ref,
        reference=reference,
        finality=finality,
        at=AT,
        recorded_at=AT,
    )


def operation(kind: str, state: str, seq: int = 1, amount: int = 1_000, **more: Any) -> StoredOperation:
    """An operation."""
    return StoredOperation(
        **{
            "id": OperationId(f"opr_{seq}"),
            "payment_id": PaymentId("pay_00000000000000000000000000"),
            "seq": seq,
            "kind": OperationKind(kind),
            "state": OpState(state),
            "reference": f"ref-{seq}",
            "amount_minor": amount,
            "request_hash": "",
            "version": 1,
            "planned_at": AT,
            **more,
        }
    )
