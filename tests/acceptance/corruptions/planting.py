"""How a corruption is written down: what is planted, by which SQL, and what the auditor must say of it.

SQL, and rows, with names of :class:`~tests.acceptance.lived.Lived` in braces; a row may be a ``select`` of it.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from eckit.flows.audit_shop import checks  # noqa: F401 -- with it, every table is declared
from eckit.kernel.tables import metadata


@attrs.frozen(kw_only=True)
class Corruption:
    """What is planted, and what is found: invariant, table and row; the first is what the corruption is about.

    :ivar clause: of the invariants of the design, or a rule of the house; what the first finding's check says.
    """

    what: str
    sql: tuple[str, ...]
    found: tuple[tuple[str, str, str], ...]
    clause: str = ""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables the SQL writes to."""
        words = [statement.split() for statement in self.sql]
        names = [one[1] if one[0] == "update" else one[2] for one in words]
        return tuple(dict.fromkeys(name.removeprefix("eckit_") for name in names))


def plant(what: str, found: Mapping[str, str | tuple[str, ...]], *sql: str) -> Corruption:
    """``found`` is ``table/invariant`` → row, or rows; several where several checks look at the same thing."""
    named = []
    for invariant, rows in found.items():
        table, _, name = invariant.partition("/")
        named += [(name, table, row) for row in (rows if isinstance(rows, tuple) else (rows,))]
    return Corruption(what=what, sql=sql, found=tuple(named))


def of(clause: str, *planted: Corruption) -> tuple[Corruption, ...]:
    """Corruptions that violate one clause."""
    return tuple(attrs.evolve(one, clause=clause) for one in planted)


def update(table: str, change: str, where: str) -> str:
    """SQL that changes rows."""
    return f"update eckit_{table} set {change} where {where}"


def delete(table: str, where: str) -> str:
    """SQL that deletes rows."""
    return f"delete from eckit_{table} where {where}"


def copied(table: str, where: str, **changes: object) -> str:
    """SQL that inserts a row once more, with these columns changed."""
    columns = [column.name for column in metadata.tables[f"eckit.eckit_{table}"].columns]
    values = ", ".join(str(changes.get(name, name)) for name in columns)
    return f"insert into eckit_{table} ({', '.join(columns)}) select {values} from eckit_{table} where {where}"


def added(table: str, **values: object) -> str:
    """SQL that inserts a row."""
    return f"insert into eckit_{table} ({', '.join(values)}) values ({', '.join(map(str, values.values()))})"


MOVE: Final = {"id": "'mov_x'", "movement_ref": "'x'"}
"""What makes a copied movement one of its own."""
