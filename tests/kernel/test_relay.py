"""The relay: at least once, each subscriber apart, nothing poisoned in front of others."""

import datetime as dt
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from eckit.kernel import delivery, faults
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database
from eckit.kernel.errors import NotAllowedError, NotFoundError
from eckit.kernel.events import EVENTS, Envelope, current_envelope
from eckit.kernel.hookspecs import HookSpec, Kind, hookimpl, hookspec
from eckit.kernel.outbox import outbox
from eckit.kernel.plugins import Limits
from eckit.kernel.relay import TRIES, enable, relay, replay
from eckit.kernel.work import Begin, WorkOpenError
from tests.kernel.shop import NOON, SYSTEM, NoteWritten, begin_on, database_at, plugin

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


@hookspec()
def note_written(event: NoteWritten, shop: Any) -> None:
    """A note was written."""


SPEC = HookSpec(
    name="note_written",
    kind=Kind.HAPPENED,
    family="note",
    failure=note_written.__eckit_failure__,  # type: ignore[attr-defined]
    answer=type(None),
    arguments=("event", "shop"),
    doc="",
    function=note_written,
)


def listener(name: str, hear: Callable[[NoteWritten], object]) -> Any:
    """A plugin that hears of notes."""

    @hookimpl
    def note_written(event: NoteWritten) -> object:
        return hear(event)

    return plugin(name, interface={"note": 1}, note_written=note_written)


def shop(opened: Database, *plugins: Any, clock: FixedClock | None = None) -> Begin:
    return begin_on(opened, specs=[SPEC], plugins=plugins, clock=clock)


def announce(begin: Begin, *ids: str) -> None:
    for id_ in ids:
        with begin.write(SYSTEM) as work:
            work.announce(NoteWritten(id=id_))


def rows(begin: Begin) -> dict[str, sa.Row[Any]]:
    """The outbox by the subject's id; the last event of each."""
    with begin.read(SYSTEM) as work:
        found = work.execute(sa.select(outbox).order_by(outbox.c.recorded_at, outbox.c.seq)).all()
    return {row.subject.partition(":")[2]: row for row in found}


def fails(event: NoteWritten) -> None:
    raise ValueError(event.id)


def test_every_plugin_hears_every_event_once(opened: Database) -> None:
    """One row per event and none per subscriber; the hook is called with the event rebuilt from its row."""
    heard: list[tuple[str, NoteWritten]] = []
    two = listener("two", lambda event: heard.append(("two", event)))
    begin = shop(opened, two, listener("one", lambda event: heard.append(("one", event))))
    announce(begin, "a", "b")
    report = relay(begin)
    assert (2, 0, 0) == (report.done, report.waiting, report.parked)
    assert [("one", "a"), ("two", "a"), ("one", "b"), ("two", "b")] == [(name, event.id) for name, event in heard]
    relay(begin)
    assert 4 == len(heard)


def test_nothing_leaves_before_the_commit_or_without_one(opened: Database) -> None:
    """ORD-11: an event leaves if and only if its change committed, and its reader finds the change."""
    seen: list[int] = []
    begin = shop(opened)

    def hear(event: NoteWritten) -> None:
        with begin.read(SYSTEM) as work:
            seen.append(work.stamps(["x"])["x"])

    def write(*, fail: bool) -> None:
        with begin.write(SYSTEM) as work:
            work.bump("x")
            work.announce(NoteWritten(id="a"))
            if fail:
                raise ZeroDivisionError

    begin = shop(opened, listener("one", hear))
    with pytest.raises(ZeroDivisionError):
        write(fail=True)
    relay(begin)
    write(fail=False)
    relay(begin)
    with begin.read(SYSTEM) as work:
        committed = work.stamps(["x"])["x"]
    assert committed
    assert [committed] == seen


def test_one_subscribers_failure_is_not_anothers(opened: Database) -> None:
    """PLG-01, PLG-09: a plugin that raises, returns garbage or cannot even be shown changes nothing for the others."""

    class UnshowableError(Exception):
        def __repr__(self) -> str:
            raise ZeroDivisionError

        __str__ = __repr__

    def raises(event: NoteWritten) -> None:
        raise UnshowableError

    heard: list[str] = []
    begin = shop(
        opened,
        listener("a-raises", raises),
        listener("b-garbage", lambda event: object()),
        listener("c-exits", lambda event: exit(3)),
        listener("d-well", lambda event: heard.append(event.id)),
    )
    announce(begin, "a")
    relay(begin)
    assert ["a"] == heard
    assert {"a-raises:note_written": "UnshowableError", "c-exits:note_written": "SystemExit"} == rows(begin)[
        "a"
    ].waiting


