"""Joining a host's transaction: a SQLAlchemy connection as it is, or a raw DBAPI connection behind a proxy.

A joined Work is a savepoint. It never commits, rolls back or closes the host's transaction, and never retries: after a
serialization failure only the owner of the outer transaction can. Nothing of ours stays on the host's connection: no
execution option, no registered function, no handler.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import attrs
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from eckit.kernel.errors import RefusedError, invalid
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Begin, WorkOpenError

_IDLE, _FAILED = 0, 3  # PQtransactionStatus, the same in every driver


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

    def __init__(self, connection: Any, *, schema: str | None = None) -> None:
        """Use a host's connection.

        :param connection: an SQLAlchemy ``Connection``, a raw connection of ``sqlite3`` or psycopg, or a callable that
            gives either: the current one of a framework that keeps one per thread.
        :param schema: the PostgreSQL schema of the shop's tables; None is the connection's search path.
        :raises InvalidInputError: ``unknown-database``.
        """
        self._given = connection
        self._schema = schema
        self._lenders: dict[str, Lender] = {}
        now = self._now()
        self.dialect = now.dialect.name if isinstance(now, sa.Connection) else _url_of(now).partition(":")[0]
        self.dialect = self.dialect.partition("+")[0]

    @classmethod
    def to(cls, connection: Any, *, schema: str | None = None) -> "Joined":
        """As :class:`Joined` itself."""
        return cls(connection, schema=schema)

    def in_transaction(self) -> bool:
        """Whether the host's transaction is open, as far as its connection tells."""
        now = self._now()
        if isinstance(now, sa.Connection):
            return now.in_transaction()
        return bool(now.in_transaction) if isinstance(now, sqlite3.Connection) else now.info.transaction_status != _IDLE

    def _now(self) -> Any:
        given = self._given
        return given if isinstance(given, sa.Connection) or is_raw(given) else given()

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        now = self._now()
        if isinstance(now, sa.Connection):
            yield now
            return
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

        On PostgreSQL a savepoint keeps an error of ours from failing the host's transaction.
        """
        with self._connection() as connection:
            if connection.dialect.name == "postgresql" and _is_open(connection):
                with connection.begin_nested():
                    yield self._ours(connection)
            elif isinstance(self._now(), sa.Connection) and not connection.in_transaction():
                with connection.begin() as own:
                    yield self._ours(connection)
                    own.rollback()
            else:
                yield self._ours(connection)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A savepoint: released at the end, rolled back to on an exception.

        :raises NoHostTransactionError: there is no transaction that it could be part of.
        """
        with self._connection() as connection:
            _require_transaction(connection)
            with connection.begin_nested():
                yield self._ours(connection)


def _is_open(connection: sa.Connection) -> bool:
    status = _status(connection.connection.driver_connection)
    return connection.in_transaction() if status is None else status != _IDLE


def _status(driver: Any) -> int | None:
    """The state of a PostgreSQL connection's transaction, where the driver tells; libpq's numbers."""
    info = getattr(driver, "info", None)
    return None if info is None else int(info.transaction_status)


def _require_usable(driver: Any) -> None:
    if _status(driver) == _FAILED:
        raise NoHostTransactionError(what="failed")


def _require_transaction(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        _require_usable(driver)
        if _status(driver) == _IDLE and driver.autocommit:
            raise NoHostTransactionError(what="none")
    elif not driver.in_transaction:
        # sqlite3 begins before the first INSERT and not before a SAVEPOINT, whose RELEASE would then commit
        if isinstance(driver, Borrowed):
            raise NoHostTransactionError(what="none")
        connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins, and the host's own way of beginning with it
        if not driver.in_transaction:
            if driver.isolation_level is None:
                raise NoHostTransactionError(what="none")
            connection.exec_driver_sql("BEGIN IMMEDIATE")


class JoinedBegin(Begin):
    """Begins Works inside a host's transaction.

    :param in_transaction: tells whether the host's transaction is open now; while it is, nothing talks to the network.
    """

    retries: ClassVar[bool] = False

    def __init__(self, *, in_transaction: Callable[[], bool], **parts: Any) -> None:
        super().__init__(**parts)
        self._in_transaction = in_transaction

    def require_no_transaction(self, what: str) -> None:
        """Insist that no transaction is open, the host's included.

        :raises WorkOpenError: one is.
        """
        if self._in_transaction():
            raise WorkOpenError(what=what)
        super().require_no_transaction(what)
