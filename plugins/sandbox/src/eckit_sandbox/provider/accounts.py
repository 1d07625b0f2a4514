"""What a payment amounts to: sums over its movements, its status, and the view of it that is answered and told."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from eckit_sandbox.provider.currencies import EXPONENTS
from eckit_sandbox.provider.ledger import Movement, Operation, Payment


class Sums(NamedTuple):
    """Integer minor units by kind; ``refund_pending`` is promised and not yet moved."""

    authorized: int
    captured: int
    voided: int
    refunded: int
    refund_pending: int

    @property
    def reserved(self) -> int:
        """What can still be captured or voided."""
        return max(0, self.authorized - self.captured - self.voided)

    @property
    def refundable(self) -> int:
        """What can still be refunded; negative after a refund that should not have been allowed."""
        return self.captured - self.refunded - self.refund_pending


def sums(movements: list[Movement], operations: list[Operation]) -> Sums:
    """Add up a payment."""
    totals = dict.fromkeys(("authorize", "capture", "void", "refund"), 0)
    for movement in movements:
        totals[movement.kind] += movement.amount
    pending = sum(op.amount for op in operations if op.kind == "refund" and op.state == "pending")
    return Sums(totals["authorize"], totals["capture"], totals["void"], totals["refund"], pending)


def is_expired(payment: Payment, now: str) -> bool:
    """Say whether the time of an open challenge or of a reservation has passed."""
    return payment.expires_at is not None and payment.expires_at <= now


def status(payment: Payment, total: Sums, now: str) -> str:
    """Return the one word for a payment."""
    if payment.state == "challenge" and is_expired(payment, now):
        return "expired"
    if payment.state == "closed":
        return "voided"
    if payment.state != "approved":
        return payment.state
    if total.refunded:
        return "refunded" if total.refunded >= total.captured else "partially_refunded"
    if total.captured:
        return "captured" if payment.capture or not total.reserved else "partially_captured"
    if total.voided:
        return "voided"
    return "expired" if is_expired(payment, now) else "authorized"


def snapshot(
    payment: Payment, movements: list[Movement], operations: list[Operation], *, now: str, base_url: str
) -> dict[str, Any]:
    """Return the whole view of a payment as JSON-able members; amounts are integer minor units."""
    total = sums(movements, operations)
    word = status(payment, total, now)
    action = None
    if word == "challenge":
        url = f"{base_url}/challenge/{payment.challenge}"
        action = {"kind": "redirect", "method": "GET", "url": url, "expires_at": payment.expires_at}
    return {
        "id": payment.id,
        "reference": payment.reference,
        "account": payment.account,
        "mode": payment.mode,
        "amount": payment.amount,
        "currency": payment.currency,
        "exponent": EXPONENTS[payment.currency],
        "capture": bool(payment.capture),
        "status": word,
        "code": payment.code,
        "created_at": payment.created_at,
        "expires_at": payment.expires_at,
        "sequence": payment.sequence,
        **total._asdict(),
        "action": action,
        "movements": [movement_view(movement) for movement in movements],
        "operations": [operation_view(operation) for operation in operations],
        "metadata": json.loads(payment.metadata),
    }


def movement_view(movement: Movement) -> dict[str, Any]:
    """Return a movement as JSON-able members."""
    names = ("id", "kind", "amount", "currency", "at", "reference", "finality")
    return {name: getattr(movement, name) for name in names}


def ledger_view(movement: Movement) -> dict[str, Any]:
    """Return a movement with the payment it belongs to."""
    owner = {"account": movement.account, "mode": movement.mode, "payment": movement.payment}
    return movement_view(movement) | owner


def operation_view(operation: Operation) -> dict[str, Any]:
    """Return an operation as JSON-able members."""
    names = ("reference", "kind", "amount", "state", "code", "movement_id", "at")
    return {name: getattr(operation, name) for name in names}
