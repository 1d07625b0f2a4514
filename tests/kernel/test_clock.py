"""Instants are aware and UTC, days are days of a zone, and spans are half-open."""

import datetime as dt
import os
import subprocess
import sys
import zoneinfo

import attrs
import pytest
from hypothesis import given, strategies as st

from eckit.kernel.clock import Clock, FixedClock, SystemClock, Window, day_bounds, utc, zone_of
from eckit.kernel.errors import InvalidInputError

NOON = dt.datetime(2026, 8, 31, 12, tzinfo=dt.UTC)
NAIVE = dt.datetime(2026, 8, 31, 23, 30)  # noqa: DTZ001 -- what must be refused
YEAR_1900, YEAR_2200 = (NAIVE.replace(year=year) for year in (1900, 2200))  # as hypothesis wants them
MICROSECOND = dt.timedelta(microseconds=1)
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo", "Africa/Cairo"]


def refused(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    """Code and field of the only problem."""
    [problem] = error.value.problems
    return problem.code, problem.path


# --- clocks ----------------------------------------------------------------------------------------------------------


def test_system_clock_tells_utc() -> None:
    """Aware, in UTC, now."""
    clock: Clock = SystemClock()
    before = dt.datetime.now(dt.UTC)
    now = clock.now()
    assert dt.UTC is now.tzinfo
    assert before <= now <= dt.datetime.now(dt.UTC)


def test_fixed_clock_stands_until_it_is_moved() -> None:
    """Tests decide what time it is."""
    clock = FixedClock(dt.datetime(2026, 8, 31, 21, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")))
    assert NOON == clock.now() == clock.now()
    assert NOON + dt.timedelta(hours=1) == clock.advance(dt.timedelta(hours=1))
    assert NOON + dt.timedelta(hours=1) == clock.now()
    assert NOON + dt.timedelta(hours=1) == clock.advance(dt.timedelta(0))
    assert NOON == clock.set(NOON)
    assert dt.UTC is clock.now().tzinfo


def test_fixed_clock_refuses_nonsense() -> None:
    """Backwards only by setting it, and never to a naive time."""
    clock = FixedClock(NOON)
    with pytest.raises(InvalidInputError) as error:
        clock.advance(-MICROSECOND)
    assert ("negative-duration", "by") == refused(error)
    with pytest.raises(InvalidInputError) as error:
        clock.set(NAIVE)
    assert ("naive-time", "at") == refused(error)
    with pytest.raises(InvalidInputError) as error:
        FixedClock(NAIVE)
    assert ("naive-time", "start") == refused(error)
    assert NOON == clock.now()


# --- instants --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-12, -3.5, 0, 5.75, 9, 14])
def test_instants_keep_their_instant(hours: float) -> None:
    """TIM-01: 23:30+09:00 is 14:30 UTC, whatever the offset."""
    zone = dt.timezone(dt.timedelta(hours=hours))
    at = dt.datetime(2026, 8, 31, 23, 30, tzinfo=zone)
    assert at == utc(at, "at")
    assert dt.timedelta(0) == utc(at, "at").utcoffset()


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (NAIVE, "naive-time"),
        (dt.date(2026, 8, 31), "not-a-time"),
        ("2026-08-31T23:30+09:00", "not-a-time"),
        (None, "not-a-time"),
        (dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=9))), "time-out-of-range"),
        (dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-9))), "time-out-of-range"),
    ],
)
def test_what_is_no_instant_is_refused(at: dt.datetime, code: str) -> None:
    """TIM-01: a naive time is not taken for UTC; the error names the field."""
    with pytest.raises(InvalidInputError) as error:
        utc(at, "pay_by")
    assert (code, "pay_by") == refused(error)


@given(st.datetimes(timezones=st.timezones(), min_value=YEAR_1900, max_value=YEAR_2200))
def test_utc_is_the_same_instant_and_stays(at: dt.datetime) -> None:
    """Also in the hour that happens twice."""
    instant = utc(at, "at")
    assert at.timestamp() == instant.timestamp()
    assert instant == utc(instant, "at")
    assert dt.UTC is instant.tzinfo


# --- days ------------------------------------------------------------------------------------------------------------


