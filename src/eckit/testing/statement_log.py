"""What a PostgreSQL server was really asked, read from the server's own log.

Counted at the client, an executemany of fifty rows is one statement; at the server it is fifty.
"""

import contextlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from eckit.testing.postgres import NoPostgresError, connection_string

_PREFIX: Final = re.compile(r"(?:statement|execute (?:fetch from )?[^:]*): ")
_PATIENCE_SECONDS: Final = 10.0
_SETTLING_SECONDS: Final = 0.05  # until every session has heard of a new setting


@contextlib.contextmanager
def logged_statements(url: str) -> Iterator[list[str]]:
    """Collect the statements sent to the database of `url` within the block, transaction control included.

    The list is filled when the block ends, in the order of the log. From the first use on, the server logs all that
    it is asked until it stops, so do not measure its speed afterwards.

    :raises NoPostgresError: the server does not log as JSON to a file that this process can read.
    """
    import psycopg

    statements: list[str] = []
    with psycopg.connect(connection_string(url), autocommit=True) as own:
        log = _log_file(own)
        _switch_on(own)
        start = log.stat().st_size
        yield statements
        for record in _records_until_marker(own, log, start):
            ours = record.get("dbname") == own.info.dbname and record["pid"] != own.info.backend_pid
            if ours and (prefix := _PREFIX.match(record["message"])):
                statements.append(record["message"][prefix.end() :])


def _log_file(connection: Any) -> Path:
    query = "SELECT current_setting('data_directory'), pg_current_logfile('jsonlog')"
    [(directory, name)] = connection.execute(query).fetchall()
    log = Path(directory, name or "no log")
    if not log.is_file():
        raise NoPostgresError(
            "statements can be read only from a server on this machine that runs with logging_collector = on and "
            "log_destination = jsonlog, as the embedded one does"
        )
    return log


def _switch_on(own: Any) -> None:
    if own.execute("SHOW log_statement").fetchone() == ("all",):
        return
    own.execute("ALTER SYSTEM SET log_statement = 'all'")
    own.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while own.execute("SHOW log_statement").fetchone() != ("all",):
        if time.monotonic() > deadline:
            raise NoPostgresError(f"the server did not take up log_statement within {_PATIENCE_SECONDS:g} seconds")
        time.sleep(0.01)
    time.sleep(_SETTLING_SECONDS)


def _records_until_marker(own: Any, log: Path, start: int) -> list[dict[str, Any]]:
    """The log from `start` on, once what was asked before this call has been written: the server logs with a delay."""
    marker = secrets.token_hex(16)
    before = max(start - 1, 0)
    own.execute(f"SELECT '{marker}'")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with log.open("rb") as file:
            file.seek(before)
            text = file.read()
        if marker.encode() in text:
            # others write to it as well: the first line may be half there, and so may the last
            lines = text.split(b"\n")[1 if start else 0 : -1]
            return [json.loads(line) for line in lines]
        time.sleep(0.01)
    raise NoPostgresError(f"the server did not write its log {log} within {_PATIENCE_SECONDS:g} seconds")
