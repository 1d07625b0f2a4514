"""A plugin's view of the transaction: statements that name only the plugin's own tables.

So a plugin's row, a core verb and their events commit together or not at all, and no plugin writes around the core by
mistake. It is a fence and not a wall: plugins are trusted code.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs
import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnClause
from sqlalchemy.sql.functions import FunctionElement

from eckit.kernel.errors import RefusedError

if TYPE_CHECKING:
    from eckit.kernel.work import Work

RAW: Final = "raw SQL"
_OPERATOR: Final = re.compile(r"[-+*/<>=~!@#%^&|?]{1,4}|(?i:not )?(?i:like|ilike|glob|regexp|match|is|similar to)")
# Functions that run SQL given as text, or reach files and other servers.
_REACHING: Final = re.compile(
    r"(?i)(pg_|lo_|dblink|query_to_|table_to_|schema_to_|database_to_|cursor_to_|ts_stat|crosstab|connectby|xpath_table"
    r"|set_config|load_extension|readfile|writefile|edit|fts3_tokenizer)"
)
_TEXTS: Final = ("_prefixes", "_suffixes", "_statement_hints", "_hints", "_independent_ctes_opts")


@attrs.define(kw_only=True, eq=False)
class ForeignTableError(RefusedError):
    """A plugin's statement names a table that is not that plugin's own, or text that cannot be checked."""

    code: ClassVar[str] = "foreign-table"
    what: str = ""


class Own:
    """``work.own``: runs statements of a plugin on its own tables, in the same transaction as everything else."""

    def __init__(self, work: "Work", *, plugin: str | None = None, reading_only: bool = False) -> None:
        """Views of a Work.

        :param plugin: the only plugin whose tables may be named; None leaves it to the statement.
        :param reading_only: refuse writes: for hooks that are asked inside a Work, and for ``load``.
        """
        self._work = work
        self._plugin = plugin
        self._reading_only = reading_only

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a SQLAlchemy Core statement.

        A write raises the stamp ``plugin:<name>``, on which cached facts of that plugin rest.

        :raises ForeignTableError: it names a table of the core or of another plugin, no table at all, or raw SQL; or
            it writes where only reading is allowed.
        """
        elements = list(_elements(statement))
        plugin = self._owner(elements)
        writes = any(getattr(element, "is_dml", False) for element in elements)
        if writes and self._reading_only:
            raise ForeignTableError(what=f"write of {plugin} inside a hook")
        result = self._work.execute(statement, parameters)
        if writes:
            self._work.bump(f"plugin:{plugin}")
        return result

    def _owner(self, elements: list[Any]) -> str:
        """The plugin all these elements belong to."""
        owners: set[str] = set()
        for element in elements:
            if _is_raw(element):
                raise ForeignTableError(what=RAW)
            for table in _tables(element):
                owner = self._work.plugins.table_owner(table) if isinstance(table, sa.Table) else None
                if owner is None or self._plugin not in {None, owner}:
                    raise ForeignTableError(what=table.name)
                owners.add(owner)
        if len(owners) != 1:
            raise ForeignTableError(what=", ".join(sorted(owners)) or "no table")
        return owners.pop()


def _elements(statement: sa.Executable) -> Iterator[Any]:
    """Every part of a statement, of those SQLAlchemy's own traversal passes over as well."""
    if not isinstance(statement, ClauseElement):
        raise ForeignTableError(what=RAW)
    todo: list[ClauseElement] = [statement]
    while todo:
        for element in visitors.iterate(todo.pop()):
            yield element
            todo += _passed_over(element)


def _passed_over(element: Any) -> Iterator[ClauseElement]:
    for rows in getattr(element, "_multi_values", ()):
        for row in rows:
            values = row.values() if isinstance(row, dict) else row
            yield from (value for value in values if isinstance(value, ClauseElement))


def _tables(element: Any) -> Iterator[Any]:
    """The tables an element names: itself, or a column's, which a DELETE or UPDATE joins without saying so."""
    if isinstance(element, sa.TableClause):
        yield element
    elif isinstance(element, ColumnClause) and isinstance(element.table, sa.TableClause):
        yield element.table


def _is_raw(element: Any) -> bool:
    """Whether it brings SQL as text, which nobody can look into."""
    if isinstance(element, sa.TextClause):
        return True
    if isinstance(element, ColumnClause) and element.is_literal:
        return element.name != "*"  # count(*)
    if isinstance(element, FunctionElement):
        return _REACHING.match(str(getattr(element, "name", ""))) is not None
    operator = getattr(element, "operator", None)
    if isinstance(operator, operators.custom_op) and not _OPERATOR.fullmatch(operator.opstring):
        return True
    return any(getattr(element, name, None) for name in _TEXTS)
