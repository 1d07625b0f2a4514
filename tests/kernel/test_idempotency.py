"""Idempotency keys: one key, one outcome, whoever comes first and whatever dies."""

import datetime as dt
import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from eckit.kernel import idempotency
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database
from eckit.kernel.errors import BusyError, InvalidInputError
from eckit.kernel.idempotency import KEEP_REPLIES, Key, KeyDoneError, KeyInFlightError, KeyReusedError
from eckit.kernel.outbox import outbox
from eckit.kernel.work import Begin
from tests.kernel.shop import NOON, SYSTEM, NoteWritten, begin_on

KEY = Key(scope="place_order", value="k1", fingerprint="cart 1")
LEASE = dt.timedelta(minutes=1)


def place(begin: Begin, key: Key = KEY, actor: Actor = SYSTEM, *, fail: bool = False) -> None:
    with begin.write(actor, key) as work:
        work.announce(NoteWritten(id="order"))
        work.reply = {"order": "ord_1"}
        if fail:
            raise ZeroDivisionError


def events(begin: Begin) -> int:
    with begin.read(SYSTEM) as work:
        return work.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()


def test_the_second_use_of_a_key_gets_the_first_ones_outcome(begin: Begin) -> None:
    """The reply is stored with the commit of what it tells."""
    place(begin)
    with pytest.raises(KeyDoneError) as done:
        place(begin)
    assert {"order": "ord_1"} == done.value.reply
    assert 1 == events(begin)


def test_a_key_belongs_to_its_scope_and_actor(begin: Begin) -> None:
    """The same text of another operation, or from somebody else, is another key."""
    place(begin)
    place(begin, Key(scope="refund", value="k1"))
    place(begin, KEY, Actor.staff("eve"))
    assert 3 == events(begin)


def test_a_key_used_for_another_request_is_refused(begin: Begin) -> None:
    """One key with two fingerprints is a mistake of the caller's."""
    place(begin)
    with pytest.raises(KeyReusedError):
        place(begin, Key(scope="place_order", value="k1", fingerprint="cart 2"))


@pytest.mark.parametrize("value", ["", " ", "x" * 201, "a\nb"])
def test_a_key_is_a_short_text(value: str) -> None:
    """1 to 200 characters on one line."""
    with pytest.raises(InvalidInputError):
        Key(scope="s", value=value)


def test_a_work_that_fails_leaves_its_key_free(begin: Begin) -> None:
    """PRM-03's cousin: the claim is part of the transaction, so neither an error nor a crash leaves one behind."""
    with pytest.raises(ZeroDivisionError):
        place(begin, fail=True)
    place(begin)
    assert 1 == events(begin)


def test_twenty_first_uses_of_one_key_at_once_are_one(opened: Database) -> None:
    """PAY-20: claiming is one atomic insert; one executes, the others get its outcome."""
    begin, barrier, outcomes = begin_on(opened), threading.Barrier(20), Counter[str]()
    replies: list[object] = []

    def attempt() -> None:
        barrier.wait(20)
        for _ in range(50):
            try:
                place(begin)
                outcomes["placed"] += 1
            except KeyDoneError as done:
                outcomes["done"] += 1
                replies.append(done.reply)
            except (BusyError, KeyInFlightError):
                continue  # what a caller does: the same request again
            return
        outcomes["gave up"] += 1

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"placed": 1, "done": 19} == outcomes
    assert [{"order": "ord_1"}] * 19 == replies
    assert 1 == events(begin)


def test_a_claim_with_a_lease_is_recoverable_when_its_holder_dies(begin: Begin) -> None:
    """PAY-20: a stale claim is in flight until its lease is over, then the next one has it; a third waits again."""

    def claim(at: dt.datetime, key: Key = KEY) -> None:
        with begin.upkeep() as connection:
            idempotency.claim(connection, key, "system", at, lease=LEASE)

    claim(NOON)
    with pytest.raises(KeyInFlightError):
        claim(NOON + LEASE)
    with pytest.raises(KeyReusedError):
        claim(NOON + 2 * LEASE, Key(scope="place_order", value="k1", fingerprint="cart 2"))
    claim(NOON + 2 * LEASE)
    with pytest.raises(KeyInFlightError):
        claim(NOON + 2 * LEASE)
    with begin.upkeep() as connection:
        assert idempotency.find(connection, KEY, "system", NOON) is None
        idempotency.finish(connection, KEY, "system", NOON, {"n": 1})
    with pytest.raises(KeyDoneError):
        claim(NOON + 9 * LEASE)


def test_of_many_that_take_over_a_stale_claim_one_succeeds(opened: Database) -> None:
    """Taking over is as atomic as claiming."""
    begin, barrier, outcomes = begin_on(opened), threading.Barrier(8), Counter[str]()
    with begin.upkeep() as connection:
        idempotency.claim(connection, KEY, "system", NOON, lease=LEASE)

    def take_over() -> None:
        barrier.wait(20)
        try:
            with begin.upkeep() as connection:
                idempotency.claim(connection, KEY, "system", NOON + 2 * LEASE, lease=LEASE)
            outcomes["taken"] += 1
        except KeyInFlightError:
            outcomes["in flight"] += 1

    threads = [threading.Thread(target=take_over) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {"taken": 1, "in flight": 7} == outcomes


def test_an_actor_can_be_forgotten(opened: Database) -> None:
    """With every reply to it; a key that is in flight stays, and so do those of others."""
    clock = FixedClock(NOON)
    now = clock.now()
    with opened.writing() as connection:
        for actor in ("buyer:cus_1", "buyer:cus_2"):
            key = Key(scope="write", value="a", fingerprint="f")
            idempotency.claim(connection, key, actor, now)
            idempotency.finish(connection, key, actor, now, {"order_id": "ord_1"})
        idempotency.claim(connection, Key(scope="write", value="b"), "buyer:cus_1", now, lease=dt.timedelta(minutes=1))
        assert 1 == idempotency.forget(connection, "buyer:cus_1")
        left = connection.execute(sa.select(idempotency.idempotency.c.actor, idempotency.idempotency.c.key)).all()
    assert {("buyer:cus_1", "b"), ("buyer:cus_2", "a")} == {tuple(row) for row in left}


def test_a_lease_left_behind_is_purged_as_late_as_a_reply(opened: Database) -> None:
    """Nobody comes back for it after so long."""
    clock, lease = FixedClock(NOON), dt.timedelta(minutes=1)
    with opened.writing() as connection:
        idempotency.claim(connection, Key(scope="write", value="a"), "guest", clock.now(), lease=lease)
        for wait, purged in ((lease + KEEP_REPLIES, 0), (dt.timedelta(seconds=1), 1)):
            clock.advance(wait)
            assert purged == idempotency.purge(connection, clock.now())


def test_replies_are_kept_for_two_days_and_then_purged(opened: Database) -> None:
    """Facts §10: a stored reply is kept at least 48 hours."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    place(begin)
    for wait, purged in ((KEEP_REPLIES, 0), (dt.timedelta(seconds=1), 1)):
        clock.advance(wait)
        with begin.upkeep() as connection:
            assert purged == idempotency.purge(connection, clock.now())
    place(begin)
    assert 2 == events(begin)
