"""The machinery that gives each test a database of its own, run as a suite of its own in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from eckit.testing.postgres import NoPostgresError, connection_string, create_database, drop_database, embedded_postgres
from eckit.testing.statement_log import logged_statements
from tests.databases import NO_POSTGRES, Server
from tests.skips import LIST, MOST, Skip, complaints, listed
from tests.toy_house import ROOT

CONFTEST: Final = """
pytest_plugins = ["tests.databases", "tests.skips", "tests.summary"]
"""


def run_suite(
    place: Path, tests: str, *options: str, conftest: str = CONFTEST, server: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pytest with the project's machinery on tests of one file."""
    (place / "conftest.py").write_text(conftest)
    (place / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\naddopts = --import-mode=importlib\n")
    (place / "test_some.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *options]
    environment = {name: value for name, value in os.environ.items() if name != "ECKIT_TEST_PG_URL"}
    if server is not None:
        environment["ECKIT_TEST_PG_URL"] = server
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120)


def tables(url: str) -> list[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return sa.inspect(connection).get_table_names()


def make_table(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tea (grams integer)"))


# What a test is given


@pytest.mark.parametrize("number", [1, 2])
def test_database_is_empty_and_ones_own(database_url: str, number: int) -> None:
    """What one test leaves behind, the next does not find."""
    assert [] == tables(database_url)
    make_table(database_url)
    assert ["tea"] == tables(database_url)


def test_migrated_database_has_the_tables_and_no_rows(migrated_url: str) -> None:
    """A service's test starts from the schema that a shop has."""
    names = tables(migrated_url)
    assert [] != [name for name in names if name.startswith("eckit_")]
    engine = sa.create_engine(migrated_url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = {name: connection.scalar(sa.text(f'SELECT count(*) FROM "{name}"')) for name in names}
    assert {} == {name: count for name, count in rows.items() if count and name != "alembic_version"}


@pytest.mark.postgres
def test_server_can_be_asked_what_it_was_asked() -> None:
    """An executemany of three rows is three statements at the server."""
    with embedded_postgres() as server:
        url = create_database(server, "shop")
        make_table(url)
        engine = sa.create_engine(url)
        engine.connect().close()
        with logged_statements(url) as statements, engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO tea VALUES (:grams)"), [{"grams": grams} for grams in (1, 2, 3)])
        engine.dispose()
    assert ["BEGIN", *["INSERT INTO tea VALUES ($1)"] * 3, "COMMIT"] == statements


@pytest.mark.postgres
def test_database_is_copied_from_a_template_and_dropped_while_in_use(database_server: Server) -> None:
    """A copy has the template's tables; dropping ends the sessions still open on it."""
    server = database_server.url()
    with database_server.new_database() as template:
        make_table(template)
        copy = create_database(server, "copied 'tea\"", template=str(sa.make_url(template).database))
        assert ["tea"] == tables(copy)
        engine = sa.create_engine(copy)
        with engine.connect() as connection:
            drop_database(server, "copied 'tea\"")
            with pytest.raises(sa.exc.OperationalError):
                connection.execute(sa.text("SELECT 1"))
        engine.dispose()


# A server of one's own


@pytest.mark.postgres
def test_embedded_server_keeps_its_data_where_it_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A demo finds its database again, and two servers on one directory are refused."""
    with embedded_postgres() as other:
        sockets = Path(str(sa.make_url(other).query["host"]))
        data = sockets / "kept" if sockets.stat().st_uid else tmp_path_factory.mktemp("postgres") / "kept"
        with embedded_postgres(data) as server:
            make_table(create_database(server, "shop"))
            with pytest.raises(NoPostgresError, match="pg_ctl failed"), embedded_postgres(data):
                pass
            assert ["tea"] == tables(server.replace("/postgres?", "/shop?"))
        with embedded_postgres(data) as server:
            assert ["tea"] == tables(server.replace("/postgres?", "/shop?"))
    assert not sockets.exists()


@pytest.mark.postgres
def test_embedded_server_refuses_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    """Nothing is written among somebody's files."""
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(NoPostgresError, match="neither empty nor the data"), embedded_postgres(tmp_path):
        pass
    assert ["letter.txt"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.postgres
def test_embedded_server_stops_when_its_owner_is_killed() -> None:
    """A run that is killed leaves no server behind."""
    program = (
        "import os\nfrom eckit.testing.postgres import embedded_postgres\n"
        "with embedded_postgres() as url:\n    print(url, flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    sockets = Path(str(sa.make_url(done.stdout.strip()).query["host"]))
    for _ in range(200):
        if not sockets.exists():
            break
        subprocess.run(["sleep", "0.05"], check=True)
    assert (-9, False) == (done.returncode, sockets.exists())


def test_connection_string_is_one_that_libpq_understands() -> None:
    """Only the name of SQLAlchemy's driver goes."""
    url = "postgresql+psycopg://tea:se%40cret@127.0.0.1:5433/shop?sslmode=require"
    assert url.replace("+psycopg", "") == connection_string(url)


# A run as a whole

BOTH: Final = """
import pytest
import sqlalchemy as sa

@pytest.mark.parametrize("number", range(4))
def test_use(database_url, number):
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tea (grams integer)"))
        server = "sqlite"
        if connection.dialect.name == "postgresql":
            server = connection.scalar(sa.text("SELECT current_setting('data_directory')"))
    with open("servers.txt", "a") as file:
        print(server, file=file)

def test_nothing():
    pass
"""


@pytest.mark.postgres
def test_workers_of_a_run_share_one_server(tmp_path: Path) -> None:
    """Two workers start one server between them; it is gone when the run ends."""
    done = run_suite(tmp_path, BOTH, "-n", "2")
    assert 0 == done.returncode, done.stdout
    assert "ran on sqlite: 4, on postgres: 4" in done.stdout
    used = (tmp_path / "servers.txt").read_text().split("\n")
    [directory] = set(used) - {"sqlite", ""}
    assert (4, 4) == (used.count("sqlite"), used.count(directory))
    assert not Path(directory).parents[1].exists()


def test_run_without_postgres_fails_unless_told(tmp_path: Path) -> None:
    """A missing PostgreSQL is a failure that says what to do, never a silent skip."""
    missing = CONFTEST + "import sys\nsys.modules['embedded_postgres'] = None\n"
    done = run_suite(tmp_path, BOTH, conftest=missing)
    assert 1 == done.returncode
    assert "PostgreSQL is missing: install the package `embedded-postgres`, or set ECKIT_TEST_PG_URL" in done.stdout
    assert "5 passed, 4 errors" in done.stdout
    done = run_suite(tmp_path, BOTH, "--no-postgres", conftest=missing)
    assert 0 == done.returncode
    assert "5 passed, 4 skipped" in done.stdout
    assert NO_POSTGRES == done.stdout.strip().splitlines()[-1]


def test_run_can_be_limited_to_one_database(tmp_path: Path) -> None:
    """`--database` chooses among the tests that run on both; others run."""
    done = run_suite(tmp_path, BOTH, "--database", "sqlite")
    assert "ran on sqlite: 4, on postgres: 0" in done.stdout
    assert "5 passed, 4 deselected" in done.stdout


@pytest.mark.postgres
def test_run_uses_the_server_it_is_given(tmp_path: Path) -> None:
    """ECKIT_TEST_PG_URL wins over the embedded server, and nothing is left on that server."""
    with embedded_postgres() as given:
        done = run_suite(tmp_path, BOTH, "--database", "postgres", server=given)
        assert 0 == done.returncode, done.stdout
        [directory] = set((tmp_path / "servers.txt").read_text().split())
        assert str(sa.make_url(given).query["host"]) in directory
        engine = sa.create_engine(given, poolclass=sa.NullPool)
        with engine.connect() as connection:
            names = connection.scalars(sa.text("SELECT datname FROM pg_database WHERE NOT datistemplate")).all()
        assert ["postgres"] == list(names)


# Skips


def test_run_that_skips_what_is_not_listed_fails(tmp_path: Path) -> None:
    """A skip is a decision that somebody wrote down."""
    done = run_suite(tmp_path, "import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_it(): pass\n")
    assert 1 == done.returncode
    assert "test_some.py::test_it was skipped (later) but is not listed so" in done.stdout


def test_skip_is_listed_by_test_and_reason() -> None:
    """The same test skipped for another reason is another skip; parametrized cases count once."""
    rows = listed("| test | reason |\n| --- | --- |\n| `tests/test_x.py::test_y` | needs a printer |\n")
    assert frozenset({Skip("tests/test_x.py::test_y", "needs a printer")}) == rows
    assert [] == complaints(rows, rows)
    [complaint] = complaints(frozenset({Skip("tests/test_x.py::test_y", "later")}), rows)
    assert "tests/test_x.py::test_y was skipped (later) but is not listed so" == complaint


def test_list_of_skips_stays_short() -> None:
    """More than ten is too many, and the list that ships is within that."""
    many = frozenset(Skip(f"tests/test_x.py::test_{number}", "why") for number in range(MOST + 1))
    assert ["11 skips are listed, more than 10"] == complaints(frozenset(), many)
    assert [] == complaints(frozenset(), listed(LIST.read_text(encoding="utf-8")))