def test_only_those_who_failed_hear_it_again(opened: Database) -> None:
    """Retries wait longer each time and name their reason; whoever has heard is not told twice."""
    clock, heard, broken = FixedClock(NOON), Counter[str](), [True]

    def sometimes(event: NoteWritten) -> None:
        heard["sometimes"] += 1
        if broken:
            raise ValueError

    well = listener("well", lambda event: heard.update(["well"]))
    begin = shop(opened, listener("sometimes", sometimes), well, clock=clock)
    announce(begin, "a")
    for wait in (0, 9, 1, 59, 1):  # ten seconds, then a minute
        clock.advance(dt.timedelta(seconds=wait))
        relay(begin)
    assert {"sometimes": 3, "well": 1} == heard
    broken.clear()
    clock.advance(10 * MINUTE)
    relay(begin)
    assert {"sometimes": 4, "well": 1} == heard
    assert ("done", None) == (rows(begin)["a"].state, rows(begin)["a"].waiting)
    with begin.read(SYSTEM) as work:
        assert {} == delivery.unwell(work.connection)


def test_poisoned_events_do_not_block_good_ones_and_are_parked_with_their_reason(opened: Database) -> None:
    """QUE-01: 10 poisoned events before 100 good ones, batches of 10; good ones go out in one run."""
    clock, heard = FixedClock(NOON), Counter[str]()

    def hear(event: NoteWritten) -> None:
        if event.id.startswith("bad"):
            raise ValueError
        heard[event.id] += 1

    begin = shop(opened, listener("one", hear), clock=clock)
    announce(begin, *(f"bad{n}" for n in range(10)))
    with begin.write(SYSTEM) as work:
        for n in range(100):
            work.announce(NoteWritten(id=f"good{n}"))
    relay(begin, batch=10)
    assert {f"good{n}": 1 for n in range(100)} == heard
    for _ in range(TRIES):
        announce(begin, "good-again")  # the subscriber is well, so it is not disabled
        clock.advance(DAY)
        relay(begin, batch=20)
    bad = [row for id_, row in rows(begin).items() if id_.startswith("bad")]
    assert {("parked", TRIES, "ValueError")} == {(row.state, row.tries, row.waiting["one:note_written"]) for row in bad}


def test_an_event_nobody_knows_or_can_read_is_parked_and_can_be_replayed(opened: Database) -> None:
    """A plugin's event stays when the plugin is gone, and goes out when it is back."""
    heard: list[str] = []
    begin = shop(opened, listener("one", lambda event: heard.append(event.id)))
    announce(begin, "unknown", "unreadable", "good")
    with begin.upkeep() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.subject == "note:unreadable").values(payload={"id": None}))
    kind = EVENTS.pop("note.written")
    relay(begin)
    EVENTS["note.written"] = kind
    found = rows(begin)
    assert {"parked"} == {row.state for row in found.values()}
    assert {"*": "there is no event note.written"} == found["unknown"].waiting
    with begin.upkeep() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.subject == "note:unreadable").values(payload={}))
    assert 3 == replay(begin, SYSTEM)
    relay(begin)
    assert ["good", "unknown"] == sorted(heard)
    assert {"*": "cannot be read: ClassValidationError"} == rows(begin)["unreadable"].waiting


def test_a_subscriber_that_is_not_there_any_more_keeps_its_place(opened: Database) -> None:
    """Uninstalling a plugin loses nothing it has not heard: the event is parked and names it."""
    clock = FixedClock(NOON)
    announce(shop(opened, clock=clock), "a")
    relay(shop(opened, listener("gone", fails), clock=clock))
    for _ in range(TRIES):
        clock.advance(DAY)
        relay(shop(opened, clock=clock))
    begin = shop(opened, clock=clock)
    assert ("parked", ["gone:note_written"]) == (rows(begin)["a"].state, list(rows(begin)["a"].waiting))


def dead(opened: Database, days: int) -> tuple[Begin, FixedClock, Counter[str]]:
    """A shop with a receiver that answers nothing but errors, and a good one; an event every ten minutes."""
    clock, calls = FixedClock(NOON), Counter[str]()

    def fail(event: NoteWritten) -> None:
        calls["dead"] += 1
        raise ConnectionError

    begin = shop(opened, listener("dead", fail), listener("good", lambda event: calls.update(["good"])), clock=clock)
    for n in range(days * 24 * 6):
        announce(begin, f"n{n}")
        relay(begin)
        clock.advance(10 * MINUTE)
    return begin, clock, calls


def test_a_receiver_that_is_dead_for_a_day_is_rested_then_disabled_with_notice(opened: Database) -> None:
    """PLG-11: backoff, disabled, notified; others are unaffected; nothing is called forever."""
    _, _, calls = dead(opened, days=2)
    assert 2 * 24 * 6 == calls["good"]
    assert calls["dead"] < 60


