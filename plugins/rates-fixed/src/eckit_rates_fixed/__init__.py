"""Exchange rates that a shop fixes by itself, in its settings.

::

    [plugins.rates-fixed]
    rates = { "EUR/JPY" = "161.50", "USD/JPY" = "149" }
    since = "2026-01-01T00:00:00+09:00"

A rate is for the pair as written; the other direction is its inverse, unless that is written too.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import attrs

from eckit import Rate, RateSource, hookimpl, invalid
from eckit.kernel.clock import utc
from eckit.kernel.money import exponent


@attrs.frozen(kw_only=True)
class RatesFixedSettings:
    """``rates``: pair → whole units of the second for one of the first. ``since``: when they came into force."""

    rates: Mapping[str, Decimal] = attrs.field(factory=dict)
    since: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

    def __attrs_post_init__(self) -> None:
        utc(self.since, "since")
        for pair, rate in self.rates.items():
            base, slash, quote = pair.partition("/")
            if not slash or base == quote:
                raise invalid("unknown-code", "rates", pair, limit="EUR/JPY")
            exponent(base)
            exponent(quote)
            if not rate.is_finite() or rate <= 0:
                raise invalid("negative", f"rates.{pair}", rate)


@attrs.frozen
class FixedRates:
    """The settings' rates as a source."""

    settings: RatesFixedSettings
    code: str = "rates-fixed"

    def rate(self, base: str, quote: str, at: dt.datetime) -> Rate | None:
        """The fixed rate of the pair or the inverse of the other direction's; None before ``since``."""
        if at < self.settings.since:
            return None
        found = self.settings.rates.get(f"{base}/{quote}")
        inverse = self.settings.rates.get(f"{quote}/{base}")
        if found is None and inverse:
            found = 1 / inverse
        if found is None:
            return None
        return Rate(base=base, quote=quote, rate=found, source=self.code, at=self.settings.since)


class RatesFixed:
    """Plugin ``rates-fixed``."""

    name = "rates-fixed"
    version = "0.1.0"
    eckit_interface: Final = {"currency": 1, "host": 1}

    @hookimpl
    def register_settings(self) -> type:
        """The settings class."""
        return RatesFixedSettings

    @hookimpl
    def register_rate_sources(self, settings: RatesFixedSettings | None) -> tuple[RateSource, ...]:
        """One source; without settings it knows nothing."""
        return (FixedRates(settings or RatesFixedSettings()),)


plugin = RatesFixed()
