"""A broken or slow plugin cannot hurt: it is named, core rows stay as they were, and the next call works."""

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import attrs
import pytest
import sqlalchemy as sa
from moneyed import Money

from eckit import (
    Adjustment,
    CarrierSpec,
    CompositionError,
    Fare,
    FeeRule,
    Matched,
    PluginError,
    ServiceSpec,
    TaxLine,
    Text,
    from_minor,
    hookimpl,
    mint,
)
from eckit.customer import Permission
from eckit.kernel.host_hooks import Command
from eckit.kernel.tables import plugin_metadata
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.trial import STAFF, Trial, filled

FAULTS: Final = ("raises", "overruns", "wrong type", "mutates")
_SLOW_S: Final = 0.35


@attrs.define
class Faulty:
    """Base of plugins that go wrong when told to; well-behaved otherwise."""

    fault: str = ""
    name: str = "faulty"
    version: str = "1"
    calls: int = 0
    eckit_interface: dict[str, int] = attrs.field(factory=dict)

    def go(self, good: Any, *facts: Any) -> Any:
        """The good answer, or what goes wrong."""
        self.calls += 1
        if self.fault == "raises":
            raise ZeroDivisionError("a secret of the machine: /etc/shadow")
        if self.fault == "overruns":
            time.sleep(_SLOW_S)
        if self.fault == "wrong type":
            return 3.14
        if self.fault == "mutates":
            for fact in facts:
                fact.lines = ()
        return good


@attrs.define
class Proposing(Faulty):
    """``propose_adjustments``."""

    @hookimpl
    def propose_adjustments(self, draft: Any) -> Any:
        """One yen off."""
        return self.go((Adjustment(code="club", label="Club", amount=Money(-1, "JPY")),), draft)


@attrs.define
class Checking(Faulty):
    """``check_order``."""

    @hookimpl
    def check_order(self, quote: Any, actor: Any) -> Any:
        """Nothing against it."""
        return self.go((), quote, actor)


@attrs.define
class Choosing(Faulty):
    """``choose_order_number``."""

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> Any:
        """Ours."""
        return self.go(f"F-{n}", at)


@attrs.define
class Changing(Faulty):
    """``propose_shipping_changes``."""

    @hookimpl
    def propose_shipping_changes(self, request: Any, offers: Any) -> Any:
        """None."""
        return self.go((), request)


@attrs.define
class Paying(Faulty):
    """``check_payment_method`` and ``propose_payment_fees``."""

    @hookimpl
    def propose_payment_fees(self, draft: Any, method: Any) -> Any:
        """No fee."""
        rules: tuple[FeeRule, ...] = ()
        return self.go(rules, draft)


@attrs.define
class Hearing(Faulty):
    """``order_placed``."""

    @hookimpl
    def order_placed(self, event: Any) -> Any:
        """Heard."""
        return self.go(None, event)


@attrs.define
class Carrying(Faulty):
    """A carrier: ``QuotesFares``."""

    code: str = "faulty"
    spec: Any = CarrierSpec(label=Text.of("F"), services=(ServiceSpec(code="s", label=Text.of("S")),))

    @hookimpl
    def register_carriers(self) -> Any:
        """Itself."""
        return (self,)

    def check(self, request: Any) -> Any:
        """Nothing wrong."""
        return ()

    def load(self, own: Any, at: Any) -> Any:
        """No tables."""

    def quote(self, facts: Any, request: Any) -> Any:
        """500 yen."""
        return self.go(
            (Fare(service="s", label=Text.of("S"), total=from_minor(500, "JPY"), tax_included=True),), request
        )


@attrs.define
class Taxing(Faulty):
    """A tax engine, chosen for every place."""

    code: str = "faulty-tax"

    @hookimpl
    def register_tax_engines(self) -> Any:
        """Itself."""
        return (self,)

    @hookimpl
    def choose_tax_engine(self, market: Any, place: Any) -> str:
        """Itself."""
        return self.code

    def load(self, own: Any, at: Any) -> Any:
        """No tables."""

    def answer(self, facts: Any, request: Any) -> Any:
        """Ten percent on all."""
        label = Text.of("T")
        good = tuple(TaxLine(key=it.key, code="t", rate=Decimal("0.10"), label=label) for it in request.items)
        return self.go(good, request)


@attrs.define
class Conditioning(Faulty):
    """A promotion condition."""

    code: str = "faulty-condition"
    settings: type = attrs.make_class("NoSettings", [])

    @hookimpl
    def register_promotion_conditions(self) -> Any:
        """Itself."""
        return (self,)

    def keys(self, rule: Any) -> tuple[str, ...]:
        """Any cart."""
        return ("cart",)

    def judge(self, draft: Any, rules: Any) -> Any:
        """Never met."""
        return self.go([Matched(met=False) for _ in rules], draft)


