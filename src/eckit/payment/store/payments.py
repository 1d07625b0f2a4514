"""Payments with their operations and movements: load and save."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import attrs
import sqlalchemy as sa

from eckit.kernel.errors import MovedError
from eckit.kernel.ids import CartId, MethodCode, OperationId, OrderId, PaymentId
from eckit.kernel.minting import mint
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Instant
from eckit.kernel.work import Work
from eckit.payment.model import Application, OperationKind, OpState, Payment, StoredMovement, StoredOperation
from eckit.payment.rules import Change, reserved
from eckit.payment.store.tables import application, movement, notice, operation, operation_step, payment

T = TypeVar("T")

SWEEP_FIRST = dt.timedelta(minutes=10)
SWEEP_LATER = dt.timedelta(hours=1)

# -- loading ----------------------------------------------------------------------------------------------------------

_OPERATIONS = (
    sa.select(operation)
    .where(operation.c.payment_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(operation.c.payment_id, operation.c.seq)
)
_MOVEMENTS = (
    sa.select(movement)
    .where(movement.c.payment_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(movement.c.payment_id, movement.c.recorded_at, movement.c.id)
)
_ORDER_OF = sa.select(payment.c.order_id).where(payment.c.id == sa.bindparam("id"))


def order_of(work: Work, payment_id: PaymentId) -> OrderId | None:
    """The order a payment is for; it never changes."""
    found: str | None = work.execute(_ORDER_OF, {"id": payment_id}).scalar_one_or_none()
    return None if found is None else OrderId(found)


def load(work: Work, payment_id: PaymentId, *, lock: bool = False) -> Payment | None:
    """One payment."""
    return next(iter(_load(work, payment.c.id == payment_id, lock=lock)), None)


def for_order(work: Work, order_id: OrderId, *, lock: bool = False) -> tuple[Payment, ...]:
    """An order's payments, oldest attempt first."""
    return _load(work, payment.c.order_id == order_id, lock=lock)


def by_begin_reference(work: Work, reference: str) -> Payment | None:
    """The payment that began with this reference of ours."""
    return next(iter(_load(work, payment.c.begin_reference == reference)), None)


def _load(work: Work, condition: sa.ColumnElement[bool], *, lock: bool = False) -> tuple[Payment, ...]:
    query = sa.select(payment).where(condition).order_by(payment.c.attempt)
    rows = work.execute(query.with_for_update() if lock else query).all()
    if not rows:
        return ()
    ids = {"ids": [row.id for row in rows]}
    operations = _grouped(map(_operation, work.execute(_OPERATIONS, ids)))
    movements = _grouped(map(_movement, work.execute(_MOVEMENTS, ids)))
    return tuple(_payment(row, operations.get(row.id, ()), movements.get(row.id, ())) for row in rows)


