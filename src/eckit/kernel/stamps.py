"""Version stamps: one number per thing that answers rest on, replaced by whoever changes it.

A quote remembers the stamps of everything its price rested on; placing compares them in one read.

A number is drawn at random and never used for two states: were it counted up, a change that is rolled back and the
next one would share a number, and what was loaded under the first would be taken for the second.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eckit.kernel.errors import MovedError
from eckit.kernel.tables import core_table, ident

stamp = core_table("stamp", ident("name", primary_key=True), sa.Column("version", sa.BigInteger, nullable=False))

_READ = sa.select(stamp.c.name, stamp.c.version).where(stamp.c.name.in_(sa.bindparam("names", expanding=True)))

# Quotes and placements carry stamps along, as JSON: no larger than a double holds exactly, and of 16 digits that begin
# with 1, as no card number does: the auditor and the log filter must not take one for such.
_LEAST: Final = 10**15


def _replacing(insert: Any) -> sa.Executable:
    changed = insert.on_conflict_do_update(index_elements=["name"], set_={"version": insert.excluded.version})
    return changed.returning(stamp.c.name)  # type: ignore[no-any-return]


_RAISE: Final = {
    "postgresql": _replacing(postgresql.insert(stamp)),
    "sqlite": _replacing(sqlite.insert(stamp)),
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
    """Give each of the stamps a number that it never had, in one statement, in one global order."""
    rows = [{"name": name, "version": _LEAST + secrets.randbelow(_LEAST)} for name in sorted(set(names))]
    if rows:
        connection.execute(_RAISE[connection.dialect.name], rows)


def upsert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An insert of this connection's dialect, for ``on_conflict_…``."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