@attrs.define
class Acting(Faulty):
    """A promotion action."""

    code: str = "faulty-action"
    settings: type = attrs.make_class("NoSettingsEither", [])
    phase: int = 20

    @hookimpl
    def register_promotion_actions(self) -> Any:
        """Itself."""
        return (self,)

    def propose(self, draft: Any, rules: Any) -> Any:
        """Nothing."""
        return self.go([() for _ in rules], draft)


CLOSED: Final[tuple[tuple[type[Faulty], dict[str, int]], ...]] = (
    (Proposing, {"promotion": 1}),
    (Checking, {"order": 1}),
    (Choosing, {"order": 1}),
    (Changing, {"shipping": 1}),
    (Taxing, {"tax": 1}),
    (Conditioning, {"promotion": 1}),
    (Acting, {"promotion": 1}),
)
DROPPED: Final[tuple[tuple[type[Faulty], dict[str, int]], ...]] = (
    (Carrying, {"shipping": 1}),
    (Paying, {"payment": 1}),
)


def _rule(trial: Trial, plugin: Faulty) -> None:
    """Promotions are asked only if there is one of their kind."""
    from eckit import Promotion, RuleRef

    condition = RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"})
    action = RuleRef(code="percent_off", settings={"percent": "1"})
    if isinstance(plugin, Conditioning):
        condition = RuleRef(code=plugin.code)
    elif isinstance(plugin, Acting):
        action = RuleRef(code=plugin.code)
    else:
        return
    with trial.shop.write(STAFF) as work:
        work.promotion.save(
            Promotion(id=mint("promotion"), code="F", title=Text.of("F"), condition=condition, action=action)
        )


def _rows(trial: Trial) -> dict[str, str]:
    with trial.shop.database.reading() as connection:
        return fingerprint(connection)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("kind", "interface"), CLOSED, ids=lambda it: getattr(it, "__name__", ""))
def test_what_makes_an_amount_fails_closed(
    begun: Callable[..., Trial], kind: type[Faulty], interface: dict[str, int], fault: str
) -> None:
    """PLG-03, MNY-19: the operation fails and names the plugin, or is only measured if late; the next call works."""
    plugin = kind(eckit_interface=interface)
    trial = begun(plugins=[plugin])
    trial.goods("TEA-50", 648, 5)
    _rule(trial, plugin)
    ready = trial.cart(("TEA-50", 1))
    before = _rows(trial)
    plugin.fault = fault

    if fault == "overruns":
        ready.placed()
        assert 1 <= sum(track.overruns for (name, _), track in trial.shop.plugins.tracks.items() if name == "faulty")
    elif fault == "mutates" and kind is Choosing:
        with pytest.raises(PluginError):
            ready.placed()
    else:
        with pytest.raises(PluginError) as caught:
            ready.placed()
        assert "faulty" in str(caught.value.facts())
        assert "shadow" not in caught.value.text("en") + caught.value.text("ja")
        assert before == _rows(trial)

    plugin.fault = ""
    _, order = trial.order(("TEA-50", 1))
    assert order.number
    assert plugin.calls > 0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("kind", "interface"), DROPPED, ids=lambda it: getattr(it, "__name__", ""))
def test_what_is_only_offered_is_left_out(
    begun: Callable[..., Trial], kind: type[Faulty], interface: dict[str, int], fault: str
) -> None:
    """PLG-09: carriers and methods that fail are left out with a failure record; the others are offered."""
    plugin = kind(eckit_interface=interface)
    trial = begun(plugins=[plugin])
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    before = _rows(trial)
    plugin.fault = fault

    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)

    if fault == "overruns":
        assert 1 <= sum(track.overruns for (name, _), track in trial.shop.plugins.tracks.items() if name == "faulty")
    else:
        assert {"faulty"} == {failure.plugin for failure in quote.failures}
    assert "flat.standard" in {option.option for group in quote.groups for option in group.options}
    assert before == _rows(trial)
    plugin.fault = ""
    assert () == trial.shop.price_cart(ready.buyer, ready.cart.id).failures


@pytest.mark.parametrize("fault", FAULTS)
def test_who_only_listens_changes_nothing(begun: Callable[..., Trial], fault: str) -> None:
    """PLG-01: an observer that fails is retried later; the order is placed, and the others hear of it."""
    bad = Hearing(eckit_interface={"order": 1})
    good = Hearing(name="attentive", eckit_interface={"order": 1})
    trial = begun(plugins=[bad, good])
    trial.goods("TEA-50", 648, 5)
    bad.fault = fault
    _, order = trial.order(("TEA-50", 1))

    trial.shop.relay_events()

    assert order.number
    assert 1 == good.calls
    assert 1 == bad.calls
    bad.fault = ""
    trial.pass_time(dt.timedelta(minutes=5))
    trial.shop.relay_events()
    assert (2 if fault in ("raises", "mutates") else 1) == bad.calls  # late or talkative is not failed
    assert 1 == good.calls


