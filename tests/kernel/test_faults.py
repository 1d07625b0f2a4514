"""Fault points do nothing until they are armed, and then exactly what was asked, in this process or a child."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eckit.kernel import faults
from eckit.kernel.faults import FaultError, UndeclaredFaultError

faults.declare("kernel_test.first", "kernel_test.second")


@pytest.fixture(autouse=True)
def _nothing_stays_armed() -> Iterator[None]:
    """Each test leaves the points as it found them."""
    yield
    assert () == faults._watches


def test_nothing_happens_unless_armed() -> None:
    """Production passes through at the price of a comparison, whatever the name."""
    faults.hit("kernel_test.first")
    faults.hit("never.declared")


def test_point_fails_while_armed_and_not_after() -> None:
    """In the block only, and only this point."""
    with faults.armed({"kernel_test.first": faults.fail(OSError("disk gone"))}) as watch:
        faults.hit("kernel_test.second")
        for _ in range(2):
            with pytest.raises(OSError, match="disk gone"):
                faults.hit("kernel_test.first")
    faults.hit("kernel_test.first")
    assert 2 == watch.count("kernel_test.first")
    assert {"kernel_test.first", "kernel_test.second"} == watch.passed()


def test_point_is_disarmed_when_the_block_raises() -> None:
    """The usual way a fault test ends."""
    with pytest.raises(FaultError), faults.armed({"kernel_test.first": faults.fail()}):
        faults.hit("kernel_test.first")
    faults.hit("kernel_test.first")


def test_point_lets_some_hits_through() -> None:
    """``after=2``: the third one fails."""
    with faults.armed({"kernel_test.first": faults.fail()}, after=2) as watch:
        faults.hit("kernel_test.first")
        faults.hit("kernel_test.first")
        with pytest.raises(FaultError):
            faults.hit("kernel_test.first")
    assert 3 == watch.count("kernel_test.first")


def test_arming_may_be_nested() -> None:
    """Each block counts and acts for itself; all have counted before one acts."""
    calls: list[str] = []
    with (
        faults.armed({}) as outer,
        faults.armed({"kernel_test.first": faults.call(lambda: calls.append("in"))}) as inner,
    ):
        faults.hit("kernel_test.first")
        with faults.armed({"kernel_test.first": faults.fail()}), pytest.raises(FaultError):
            faults.hit("kernel_test.first")
    assert ["in", "in"] == calls
    assert 2 == outer.count("kernel_test.first") == inner.count("kernel_test.first")


def test_names_nobody_declares_are_caught() -> None:
    """A typing error in a test or in the code shows when a fault test runs."""
    with pytest.raises(UndeclaredFaultError, match="frist"), faults.armed({"kernel_test.frist": faults.fail()}):
        pass
    with faults.armed({}), pytest.raises(UndeclaredFaultError, match=r"never\.declared"):
        faults.hit("never.declared")


def test_points_are_listed_with_their_module() -> None:
    """Declaring again in the same module changes nothing; two modules cannot share a name."""
    faults.declare("kernel_test.first")
    assert {"kernel_test.first", "kernel_test.second"} <= faults.declared()
    with pytest.raises(ValueError, match="is declared by"):
        exec(  # as another module would
            "from eckit.kernel import faults; faults.declare('kernel_test.first')", {"__name__": "another.module"}
        )
    for name in ("first", "Kernel.First", "kernel.first ", "kernel..first", ""):
        with pytest.raises(ValueError, match="named like"):
            faults.declare(name)


def test_point_delays() -> None:
    """A slow plugin or database."""
    with faults.armed({"kernel_test.first": faults.delay(0.05)}):
        start = time.monotonic()
        faults.hit("kernel_test.first")
        assert time.monotonic() - start >= 0.05


def test_two_threads_meet_at_a_point() -> None:
    """The schedule of a race: both are here before either goes on."""
    barrier = threading.Barrier(2)
    arrived: list[int] = []
    seen: list[int] = []

    def actor(number: int) -> None:
        arrived.append(number)
        faults.hit("kernel_test.first")
        seen.append(len(arrived))

    with faults.armed({"kernel_test.first": faults.meet(barrier)}) as watch:
        threads = [threading.Thread(target=actor, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [2, 2] == seen
    assert 2 == watch.count("kernel_test.first")


def test_missing_party_breaks_the_barrier() -> None:
    """A test that waits for nobody fails instead of hanging."""
    waiting = {"kernel_test.first": faults.meet(threading.Barrier(2), timeout=0.01)}
    with faults.armed(waiting), pytest.raises(threading.BrokenBarrierError):
        faults.hit("kernel_test.first")


# --- child processes -------------------------------------------------------------------------------------------------

CHILD = """
from eckit.kernel import faults
faults.declare("kernel_test.first", "kernel_test.second")
for number in (1, 2, 3):
    print(number, flush=True)
    faults.hit("kernel_test.first")
faults.hit("kernel_test.second")
print("unknown", sorted(faults.unknown()))
"""


def run_child(**environment: str) -> "subprocess.CompletedProcess[str]":
    """The program above in a process of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ECKIT_FAULTS")}
    return subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_child_runs_through_when_nothing_is_armed() -> None:
    """The control for the tests below."""
    child = run_child()
    assert (0, "1\n2\n3\nunknown []\n") == (child.returncode, child.stdout)


@pytest.mark.parametrize(
    ("order", "printed"), [("kernel_test.first=kill", "1\n"), ("kernel_test.first=kill@3", "1\n2\n3\n")]
)
def test_child_is_killed_at_a_point(order: str, printed: str, tmp_path: Path) -> None:
    """At the hit that was named, with no cleaning up; the log has the fatal hit too."""
    log = tmp_path / "hits.log"
    child = run_child(ECKIT_FAULTS=order, ECKIT_FAULTS_LOG=str(log))
    assert (-signal.SIGKILL, printed) == (child.returncode, child.stdout)
    assert "kernel_test.first\n" * len(printed.split()) == log.read_text()


def test_child_takes_several_orders() -> None:
    """Separated by commas; the other actions are to fail and to delay."""
    child = run_child(ECKIT_FAULTS="kernel_test.first=delay:0.001, kernel_test.second=fail")
    assert 1 == child.returncode
    assert "1\n2\n3\n" == child.stdout
    assert "FaultError" in child.stderr


def test_child_logs_what_it_passes(tmp_path: Path) -> None:
    """So that points no test reaches can be found."""
    log = tmp_path / "hits.log"
    for _ in range(2):
        assert 0 == run_child(ECKIT_FAULTS_LOG=str(log)).returncode
    assert ["kernel_test.first"] * 3 + ["kernel_test.second"] == log.read_text().splitlines()[4:]


def test_child_tells_names_it_does_not_know() -> None:
    """Their modules may not be imported when the process starts, so they are asked for later."""
    assert "unknown ['kernel_test.frist']" in run_child(ECKIT_FAULTS="kernel_test.frist=kill").stdout


@pytest.mark.parametrize("order", ["kill", "a.b=", "a.b=explode", "a.b=kill@0", "a.b=kill@x", "a.b=delay", "a.b=kill;"])
def test_orders_that_cannot_be_read_stop_the_child(order: str) -> None:
    """A fault test that arms nothing would pass for the wrong reason."""
    child = run_child(ECKIT_FAULTS=order)
    assert 1 == child.returncode
    assert "is not like place_order.after_hold=kill@2" in child.stderr
    assert "" == child.stdout
