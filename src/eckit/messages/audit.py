"""The invariants of mails, as queries."""

from typing import Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, query
from eckit.kernel.outbox import outbox
from eckit.messages.rules import RETRY_AFTER_S
from eckit.messages.store import mail

_EVENTS: Final = "each committed event is delivered at least once"
_PERSONAL: Final = "no card number, secret or token in any table, log, exception, mail or export"

CHECKS: Final[tuple[Check, ...]] = (
    query(
        "mail-is-of-a-committed-event",
        "events leave only after commit",
        mail.name,
        sa.select(mail.c.id, mail.c.kind, mail.c.event_id).where(~sa.exists().where(outbox.c.id == mail.c.event_id)),
    ),
    query(
        "sent-mail-has-its-instant",
        "histories contain only declared transitions",
        mail.name,
        sa.select(mail.c.id, mail.c.state).where((mail.c.state == "sent") != mail.c.sent_at.is_not(None)),
    ),
    query(
        "given-up-mail-says-why",
        "histories contain only declared transitions",
        mail.name,
        sa.select(mail.c.id, mail.c.kind).where(mail.c.state == "given_up", mail.c.last_failure == ""),
    ),
    query(
        "mail-is-tried-in-bounds",
        _EVENTS,
        mail.name,
        sa.select(mail.c.id, mail.c.tries).where(
            sa.or_(mail.c.tries < 0, sa.and_(mail.c.state == "waiting", mail.c.tries > len(RETRY_AFTER_S) + 1))
        ),
    ),
    query(
        "one-mail-of-an-event",
        _EVENTS,
        mail.name,
        sa.select(sa.func.min(mail.c.id), mail.c.event_id, mail.c.kind)
        .group_by(mail.c.event_id, mail.c.kind, mail.c.about)
        .having(sa.func.count() > 1),
    ),
    query(
        "mail-row-names-nobody",
        _PERSONAL,
        mail.name,
        sa.select(mail.c.id, mail.c.kind).where(
            sa.or_(mail.c.last_failure.contains("@"), sa.cast(mail.c.facts, sa.Text).contains("@"))
        ),
    ),
    query(
        "mail-is-about-something",
        _EVENTS,
        mail.name,
        sa.select(mail.c.id, mail.c.about).where(mail.c.about.not_like("_%:_%")),
    ),
)
"""Every invariant that the table of mails can violate."""
