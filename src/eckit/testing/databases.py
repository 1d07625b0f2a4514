"""A shop's tables in an empty database, for tests."""

import sqlalchemy as sa

import eckit.shop  # noqa: F401 -- with every capability, and so every table
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.tables import metadata


def install_schema(
    url: str, *, schema: str | None = None, extra: tuple[sa.MetaData, ...] = (), core: bool = True
) -> None:
    """Create all tables of the core in the database at ``url``, as the code declares them.

    :param schema: on PostgreSQL, the schema they go to; made if missing.
    :param extra: tables of plugins to create as well.
    :param core: False, if the core's tables are there already.
    """
    database = Database(DatabaseSettings(url=url, schema=schema))
    try:
        with database.writing() as connection:
            if schema is not None and database.dialect == "postgresql":
                connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
            for tables in (*([metadata] if core else ()), *extra):
                tables.create_all(connection)
    finally:
        database.close()
