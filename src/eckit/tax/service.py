"""Tax's verbs: which engine is asked, and asking it. No tables of its own: engines bring theirs."""

from typing import Any, Final

from eckit.channel.model import Market
from eckit.customer.model import TaxPlace
from eckit.kernel import desk
from eckit.kernel.errors import Objection, PluginError, RefusedError, invalid
from eckit.kernel.hookspecs import declared
from eckit.kernel.plugins import Plugins, Registered
from eckit.kernel.work import Work
from eckit.tax import hooks, rules
from eckit.tax.errors import TaxUnavailableError
from eckit.tax.model import TaxEngine, TaxLine, TaxRequest

__all__ = ["SPECS", "Desk", "ask", "check_tax_id", "collect", "engine_for"]

SPECS = declared(hooks, "tax")
ENGINES: Final = "tax.engines"


def collect(plugins: Plugins) -> None:
    """Ask every plugin for its engines, once at start.

    :raises PluginError: two plugins claim one code.
    """
    plugins.collect("register_tax_engines", ENGINES, code=lambda engine: engine.code)


def engine_for(plugins: Plugins, market: Market, place: TaxPlace) -> Registered[TaxEngine]:
    """The engine for a place: the one a plugin chooses, else the market's, else the only one there is.

    :raises TaxUnavailableError: there is none, or the one named is not registered (its plugin may be gone).
    """
    code = hooks.ask_engine(plugins, market, place) or market.tax_engine
    if code is None:
        engines = plugins.things(ENGINES)
        if len(engines) == 1:
            return engines[0]
        known = ", ".join(engine.code for engine in engines) or "none"
        raise _refused(invalid("no-tax-engine", "market.tax_engine", market.code, limit=known))
    found = plugins.thing(ENGINES, code)
    if found is None:
        raise _gone(code)
    return found


def ask(plugins: Plugins, engine_code: str, own: Any, stamp: int, request: TaxRequest) -> tuple[TaxLine, ...]:
    """The rates of a request: one TaxLine for each item, in its order, every number checked.

    :param own: the plugin's tables, for reading; used only when what it knows of them is older than the stamp.
    :param stamp: version of the engine's plugin's tables, ``plugin:<name>``.
    :raises TaxUnavailableError: the engine is missing, failed, refused, or gave an answer that cannot be believed.
        Nothing of such an answer is used.
    """
    found = plugins.thing(ENGINES, engine_code)
    if found is None:
        raise _gone(engine_code)
    engine: TaxEngine = found.thing
    plugin = found.plugin

    def load() -> Any:
        return plugins.guarded(plugin, "tax.load", engine.load, own, request.at)

    try:
        facts = plugins.cached(plugin, f"tax:{engine_code}", stamp, load)
        lines: Any = plugins.guarded(plugin, "tax.answer", engine.answer, facts, request)
    except PluginError as error:
        if isinstance(error.__cause__, RefusedError):
            raise _refused(error.__cause__, engine=engine_code, plugin=plugin, hook=error.hook) from error
        raise TaxUnavailableError(engine=engine_code, plugin=plugin, hook=error.hook, reason=error.reason) from error
    if not isinstance(lines, tuple) or not all(isinstance(line, TaxLine) for line in lines):
        raise TaxUnavailableError(
            engine=engine_code, plugin=plugin, hook="tax.answer", reason=f"answered {type(lines).__name__}"
        )
    return rules.checked(request, lines, engine=engine_code, plugin=plugin)


def _gone(engine_code: str) -> TaxUnavailableError:
    return _refused(invalid("unknown-tax-engine", "market.tax_engine", engine_code), engine=engine_code)


def _refused(refusal: RefusedError, **where: str) -> TaxUnavailableError:
    return TaxUnavailableError(reason=refusal.text("en"), refusal=refusal, **where)


def check_tax_id(work: Work, scheme: str, number: str) -> tuple[Objection, ...]:
    """What plugins object to a buyer's tax number; empty if nothing."""
    return hooks.ask_tax_id(work.plugins, scheme, number)


class Desk(desk.Desk):
    """``work.tax``."""

    check_tax_id = desk.verb(check_tax_id)
