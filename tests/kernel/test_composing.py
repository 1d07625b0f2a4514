"""Composing: what would go wrong at the first order is found at the start, and named."""

import importlib.metadata
import sys
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import DatabaseSettings
from eckit.kernel.errors import CompositionError, Problem
from eckit.kernel.hookspecs import HookSpec, declared, hookimpl, hookspec
from eckit.kernel.host_hooks import SPECS as HOST
from eckit.kernel.ids import ShopId
from eckit.kernel.plugins import Plugins
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import ShopSettings
from eckit.kernel.tables import plugin_metadata
from tests.kernel.shop import SHOP, notes, plugin

hooks = ModuleType("hooks")


def check_thing(thing: str) -> tuple[str, ...]:
    """Objections."""


def choose_thing(thing: str) -> str | None:
    """One of them."""


def register_things(settings: Any) -> tuple[str, ...]:
    """Things."""


for _function in (check_thing, choose_thing, register_things):
    setattr(hooks, _function.__name__, hookspec()(_function))
SPECS = declared(hooks, "thing", version=2)


def of(name: str, *, interface: Any = None, **functions: Any) -> Any:
    marked = {key: hookimpl(function) for key, function in functions.items()}
    return plugin(name, interface={"thing": 2, "host": 1} if interface is None else interface, **marked)


def problems(*plugins: Any, specs: list[HookSpec] = SPECS, **options: Any) -> list[Problem]:
    """What a strict composition complains of; the tolerant one must find the same."""
    tolerant = compose_plugins(specs, plugins, strict=False, **options)
    if not tolerant.problems:
        compose_plugins(specs, plugins, **options)
        return []
    with pytest.raises(CompositionError) as failed:
        compose_plugins(specs, plugins, **options)
    assert failed.value.problems == tolerant.problems
    assert all(not set(problem.text()) & {"{", "}"} for problem in tolerant.problems)
    return list(tolerant.problems)


def codes(*plugins: Any, **options: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in problems(*plugins, **options)]


well = of("well", check_thing=lambda thing: ())

# --- what fits -------------------------------------------------------------------------------------------------------


def test_a_plugin_is_found_whatever_it_is() -> None:
    """An object or a module; the composition knows its version, hooks and interface."""
    module = ModuleType("some_plugin")
    vars(module).update(
        name="module", version="2.1", eckit_interface={"thing": 2}, check_thing=hookimpl(lambda thing: ())
    )
    plugins = compose_plugins(SPECS, [module, well])
    assert ["module", "well"] == list(plugins.infos)
    info = plugins.infos["module"]
    assert ("2.1", ("check_thing",), {"thing": 2}) == (info.version, info.hooks, info.interface)
    assert () == plugins.problems + plugins.disabled


def test_a_plugin_given_twice_is_one() -> None:
    """PLG-15: the same object by two ways is called once."""
    plugins = compose_plugins(SPECS, [well, well])
    assert 1 == len(plugins.implementations("check_thing"))


def test_two_plugins_of_one_name_are_neither_and_both_are_named() -> None:
    """PLG-15: two instances of one class, or two strangers, are an error that says where each comes from."""
    (problem,) = problems(well, of("same", check_thing=lambda thing: ()), of("same", check_thing=lambda thing: ()))
    assert ("plugin-twice", "plugins.same") == (problem.code, problem.path)
    assert "tests.kernel.shop:Same" in problem.value
    assert "tests.kernel.shop:Same" in problem.limit


@pytest.mark.parametrize("name", [None, "", "Sandbox", "tax_table", "eckit", "x" * 50, 7])
def test_a_plugin_needs_a_proper_name(name: Any) -> None:
    """Names stand in settings, tables and stamps: lower case, digits and hyphens; the core's are the core's."""
    nameless = of("x", check_thing=lambda thing: ())
    type(nameless).name = name
    assert ["not-a-plugin"] == [code for code, _ in codes(nameless)]


def test_a_class_is_not_a_plugin() -> None:
    """Its methods would be called without an object."""
    assert ["not-a-plugin"] == [code for code, _ in codes(type(well))]


def looked_at(attribute: str, raises: Any = lambda: 1 / 0) -> Any:
    """A plugin with an attribute that cannot be read."""
    made = of("bad", check_thing=lambda thing: ())
    setattr(type(made), attribute, property(lambda self: raises()))
    return made


