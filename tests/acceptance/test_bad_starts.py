"""A plugin that cannot be used is found when the shop starts, or when it is asked for what it brings: it is named, core
rows stay as they were, and the shop works without it.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import sqlalchemy as sa

from eckit import PluginError, Text, hookimpl
from eckit.customer import Permission
from eckit.kernel.facets import FacetSpec
from eckit.kernel.hookspecs import Kind
from eckit.kernel.host_hooks import Command, MigrationBranch, Page
from eckit.kernel.plugins import Limits
from eckit.kernel.tables import plugin_metadata
from eckit.messages.model import Template
from eckit.payment.model import Capabilities
from tests.acceptance.faulty import MUTATES, OVERRUNS, RAISES, WRONG, Told
from tests.acceptance.faulty_hooks import FAMILIES
from tests.acceptance.faulty_things import Things
from tests.acceptance.lab import INLINE_S, Lab
from tests.acceptance.starting import opened, refused, sells_without
from tests.payment.fakes import FakeGateway

TABLES: Final = plugin_metadata()
sa.Table("unmigrated_thing", TABLES, sa.Column("id", sa.String(40), primary_key=True))


@attrs.frozen
class Gift:
    """A facet."""

    message: str = ""


@attrs.define(eq=False)
class Registering:
    """A plugin that registers something, by one hook."""

    name: str
    version: str = "1"
    eckit_interface: Mapping[str, int] = attrs.field(factory=lambda: dict.fromkeys(FAMILIES, 1))


def registering(hook: str, good: Any, told: Told, *, name: str = "faulty", given: bool = True) -> Registering:
    """That plugin.

    :param given: whether the hook is given the plugin's settings.
    """

    def with_settings(self: Any, settings: Any) -> Any:
        return told.go(hook, good, settings)

    def without(self: Any) -> Any:
        return told.go(hook, good)

    made = with_settings if given else without
    made.__name__ = made.__qualname__ = hook
    kind = type("Registers", (Registering,), {hook: hookimpl(made)})
    plugin: Registering = kind(name)
    return plugin


def _goods(lab: Lab) -> dict[str, Any]:
    """Hook → something good to register by it."""
    things = Things(Told(), lab.trial.clock)
    return {
        "register_facets": (FacetSpec(kind=Gift, namespace="faulty", on="order", needed_for=frozenset({"order"})),),
        "register_importers": (things.importer,),
        "register_permissions": (Permission(code="faulty.do"),),
        "register_password_schemes": (things.scheme,),
        "register_channels": ("mall.faulty",),
        "register_rate_sources": (things.rates,),
        "register_tax_engines": (things.engine,),
        "register_payment_gateways": (things.gateway,),
        "register_carriers": (things.carrier,),
        "register_templates": (Template(kind="faulty", locale="en", subject="", text="", html=""),),
        "register_transports": (things.transport,),
        "register_promotion_conditions": (things.condition,),
        "register_promotion_actions": (things.action,),
        "register_settings": Gift,
        "register_tables": (TABLES,),
        "register_migrations": MigrationBranch(label="faulty", package="faulty", directory=Path("/nowhere")),
        "register_commands": (Command(name="run", run=print),),
        "register_pages": (Page(path="x", title=Text.of("X"), permission="x", render=dict),),
    }


AT_START: Final = (
    "register_facets",
    "register_importers",
    "register_permissions",
    "register_password_schemes",
    "register_channels",
    "register_rate_sources",
    "register_tax_engines",
    "register_payment_gateways",
    "register_carriers",
    "register_templates",
    "register_transports",
    "register_promotion_conditions",
    "register_promotion_actions",
)
REGISTERING: Final = (RAISES, OVERRUNS, WRONG, MUTATES)
"""There is nothing to write into: these hooks are given the plugin's own settings, or nothing."""
OF_THE_HOST: Final = ("register_settings", "register_tables")
LATER: Final = ("register_migrations", "register_commands", "register_pages")
"""Asked when somebody wants them: the commands that migrate, that plugins bring, and web adapters."""


def test_every_hook_that_registers_has_a_case(lab: Lab) -> None:
    """A hook that is added later is added here too."""
    expected = {name for name, spec in lab.shop.plugins.specs.items() if spec.kind is Kind.REGISTER}
    assert expected == {*AT_START, *OF_THE_HOST, *LATER}
    assert expected == set(_goods(lab))


@pytest.mark.parametrize("fault", REGISTERING)
@pytest.mark.parametrize("hook", [*AT_START, *OF_THE_HOST])
def test_a_plugin_that_cannot_register_is_found_at_start(lab: Lab, hook: str, fault: str) -> None:
    """PLG-05: strict: the shop does not start and says which plugin; tolerant: it starts without it.

    One that only takes long is no reason not to start; there is nothing to change in what it is given.
    """
    told = Told(slow_s=2 * INLINE_S)
    plugin = registering(hook, _goods(lab)[hook], told, given=hook in AT_START)
    before = lab.rows()
    told.to(fault, hook)

    if fault == OVERRUNS or (fault == MUTATES and hook in OF_THE_HOST):
        opened(lab, plugin).close()
        assert before == lab.rows()
    else:
        said = refused(lab, plugin)
        assert "faulty" in said
        assert "shadow" not in said
        assert before == lab.rows()
        if fault == RAISES:
            sells_without(lab, plugin)
    assert told.wrong > 0
    assert [] == told.soft
    told.behave()
    shop = opened(lab, plugin)
    assert "faulty" in shop.plugins.infos
    shop.close()


