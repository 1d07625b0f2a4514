"""Time: where "now" comes from, and spans of it. Instants are aware and UTC; a day is a day of some zone.

A span is half-open: it covers its start and not its end, so that two that follow each other neither overlap nor leave
a gap.
"""

import datetime as dt
import threading
import zoneinfo
from typing import Protocol, Self, TypeAlias

import attrs

from eckit.kernel.errors import invalid

Zone: TypeAlias = zoneinfo.ZoneInfo | str
"""A time zone, or its IANA name: ``Asia/Tokyo``."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""
        return dt.datetime.now(dt.UTC)


class FixedClock:
    """A clock that stands still until it is moved: for tests, and to compute as of an instant. Threads may share it."""

    def __init__(self, start: dt.datetime) -> None:
        """Start at an aware instant.

        :raises InvalidInputError: as :func:`utc`.
        """
        self._lock = threading.Lock()
        self._now = utc(start, "start")

    def now(self) -> dt.datetime:
        """The instant it stands at, aware, in UTC."""
        return self._now

    def advance(self, by: dt.timedelta) -> dt.datetime:
        """Move on and return the new instant.

        :raises InvalidInputError: ``negative-duration``; to go back, :meth:`set` the instant.
        """
        if by < dt.timedelta(0):
            raise invalid("negative-duration", "by", by, limit=0)
        with self._lock:
            self._now += by
            return self._now

    def set(self, at: dt.datetime) -> dt.datetime:
        """Stand at another instant, earlier or later, and return it.

        :raises InvalidInputError: as :func:`utc`.
        """
        with self._lock:
            self._now = utc(at, "at")
            return self._now


def utc(at: dt.datetime, path: str) -> dt.datetime:
    """The same instant in UTC.

    :raises InvalidInputError: ``naive-time`` without a zone (23:30 where?), ``not-a-time``, ``time-out-of-range``.
    """
    if not isinstance(at, dt.datetime):
        raise invalid("not-a-time", path, at)
    if at.utcoffset() is None:
        raise invalid("naive-time", path, at.isoformat())
    try:
        return at.astimezone(dt.UTC)
    except OverflowError as error:
        raise invalid("time-out-of-range", path, at.isoformat()) from error


def zone_of(zone: Zone, path: str = "zone") -> zoneinfo.ZoneInfo:
    """The time zone of a name.

    :raises InvalidInputError: ``unknown-zone``.
    """
    if isinstance(zone, zoneinfo.ZoneInfo):
        return zone
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:  # a name such as "../x" or a folder's
        raise invalid("unknown-zone", path, zone, suggestion="Asia/Tokyo") from error


def day_bounds(date: dt.date, zone: Zone) -> tuple[dt.datetime, dt.datetime]:
    """The instants a local day lasts from and to, in UTC; 23, 24 or 25 hours apart.

    Where the clocks skip midnight the day starts when the skip ends; a day that a zone left out lasts no time at all.

    :raises InvalidInputError: ``unknown-zone``, ``not-a-date``, ``time-out-of-range``.
    """
    if isinstance(date, dt.datetime):  # a date to Python, but it would bring its hours along
        raise invalid("not-a-date", "date", date)
    if not isinstance(date, dt.date):
        raise invalid("not-a-date", "date", date)
    known = zone_of(zone)
    try:
        return _midnight(date, known), _midnight(date + dt.timedelta(days=1), known)
    except OverflowError as error:
        raise invalid("time-out-of-range", "date", date) from error


def _midnight(date: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(date, dt.time.min, tzinfo=zone).astimezone(dt.UTC)


def _instant(at: dt.datetime | None) -> dt.datetime | None:
    return None if at is None else utc(at, "window")


@attrs.frozen
class Window:
    """A span of time, half-open: ``start <= at < end``. ``None`` leaves that side open.

    :raises InvalidInputError: ``naive-time``; ``window-reversed`` when the end is not after the start.
    """

    start: dt.datetime | None = attrs.field(default=None, converter=_instant)
    end: dt.datetime | None = attrs.field(default=None, converter=_instant)

    def __attrs_post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise invalid("window-reversed", "window", self.end.isoformat(), limit=self.start.isoformat())

    @classmethod
    def until_day(cls, zone: Zone, first: dt.date | None, last: dt.date | None) -> Self:
        """From the first instant of the first local day to the last microsecond of the last one.

        "Until 31 August" thus holds at 23:59:59.999999 local time on the 31st and no longer at midnight.

        :raises InvalidInputError: as :func:`day_bounds`, and ``window-reversed``.
        """
        start = None if first is None else day_bounds(first, zone)[0]
        end = None if last is None else day_bounds(last, zone)[1]
        return cls(start, end)

    def covers(self, at: dt.datetime) -> bool:
        """Whether an instant is in the window.

        :raises InvalidInputError: as :func:`utc`.
        """
        instant = utc(at, "at")
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)
