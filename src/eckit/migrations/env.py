"""Run by alembic: migrates on the connection it was given, inside that connection's transaction."""

from alembic import context

from eckit.kernel.tables import metadata
from eckit.migrations.runner import VERSION_TABLE, schema_of

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    version_table_schema=schema_of(connection),
    transactional_ddl=True,
    transaction_per_migration=False,
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
