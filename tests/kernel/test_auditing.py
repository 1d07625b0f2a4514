"""The auditor: finds what breaks an invariant, names the row, and never shows what should not be there."""

import datetime as dt

import pytest
import sqlalchemy as sa

from eckit.kernel.audit_checks import CHECKS, sensitive
from eckit.kernel.auditing import MOST, Check, Violation, query, run
from eckit.kernel.database import Database
from eckit.kernel.history import history
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.idempotency import Key, idempotency
from eckit.kernel.outbox import outbox
from eckit.kernel.secrets import Secret
from eckit.kernel.stamps import stamp
from eckit.kernel.work import Begin
from tests.kernel.shop import NOON, SYSTEM, NoteWritten, begin_on, note, notes, plugin

CARD = "4111 1111 1111 1111"


def audited(begin: Begin, *checks: Check) -> list[Violation]:
    with begin.read(SYSTEM) as work:
        return run(work.connection, checks or CHECKS)


def busy(begin: Begin) -> None:
    """Something of everything the kernel stores."""
    for n in range(3):
        with begin.write(SYSTEM, Key(scope="s", value=f"k{n}")) as work:
            work.bump("x")
            work.announce(NoteWritten(id="a"))
            work.reply = {"n": n}


def test_a_shop_at_work_breaks_nothing(begin: Begin) -> None:
    """The checks hold on what the kernel itself writes."""
    busy(begin)
    assert [] == audited(begin)


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        ("event-seq-gapless", sa.delete(outbox).where(outbox.c.seq == 2)),
        ("event-seq-gapless", sa.update(outbox).values(seq=outbox.c.seq + 1)),
        ("event-done-heard", sa.update(outbox).where(outbox.c.seq == 1).values(state="done", waiting={"a": "b"})),
        ("event-leased-by-somebody", sa.update(outbox).where(outbox.c.seq == 1).values(state="leased")),
        ("event-leased-by-somebody", sa.update(outbox).where(outbox.c.seq == 1).values(lease="x")),
        ("event-parked-with-reason", sa.update(outbox).where(outbox.c.seq == 1).values(state="parked")),
        ("event-known", sa.update(outbox).where(outbox.c.seq == 1).values(name="note.unheard_of")),
        ("key-done-with-reply-time", sa.update(idempotency).values(reply_until=None)),
        ("key-in-flight-leased", sa.update(idempotency).values(state="in_flight")),
        ("stamp-not-below-zero", sa.update(stamp).values(version=-1)),
        ("deed-named", sa.update(history).values(verb="")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_broken_invariant_is_found_by_name(begin: Begin, invariant: str, change: sa.Executable) -> None:
    """A check that cannot fail proves nothing: each is shown data that breaks it."""
    busy(begin)
    with begin.upkeep() as connection:
        if invariant == "event-seq-gapless" and isinstance(change, sa.Update):
            connection.execute(sa.delete(outbox).where(outbox.c.seq > 1))
        connection.execute(change)
    assert invariant in {violation.invariant for violation in audited(begin)}


def test_a_plugins_event_may_outlive_the_plugin(begin: Begin) -> None:
    """PLG-10: only names of the core's own capabilities must be known."""
    busy(begin)
    with begin.upkeep() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.seq == 1).values(name="insights.counted"))
    assert [] == audited(begin)


def test_a_card_number_in_any_text_is_found_and_not_shown(opened: Database) -> None:
    """No card number in any table, the plugins' included: text, JSON and bytes; the finding tells only where."""
    with opened.writing() as connection:
        notes.create_all(connection)
        connection.execute(sa.insert(note).values(id="n1", text=f"my card is {CARD}"))
        connection.execute(sa.insert(note).values(id="n2", text="order 4111 1111 1111 1112"))

    @hookimpl
    def register_tables() -> tuple[sa.MetaData, ...]:
        return (notes,)

    begin = begin_on(opened, plugins=(plugin("notes", register_tables=register_tables),))
    with begin.write(SYSTEM, Key(scope="s", value="k")) as work:
        work.did("note.write", reason="x")
        work.reply = {"number": int(CARD.replace(" ", ""))}
    found = audited(begin, *sensitive(begin.plugins))
    assert [("eckit_idempotency", "s/system:eckit/k"), ("notes_note", "n1")] == [(v.table, v.row) for v in found]
    assert all("1111" not in repr(violation) for violation in found)
    assert ["eckit_idempotency"] == [violation.table for violation in audited(begin)]


def test_a_secret_of_the_settings_in_a_table_is_found(begin: Begin) -> None:
    """No secret in any table: those of the shop's and the plugins' settings are looked for everywhere."""
    busy(begin)
    with begin.write(SYSTEM) as work:
        work.did("note.write", reason="token sk_live_123456 was used")
    found = audited(begin, *sensitive(begin.plugins, {"key": Secret("sk_live_123456"), "short": Secret("note")}))
    assert [("eckit_history", "secret in reason")] == [(violation.table, violation.detail) for violation in found]


def test_progress_is_told_and_a_flood_is_cut_off(begin: Begin) -> None:
    """A check reports at most a thousand rows."""
    told: list[str] = []
    numbers = sa.select(stamp.c.name, stamp.c.version)
    flood = Check(
        invariant="flood",
        clause="",
        table="t",
        run=lambda connection: (Violation(invariant="flood", table="t", row=str(n)) for n in range(2 * MOST)),
    )
    with begin.write(SYSTEM) as work:
        work.bump("a", "b")
    with begin.read(SYSTEM) as work:
        held = work.stamps("a")
        found = run(work.connection, [query("numbers", "none", "stamp", numbers), flood], told.append)
    assert ["numbers", "flood"] == told
    assert 2 + MOST == len(found)
    assert ("a", str(held["a"])) == (found[0].row, found[0].detail)


def test_a_lease_that_ends_before_it_began_and_an_answer_too(begin: Begin) -> None:
    """Times run forward."""
    from eckit.kernel import answers, leases

    with begin.write(SYSTEM) as work:
        answers.keep(work, "engine", {"q": 1}, 1, valid_until=NOON - dt.timedelta(days=1))
        late = {"name": "job", "holder": "h", "taken_at": NOON, "until": NOON - dt.timedelta(days=1)}
        work.execute(sa.insert(leases.lease).values(**late))
    assert {"lease-forward", "answer-forward"} == {violation.invariant for violation in audited(begin)}
