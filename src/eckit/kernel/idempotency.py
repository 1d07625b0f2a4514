"""Idempotency keys: one key, one outcome.

A key is claimed by one atomic insert in the transaction that does the work, so a crash leaves no claim behind. Verbs
that span several transactions claim with a lease instead and store the reply at their end.
"""

import datetime as dt
from typing import Any, ClassVar

import attrs
import sqlalchemy as sa

from eckit.kernel.errors import ConflictError, MovedError, invalid
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.text import clean

KEEP_REPLIES: dt.timedelta = dt.timedelta(hours=48)
"""A stored reply is kept at least so long."""

idempotency = core_table(
    "idempotency",
    ident("scope", primary_key=True),
    ident("actor", primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("fingerprint", sa.String(200), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    at("lease_until", nullable=True),
    sa.Column("reply", Json, nullable=True),
    at("reply_until", nullable=True),
    at("claimed_at"),
    sa.CheckConstraint("state in ('in_flight', 'done')", name="state"),
)


def _key_text(text: str) -> str:
    """A key as it is compared; an empty one would make strangers' requests one."""
    value = clean(text, path="key", max_length=200).strip()
    if not value:
        raise invalid("missing", "key", text)
    return value


@attrs.frozen(kw_only=True)
class Key:
    """A caller's idempotency key.

    :ivar scope: the operation it is for (``place_order``); the same key in two scopes is two keys.
    :ivar value: the caller's text, 1–200 characters.
    :ivar fingerprint: what the request was, as the caller digests it; one key with two fingerprints is refused.
    """

    scope: str
    value: str = attrs.field(converter=_key_text)
    fingerprint: str = ""


@attrs.frozen
class Reply:
    """The outcome stored under a key: JSON the claiming verb chose."""

    body: Any


@attrs.define(kw_only=True, eq=False)
class KeyReusedError(ConflictError):
    """The key was used before, for a different request."""

    code: ClassVar[str] = "key-reused"


@attrs.define(kw_only=True, eq=False)
class KeyInFlightError(ConflictError):
    """The first request with this key is still at work; ask again shortly."""

    code: ClassVar[str] = "key-in-flight"


@attrs.define(kw_only=True, eq=False)
class KeyDoneError(MovedError):
    """Another request with this key finished meanwhile; its reply is stored."""

    code: ClassVar[str] = "key-done"
    reply: Any = None


def find(connection: sa.Connection, key: Key, actor: str, now: dt.datetime) -> Reply | None:
    """The reply of an earlier request with this key, if it is done and still kept.

    :raises KeyReusedError: the earlier request had another fingerprint.
    """
    row = connection.execute(
        sa.select(idempotency.c.fingerprint, idempotency.c.state, idempotency.c.reply).where(*_is(key, actor))
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise KeyReusedError(what=key.scope)
    return Reply(row.reply) if row.state == "done" else None


def claim(
    connection: sa.Connection, key: Key, actor: str, now: dt.datetime, *, lease: dt.timedelta | None = None
) -> None:
    """Take the key for this transaction, or with a lease beyond it. A claim whose lease is over may be taken anew.

    :raises KeyDoneError: it has been used; carries the stored reply.
    :raises KeyReusedError: it has been used for a different request.
    :raises KeyInFlightError: somebody holds its lease.
    """
    insert = upsert(connection, idempotency).values(
        scope=key.scope,
        actor=actor,
        key=key.value,
        fingerprint=key.fingerprint,
        state="in_flight",
        lease_until=now + lease if lease else None,
        claimed_at=now,
    )
    taken = insert.on_conflict_do_update(
        index_elements=["scope", "actor", "key"],
        set_={"lease_until": insert.excluded.lease_until, "claimed_at": insert.excluded.claimed_at},
        where=sa.and_(
            idempotency.c.state == "in_flight",
            idempotency.c.lease_until < now,
            idempotency.c.fingerprint == key.fingerprint,
        ),
    ).returning(idempotency.c.key)
    if connection.execute(taken).one_or_none() is not None:
        return
    reply = find(connection, key, actor, now)
    if reply is None:
        raise KeyInFlightError(what=key.scope)
    raise KeyDoneError(what=key.scope, reply=reply.body)


def finish(connection: sa.Connection, key: Key, actor: str, now: dt.datetime, reply: Any) -> None:
    """Store the reply; kept at least :data:`KEEP_REPLIES`."""
    connection.execute(
        sa.update(idempotency)
        .where(*_is(key, actor))
        .values(state="done", lease_until=None, reply=reply, reply_until=now + KEEP_REPLIES)
    )


def purge(connection: sa.Connection, now: dt.datetime) -> int:
    """Forget keys whose reply is no longer kept, and those left behind under a lease as long ago; how many."""
    over = sa.or_(idempotency.c.reply_until < now, idempotency.c.lease_until < now - KEEP_REPLIES)
    return connection.execute(sa.delete(idempotency).where(over)).rowcount


def forget(connection: sa.Connection, actor: str) -> int:
    """Forget what was answered to an actor, with its keys; how many. One in flight has no reply yet, and stays."""
    of_actor = sa.and_(idempotency.c.actor == actor, idempotency.c.state == "done")
    return connection.execute(sa.delete(idempotency).where(of_actor)).rowcount


def _is(key: Key, actor: str) -> tuple[sa.ColumnElement[bool], ...]:
    return idempotency.c.scope == key.scope, idempotency.c.actor == actor, idempotency.c.key == key.value
