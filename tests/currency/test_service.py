"""Rates as evidence: what is kept never changes, what is unknown is refused, no source is asked with a lock held."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import attrs
import pytest

from eckit.currency import Rate, RateUnavailableError, service as currency
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.errors import InvalidInputError, NotAllowedError, PluginError
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.work import Begin, WorkOpenError
from eckit.testing.begin import START, make_begin

STAFF = Actor.staff("ito", "currency.write")
DAY = dt.timedelta(days=1)


def _rate(rate: str = "161.50", at: dt.datetime = START, **others: object) -> Rate:
    values: dict[str, object] = {"base": "EUR", "quote": "JPY", "source": "test"}
    return Rate(rate=Decimal(rate), at=at, **{**values, **others})  # type: ignore[arg-type]


@pytest.fixture
def begin(migrated_url: str) -> Begin:
    """On both databases."""
    return make_begin(migrated_url, clock=FixedClock(START))


def _keep(begin: Begin, *rates: Rate) -> None:
    with begin.write(STAFF) as work:
        for rate in rates:
            currency.keep(work, rate)


def _stored(begin: Begin, at: dt.datetime) -> Rate:
    with begin.read(Actor.guest()) as work:
        return currency.stored(work, "EUR", "JPY", at)


def test_the_youngest_rate_in_force_counts(begin: Begin) -> None:
    """Each instant has its rate, however many were kept since; past its end there is none."""
    first, second = _rate("161.50"), _rate("170.123456789012345678", START + DAY, valid_until=START + 2 * DAY)
    _keep(begin, second, first)

    found = [_stored(begin, START + days * DAY) for days in (0, 1, 2)]
    assert [first, second, first] == found
    with pytest.raises(RateUnavailableError) as caught:
        _stored(begin, START - DAY)
    assert ("EUR", "JPY") == (caught.value.base, caught.value.quote)


def test_what_is_kept_never_changes(begin: Begin) -> None:
    """The same source and instant again is no correction: the evidence of placed orders stays."""
    _keep(begin, _rate("161.50"))
    _keep(begin, _rate("999"))
    assert Decimal("161.50") == _stored(begin, START).rate


def test_keeping_needs_the_permission_and_a_rate(begin: Begin) -> None:
    """Nobody but who may keeps a rate; nothing that cannot be one is kept."""
    with pytest.raises(NotAllowedError), begin.write(Actor.guest()) as work:
        currency.keep(work, _rate())
    with pytest.raises(InvalidInputError):
        _keep(begin, _rate("0"))
    with pytest.raises(RateUnavailableError):
        _stored(begin, START)


@attrs.frozen
class Source:
    """A plugin with one source that answers what it is told."""

    code: str
    rates: Mapping[str, Rate | Exception | None]

    @property
    def name(self) -> str:
        return f"rates-{self.code}"

    version = "1"
    eckit_interface = {"currency": 1}  # noqa: RUF012 - read only

    @hookimpl
    def register_rate_sources(self) -> tuple["Source", ...]:
        return (self,)

    def rate(self, base: str, quote: str, at: dt.datetime) -> Rate | None:
        answer = self.rates.get(f"{base}/{quote}")
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_first_source_that_knows_is_believed(migrated_url: str) -> None:
    """In the order of their codes; silence goes on to the next, and to nobody: unknown is never 1."""
    begin = make_begin(
        migrated_url,
        plugins=[Source("b", {"EUR/JPY": _rate("2"), "USD/JPY": None}), Source("a", {"EUR/JPY": None})],
    )
    assert Decimal(2) == currency.ask(begin, "EUR", "JPY", START).rate
    with pytest.raises(RateUnavailableError):
        currency.ask(begin, "USD", "JPY", START)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ConnectionError("down"), PluginError),
        (_rate("-1"), PluginError),
        (_rate(base="USD"), RateUnavailableError),
        (_rate(at=START + DAY), RateUnavailableError),
    ],
    ids=["down", "negative", "another pair", "of tomorrow"],
)
def test_a_source_that_fails_or_lies_gives_no_rate(migrated_url: str, answer: object, error: type[Exception]) -> None:
    """CLOSED: the amount it would make is not made."""
    begin = make_begin(migrated_url, plugins=[Source("a", {"EUR/JPY": answer}), Source("b", {"EUR/JPY": _rate()})])  # type: ignore[dict-item]
    with pytest.raises(error):
        currency.ask(begin, "EUR", "JPY", START)


def test_no_source_is_asked_with_a_transaction_open(migrated_url: str) -> None:
    """It may use the network: no lock is held across that."""
    begin = make_begin(migrated_url, plugins=[Source("a", {"EUR/JPY": _rate()})])
    with begin.read(STAFF), pytest.raises(WorkOpenError):
        currency.ask(begin, "EUR", "JPY", START)
