"""The migration branch makes exactly the tables that the plugin declares."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import load_python_file

import eckit_tablerate
from eckit.kernel.database import Database, DatabaseSettings
from eckit_tablerate import tables


def test_the_branch_makes_the_tables(database_url: str) -> None:
    """On both databases: columns, keys and checks are those that ``create_all`` makes."""
    branch = eckit_tablerate.plugin.register_migrations()
    script = load_python_file(str(branch.directory), "0001_fares.py")
    assert (branch.label,) == script.branch_labels
    assert Path(eckit_tablerate.__file__).parent / "migrations" == branch.directory

    database = Database(DatabaseSettings(url=database_url))
    try:
        with database.writing() as connection:
            with Operations.context(MigrationContext.configure(connection)):
                script.upgrade()
            migrated = _shape(connection)
            tables.metadata.drop_all(connection)
            tables.metadata.create_all(connection)
            assert _shape(connection) == migrated
    finally:
        database.close()


def _shape(connection: sa.Connection) -> dict[str, Any]:
    inspector = sa.inspect(connection)
    return {
        name: {
            "columns": {one["name"]: (str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)},
            "key": inspector.get_pk_constraint(name),
            "refers": inspector.get_foreign_keys(name),
            "checks": {str(one["name"]) for one in inspector.get_check_constraints(name)},
        }
        for name in sorted(inspector.get_table_names())
    }
