"""Version stamps: one counter per thing that answers rest on, raised by whoever changes it.

A quote remembers the stamps of everything its price rested on; placing compares them in one read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eckit.kernel.errors import MovedError
from eckit.kernel.tables import core_table, ident

stamp = core_table("stamp", ident("name", primary_key=True), sa.Column("version", sa.BigInteger, nullable=False))

_READ = sa.select(stamp.c.name, stamp.c.version).where(stamp.c.name.in_(sa.bindparam("names", expanding=True)))

_MORE: Any = {"index_elements": ["name"], "set_": {"version": stamp.c.version + 1}}
_RAISE = {
    "postgresql": postgresql.insert(stamp).on_conflict_do_update(**_MORE).returning(stamp.c.name),
    "sqlite": sqlite.insert(stamp).on_conflict_do_update(**_MORE).returning(stamp.c.name),
}


def read(connection: sa.Connection, names: Iterable[str]) -> dict[str, int]:
    """The current version of each name; a thing never changed is at 0."""
    wanted = sorted(set(names))
    found = {row.name: row.version for row in connection.execute(_READ, {"names": wanted})}
    return {name: found.get(name, 0) for name in wanted}


def compare(connection: sa.Connection, expected: Mapping[str, int]) -> None:
    """Insist that nothing moved.

    :raises MovedError: names the first stamp that did.
    """
    current = read(connection, expected)
    for name, version in sorted(expected.items()):
        if current[name] != version:
            raise MovedError(what=name)


def raise_all(connection: sa.Connection, names: Iterable[str]) -> None:
    """Raise the stamps by one each, in one statement, in one global order."""
    rows = [{"name": name, "version": 1} for name in sorted(set(names))]
    if rows:
        connection.execute(_RAISE[connection.dialect.name], rows)


def upsert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An insert of this connection's dialect, for ``on_conflict_…``."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
