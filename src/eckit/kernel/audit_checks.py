"""The kernel's own invariants, and the search for what must be in no table: card numbers and the shop's secrets."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.answers import answer
from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.cards import contains_card
from eckit.kernel.delivery import subscriber
from eckit.kernel.events import EVENTS
from eckit.kernel.facets import facet
from eckit.kernel.history import history
from eckit.kernel.idempotency import idempotency
from eckit.kernel.leases import lease
from eckit.kernel.outbox import outbox
from eckit.kernel.plugins import Plugins
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import secrets_of
from eckit.kernel.stamps import stamp
from eckit.kernel.tables import Instant, metadata

_SENSITIVE: Final = "no-card-number-or-secret"
_DELIVERED: Final = "each committed event is delivered at least once"
_ONE_OUTCOME: Final = "one key, one outcome"
_NO_CARD: Final = "no card number, secret or token in any table, log, exception, mail or export"
_SHORTEST_SECRET: Final = 8
"""Shorter ones ("test") would be found everywhere."""


def _unknown_events(connection: sa.Connection) -> Iterator[Violation]:
    """Events of a capability the core has, of a name it does not; a plugin's may stay when the plugin is gone."""
    core = {name.partition(".")[0] for name in EVENTS}
    names = connection.execute(sa.select(outbox.c.name, sa.func.min(outbox.c.id)).group_by(outbox.c.name))
    for name, first in names:
        if name not in EVENTS and name.partition(".")[0] in core:
            yield Violation(invariant="event-known", table=outbox.name, row=first, detail=name)


_OUTBOX: Final = (
    query(
        "event-seq-gapless",
        _DELIVERED,
        outbox.name,
        sa.select(outbox.c.subject, sa.func.max(outbox.c.seq))
        .group_by(outbox.c.subject)
        .having(sa.or_(sa.func.min(outbox.c.seq) != 1, sa.func.max(outbox.c.seq) != sa.func.count())),
    ),
    query(
        "event-done-heard",
        _DELIVERED,
        outbox.name,
        sa.select(outbox.c.id, outbox.c.state).where(
            outbox.c.state == "done", sa.or_(outbox.c.waiting.is_not(None), outbox.c.lease.is_not(None))
        ),
    ),
    query(
        "event-leased-by-somebody",
        _DELIVERED,
        outbox.name,
        sa.select(outbox.c.id, outbox.c.state).where(
            sa.or_(
                sa.and_(outbox.c.state == "leased", outbox.c.lease.is_(None)),
                sa.and_(outbox.c.state != "leased", outbox.c.lease.is_not(None)),
            )
        ),
    ),
    query(
        "event-parked-with-reason",
        _DELIVERED,
        outbox.name,
        sa.select(outbox.c.id, outbox.c.state).where(outbox.c.state == "parked", outbox.c.waiting.is_(None)),
    ),
    Check(
        invariant="event-known",
        clause=_DELIVERED,
        table=outbox.name,
        run=_unknown_events,
    ),
)

_IDEMPOTENCY: Final = (
    query(
        "one-outcome-of-a-key",
        _ONE_OUTCOME,
        idempotency.name,
        sa.select(idempotency.c.scope, idempotency.c.key, sa.func.count())
        .group_by(idempotency.c.scope, idempotency.c.actor, idempotency.c.key)
        .having(sa.func.count() > 1),
    ),
    query(
        "key-done-with-reply-time",
        _ONE_OUTCOME,
        idempotency.name,
        sa.select(idempotency.c.scope, idempotency.c.key, idempotency.c.state).where(
            idempotency.c.state == "done", idempotency.c.reply_until.is_(None)
        ),
    ),
    query(
        "key-in-flight-leased",
        _ONE_OUTCOME,
        idempotency.name,
        sa.select(idempotency.c.scope, idempotency.c.key, idempotency.c.state).where(
            idempotency.c.state == "in_flight",
            sa.or_(idempotency.c.lease_until.is_(None), idempotency.c.reply.is_not(None)),
        ),
    ),
)

