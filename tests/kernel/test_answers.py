"""The answer store: one question, asked once, while the answer is valid."""

import datetime as dt
import threading
from collections import Counter

import pytest
import sqlalchemy as sa

from eckit.kernel import answers
from eckit.kernel.answers import answer
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import Database
from tests.kernel.shop import NOON, SYSTEM, begin_on

HOUR = dt.timedelta(hours=1)
QUESTION = {"to": "JP-13", "grams": 1200}


def test_an_answer_is_kept_until_it_is_no_longer_valid(opened: Database) -> None:
    """The same question in any order of keys; another engine or question is another answer."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    with begin.write(SYSTEM) as work:
        answers.keep(work, "yamato", QUESTION, [930], valid_until=NOON + HOUR)
    with begin.read(SYSTEM) as work:
        kept = answers.find(work, "yamato", {"grams": 1200, "to": "JP-13"})
        assert kept is not None
        assert ([930], NOON, NOON + HOUR) == (kept.body, kept.kept_at, kept.valid_until)
        assert answers.find(work, "sagawa", QUESTION) is None
        assert answers.find(work, "yamato", {**QUESTION, "grams": 1201}) is None
    clock.advance(HOUR)
    with begin.read(SYSTEM) as work:
        assert answers.find(work, "yamato", QUESTION) is None


def test_a_later_answer_takes_the_earlier_ones_place_and_old_ones_are_purged(opened: Database) -> None:
    """One row per question."""
    clock = FixedClock(NOON)
    begin = begin_on(opened, clock=clock)
    with begin.write(SYSTEM) as work:
        answers.keep(work, "yamato", QUESTION, [930], valid_until=NOON + HOUR)
        answers.keep(work, "yamato", QUESTION, [1040], valid_until=NOON + 2 * HOUR)
        found = answers.find(work, "yamato", QUESTION)
        assert found is not None
        assert [1040] == found.body
        assert 0 == answers.purge(work)
        with pytest.raises(ValueError, match="None"):
            answers.keep(work, "yamato", QUESTION, None, valid_until=NOON)
    clock.advance(2 * HOUR)
    with begin.write(SYSTEM) as work:
        assert 1 == answers.purge(work)


def test_the_question_itself_is_not_stored(opened: Database) -> None:
    """Only its digest: nothing of a customer stays behind."""
    begin = begin_on(opened)
    with begin.write(SYSTEM) as work:
        answers.keep(work, "yamato", {"to": "150-0002"}, 1, valid_until=NOON + HOUR)
        (row,) = work.execute(sa.select(answer)).all()
    assert "150-0002" not in repr(row)


def test_of_many_who_ask_at_once_one_is_sent(opened: Database) -> None:
    """For services that charge per question: the others look again; after the lease its place is free."""
    clock = FixedClock(NOON)
    begin, barrier, told = begin_on(opened, clock=clock), threading.Barrier(8), Counter[bool]()

    def ask() -> None:
        barrier.wait(10)
        with begin.write(SYSTEM) as work:
            told[answers.reserve(work, "tax", QUESTION, lease=HOUR)] += 1

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {True: 1, False: 7} == told
    with begin.read(SYSTEM) as work:
        assert answers.find(work, "tax", QUESTION) is None
    clock.advance(HOUR)
    with begin.write(SYSTEM) as work:
        assert answers.reserve(work, "tax", QUESTION, lease=HOUR)
        answers.keep(work, "tax", QUESTION, "10 %", valid_until=clock.now() + HOUR)
        assert not answers.reserve(work, "tax", QUESTION, lease=HOUR)
