"""What a provider's view of a payment means: its movements are booked, each with the operation it belongs to."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

import attrs

from eckit.kernel.ids import OperationId
from eckit.kernel.money import to_minor
from eckit.payment.model import (
    Capabilities,
    OperationKind,
    OpMove,
    OpState,
    Payment,
    Snapshot,
    SnapshotMovement,
    StoredMovement,
    StoredOperation,
)
from eckit.payment.rules import moves
from eckit.payment.rules.actions import waits_for_funds
from eckit.payment.rules.answers import known_kind
from eckit.payment.rules.change import KIND_OF, Change, Draft, new_movement
from eckit.payment.rules.learning import absent, age, buyers_time_is_over, decline_facts
from eckit.payment.rules.sums import AUTHORIZE, CAPTURE, DISPUTE, REFUND, REFUND_FAILED, VOID, attributed, sums

CLOCKS_APART: Final = dt.timedelta(minutes=5)
"""So much earlier than our own note of it may a provider date a movement."""

_OPERATION_OF: Final = {
    AUTHORIZE: (OperationKind.BEGIN,),
    CAPTURE: (OperationKind.CAPTURE, OperationKind.BEGIN),
    VOID: (OperationKind.VOID,),
    REFUND: (OperationKind.REFUND,),
    REFUND_FAILED: (OperationKind.REFUND,),
}


def misfit(payment: Payment, snapshot: Snapshot, *, signed: bool) -> str | None:
    """Why a snapshot is not about this payment; None if it is.

    :param signed: it came by itself and must say which merchant account and mode it is of; an answer to our own
        question may leave that out.
    """
    for name, ours, theirs in (
        ("account", payment.account, snapshot.account),
        ("mode", payment.mode, snapshot.mode),
        ("reference", payment.begin_reference, snapshot.begin_reference),
    ):
        if theirs != ours and (theirs or signed or name == "reference"):
            return name
    for movement in snapshot.movements:
        if not known_kind(movement.kind):
            return "kind"
        if movement.money.currency.code != payment.currency:
            return "currency"
    return None


def learn_snapshot(
    payment: Payment,
    snapshot: Snapshot,
    capabilities: Capabilities,
    now: dt.datetime,
    *,
    asked_for: OperationId | None = None,
    wanted: bool = True,
    taken: frozenset[str] = frozenset(),
) -> Change:
    """Book what the provider tells, and move the operations it settles, whatever the order news comes in.

    :param asked_for: the operation that was looked up; None for a notice, which may show only a part, so that what is
        missing in it means nothing.
    :param wanted: as :func:`eckit.payment.rules.learning.learn_absence`.
    """
    draft = Draft(payment, capabilities, now, taken)
    draft.provider_ref = draft.provider_ref or snapshot.provider_ref or None
    concerned: dict[OperationId, str | None] = {}
    for told in snapshot.movements:
        operation_id, trouble = _book(draft, told)
        if operation_id is not None:
            concerned[operation_id] = concerned.get(operation_id) or trouble
    for operation_id, trouble in concerned.items():
        _conclude(draft, operation_id, trouble)
    _heed_status(draft, snapshot, asked=asked_for is not None)
    if asked_for is not None:
        _missing(draft, asked_for, wanted=wanted)
        age(draft, asked_for)
    _flag(draft)
    return draft.change()


def _book(draft: Draft, told: SnapshotMovement) -> tuple[OperationId | None, str | None]:
    """Book one movement; the operation it belongs to, and why it could not be booked."""
    movement = new_movement(
        draft.before,
        kind=told.kind,
        now=draft.now,
        amount_minor=to_minor(told.money),
        currency=told.money.currency.code,
        movement_ref=told.movement_ref,
        reference=told.reference,
        finality=told.finality,
        at=told.at,
    )
    known = draft.knows(movement)
    reference = known.reference if known is not None else _reference(draft, movement)
    trouble = draft.book(attrs.evolve(movement, reference=reference))
    if trouble is None and known is None and told.kind == DISPUTE:
        draft.task("dispute", movement.amount_minor, "a dispute was opened", about=told.movement_ref[:80])
    owner = next((one for one in draft.operations if one.reference == reference), None)
    return (owner.id if owner else None), trouble


def _reference(draft: Draft, movement: StoredMovement) -> str:
    """The reference of the operation a movement belongs to: the one the provider tells, else the one it can only be.

    Many providers know a payment by the reference it began with and nothing else, so that one says no more than none.
    A reference that is not ours says that something else did it; only a beginning is paid by whatever comes.
    """
    if any(movement.reference == one.reference for one in draft.operations if one.kind is not OperationKind.BEGIN):
        return movement.reference
    foreign = movement.reference not in {"", draft.before.begin_reference}
    for kind in _OPERATION_OF.get(movement.kind, ()):
        if foreign and kind is not OperationKind.BEGIN:
            continue
        free = [one for one in draft.operations if one.kind is kind and _may_own(draft, one, movement)]
        if free:
            return min(free, key=lambda one: (not moves.is_open(one), one.seq)).reference
    return movement.reference if foreign else ""


def _may_own(draft: Draft, operation: StoredOperation, movement: StoredMovement) -> bool:
    """Whether a movement can be what this operation did: sent, of its amount, and with none of its own yet."""
    if operation.sent_at is None:
        return False
    if waits_for_funds(operation.action):
        return movement.kind == CAPTURE  # money that comes by itself may come in several parts
    if attributed(draft.movements, operation, movement.kind):
        return False
    if operation.kind is OperationKind.BEGIN:
        # what is captured after an authorization was captured by something else
        return movement.kind == AUTHORIZE or not sums(draft.movements, currency=draft.before.currency).authorized
    same = operation.amount_minor == movement.amount_minor
    return same and movement.at >= operation.planned_at - CLOCKS_APART


def _conclude(draft: Draft, operation_id: OperationId, trouble: str | None) -> None:
    operation = draft.operation(operation_id)
    if operation.kind is OperationKind.REFUND and attributed(draft.movements, operation, REFUND_FAILED):
        if not moves.gives_back(operation):  # that is tried again, and becomes a task when it was refused too often
            draft.task(
                "refund_failed", operation.amount_minor, "the provider could not give it back", about=operation_id
            )
        if moves.is_open(operation):
            draft.move(operation_id, OpMove.DECLINED, cause="refund failed", decline_code="other", retry="other")
        return
    own = KIND_OF[operation.kind]
    kinds = (own, CAPTURE) if operation.kind is OperationKind.BEGIN else (own,)
    if attributed(draft.movements, operation, *kinds):
        draft.conclude(operation_id, trouble, **_ends(draft, operation))


def _ends(draft: Draft, operation: StoredOperation) -> dict[str, dt.datetime]:
    """When an authorization ends, as far as it is declared."""
    ttl = draft.capabilities.auth_ttl
    authorized = attributed(draft.movements, operation, AUTHORIZE)
    return {"expires_at": authorized[0].at + ttl} if ttl and authorized else {}


def _heed_status(draft: Draft, snapshot: Snapshot, *, asked: bool) -> None:
    """The status word decides only where no money has moved; while our own answer is on its way, only a definite no."""
    operation = draft.begin
    total = sums(draft.movements, currency=draft.before.currency)
    if not moves.is_open(operation) or total.authorized or total.captured:
        return
    match snapshot.status:
        case "declined":
            facts = decline_facts(snapshot.decline) if snapshot.decline else {"decline_code": "other", "retry": "other"}
            draft.move(operation.id, OpMove.DECLINED, **facts)
        case "expired":
            draft.move(operation.id, OpMove.EXPIRED, cause="expired")
        case "voided":
            draft.move(operation.id, OpMove.ABANDONED, cause="closed at the provider")
        case "waiting_buyer" if operation.state is OpState.IN_DOUBT:
            until = snapshot.deadline or draft.now + draft.capabilities.action_ttl
            draft.move(operation.id, OpMove.BUYER_MUST_ACT, expires_at=until)
        case "waiting_provider" if operation.state in _NOT_WORKING or (asked and operation.state is OpState.SENT):
            draft.move(operation.id, OpMove.PROVIDER_WORKS)
        case _:
            return


_NOT_WORKING: Final = frozenset({OpState.IN_DOUBT, OpState.WAITING_BUYER})


def _missing(draft: Draft, asked_for: OperationId, *, wanted: bool) -> None:
    """The provider was asked and shows nothing of this operation."""
    operation = draft.operation(asked_for)
    if operation.kind is OperationKind.BEGIN:
        buyers_time_is_over(draft, operation)
    elif not attributed(draft.movements, operation, KIND_OF[operation.kind]):
        absent(draft, operation, wanted=wanted)


def _flag(draft: Draft) -> None:
    """Facts of the provider's are recorded even where they break a rule of ours; a person is told."""
    total = sums(draft.movements, currency=draft.before.currency)
    if total.authorized and total.captured > total.authorized:
        over = total.captured - total.authorized
        draft.task("over_captured", over, "more was captured than had been authorized")


def references(movements: Iterable[SnapshotMovement]) -> tuple[str, ...]:
    """The provider's ids of what a snapshot tells."""
    return tuple(movement.movement_ref for movement in movements)
