"""The inbox: notices are stored before they are acknowledged, and each is applied at most once."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.kernel.ids import MethodCode, NoticeId
from eckit.kernel.stamps import upsert
from eckit.kernel.work import Work
from eckit.payment.model import Notice
from eckit.payment.store.tables import notice

_OPEN = ("received", "waiting")


@attrs.frozen(kw_only=True)
class KeptNotice:
    """A notice with what is to be applied of it."""

    notice: Notice
    snapshot: dict[str, Any] | None


def add_notices(work: Work, rows: Sequence[dict[str, Any]]) -> int:
    """Store notices; one whose event was stored before is left out. How many are new."""
    insert = upsert(work.connection, notice).values(list(rows))
    added = insert.on_conflict_do_nothing(index_elements=["gateway", "event_key"]).returning(notice.c.id)
    return len(work.execute(added).all())


def lease_notices(work: Work, *, until: dt.datetime, limit: int) -> tuple[KeptNotice, ...]:
    """Take notices that are due, each for one worker only until ``until``; grouped by payment, the oldest first."""
    free = sa.or_(notice.c.lease_until.is_(None), notice.c.lease_until < work.now)
    due = (
        sa.select(notice.c.id)
        .where(notice.c.state.in_(_OPEN), notice.c.due_at <= work.now, free)
        .order_by(notice.c.due_at, notice.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = sa.update(notice).where(notice.c.id.in_(due), free).values(lease_until=until).returning(*notice.c)
    found = [_kept(row) for row in work.execute(statement)]
    return tuple(sorted(found, key=lambda one: (one.notice.begin_reference, one.notice.received_at, one.notice.id)))


def end_notice(work: Work, notice_id: NoticeId, state: str, reason: str = "") -> bool:
    """Note what became of a notice; whether it was still open, so that its effect happens once."""
    statement = (
        sa.update(notice)
        .where(notice.c.id == notice_id, notice.c.state.in_(_OPEN))
        .values(state=state, reason=reason[:200], ended_at=work.now, lease_until=None, tries=notice.c.tries + 1)
    )
    return work.execute(statement).rowcount == 1


def set_aside(work: Work, notice_id: NoticeId, reason: str) -> None:
    """What was applied of it did not fit."""
    work.execute(sa.update(notice).where(notice.c.id == notice_id).values(state="quarantined", reason=reason[:200]))


def postpone_notice(work: Work, notice_id: NoticeId, due_at: dt.datetime, reason: str) -> None:
    """It cannot be applied yet."""
    statement = (
        sa.update(notice)
        .where(notice.c.id == notice_id, notice.c.state.in_(_OPEN))
        .values(state="waiting", reason=reason[:200], due_at=due_at, lease_until=None, tries=notice.c.tries + 1)
    )
    work.execute(statement)


def notice_rows(work: Work, states: Sequence[str], *, limit: int) -> tuple[Notice, ...]:
    """Notices in these states, the newest first."""
    query = (
        sa.select(*(notice.c[field.name] for field in attrs.fields(Notice)))
        .where(notice.c.state.in_(states))
        .order_by(notice.c.received_at.desc(), notice.c.id.desc())
        .limit(limit)
    )
    return tuple(_notice(row) for row in work.execute(query))


def count_notices(work: Work, gateway: MethodCode) -> int:
    """How many notices of a gateway are stored."""
    query = sa.select(sa.func.count()).where(notice.c.gateway == gateway)
    return int(work.execute(query).scalar_one())


def _kept(row: sa.Row[Any]) -> KeptNotice:
    return KeptNotice(notice=_notice(row), snapshot=row.snapshot)


def _notice(row: sa.Row[Any]) -> Notice:
    facts = {field.name: getattr(row, field.name) for field in attrs.fields(Notice)}
    return Notice(**facts)
