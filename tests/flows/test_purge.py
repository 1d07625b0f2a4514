"""What is kept for a while is forgotten afterwards, and nothing else."""

import datetime as dt

import pytest

from eckit.flows.purge import PurgeReport, purge
from eckit.kernel import answers
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.idempotency import KEEP_REPLIES, Key, KeyDoneError
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin

SYSTEM, AOI = Actor.system("test"), Actor.staff("aoi")
KEY, WEIGHT = Key(scope="write", value="k1"), {"weight_g": 500}
SECOND = dt.timedelta(seconds=1)


def say(begin: Begin) -> None:
    with begin.write(AOI, KEY) as work:
        work.reply = {"note": "done"}


def test_replies_and_answers_are_forgotten_when_their_time_is_over(migrated_url: str) -> None:
    """Not a second before; what is asked again afterwards is new."""
    clock = FixedClock(START)
    begin = make_begin(migrated_url, clock=clock)
    with begin.write(SYSTEM) as work:
        answers.keep(work, "carrier", WEIGHT, {"fare": 900}, valid_until=START + KEEP_REPLIES * 2)
    say(begin)
    nothing = purge(begin)
    assert (PurgeReport(replies=0, answers=0), False) == (nothing, bool(nothing))

    clock.advance(KEEP_REPLIES)
    assert not purge(begin)
    with pytest.raises(KeyDoneError):
        say(begin)
    clock.advance(SECOND)
    some = purge(begin)
    assert (PurgeReport(replies=1, answers=0), True) == (some, bool(some))
    say(begin)

    clock.advance(KEEP_REPLIES - SECOND)
    assert PurgeReport(replies=0, answers=1) == purge(begin)
    with begin.read(SYSTEM) as work:
        assert answers.find(work, "carrier", WEIGHT) is None
