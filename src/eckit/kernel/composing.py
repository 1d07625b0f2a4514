"""Composing: from the hooks the core declares and the plugins there are to one :class:`Plugins`.

Everything that would go wrong at the first order is found here: a misspelt hook, another version of an interface, two
plugins of one name, settings that cannot be read, a choice that only the order of installation would decide. Nothing
depends on the order in which plugins are found or given.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.kernel import host_hooks
from eckit.kernel.discovery import Found, find_plugins
from eckit.kernel.errors import CompositionError, EckitError, InvalidInputError, PluginError, Problem
from eckit.kernel.hookspecs import HookSpec, Kind
from eckit.kernel.plugins import Implementation, Limits, PluginInfo, Plugins
from eckit.kernel.settings import ShopSettings, plugin_settings
from eckit.kernel.tables import PREFIX
from eckit.kernel.validation import implementations_of, interface_problems

Collect = Callable[[Plugins], None]


@attrs.define
class _Draft:
    """A plugin on its way into the composition."""

    found: Found
    implementations: tuple[tuple[str, Implementation], ...] = ()
    settings: Any = None
    tables: frozenset[sa.Table] = frozenset()
    problems: list[Problem] = attrs.field(factory=list)

    @property
    def name(self) -> str:
        return self.found.name

    def implementation(self, hook: str) -> Implementation | None:
        return next((found for name, found in self.implementations if name == hook), None)


def compose_plugins(
    specs: Iterable[HookSpec],
    explicit: Iterable[Any] = (),
    *,
    discover: bool = False,
    settings: ShopSettings | None = None,
    settings_source: Mapping[str, Any] | None = None,
    order: Sequence[str] = (),
    disabled: Iterable[str] = (),
    strict: bool = True,
    limits: Limits | None = None,
    collect: Sequence[Collect] = (),
) -> Plugins:
    """All plugins, checked, with their settings, in the order of their names.

    :param specs: the hooks of the capabilities; those of the family ``host`` are always there.
    :param explicit: plugin objects; one that is also installed counts once.
    :param discover: also those installed, by the entry points of the group ``eckit``.
    :param settings: a shop's settings, which say all that follows but ``collect``.
    :param settings_source: plugin name → its raw settings, or an instance of them.
    :param order: names of plugins, ranking them where several implement a ``choose_`` hook; the core's own come last.
    :param disabled: plugins not to use; they are not even imported if installed.
    :param strict: raise for any problem. Otherwise plugins with problems are left out and listed in ``disabled``.
    :param collect: what each capability collects from ``register_`` hooks.
    :raises CompositionError: with every problem found.
    """
    if settings is not None:
        settings_source, order, disabled = settings.plugins, settings.plugin_order, settings.disabled_plugins
        strict, limits = settings.strict, settings.limits
    composition = _Composition(
        specs=[*host_hooks.SPECS, *specs],
        settings=settings_source or {},
        order=tuple(order),
        limits=limits,
        collect=tuple(collect),
    )
    plugins = composition.of(explicit, discover=discover, disabled=frozenset(disabled))
    if strict and plugins.problems:
        raise CompositionError(problems=plugins.problems)
    return plugins


@attrs.frozen(kw_only=True)
class _Composition:
    """What is composed, and how."""

    specs: list[HookSpec]
    settings: Mapping[str, Any]
    order: tuple[str, ...]
    limits: Limits | None
    collect: tuple[Collect, ...]

    def of(self, explicit: Iterable[Any], *, discover: bool, disabled: frozenset[str]) -> Plugins:
        found, problems = find_plugins(explicit, discover=discover, disabled=disabled)
        off = disabled | {
            problem.path.removeprefix("plugins.") for problem in problems if problem.path[:8] == "plugins."
        }
        problems += _names_problems(found, off, self.settings, self.order)
        drafts = [_draft(plugin, self.specs, self.settings.get(plugin.name)) for plugin in found]
        _check_tables(drafts)
        while True:
            problems += [problem for draft in drafts for problem in draft.problems]
            off |= {draft.name for draft in drafts if draft.problems}
            drafts = [draft for draft in drafts if not draft.problems]
            if _check_choices(drafts, self.specs, self.order):
                continue
            plugins = self._made(drafts, problems, off)
            if not _collect(plugins, self.collect, drafts):
                return plugins

    def _made(self, drafts: list[_Draft], problems: list[Problem], off: frozenset[str]) -> Plugins:
        implementations: defaultdict[str, list[Implementation]] = defaultdict(list)
        for draft in drafts:  # sorted by name
            for hook, implementation in draft.implementations:
                implementations[hook].append(implementation)
        ranks = {draft.name: _rank(draft, self.order) for draft in drafts}
        for spec in self.specs:
            if spec.kind is Kind.CHOOSE and spec.name in implementations:
                implementations[spec.name].sort(key=lambda implementation: ranks[implementation.plugin])
        return Plugins(
            infos=map(_info, drafts),
            specs=self.specs,
            implementations=implementations,
            limits=self.limits,
            problems=tuple(problems),
            disabled=tuple(sorted(off)),
        )


def _info(draft: _Draft) -> PluginInfo:
    return PluginInfo(
        name=draft.name,
        version=draft.found.version,
        plugin=draft.found.plugin,
        interface=draft.found.interface,
        settings=draft.settings,
        tables=draft.tables,
        hooks=tuple(sorted({hook for hook, _ in draft.implementations})),
    )


# --- one plugin ------------------------------------------------------------------------------------------------------


def _draft(found: Found, specs: list[HookSpec], settings: object) -> _Draft:
    draft = _Draft(found)
    implemented, problems = implementations_of(found, specs)
    draft.implementations = tuple(implemented)
    draft.problems += problems + interface_problems(found, {hook for hook, _ in implemented}, specs)
    if not draft.problems:
        _read_settings(draft, settings)
        _read_tables(draft)
    return draft


def _read_settings(draft: _Draft, given: object) -> None:
    implementation = draft.implementation("register_settings")
    if implementation is None:
        if given:
            draft.problems.append(Problem(code="plugin-without-settings", path=f"plugins.{draft.name}"))
        return
    kind = _asked(draft, "register_settings", implementation)
    if kind is None:
        return
    if not (isinstance(kind, type) and attrs.has(kind)):
        draft.problems.append(_failed(draft.name, "register_settings", "no attrs class"))
        return
    try:
        draft.settings = plugin_settings(kind, draft.name, given)
    except InvalidInputError as error:
        draft.problems += error.problems


def _read_tables(draft: _Draft) -> None:
    implementation = draft.implementation("register_tables")
    given = () if implementation is None else _asked(draft, "register_tables", implementation) or ()
    if not (isinstance(given, tuple) and all(isinstance(metadata, sa.MetaData) for metadata in given)):
        draft.problems.append(_failed(draft.name, "register_tables", "no tuple of MetaData"))
        return
    draft.tables = frozenset(table for metadata in given for table in metadata.tables.values())
    for table in sorted(draft.tables, key=lambda table: table.name):
        if table.name.startswith(PREFIX):
            draft.problems.append(Problem(code="core-table", path=f"plugins.{draft.name}", value=table.name))


def _asked(draft: _Draft, hook: str, implementation: Implementation) -> Any:
    try:
        return implementation.function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever a plugin raises is that plugin's problem
        draft.problems.append(_failed(draft.name, hook, type(error).__name__))
        return None


def _failed(plugin: str, hook: str, reason: str) -> Problem:
    return Problem(code="plugin-hook-failed", path=f"plugins.{plugin}", value=hook, limit=reason)


# --- several plugins -------------------------------------------------------------------------------------------------


def _names_problems(
    found: Sequence[Found], off: frozenset[str], settings: Mapping[str, Any], order: Sequence[str]
) -> list[Problem]:
    """Settings and ranks of plugins there are not, which a misspelt name would be."""
    known = {plugin.name for plugin in found} | off
    return [
        *(Problem(code="unknown-plugin", path=f"plugins.{name}") for name in sorted(set(settings) - known)),
        *(Problem(code="unknown-plugin", path="plugin_order", value=name) for name in sorted(set(order) - known)),
    ]


def _check_tables(drafts: Sequence[_Draft]) -> None:
    owners: defaultdict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        for table in draft.tables:
            owners[table.key].append(draft)
    for key, claimants in sorted(owners.items()):
        if len(claimants) > 1:
            names = ", ".join(sorted(draft.name for draft in claimants))
            for draft in claimants:
                problem = Problem(code="table-twice", path=f"plugins.{draft.name}", value=key, limit=names)
                draft.problems.append(problem)


def _rank(draft: _Draft, order: Sequence[str]) -> tuple[bool, int]:
    return draft.found.is_default, order.index(draft.name) if draft.name in order else len(order)


def _check_choices(drafts: Sequence[_Draft], specs: Iterable[HookSpec], order: Sequence[str]) -> bool:
    """Whether a ``choose_`` hook is implemented by several plugins that nothing ranks; each of them gets a problem."""
    for spec in specs:
        if spec.kind is not Kind.CHOOSE:
            continue
        unranked = [
            draft
            for draft in drafts
            if draft.implementation(spec.name) and not draft.found.is_default and draft.name not in order
        ]
        if len(unranked) > 1:
            names = ", ".join(sorted(draft.name for draft in unranked))
            for draft in unranked:
                draft.problems.append(
                    Problem(code="ambiguous-choice", path=f"plugins.{draft.name}", value=spec.name, limit=names)
                )
    return any(draft.problems for draft in drafts)


def _collect(plugins: Plugins, collect: Sequence[Collect], drafts: Sequence[_Draft]) -> bool:
    """Whether collecting what plugins register found problems; they are noted with the plugins at fault."""
    for gather in collect:
        try:
            gather(plugins)
        except PluginError as error:
            at_fault = set(error.plugin.split(", "))
            blamed = [draft for draft in drafts if draft.name in at_fault]
            if not blamed:
                raise
            for draft in blamed:
                draft.problems.append(_failed(draft.name, error.hook, error.reason))
        except EckitError as error:
            raise CompositionError(problems=(Problem(code="cannot-collect", value=error.code),)) from error
    return any(draft.problems for draft in drafts)
