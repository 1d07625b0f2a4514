"""Databases for one run: SQLite files and one PostgreSQL server with ``fsync`` on, copied like snapshots."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from eckit.testing.postgres import connection_string, create_database, embedded_postgres, new_directory

_SAFE = {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "256MB", "max_connections": "200"}


@attrs.define
class Databases:
    """Makes and copies databases of one kind.

    :ivar kind: ``sqlite`` or ``postgres``.
    """

    kind: str
    _place: Path
    _server: str | None = None
    _made: int = 0

    def new(self) -> str:
        """The URL of an empty database."""
        self._made += 1
        if self._server is None:
            return f"sqlite:///{self._place / f'{self._made}.sqlite'}"
        return create_database(self._server, f"bench_{self._made}")

    def copy(self, url: str) -> str:
        """The URL of a copy; nobody may be connected to the original."""
        self._made += 1
        if self._server is None:
            file, target = Path(url.removeprefix("sqlite:///")), self._place / f"{self._made}.sqlite"
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(file, target)
            return f"sqlite:///{target}"
        name = url.partition("?")[0].rpartition("/")[2]
        return create_database(self._server, f"bench_{self._made}", template=name)


@contextlib.contextmanager
def databases(kind: str) -> Iterator[Databases]:
    """Databases that are gone when the block ends."""
    place = new_directory("eckit-bench-")
    try:
        if kind == "sqlite":
            yield Databases(kind, place)
            return
        with embedded_postgres(settings=_SAFE) as server:
            yield Databases(kind, place, server)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def driver(url: str) -> Any:
    """A connection of the bare driver, as durable as eckit's own."""
    if url.startswith("sqlite"):
        raw = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")
        return raw
    import psycopg

    return psycopg.connect(connection_string(url), options="-c timezone=UTC")


def backend_seconds(url: str) -> float:
    """CPU time of the server's processes that serve a database; 0 for SQLite, which has none."""
    if url.startswith("sqlite"):
        return 0.0
    import psycopg

    query = (
        "select pid from pg_stat_activity where datname = current_database()"
        " and backend_type = 'client backend' and pid <> pg_backend_pid()"
    )
    with psycopg.connect(connection_string(url), autocommit=True) as own:
        pids = [row[0] for row in own.execute(query)]
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    """Nanoseconds on a CPU from schedstat, else the ticks of stat."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / 100
    return 0.0
