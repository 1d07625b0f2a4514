"""Joining a host's transaction: a SQLAlchemy connection as it is, or a raw DBAPI connection behind a proxy.

A joined Work is a savepoint. It never commits, rolls back or closes the host's transaction, and never retries: after a
serialization failure only the owner of the outer transaction can. Nothing of ours stays on the host's connection: no
execution option, no registered function, no handler.

While the host has no transaction open, a joined shop is a shop like any other and uses connections of its own.
"""

import contextvars
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from eckit.kernel.errors import RefusedError, invalid
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Begin, Transactions, WorkOpenError

_IDLE, _FAILED, _BROKEN = 0, 3, 4  # PQtransactionStatus, the same in every driver
_alone: contextvars.ContextVar[frozenset[int]] = contextvars.ContextVar("eckit_reading_alone", default=frozenset())


@attrs.define(kw_only=True, eq=False)
class NoHostTransactionError(RefusedError):
    """The host's connection has no transaction that a joined Work could be part of: each statement is committed by
    itself, or the transaction has failed.

    :ivar what: ``none`` or ``failed``.
    """

    code: ClassVar[str] = "no-host-transaction"
    what: str = ""


class Borrowed:
    """A DBAPI connection that cannot commit, roll back or close: those are the host's. Nor can it be changed."""

    def __init__(self, raw: Any) -> None:
        object.__setattr__(self, "_raw", raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Ignored: the dialect sets isolation and autocommit on what it takes for its own connection."""

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor that gives tuples, whatever rows the host likes."""
        if isinstance(self._raw, sqlite3.Connection):
            cursor = self._raw.cursor(*args, **options)
            cursor.row_factory = None
            return cursor
        from psycopg.rows import tuple_row

        return self._raw.cursor(*args, **{"row_factory": tuple_row, **options})

    def commit(self) -> None:
        """The host commits."""

    def rollback(self) -> None:
        """The host rolls back."""

    def close(self) -> None:
        """The host closes."""

    def create_function(self, *_: Any, **__: Any) -> None:
        """The dialect would replace the host's own ``regexp``."""

    def add_notice_handler(self, _: Any) -> None:
        """The dialect would log the host's notices."""


def is_raw(connection: object) -> bool:
    """Whether it is a DBAPI connection; of which driver shows in :func:`_url_of`."""
    return isinstance(connection, sqlite3.Connection) or (
        callable(getattr(connection, "cursor", None)) and callable(getattr(connection, "rollback", None))
    )


def _url_of(raw: object) -> str:
    if isinstance(raw, sqlite3.Connection):
        return "sqlite://"
    if any(base.__module__.partition(".")[0] == "psycopg" for base in type(raw).__mro__):
        return "postgresql+psycopg://"
    driver = type(raw).__module__.partition(".")[0]
    raise invalid("unknown-database", "connection", driver, limit="sqlite3, psycopg")


class Lender:
    """Lends a host's raw connections to SQLAlchemy, one at a time in each thread."""

    def __init__(self, url: str) -> None:
        self._lent = threading.local()
        options: dict[str, Any] = {} if url.startswith("sqlite") else {"use_native_hstore": False}
        self.engine = sa.create_engine(
            url, creator=self._next, poolclass=NullPool, pool_reset_on_return=None, **options
        )

    def _next(self) -> Any:
        return Borrowed(self._lent.raw)

    @contextmanager
    def connection(self, raw: Any) -> Iterator[sa.Connection]:
        """The host's connection for SQLAlchemy; at the end it is as it was."""
        self._lent.raw = raw
        try:
            connection = self.engine.connect()
        finally:
            self._lent.raw = None
        with connection:
            yield connection


class HostConnection:
    """A host's connection as the kernel uses it: our statements say where our tables are, the host's stay as they are.

    Options set on the connection itself would stay there, and would rewrite the host's own statements.
    """

    def __init__(self, connection: sa.Connection, options: Mapping[str, Any]) -> None:
        self._connection = connection
        self._options = options

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(
        self, statement: sa.Executable, parameters: Any = None, *, execution_options: Mapping[str, Any] | None = None
    ) -> sa.CursorResult[Any]:
        """As :meth:`sqlalchemy.Connection.execute`."""
        options = {**self._options, **(execution_options or {})}
        return self._connection.execute(statement, parameters, execution_options=options)

    def scalar(self, statement: sa.Executable, parameters: Any = None) -> Any:
        """As :meth:`sqlalchemy.Connection.scalar`."""
        return self.execute(statement, parameters).scalar()

    def scalars(self, statement: sa.Executable, parameters: Any = None) -> sa.ScalarResult[Any]:
        """As :meth:`sqlalchemy.Connection.scalars`."""
        return self.execute(statement, parameters).scalars()

    def get_execution_options(self) -> Mapping[str, Any]:
        """The host's, and ours."""
        return {**self._connection.get_execution_options(), **self._options}


class Joined:
    """Transactions on a host's connection: savepoints."""

    def __init__(self, connection: Any, *, schema: str | None = None, dialect: str | None = None) -> None:
        """Use a host's connection.

        :param connection: an SQLAlchemy ``Connection``, a raw connection of ``sqlite3`` or psycopg, or a callable that
            gives either, or None: the current one of a framework that keeps one per thread.
        :param schema: the PostgreSQL schema of the shop's tables; None is the connection's search path.
        :param dialect: ``sqlite`` or ``postgresql``, for a callable that may give None; else the connection tells.
        :raises InvalidInputError: ``unknown-database``.
        """
        self._given = connection
        self._schema = schema
        self._lenders: dict[str, Lender] = {}
        now = self._now()
        if now is None and dialect is not None:
            self.dialect = dialect
            return
        self.dialect = now.dialect.name if isinstance(now, sa.Connection) else _url_of(now).partition(":")[0]
        self.dialect = self.dialect.partition("+")[0]

    @classmethod
    def to(cls, connection: Any, *, schema: str | None = None, dialect: str | None = None) -> "Joined":
        """As :class:`Joined` itself."""
        return cls(connection, schema=schema, dialect=dialect)

    def in_transaction(self) -> bool:
        """Whether the host's transaction is open, as far as its connection tells.

        A raw connection knows it from the first statement on, SQLAlchemy's from ``begin()`` on.
        """
        now = self._now()
        if now is None:
            return False
        if not isinstance(now, sa.Connection):
            return _is_open(now)
        if now.closed or now.invalidated:
            return now.in_transaction()
        driver = now.connection.driver_connection
        return _is_open(driver) or (now.in_transaction() and _begins_by_itself(driver))

    def _now(self) -> Any:
        given = self._given
        return given if isinstance(given, sa.Connection) or is_raw(given) else given()

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        now = self._now()
        if isinstance(now, sa.Connection):
            yield now
            return
        if now is None:
            raise NoHostTransactionError(what="none")
        _require_usable(now)
        url = _url_of(now)
        lender = self._lenders.get(url) or self._lenders.setdefault(url, Lender(url))
        with lender.connection(now) as connection:
            yield connection

    def _ours(self, connection: sa.Connection) -> sa.Connection:
        schema = self._schema if connection.dialect.name == "postgresql" else None
        return cast("sa.Connection", HostConnection(connection, {"schema_translate_map": {SCHEMA: schema}}))

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The host's connection; what is read belongs to the host's transaction, if one is open.

        On PostgreSQL a savepoint keeps an error of ours from failing the host's transaction. Without a transaction of
        the host's it is one for reading, gone at the end.

        :raises NoHostTransactionError: the transaction has failed, or the host has no connection now.
        """
        with self._connection() as connection:
            if connection.dialect.name == "postgresql" and _is_open(_driver(connection)):
                with connection.begin_nested():
                    yield self._ours(connection)
            elif self.in_transaction() or self._begins_with_a_select(connection):
                yield self._ours(connection)
            else:
                with self._reading_alone(connection):
                    yield self._ours(connection)

    def _begins_with_a_select(self, connection: sa.Connection) -> bool:
        """Whether the host's transaction begins with what is read: Django's, before its first statement."""
        raw = not isinstance(self._given, sa.Connection) and not isinstance(self._now(), sa.Connection)
        return raw and connection.dialect.name == "postgresql" and _begins_by_itself(_driver(connection))

    @contextmanager
    def _reading_alone(self, connection: sa.Connection) -> Iterator[None]:
        """A transaction for reading on a connection that has none, rolled back at the end: one state of the database,
        and on PostgreSQL there is no cursor without it."""
        driver = _driver(connection)
        token = _alone.set(_alone.get() | {id(driver)})
        try:
            with ExitStack() as at_end:
                if isinstance(self._now(), sa.Connection) and not connection.in_transaction():
                    at_end.callback(connection.begin().rollback)
                if connection.dialect.name == "sqlite":
                    begin = None if driver.in_transaction else "BEGIN"
                else:
                    begin = None if _begins_by_itself(driver) else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                if begin:
                    connection.exec_driver_sql(begin)
                    at_end.callback(_roll_back, connection, driver, _changes(driver))
                yield
        finally:
            _alone.reset(token)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A savepoint: released at the end, rolled back to on an exception.

        :raises NoHostTransactionError: there is no transaction that it could be part of.
        """
        with self._connection() as connection:
            if id(_driver(connection)) in _alone.get():
                raise NoHostTransactionError(what="none")  # what is open is a reading of ours, and is rolled back
            _require_transaction(connection)
            with connection.begin_nested():
                yield self._ours(connection)


def _changes(driver: Any) -> int:
    """How many rows were ever changed on a SQLite connection; on PostgreSQL a reading of ours lets nobody write."""
    return driver.total_changes if isinstance(driver, sqlite3.Connection) else 0


def _roll_back(connection: sa.Connection, driver: Any, changes: int) -> None:
    """End a reading of ours; where the host has written meanwhile, the transaction has become the host's to end."""
    if _changes(driver) == changes:
        connection.exec_driver_sql("ROLLBACK")
    elif not _begins_by_itself(driver):
        connection.exec_driver_sql("COMMIT")  # a host that commits each statement by itself will not end it


def _driver(connection: sa.Connection) -> Any:
    """The driver's connection; of a raw one the host's own, and not what stands before it."""
    driver: Any = connection.connection.driver_connection
    return driver.__dict__["_raw"] if isinstance(driver, Borrowed) else driver


def _is_open(driver: Any) -> bool:
    """Whether a transaction is open on a driver's connection; of a broken one it is gone."""
    if isinstance(driver, sqlite3.Connection):
        return driver.in_transaction
    return _status(driver) not in {None, _IDLE, _BROKEN}


def _begins_by_itself(driver: Any) -> bool:
    """Whether a driver's connection begins a transaction before a statement (SQLite: before one that writes)."""
    if isinstance(driver, sqlite3.Connection):
        return driver.isolation_level is not None
    return not driver.autocommit


def _status(driver: Any) -> int | None:
    """The state of a PostgreSQL connection's transaction, where the driver tells; libpq's numbers."""
    info = getattr(driver, "info", None)
    return None if info is None else int(info.transaction_status)


def _require_usable(driver: Any) -> None:
    if _status(driver) == _FAILED:
        raise NoHostTransactionError(what="failed")


def _require_transaction(connection: sa.Connection) -> None:
    driver = _driver(connection)
    if connection.dialect.name == "postgresql":
        _require_usable(driver)
        if not (_is_open(driver) or _begins_by_itself(driver)):
            raise NoHostTransactionError(what="none")
    elif not driver.in_transaction:
        # sqlite3 begins before the first INSERT and not before a SAVEPOINT, whose RELEASE would then commit
        if isinstance(connection.connection.driver_connection, Borrowed):
            raise NoHostTransactionError(what="none")
        connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins, and the host's own way of beginning with it
        if not driver.in_transaction:
            if driver.isolation_level is None:
                raise NoHostTransactionError(what="none")
            connection.exec_driver_sql("BEGIN IMMEDIATE")


class HostOrOwn:
    """The host's transaction while one is open; else transactions of the shop's own."""

    def __init__(self, host: Joined, own: Transactions, *, host_is_open: Callable[[], bool]) -> None:
        self.dialect = own.dialect
        self._host = host
        self._own = own
        self._host_is_open = host_is_open

    def _now(self) -> Transactions:
        return self._host if self._host_is_open() else self._own

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """As :meth:`Joined.reading`, or the shop's own."""
        return self._now().reading()

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """As :meth:`Joined.writing`, or the shop's own."""
        return self._now().writing()


class JoinedBegin(Begin):
    """Begins Works inside a host's transaction."""

    def __init__(
        self, *, transactions: Joined, in_transaction: Callable[[], bool], own: Transactions | None = None, **parts: Any
    ) -> None:
        """Begin on a host's connection.

        :param in_transaction: tells whether the host's transaction is open now; while it or the connection says so,
            nothing talks to the network.
        :param own: where Works begin while no transaction of the host's is open; without it they are refused then.
        """
        self._host = transactions
        self._own = own
        self._in_transaction = in_transaction
        either = transactions if own is None else HostOrOwn(transactions, own, host_is_open=self._host_is_open)
        super().__init__(transactions=either, **parts)

    def _host_is_open(self) -> bool:
        # Django with AUTOCOMMIT off is in a transaction and not in an atomic block; a raw connection inside an atomic
        # block is in none before its first statement: neither of the two is to be believed alone.
        return self._in_transaction() or self._host.in_transaction()

    @property
    def retries(self) -> bool:
        """Whether a flow may start again: not while the transaction is the host's."""
        return self._own is not None and not self._host_is_open()

    def require_no_transaction(self, what: str) -> None:
        """Insist that no transaction is open, the host's included.

        :raises WorkOpenError: one is.
        """
        if self._host_is_open():
            raise WorkOpenError(what=what)
        super().require_no_transaction(what)