def test_a_plugin_whose_name_cannot_be_read_is_named_by_where_it_is() -> None:
    """It has no other name."""
    (problem,) = problems(well, looked_at("name"))
    assert ("plugin-unreadable", "tests.kernel.shop:Bad") == (problem.code, problem.path)
    assert ["well"] == list(compose_plugins(SPECS, [well, looked_at("name")], strict=False).infos)


# --- what does not fit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "code", "says"),
    [
        (of("bad", check_thng=lambda thing: ()), "unknown-hook", "check_thing"),
        (of("bad", check_thing=lambda thing, price: ()), "hook-arguments", "price"),
        (of("bad", check_thing=lambda thing: (), interface={"other": 1}), "interface-missing", "2"),
        (of("bad", check_thing=lambda thing: (), interface={"thing": 1}), "interface-older", "thing 2"),
        (of("bad", check_thing=lambda thing: (), interface={"thing": 3}), "interface-newer", "thing 2"),
        (of("bad", check_thing=lambda thing: (), interface={"thing": "2"}), "interface-older", "thing 2"),
        (of("bad", check_thing=lambda thing: (), interface="thing"), "interface-missing", "2"),
        (of("bad", register_settings=lambda: 1 / 0), "plugin-hook-failed", "ZeroDivisionError"),
        (of("bad", register_settings=lambda: sys.exit(3)), "plugin-hook-failed", "SystemExit"),
        (of("bad", register_tables=lambda: sys.exit(3)), "plugin-hook-failed", "SystemExit"),
        (looked_at("version"), "plugin-unreadable", "ZeroDivisionError"),
        (looked_at("eckit_interface"), "plugin-unreadable", "ZeroDivisionError"),
        (looked_at("version", sys.exit), "plugin-unreadable", "SystemExit"),
        (of("bad", register_settings=lambda: int), "plugin-hook-failed", "no attrs class"),
        (of("bad", register_tables=lambda: notes), "plugin-hook-failed", "no tuple"),
    ],
)
def test_a_plugin_that_does_not_fit_is_reported_at_the_start(bad: Any, code: str, says: str) -> None:
    """PLG-05: misspelt hook, wrong argument, version older, newer or missing: strict refuses, tolerant goes on."""
    (problem,) = problems(well, bad)
    assert (code, "plugins.bad") == (problem.code, problem.path)
    assert says in problem.text()
    plugins = compose_plugins(SPECS, [well, bad], strict=False)
    assert (["well"], ("bad",)) == (list(plugins.infos), plugins.disabled)
    assert ["well"] == [found.plugin for found in plugins.implementations("check_thing")]


def test_all_problems_are_reported_at_once() -> None:
    """Whoever installs three plugins mends three problems in one go."""
    bad = [of(name, check_thng=lambda thing: ()) for name in ("a", "b", "c")]
    assert ["plugins.a", "plugins.b", "plugins.c"] == [path for _, path in codes(*bad)]


def test_an_optional_hook_may_be_of_another_version() -> None:
    """A plugin may offer hooks that only a later core has, if it says so."""
    later = plugin("later", interface={"thing": 2}, check_later=hookimpl(lambda thing: (), optionalhook=True))
    assert [] == problems(later)


@pytest.mark.parametrize("option", ["tryfirst", "trylast", "wrapper", "hookwrapper"])
def test_nobody_asks_to_be_first_or_around_others(option: str) -> None:
    """Results never depend on load order; a wrapper could drop what others say."""

    def generator(thing: str) -> Iterator[None]:
        yield

    marked = hookimpl(generator if "wrapper" in option else lambda thing: (), **{option: True})  # type: ignore[call-overload]
    assert [("hook-option", "plugins.bad")] == codes(plugin("bad", interface={"thing": 2}, check_thing=marked))


# --- choices ---------------------------------------------------------------------------------------------------------


def chooser(name: str) -> Any:
    return of(name, choose_thing=lambda thing: name)


def default(name: str) -> Any:
    found = chooser(name)
    type(found).__module__ = "eckit.defaults.things"
    return found


def chosen(plugins: Plugins) -> list[str]:
    return [found.plugin for found in plugins.implementations("choose_thing")]


