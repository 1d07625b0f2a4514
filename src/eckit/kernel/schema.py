"""Whether the database has the tables this code needs, the core's and every plugin's."""

from collections.abc import Iterator

import sqlalchemy as sa

# named so that every table of the kernel is known once this module is
from eckit.kernel import answers, facets, history, idempotency, leases, outbox, stamps
from eckit.kernel.errors import Problem
from eckit.kernel.plugins import Plugins
from eckit.kernel.tables import SCHEMA, metadata

KERNEL_TABLES = (
    answers.answer,
    facets.facet,
    history.history,
    idempotency.idempotency,
    leases.lease,
    outbox.outbox,
    stamps.stamp,
)


def problems(connection: sa.Connection, plugins: Plugins) -> tuple[Problem, ...]:
    """What is missing, a problem per table: ``table-missing`` or ``column-missing``, naming whose table it is."""
    mapping = connection.get_execution_options().get("schema_translate_map", {})
    schema = mapping.get(SCHEMA)
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names(schema=schema))
    found: list[Problem] = []
    for owner, table in _needed(plugins):
        if table.name not in there:
            found.append(_missing("table-missing", owner, table.name))
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name, schema=schema)}
        lacking = sorted({column.name for column in table.columns} - columns)
        found.extend(_missing("column-missing", owner, f"{table.name}.{column}") for column in lacking)
    return tuple(found)


def _needed(plugins: Plugins) -> Iterator[tuple[str, sa.Table]]:
    for table in metadata.sorted_tables:
        yield "eckit", table
    for info in plugins.infos.values():
        for table in sorted(info.tables, key=lambda table: table.name):
            yield info.name, table


def _missing(code: str, owner: str, name: str) -> Problem:
    return Problem(code=code, path=owner, value=name, suggestion="eckit db upgrade")
