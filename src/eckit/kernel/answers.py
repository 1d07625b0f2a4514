"""The answer store: what outside services said, so that one question is asked once.

A remote tax engine, a carrier or a rate source is asked over the network before a transaction; its answer is kept here
under a digest of the question and used until it is no longer valid. Questions hold no personal data: places, weights
and amounts only.
"""

import datetime as dt
import hashlib
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.kernel.freezing import canonical
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.work import Work

answer = core_table(
    "answer",
    ident("engine", primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("body", Json, nullable=True),  # null while the first asker waits for the service
    at("kept_at"),
    at("valid_until"),
    sa.Index("ix_eckit_answer_valid_until", "valid_until"),
)

_FIND = sa.select(answer.c.body, answer.c.kept_at, answer.c.valid_until).where(
    answer.c.engine == sa.bindparam("engine"),
    answer.c.digest == sa.bindparam("digest"),
    answer.c.valid_until > sa.bindparam("now"),
    answer.c.body.is_not(None),
)


@attrs.frozen(kw_only=True)
class Kept:
    """An answer as it was kept.

    :ivar body: what :func:`keep` was given, as JSON.
    :ivar kept_at: when the service said so.
    """

    body: Any
    kept_at: dt.datetime
    valid_until: dt.datetime


def digest(question: Any) -> str:
    """What a question is kept under; two questions that are the same JSON are one."""
    return hashlib.sha256(canonical(question).encode()).hexdigest()


def find(work: Work, engine: str, question: Any) -> Kept | None:
    """The answer to a question, if one is kept and still valid at ``work.now``."""
    row = work.execute(_FIND, {"engine": engine, "digest": digest(question), "now": work.now}).one_or_none()
    return None if row is None else Kept(body=row.body, kept_at=row.kept_at, valid_until=row.valid_until)


def keep(work: Work, engine: str, question: Any, body: Any, *, valid_until: dt.datetime) -> None:
    """Keep an answer; a later one takes the place of an earlier one.

    :raises ValueError: the body is None, which would mean that nobody has answered yet.
    """
    if body is None:
        raise ValueError("an answer is not None")
    insert = upsert(work.connection, answer).values(
        engine=engine, digest=digest(question), body=body, kept_at=work.now, valid_until=valid_until
    )
    work.execute(
        insert.on_conflict_do_update(
            index_elements=["engine", "digest"],
            set_={name: insert.excluded[name] for name in ("body", "kept_at", "valid_until")},
        )
    )


def reserve(work: Work, engine: str, question: Any, *, lease: dt.timedelta) -> bool:
    """Whether this caller is to ask the service: nobody has a valid answer, and nobody else has been asking lately.

    For services that charge for each question. Whoever is told False looks again a little later.
    """
    insert = upsert(work.connection, answer).values(
        engine=engine, digest=digest(question), body=None, kept_at=work.now, valid_until=work.now + lease
    )
    taken = insert.on_conflict_do_update(
        index_elements=["engine", "digest"],
        set_={name: insert.excluded[name] for name in ("body", "kept_at", "valid_until")},
        where=answer.c.valid_until <= work.now,
    ).returning(answer.c.digest)
    return work.execute(taken).one_or_none() is not None


def purge(work: Work) -> int:
    """Forget answers that are no longer valid; how many."""
    return work.execute(sa.delete(answer).where(answer.c.valid_until <= work.now)).rowcount
