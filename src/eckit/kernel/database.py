"""Engines for the two databases, and what their errors mean.

SQLite: WAL, ``synchronous=FULL``, ``BEGIN`` for reading and ``BEGIN IMMEDIATE`` for writing, one writer of a process at
a time. PostgreSQL: READ COMMITTED for writing and one read-only snapshot for reading, set here whatever the server's
default is: correctness rests on conditional updates and constraints.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy import event

from eckit.kernel.errors import (
    BusyError,
    ConflictError,
    DatabaseUnavailableError,
    EckitError,
    RefusedError,
    invalid,
)
from eckit.kernel.secrets import MASK
from eckit.kernel.tables import SCHEMA

_BUSY_STATES = frozenset({"40001", "40P01", "55P03"})
_BUSY_SQLITE = ("database is locked", "database table is locked", "database schema is locked")


@attrs.frozen(kw_only=True)
class DatabaseSettings:
    """Where the shop's tables are.

    :ivar url: an SQLAlchemy URL of SQLite or PostgreSQL (psycopg).
    :ivar schema: the PostgreSQL schema of this shop; None is the connection's search path.
    :ivar pool_size: connections kept; about twice the cores serves best, more requests wait in the application.
    :ivar wait_ms: how long a statement waits for another's lock before the whole unit counts as busy.
    """

    url: str = attrs.field(repr=lambda url: repr(shown_url(url)))
    schema: str | None = None
    pool_size: int = attrs.field(default=8, validator=lambda _self, _field, value: _at_least_one(value))
    pool_wait_s: float = 30.0
    wait_ms: int = 10_000


def _at_least_one(value: int) -> None:
    if value < 1:
        raise invalid("too-small", "pool_size", value, limit=1)


def checked_url(text: str) -> sa.URL:
    """The URL of a database eckit can use, with the driver it uses.

    :raises InvalidInputError: ``unknown-database``, ``memory-database``; nothing of the URL but its scheme is shown.
    """
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise invalid("unknown-database", "database.url", "", limit="sqlite:///…, postgresql://…") from error
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
        raise invalid("unknown-database", "database.url", url.drivername, limit="sqlite:///…, postgresql://…")
    if url.get_backend_name() == "sqlite" and (url.database or ":memory:") == ":memory:":
        # each connection of the pool would be an empty database of its own
        raise invalid("memory-database", "database.url", url.drivername)
    return url


def shown_url(text: str) -> str:
    """A database's URL without its password, wherever in it that stands."""
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        return MASK
    hidden = {name: MASK for name in url.query if "pass" in name.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


class _Turn:
    """One writer of this process at a time: threads queue here, fairly, and not in SQLite's busy loop."""

    def __init__(self, wait_ms: int) -> None:
        self._lock = threading.Lock()
        self._wait_s = wait_ms / 1000

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._wait_s):
            raise BusyError(what="sqlite")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class Database:
    """One shop's database: an engine, and how reading and writing transactions begin on it."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.settings = settings
        url = checked_url(settings.url)
        self.dialect = url.get_backend_name()
        engine = _sqlite(url, settings) if self.dialect == "sqlite" else _postgresql(url, settings)
        self.engine = engine.execution_options(
            schema_translate_map={SCHEMA: settings.schema if self.dialect == "postgresql" else None}
        )
        if self.dialect == "sqlite":
            self._reader = self.engine
            self._writer = self.engine.execution_options(eckit_begin="IMMEDIATE")
            self._turn: AbstractContextManager[None] = _Turn(settings.wait_ms)
        else:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writer = self.engine.execution_options(isolation_level="READ COMMITTED")
            self._turn = nullcontext()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state and never waits for writers."""
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that may write; commits at the end, rolls back on an exception."""
        with self._turn, self._writer.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _sqlite(url: sa.URL, settings: DatabaseSettings) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": settings.wait_ms / 1000, "isolation_level": None, "check_same_thread": False},
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.pool_wait_s,
        poolclass=sa.QueuePool,
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: sqlite3.Connection, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # sqlite3 is told not to begin by itself: it would not before a SELECT, and never IMMEDIATE
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('eckit_begin', 'DEFERRED')}")

    return engine


def _postgresql(url: sa.URL, settings: DatabaseSettings) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args={"options": f"-c lock_timeout={settings.wait_ms} -c timezone=UTC", "application_name": "eckit"},
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=settings.pool_wait_s,
    )

    @event.listens_for(engine, "checkin")
    def _used(_: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _alive(raw: Any, record: Any, _: Any) -> None:
        # A connection that has just answered is not asked whether it lives: that would be a round trip per transaction.
        # One that broke since then ends its transaction as unavailable, and the whole pool is made anew.
        if time.monotonic() - record.info.get("used", float("inf")) > _IDLE_S and not _answers(engine, raw):
            raise sa.exc.DisconnectionError

    return engine


_IDLE_S = 1.0


def _answers(engine: sa.Engine, raw: Any) -> bool:
    try:
        return engine.dialect.do_ping(raw)
    except engine.dialect.loaded_dbapi.Error:
        return False


def explained(error: sa.exc.SQLAlchemyError) -> EckitError:
    """Our word for a database error, without SQL, values or names of files in it; raise it ``from`` the error."""
    if isinstance(error, sa.exc.TimeoutError):
        return BusyError(what="pool")
    if not isinstance(error, sa.exc.DBAPIError):
        return DatabaseUnavailableError(what="driver")
    cause = error.orig
    state = getattr(cause, "sqlstate", None)
    if state in _BUSY_STATES or (isinstance(cause, sqlite3.OperationalError) and str(cause) in _BUSY_SQLITE):
        return BusyError(what=str(state or "sqlite"))
    if isinstance(error, sa.exc.IntegrityError):
        return ConstraintError(what=constraint_of(error))
    if isinstance(error, sa.exc.DataError):
        return OutOfRangeError()
    return DatabaseUnavailableError(what=str(state or ("sqlite" if isinstance(cause, sqlite3.Error) else "connection")))


def constraint_of(error: sa.exc.IntegrityError) -> str:
    """The constraint that was violated, as far as the database names it."""
    diagnostic = getattr(error.orig, "diag", None)
    if diagnostic is not None:
        return str(diagnostic.constraint_name or "")
    _, _, rest = str(error.orig).partition("constraint failed: ")
    return rest


@attrs.define(kw_only=True, eq=False)
class ConstraintError(ConflictError):
    """A row like this exists already, or the database's own check said no."""

    code = "constraint"


@attrs.define(kw_only=True, eq=False)
class OutOfRangeError(RefusedError):
    """A value is larger or longer than its column."""

    code = "out-of-range"
