"""A plugin's view of the transaction: statements that name only the plugin's own tables.

So a plugin's row, a core verb and their events commit together or not at all, and no plugin can write around the core.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement

from eckit.kernel.errors import RefusedError

if TYPE_CHECKING:
    from eckit.kernel.work import Work


@attrs.define(kw_only=True, eq=False)
class ForeignTableError(RefusedError):
    """A plugin's statement names a table that is not that plugin's own, or text that cannot be checked."""

    code: ClassVar[str] = "foreign-table"
    what: str = ""


class Own:
    """``work.own``: runs statements of a plugin on its own tables, in the same transaction as everything else."""

    def __init__(self, work: "Work", *, reading_only: bool = False) -> None:
        self._work = work
        self._reading_only = reading_only

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a SQLAlchemy Core statement.

        A write raises the stamp ``plugin:<name>``, on which cached facts of that plugin rest.

        :raises ForeignTableError: it names a table of the core or of another plugin, no table at all, or raw SQL.
        """
        plugin = self._owner(statement)
        writes = bool(getattr(statement, "is_dml", False))
        if writes and self._reading_only:
            raise ForeignTableError(what=f"write of {plugin} inside a hook")
        if writes:
            self._work.bump(f"plugin:{plugin}")
        return self._work.execute(statement, parameters)

    def _owner(self, statement: sa.Executable) -> str:
        owners: set[str] = set()
        for element in visitors.iterate(_as_clause(statement)):
            if isinstance(element, sa.Table):
                owner = self._work.plugins.table_owner(element)
                if owner is None:
                    raise ForeignTableError(what=element.name)
                owners.add(owner)
            elif isinstance(element, sa.TextClause) or getattr(element, "is_literal", False):
                raise ForeignTableError(what="raw SQL")
        if len(owners) != 1:
            raise ForeignTableError(what=", ".join(sorted(owners)) or "no table")
        return owners.pop()


def _as_clause(statement: sa.Executable) -> ClauseElement:
    if not isinstance(statement, ClauseElement):
        raise ForeignTableError(what="raw SQL")
    return statement
