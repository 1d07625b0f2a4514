"""The two databases: how transactions begin, who waits for whom, and what their errors mean."""

import datetime as dt
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from eckit.kernel.database import ConstraintError, Database, DatabaseSettings, OutOfRangeError, explained
from eckit.kernel.errors import BusyError, ConflictError, DatabaseUnavailableError, EckitError, MovedError
from eckit.kernel.idempotency import idempotency
from eckit.kernel.outbox import outbox
from eckit.kernel.retry import TRIES, again_if_moved
from eckit.kernel.stamps import stamp
from eckit.kernel.tables import Instant
from eckit.kernel.work import Begin
from eckit.testing.databases import install_schema
from tests.kernel.shop import NOON, SYSTEM, NoteWritten, begin_on, database_at, only_postgres, only_sqlite


def version(begin: Begin, name: str = "x") -> int:
    with begin.read(SYSTEM) as work:
        return work.stamps([name])[name]


# --- one writer after another ----------------------------------------------------------------------------------------

ROUNDS = 125


def read_then_write(url: str) -> None:
    """What breaks SQLite when it begins deferred: read, then write what was read plus one."""
    database = database_at(url, wait_ms=60_000)
    begin = begin_on(database)
    for _ in range(ROUNDS):
        with begin.write(SYSTEM) as work:
            lock = sa.select(stamp.c.version).where(stamp.c.name == "x").with_for_update()
            found = work.execute(lock).scalar_one()
            work.execute(sa.update(stamp).where(stamp.c.name == "x").values(version=found + 1))
    database.close()


def test_reading_and_then_writing_never_fails_from_two_threads_and_two_processes(migrated_url: str) -> None:
    """CON-01: 500 rounds, serialised, no error; nothing is lost."""
    database = database_at(migrated_url)
    begin = begin_on(database)
    with begin.write(SYSTEM) as work:
        work.execute(sa.insert(stamp).values(name="x", version=1))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=read_then_write, args=(migrated_url,)) for _ in range(2)]
    failed: list[BaseException] = []

    def in_thread() -> None:
        try:
            read_then_write(migrated_url)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=in_thread) for _ in range(2)]
    for runner in (*processes, *threads):
        runner.start()
    for runner in (*processes, *threads):
        runner.join()
    assert ([], [0, 0]) == (failed, [process.exitcode for process in processes])
    assert 4 * ROUNDS + 1 == version(begin)
    database.close()


def test_reading_never_waits_for_a_writer_and_sees_one_state(opened: Database) -> None:
    """CON-02: a write transaction is held; reads return promptly, and go on seeing what they saw first."""
    begin = begin_on(opened)
    with begin.write(SYSTEM) as work:
        work.bump("x")
    first, seen = version(begin), list[int]()

    def read() -> None:
        with begin.read(SYSTEM) as reading:
            seen.append(reading.stamps(["x"])["x"])

    with begin.write(SYSTEM) as work:
        work.execute(sa.update(stamp).values(version=5))
        thread = threading.Thread(target=read)
        thread.start()
        thread.join(5)
        assert [first] == seen
    with begin.read(SYSTEM) as work:
        assert 5 == work.stamps(["x"])["x"]

        def write() -> None:
            with begin.write(SYSTEM) as writing:
                writing.bump("x")

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(5)
        assert 5 == work.stamps(["x"])["x"]
    assert version(begin) not in {0, 5, first}


@only_sqlite
def test_on_sqlite_reading_begins_deferred_and_writing_immediate(opened: Database) -> None:
    """CON-02: the BEGIN as the database sees it; WAL, full synchronisation and foreign keys are on."""
    begin, traced = begin_on(opened), list[str]()

    def trace(raw: sqlite3.Connection, *_: Any) -> None:
        raw.set_trace_callback(traced.append)

    sa.event.listen(opened.engine, "checkout", trace)
    with begin.read(SYSTEM):
        pass
    with begin.write(SYSTEM) as work:
        pragmas = [work.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in (
            "journal_mode", "synchronous", "foreign_keys")]  # fmt: skip
    assert ["BEGIN DEFERRED", "BEGIN IMMEDIATE"] == [text for text in traced if text.startswith("BEGIN")]
    assert ["wal", 2, 1] == pragmas


INSTANTS = tuple(dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1, 987, 2026))


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_an_instant_of_any_year_is_read_as_it_was_stored(opened: Database, instant: dt.datetime) -> None:
    """On SQLite text of fixed width, which sorts as the instants do."""
    with opened.reading() as connection:
        stored = connection.execute(sa.select(sa.literal(instant, Instant))).scalar_one()
    assert instant == stored
    texts = [Instant().process_bind_param(one, sqlite.dialect()) for one in INSTANTS]
    assert ({27}, texts) == (set(map(len, texts)), sorted(texts))


