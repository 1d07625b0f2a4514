"""What all tables share: the symbolic schema, the prefix, and three column types.

Tables declare the schema ``eckit`` and the prefix ``eckit_``; a ``schema_translate_map`` binds the schema to one
PostgreSQL schema or one SQLite file per shop, so that nothing here is one shop's.
"""

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from eckit.kernel.freezing import canonical

SCHEMA = "eckit"
PREFIX = "eckit_"

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def plugin_metadata() -> sa.MetaData:
    """A metadata for a plugin's own tables: bound to the shop's schema like the core's, constraints named alike.

    Name the tables after the plugin (``tablerate_rate``); names that start with ``eckit_`` are the core's.
    """
    return sa.MetaData(schema=SCHEMA, naming_convention=_NAMES)


metadata = plugin_metadata()
"""All tables of the core. Plugins bring a metadata of their own."""


class Instant(TypeDecorator[dt.datetime]):
    """An aware instant, stored in UTC: ``timestamptz`` on PostgreSQL, sortable text of fixed width on SQLite."""

    impl = sa.String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of each database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """To the database; a naive instant is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a naive datetime has no place in a table")
        value = value.astimezone(dt.UTC)
        if dialect.name == "postgresql":
            return value
        # not strftime: its %Y has as many digits as the year
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """From the database, aware."""
        if value is None:
            return None
        if dialect.name != "postgresql":
            return dt.datetime.fromisoformat(value)
        if value.tzinfo is None:  # a host has taught its connection to drop the zone; whose time this is, nobody knows
            raise TypeError("the connection gives instants without a zone")
        instant: dt.datetime = value.astimezone(dt.UTC)
        return instant


class Json(TypeDecorator[Any]):
    """A JSON document as canonical text, the same bytes on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """To the database."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From the database."""
        return None if value is None else json.loads(value)


def ident(name: str, *constraints: Any, **options: Any) -> sa.Column[str]:
    """A column that holds an id or a code."""
    return sa.Column(name, sa.String(80), *constraints, nullable=options.pop("nullable", False), **options)


def minor(name: str, **options: Any) -> sa.Column[int]:
    """A column that holds an amount in minor units of the row's currency."""
    return sa.Column(name, sa.BigInteger, nullable=options.pop("nullable", False), **options)


def currency() -> sa.Column[str]:
    """The currency of the row's amounts, ISO 4217."""
    return sa.Column("currency", sa.String(3), nullable=False)


def at(name: str, **options: Any) -> sa.Column[dt.datetime]:
    """A column that holds an instant."""
    return sa.Column(name, Instant, nullable=options.pop("nullable", False), **options)


def core_table(name: str, *items: Any) -> sa.Table:
    """A table of the core: ``core_table("order", …)`` is ``eckit_order``."""
    return sa.Table(f"{PREFIX}{name}", metadata, *items)
