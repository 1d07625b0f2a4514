"""Sums over a payment's movements, and what may still be moved."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from eckit.payment.model import OperationKind, Payment, StoredMovement, StoredOperation, Sums
from eckit.payment.rules.moves import is_open

AUTHORIZE: Final = "authorize"
CAPTURE: Final = "capture"
CAPTURE_REVERSED: Final = "capture_reversed"
VOID: Final = "void"
REFUND: Final = "refund"
REFUND_FAILED: Final = "refund_failed"
DISPUTE: Final = "dispute"
DISPUTE_WON: Final = "dispute_won"
DISPUTE_LOST: Final = "dispute_lost"

KINDS: Final = frozenset(
    {AUTHORIZE, CAPTURE, CAPTURE_REVERSED, VOID, REFUND, REFUND_FAILED, DISPUTE, DISPUTE_WON, DISPUTE_LOST}
)
"""Every kind of movement the core knows; each row's amount is positive, its kind gives the sign."""

PROVISIONAL: Final = "provisional"
FINAL: Final = "final"


def sums(movements: Iterable[StoredMovement], operations: Iterable[StoredOperation] = (), *, currency: str) -> Sums:
    """What the movements in this currency amount to, whatever their order.

    A provisional capture counts until it is confirmed or reversed. A reversal takes what is provisional first. A refund
    that failed cancels the refund it belongs to, and nothing where the refund had never been booked. Open refund
    operations are reserved as pending.
    """
    totals: defaultdict[str, int] = defaultdict(int)
    by_reference: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in movements:
        if one.currency != currency:
            continue
        key = f"{one.kind}.{one.finality}" if one.kind == CAPTURE else one.kind
        totals[key] += one.amount_minor
        by_reference[one.reference][one.kind] += one.amount_minor
    provisional, final = totals[f"{CAPTURE}.{PROVISIONAL}"], totals[f"{CAPTURE}.{FINAL}"]
    reversed_ = totals[CAPTURE_REVERSED]
    refunded = sum(max(0, group[REFUND] - group[REFUND_FAILED]) for group in by_reference.values())
    pending = sum(one.amount_minor for one in operations if one.kind is OperationKind.REFUND and is_open(one))
    return Sums(
        authorized=totals[AUTHORIZE],
        captured_provisional=max(0, provisional - reversed_ - final),
        captured_final=max(0, final - max(0, reversed_ - provisional)),
        voided=totals[VOID],
        refund_pending=pending,
        refunded=refunded,
        disputed=max(0, totals[DISPUTE] - totals[DISPUTE_WON] - totals[DISPUTE_LOST]),
    )


def sums_of(payment: Payment) -> Sums:
    """The sums of a payment, in its currency."""
    return sums(payment.movements, payment.operations, currency=payment.currency)


def lost(payment: Payment) -> int:
    """What was charged back for good, in minor units."""
    return _total(payment.movements, DISPUTE_LOST, payment.currency)


def reserved(payment: Payment) -> int:
    """Money that is authorized and neither captured nor released, in minor units."""
    total = sums_of(payment)
    return max(0, total.authorized - total.captured - total.voided) if total.authorized else 0


def taken(payment: Payment) -> int:
    """Money that is captured (provisionally or finally), not given back and not being given back, in minor units."""
    total = sums_of(payment)
    return max(0, total.captured - total.refunded - total.refund_pending - lost(payment))


def refundable(payment: Payment) -> int:
    """What may still be refunded: nothing while a dispute is open, for the provider has the money then."""
    total = sums_of(payment)
    if total.disputed:
        return 0
    return max(0, total.captured_final - total.refunded - total.refund_pending - lost(payment))


def held(payment: Payment) -> int:
    """Money this payment holds for its order, reserved or taken, in minor units."""
    return reserved(payment) + taken(payment)


def attributed(movements: Sequence[StoredMovement], operation: StoredOperation, *kinds: str) -> list[StoredMovement]:
    """The movements that belong to an operation, of these kinds."""
    return [one for one in movements if one.reference == operation.reference and one.kind in kinds]


def _total(movements: Iterable[StoredMovement], kind: str, currency: str) -> int:
    return sum(one.amount_minor for one in movements if one.kind == kind and one.currency == currency)
