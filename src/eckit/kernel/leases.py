"""Leases: at most one runner of a named job at a time, and none that is gone blocks it for good."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from eckit.kernel.minting import mint_token
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import at, core_table, ident
from eckit.kernel.work import Begin

lease = core_table(
    "lease",
    ident("name", primary_key=True),
    ident("holder"),
    at("taken_at"),
    at("until"),
)


class Lease:
    """What :func:`holding` gives: true if the job is ours to run."""

    def __init__(self, begin: Begin, name: str, holder: str, for_: dt.timedelta, *, held: bool) -> None:
        self._begin, self._name, self._holder, self._for = begin, name, holder, for_
        self._held = held

    def __bool__(self) -> bool:
        return self._held

    def renew(self) -> bool:
        """Hold on for as long again, from now; false if the lease was lost meanwhile, and the job must stop."""
        if self._held:
            self._held = self._until(self._begin.clock.now() + self._for)
        return self._held

    def release(self, until: dt.datetime | None = None) -> None:
        """Let others run the job, from ``until`` on if given."""
        if self._held:
            self._until(until or self._begin.clock.now())
            self._held = False

    def _until(self, until: dt.datetime) -> bool:
        change = sa.update(lease).where(lease.c.name == self._name, lease.c.holder == self._holder)
        with self._begin.upkeep() as connection:
            return connection.execute(change.values(until=until)).rowcount == 1


@contextmanager
def holding(begin: Begin, name: str, for_: dt.timedelta, *, every: dt.timedelta | None = None) -> Iterator[Lease]:
    """Try to be the one who runs the job ``name``::

        with holding(begin, "expire-holds", dt.timedelta(minutes=5)) as mine:
            if mine:
                ...

    The lease is given back at the end. A holder that dies loses it after ``for_``; a long job renews it in between.

    :param every: the job's period: once it has run to its end, nobody runs it again before that much time has passed
        since it began. After an error it may run again at once.
    """
    began = begin.clock.now()
    holder = mint_token()
    mine = Lease(begin, name, holder, for_, held=_take(begin, name, holder, began, for_))
    finished = False
    try:
        yield mine
        finished = True
    finally:
        mine.release(began + every if finished and every is not None else None)


def _take(begin: Begin, name: str, holder: str, now: dt.datetime, for_: dt.timedelta) -> bool:
    with begin.upkeep() as connection:
        insert = upsert(connection, lease).values(name=name, holder=holder, taken_at=now, until=now + for_)
        taken = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={column: insert.excluded[column] for column in ("holder", "taken_at", "until")},
            # A lease from the far future is a clock's mistake, not a promise.
            where=sa.or_(lease.c.until <= now, lease.c.taken_at > now + for_),
        ).returning(lease.c.name)
        return connection.execute(taken).one_or_none() is not None
