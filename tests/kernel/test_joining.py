"""Joining a host's transaction, with SQLAlchemy and with raw connections as Django hands them out."""

import datetime as dt
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import attrs
import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import dict_row
from psycopg.types.datetime import TimestamptzLoader

from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database
from eckit.kernel.errors import BusyError, InvalidInputError, MovedError
from eckit.kernel.joining import Joined, JoinedBegin, NoHostTransactionError
from eckit.kernel.outbox import outbox
from eckit.kernel.retry import again_if_moved
from eckit.kernel.stamps import stamp
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Begin, WorkOpenError
from tests.kernel.shop import NOON, SHOP, SYSTEM, NoteWritten, begin_on, database_at, only_postgres

CREATE = "CREATE TABLE host_note (text VARCHAR(40))"


@attrs.frozen
class Host:
    """A host's open connection and its way with transactions."""

    connection: Any
    begin: Callable[[], None]
    commit: Callable[[], None]
    rollback: Callable[[], None]
    execute: Callable[[str], Any]

    def write(self, text: str) -> None:
        """The host's own row."""
        self.execute(f"INSERT INTO host_note VALUES ('{text}')")


def with_sqlalchemy(url: str) -> Iterator[Host]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        yield Host(
            connection,
            begin=lambda: None,
            commit=connection.commit,
            rollback=connection.rollback,
            execute=connection.exec_driver_sql,
        )
    engine.dispose()


def raw_connection(url: str) -> Any:
    """One that commits each statement by itself, as Django's outside of ``atomic()``."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return sqlite3.connect(str(parsed.database), isolation_level=None)
    conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(conninfo, autocommit=True)


def with_raw(url: str) -> Iterator[Host]:
    """As inside Django's ``atomic()``: on SQLite after BEGIN in autocommit mode, on PostgreSQL with autocommit off."""
    raw = raw_connection(url)
    if isinstance(raw, sqlite3.Connection):
        begin: Callable[[], None] = lambda: raw.execute("BEGIN") and None  # noqa: E731
    else:
        begin = lambda: setattr(raw, "autocommit", False)  # noqa: E731
    with closing(raw):
        yield Host(raw, begin=begin, commit=raw.commit, rollback=raw.rollback, execute=raw.execute)


@pytest.fixture
def raw_host(migrated_url: str) -> Iterator[Host]:
    yield from with_raw(migrated_url)


@pytest.fixture(params=[with_sqlalchemy, with_raw], ids=["sqlalchemy", "raw"])
def host(request: pytest.FixtureRequest, migrated_url: str) -> Iterator[Host]:
    yield from request.param(migrated_url)


@pytest.fixture
def other(migrated_url: str, host: Host) -> Iterator[Database]:
    """Another connection, which sees what is committed; the host's table is there."""
    database = database_at(migrated_url)
    with database.writing() as connection:
        connection.exec_driver_sql(CREATE)
    yield database
    database.close()


def joined(
    connection: Any, *, in_transaction: Callable[[], bool] = lambda: True, own: Database | None = None
) -> JoinedBegin:
    return JoinedBegin(
        transactions=Joined(connection),
        own=own,
        plugins=compose_plugins([]),
        clock=FixedClock(NOON),
        shop_id=SHOP,
        in_transaction=in_transaction,
    )


def committed(database: Database) -> tuple[list[str], bool, int]:
    """The host's notes, whether the stamp ``x`` was raised and the number of events, as others see them."""
    with database.reading() as connection:
        texts = connection.exec_driver_sql("SELECT text FROM host_note ORDER BY text").scalars().all()
        version = connection.execute(sa.select(stamp.c.version)).scalar() or 0
        events = connection.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()
    return list(texts), version > 0, events


def do_something(begin: Begin) -> None:
    with begin.write(SYSTEM) as work:
        work.bump("x")
        work.announce(NoteWritten(id="n1"))


