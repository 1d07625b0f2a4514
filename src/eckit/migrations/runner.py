"""Upgrading: everything in one transaction, so that a crash leaves the old tables or the new ones, nothing between."""

import importlib.resources
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from eckit.kernel import faults
from eckit.kernel.database import Database
from eckit.kernel.errors import RefusedError
from eckit.kernel.host_hooks import MigrationBranch
from eckit.kernel.plugins import Plugins
from eckit.kernel.tables import PREFIX, SCHEMA, metadata

VERSION_TABLE: Final = f"{PREFIX}migration"
CORE: Final = "eckit"
"""Whose a step is that is no plugin's."""
_LOCK: Final = 0x65636B6974
"""Advisory lock on PostgreSQL: of two upgrades at once, one waits; it spells the project's name."""

faults.declare("migrate.before_commit")


@attrs.frozen(kw_only=True)
class Revision:
    """A step that is still to be taken: whose it is, its id, and what it does."""

    owner: str
    id: str
    what: str


@attrs.define(kw_only=True, eq=False)
class NewerTablesError(RefusedError):
    """The tables are of a later version than the code: install that version, or restore a backup of before it.

    :ivar owner: whose tables: a plugin's name, or ``eckit``.
    :ivar found: the steps behind them that this code does not know.
    """

    code: ClassVar[str] = "newer-tables"
    owner: str
    found: str


def upgrade(
    database: Database, plugins: Plugins, *, say: Callable[[str], None] = lambda _: None
) -> tuple[Revision, ...]:
    """Bring the core's tables and every plugin's to the newest version, in one transaction; which steps were taken.

    Running it again, or after it was killed half-way, takes what is left: nothing, or all of it. What a plugin that is
    gone has made stays as it is, and goes on from there when the plugin is back.

    :raises NewerTablesError: the tables of the core or of a plugin are of a later version than its code.
    """
    schema = database.settings.schema
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if schema is not None:
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        taken = _Taken(connection, plugins)
        steps = taken.pending()
        for step in steps:
            say(f"{step.owner}: {step.what}")
        if steps:
            taken.take_all()
            faults.hit("migrate.before_commit")
    return steps


def pending(database: Database, plugins: Plugins) -> tuple[Revision, ...]:
    """Which steps are still to be taken.

    :raises NewerTablesError: the tables of the core or of a plugin are of a later version than its code.
    """
    with database.reading() as connection:
        return _Taken(connection, plugins).pending()


class _Taken:
    """Which steps a database has behind it, of those this code knows and of others.

    A row of the version table stands for a step and all before it. alembic knows no row whose plugin is gone, and takes
    a row away that another depends on; therefore such rows are put aside while it works, and afterwards each branch has
    a row of its own, so that the core's never goes with a plugin's.
    """

    def __init__(self, connection: sa.Connection, plugins: Plugins) -> None:
        self._connection = connection
        self._plugins = plugins
        self._config = _config(plugins, connection)
        self._scripts = ScriptDirectory.from_config(self._config)
        self._steps = list(self._scripts.walk_revisions("base", "heads"))
        rows = set(_rows(connection))
        self._heads = rows & {step.revision for step in self._steps}
        self._strange = rows - self._heads
        self._implied = {needed for head in self._heads for needed in _all_needed(self._scripts, head)}

    def pending(self) -> tuple[Revision, ...]:
        """The steps still to be taken, in their order."""
        owners = {label: plugin for plugin, label in _labels(self._plugins).items()}
        done = self._heads | self._implied
        steps = [
            Revision(
                owner=next((owners[label] for label in step.branch_labels if label in owners), CORE),
                id=step.revision,
                what=next(iter((step.doc or "").splitlines()), step.revision),
            )
            for step in reversed(self._steps)
            if step.revision not in done
        ]
        if self._strange:
            self._refuse_newer(steps)
        return tuple(steps)

    def take_all(self) -> None:
        """Take them, and leave the rows of others as they were."""
        if self._heads or self._strange:
            _write_rows(self._connection, self._heads - self._implied)
        command.upgrade(self._config, "heads")
        _write_rows(self._connection, self._strange.union(self._scripts.get_heads()))

    def _refuse_newer(self, steps: Sequence[Revision]) -> None:
        """Insist that whose first step is still to be taken has no tables: they would be of a later version."""
        firsts = {step.revision for step in self._steps if step.down_revision is None}
        there = set(sa.inspect(self._connection).get_table_names(schema=schema_of(self._connection)))
        for step in steps:
            if step.id in firsts and there & {table.name for table in _tables_of(self._plugins, step.owner)}:
                raise NewerTablesError(owner=step.owner, found=", ".join(sorted(self._strange)))


_version = sa.Table(VERSION_TABLE, sa.MetaData(schema=SCHEMA), sa.Column("version_num", sa.String(32)))


def _rows(connection: sa.Connection) -> Sequence[str]:
    """The rows of the version table; none while there is no such table."""
    options = {"version_table": VERSION_TABLE, "version_table_schema": schema_of(connection)}
    return MigrationContext.configure(connection, opts=options).get_current_heads()


def _write_rows(connection: sa.Connection, revisions: Iterable[str]) -> None:
    connection.execute(sa.delete(_version))
    rows = [{"version_num": revision} for revision in sorted(revisions)]
    if rows:
        connection.execute(sa.insert(_version), rows)


def _tables_of(plugins: Plugins, owner: str) -> Iterable[sa.Table]:
    return metadata.tables.values() if owner == CORE else plugins.infos[owner].tables


def schema_of(connection: sa.Connection) -> str | None:
    """The schema this shop's tables are in; looking for a table does not follow the map, only statements do."""
    schema: str | None = connection.get_execution_options().get("schema_translate_map", {}).get(SCHEMA)
    return schema


def _all_needed(scripts: ScriptDirectory, head: str) -> set[str]:
    needed: set[str] = set()
    todo = [head]
    while todo:
        script = scripts.get_revision(todo.pop())
        for named in (*_names(script.down_revision), *_names(script.dependencies)):
            more = scripts.get_revision(named).revision  # a dependency may be named by its branch
            if more not in needed:
                needed.add(more)
                todo.append(more)
    return needed


def _names(value: Any) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _branches(plugins: Plugins) -> dict[str, MigrationBranch]:
    """Plugin → its branch."""
    found: dict[str, MigrationBranch] = {}
    for answer in plugins.call.register_migrations().given:
        found[answer.plugin] = answer.value
    return found


def _labels(plugins: Plugins) -> dict[str, str]:
    return {plugin: branch.label for plugin, branch in _branches(plugins).items()}


def _config(plugins: Plugins, connection: sa.Connection) -> Config:
    home = Path(str(importlib.resources.files("eckit.migrations")))
    places = [home / "versions", *(branch.directory for branch in _branches(plugins).values())]
    config = Config()
    config.set_main_option("script_location", str(home))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, places)))
    config.attributes["connection"] = connection
    return config
