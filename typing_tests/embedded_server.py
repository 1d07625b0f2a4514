"""A plugin author runs tests on a PostgreSQL server of their own."""

from pathlib import Path
from typing import assert_type

from eckit.testing.postgres import NoPostgresError, create_database, embedded_postgres
from eckit.testing.statement_log import logged_statements


def count_statements(data: Path) -> int:
    try:
        with embedded_postgres(data, settings={"max_connections": "20"}) as server:
            url = assert_type(create_database(server, "shop"), str)
            with logged_statements(url) as statements:
                pass
    except NoPostgresError:
        return 0
    return len(assert_type(statements, list[str]))
