"""What currency asks plugins."""

from typing import Any

from eckit.currency.model import RateSource
from eckit.kernel.hookspecs import CLOSED, hookspec


@hookspec()
def register_rate_sources(settings: Any) -> tuple[RateSource, ...]:  # type: ignore[empty-body]
    """Register sources of dated exchange rates.

    :param settings: the plugin's own settings.
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_price_rounding(amount_minor: int, currency: str, market: str) -> int | None:
    """Round a converted list price to a charm price of the market (1,013 → 1,000; 9.73 → 9.90).

    :param amount_minor: the converted price in minor units of ``currency``.
    :param market: the market's code.
    :return: the price to use in minor units, not negative; None leaves it as it is.
    """