def test_a_disabled_receiver_is_visible_and_enabling_it_sends_what_it_missed(opened: Database) -> None:
    """PLG-11: it can be enabled again, with replay, by its plugin's name."""
    begin, clock, _ = dead(opened, days=2)
    with begin.read(SYSTEM) as work:
        health = delivery.unwell(work.connection)["dead:note_written"]
    assert health.disabled_at is not None
    assert "ConnectionError" == health.reason
    assert "subscriber.disabled" == rows(begin)["dead:note_written"].name
    heard: list[str] = []
    begin = shop(opened, listener("dead", lambda event: heard.append(event.id)), clock=clock)
    with pytest.raises(NotFoundError):
        enable(begin, SYSTEM, "nobody")
    with pytest.raises(NotAllowedError):
        enable(begin, Actor.staff("eve"), "dead")
    enable(begin, SYSTEM, "dead")
    clock.advance(DAY)
    relay(begin)
    assert {f"n{n}" for n in range(2 * 24 * 6)} == set(heard)
    assert {"done"} == {row.state for row in rows(begin).values()}


def test_one_event_is_sent_again_to_one_subscriber(opened: Database) -> None:
    """Replay by hand: also to a subscriber that says it has lost what it heard."""
    heard: list[str] = []
    begin = shop(opened, listener("one", lambda e: heard.append("one")), listener("two", lambda e: heard.append("two")))
    announce(begin, "a")
    relay(begin)
    replay(begin, SYSTEM, event_id=rows(begin)["a"].id, subscriber="two:note_written")
    relay(begin)
    assert ["one", "two", "two"] == heard
    replay(begin, SYSTEM, event_id=rows(begin)["a"].id)
    relay(begin)
    assert ["one", "two", "two", "one", "two"] == heard
    with pytest.raises(NotFoundError):
        replay(begin, SYSTEM, event_id="evt_no")


def test_a_subscriber_knows_the_events_id_and_what_it_causes_says_so(opened: Database) -> None:
    """Consumers drop duplicates by the event's id; what they do is traced back to it."""
    seen: list[Envelope | None] = []
    begin = shop(opened)

    def hear(event: NoteWritten) -> None:
        seen.append(current_envelope())
        if event.id == "cause":
            with begin.write(Actor.plugin("one")) as work:
                work.announce(NoteWritten(id="effect"))

    begin = shop(opened, listener("one", hear))
    announce(begin, "cause")
    relay(begin)
    cause, effect = rows(begin)["cause"], rows(begin)["effect"]
    assert [cause.id] == [envelope.id for envelope in seen if envelope][:1]
    assert (cause.id, cause.correlation) == (effect.causation, effect.correlation)
    assert current_envelope() is None


def test_parts_of_the_core_hear_every_event(opened: Database) -> None:
    """Core subscribers are given by name and get the envelope; a failure of theirs is retried like a plugin's."""
    heard: list[str] = []
    begin = shop(opened)
    announce(begin, "a")
    relay(begin, subscribers={"mails": lambda envelope: heard.append(envelope.event.name), "bad": lambda _: 1 / 0})  # type: ignore[func-returns-value, arg-type, return-value]
    assert ["note.written"] == heard
    assert {"bad": "ZeroDivisionError"} == rows(begin)["a"].waiting


def test_no_transaction_is_open_while_sending(opened: Database) -> None:
    """QUE-07, CON-12: the relay refuses inside a Work, and a subscriber may write."""
    begin = shop(opened)
    with begin.read(SYSTEM), pytest.raises(WorkOpenError):
        relay(begin)


def test_a_subscriber_that_hangs_is_cut_off_and_soon_left_alone(opened: Database) -> None:
    """A hanging receiver costs its limit a few times and not once per event."""
    asked, release = Counter[str](), threading.Event()

    def hang(event: NoteWritten) -> None:
        asked["hang"] += 1
        release.wait(5)

    begin = shop(opened, listener("hangs", hang), listener("well", lambda event: asked.update(["well"])))
    begin.plugins.limits = Limits(conversation_s=0.05)
    announce(begin, *(f"n{n}" for n in range(20)))
    relay(begin)
    release.set()
    assert {"hang": 3, "well": 20} == asked
    assert "took too long" in rows(begin)["n0"].waiting["hangs:note_written"]


def test_a_late_commit_is_not_skipped(migrated_url: str) -> None:
    """QUE-05: an event committed after a younger one was delivered is delivered as well."""
    heard: list[str] = []
    first, second = database_at(migrated_url), database_at(migrated_url)
    begin = shop(first, listener("one", lambda event: heard.append(event.id)))
    if first.dialect == "postgresql":
        with begin.write(SYSTEM) as slow:
            slow.announce(NoteWritten(id="early"))
            slow._flush()
            slow._events.clear()

            def quick() -> None:
                fast = shop(second, listener("one", lambda event: heard.append(event.id)))
                announce(fast, "late")
                relay(fast)

            thread = threading.Thread(target=quick)
            thread.start()
            thread.join()
    else:  # one writer at a time: ids cannot overtake each other
        announce(begin, "late")
        relay(begin)
        announce(begin, "early")
    relay(begin)
    assert ["late", "early"] == heard
    first.close()
    second.close()