def _grouped(items: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for item in items:
        found[item.payment_id].append(item)
    return {key: tuple(values) for key, values in found.items()}


def _payment(
    row: sa.Row[Any], operations: tuple[StoredOperation, ...], movements: tuple[StoredMovement, ...]
) -> Payment:
    return Payment(
        id=PaymentId(row.id),
        order_id=OrderId(row.order_id),
        cart_id=CartId(row.cart_id) if row.cart_id else None,
        method=MethodCode(row.method),
        tender=row.tender,
        held_by=row.held_by,
        amount_minor=row.amount_minor,
        currency=row.currency,
        begin_reference=row.begin_reference,
        provider_ref=row.provider_ref,
        account=row.account,
        mode=row.mode,
        version=row.version,
        created_at=row.created_at,
        earned_minor=row.earned_minor,
        keep_minor=row.keep_minor,
        operations=operations,
        movements=movements,
    )


def _operation(row: sa.Row[Any]) -> StoredOperation:
    facts = dict(row._mapping)
    facts["kind"], facts["state"] = OperationKind(row.kind), OpState(row.state)
    return StoredOperation(**facts)


def _movement(row: sa.Row[Any]) -> StoredMovement:
    return StoredMovement(**row._mapping)


# -- saving -----------------------------------------------------------------------------------------------------------


_ADD_PAYMENT: Final = sa.insert(payment)
_ADD_OPERATION: Final = sa.insert(operation)
_PAYMENT_FIELDS: Final = tuple(
    field.name for field in attrs.fields(Payment) if field.name not in {"operations", "movements"}
)


def add_payment(work: Work, one: Payment, *, attempt: int) -> None:
    """Insert a new attempt and the operation it begins with: two statements."""
    row = {name: getattr(one, name) for name in _PAYMENT_FIELDS}
    work.execute(_ADD_PAYMENT, {**row, "attempt": attempt})
    for planned in one.operations:
        add_operation(work, planned)


def add_operation(work: Work, one: StoredOperation) -> None:
    """Insert a planned operation."""
    work.execute(_ADD_OPERATION, _operation_row(one))


def _operation_row(one: StoredOperation) -> dict[str, Any]:
    row = {field.name: getattr(one, field.name) for field in attrs.fields(StoredOperation)}
    row["kind"], row["state"] = one.kind.value, one.state.value
    row["action"] = None if one.action is None else dict(one.action)
    return row


def save_change(work: Work, change: Change) -> None:
    """Write what news changed. The payment is locked by the caller, or the operation's version decides who was first.

    :raises MovedError: somebody else was.
    """
    _save_movements(work, change)
    was = {one.id: one for one in change.before.operations}
    for one in change.operations:
        _save_operation(work, one, was[one.id].version)
    _save_steps(work, change)
    _save_payment(work, change)


def _save_operation(work: Work, one: StoredOperation, version: int) -> None:
    statement = (
        sa.update(operation)
        .where(operation.c.id == one.id, operation.c.version == version)
        .values({name: value for name, value in _operation_row(one).items() if name not in _FIXED})
    )
    if work.execute(statement).rowcount != 1:
        raise MovedError(what=f"operation {one.id}")


_FIXED = frozenset(
    {"id", "payment_id", "seq", "kind", "reference", "amount_minor", "request_hash", "planned_at", "key"}
)


def _save_movements(work: Work, change: Change) -> None:
    if not change.movements:
        return
    rows = [{**attrs.asdict(one, recurse=False), "id": mint("movement")} for one in change.movements]
    insert = upsert(work.connection, movement).values(rows)
    added = insert.on_conflict_do_nothing(index_elements=["gateway", "account", "mode", "movement_ref"])
    if len(work.execute(added.returning(movement.c.id)).all()) != len(rows):
        raise MovedError(what="movement")  # another payment was told of it this very moment: look again


def _save_steps(work: Work, change: Change) -> None:
    if not change.steps:
        return
    touched = sorted({step.operation_id for step in change.steps})
    last = (
        sa.select(operation_step.c.operation_id, sa.func.max(operation_step.c.seq).label("last"))
        .where(operation_step.c.operation_id.in_(touched))
        .group_by(operation_step.c.operation_id)
    )
    seqs: dict[str, int] = {row.operation_id: row.last for row in work.execute(last)}
    rows = []
    for step in change.steps:
        seqs[step.operation_id] = seqs.get(step.operation_id, 0) + 1
        rows.append(
            {
                "operation_id": step.operation_id,
                "seq": seqs[step.operation_id],
                "before": step.before.value,
                "move": step.move.value,
                "after": step.after.value,
                "at": work.now,
                "by": str(work.actor),
            }
        )
    work.execute(sa.insert(operation_step).values(rows))


def _save_payment(work: Work, change: Change) -> None:
    before, after = change.before, change.payment
    if before.provider_ref == after.provider_ref and not change.movements:
        return
    values: dict[str, Any] = {"provider_ref": after.provider_ref, "version": payment.c.version + 1}
    values["sweep_at"] = work.now + SWEEP_FIRST if reserved(after) else None
    work.execute(sa.update(payment).where(payment.c.id == after.id).values(values))


def set_earned(work: Work, payment_id: PaymentId, earned_minor: int) -> None:
    """Note what is to be captured."""
    work.execute(sa.update(payment).where(payment.c.id == payment_id).values(earned_minor=earned_minor))


def set_keep(work: Work, payment_id: PaymentId, keep_minor: int) -> None:
    """Note how much of it its order still wants."""
    work.execute(sa.update(payment).where(payment.c.id == payment_id).values(keep_minor=keep_minor))


# -- applications -----------------------------------------------------------------------------------------------------


def applied(work: Work, payment_id: PaymentId) -> int:
    """What of a payment is applied to its order, in minor units."""
    query = sa.select(sa.func.coalesce(sa.func.sum(application.c.amount_minor), 0))
    return int(work.execute(query.where(application.c.payment_id == payment_id)).scalar_one())


def add_application(work: Work, one: Application) -> None:
    """Insert an application."""
    work.execute(sa.insert(application).values({**attrs.asdict(one), "id": mint("application")}))


# -- finding ----------------------------------------------------------------------------------------------------------


def taken_references(work: Work, one: Payment, references: Sequence[str]) -> frozenset[str]:
    """Which of these movement references belong to other payments of the same merchant account."""
    if not references:
        return frozenset()
    query = sa.select(movement.c.movement_ref).where(
        movement.c.gateway == one.method,
        movement.c.account == one.account,
        movement.c.mode == one.mode,
        movement.c.movement_ref.in_(references),
        movement.c.payment_id != one.id,
    )
    return frozenset(work.execute(query).scalars())


def lease_operations(
    work: Work, *, until: dt.datetime, limit: int, order_id: OrderId | None = None, planned_only: bool = False
) -> tuple[tuple[PaymentId, OperationId], ...]:
    """Take operations that are due, each for one worker only until ``until``; the most overdue first."""
    due = (
        sa.select(operation.c.id)
        .where(operation.c.check_at <= work.now)
        .order_by(operation.c.check_at, operation.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if planned_only:
        due = due.where(operation.c.state == OpState.PLANNED.value)
    if order_id is not None:
        due = due.where(operation.c.payment_id.in_(sa.select(payment.c.id).where(payment.c.order_id == order_id)))
    statement = (
        sa.update(operation)
        .where(operation.c.id.in_(due), operation.c.check_at <= work.now)
        .values(check_at=until)
        .returning(operation.c.payment_id, operation.c.id)
    )
    return tuple((PaymentId(row.payment_id), OperationId(row.id)) for row in work.execute(statement))


def lease_reservations(work: Work, *, limit: int) -> tuple[OrderId, ...]:
    """Take payments with reserved money; their orders, which are to be looked at."""
    due = (
        sa.select(payment.c.id)
        .where(payment.c.sweep_at <= work.now)
        .order_by(payment.c.sweep_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        sa.update(payment)
        .where(payment.c.id.in_(due), payment.c.sweep_at <= work.now)
        .values(sweep_at=work.now + SWEEP_LATER)
        .returning(payment.c.order_id)
    )
    return tuple(sorted({OrderId(row.order_id) for row in work.execute(statement)}))


@attrs.frozen
class Due:
    """What recovery has to do now: nothing where all are false."""

    notices: bool
    operations: bool
    reservations: bool


def due(work: Work) -> Due:
    """What is due, in one statement, so that an idle round of recovery writes nothing and waits for nobody."""
    row = work.execute(_DUE, {"now": work.now}).one()
    return Due(bool(row.notices), bool(row.operations), bool(row.reservations))


_NOW = sa.bindparam("now", type_=Instant)
_DUE = sa.select(
    sa.exists().where(notice.c.state.in_(("received", "waiting")), notice.c.due_at <= _NOW).label("notices"),
    sa.exists().where(operation.c.check_at <= _NOW).label("operations"),
    sa.exists().where(payment.c.sweep_at <= _NOW).label("reservations"),
)


def was_used(work: Work, method: MethodCode) -> bool:
    """Whether anything was ever paid this way."""
    query = sa.select(payment.c.id).where(payment.c.method == method).limit(1)
    return work.execute(query).first() is not None


def operations_in(work: Work, states: Iterable[OpState], *, after: str, limit: int) -> tuple[StoredOperation, ...]:
    """Operations in these states, by id."""
    query = (
        sa.select(operation)
        .where(operation.c.state.in_([state.value for state in states]), operation.c.id > after)
        .order_by(operation.c.id)
        .limit(limit)
    )
    return tuple(map(_operation, work.execute(query)))
