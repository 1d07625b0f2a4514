"""Which plugins there are: those given, and those installed with an entry point of the group ``eckit``."""

import importlib.metadata
import inspect
import re
import types
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from eckit.kernel.errors import Problem
from eckit.kernel.hookspecs import PROJECT

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
RESERVED: Final = frozenset({"eckit", "core", "host", "shop"})


_Candidate: TypeAlias = tuple[Any, str, str | None]
"""A plugin object, its origin, and the name of its entry point if it was found by one."""


@attrs.frozen(kw_only=True)
class Found:
    """A plugin as it was found.

    :ivar origin: where it comes from, as a person may look it up: an entry point or an import path.
    """

    name: str
    plugin: Any
    origin: str
    version: str = ""
    interface: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def is_default(self) -> bool:
        """Whether it is one of the core's own."""
        return _module_of(self.plugin).startswith("eckit.defaults")


def find_plugins(
    explicit: Iterable[Any], *, discover: bool, disabled: frozenset[str]
) -> tuple[list[Found], list[Problem]]:
    """The plugins to compose, sorted by name, and what is wrong with the others.

    The same object found twice is one plugin; two objects of one name are neither.
    """
    problems: list[Problem] = []
    candidates: list[_Candidate] = [(plugin, _origin(plugin), None) for plugin in explicit]
    if discover:
        candidates += _installed(disabled, problems)
    by_name: defaultdict[str, dict[int, Found]] = defaultdict(dict)
    for plugin, origin, installed_as in candidates:
        looked_at = _looked_at(plugin, origin, installed_as, disabled)
        if isinstance(looked_at, Problem):
            problems.append(looked_at)
        elif looked_at is not None:
            by_name[looked_at.name].setdefault(id(plugin), looked_at)
    found: list[Found] = []
    for name, same in sorted(by_name.items()):
        if len(same) > 1:
            first, second, *_ = sorted(plugin.origin for plugin in same.values())
            problems.append(Problem(code="plugin-twice", path=f"plugins.{name}", value=first, limit=second))
        else:
            found += same.values()
    return found, problems


def _installed(disabled: frozenset[str], problems: list[Problem]) -> list[_Candidate]:
    found: list[_Candidate] = []
    for point in importlib.metadata.entry_points(group=PROJECT):
        if point.name in disabled:
            continue
        distribution = f" of {point.dist.name}" if point.dist is not None else ""
        origin = f"{point.value}{distribution}"
        try:
            found.append((point.load(), origin, point.name))
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever importing one raises, the others go on
            problems.append(
                Problem(code="plugin-not-importable", path=f"plugins.{point.name}", value=origin, limit=_why(error))
            )
    return found


def _why(error: BaseException) -> str:
    """The kind of error, and for a missing module which; nothing else of what a stranger's error says."""
    return (
        f"{type(error).__name__} {error.name or ''}".strip() if isinstance(error, ImportError) else type(error).__name__
    )


def _looked_at(plugin: Any, origin: str, installed_as: str | None, disabled: frozenset[str]) -> Found | Problem | None:
    """What a plugin says of itself, or what is wrong with that; None if it is disabled. Attributes may run its code."""
    path = origin
    try:
        name: object = getattr(plugin, "name", None)
        wrong = _wrong_with(plugin, name, origin, installed_as)
        if wrong is not None or not isinstance(name, str):
            return wrong
        path = f"plugins.{name}"
        return None if name in disabled else _found(plugin, name, origin)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever it raises is that plugin's problem
        return Problem(code="plugin-unreadable", path=path, limit=type(error).__name__)


def _wrong_with(plugin: Any, name: object, origin: str, installed_as: str | None) -> Problem | None:
    if isinstance(plugin, type) or not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
        shown = "a class" if isinstance(plugin, type) else name if isinstance(name, str) else ""
        return Problem(code="not-a-plugin", path=origin, value=shown)
    if installed_as is not None and installed_as != name:
        return Problem(code="plugin-name-differs", path=origin, value=name, limit=installed_as)
    return None


def _found(plugin: Any, name: str, origin: str) -> Found:
    interface = getattr(plugin, "eckit_interface", None)
    return Found(
        name=name,
        plugin=plugin,
        origin=origin,
        version=str(getattr(plugin, "version", "") or ""),
        interface=dict(interface) if isinstance(interface, Mapping) else {},
    )


def _origin(plugin: Any) -> str:
    if isinstance(plugin, types.ModuleType):
        return plugin.__name__
    kind = plugin if inspect.isclass(plugin) else type(plugin)
    return f"{kind.__module__}:{kind.__qualname__}"


def _module_of(plugin: Any) -> str:
    return plugin.__name__ if isinstance(plugin, types.ModuleType) else type(plugin).__module__
