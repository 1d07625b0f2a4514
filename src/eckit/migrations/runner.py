"""Upgrading: everything in one transaction, so that a crash leaves the old tables or the new ones, nothing between."""

import importlib.resources
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from eckit.kernel import faults
from eckit.kernel.database import Database
from eckit.kernel.host_hooks import MigrationBranch
from eckit.kernel.plugins import Plugins
from eckit.kernel.tables import PREFIX, SCHEMA

VERSION_TABLE: Final = f"{PREFIX}migration"
_LOCK: Final = 0x65636B6974
"""Advisory lock on PostgreSQL: of two upgrades at once, one waits; it spells the project's name."""

faults.declare("migrate.before_commit")


@attrs.frozen(kw_only=True)
class Revision:
    """A step that is still to be taken: whose it is, its id, and what it does."""

    owner: str
    id: str
    what: str


def upgrade(
    database: Database, plugins: Plugins, *, say: Callable[[str], None] = lambda _: None
) -> tuple[Revision, ...]:
    """Bring the core's tables and every plugin's to the newest version, in one transaction; which steps were taken.

    Running it again, or after it was killed half-way, takes what is left: nothing, or all of it.
    """
    schema = database.settings.schema
    with database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if schema is not None:
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        steps = _pending(connection, plugins)
        for step in steps:
            say(f"{step.owner}: {step.what}")
        if steps:
            command.upgrade(_config(plugins, connection), "heads")
            faults.hit("migrate.before_commit")
    return steps


def pending(database: Database, plugins: Plugins) -> tuple[Revision, ...]:
    """Which steps are still to be taken."""
    with database.reading() as connection:
        return _pending(connection, plugins)


def _pending(connection: sa.Connection, plugins: Plugins) -> tuple[Revision, ...]:
    scripts = ScriptDirectory.from_config(_config(plugins, connection))
    options = {"version_table": VERSION_TABLE, "version_table_schema": schema_of(connection)}
    done = MigrationContext.configure(connection, opts=options).get_current_heads()
    seen = {step.revision for head in done for step in scripts.iterate_revisions(head, "base")}
    # a plugin's head stands for the core's revision it depends on as well
    seen |= {needed for head in done for needed in _all_needed(scripts, head)}
    branches = {label: owner for owner, label in _labels(plugins).items()}
    steps = [step for step in scripts.walk_revisions("base", "heads") if step.revision not in seen]
    return tuple(
        Revision(
            owner=next((branches[label] for label in step.branch_labels if label in branches), "eckit"),
            id=step.revision,
            what=(step.doc or "").splitlines()[0],
        )
        for step in reversed(steps)
    )


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
