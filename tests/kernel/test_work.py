"""Work: one transaction, with an actor, an audit row and its events; all of it or nothing."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from eckit.kernel import stamps
from eckit.kernel.actors import Actor
from eckit.kernel.cards import find_card_numbers
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database
from eckit.kernel.errors import InvalidInputError, MovedError
from eckit.kernel.history import history
from eckit.kernel.minting import mint
from eckit.kernel.outbox import envelope, outbox
from eckit.kernel.refs import Ref
from eckit.kernel.stamps import stamp
from eckit.kernel.work import Begin, ReadOnlyError, WorkOpenError, current_work
from tests.kernel.shop import NOON, SHOP, SYSTEM, NoteWritten, begin_on

CLERK = Actor.staff("clerk", "note.write")


def everything(begin: Begin) -> dict[str, list[sa.Row[Any]]]:
    """What is stored, by table."""
    with begin.read(SYSTEM) as work:
        return {
            "stamp": list(work.execute(sa.select(stamp).order_by(stamp.c.name))),
            "history": list(work.execute(sa.select(history))),
            "outbox": list(work.execute(sa.select(outbox).order_by(outbox.c.subject, outbox.c.seq))),
        }


def write(begin: Begin, actor: Actor = CLERK) -> None:
    with begin.write(actor) as work:
        work.bump("catalog", "prices")
        work.did("note.write", Ref("note", "a"), reason="because")
        work.announce(NoteWritten(id="a"))
        work.announce(NoteWritten(id="b"))
        work.announce(NoteWritten(id="a", steps=2))


def test_a_commit_brings_stamps_an_audit_row_and_events(begin: Begin) -> None:
    """Each says who and when; ``seq`` counts the events of one subject, within a transaction and over several."""
    write(begin)
    before = everything(begin)["stamp"]
    write(begin)
    stored = everything(begin)
    assert ["catalog", "prices"] == [row.name for row in stored["stamp"]]
    assert all(row.version != earlier.version for row, earlier in zip(stored["stamp"], before, strict=True))
    deed = stored["history"][0]
    assert ("note.write", ["note:a"], "because", "staff:clerk", NOON) == (
        deed.verb,
        deed.subjects,
        deed.reason,
        deed.by,
        deed.at,
    )
    seen = [(row.subject, row.seq, row.payload["steps"]) for row in stored["outbox"]]
    expected = [("note:a", n + 1, steps) for n, steps in enumerate((1, 2, 1, 2))]
    assert [*expected, ("note:b", 1, 1), ("note:b", 2, 1)] == seen
    assert {"staff:clerk"} == {row.by for row in stored["outbox"]}
    assert 2 == len({row.correlation for row in stored["outbox"]})
    assert {deed.correlation for deed in stored["history"]} == {row.correlation for row in stored["outbox"]}


def test_an_event_is_rebuilt_from_its_row(begin: Begin) -> None:
    """The envelope has where, when, by whom; unknown keys of a later version are left out."""
    write(begin)
    with begin.read(SYSTEM) as work:
        row = work.execute(sa.select(outbox).where(outbox.c.subject == "note:b")).one()
    found = envelope(row, SHOP)
    assert found is not None
    assert (NoteWritten(id="b"), 1, NOON, "staff:clerk", SHOP) == (
        found.event,
        found.seq,
        found.occurred_at,
        found.by,
        found.shop,
    )
    assert NoteWritten(id="z") == NoteWritten.of({"id": "z", "steps": 1, "later": "x"})


def test_an_error_undoes_everything(begin: Begin) -> None:
    """Nothing half-done, whatever was raised, Ctrl-C included."""
    for error in (ZeroDivisionError, KeyboardInterrupt, InvalidInputError):

        def fail(error: type[BaseException] = error) -> None:
            with begin.write(CLERK) as work:
                work.bump("x")
                work.announce(NoteWritten(id="a"))
                work.execute(sa.insert(stamp).values(name="y", version=1))
                raise error

        with pytest.raises(error):
            fail()
    assert {"stamp": [], "history": [], "outbox": []} == everything(begin)
    assert current_work() is None


def test_no_verb_can_forget_its_audit_row(begin: Begin) -> None:
    """A Work that changed something without saying what is in the audit all the same."""
    with begin.write(CLERK) as work:
        work.execute(sa.insert(stamp).values(name="y", version=1))
    with begin.write(CLERK) as work:
        work.announce(NoteWritten(id="a"))
    with begin.write(CLERK):
        pass
    assert [("write", "staff:clerk")] * 2 == [(row.verb, row.by) for row in everything(begin)["history"]]


def test_on_whose_behalf_is_stored(begin: Begin) -> None:
    """A plugin or agent that acts for somebody says for whom, in the audit and in the event."""
    actor = Actor(kind="agent", id="ucp", on_behalf_of="buyer:cus_1")
    write(begin, actor)
    stored = everything(begin)
    assert {("agent:ucp", "buyer:cus_1")} == {
        (row.by, row.on_behalf_of) for row in (*stored["history"], *stored["outbox"])
    }


def test_a_work_for_reading_writes_nothing(begin: Begin) -> None:
    """An event announced there, or a stamp raised, would be lost without a word: it is refused."""
    with begin.read(CLERK) as work, pytest.raises(ReadOnlyError):
        work.execute(sa.insert(stamp).values(name="y", version=1))
    for lose in (
        lambda work: work.announce(NoteWritten(id="a")),
        lambda work: work.bump("x"),
        lambda work: work.did("note.write"),
    ):

        def read(lose: Any = lose) -> None:
            with begin.read(CLERK) as work:
                lose(work)

        with pytest.raises(ReadOnlyError):
            read()
    assert {"stamp": [], "history": [], "outbox": []} == everything(begin)


def test_now_is_one_instant_in_a_work(opened: Database) -> None:
    """All rows of one transaction bear the same time."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    with begin.write(CLERK) as work:
        clock.advance(clock.now() - NOON.replace(year=2025))
        work.announce(NoteWritten(id="a"))
        assert NOON == work.now
    assert NOON == everything(begin)["outbox"][0].occurred_at


