"""The table of mails: what is to be sent, about what; no personal data."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from eckit.kernel.ids import EventId, MailId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.work import Work
from eckit.messages.model import Mail, MailState, MessageWish

mail = core_table(
    "mail",
    ident("id", primary_key=True),
    ident("kind"),
    sa.Column("about", sa.String(120), nullable=False),
    sa.Column("facts", Json, nullable=False),
    ident("event_id"),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    at("due_at"),
    at("queued_at"),
    at("sent_at", nullable=True),
    sa.Column("last_failure", sa.String(200), nullable=False, server_default=""),
    sa.UniqueConstraint("event_id", "kind", "about"),
    sa.CheckConstraint("state in ('waiting', 'sent', 'given_up')", name="state"),
    sa.Index("ix_eckit_mail_due", "state", "due_at"),
)


def queue(work: Work, wishes: Sequence[MessageWish], event_id: EventId) -> int:
    """Insert mails, each once for its event; how many are new."""
    rows = [
        {
            "id": mint("mail"),
            "kind": wish.kind,
            "about": str(wish.about),
            "facts": dict(wish.facts),
            "event_id": event_id,
            "state": "waiting",
            "due_at": work.now,
            "queued_at": work.now,
        }
        for wish in wishes
    ]
    insert = upsert(work.connection, mail).values(rows)
    return len(work.execute(insert.on_conflict_do_nothing().returning(mail.c.id)).all())


def _due(now: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.and_(mail.c.state == "waiting", mail.c.due_at <= now)


def any_due(work: Work) -> bool:
    """Whether a mail is due."""
    return work.execute(sa.select(mail.c.id).where(_due(work.now)).limit(1)).first() is not None


def lease(work: Work, until: dt.datetime, limit: int) -> tuple[Mail, ...]:
    """Take mails that are due; nobody else takes them before ``until``."""
    due = sa.select(mail.c.id).where(_due(work.now)).order_by(mail.c.due_at, mail.c.id).limit(limit)
    statement = (
        sa.update(mail)
        .where(mail.c.id.in_(due.with_for_update(skip_locked=True)), _due(work.now))
        .values(due_at=until, tries=mail.c.tries + 1)
        .returning(*mail.c)
    )
    return tuple(sorted(map(_mail, work.execute(statement)), key=lambda one: one.id))


def mark(work: Work, mail_id: MailId, state: MailState, *, due_at: dt.datetime, failure: str = "") -> None:
    """Note what became of a try; a mail that was sent or given up meanwhile stays so."""
    values: dict[str, Any] = {"state": state.value, "due_at": due_at, "last_failure": failure[:200]}
    if state is MailState.SENT:
        values["sent_at"] = work.now
    work.execute(sa.update(mail).where(mail.c.id == mail_id, mail.c.state == "waiting").values(values))


def mails(work: Work, limit: int) -> tuple[Mail, ...]:
    """The youngest mails."""
    return tuple(map(_mail, work.execute(sa.select(mail).order_by(mail.c.id.desc()).limit(limit))))


def _mail(row: Any) -> Mail:
    return Mail(
        id=row.id,
        kind=row.kind,
        about=Ref.parse(row.about),
        event_id=row.event_id,
        state=MailState(row.state),
        tries=row.tries,
        due_at=row.due_at,
        queued_at=row.queued_at,
        last_failure=row.last_failure,
        facts=row.facts,
    )
