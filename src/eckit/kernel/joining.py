"""Joining a host's transaction: a SQLAlchemy connection as it is, or a raw DBAPI connection behind a proxy.

A joined Work is a savepoint. It never commits, rolls back or closes the host's transaction, and never retries: after a
serialization failure only the owner of the outer transaction can.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from eckit.kernel.errors import invalid
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Begin, WorkOpenError


class Borrowed:
    """A DBAPI connection that cannot commit, roll back or close: those are the host's."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # the dialect sets isolation and autocommit on what it thinks is its own connection
        if name == "_raw":
            object.__setattr__(self, name, value)

    def commit(self) -> None:
        """The host commits."""

    def rollback(self) -> None:
        """The host rolls back."""

    def close(self) -> None:
        """The host closes."""


def borrow(raw: Any, dialect: str) -> sa.Engine:
    """An engine over a host's raw connection (``sqlite3`` or psycopg), as Django hands it out.

    :param raw: the open DBAPI connection; Django's is ``connection.connection``.
    :param dialect: ``sqlite`` or ``postgresql``.
    """
    if dialect not in {"sqlite", "postgresql"}:
        raise invalid("unknown-database", "dialect", dialect, limit="sqlite, postgresql")
    url = "sqlite://" if dialect == "sqlite" else "postgresql+psycopg://"
    options: dict[str, Any] = {} if dialect == "sqlite" else {"use_native_hstore": False}
    borrowed = Borrowed(raw)
    return sa.create_engine(url, creator=lambda: borrowed, poolclass=StaticPool, pool_reset_on_return=None, **options)


class Joined:
    """Transactions on a host's connection: savepoints."""

    def __init__(self, connection: sa.Connection | Callable[[], sa.Connection], *, schema: str | None = None) -> None:
        self._connection = connection
        self._schema = schema
        self.dialect = self._now().dialect.name

    def _now(self) -> sa.Connection:
        connection = self._connection() if callable(self._connection) else self._connection
        schema = self._schema if connection.dialect.name == "postgresql" else None
        return connection.execution_options(schema_translate_map={SCHEMA: schema})

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The host's connection; what is read belongs to the host's transaction."""
        yield self._now()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A savepoint: released at the end, rolled back to on an exception."""
        connection = self._now()
        with connection.begin_nested():
            yield connection


class JoinedBegin(Begin):
    """Begins Works inside a host's transaction.

    :param in_transaction: tells whether the host's transaction is open now; what talks to the network refuses while it is.
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
