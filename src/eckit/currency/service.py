"""Verbs of currency."""

import datetime as dt
from collections.abc import Iterable

import attrs

from eckit.currency import hooks, rules, store
from eckit.currency.errors import RateUnavailableError
from eckit.currency.model import Rate
from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.errors import InvalidInputError, PluginError
from eckit.kernel.hookspecs import declared
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.work import Begin, Work

SPECS = declared(hooks, "currency")
MANAGE = "currency.write"
SOURCES = "currency.rate_sources"
STAMP = "rates"


def collect(plugins: Plugins) -> None:
    """Ask once for rate sources."""
    plugins.collect("register_rate_sources", SOURCES, code=lambda source: source.code)


def keep(work: Work, rate: Rate) -> Rate:
    """Keep a rate as evidence: what is kept never changes. Needs ``currency.write``.

    :raises InvalidInputError: it cannot be a rate.
    """
    work.actor.require(MANAGE)
    rate = rules.accepted(rate)
    store.put(work, rate)
    work.bump(STAMP)
    work.did("currency.keep", Ref("rate", f"{rate.base}-{rate.quote}-{rate.source}"))
    return rate


def renew(work: Work, rate: Rate) -> Rate | None:
    """Keep a rate as the one that counts from now on; what was kept, or None if it counts already.

    Where an earlier rate would win over it, because the source restates the same instant, it is kept as of now: what
    was priced before keeps its rate. Needs ``currency.write``.

    :raises InvalidInputError: it cannot be a rate.
    """
    work.actor.require(MANAGE)
    rate = rules.accepted(rate)
    held = store.latest(work, rate.base, rate.quote, work.now)
    if held is not None:
        if attrs.evolve(held, at=rate.at) == rate:
            return None
        if rate.at <= held.at:
            rate = attrs.evolve(rate, at=work.now)
    return keep(work, rate)


def in_force(work: Work, bases: Iterable[str], quote: str, at: dt.datetime) -> dict[str, Rate]:
    """The kept rates in force at an instant of those currencies that have one; a statement for each of them."""
    found = {base: store.latest(work, base, quote, at) for base in sorted(bases)}
    return {base: rate for base, rate in found.items() if rate is not None}


def rounded(plugins: Plugins, amounts_minor: tuple[int, ...], currency: str, market: str) -> dict[int, int]:
    """What converted prices become in a market, each by itself; nobody is asked about none.

    :raises PluginError: the plugin that rounds failed, or answered no prices.
    """
    return hooks.ask_rounding(plugins, amounts_minor, currency, market) if amounts_minor else {}


def stored(work: Work, base: str, quote: str, at: dt.datetime) -> Rate:
    """The youngest kept rate in force at an instant.

    :raises InvalidInputError: no currency.
    :raises RateUnavailableError: none is.
    """
    rules.known(base, "base")
    rules.known(quote, "quote")
    return rules.in_force(store.latest(work, base, quote, at), base, quote, at)


def ask(begin: Begin, base: str, quote: str, at: dt.datetime) -> Rate:
    """The rate in force, from the first source that knows it, in the order of their codes; may use the network.

    :raises RateUnavailableError: no source knows one.
    :raises WorkOpenError: a transaction is open here.
    :raises PluginError: the source failed, or said what cannot be a rate; silence is not 1.
    """
    for entry in begin.plugins.things(SOURCES):
        rate = begin.converse(entry.plugin, "rate", entry.thing.rate, base, quote, at)
        if not isinstance(rate, Rate | None):
            raise PluginError(plugin=entry.plugin, hook="rate", reason=f"answered {type(rate).__name__}")
        if rate is not None:
            return rules.in_force(_believed(entry.plugin, rate), base, quote, at)
    raise RateUnavailableError(base=base, quote=quote)


def _believed(plugin: str, rate: Rate) -> Rate:
    try:
        return rules.accepted(rate)
    except InvalidInputError as error:
        raise PluginError(plugin=plugin, hook="rate", reason=error.text("en")) from error


class Desk(desk.Desk):
    """``work.currency``."""

    keep = verb(keep)
    stored = verb(stored)