def test_many_workers_deliver_each_event_once(migrated_url: str) -> None:
    """CON-09: 8 workers, 500 events, none lost and none taken by two."""
    databases = [database_at(migrated_url) for _ in range(8)]
    heard: Counter[str] = Counter()
    lock = threading.Lock()

    def hear(event: NoteWritten) -> None:
        with lock:
            heard[event.id] += 1

    begins = [shop(database, listener("one", hear)) for database in databases]
    with begins[0].write(SYSTEM) as work:
        for n in range(500):
            work.announce(NoteWritten(id=f"n{n}"))
    threads = [threading.Thread(target=relay, args=(begin,), kwargs={"batch": 20}) for begin in begins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"n{n}": 1 for n in range(500)} == heard
    assert {"done"} == {row.state for row in rows(begins[0]).values()}
    for database in databases:
        database.close()


def _relay_in_child(url: str, point: str, log: str) -> None:
    """A worker that dies at a fault point."""

    def hear(event: NoteWritten) -> None:
        envelope = current_envelope()
        assert envelope is not None
        with open(log, "a") as file:  # noqa: PTH123 -- one line, there before the kill
            file.write(f"{envelope.id} {envelope.event.payload()}\n")

    database = database_at(url)
    with faults.armed({point: faults.kill()} if point else {}):
        relay(shop(database, listener("one", hear), clock=FixedClock(NOON)))
    os._exit(0)


@pytest.mark.parametrize("point", ["relay.after_lease", "relay.after_send", "relay.before_mark"])
def test_a_worker_killed_anywhere_leaves_nothing_undelivered(migrated_url: str, tmp_path: Any, point: str) -> None:
    """QUE-03, QUE-07: after the lease is over another worker sends; the same id and body come again, none is lost."""
    database, log = database_at(migrated_url), tmp_path / "heard"
    clock = FixedClock(NOON)
    begin = shop(database, clock=clock)
    announce(begin, "a", "b")
    child = multiprocessing.get_context("spawn").Process(target=_relay_in_child, args=(migrated_url, point, str(log)))
    child.start()
    child.join(60)
    assert -signal.SIGKILL == child.exitcode
    before = log.read_text().splitlines() if log.exists() else []
    assert {"relay.after_lease": 0, "relay.after_send": 1, "relay.before_mark": 2}[point] == len(before)
    again: list[str] = []

    def hear(event: NoteWritten) -> None:
        envelope = current_envelope()
        assert envelope is not None
        again.append(f"{envelope.id} {envelope.event.payload()}")

    begin = shop(database, listener("one", hear), clock=clock)
    relay(begin)
    assert [] == again  # the lease is not over
    clock.advance(dt.timedelta(minutes=6))
    relay(begin)
    assert 2 == len(again)
    assert set(before) <= set(again)
    database.close()


def test_a_worker_told_to_stop_gives_back_what_it_has_not_sent(opened: Database) -> None:
    """QUE-07: SIGTERM finishes the event at hand and returns the others, which may go out at once and lose no try."""
    heard: list[str] = []
    begin = shop(opened, listener("one", lambda event: heard.append(event.id)))
    announce(begin, "a", "b", "c")
    relay(begin, stop=lambda: len(heard) >= 1)
    assert ["a"] == heard
    assert {("pending", 0)} == {(row.state, row.tries) for id_, row in rows(begin).items() if id_ != "a"}
    relay(begin)
    assert ["a", "b", "c"] == heard


def test_a_worker_that_was_too_slow_changes_nothing(opened: Database) -> None:
    """A mark counts only while the lease holds: another worker has taken the event over."""
    clock = FixedClock(NOON)
    begin = shop(opened, listener("one", fails), clock=clock)
    heard: list[str] = []
    other = shop(opened, listener("one", lambda event: heard.append(event.id)), clock=clock)
    announce(begin, "a")

    def overtake() -> None:
        clock.advance(dt.timedelta(minutes=6))
        with faults.armed({}):
            relay(other)

    armed = [True]
    with faults.armed({"relay.before_mark": faults.call(lambda: armed.pop() and overtake() if armed else None)}):  # type: ignore[func-returns-value]
        relay(begin)
    assert ["a"] == heard
    assert ("done", None) == (rows(begin)["a"].state, rows(begin)["a"].waiting)
