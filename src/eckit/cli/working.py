"""The worker: everything that happens after somebody's request, again and again until it is stopped."""

import datetime as dt
import signal
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Final

import attrs

from eckit.cli.printing import say
from eckit.kernel.errors import EckitError
from eckit.kernel.leases import holding
from eckit.kernel.texts import say as text_of
from eckit.shop import Shop

ELSEWHERE: Final = "another worker has it"
_LEASE = dt.timedelta(minutes=10)
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)
_JOBS = ("relay_events", "send_mails", "apply_notices", "chase", "lapse_orders", "expire_holds", "keep_rates", "purge")


def round_of(shop: Shop) -> dict[str, object]:
    """Do once what is due; what each job reports. A job that fails does not keep the others from running.

    Jobs that change many rows run on one machine at a time, by a lease that ends by itself.
    """
    reports: dict[str, object] = {}
    for name in _JOBS:
        try:
            with holding(shop.begin, f"job:{name}", _LEASE) as mine:
                reports[name] = getattr(shop, name)() if mine else ELSEWHERE
        except EckitError as error:
            reports[name] = error
    return reports


def run(shop: Shop, *, once: bool, every_s: int, locale: str = "en") -> bool:
    """Work until a signal asks to stop; the round in hand is finished first. Whether a job of the last round failed."""
    with asked_to_stop() as stops:
        while True:
            reports = round_of(shop)
            for name, report in reports.items():
                if sentence := told(name, report, locale):
                    say(sentence, "red" if isinstance(report, EckitError) else None)
            if once or is_told(stops, every_s):
                return any(isinstance(report, EckitError) for report in reports.values())


@contextmanager
def asked_to_stop() -> Iterator[SimpleQueue[int]]:
    """The signals that ask to stop, as they come.

    A queue and no event: a signal comes in the middle of anything, and who is interrupted while waiting for an event
    holds the lock that setting it would wait for.
    """
    stops: SimpleQueue[int] = SimpleQueue()
    before = {number: signal.signal(number, lambda *came: stops.put(came[0])) for number in _STOPPING}
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_told(stops: SimpleQueue[int], within_s: float) -> bool:
    """Wait for a signal that asks to stop; whether one came."""
    try:
        stops.get(timeout=within_s)
    except Empty:
        return False
    return True


def told(name: str, report: object, locale: str) -> str:
    """What a job did, in a sentence; empty if there was nothing to do."""
    job = text_of(f"work.{name}", locale)
    if isinstance(report, EckitError):
        return text_of("work.failed", locale, job=job, why=report.text(locale))
    if report == ELSEWHERE:
        return text_of("work.elsewhere", locale, job=job)
    did = {what: count for what, count in counts(report).items() if count}
    parts = [text_of(f"work.{name}.{what}", locale, count=count) for what, count in did.items()]
    return text_of("work.did", locale, job=job, what=text_of("work.and", locale).join(parts)) if parts else ""


def counts(report: Any) -> Mapping[str, int]:
    """The numbers of a report: what it names, or how many there are of the one thing it is about."""
    if attrs.has(type(report)):
        found = {field.name: getattr(report, field.name) for field in attrs.fields(type(report))}
    else:
        found = {"done": report}
    return {name: len(value) if isinstance(value, Sized) else int(value or 0) for name, value in found.items()}
