"""Asking tax engines: whatever goes wrong ends the pricing by name; silence is not zero."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from eckit.channel.model import Market
from eckit.customer.model import TaxPlace
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import PluginError, RefusedError, invalid
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.plugins import Plugins
from eckit.kernel.text import Text
from eckit.tax import service
from eckit.tax.errors import TaxUnavailableError
from eckit.tax.model import Taxable, TaxLine, TaxRequest

AT = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
PLACE = TaxPlace(country="JP")
REQUEST = TaxRequest(
    currency="JPY",
    prices_include_tax=True,
    seller_country="JP",
    at=AT,
    items=(Taxable(key="k", tax_class="standard", amount_minor=110, quantity_steps=1, place=PLACE),),
)
LINE = TaxLine(key="k", code="jp", rate=Decimal("0.10"), label=Text.of("Tax"))


@attrs.define
class Engine:
    """An engine that does as it is told and counts."""

    code: str = "flat"
    said: Callable[[Any, TaxRequest], Any] = lambda facts, request: (LINE,)
    loaded: Callable[[], Any] = lambda: None
    loads: int = 0
    answers: int = 0

    def load(self, own: Any, at: dt.datetime) -> Any:
        self.loads += 1
        return self.loaded()

    def answer(self, facts: Any, request: TaxRequest) -> Any:
        self.answers += 1
        return self.said(facts, request)


@attrs.define
class TaxPlugin:
    """A plugin with engines, and a choice of one if told."""

    engines: tuple[Engine, ...]
    name: str = "tax-flat"
    version: str = "1.0.0"
    chosen: str | None = None
    eckit_interface = {"tax": 1}  # noqa: RUF012

    @hookimpl
    def register_tax_engines(self) -> tuple[Any, ...]:
        return self.engines

    @hookimpl
    def choose_tax_engine(self, market: Market, place: TaxPlace) -> str | None:
        return self.chosen


@pytest.fixture
def composed() -> Iterator[Callable[..., Plugins]]:
    made: list[Plugins] = []

    def compose(*plugins: TaxPlugin) -> Plugins:
        made.append(compose_plugins(service.SPECS, plugins, order=[plugin.name for plugin in plugins]))
        service.collect(made[-1])
        return made[-1]

    yield compose
    for plugins in made:
        plugins.close()


def market(engine: str | None = None) -> Market:
    return Market(
        id="mkt_1",  # type: ignore[arg-type]
        code="jp",
        countries=frozenset({"JP"}),
        currency="JPY",
        prices_include_tax=True,
        tax_engine=engine,
    )


def ask(plugins: Plugins, stamp: int = 1) -> tuple[TaxLine, ...]:
    return service.ask(plugins, "flat", None, stamp, REQUEST)


def test_engine_answers_and_its_tables_are_read_once_per_version(composed: Callable[..., Plugins]) -> None:
    """What an engine loads is kept until the stamp of its plugin moves."""
    engine = Engine()
    plugins = composed(TaxPlugin((engine,)))
    assert (LINE,) == ask(plugins)
    assert (LINE,) == ask(plugins)
    assert (1, 2) == (engine.loads, engine.answers)
    ask(plugins, stamp=2)
    assert 2 == engine.loads


class NoRateError(RefusedError):
    code = "no-rate"

    def text(self, locale: str = "en") -> str:
        return "There is no rate for wine."


def broken(*_: Any) -> Any:
    raise ValueError("remote is down")


def refused(*_: Any) -> Any:
    raise NoRateError


WRONG: dict[str, Callable[[Any, TaxRequest], Any]] = {
    "raises": broken,
    "refuses": refused,
    "None": lambda facts, request: None,
    "empty": lambda facts, request: (),
    "a list": lambda facts, request: [LINE],
    "another type": lambda facts, request: ("10 %",),
    "an awaitable nobody awaits": lambda facts, request: iter((LINE,)),
}


@pytest.mark.parametrize("how", WRONG)
def test_no_believable_answer_ends_the_pricing(how: str, composed: Callable[..., Plugins]) -> None:
    """PLG-03: an engine that raises, answers nothing or nonsense makes tax unavailable and is named; never zero."""
    plugins = composed(TaxPlugin((Engine(said=WRONG[how]),)))
    with pytest.raises(TaxUnavailableError) as caught:
        ask(plugins)
    assert ("flat", "tax-flat") == (caught.value.engine, caught.value.plugin)
    assert isinstance(caught.value, PluginError)


def test_reason_of_a_refusal_reaches_the_shop(composed: Callable[..., Plugins]) -> None:
    """What the engine says about itself is in the error's text, in both languages."""
    plugins = composed(TaxPlugin((Engine(said=refused),)))
    with pytest.raises(TaxUnavailableError) as caught:
        ask(plugins)
    for locale in ("en", "ja"):
        assert "There is no rate for wine." in caught.value.text(locale)


