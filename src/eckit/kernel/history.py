"""The audit row: who did what to what, written by the Work itself, append-only."""

import datetime as dt
from collections.abc import Sequence

import attrs
import sqlalchemy as sa

from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.tables import Json, at, core_table, ident

history = core_table(
    "history",
    ident("id", primary_key=True),
    at("at"),
    ident("by"),
    ident("on_behalf_of", nullable=True),
    ident("verb"),
    sa.Column("subjects", Json, nullable=False),
    sa.Column("reason", sa.String(200), nullable=False, server_default=""),
    ident("correlation"),
    sa.Index("ix_eckit_history_at", "at"),
)


_ADD = sa.insert(history).returning(history.c.id)


@attrs.frozen
class Deed:
    """One thing done in a Work: the verb, what it touched, and why."""

    verb: str
    subjects: tuple[Ref, ...] = ()
    reason: str = ""


def store(
    connection: sa.Connection,
    deeds: Sequence[Deed],
    *,
    now: dt.datetime,
    by: str,
    on_behalf_of: str | None,
    correlation: str,
) -> None:
    """Insert a row per deed, in one statement."""
    rows = [
        {
            "id": mint("audit"),
            "at": now,
            "by": by,
            "on_behalf_of": on_behalf_of,
            "verb": deed.verb,
            "subjects": [str(ref) for ref in deed.subjects[:50]],
            "reason": deed.reason,
            "correlation": correlation,
        }
        for deed in deeds
    ]
    if rows:
        connection.execute(_ADD, rows)
