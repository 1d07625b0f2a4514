"""Named jobs: one runner at a time, and none that is gone blocks the job."""

import datetime as dt
import threading
from collections import Counter

import pytest

from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database
from eckit.kernel.leases import holding
from eckit.kernel.work import WorkOpenError
from tests.kernel.shop import NOON, SYSTEM, begin_on

FOR = dt.timedelta(minutes=5)
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


def test_a_job_has_one_runner_at_a_time(opened: Database) -> None:
    """While it is held nobody else gets it; another job is another lease; at the end it is free."""
    begin = begin_on(opened)
    with holding(begin, "sweep", FOR) as mine:
        assert mine
        with holding(begin, "sweep", FOR) as second, holding(begin, "other", FOR) as other:
            assert (False, True) == (bool(second), bool(other))
    with holding(begin, "sweep", FOR) as again:
        assert again


def test_four_workers_that_start_together_run_a_job_once_per_period(opened: Database) -> None:
    """CON-08: one run per period, whoever comes and however late."""
    clock, ran, barrier = FixedClock(NOON), Counter[dt.datetime](), threading.Barrier(4)
    begin = begin_on(opened, clock=clock)

    def work() -> None:
        barrier.wait(10)
        with holding(begin, "sweep", FOR, every=HOUR) as mine:
            if mine:
                ran[clock.now()] += 1

    for _ in range(3):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.advance(HOUR)
    assert {NOON: 1, NOON + HOUR: 1, NOON + 2 * HOUR: 1} == ran


def test_a_holder_that_died_loses_its_lease(opened: Database) -> None:
    """CON-08: the job resumes after the lease; the dead one's late release harms nobody."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    dead = holding(begin, "sweep", FOR)
    assert dead.__enter__()
    clock.advance(FOR - SECOND)
    with holding(begin, "sweep", FOR) as early:
        assert not early
    clock.advance(SECOND)
    with holding(begin, "sweep", FOR) as heir:
        assert heir
        dead.__exit__(None, None, None)
        with holding(begin, "sweep", FOR) as third:
            assert not third


def test_a_long_job_renews_its_lease_and_learns_that_it_lost_it(opened: Database) -> None:
    """A heartbeat: held from now on for as long again; false means stop."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    with holding(begin, "sweep", FOR) as mine:
        clock.advance(FOR - SECOND)
        assert mine.renew()
        clock.advance(FOR - SECOND)
        with holding(begin, "sweep", FOR) as other:
            assert not other
            assert not other.renew()
        clock.advance(2 * SECOND)
        with holding(begin, "sweep", FOR) as heir:
            assert heir
            assert not mine.renew()
            assert not mine


def test_a_job_that_failed_may_run_again_at_once(opened: Database) -> None:
    """Its period counts only when it ran to its end."""
    begin = begin_on(opened)
    with pytest.raises(ZeroDivisionError), holding(begin, "sweep", FOR, every=HOUR):
        raise ZeroDivisionError
    with holding(begin, "sweep", FOR, every=HOUR) as again:
        assert again
    with holding(begin, "sweep", FOR, every=HOUR) as soon:
        assert not soon


def test_a_clock_that_jumped_does_not_block_a_job_for_good(opened: Database) -> None:
    """CON-08: a lease taken a day ahead by a wrong clock is not believed once the clock is right; a little skew is."""
    clock = FixedClock(NOON + dt.timedelta(days=1))
    begin = begin_on(opened, clock=clock)
    assert holding(begin, "sweep", FOR).__enter__()
    clock.set(NOON + dt.timedelta(days=1) - FOR)
    with holding(begin, "sweep", FOR) as skewed:
        assert not skewed
    clock.set(NOON)
    with holding(begin, "sweep", FOR) as mine:
        assert mine


def test_a_lease_is_not_taken_inside_a_transaction(opened: Database) -> None:
    """It must be committed to be seen by others."""
    begin = begin_on(opened)
    with begin.write(SYSTEM), pytest.raises(WorkOpenError):
        holding(begin, "sweep", FOR).__enter__()
