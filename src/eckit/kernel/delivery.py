"""The rows behind the relay: leasing due events, marking what became of them, and the health of subscribers.

Each function is one short transaction. A mark counts only while the lease is still its owner's, so a worker that was
too slow changes nothing that another has taken over.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.kernel.outbox import outbox
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import at, core_table, ident

EVERYBODY = "*"
"""In ``waiting``: no subscriber in particular; the event is for all of them again."""

subscriber = core_table(
    "subscriber",
    sa.Column("name", sa.String(160), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),  # in a row, since the last success
    at("failing_since"),
    at("rests_until", nullable=True),
    at("disabled_at", nullable=True),
    ident("reason"),
)

Waiting = Mapping[str, str]
"""Subscriber → why it has not heard the event yet."""


@attrs.define(kw_only=True)
class Health:
    """How a subscriber has been doing since it last succeeded; one that is well has no row.

    :ivar failures: failures in a row.
    :ivar rests_until: nothing is sent to it before then.
    :ivar disabled_at: since when nothing is sent to it at all.
    """

    name: str
    failures: int = 0
    failing_since: dt.datetime
    rests_until: dt.datetime | None = None
    disabled_at: dt.datetime | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class Mark:
    """What became of one leased event."""

    id: str
    state: str
    tries: int
    due_at: dt.datetime
    waiting: Waiting = attrs.field(factory=dict)


def lease(
    connection: sa.Connection, *, lease: str, due_by: dt.datetime, until: dt.datetime, batch: int
) -> list[sa.Row[Any]]:
    """Take up to ``batch`` events that are due by ``due_by``, those of expired leases too; each is tried once more.

    One statement, so no two workers get the same row: PostgreSQL skips what others are taking, SQLite has one writer.

    :return: those not tried before first, whose success shows that a subscriber is well; then the oldest.
    """
    due = (
        sa.select(outbox.c.id)
        .where(outbox.c.state.in_(("pending", "leased")), outbox.c.due_at <= due_by)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(batch)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = (
        sa.update(outbox)
        .where(outbox.c.id == due.c.id)
        .values(state="leased", lease=lease, tries=outbox.c.tries + 1, due_at=until)
        .returning(outbox)
    )
    rows = connection.execute(taken).all()
    return sorted(rows, key=lambda row: (row.tries, row.recorded_at, row.subject, row.seq))


def extend(connection: sa.Connection, *, lease: str, ids: Iterable[str], until: dt.datetime) -> frozenset[str]:
    """Hold on to these events for longer; those still ours."""
    held = sa.update(outbox).where(_is_ours(lease), outbox.c.id.in_(list(ids))).values(due_at=until)
    return frozenset(connection.execute(held.returning(outbox.c.id)).scalars())


def give_back(connection: sa.Connection, *, lease: str, ids: Iterable[str], now: dt.datetime) -> None:
    """Let others have these events at once, as if they had not been taken."""
    back = sa.update(outbox).where(_is_ours(lease), outbox.c.id.in_(list(ids)))
    connection.execute(back.values(state="pending", lease=None, tries=outbox.c.tries - 1, due_at=now))


def mark(connection: sa.Connection, marks: Sequence[Mark], *, lease: str) -> None:
    """Write down what became of events, if the lease still holds; the delivered ones in one statement."""
    done = [mark.id for mark in marks if mark.state == "done"]
    if done:
        ours = sa.update(outbox).where(_is_ours(lease), outbox.c.id.in_(done))
        connection.execute(ours.values(state="done", lease=None, waiting=None))
    for other in marks:
        if other.state != "done":
            ours = sa.update(outbox).where(_is_ours(lease), outbox.c.id == other.id)
            connection.execute(
                ours.values(
                    state=other.state,
                    lease=None,
                    tries=other.tries,
                    due_at=other.due_at,
                    waiting=dict(other.waiting) or None,
                )
            )


def _is_ours(lease: str) -> sa.ColumnElement[bool]:
    return sa.and_(outbox.c.state == "leased", outbox.c.lease == lease)


# --- subscribers -----------------------------------------------------------------------------------------------------


def unwell(connection: sa.Connection) -> dict[str, Health]:
    """The subscribers that failed since they last succeeded."""
    rows = connection.execute(sa.select(subscriber).order_by(subscriber.c.name))
    return {row.name: Health(**row._mapping) for row in rows}


def note_health(connection: sa.Connection, changed: Iterable[Health]) -> None:
    """Write down how subscribers are; one without failures is forgotten."""
    ill = [attrs.asdict(health) for health in changed if health.failures]
    well = [health.name for health in changed if not health.failures]
    if well:
        connection.execute(sa.delete(subscriber).where(subscriber.c.name.in_(well)))
    if ill:
        insert = upsert(connection, subscriber).values(ill)
        columns = {name: insert.excluded[name] for name in ill[0] if name != "name"}
        connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=columns))


# --- sending again ---------------------------------------------------------------------------------------------------


def send_again(connection: sa.Connection, rows: Iterable[tuple[str, Waiting | None]], *, now: dt.datetime) -> None:
    """Make events due at once, each for those it waits for; for everybody where there is nobody in particular."""
    for id_, waiting in rows:
        whole = not waiting or EVERYBODY in waiting
        connection.execute(
            sa.update(outbox)
            .where(outbox.c.id == id_, outbox.c.state != "leased")
            .values(state="pending", tries=0, due_at=now, lease=None, waiting=None if whole else dict(waiting or {}))
        )


def parked(connection: sa.Connection) -> list[sa.Row[Any]]:
    """The events moved aside: id, name, subject, seq, tries and whom they wait for, the oldest first."""
    columns = (outbox.c.id, outbox.c.name, outbox.c.subject, outbox.c.seq, outbox.c.tries, outbox.c.waiting)
    found = sa.select(*columns).where(outbox.c.state == "parked").order_by(outbox.c.recorded_at, outbox.c.id)
    return [*connection.execute(found)]
