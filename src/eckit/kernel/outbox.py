"""The outbox: events stored in the business transaction, one row per event, none per subscriber.

Sending is the relay's work (:mod:`eckit.kernel.relay`).
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from eckit.kernel.errors import MovedError
from eckit.kernel.events import EVENTS, Envelope, Event
from eckit.kernel.ids import EventId, ShopId
from eckit.kernel.minting import mint
from eckit.kernel.tables import Json, at, core_table, ident

outbox = core_table(
    "outbox",
    ident("id", primary_key=True),
    ident("name"),
    sa.Column("version", sa.Integer, nullable=False),
    ident("subject"),
    sa.Column("seq", sa.BigInteger, nullable=False),
    at("occurred_at"),
    at("recorded_at"),
    ident("by"),
    ident("on_behalf_of", nullable=True),
    ident("correlation"),
    ident("causation", nullable=True),
    sa.Column("payload", Json, nullable=False),
    # delivery: pending → leased → done, or parked after too many tries
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    at("due_at"),
    ident("lease", nullable=True),
    sa.Column("waiting", Json, nullable=True),  # subscriber → last failure; null before the first fan-out
    sa.UniqueConstraint("subject", "seq"),
    sa.CheckConstraint("state in ('pending', 'leased', 'done', 'parked')", name="state"),
    sa.Index("ix_eckit_outbox_due", "state", "due_at"),
)

_LAST = sa.select(sa.func.coalesce(sa.func.max(outbox.c.seq), 0)).where(outbox.c.subject == sa.bindparam("about"))
_ADD = (
    sa.insert(outbox)
    .values(seq=_LAST.scalar_subquery() + sa.bindparam("ahead", type_=sa.BigInteger()))
    .returning(outbox.c.id)
)


def store(
    connection: sa.Connection,
    events: Sequence[Event],
    *,
    now: dt.datetime,
    by: str,
    on_behalf_of: str | None,
    correlation: str,
    causation: str | None,
) -> None:
    """Insert all events in one statement; ``seq`` goes on where the subject's last event stopped.

    :raises MovedError: another transaction announced something about the same subject at the same time.
    """
    ahead: Counter[str] = Counter()
    rows = []
    for event in events:
        subject = str(event.subject)
        ahead[subject] += 1
        rows.append(
            {
                "id": mint("event"),
                "name": event.name,
                "version": event.version,
                "subject": subject,
                "about": subject,
                "ahead": ahead[subject],
                "occurred_at": now,
                "recorded_at": now,
                "by": by,
                "on_behalf_of": on_behalf_of,
                "correlation": correlation,
                "causation": causation,
                "payload": event.payload(),
                "state": "pending",
                "due_at": now,
            }
        )
    if rows:
        try:
            connection.execute(_ADD, rows)
        except sa.exc.IntegrityError as error:
            raise MovedError(what="outbox") from error


def envelope(row: sa.Row[tuple[object, ...]], shop: ShopId) -> Envelope | None:
    """The event a row holds, or None if this version does not know its name."""
    kind = EVENTS.get(row.name)
    if kind is None:
        return None
    return Envelope(
        id=EventId(row.id),
        shop=shop,
        event=kind.of(row.payload),
        seq=row.seq,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        by=row.by,
        on_behalf_of=row.on_behalf_of,
        correlation=row.correlation,
        causation=row.causation,
    )
