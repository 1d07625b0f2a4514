"""Composing: from the hooks the core declares and the plugins there are to one :class:`Plugins`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import pluggy
import sqlalchemy as sa

from eckit.kernel.errors import CompositionError, Problem
from eckit.kernel.hookspecs import PROJECT, HookSpec, Kind
from eckit.kernel.plugins import Implementation, Limits, PluginInfo, Plugins


def compose_plugins(
    specs: Iterable[HookSpec],
    explicit: Iterable[Any] = (),
    *,
    discover: bool = False,
    settings_source: Mapping[str, Any] | None = None,
    order: Sequence[str] = (),
    strict: bool = True,
    limits: Limits | None = None,
) -> Plugins:
    specs = list(specs)
    infos, implementations = [], {}
    for plugin in sorted(explicit, key=lambda plugin: plugin.name):
        manager = pluggy.PluginManager(PROJECT)
        for spec in specs:
            manager.add_hookspecs(_Namespace({spec.name: spec.function}))
        manager.register(plugin, plugin.name)
        manager.check_pending()
        found = []
        for caller in manager.get_hookcallers(plugin) or []:
            for impl in caller.get_hookimpls():
                implementations.setdefault(caller.name, []).append(
                    Implementation(plugin=plugin.name, function=impl.function, arguments=tuple(impl.argnames))
                )
                found.append(caller.name)
        tables = [md for hook in found if hook == "register_tables" for md in plugin.register_tables()]
        infos.append(
            PluginInfo(
                name=plugin.name, version=getattr(plugin, "version", ""), plugin=plugin,
                interface=getattr(plugin, "eckit_interface", {}), settings=(settings_source or {}).get(plugin.name),
                tables=frozenset(table for md in tables for table in md.tables.values()), hooks=tuple(sorted(found)),
            )
        )
    def rank(impl: Implementation) -> tuple[Any, ...]:
        plugin = next(info.plugin for info in infos if info.name == impl.plugin)
        return (_is_default(plugin), list(order).index(impl.plugin) if impl.plugin in order else len(order), impl.plugin)
    for spec in specs:
        if spec.kind is Kind.CHOOSE and spec.name in implementations:
            implementations[spec.name].sort(key=rank)
    return Plugins(infos=infos, specs=specs, implementations=implementations, limits=limits)


def _is_default(plugin: Any) -> bool:
    module = getattr(plugin, "__name__", None) if type(plugin).__name__ == "module" else type(plugin).__module__
    return (module or "").startswith("eckit.defaults")


class _Namespace:
    def __init__(self, members: Mapping[str, Any]) -> None:
        self.__dict__.update(members)