def at(text: str) -> dt.datetime:
    """An instant from its ISO form."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("date", "zone", "start", "end"),
    [
        ("2026-08-31", "Asia/Tokyo", "2026-08-31T00:00+09:00", "2026-09-01T00:00+09:00"),
        ("2026-08-31", "America/New_York", "2026-08-31T00:00-04:00", "2026-09-01T00:00-04:00"),
        ("2026-03-08", "America/New_York", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00"),  # 23 hours
        ("2026-11-01", "America/New_York", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"),  # 25 hours
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"),  # no midnight
        ("2018-02-17", "America/Sao_Paulo", "2018-02-17T00:00-02:00", "2018-02-18T00:00-03:00"),  # 23:30 twice
        ("2011-12-30", "Pacific/Apia", "2011-12-31T00:00+14:00", "2011-12-31T00:00+14:00"),  # left out
    ],
)
def test_day_lasts_from_midnight_to_midnight_there(date: str, zone: str, start: str, end: str) -> None:
    """Whatever the clocks do that night."""
    assert (at(start), at(end)) == day_bounds(dt.date.fromisoformat(date), zone)


@given(st.dates(dt.date(1970, 1, 1), dt.date(2100, 1, 1)), st.sampled_from(ZONES))
def test_days_follow_each_other_without_gap(date: dt.date, zone: str) -> None:
    """A day ends when the next one starts, and every instant of it has that date there."""
    start, end = day_bounds(date, zone)
    assert end == day_bounds(date + dt.timedelta(days=1), zone)[0]
    for instant in (start, end - MICROSECOND):
        assert start == end or date == instant.astimezone(zone_of(zone)).date()


@pytest.mark.parametrize(
    ("date", "zone", "code"),
    [
        (NOON, "Asia/Tokyo", "not-a-date"),
        ("2026-08-31", "Asia/Tokyo", "not-a-date"),
        (dt.date(2026, 8, 31), "Asia/Edo", "unknown-zone"),
        (dt.date(2026, 8, 31), "../etc/passwd", "unknown-zone"),
        (dt.date(2026, 8, 31), "", "unknown-zone"),
        (dt.date(2026, 8, 31), "Asia", "unknown-zone"),
        (dt.date.max, "Asia/Tokyo", "time-out-of-range"),
        (dt.date.min, "Asia/Tokyo", "time-out-of-range"),
    ],
)
def test_what_is_no_day_is_refused(date: dt.date, zone: str, code: str) -> None:
    """A date with a time of day, an unknown zone, the end of the calendar."""
    with pytest.raises(InvalidInputError) as error:
        day_bounds(date, zone)
    assert code == refused(error)[0]


# --- windows ---------------------------------------------------------------------------------------------------------


def test_window_covers_its_start_and_not_its_end() -> None:
    """Two that follow each other neither overlap nor leave a gap."""
    window = Window(NOON, NOON + dt.timedelta(hours=1))
    assert not window.covers(NOON - MICROSECOND)
    assert window.covers(NOON)
    assert window.covers(NOON + dt.timedelta(hours=1) - MICROSECOND)
    assert not window.covers(NOON + dt.timedelta(hours=1))


def test_window_may_be_open() -> None:
    """On either side, or both."""
    assert Window().covers(NOON)
    assert Window(start=NOON).covers(NOON + dt.timedelta(days=10_000))
    assert not Window(start=NOON).covers(NOON - MICROSECOND)
    assert Window(end=NOON).covers(NOON - dt.timedelta(days=10_000))
    assert not Window(end=NOON).covers(NOON)


def test_window_is_of_aware_instants_in_order() -> None:
    """An empty or reversed one is a mistake; equal spans in different zones are equal."""
    with pytest.raises(InvalidInputError) as error:
        Window(NAIVE, None)
    assert ("naive-time", "window") == refused(error)
    for end in (NOON, NOON - MICROSECOND):
        with pytest.raises(InvalidInputError) as error:
            Window(NOON, end)
        assert ("window-reversed", "window") == refused(error)
    with pytest.raises(InvalidInputError) as error:
        Window().covers(NAIVE)
    assert ("naive-time", "at") == refused(error)
    tokyo = NOON.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert Window(NOON) == Window(tokyo)
    assert Window(NOON) == attrs.evolve(Window(tokyo))
    assert 1 == len({Window(NOON), Window(tokyo)})


@pytest.mark.parametrize(
    ("zone", "offset"), [("Asia/Tokyo", "+09:00"), ("America/New_York", "-04:00"), ("Pacific/Kiritimati", "+14:00")]
)
def test_until_31_august_means_to_the_last_microsecond(zone: str, offset: str) -> None:
    """PRM-11: valid at 23:59:59.999999 local time, over at midnight."""
    window = Window.until_day(zone, dt.date(2026, 8, 1), dt.date(2026, 8, 31))
    assert not window.covers(at(f"2026-07-31T23:59:59.999999{offset}"))
    assert window.covers(at(f"2026-08-01T00:00:00{offset}"))
    assert window.covers(at(f"2026-08-31T23:59:59.999999{offset}"))
    assert not window.covers(at(f"2026-09-01T00:00:00{offset}"))


def test_until_day_may_be_open_and_one_day() -> None:
    """No first day, no last day, or both the same."""
    assert Window() == Window.until_day("Asia/Tokyo", None, None)
    assert Window(end=at("2026-09-01T00:00+09:00")) == Window.until_day("Asia/Tokyo", None, dt.date(2026, 8, 31))
    one = Window.until_day("Asia/Tokyo", dt.date(2026, 8, 31), dt.date(2026, 8, 31))
    assert Window(at("2026-08-31T00:00+09:00"), at("2026-09-01T00:00+09:00")) == one
    with pytest.raises(InvalidInputError) as error:
        Window.until_day("Asia/Tokyo", dt.date(2026, 9, 1), dt.date(2026, 8, 31))
    assert ("window-reversed", "window") == refused(error)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_zone_of_the_server_changes_nothing(zone: str) -> None:
    """PRM-11: computed in a process whose own zone is another."""
    code = (
        "import datetime as dt; from eckit.kernel.clock import Window, SystemClock;"
        "print(Window.until_day('Asia/Tokyo', None, dt.date(2026, 8, 31)).end.isoformat(), SystemClock().now().tzinfo)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True
    )
    assert "2026-08-31T15:00:00+00:00 UTC" == printed.stdout.strip()
