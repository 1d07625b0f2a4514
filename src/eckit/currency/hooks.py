"""What currency asks plugins."""

from typing import Any

from eckit.currency.model import RateSource
from eckit.kernel.errors import PluginError
from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.money import checked_minor
from eckit.kernel.plugins import Plugins


@hookspec()
def register_rate_sources(settings: Any) -> tuple[RateSource, ...]:  # type: ignore[empty-body]
    """Register sources of dated exchange rates.

    Collected once at start. The sources are asked by ``shop.keep_rates()``, which the worker runs, with no transaction
    open; pricing converts by the rates that were kept, and never asks a source.

    :param settings: the plugin's own settings.
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_price_rounding(amounts_minor: tuple[int, ...], currency: str, market: str) -> tuple[int, ...] | None:
    """Round converted list prices to charm prices of the market (1,013 → 1,000; 9.73 → 9.90).

    Asked at most once while a cart is priced, for the prices that are converted because the market's currency has none;
    never for a price that stands on a list of the market's currency.

    :param amounts_minor: converted prices of whole units, in minor units of ``currency``; each once.
    :param market: the market's code.
    :return: the prices to use instead, in the same order, each above zero; None leaves them as they are.

    Example::

        @hookimpl
        def choose_price_rounding(amounts_minor, currency, market):
            if currency != "JPY":
                return None
            return tuple(max(100, amount // 100 * 100) for amount in amounts_minor)
    """


def ask_rounding(plugins: Plugins, amounts_minor: tuple[int, ...], currency: str, market: str) -> dict[int, int]:
    """Each converted price with what a plugin makes of it, or as it is.

    :raises PluginError: it answered what cannot be these prices; nothing becomes free by rounding.
    """
    answers = plugins.call.choose_price_rounding(amounts_minor=amounts_minor, currency=currency, market=market)
    for answer in answers.given:
        rounded: tuple[int, ...] = answer.value
        if len(rounded) != len(amounts_minor) or min(rounded, default=1) <= 0:
            reason = f"made {rounded} of the prices {amounts_minor}"
            raise PluginError(plugin=answer.plugin, hook="choose_price_rounding", reason=reason)
        return {amount: checked_minor(one, "price") for amount, one in zip(amounts_minor, rounded, strict=True)}
    return {amount: amount for amount in amounts_minor}