def fail_late(begin: Begin) -> None:
    with begin.write(SYSTEM) as work:
        work.bump("x")
        work._flush()
        raise ZeroDivisionError


def test_what_a_joined_work_did_is_committed_by_the_host(host: Host, other: Database) -> None:
    """DESIGN §7: the host's row, a core verb and its event commit together, and not before the host commits."""
    host.begin()
    host.write("a")
    do_something(joined(host.connection))
    host.write("b")
    if other.dialect == "postgresql":
        assert ([], False, 0) == committed(other)
    host.commit()
    assert (["a", "b"], True, 1) == committed(other)


def test_what_a_joined_work_did_is_undone_when_the_host_rolls_back(host: Host, other: Database) -> None:
    """ORD-11: no event of a transaction that did not happen."""
    host.begin()
    host.write("a")
    do_something(joined(host.connection))
    host.rollback()
    assert ([], False, 0) == committed(other)


def test_a_work_that_fails_inside_takes_only_itself_back(host: Host, other: Database) -> None:
    """A joined Work is a savepoint: what the host did before and does afterwards stays, and another Work may follow."""
    begin = joined(host.connection)
    host.begin()
    host.write("a")
    with pytest.raises(ZeroDivisionError):
        fail_late(begin)
    host.write("b")
    do_something(begin)
    host.commit()
    assert (["a", "b"], True, 1) == committed(other)


def test_a_database_error_inside_leaves_the_host_its_transaction(host: Host, other: Database) -> None:
    """A statement that fails fails the Work, and on PostgreSQL not the host's whole transaction."""
    begin = joined(host.connection)
    host.begin()
    host.write("a")
    nonsense = sa.select(sa.func.no_such_function(1))
    with pytest.raises(Exception, match="database"), begin.write(SYSTEM) as work:
        work.connection.execute(nonsense)
    with pytest.raises(Exception, match="database"), begin.read(SYSTEM) as work:
        work.connection.execute(nonsense)
    host.write("b")
    host.commit()
    assert (["a", "b"], False, 0) == committed(other)


def test_nothing_of_ours_stays_on_the_hosts_connection(migrated_url: str) -> None:
    """The host has a table in a schema of its own that is called like our symbol: it is still found there."""
    engine = sa.create_engine(migrated_url)
    theirs = sa.Table("book", sa.MetaData(schema=SCHEMA), sa.Column("title", sa.String(20)))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"ATTACH ':memory:' AS {SCHEMA}")
        else:
            connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        theirs.create(connection)
        before = dict(connection.get_execution_options())
        do_something(joined(connection))
        connection.execute(sa.insert(theirs).values(title="Momo"))
        do_something(joined(connection))
        assert "Momo" == connection.exec_driver_sql(f"SELECT title FROM {SCHEMA}.book").scalar_one()
        assert before == dict(connection.get_execution_options())
        connection.commit()
    engine.dispose()


def test_the_hosts_own_functions_rows_and_handlers_stay_its_own(raw_host: Host) -> None:
    """Django registers a ``regexp`` of its own; hosts with psycopg may like dictionaries. Nothing of it changes."""
    raw = raw_host.connection
    if isinstance(raw, sqlite3.Connection):
        raw.create_function("regexp", 2, lambda pattern, text: bool(re.search(pattern, text)) and "host's")
        raw.row_factory = sqlite3.Row
    else:
        raw.row_factory = dict_row
    raw_host.begin()
    do_something(joined(raw))
    if isinstance(raw, sqlite3.Connection):
        assert "host's" == raw.execute("SELECT 'abc' REGEXP 'a'").fetchone()[0]
        assert sqlite3.Row is raw.row_factory
    else:
        assert {"name": "x"} == raw.execute("SELECT name FROM eckit_stamp").fetchone()
        assert [] == raw._notice_handlers
        assert raw.autocommit is False