def test_a_choice_nobody_ranked_is_an_error_that_names_all() -> None:
    """PLG-07: installing a plugin never silently replaces another."""
    found = problems(chooser("b"), chooser("a"), well)
    assert [("ambiguous-choice", "plugins.a"), ("ambiguous-choice", "plugins.b")] == [(p.code, p.path) for p in found]
    assert {"a, b"} == {problem.limit for problem in found}
    assert [] == problems(chooser("b"), chooser("a"), order=["a"])


@pytest.mark.parametrize("given", [("a", "b", "usual"), ("usual", "b", "a")])
def test_ranks_come_from_the_settings_and_the_cores_own_come_last(given: tuple[str, ...]) -> None:
    """Same choice irrespective of the order of registration."""
    made = {"a": chooser("a"), "b": chooser("b"), "usual": default("usual")}
    plugins = [made[name] for name in given]
    assert ["b", "a", "usual"] == chosen(compose_plugins(SPECS, plugins, order=["b", "a"]))
    assert ["a", "usual"] == chosen(compose_plugins(SPECS, [plugin for plugin in plugins if plugin.name != "b"]))


# --- settings --------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Settings:
    """A plugin's."""

    key: Secret
    rate: Decimal = Decimal("0.10")


with_settings = of(
    "paid", register_settings=lambda: Settings, register_things=lambda settings: (settings.key.reveal(),)
)


def test_settings_are_read_for_each_plugin_and_given_to_what_it_registers() -> None:
    """``[plugins.paid]``, structured strictly."""
    plugins = compose_plugins(
        SPECS,
        [with_settings],
        settings_source={"paid": {"key": "k1", "rate": "0.2"}},
        collect=[lambda plugins: plugins.collect("register_things", "thing", code=str) and None],
    )
    assert Settings(key=Secret("k1"), rate=Decimal("0.2")) == plugins.infos["paid"].settings
    assert ["k1"] == [thing.code for thing in plugins.things("thing")]
    ready = compose_plugins(SPECS, [with_settings], settings_source={"paid": Settings(key=Secret("k2"))})
    assert Settings(key=Secret("k2")) == ready.infos["paid"].settings


def test_settings_that_cannot_be_read_are_named_by_their_path_without_their_values() -> None:
    """A secret is in no message, wherever it was put by mistake."""
    found = problems(with_settings, settings_source={"paid": {"key": 7, "rate": "sk_live_1", "kye": "sk_live_2"}})
    assert {"plugins.paid.key", "plugins.paid.rate", "plugins.paid.kye"} == {problem.path for problem in found}
    assert "sk_live" not in " ".join(repr(problem) + problem.text("ja") for problem in found)
    assert [("missing", "plugins.paid.key")] == codes(with_settings)


def test_settings_for_nobody_are_a_mistake() -> None:
    """A misspelt name would be a plugin without its settings."""
    assert [("unknown-plugin", "plugins.pade")] == codes(well, settings_source={"pade": {"key": "x"}})
    assert [("plugin-without-settings", "plugins.well")] == codes(well, settings_source={"well": {"key": "x"}})
    assert [("unknown-plugin", "plugin_order")] == codes(well, order=["wel"])


def test_a_shops_settings_say_it_all() -> None:
    """Order, disabled plugins, limits and strictness come from one place."""
    settings = ShopSettings(
        shop_id=ShopId(SHOP),
        database=DatabaseSettings(url="sqlite:///x"),
        disabled_plugins=frozenset({"bad"}),
        plugin_order=("b", "a"),
        plugins={"paid": {"key": "k"}, "bad": {"left": "over"}},
    )
    bad = of("bad", check_thng=lambda thing: ())
    plugins = compose_plugins(SPECS, [bad, with_settings, chooser("a"), chooser("b")], settings=settings)
    assert (("bad",), ["b", "a"]) == (plugins.disabled, chosen(plugins))


# --- tables and things -----------------------------------------------------------------------------------------------


def test_a_table_has_one_owner_and_is_not_the_cores() -> None:
    """Two plugins on one table would overwrite each other; one that claims the core's would write around it."""
    tables = of("notes", register_tables=lambda: (notes,))
    plugins = compose_plugins(SPECS, [tables])
    assert {"notes_note", "notes_secret"} == {table.name for table in plugins.infos["notes"].tables}
    found = codes(tables, of("other", register_tables=lambda: (notes,)))
    assert {("table-twice", "plugins.notes"), ("table-twice", "plugins.other")} == set(found)
    stolen = plugin_metadata()
    sa.Table("eckit_order", stolen, sa.Column("id", sa.String))
    assert [("core-table", "plugins.thief")] == codes(of("thief", register_tables=lambda: (stolen,)))


