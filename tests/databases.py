"""Each test of a service or a flow runs on both databases; this plugin gives it one of its own.

`database_url` is empty, `migrated_url` has eckit's tables. A test for one of the two says
``@pytest.mark.parametrize("database", ["postgres"], indirect=True)``; one that starts a server by itself is marked
``postgres``.

SQLite is a file. PostgreSQL is one embedded server for the
whole run, started by the first test that needs it and shared by the workers of pytest-xdist, or the server that
ECKIT_TEST_PG_URL names.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

from eckit.testing import postgres

DATABASES: Final = ("sqlite", "postgres")
NO_POSTGRES: Final = "PostgreSQL was left out by --no-postgres"
KEPT: Final = 8
"""How many databases that are done with are left standing."""
WORKER_PLACE: Final = "eckit_database_place"


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Only one process at a time is in a block with this lock."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@attrs.frozen
class Server:
    """The PostgreSQL server of this run, and the place where the run's workers meet."""

    place: Path
    _used: list[str] = attrs.field(factory=list, init=False, eq=False)

    @property
    def cluster(self) -> postgres.Cluster:
        return postgres.Cluster(data=self.place / "pg" / "data", sockets=self.place / "pg")

    def url(self) -> str:
        """Where the server is; started if it is not running yet."""
        if given := os.environ.get("ECKIT_TEST_PG_URL"):
            return given
        with self.alone():
            if not (self.cluster.data / "postmaster.pid").exists():
                self.cluster.sockets.mkdir(exist_ok=True)
                postgres.start(self.cluster, postgres.THROWAWAY)
        return self.cluster.url

    def template(self) -> str:
        """The name of a database that has eckit's tables."""
        name = f"eckit_template_{self.place.name.rpartition('-')[2].lower()}"
        server = self.url()
        with self.alone():
            ready = self.place / "template-ready"
            if not ready.exists():
                postgres.drop_database(server, name)  # what an installation that failed may have left
                _install_schema(postgres.create_database(server, name))
                ready.touch()
        return name

    def sqlite_template(self) -> Path:
        """A SQLite file that has eckit's tables."""
        ready = self.place / "migrated.sqlite"
        with self.alone():
            if not ready.exists():
                unfinished = self.place / "unfinished.sqlite"
                unfinished.unlink(missing_ok=True)
                _install_schema(_sqlite_url(unfinished))
                with contextlib.closing(sqlite3.connect(unfinished)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                unfinished.rename(ready)
        return ready

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Only one worker at a time is in such a block."""
        return alone(self.place / "lock")

    @contextlib.contextmanager
    def new_database(self, *, template: str | None = None) -> Iterator[str]:
        """The URL of a new database for the length of a block.

        It is dropped some databases later: for a session that has just been closed, or that waits for the garbage
        collector, the server would wait a tenth of a second.
        """
        name = f"eckit_test_{secrets.token_hex(8)}"
        self.drop_used(keep=KEPT)
        url = postgres.create_database(self.url(), name, template=template)
        try:
            yield url
        finally:
            self._used.append(name)

    def drop_used(self, *, keep: int = 0) -> None:
        """Drop the databases that this process has used, but for some of the last ones."""
        while len(self._used) > keep:
            postgres.drop_database(self.url(), self._used.pop(0))

    def forget(self, *, all_workers: bool) -> None:
        """Drop what this process, or the whole run, left on a server that is not ours; ours goes with its folder."""
        given = os.environ.get("ECKIT_TEST_PG_URL")
        if not given:
            return
        self.drop_used()
        if all_workers and (self.place / "template-ready").exists():
            postgres.drop_database(given, self.template())


def _sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _install_schema(url: str) -> None:
    from eckit.testing.databases import install_schema

    install_schema(url)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database this run of the test uses: "sqlite" or "postgres"."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> Server:
    """The PostgreSQL server of this run; nothing is started before it is asked for its URL."""
    return request.config.stash[_place_key].server()


@pytest.fixture
def database_url(database: str, database_server: Server, tmp_path: Path) -> Iterator[str]:
    """A SQLAlchemy URL of an empty database, once for SQLite and once for PostgreSQL."""
    if database == "sqlite":
        yield _sqlite_url(tmp_path / "shop.sqlite")
        return
    with _or_fail(), database_server.new_database() as url:
        yield url


@pytest.fixture
def migrated_url(database: str, database_server: Server, tmp_path: Path) -> Iterator[str]:
    """A SQLAlchemy URL of a database that has eckit's tables and no rows, once for SQLite and once for PostgreSQL."""
    if database == "sqlite":
        file = tmp_path / "shop.sqlite"
        shutil.copyfile(database_server.sqlite_template(), file)
        yield _sqlite_url(file)
        return
    with _or_fail(), database_server.new_database(template=database_server.template()) as url:
        yield url


@contextlib.contextmanager
def _or_fail() -> Iterator[None]:
    try:
        yield
    except postgres.NoPostgresError as error:
        pytest.fail(f"{error}. To leave PostgreSQL out, say --no-postgres.", pytrace=False)


class Place:
    """Makes the run's directory when it is first needed; the process that made it clears it away."""

    def __init__(self, given: str | None) -> None:
        self._server = None if given is None else Server(Path(given))
        self._ours = contextlib.ExitStack()

    def server(self) -> Server:
        if self._server is None:
            place = postgres.new_directory("eckit-test-")
            self._server = server = Server(place)
            self._ours.enter_context(postgres.guarded(server.cluster, place))
            self._ours.callback(server.forget, all_workers=True)
        return self._server

    def close(self) -> None:
        if self._server is not None:
            self._server.forget(all_workers=False)
        self._ours.close()


_place_key: Final = pytest.StashKey[Place]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("eckit", "eckit's databases")
    group.addoption("--no-postgres", action="store_true", help="skip what needs PostgreSQL")
    group.addoption("--database", choices=DATABASES, help="of tests that run on each database, run only these")


def pytest_configure(config: pytest.Config) -> None:
    workerinput: dict[str, str] = getattr(config, "workerinput", {})
    config.stash[_place_key] = Place(workerinput.get(WORKER_PLACE))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist where the others are."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    node.workerinput[WORKER_PLACE] = str(config.stash[_place_key].server().place)  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if _place_key in config.stash:
        config.stash[_place_key].close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its database, for the summary; leave out what the options leave out."""
    only, left_out = config.getoption("--database"), []
    for item in list(items):
        kind = database_of(item)
        if kind is None:
            continue
        item.user_properties.append(("database", kind))
        if only not in (None, kind):
            items.remove(item)
            left_out.append(item)
        elif kind == "postgres" and config.getoption("--no-postgres"):
            item.add_marker(pytest.mark.skip(reason=NO_POSTGRES))
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def database_of(item: pytest.Item) -> str | None:
    """The database that a test was multiplied for or is marked with, None if it uses none."""
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "database" in callspec.params:
        kind: str = callspec.params["database"]
        return kind
    return "postgres" if item.get_closest_marker("postgres") else None
