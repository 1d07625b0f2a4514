"""Fixed rates: as written, the inverse where only the other direction is written, unknown otherwise."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

import eckit_rates_fixed
from eckit import CompositionError, RateUnavailableError
from eckit.currency import rules, service as currency
from eckit.kernel.money import Rounding
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin

GIVEN = {"rates": {"EUR/JPY": "161.50", "USD/JPY": "149", "JPY/USD": "0.0067"}, "since": "2026-01-01T00:00:00+09:00"}


def _begin(url: str, given: Any = None) -> Begin:
    return make_begin(url, plugins=[eckit_rates_fixed.plugin], settings={"rates-fixed": given or GIVEN})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_pair_has_its_rate_and_the_other_direction_the_inverse(migrated_url: str) -> None:
    """Written both ways, both count; evidence names the source and since when."""
    begin = _begin(migrated_url)
    rate = currency.ask(begin, "EUR", "JPY", START)
    assert (Decimal("161.50"), "rates-fixed") == (rate.rate, rate.source)
    assert dt.datetime(2025, 12, 31, 15, tzinfo=dt.UTC) == rate.at
    assert 1615 == rules.convert(1000, rate, Rounding.HALF_UP)
    assert 1000 == rules.convert(1615, currency.ask(begin, "JPY", "EUR", START), Rounding.HALF_UP)
    assert Decimal("0.0067") == currency.ask(begin, "JPY", "USD", START).rate


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_not_written_is_unknown(migrated_url: str) -> None:
    """Neither by way of yen, nor before its time, nor as 1."""
    begin = _begin(migrated_url)
    for base, quote, at in (
        ("EUR", "USD", START),
        ("GBP", "JPY", START),
        ("EUR", "JPY", dt.datetime(2025, 12, 31, tzinfo=dt.UTC)),
    ):
        with pytest.raises(RateUnavailableError):
            currency.ask(begin, base, quote, at)
    with pytest.raises(RateUnavailableError):
        currency.ask(make_begin(migrated_url, plugins=[eckit_rates_fixed.plugin]), "EUR", "JPY", START)


def test_a_rate_is_kept_as_evidence_on_both_databases(migrated_url: str) -> None:
    """What was asked can be stored and is the same when read, all 28 digits of an inverse."""
    from eckit import Actor

    begin = _begin(migrated_url)
    rate = currency.ask(begin, "JPY", "EUR", START)
    with begin.write(Actor.system("test")) as work:
        currency.keep(work, rate)
    with begin.read(Actor.guest()) as work:
        assert rate == currency.stored(work, "JPY", "EUR", START)


@pytest.mark.parametrize(
    "given",
    [
        {"rates": {"EURJPY": "161"}},
        {"rates": {"EUR/EUR": "1"}},
        {"rates": {"EUR/YEN": "161"}},
        {"rates": {"EUR/JPY": "0"}},
        {"rates": {"EUR/JPY": "-161"}},
        {"rates": {"EUR/JPY": "NaN"}},
        {"rates": {"EUR/JPY": 161.5}},
        {"since": "2026-01-01T00:00:00"},
        {"rate": {}},
    ],
    ids=str,
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_settings_that_cannot_be_stop_the_start(migrated_url: str, given: dict[str, Any]) -> None:
    """A misspelt pair is found when the shop starts, not at the first order."""
    with pytest.raises(CompositionError):
        _begin(migrated_url, given)
