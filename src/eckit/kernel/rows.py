"""Many rows as one statement that is compiled once, whatever their number.

A plain insert of many rows is ``work.execute(sa.insert(table).returning(key), rows)``: one statement at the server. For
rows that are joined with, there is :class:`GivenRows`: they travel as one parameter per column on PostgreSQL and as one
JSON text on SQLite, so that the statement's text does not depend on them. ``VALUES`` lists are compiled each time.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine


class GivenRows:
    """Rows of a fixed shape, given with each execution, that a statement can select from.

    :ivar tables: by dialect, what stands for the rows in a statement; all have a column for each name.
    """

    def __init__(self, name: str, columns: Mapping[str, TypeEngine[Any]]) -> None:
        self._name = name
        self._columns = tuple(columns)
        self.tables: Mapping[str, sa.FromClause] = {
            "postgresql": self._unnested(columns),
            "sqlite": self._extracted(columns),
        }

    def _unnested(self, columns: Mapping[str, TypeEngine[Any]]) -> sa.FromClause:
        arrays = [sa.bindparam(f"{self._name}_{name}", type_=postgresql.ARRAY(kind)) for name, kind in columns.items()]
        shape = [sa.column(name, kind) for name, kind in columns.items()]
        return sa.func.unnest(*arrays).table_valued(*shape, name=self._name).render_derived()

    def _extracted(self, columns: Mapping[str, TypeEngine[Any]]) -> sa.FromClause:
        each = sa.func.json_each(sa.bindparam(self._name, type_=sa.Text())).table_valued("value")
        fields = [
            sa.func.json_extract(each.c.value, sa.literal_column(f"'$[{position}]'"), type_=kind).label(name)
            for position, (name, kind) in enumerate(columns.items())
        ]
        return sa.select(*fields).cte(self._name)

    def parameters(self, dialect: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """The rows as the parameters of a statement."""
        if dialect == "postgresql":
            turned = zip(*rows, strict=True) if rows else ((),) * len(self._columns)
            return {f"{self._name}_{name}": list(values) for name, values in zip(self._columns, turned, strict=True)}
        return {self._name: json.dumps(rows, ensure_ascii=False)}
