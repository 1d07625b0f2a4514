"""Breaking data on purpose: what the database's own constraints would refuse is planted too, seen, and taken back."""

import contextlib
from collections.abc import Sequence

import sqlalchemy as sa

from eckit.kernel import auditing
from eckit.kernel.auditing import Check
from eckit.kernel.work import Begin


def broken(begin: Begin, checks: Sequence[Check]) -> list[str]:
    """The invariants that are broken now."""
    with begin.transactions.reading() as connection:
        return [violation.invariant for violation in auditing.run(connection, checks)]


def broken_by(
    begin: Begin, checks: Sequence[Check], tables: Sequence[sa.Table], *statements: sa.Executable
) -> set[str]:
    """The invariants that these statements break, on copies of the tables that have no constraints."""
    found: set[str] = set()
    with contextlib.suppress(_TakenBackError), begin.transactions.writing() as connection:
        for table in tables:
            connection.execute(sa.text(f"alter table {table.name} rename to {table.name}_was"))
            connection.execute(sa.text(f"create table {table.name} as select * from {table.name}_was"))
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, str(statement)
        found |= {violation.invariant for violation in auditing.run(connection, checks)}
        raise _TakenBackError
    return found


def again(table: sa.Table, **changes: object) -> sa.Insert:
    """Insert every row of a table once more, with these columns changed."""
    columns = [sa.literal(changes[c.name], c.type).label(c.name) if c.name in changes else c for c in table.c]
    return sa.insert(table).from_select([c.name for c in table.c], sa.select(*columns))


class _TakenBackError(Exception):
    pass
