"""What tax asks of plugins."""

from typing import Any

from eckit.channel.model import Market
from eckit.customer.model import TaxPlace
from eckit.kernel.errors import Objection
from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.plugins import Plugins
from eckit.tax.model import TaxEngine


@hookspec()
def register_tax_engines(settings: Any) -> tuple[TaxEngine, ...]:  # type: ignore[empty-body]
    """Give the tax engines of this plugin, once at start.

    :param settings: the plugin's own settings, or None.

    Example::

        @hookimpl
        def register_tax_engines(settings):
            return (FlatRate(),)
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_tax_engine(market: Market, place: TaxPlace) -> str | None:
    """Name the engine for goods that go to a place, or None to leave it to others and to the market's setting.

    :param market: the market that is sold in.
    :param place: where the goods go, as far as it is known.
    :return: the code of a registered engine.

    Example::

        @hookimpl
        def choose_tax_engine(market, place):
            return "us-remote" if place.country == "US" else None
    """


@hookspec(failure=CLOSED)
def check_tax_id(scheme: str, number: str) -> tuple[Objection, ...]:  # type: ignore[empty-body]
    """Object to a buyer's tax number that cannot be right; offline, by its form.

    Asked for each number of the buyer when an order is placed, which an objection prevents, and by
    ``work.tax.check_tax_id`` while somebody fills in a form.

    :param scheme: what kind of number it is, for example ``vat``.
    :param number: as given.

    Example::

        @hookimpl
        def check_tax_id(scheme, number):
            return () if scheme != "vat" or number[:2].isalpha() else (Objection(code="vat-without-country"),)
    """


def ask_engine(plugins: Plugins, market: Market, place: TaxPlace) -> str | None:
    """The engine a plugin chooses, or None."""
    answer: str | None = next(iter(plugins.call.choose_tax_engine(market=market, place=place)), None)
    return answer


def ask_tax_id(plugins: Plugins, scheme: str, number: str) -> tuple[Objection, ...]:
    """All objections to a tax number."""
    answers = plugins.call.check_tax_id(scheme=scheme, number=number)
    return tuple(objection for given in answers for objection in given)