@pytest.mark.parametrize("hook", [*AT_START, "register_tables"])
def test_a_code_that_is_taken_is_found_at_start(lab: Lab, hook: str) -> None:
    """PLG-05: two plugins claim one code: both are named, whichever comes first, and neither is used."""
    good, told = _goods(lab)[hook], Told()
    first = registering(hook, good, told, name="faulty", given=hook in AT_START)
    second = registering(hook, good, told, name="faulty2", given=hook in AT_START)
    before = lab.rows()
    told.to("", hook)

    for plugins in ((first, second), (second, first)):
        said = refused(lab, *plugins)
        assert "faulty2" in said
        assert "faulty" in said.replace("faulty2", "")
    assert told.wrong >= 4
    assert before == lab.rows()
    sells_without(lab, first, second)


@pytest.mark.parametrize("fault", [RAISES, OVERRUNS, WRONG])
@pytest.mark.parametrize("hook", LATER)
def test_what_is_asked_for_later_names_the_plugin_too(lab: Lab, hook: str, fault: str) -> None:
    """Migrations, commands and pages: whoever asks is told which plugin failed; asked again, it answers."""
    told = Told(slow_s=2 * INLINE_S)
    shop = opened(lab, registering(hook, _goods(lab)[hook], told, given=False))
    shop.plugins.limits = Limits(inline_s=INLINE_S)
    before, ask = lab.rows(), getattr(shop.plugins.call, hook)
    told.to(fault, hook)

    if fault != OVERRUNS:
        with pytest.raises(PluginError) as caught:
            ask()
        assert ("faulty", hook) == (caught.value.plugin, caught.value.hook)
    else:
        assert "faulty" in {one.plugin for one in ask().given}
        assert 1 == shop.plugins.tracks["faulty", hook].overruns
    assert told.wrong == 1
    told.behave()
    assert "faulty" in {one.plugin for one in ask().given}
    assert before == lab.rows()
    shop.close()


# -- what is registered is not what it should be ----------------------------------------------------------------------


class Codeless:
    """A rate source whose code cannot be read, or is no text."""

    def __init__(self, code: Any) -> None:
        self._code = code

    @property
    def code(self) -> Any:
        """Raises, if it is an error."""
        if isinstance(self._code, Exception):
            raise self._code
        return self._code

    def rate(self, base: str, quote: str, at: dt.datetime) -> None:
        """Never asked."""


@pytest.mark.parametrize("code", [3.14, None, "", ["x"], OSError("/etc/shadow")], ids=repr)
def test_a_thing_without_a_code_is_found_at_start(lab: Lab, code: Any) -> None:
    """What is no text cannot be stored, sorted or looked up."""
    plugin = registering("register_rate_sources", (Codeless(code),), Told())
    before = lab.rows()
    said = refused(lab, plugin)
    assert "faulty" in said
    assert "shadow" not in said
    assert before == lab.rows()
    sells_without(lab, plugin)


class Declaring(FakeGateway):
    """A gateway that declares what it is told to, and may check its settings."""

    def __init__(self, lab: Lab, told: Told) -> None:
        super().__init__(lab.trial.clock)
        self.told = told

    def capabilities(self) -> Any:
        """The fake's."""
        return self.told.go("Gateway.capabilities", self.declared)

    def check_config(self) -> Any:
        """Nothing wrong."""
        return self.told.go("ChecksConfig.check_config", ())


@pytest.mark.parametrize("fault", [RAISES, OVERRUNS, WRONG])
@pytest.mark.parametrize("where", ["Gateway.capabilities", "ChecksConfig.check_config"])
def test_a_gateway_that_cannot_say_what_it_can_do_is_found_at_start(lab: Lab, where: str, fault: str) -> None:
    """Gateway, ChecksConfig: asked once, when the shop starts; they are given nothing that could be changed."""
    told = Told(slow_s=2 * INLINE_S)
    plugin = registering("register_payment_gateways", (Declaring(lab, told),), Told())
    before = lab.rows()
    told.to(fault, where)

    if fault in (RAISES, WRONG):
        said = refused(lab, plugin)
        assert "faulty" in said
        assert "shadow" not in said
        assert before == lab.rows()
        sells_without(lab, plugin)
    else:
        opened(lab, plugin).close()
    assert told.wrong > 0
    told.behave()
    opened(lab, plugin).close()


@pytest.mark.parametrize(
    "declared",
    [
        Capabilities(currencies={"JPY": 5}),  # type: ignore[dict-item]
        Capabilities(currencies={"JPY": ("1", 2)}),  # type: ignore[dict-item]
        Capabilities(currencies={"XYZ": (1, 2)}),
        Capabilities(currencies={"JPY": (1, 2)}, timeout_s="long"),  # type: ignore[arg-type]
    ],
    ids=["no pair", "text", "no currency", "no number"],
)
def test_a_gateway_that_declares_nonsense_is_found_at_start(lab: Lab, declared: Capabilities) -> None:
    """Whatever a declaration is made of, the gateway's plugin is named."""
    gateway = Declaring(lab, Told())
    gateway.declared = declared
    before = lab.rows()
    assert "faulty" in refused(lab, registering("register_payment_gateways", (gateway,), Told()))
    assert before == lab.rows()