@only_postgres
def test_a_host_that_drops_time_zones_is_found_out(raw_host: Host) -> None:
    """Django without USE_TZ teaches its connection to give naive instants: an error is better than a wrong time."""

    class Naive(TimestamptzLoader):
        def load(self, data: Any) -> dt.datetime:
            return super().load(data).replace(tzinfo=None)

    raw_host.connection.adapters.register_loader("timestamptz", Naive)
    raw_host.begin()
    do_something(joined(raw_host.connection))
    with joined(raw_host.connection).read(SYSTEM) as work, pytest.raises(TypeError, match="without a zone"):
        work.execute(sa.select(outbox.c.recorded_at)).all()
    raw_host.rollback()


def test_a_connection_that_commits_by_itself_is_refused(raw_host: Host, migrated_url: str) -> None:
    """Without a transaction of the host's there is nothing to be part of: each statement would stand alone."""
    with pytest.raises(NoHostTransactionError) as refused:
        do_something(joined(raw_host.connection))
    assert "none" == refused.value.what
    with joined(raw_host.connection).read(SYSTEM) as work:
        assert {"x": 0} == work.stamps(["x"])
    engine = sa.create_engine(migrated_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, pytest.raises(NoHostTransactionError):
        do_something(joined(connection))
    engine.dispose()


def test_sqlite_in_its_old_transaction_mode_is_begun_before_the_savepoint(tmp_path: Any) -> None:
    """Python's sqlite3 begins no transaction before a SAVEPOINT, and the RELEASE of that one would commit."""
    from eckit.testing.databases import install_schema

    url = f"sqlite:///{tmp_path}/shop.sqlite"
    install_schema(url)
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        do_something(joined(connection))
        connection.rollback()
        assert [] == connection.execute(sa.text("SELECT * FROM eckit_stamp")).all()
    engine.dispose()
    raw = sqlite3.connect(f"{tmp_path}/shop.sqlite")  # raw and nothing written yet: nothing to join
    with closing(raw), pytest.raises(NoHostTransactionError):
        do_something(joined(raw))


@only_postgres
def test_a_failed_transaction_of_the_host_is_refused_by_name(raw_host: Host) -> None:
    """PostgreSQL ignores all statements until the host rolls back; that is no reason to report a broken database."""
    raw_host.begin()
    with pytest.raises(psycopg.Error):
        raw_host.execute("SELECT no_such_column")
    with pytest.raises(NoHostTransactionError) as refused:
        do_something(joined(raw_host.connection))
    assert "failed" == refused.value.what


@only_postgres
def test_a_serialization_failure_inside_becomes_busy_for_the_host(migrated_url: str) -> None:
    """CON-05: only who owns the transaction can run it again; a joined Work says BusyError and tries once."""
    engine = sa.create_engine(migrated_url, isolation_level="REPEATABLE READ")
    tries = []

    @again_if_moved
    def flow(begin: Begin) -> None:
        tries.append(1)
        do_something(begin)

    with engine.connect() as first, engine.connect() as second:
        for connection in (first, second):
            connection.exec_driver_sql("SELECT count(*) FROM eckit_stamp")
        do_something(joined(first))
        first.commit()
        with pytest.raises(BusyError):
            flow(joined(second))
        second.rollback()
        flow(joined(second))
        second.commit()
        assert 2 == second.exec_driver_sql("SELECT count(*) FROM eckit_outbox").scalar_one()
    assert 2 == len(tries)
    engine.dispose()


def test_a_flow_that_meets_a_conflict_in_a_hosts_transaction_is_not_run_again(host: Host) -> None:
    """MovedError inside a joined flow reaches the host as BusyError, after one try."""
    tries = []

    @again_if_moved
    def flow(begin: Begin) -> None:
        tries.append(1)
        with begin.write(SYSTEM) as work:
            work.require({"x": 7})
            raise AssertionError

    host.begin()
    with pytest.raises(BusyError) as busy:
        flow(joined(host.connection))
    assert isinstance(busy.value.__cause__, MovedError)
    assert 1 == len(tries)
    host.rollback()


def test_what_talks_to_the_network_is_refused_while_the_hosts_transaction_is_open(host: Host) -> None:
    """CON-12: no lock of the host's is held while a provider is asked."""
    begin = joined(host.connection, in_transaction=lambda: True)
    with pytest.raises(WorkOpenError):
        begin.converse("gate", "authorize", lambda: 1)
    assert 1 == joined(host.connection, in_transaction=lambda: False).converse("gate", "authorize", lambda: 1)


def test_what_talks_to_the_network_is_refused_where_only_the_connection_knows_of_a_transaction(
    host: Host, other: Database
) -> None:
    """CON-12: as with psycopg without autocommit, where a statement outside of any block begins one."""
    begin = joined(host.connection, in_transaction=lambda: False, own=other)
    host.begin()
    host.write("a")
    with pytest.raises(WorkOpenError) as refused:
        begin.converse("gate", "authorize", lambda: 1)
    assert "gate.authorize" == refused.value.what
    assert not begin.retries
    do_something(begin)  # and is part of that transaction
    host.rollback()
    assert 1 == begin.converse("gate", "authorize", lambda: 1)
    assert ([], False, 0) == committed(other)


def test_a_failed_transaction_is_no_place_to_talk_either(host: Host, other: Database) -> None:
    """On PostgreSQL it goes on until the host rolls back; it is not passed by for a transaction of the shop's own."""
    begin = joined(host.connection, in_transaction=lambda: False, own=other)
    host.begin()
    host.write("a")
    with pytest.raises((sa.exc.DBAPIError, psycopg.Error, sqlite3.Error)):
        host.execute("SELECT no_such_column")
    with pytest.raises(WorkOpenError):
        begin.require_no_transaction("test")
    host.rollback()
    begin.require_no_transaction("test")


def test_without_a_transaction_of_the_hosts_a_joined_shop_begins_its_own(host: Host, other: Database) -> None:
    """What it writes is committed at once, what conflicts is run again, and the host's connection is not touched."""
    open_now = [False]
    begin = joined(host.connection, in_transaction=lambda: open_now[0], own=other)
    do_something(begin)
    assert ([], True, 1) == committed(other)
    with begin.read(SYSTEM) as work:
        assert work.stamps(["x"])["x"] > 0
    with begin.upkeep() as connection:
        connection.execute(sa.delete(outbox))
    assert not Joined(host.connection).in_transaction()
    assert begin.retries

    host.begin()
    open_now[0] = True
    host.write("a")
    do_something(begin)
    with begin.read(SYSTEM) as work:
        assert 1 == work.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()
    assert not begin.retries
    host.rollback()
    open_now[0] = False
    assert ([], True, 0) == committed(other)


def test_a_host_that_is_not_connected_has_no_transaction(migrated_url: str) -> None:
    """Django connects late and lets go between requests: the callable of the one shop of a process gives None then."""
    database = database_at(migrated_url)
    begin = JoinedBegin(
        transactions=Joined(lambda: None, dialect=database.dialect),
        plugins=compose_plugins([]),
        clock=FixedClock(NOON),
        shop_id=SHOP,
        in_transaction=lambda: False,
        own=database,
    )
    do_something(begin)
    assert 1 == begin.converse("gate", "authorize", lambda: 1)
    database.close()
    with pytest.raises(InvalidInputError):
        Joined(lambda: None)
    for begun in (Joined(lambda: None, dialect="sqlite").reading, Joined(lambda: None, dialect="sqlite").writing):
        with pytest.raises(NoHostTransactionError), begun():
            pass


IDLE: dict[str, Callable[[str], Any]] = {
    "sqlalchemy": lambda url: sa.create_engine(url, poolclass=sa.NullPool).connect(),
    "sqlalchemy that commits by itself": lambda url: sa.create_engine(
        url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    ).connect(),
    "raw": raw_connection,
}


@pytest.mark.parametrize("connect", IDLE.values(), ids=IDLE)
def test_reading_without_a_transaction_sees_one_state_and_leaves_nothing(
    connect: Callable[[str], Any], migrated_url: str
) -> None:
    """One state for all statements, rows in pieces (PostgreSQL: a cursor), and the host's connection as it was."""
    database = database_at(migrated_url)
    do_something(begin_on(database))
    with closing(connect(migrated_url)) as connection:
        begin = joined(connection)
        for _ in range(2):
            with begin.read(SYSTEM) as work:
                pieces = sa.select(stamp.c.version).execution_options(yield_per=1)
                (first,) = work.execute(pieces).scalars()
                do_something(begin_on(database))
                assert connect is IDLE["sqlalchemy"] or first == work.stamps(["x"])["x"]
            assert not Joined(connection).in_transaction()
            assert not (isinstance(connection, sa.Connection) and connection.in_transaction())
        with begin.read(SYSTEM), pytest.raises(NoHostTransactionError), begin.write(SYSTEM):
            raise AssertionError("it would be rolled back with the reading")
    database.close()


def test_what_an_open_work_has_changed_is_read_under_a_number_of_its_own(host: Host, other: Database) -> None:
    """On one connection a reading Work sees what the Work around it has not committed: it is not cached for others."""
    begin = joined(host.connection)
    do_something(begin_on(other))
    host.begin()
    with begin.write(SYSTEM) as work:
        before = work.stamps(["x", "y"])
        work.bump("x")
        with begin.read(SYSTEM) as inner:
            seen = inner.stamps(["x", "y"])
    with begin.read(SYSTEM) as work:
        after = work.stamps(["x", "y"])
    assert (3, {0}) == (
        len({held["x"] for held in (before, seen, after)}),
        {held["y"] for held in (before, seen, after)},
    )
    host.rollback()
    with begin_on(other).read(SYSTEM) as work:
        assert before == work.stamps(["x", "y"])


def test_the_connection_tells_whether_its_transaction_is_open(host: Host, other: Database) -> None:
    """What a host without a probe of its own may use: ``Joined.in_transaction``."""
    transactions = Joined(host.connection)
    assert not transactions.in_transaction()
    host.begin()
    host.write("a")
    assert transactions.in_transaction()
    host.commit()
    assert not transactions.in_transaction()


def test_a_connection_may_be_looked_up_each_time(host: Host, other: Database) -> None:
    """A framework keeps one connection per thread: the shop is given a way to get the current one."""
    host.begin()
    do_something(joined(lambda: host.connection))
    host.commit()
    assert ([], True, 1) == committed(other)


def test_a_connection_of_an_unknown_driver_is_refused() -> None:
    """Other drivers than sqlite3 and psycopg have not been tried."""

    class Connection:
        def cursor(self) -> None: ...

        def rollback(self) -> None: ...

    with pytest.raises(InvalidInputError) as refused:
        Joined(Connection())
    assert "unknown-database" == refused.value.problems[0].code


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("level", ["", None])
def test_what_the_host_writes_while_we_read_is_the_hosts(migrated_url: str, level: str | None) -> None:
    """The transaction that a reading of ours began is not rolled back over a row of the host's."""
    other = database_at(migrated_url)
    with other.writing() as connection:
        connection.exec_driver_sql(CREATE)
    with closing(sqlite3.connect(str(sa.make_url(migrated_url).database), isolation_level=level)) as raw:
        with joined(raw).read(SYSTEM):
            raw.execute("INSERT INTO host_note VALUES ('mine')")
        if level is None:
            assert not raw.in_transaction, "a host that commits by itself will never end it"
        raw.commit()
    with other.reading() as connection:
        assert ["mine"] == connection.exec_driver_sql("SELECT text FROM host_note").scalars().all()
    other.close()