def test_one_write_at_a_time_in_one_place(begin: Begin) -> None:
    """A second transaction inside the first would wait for it for ever; reading inside is fine, and sees the past."""
    with begin.write(CLERK) as work:
        work.execute(sa.insert(stamp).values(name="y", version=1))
        with pytest.raises(WorkOpenError), begin.write(CLERK):
            pass
        with pytest.raises(WorkOpenError), begin.upkeep():
            pass
        with begin.read(CLERK) as reading:
            assert {"y": 0} == reading.stamps(["y"])
            assert reading is current_work()
        assert work is current_work()
    assert current_work() is None


def test_the_network_is_out_of_bounds_while_a_transaction_is_open_here(begin: Begin) -> None:
    """CON-12: here means this thread; another thread's transaction is its own affair."""
    begin.require_no_transaction("test")
    with begin.read(CLERK):
        with pytest.raises(WorkOpenError, match="test"):
            begin.require_no_transaction("test")
        elsewhere = threading.Thread(target=begin.require_no_transaction, args=("test",))
        elsewhere.start()
        elsewhere.join()
    begin.require_no_transaction("test")


def test_stamps_tell_whether_anything_moved(begin: Begin) -> None:
    """One read compares everything a quote rested on; the first that moved is named."""
    with begin.write(CLERK) as work:
        work.bump("prices")
    with begin.read(CLERK) as work:
        held = work.stamps(["prices", "catalog", "prices"])
        assert (0, True) == (held["catalog"], held["prices"] > 0)
        work.require(held)
        work.require({})
        with pytest.raises(MovedError, match="catalog"):
            work.require({**held, "catalog": 3})


def test_stamps_of_two_transactions_do_not_lose_each_other(opened: Database) -> None:
    """One global order, and a number for each change: 8 threads, 25 rounds, names in both orders."""
    begin, seen = begin_on(opened), set[tuple[str, int]]()

    def raise_all(*names: str) -> None:
        for _ in range(25):
            with begin.upkeep() as connection:
                stamps.raise_all(connection, names)
                seen.update(stamps.read(connection, names).items())

    threads = [threading.Thread(target=raise_all, args=names) for names in (("a", "b", "c"), ("c", "b", "a")) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 3 * 200 == len(seen)
    assert [] == [number for _, number in seen if number >= 2**53 or find_card_numbers(str(number))]


def test_the_number_of_a_change_that_was_rolled_back_is_never_given_again(begin: Begin) -> None:
    """What was loaded under it may be held by other threads: the next change would be taken for that one."""
    write(begin)
    undone: dict[str, int] = {}

    def fail() -> None:
        with begin.upkeep() as connection:
            stamps.raise_all(connection, ["prices"])
            undone.update(stamps.read(connection, ["prices"]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    write(begin)
    with begin.read(CLERK) as work:
        assert undone != work.stamps(["prices"])


def test_a_bare_work_knows_variants_by_their_id_only(begin: Begin) -> None:
    """SKUs are the catalog's; a shop's Work asks it."""
    variant = mint("variant")
    with begin.read(CLERK) as work:
        assert variant == work.variant_of(variant)
        with pytest.raises(InvalidInputError):
            work.variant_of("TEA-50")
