"""``eckit work``: a sentence for each job that had something to do, and an exit code that can be believed."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from eckit.cli import working
from eckit.flows.chase import ChaseReport
from eckit.flows.send_mails import MailReport
from eckit.kernel.errors import BusyError
from eckit.kernel.relay import RelayReport
from eckit.kernel.texts import keys
from eckit.shop import Shop
from tests.cli.conftest import Run, composed


@pytest.mark.parametrize(("locale", "said"), [("en", "Events: 4 delivered."), ("ja", "イベント: 4 件を配信")])
def test_a_job_tells_what_it_did(eckit: Run, shop: Path, locale: str, said: str) -> None:
    """The events of a new shop are sent, once; jobs that had nothing to do say nothing."""
    done, again = eckit("work", "--once", "--locale", locale), eckit("work", "--once", "--locale", locale)

    assert (0, 0) == (done.returncode, again.returncode)
    assert [said] == done.stdout.splitlines()
    assert "" == again.stdout


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "Mails: failed. Too much is going on at once"),
        ("ja", "メール: 失敗しました。"),
    ],
)
def test_a_job_that_fails_is_an_exit_code(
    eckit: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, locale: str, said: str
) -> None:
    """The others run all the same; a timer that runs --once hears of it."""

    def fail(_: Shop) -> None:
        raise BusyError(what="test")

    monkeypatch.setattr(Shop, "send_mails", fail)

    done = eckit("work", "--once", "--locale", locale)

    assert 1 == done.returncode
    assert said in done.stdout
    assert 2 == len(done.stdout.splitlines()), "the events were sent"


@pytest.mark.parametrize(
    ("name", "report", "said"),
    [
        ("relay_events", RelayReport(done=4, waiting=1, parked=2, disabled=("a:b",)),
         "Events: 4 delivered, 1 to be tried again, 2 set aside, 1 receivers no longer called."),
        ("send_mails", MailReport(sent=3, given_up=1), "Mails: 3 sent, 1 given up."),
        ("apply_notices", 2, "Notices of payment companies: 2 dealt with."),
        ("chase", ChaseReport(asked=1, settled=1), "Payments: 1 looked up, 1 settled."),
        ("lapse_orders", ("ord_1", "ord_2"), "Orders: 2 canceled, not paid in time."),
        ("expire_holds", 0, ""),
        ("chase", working.ELSEWHERE, "Payments: another worker does this just now."),
    ],
)  # fmt: skip
def test_reports_are_sentences(name: str, report: object, said: str) -> None:
    """Every number that is not nothing, by what it counts."""
    assert said == working.told(name, report, "en")


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_everything_a_job_reports_has_a_text(shop: Path, locale: str) -> None:
    """A job or a number that is new needs its words in both languages."""
    with composed(shop) as there:
        reports = working.round_of(there)
    needed = {f"work.{name}.{what}" for name, report in reports.items() for what in working.counts(report)}
    assert "purge" in reports
    assert set() == needed - keys(locale)


def test_a_signal_in_the_middle_of_waiting_is_heard() -> None:
    """It comes at every step of the wait, as it may: the wait ends each time, and never waits for itself."""
    heard: list[bool] = []

    def waits(stops: SimpleQueue[int], handler: Callable[..., object]) -> None:
        def at_each_step(*_: object) -> Callable[..., object]:
            handler(signal.SIGTERM, None)
            return at_each_step

        sys.settrace(at_each_step)
        heard.append(working.is_told(stops, 60))

    with working.asked_to_stop() as stops:
        handler = signal.getsignal(signal.SIGTERM)
        assert callable(handler)
        thread = threading.Thread(target=waits, args=(stops, handler), daemon=True)
        thread.start()
        thread.join(20)

    assert [True] == heard