def test_refusal_is_said_in_the_language_of_the_rest(composed: Callable[..., Plugins]) -> None:
    """What the engine refused with is no English sentence in a Japanese one, nor is an engine that is gone."""

    def refuse(*_: Any) -> Any:
        raise invalid("wrong-country", "country", "J", limit="ISO 3166-1")

    with pytest.raises(TaxUnavailableError) as caught:
        ask(composed(TaxPlugin((Engine(said=refuse),))))
    with pytest.raises(TaxUnavailableError) as gone:
        service.ask(composed(), "remote", None, 1, REQUEST)

    assert "is no country code" in caught.value.text("en")
    assert "is no country code" in caught.value.reason
    refusal = caught.value.refusal
    assert refusal is not None
    assert refusal.text("ja") in caught.value.text("ja")
    assert "is no country code" not in caught.value.text("ja")
    assert "税計算エンジン remote を登録しているプラグインがありません。" in gone.value.text("ja")


def test_engine_that_cannot_load_its_tables_is_unavailable(composed: Callable[..., Plugins]) -> None:
    """A failed load is not cached as an answer: the next pricing tries again."""
    engine = Engine(loaded=broken)
    plugins = composed(TaxPlugin((engine,)))
    for _ in range(2):
        with pytest.raises(TaxUnavailableError):
            ask(plugins)
    assert (2, 0) == (engine.loads, engine.answers)


def test_engine_whose_plugin_is_gone_is_unavailable(composed: Callable[..., Plugins]) -> None:
    """A market that names an engine nobody registers prices nothing."""
    plugins = composed(TaxPlugin((Engine(),)))
    with pytest.raises(TaxUnavailableError) as caught:
        service.engine_for(plugins, market("remote"), PLACE)
    assert "remote" == caught.value.engine
    with pytest.raises(TaxUnavailableError):
        service.ask(plugins, "remote", None, 1, REQUEST)


def test_engine_is_chosen_by_a_plugin_then_the_market_then_by_being_alone(composed: Callable[..., Plugins]) -> None:
    """Whoever knows the place best goes first; with several engines somebody has to choose."""
    two = (Engine("flat"), Engine("other"))
    assert "other" == service.engine_for(composed(TaxPlugin(two, chosen="other")), market("flat"), PLACE).code
    assert "flat" == service.engine_for(composed(TaxPlugin(two)), market("flat"), PLACE).code
    assert "flat" == service.engine_for(composed(TaxPlugin((Engine(),))), market(), PLACE).code
    with pytest.raises(TaxUnavailableError) as caught:
        service.engine_for(composed(TaxPlugin(two)), market(), PLACE)
    assert "flat, other" in caught.value.reason
    with pytest.raises(TaxUnavailableError):
        service.engine_for(composed(), market(), PLACE)


def test_two_plugins_cannot_claim_one_engine(composed: Callable[..., Plugins]) -> None:
    """Starting fails and names both."""
    with pytest.raises(PluginError) as caught:
        composed(TaxPlugin((Engine(),), name="a"), TaxPlugin((Engine(),), name="b"))
    assert "a, b" == caught.value.plugin
