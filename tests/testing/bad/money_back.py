"""F. Money back: too much, too little, or secretly."""

import attrs
from moneyed import Money

from eckit import (
    Capture,
    Captured,
    Declined,
    GatewayIo,
    NoSuchPayment,
    Query,
    QueryFailed,
    Refund,
    Refunded,
    RefundPending,
    Snapshot,
    Void,
    Voided,
)
from eckit.payment import Outcome
from tests.testing.bad.notices import BadNotices


class BadMoneyBack(BadNotices):
    """Gives back too much, too little, or secretly."""

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        taken = [one.amount for one in op.previous if one.kind == "capture"]
        back = [one.amount for one in op.previous if one.kind == "refund"]
        whole = sum(taken, Money(0, op.money.currency)) - sum(back, Money(0, op.money.currency))
        if whole > op.money and self._is("F.refunds_everything"):
            outcome = super().refund(io, attrs.evolve(op, money=whole))
            return attrs.evolve(outcome, money=op.money) if isinstance(outcome, Refunded) else outcome
        outcome = super().refund(io, op)
        if isinstance(outcome, RefundPending) and self._is("F.pending_is_done"):
            return Refunded(
                money=op.money, movement_ref=outcome.movement_ref, provider_ref=outcome.provider_ref, at=io.now()
            )
        return outcome

    def capture(self, io: GatewayIo, op: Capture) -> Outcome:
        reserved = sum((one.amount for one in op.previous if one.kind == "authorize"), Money(0, op.money.currency))
        if reserved > op.money and self._is("F.captures_everything"):
            outcome = super().capture(io, attrs.evolve(op, money=reserved))
            return attrs.evolve(outcome, money=op.money) if isinstance(outcome, Captured) else outcome
        return super().capture(io, op)

    def void(self, io: GatewayIo, op: Void) -> Outcome:
        outcome = super().void(io, op)
        if isinstance(outcome, Declined) and self._is("F.void_becomes_refund"):
            refund = Refund(**{field.name: getattr(op, field.name) for field in attrs.fields(Refund)})
            refunded = super().refund(io, refund)
            if isinstance(refunded, Refunded):
                facts = {field.name: getattr(refunded, field.name) for field in attrs.fields(Voided)}
                return Voided(**facts)
        return outcome

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        found = super().query(io, q)
        if not isinstance(found, Snapshot):
            return found
        kept = tuple(one for one in found.movements if one.kind != "refund_failed")
        if kept != found.movements and self._is("F.failed_refund_is_hidden"):
            return attrs.evolve(found, movements=kept)
        return found