_REST: Final = (
    query(
        "stamp-not-below-zero",
        "a stamp is never below 0, where it starts",
        stamp.name,
        sa.select(stamp.c.name, stamp.c.version).where(stamp.c.version < 0),
    ),
    query(
        "deed-named",
        "every audit row says who did what",
        history.name,
        sa.select(history.c.id, history.c.verb).where(sa.or_(history.c.verb == "", history.c.by == "")),
    ),
    query(
        "facet-owned",
        "every facet belongs to something and has a namespace",
        facet.name,
        sa.select(facet.c.id, facet.c.namespace).where(
            sa.or_(facet.c.owner_kind == "", facet.c.owner_id == "", facet.c.namespace == "", facet.c.version < 1)
        ),
    ),
    query(
        "lease-forward",
        "a lease ends after it was taken",
        lease.name,
        sa.select(lease.c.name, lease.c.until).where(lease.c.until < lease.c.taken_at),
    ),
    query(
        "answer-forward",
        "an answer is valid after it was kept",
        answer.name,
        sa.select(answer.c.engine, answer.c.digest, answer.c.valid_until).where(
            answer.c.valid_until < answer.c.kept_at
        ),
    ),
    query(
        "subscriber-failing",
        "a subscriber has a row only while it fails",
        subscriber.name,
        sa.select(subscriber.c.name, subscriber.c.failures).where(subscriber.c.failures < 1),
    ),
)


# --- what must be in no table ----------------------------------------------------------------------------------------


def sensitive(plugins: Plugins, *settings: object) -> tuple[Check, ...]:
    """The checks for card numbers and secrets in the tables of the core and of the plugins.

    :param settings: the shop's settings; their secrets and those of the plugins' settings are looked for.
    """
    secrets = secrets_of(*settings, *(info.settings for info in plugins.infos.values()))
    tables = [*metadata.sorted_tables, *_tables_of(plugins)]
    return tuple(_search(table, secrets) for table in tables if _text_columns(table))


def _tables_of(plugins: Plugins) -> Iterator[sa.Table]:
    for info in plugins.infos.values():
        yield from sorted(info.tables, key=lambda table: table.name)


def _no_cards(connection: sa.Connection) -> Iterator[Violation]:
    for table in metadata.sorted_tables:
        if _text_columns(table):
            yield from _search(table, frozenset()).run(connection)


def _search(table: sa.Table, secrets: frozenset[Secret]) -> Check:
    hidden = tuple(secret.reveal() for secret in secrets if len(secret.reveal()) >= _SHORTEST_SECRET)
    return Check(
        invariant=_SENSITIVE,
        clause=_NO_CARD,
        table=table.name,
        run=partial(_found_in, table, lambda value: _sensitive(value, hidden)),
    )


def _found_in(
    table: sa.Table, judge: Callable[[str | bytes], str | None], connection: sa.Connection
) -> Iterator[Violation]:
    """Every text of every row, streamed; a violation tells where it stands and not what it says."""
    key, texts = list(table.primary_key.columns), _text_columns(table)
    select = sa.select(*(sa.type_coerce(column, _raw(column)) for column in (*key, *texts)))
    for row in connection.execute(select, execution_options={"stream_results": True, "yield_per": 500}):
        for column, value in zip(texts, row[len(key) :], strict=True):
            what = None if value is None else judge(value)
            if what is not None:
                place = _masked("/".join(map(str, row[: len(key)])))
                detail = f"{what} in {column.name}"
                yield Violation(invariant=_SENSITIVE, table=table.name, row=place, detail=detail)


def _masked(place: str) -> str:
    return "(the key itself)" if contains_card(place) else place


def _sensitive(value: str | bytes, hidden: Iterable[str]) -> str | None:
    if len(value) < _SHORTEST_SECRET:  # no card number is shorter either
        return None
    if contains_card(value):
        return "card number"
    text = value if isinstance(value, str) else bytes(value).decode("utf-8", "replace")
    return "secret" if any(secret in text for secret in hidden) else None


def _text_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """Columns that hold text or bytes of any kind; instants are none, though SQLite keeps them as text."""
    found = []
    for column in table.columns:
        kind: Any = column.type
        if isinstance(kind, Instant):
            continue
        impl = getattr(kind, "impl", kind)
        if isinstance(impl, sa.String | sa.LargeBinary):
            found.append(column)
    return found


def _raw(column: sa.Column[Any]) -> Any:
    """The column's type without our own ways of reading it: the text as it is stored."""
    kind: Any = column.type
    return getattr(kind, "impl", kind) if not isinstance(kind, Instant) else sa.String()


CHECKS: Final = (
    *_OUTBOX,
    *_IDEMPOTENCY,
    *_REST,
    Check(
        invariant=_SENSITIVE,
        clause=_NO_CARD,
        table="*",
        run=_no_cards,
    ),
)
"""The kernel's invariants. :func:`sensitive` looks for more, in more tables."""
