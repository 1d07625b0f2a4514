"""Exchange rates are asked before they are needed, and kept; pricing converts by what was kept and asks nobody."""

import datetime as dt

import attrs

from eckit.catalog import service as catalog
from eckit.channel import service as channels
from eckit.currency import RateUnavailableError, service as currency
from eckit.currency.model import Rate
from eckit.kernel import answers
from eckit.kernel.actors import Actor
from eckit.kernel.errors import PluginError, invalid
from eckit.kernel.plugins import ConversationTimeoutError, FailureRecord
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin, Work

_SYSTEM = Actor.system("keep_rates")
_ENGINE = "currency.rates"


@attrs.frozen(kw_only=True)
class RatesReport:
    """What became of the pairs that were asked for.

    :ivar kept: rates that are new.
    :ivar unknown: pairs that no source knows, ``EUR/JPY``: what would have to be converted by them has no price.
    :ivar failures: sources that failed; the rates kept before count on.
    """

    kept: tuple[Rate, ...] = ()
    unknown: tuple[str, ...] = ()
    failures: tuple[FailureRecord, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.kept or self.unknown or self.failures)


def keep_rates(begin: Begin, *, every: dt.timedelta = dt.timedelta(minutes=15)) -> RatesReport:
    """Ask the sources for the rate of each price list's currency in each market's, and keep what they say.

    Of several sources, the first by code that knows a pair counts. What is kept never changes; a rate that a source
    restates counts from now on. May use the network.

    :param every: a pair is asked for no more often than this, by whichever worker.
    :raises InvalidInputError: ``every`` is below nothing.
    :raises WorkOpenError: a transaction is open here.
    """
    if every < dt.timedelta(0):
        raise invalid("negative", "every", every)
    if not begin.plugins.things(currency.SOURCES):
        return RatesReport()
    kept: list[Rate] = []
    unknown: list[str] = []
    failures: list[FailureRecord] = []
    for base, quote in _due(begin, every):
        try:
            kept += _kept(begin, currency.ask(begin, base, quote, begin.clock.now()))
        except RateUnavailableError:
            unknown.append(f"{base}/{quote}")
        except PluginError as error:
            failures.append(FailureRecord(plugin=error.plugin, hook=error.hook, reason=error.reason))
        except ConversationTimeoutError as error:
            failures.append(FailureRecord(plugin=error.plugin, hook=error.what, reason=error.code))
    return RatesReport(kept=tuple(kept), unknown=tuple(unknown), failures=tuple(failures))


@again_if_moved
def _due(begin: Begin, every: dt.timedelta) -> list[tuple[str, str]]:
    """The pairs to ask for now; nobody else does meanwhile."""
    with begin.read(_SYSTEM) as work:
        pairs = _pairs(work)
    if not pairs:
        return []
    with begin.write(_SYSTEM) as work:
        return [pair for pair in pairs if answers.reserve(work, _ENGINE, list(pair), lease=every)]


def _pairs(work: Work) -> list[tuple[str, str]]:
    """Each currency that has a price list, in each that has a market."""
    quotes = {market.currency for market in channels.setup(work).markets.values()}
    bases = {price_list.currency for price_list in catalog.price_lists(work)}
    return sorted((base, quote) for base in bases for quote in quotes if base != quote)


@again_if_moved
def _kept(begin: Begin, rate: Rate) -> list[Rate]:
    with begin.write(_SYSTEM) as work:
        found = currency.renew(work, rate)
    return [] if found is None else [found]
