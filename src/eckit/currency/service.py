"""Verbs of currency."""

import datetime as dt

from eckit.currency import hooks, rules, store
from eckit.currency.errors import RateUnavailableError
from eckit.currency.model import Rate
from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.errors import PluginError
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


def stored(work: Work, base: str, quote: str, at: dt.datetime) -> Rate:
    """The youngest kept rate in force at an instant.

    :raises RateUnavailableError: none is.
    """
    return rules.in_force(store.latest(work, base, quote, at), base, quote, at)


def ask(begin: Begin, base: str, quote: str, at: dt.datetime) -> Rate:
    """The rate in force, from the first source that knows it, in the order of their codes; may use the network.

    :raises RateUnavailableError: no source knows one.
    :raises WorkOpenError: a transaction is open here.
    :raises PluginError: the source failed; silence is not 1.
    """
    for entry in begin.plugins.things(SOURCES):
        rate = begin.converse(entry.plugin, "rate", entry.thing.rate, base, quote, at)
        if not isinstance(rate, Rate | None):
            raise PluginError(plugin=entry.plugin, hook="rate", reason=f"answered {type(rate).__name__}")
        if rate is not None:
            return rules.in_force(rules.accepted(rate), base, quote, at)
    raise RateUnavailableError(base=base, quote=quote)


class Desk(desk.Desk):
    """``work.currency``."""

    keep = verb(keep)
    stored = verb(stored)
