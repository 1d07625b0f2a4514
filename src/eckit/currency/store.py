"""The table of rates kept as evidence."""

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from eckit.currency.model import Rate
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import at, core_table, ident
from eckit.kernel.work import Work

rate = core_table(
    "rate",
    sa.Column("base", sa.String(3), primary_key=True),
    sa.Column("quote", sa.String(3), primary_key=True),
    ident("source", primary_key=True),
    at("at", primary_key=True),
    sa.Column("rate", sa.String(60), nullable=False),  # a decimal as text: SQLite would make it binary
    at("valid_until", nullable=True),
    sa.Column("spread", sa.String(60), nullable=False),
)


def put(work: Work, one: Rate) -> None:
    """Keep a rate; the same again changes nothing."""
    insert = upsert(work.connection, rate).values(
        base=one.base,
        quote=one.quote,
        source=one.source,
        at=one.at,
        rate=str(one.rate),
        valid_until=one.valid_until,
        spread=str(one.spread),
    )
    work.execute(insert.on_conflict_do_nothing(index_elements=["base", "quote", "source", "at"]))


def latest(work: Work, base: str, quote: str, when: dt.datetime) -> Rate | None:
    """The youngest rate of the pair that is in force at an instant."""
    query = (
        sa.select(rate)
        .where(rate.c.base == base, rate.c.quote == quote, rate.c.at <= when)
        .where(sa.or_(rate.c.valid_until.is_(None), rate.c.valid_until > when))
        .order_by(rate.c.at.desc(), rate.c.source)
        .limit(1)
    )
    row = work.execute(query).one_or_none()
    if row is None:
        return None
    return Rate(
        base=row.base,
        quote=row.quote,
        rate=Decimal(row.rate),
        source=row.source,
        at=row.at,
        valid_until=row.valid_until,
        spread=Decimal(row.spread),
    )