# -- plugins that must not even start ---------------------------------------------------------------------------------


class Claims:
    """Claims the carrier code of another plugin."""

    name = "claims"
    version = "1"
    eckit_interface: Final = {"shipping": 1}

    @hookimpl
    def register_carriers(self) -> tuple[Any, ...]:
        """The code ``flat`` is taken."""
        return (Carrying(code="flat"),)


class Old:
    """Made for an interface of long ago."""

    name = "old"
    version = "1"
    eckit_interface: Final = {"order": 0}

    @hookimpl
    def order_placed(self, event: Any) -> None:
        """Never called."""


class Undeclared:
    """Says nothing about what it was made for."""

    name = "undeclared"
    version = "1"

    @hookimpl
    def order_placed(self, event: Any) -> None:
        """Never called."""


class Misspelt:
    """Implements a hook that does not exist."""

    name = "misspelt"
    version = "1"
    eckit_interface: Final = {"order": 1}

    @hookimpl
    def order_plaecd(self, event: Any) -> None:
        """Never called."""


class Strange:
    """Asks for an argument that the hook does not have."""

    name = "strange"
    version = "1"
    eckit_interface: Final = {"order": 1}

    @hookimpl
    def order_placed(self, event: Any, moon: Any) -> None:
        """Never called."""


class RegistersNonsense:
    """Registers what is no permission."""

    name = "nonsense"
    version = "1"
    eckit_interface: Final = {"customer": 1}

    @hookimpl
    def register_permissions(self) -> Any:
        """A number."""
        return (7,)


class RaisesAtStart:
    """Cannot register."""

    name = "raises"
    version = "1"
    eckit_interface: Final = {"customer": 1}

    @hookimpl
    def register_permissions(self) -> tuple[Permission, ...]:
        """Fails."""
        raise OSError("no such file")


class CommandsNonsense:
    """Brings commands that are none."""

    name = "commands"
    version = "1"
    eckit_interface: Final = {"host": 1}

    @hookimpl
    def register_commands(self) -> Any:
        """Text, and a command."""
        return ("ls", Command(name="x", run=print))


@pytest.mark.parametrize(
    "plugin",
    [Claims(), Old(), Undeclared(), Misspelt(), Strange(), RegistersNonsense(), RaisesAtStart()],
    ids=lambda it: type(it).__name__,
)
def test_a_plugin_that_does_not_fit_is_found_at_start(begun: Callable[..., Trial], plugin: Any) -> None:
    """PLG-05: strict: the shop does not start and says which plugin and why; tolerant: it starts without it."""
    from tests.acceptance.trial import open_shop

    trial = begun()
    before = _rows(trial)

    with pytest.raises((CompositionError, PluginError)) as caught:
        open_shop(trial.place, plugins=[plugin])
    assert plugin.name in str(caught.value.text("en")) + str(caught.value.facts())

    tolerant = open_shop(trial.place, plugins=[plugin], strict=False)
    try:
        assert plugin.name not in tolerant.plugins.infos
        assert plugin.name in tolerant.plugins.disabled
        if not isinstance(plugin, Claims):  # nobody can say whose the code is, so the carrier it had is left out too
            trial.goods("TEA-50", 648, 5)
            assert filled(tolerant, [("TEA-50", 1)]).placed()[1].number
    finally:
        tolerant.close()
    assert isinstance(plugin, Claims) == (before == _rows(trial))


_metadata = plugin_metadata()
sa.Table("unmigrated_thing", _metadata, sa.Column("id", sa.String(40), primary_key=True))


class Unmigrated:
    """Its table was never made."""

    name = "unmigrated"
    version = "1"
    eckit_interface: Final = {"host": 1}

    @hookimpl
    def register_tables(self) -> tuple[sa.MetaData, ...]:
        """One table."""
        return (_metadata,)


def test_an_unapplied_migration_is_found_at_start(begun: Callable[..., Trial]) -> None:
    """A plugin whose tables are missing is named, with the command that makes them; nothing is written."""
    from tests.acceptance.trial import open_shop

    trial = begun()
    before = _rows(trial)
    shop = open_shop(trial.place, plugins=[Unmigrated()])
    try:
        with pytest.raises(CompositionError) as caught:
            shop.check()
    finally:
        shop.close()

    assert ["unmigrated"] == [problem.path for problem in caught.value.problems]
    assert "eckit db upgrade" in caught.value.text("ja")
    assert before == _rows(trial)