def test_what_plugins_register_is_collected_while_composing() -> None:
    """Two plugins with one code, or one that fails: reported with the rest; tolerant goes on without them."""

    def collect(plugins: Plugins) -> None:
        plugins.collect("register_things", "thing", code=str)

    def things(name: str, *codes: str) -> Any:
        return of(name, register_things=lambda settings: codes)

    fails = of("fails", register_things=lambda settings: 1 / 0)
    given = (things("a", "x"), things("b", "x"), things("c", "y"), fails)
    assert {"plugins.a", "plugins.b", "plugins.fails"} == {path for _, path in codes(*given, collect=[collect])}
    plugins = compose_plugins(SPECS, given, strict=False, collect=[collect])
    assert ["y"] == [thing.code for thing in plugins.things("thing")]
    assert ("a", "b", "fails") == plugins.disabled


def test_the_hooks_of_the_host_are_always_there() -> None:
    """Settings, tables, migrations, commands, pages."""
    assert {spec.name for spec in HOST} <= set(compose_plugins([]).specs)


# --- discovery -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Distribution:
    """An installed distribution."""

    name: str


@attrs.frozen
class Point:
    """An entry point."""

    name: str
    value: str
    found: Any
    dist: Any = Distribution("eckit-some")

    def load(self) -> Any:
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Point]:
    points: list[Point] = []
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points if group == "eckit" else [])
    return points


def test_installed_plugins_are_found_by_entry_point(installed: list[Point]) -> None:
    """Installing a distribution is enough; one that is given as well counts once."""
    installed.append(Point("well", "some:plugin", well))
    assert ["well"] == list(compose_plugins(SPECS, [well], discover=True).infos)
    assert [] == list(compose_plugins(SPECS, discover=False).infos)


def test_a_plugin_that_cannot_be_imported_is_named_and_stops_no_other(installed: list[Point]) -> None:
    """Whatever importing raises; the message says which distribution, and for a missing module which."""
    installed += [
        Point("well", "some:plugin", well),
        Point("broken", "broken:plugin", ModuleNotFoundError("x", name="stripe")),
        Point("worse", "worse:plugin", ZeroDivisionError("secret")),
        Point("exits", "exits:plugin", SystemExit("needs libfoo")),
    ]
    found = problems(discover=True, settings_source={"broken": {"key": "x"}})
    assert [("plugin-not-importable", f"plugins.{name}") for name in ("broken", "worse", "exits")] == [
        (problem.code, problem.path) for problem in found
    ]
    assert "stripe" in found[0].text()
    assert "eckit-some" in found[0].text()
    assert "secret" not in found[1].text()
    assert ("broken", "exits", "worse") == compose_plugins(SPECS, strict=False, discover=True).disabled


def test_a_disabled_plugin_is_not_even_imported(installed: list[Point]) -> None:
    """A shop can always be started without a plugin that breaks it."""
    installed.append(Point("broken", "broken:plugin", ImportError()))
    assert ("broken",) == compose_plugins(SPECS, discover=True, disabled=["broken"]).disabled


def test_an_entry_point_has_its_plugins_name(installed: list[Point]) -> None:
    """One name in the settings, whichever way the plugin comes."""
    installed.append(Point("other", "some:plugin", well))
    (problem,) = problems(discover=True)
    assert ("plugin-name-differs", "well", "other") == (problem.code, problem.value, problem.limit)


def test_two_distributions_with_one_plugin_name_are_both_named(installed: list[Point]) -> None:
    """PLG-15: a fork beside the original is an error that names both."""
    installed += [
        Point("well", "original:plugin", well, Distribution("eckit-original")),
        Point("well", "fork:plugin", of("well", check_thing=lambda thing: ()), Distribution("eckit-fork")),
    ]
    (problem,) = problems(discover=True)
    assert "plugin-twice" == problem.code
    assert "fork:plugin of eckit-fork" in problem.text()
    assert "original:plugin of eckit-original" in problem.text()
