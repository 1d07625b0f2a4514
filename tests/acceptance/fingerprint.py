"""What is in the database, as one text: to show that something changed nothing."""

import hashlib

import sqlalchemy as sa


def fingerprint(connection: sa.Connection) -> dict[str, str]:
    """Table → a digest of its rows, in any order."""
    found: dict[str, str] = {}
    for name in sorted(sa.inspect(connection).get_table_names()):
        rows = sorted(repr(tuple(row)) for row in connection.exec_driver_sql(f'select * from "{name}"'))
        found[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found
