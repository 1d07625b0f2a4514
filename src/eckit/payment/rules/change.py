"""A payment as it changes by news: a draft that books movements and moves operations, and the Change that results."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from eckit.kernel.ids import MovementId, OperationId
from eckit.kernel.states import move
from eckit.payment.model import (
    Capabilities,
    OperationKind,
    OpMove,
    OpState,
    Payment,
    StoredMovement,
    StoredOperation,
    Task,
)
from eckit.payment.rules import moves
from eckit.payment.rules.actions import waits_for_funds
from eckit.payment.rules.recovery import next_check
from eckit.payment.rules.sums import AUTHORIZE, CAPTURE, REFUND, VOID, attributed, sums

KIND_OF: Final[Mapping[OperationKind, str]] = {
    OperationKind.BEGIN: AUTHORIZE,
    OperationKind.CAPTURE: CAPTURE,
    OperationKind.VOID: VOID,
    OperationKind.REFUND: REFUND,
}
"""The kind of movement an operation is there to bring about (a sale begins with a capture)."""

_SENDING_MOVES: Final = frozenset({OpMove.SENDING, OpMove.NOT_SENT})


@attrs.frozen(kw_only=True)
class Step:
    """One listed transition of an operation."""

    operation_id: OperationId
    before: OpState
    move: OpMove
    after: OpState


@attrs.frozen(kw_only=True)
class Change:
    """What news does to a payment: the payment as it was and will be, and the rows in between.

    :ivar operations: those that changed. ``movements``: new ones, still without ids.
    :ivar misfits: why an answer does not fit what was asked; empty if everything does.
    :ivar refused: news that the table of moves has no row for, by operation; noted in the log.
    """

    before: Payment
    payment: Payment
    operations: tuple[StoredOperation, ...] = ()
    movements: tuple[StoredMovement, ...] = ()
    steps: tuple[Step, ...] = ()
    tasks: tuple[Task, ...] = ()
    misfits: tuple[str, ...] = ()
    refused: tuple[tuple[OperationId, OpMove], ...] = ()

    def moved_to(self, state: OpState) -> tuple[StoredOperation, ...]:
        """The operations that are in this state now and were not before."""
        was = {operation.id: operation.state for operation in self.before.operations}
        return tuple(one for one in self.payment.operations if one.state is state and was.get(one.id) is not state)


class Draft:
    """A payment while news is applied to it. Not shared, not kept.

    :param taken: movement references that belong to other payments of the same merchant account.
    """

    def __init__(
        self, payment: Payment, capabilities: Capabilities, now: dt.datetime, taken: frozenset[str] = frozenset()
    ) -> None:
        self.before = payment
        self.capabilities = capabilities
        self.now = now
        self.provider_ref = payment.provider_ref
        self._taken = taken
        self._operations = {operation.id: operation for operation in payment.operations}
        self._movements = list(payment.movements)
        self._steps: list[Step] = []
        self._tasks: list[Task] = []
        self._misfits: list[str] = []
        self._refused: list[tuple[OperationId, OpMove]] = []

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def operations(self) -> tuple[StoredOperation, ...]:
        """As they are by now, in the order they were planned."""
        return tuple(sorted(self._operations.values(), key=lambda operation: operation.seq))

    @property
    def movements(self) -> tuple[StoredMovement, ...]:
        """All of them by now."""
        return tuple(self._movements)

    @property
    def begin(self) -> StoredOperation:
        """The operation the payment began with."""
        return next(one for one in self.operations if one.kind is OperationKind.BEGIN)

    def operation(self, operation_id: OperationId) -> StoredOperation:
        """One operation as it is by now."""
        return self._operations[operation_id]

    # -- moving ------------------------------------------------------------------------------------------------------

    def move(self, operation_id: OperationId, by: OpMove, **facts: Any) -> bool:
        """Take the listed way for this news; whether there is one."""
        way = moves.way(self.operation(operation_id).state, by)
        if by is OpMove.OVERDUE and self._another_blocks(operation_id):
            way = ()  # at most one operation may be in doubt; this one is looked at again later
        if not way:
            self._refused.append((operation_id, by))
            return False
        self._walk(operation_id, way, facts)
        return True

    def to_a_person(self, operation_id: OperationId, why: str) -> None:
        """Give an operation whose answer does not fit to a person; one that has ended stays as it is."""
        self._misfits.append(why)
        self.task("misfit", self.operation(operation_id).amount_minor, why, about=operation_id)
        self._walk(operation_id, moves.way_to_a_person(self.operation(operation_id).state), {"cause": why})

    def keep(self, operation_id: OperationId, **facts: Any) -> None:
        """Note facts about an operation without moving it."""
        operation = self.operation(operation_id)
        self._operations[operation_id] = attrs.evolve(operation, version=operation.version + 1, **facts)

    def look_again(self, operation_id: OperationId) -> None:
        """One more look brought nothing: when the next one comes."""
        operation = self.operation(operation_id)
        self.keep(
            operation_id, check_at=next_check(operation, self.capabilities, self.now), checks=operation.checks + 1
        )

    def task(self, kind: str, amount_minor: int, reason: str, *, about: str = "") -> None:
        """Something a person must do."""
        self._tasks.append(
            Task(
                kind=kind,
                payment_id=self.before.id,
                amount_minor=amount_minor,
                reason=reason,
                opened_at=self.now,
                about=about,
            )
        )

    def _another_blocks(self, operation_id: OperationId) -> bool:
        return any(moves.blocks(one) for one in self._operations.values() if one.id != operation_id)

    def _walk(self, operation_id: OperationId, way: tuple[OpMove, ...], facts: Mapping[str, Any]) -> None:
        if not way:
            return
        operation = self.operation(operation_id)
        for by in way:
            after = move(moves.MOVES, operation.state, by)
            self._steps.append(Step(operation_id=operation_id, before=operation.state, move=by, after=after))
            operation = attrs.evolve(operation, state=after, **self._marks(operation, by, after))
        # what cannot be sent is tried ever more rarely; every other state begins the schedule anew
        tries = operation.checks if way[-1] in _SENDING_MOVES else 0
        operation = attrs.evolve(operation, version=operation.version + 1, checks=tries, **{"cause": "", **facts})
        check_at = facts.get("check_at") or next_check(operation, self.capabilities, self.now)
        looks = tries + (check_at is not None and way[-1] is not OpMove.SENDING)
        self._operations[operation_id] = attrs.evolve(operation, check_at=check_at, checks=looks)

    def _marks(self, operation: StoredOperation, by: OpMove, after: OpState) -> dict[str, Any]:
        """The instants and flags that go with one transition."""
        marks: dict[str, Any] = {"ended_at": self.now if after in moves.ENDED else None}
        if by is OpMove.SENDING:
            marks["sent_at"] = self.now
        if by is OpMove.NOT_SENT:
            marks["sent_at"] = None
        if by is OpMove.LATE_MONEY:
            marks["late"] = True
        if after is OpState.IN_DOUBT:
            marks["in_doubt_at"] = operation.in_doubt_at or self.now
        elif by is not OpMove.GIVEN_UP and after is not OpState.WAITING_PROVIDER:  # "pending" again ends no doubt
            marks["in_doubt_at"] = None
        return marks

    # -- booking -----------------------------------------------------------------------------------------------------

    def book(self, movement: StoredMovement) -> str | None:
        """Book a movement, once whoever tells of it. Why it cannot be booked, if so; then a person is asked.

        A provider that uses one id for two kinds of movement gets two rows; one id with two amounts is a contradiction.
        """
        if movement.movement_ref in self._taken:
            return self._contradiction(movement, "movement of another payment")
        for known in self._movements:
            if known.movement_ref != movement.movement_ref:
                continue
            if (known.kind, known.finality) != (movement.kind, movement.finality):
                return self.book(attrs.evolve(movement, movement_ref=f"{movement.movement_ref}{_apart(movement)}"))
            same_amount = (known.amount_minor, known.currency) == (movement.amount_minor, movement.currency)
            same_operation = not known.reference or not movement.reference or known.reference == movement.reference
            if same_amount and same_operation:
                return None
            return self._contradiction(movement, "movement told twice, differently")
        self._movements.append(movement)
        return None

    def knows(self, movement: StoredMovement) -> StoredMovement | None:
        """The row of this movement, if it is booked already."""
        variant = f"{movement.movement_ref}{_apart(movement)}"
        for known in self._movements:
            same_kind = (known.kind, known.finality) == (movement.kind, movement.finality)
            if same_kind and known.movement_ref in {movement.movement_ref, variant}:
                return known
        return None

    def _contradiction(self, movement: StoredMovement, why: str) -> str:
        self._misfits.append(why)
        self.task("misfit", movement.amount_minor, why, about=movement.movement_ref[:80])
        return why

    def conclude(self, operation_id: OperationId, trouble: str | None = None, **facts: Any) -> None:
        """An operation's own movements are booked: it has succeeded, unless they are not what was asked for."""
        operation = self.operation(operation_id)
        trouble = trouble or self._misfit(operation)
        if trouble:
            self.to_a_person(operation_id, trouble)
        elif operation.state is not OpState.SUCCEEDED and self._enough(operation):
            # until when the buyer could act is over and done; what counts now is until when the money is reserved
            over = operation.expires_at if waits_for_funds(operation.action) else None
            self.move(operation_id, OpMove.SUCCEEDED, **{"expires_at": over, **facts})

    def _misfit(self, operation: StoredOperation) -> str | None:
        kind = KIND_OF[operation.kind]
        mine = attributed(self._movements, operation, kind)
        if operation.kind is OperationKind.BEGIN and not mine:
            mine = attributed(self._movements, operation, CAPTURE)
        if any(one.currency != self.before.currency for one in mine):
            return "currency"
        if waits_for_funds(operation.action):
            return None  # a transfer may be of any amount
        return None if sum(one.amount_minor for one in mine) == operation.amount_minor else "amount"

    def _enough(self, operation: StoredOperation) -> bool:
        """Whether money that comes by itself has all come, for good; other operations are done when they are done."""
        if not waits_for_funds(operation.action) or operation.state in moves.ENDED:
            return True
        return sums(self._movements, currency=self.before.currency).captured_final >= operation.amount_minor

    # -- result ------------------------------------------------------------------------------------------------------

    def change(self) -> Change:
        """What came of it."""
        was = {operation.id: operation for operation in self.before.operations}
        changed = tuple(one for one in self.operations if was[one.id] != one)
        new = tuple(self._movements[len(self.before.movements) :])
        after = attrs.evolve(
            self.before, operations=self.operations, movements=self.movements, provider_ref=self.provider_ref
        )
        return Change(
            before=self.before,
            payment=after,
            operations=changed,
            movements=new,
            steps=tuple(self._steps),
            tasks=tuple(self._tasks),
            misfits=tuple(self._misfits),
            refused=tuple(self._refused),
        )


def _apart(movement: StoredMovement) -> str:
    """What is added to the provider's id of a movement where the provider uses it for another kind, too."""
    return f"#{movement.kind}-{movement.finality}"


def provider_ref_of(movements: Sequence[StoredMovement], movement: StoredMovement) -> str:
    """The provider's own id of one of a payment's movements: without what was added to it when it was booked."""
    plain = movement.movement_ref.removesuffix(_apart(movement))
    return plain if any(other.movement_ref == plain for other in movements) else movement.movement_ref


def new_movement(payment: Payment, *, kind: str, now: dt.datetime, **facts: Any) -> StoredMovement:
    """A movement of a payment, without its id yet."""
    return StoredMovement(
        id=MovementId(""),
        payment_id=payment.id,
        kind=kind,
        gateway=payment.method,
        account=payment.account,
        mode=payment.mode,
        recorded_at=now,
        **facts,
    )