@only_postgres
@pytest.mark.parametrize("default", ["read committed", "repeatable read", "serializable"])
def test_isolation_does_not_depend_on_the_servers_default(migrated_url: str, default: str) -> None:
    """STK-03: eckit sets it itself: writing is READ COMMITTED, reading one read-only snapshot."""
    name = sa.make_url(migrated_url).database
    admin = sa.create_engine(migrated_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_isolation TO '{default}'")
    admin.dispose()
    database = database_at(migrated_url)
    begin = begin_on(database)
    show = "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
    with begin.write(SYSTEM) as work:
        assert ("read committed", "off") == tuple(work.connection.exec_driver_sql(show).one())
    with begin.read(SYSTEM) as work:
        assert ("repeatable read", "on") == tuple(work.connection.exec_driver_sql(show).one())
    database.close()


@only_postgres
def test_two_shops_live_in_two_schemas_of_one_database(database_url: str) -> None:
    """Facts §0.11: one schema per shop; one compiled statement serves both."""
    shops = []
    for schema in ("tea", "books"):
        install_schema(database_url, schema=schema)
        shops.append(database_at(database_url, schema=schema))
    tea, books = (begin_on(database) for database in shops)
    with tea.write(SYSTEM) as work:
        work.bump("x")
    assert (True, 0) == (version(tea) > 0, version(books))
    for database in shops:
        database.close()


# --- what errors mean ------------------------------------------------------------------------------------------------


@contextmanager
def writer_elsewhere(url: str) -> Iterator[None]:
    """Another program has the row ``x``, and on SQLite the whole file."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql("UPDATE eckit_stamp SET version = version WHERE name = 'x'")
        yield
        connection.rollback()
    engine.dispose()


def test_waiting_too_long_for_a_lock_is_busy_and_says_so_in_time(migrated_url: str) -> None:
    """CON-03: SQLITE_BUSY and lock_timeout: nothing was changed, the whole request may be sent again."""
    database = database_at(migrated_url, wait_ms=200)
    begin = begin_on(database)
    with begin.write(SYSTEM) as work:
        work.bump("x")
    before, started = version(begin), time.monotonic()
    with writer_elsewhere(migrated_url), pytest.raises(BusyError), begin.write(SYSTEM) as work:
        work.execute(sa.update(stamp).values(version=9))
    assert time.monotonic() - started < 5
    assert before == version(begin)
    database.close()


def test_a_writer_of_the_same_process_that_never_ends_makes_others_busy(migrated_url: str) -> None:
    """On SQLite writers of one process queue for their turn, and not for ever."""
    database = database_at(migrated_url, wait_ms=200)
    begin, outcome, go = begin_on(database), list[str](), threading.Event()

    def other() -> None:
        try:
            with begin.write(SYSTEM) as work:
                work.execute(sa.update(stamp).values(version=9))
        except BusyError:
            outcome.append("busy")
        go.set()

    with begin.write(SYSTEM) as work:
        work.bump("x")
    with begin.write(SYSTEM) as work:
        work.execute(sa.update(stamp).values(version=5))
        threading.Thread(target=other).start()
        assert go.wait(5)
    assert ["busy"] == outcome
    assert 5 == version(begin)
    database.close()


@only_postgres
def test_a_deadlock_is_retried_and_nobody_sees_it(opened: Database) -> None:
    """CON-03, STK-05: two flows take two rows in opposite order; the victim of 40P01 starts again and both succeed."""
    begin, barrier, tries = begin_on(opened), threading.Barrier(2), list[str]()
    with begin.write(SYSTEM) as work:
        work.execute(sa.insert(stamp).values([{"name": name, "version": 1} for name in ("x", "y")]))

    @again_if_moved
    def take(begin: Begin, first: str, second: str) -> None:
        tries.append(first)
        with begin.write(SYSTEM) as work:
            for name in (first, second):
                work.execute(sa.update(stamp).where(stamp.c.name == name).values(version=stamp.c.version + 1))
                if len(tries) <= 2 and name == first:
                    barrier.wait(10)

    threads = [threading.Thread(target=take, args=(begin, *names)) for names in (("x", "y"), ("y", "x"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 3 == len(tries)
    assert (3, 3) == (version(begin, "x"), version(begin, "y"))


@only_postgres
def test_a_serialization_failure_at_commit_is_busy(opened: Database) -> None:
    """CON-05: 40001 may come with COMMIT itself; it leaves as BusyError, not as an error of the database."""
    opened._writer = opened.engine.execution_options(isolation_level="SERIALIZABLE")
    begin = begin_on(opened)
    with begin.write(SYSTEM) as work:
        work.bump("x", "y")
    total = sa.select(sa.func.sum(stamp.c.version))

    def skew(name: str) -> None:
        with begin.write(SYSTEM) as work:
            found = work.execute(total).scalar_one()
            work.execute(sa.update(stamp).where(stamp.c.name == name).values(version=found))
            meeting.wait(10)

    meeting, outcomes = threading.Barrier(2), list[str]()

    def run(name: str) -> None:
        try:
            skew(name)
            outcomes.append("done")
        except BusyError as error:
            outcomes.append(error.what)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("x", "y")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ["40001", "done"] == sorted(outcomes)


def orig(state: str) -> Exception:
    error = psycopg.errors.lookup(state)("secret detail")
    assert state == error.sqlstate
    return error


@pytest.mark.parametrize(
    ("cause", "kind", "what"),
    [
        (orig("40001"), BusyError, "40001"),
        (orig("40P01"), BusyError, "40P01"),
        (orig("55P03"), BusyError, "55P03"),
        (sqlite3.OperationalError("database is locked"), BusyError, "sqlite"),
        (sqlite3.OperationalError("database table is locked"), BusyError, "sqlite"),
        (sqlite3.OperationalError("disk I/O error"), DatabaseUnavailableError, "sqlite"),
        (orig("57P01"), DatabaseUnavailableError, "57P01"),
        (orig("42P01"), DatabaseUnavailableError, "42P01"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_a_database_error_means(cause: Exception, kind: type[EckitError], what: str) -> None:
    """CON-03: serialization failure, deadlock, lock time-out, SQLITE_BUSY are busy; the rest is unavailable."""
    found = explained(sa.exc.OperationalError("SELECT secret", {"p": "secret"}, cause))
    assert kind is type(found)
    assert isinstance(found, ConflictError)
    assert what == found.what
    assert "secret" not in f"{found} {found!r}"


def test_a_full_pool_is_busy(migrated_url: str) -> None:
    """STK-16: too many requests at once are told to come again, quickly."""
    database = Database(DatabaseSettings(url=migrated_url, pool_size=1, pool_wait_s=0.1))
    begin = begin_on(database)
    with begin.read(SYSTEM), begin.read(SYSTEM), pytest.raises(BusyError, match="pool"), begin.read(SYSTEM):
        pass
    database.close()


def test_a_row_that_exists_is_a_conflict_that_names_the_constraint(begin: Begin) -> None:
    """Uniqueness is the database's word; the values stay out of the message."""
    row = {"scope": "s", "actor": "a", "key": "secret", "fingerprint": "", "state": "done", "claimed_at": NOON}
    with begin.write(SYSTEM) as work:
        work.execute(sa.insert(idempotency).values(row))
    with pytest.raises(ConstraintError) as refused, begin.write(SYSTEM) as work:
        work.execute(sa.insert(idempotency).values(row))
    assert "idempotency" in refused.value.what
    assert "secret" not in str(refused.value)
    with pytest.raises(ConstraintError, match="state"), begin.write(SYSTEM) as work:
        work.execute(sa.insert(idempotency).values({**row, "key": "b", "state": "nonsense"}))


@only_postgres
def test_a_value_too_large_for_its_column_is_refused(begin: Begin) -> None:
    """SQLite has no such limits; what comes from outside is checked before."""
    with pytest.raises(OutOfRangeError), begin.write(SYSTEM) as work:
        work.execute(sa.update(stamp).values(version=2**70))
    with pytest.raises(OutOfRangeError), begin.write(SYSTEM) as work:
        work.execute(sa.insert(stamp).values(name="x" * 90, version=1))


def test_a_database_that_is_not_there_or_has_no_tables_is_unavailable(database_url: str, tmp_path: Any) -> None:
    """A typed error without SQL or names of files in it."""
    for url in (database_url, f"sqlite:///{tmp_path}/no/such/folder.sqlite"):
        database = database_at(url)
        with pytest.raises(DatabaseUnavailableError) as failed, begin_on(database).read(SYSTEM) as work:
            work.stamps(["x"])
        assert "SELECT" not in str(failed.value)
        assert str(tmp_path) not in str(failed.value)
        database.close()


# --- starting again --------------------------------------------------------------------------------------------------


def test_a_flow_that_always_conflicts_ends_busy_after_a_bounded_number_of_tries(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CON-03: after N tries a typed error, nothing half-done."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    tries = []

    @again_if_moved
    def flow(begin: Begin) -> None:
        tries.append(1)
        with begin.write(SYSTEM) as work:
            work.bump("x")
            raise MovedError(what="price")

    with pytest.raises(BusyError, match="price"):
        flow(begin)
    assert TRIES == len(tries)
    assert 0 == version(begin)


@only_postgres
def test_two_transactions_that_announce_about_one_subject_do_not_break_the_sequence(opened: Database) -> None:
    """``seq`` is gapless: the one that comes second starts again."""
    begin, barrier, tries = begin_on(opened), threading.Barrier(2), list[int]()

    @again_if_moved
    def announce(begin: Begin) -> None:
        tries.append(1)
        with begin.write(SYSTEM) as work:
            work.announce(NoteWritten(id="a"))
            if len(tries) <= 2:
                barrier.wait(10)

    threads = [threading.Thread(target=announce, args=(begin,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with begin.read(SYSTEM) as work:
        assert [1, 2] == list(work.execute(sa.select(outbox.c.seq).order_by(outbox.c.seq)).scalars())


@only_postgres
def test_a_connection_killed_in_the_middle_is_unavailable_and_the_next_works(opened: Database) -> None:
    """A restarted server costs the requests at hand and no more."""
    begin = begin_on(opened)

    def killed() -> None:
        with begin.read(SYSTEM) as work:
            pid = work.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with begin.upkeep() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            work.stamps(["x"])

    with pytest.raises(DatabaseUnavailableError):
        killed()
    assert 0 == version(begin)
