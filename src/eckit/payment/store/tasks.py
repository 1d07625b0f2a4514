"""Tasks: what only a person can do."""

from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from eckit.kernel.ids import PaymentId
from eckit.kernel.stamps import upsert
from eckit.kernel.work import Work
from eckit.payment.model import Task
from eckit.payment.store.tables import task


def add_tasks(work: Work, tasks: Sequence[Task]) -> None:
    """Open tasks. One that is open for the same thing shows the newest amount; one that a person has closed is opened
    again only if more is at stake now.
    """
    rows = {(one.kind, one.about): {**attrs.asdict(one), "reason": one.reason[:200]} for one in tasks}
    if not rows:
        return
    insert = upsert(work.connection, task).values(list(rows.values()))
    newest, was_open = insert.excluded, task.c.closed_at.is_(None)
    work.execute(
        insert.on_conflict_do_update(
            index_elements=["payment_id", "kind", "about"],
            set_={
                "amount_minor": newest.amount_minor,
                "reason": newest.reason,
                "opened_at": sa.case((was_open, task.c.opened_at), else_=newest.opened_at),
                "closed_at": None,
            },
            where=was_open | (newest.amount_minor > task.c.amount_minor),
        )
    )


def has_open_task(work: Work, payment_id: PaymentId, kinds: Sequence[str]) -> bool:
    """Whether a person has yet to decide something of these kinds."""
    query = sa.select(task.c.kind).where(
        task.c.payment_id == payment_id, task.c.kind.in_(kinds), task.c.closed_at.is_(None)
    )
    return work.execute(query.limit(1)).first() is not None


def open_tasks(work: Work, *, limit: int) -> tuple[Task, ...]:
    """Open tasks, the oldest first."""
    query = (
        sa.select(task)
        .where(task.c.closed_at.is_(None))
        .order_by(task.c.opened_at, task.c.payment_id, task.c.kind, task.c.about)
        .limit(limit)
    )
    return tuple(_task(row) for row in work.execute(query))


def withdraw_task(work: Work, payment_id: PaymentId, kind: str) -> None:
    """Take back what nobody need see to any more; the task opens again if something is at stake anew."""
    statement = sa.update(task).where(task.c.payment_id == payment_id, task.c.kind == kind, task.c.closed_at.is_(None))
    work.execute(statement.values(closed_at=work.now, amount_minor=0))


def close_task(work: Work, payment_id: PaymentId, kind: str, about: str) -> bool:
    """Close an open task; whether there was one."""
    statement = (
        sa.update(task)
        .where(task.c.payment_id == payment_id, task.c.kind == kind, task.c.about == about, task.c.closed_at.is_(None))
        .values(closed_at=work.now)
    )
    return work.execute(statement).rowcount == 1


def _task(row: sa.Row[tuple[object, ...]]) -> Task:
    return Task(**row._mapping)
