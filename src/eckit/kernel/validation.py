"""What a plugin implements, and whether it fits the hooks this version declares."""

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pluggy

from eckit.kernel.discovery import Found
from eckit.kernel.errors import Problem
from eckit.kernel.hookspecs import PROJECT, HookSpec
from eckit.kernel.plugins import Implementation


def implementations_of(
    found: Found, specs: Sequence[HookSpec]
) -> tuple[list[tuple[str, Implementation]], list[Problem]]:
    """The hooks a plugin implements with its functions, and those that fit no hook there is."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(_namespace(specs))
    try:
        manager.register(found.plugin, found.name)
    except pluggy.PluginValidationError as error:
        return [], [_misfit(found, error)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- looking at a plugin's attributes runs its code
        return [], [_problem(found, "plugin-unreadable", limit=type(error).__name__)]
    known = {spec.name: spec for spec in specs}
    implemented, problems = [], []
    for caller in manager.get_hookcallers(found.plugin) or []:
        for implementation in caller.get_hookimpls():
            options = implementation.opts
            if caller.name not in known:
                if not options["optionalhook"]:
                    near = difflib.get_close_matches(caller.name, known, n=1)
                    problems.append(_problem(found, "unknown-hook", caller.name, suggestion=", ".join(near) or "-"))
            elif any(options[name] for name in ("wrapper", "hookwrapper", "tryfirst", "trylast")):
                problems.append(_problem(found, "hook-option", caller.name))
            else:
                implemented.append((caller.name, _bound(found, implementation, known[caller.name])))
    return sorted(implemented, key=lambda pair: pair[0]), problems


def _bound(found: Found, implementation: pluggy.HookImpl, spec: HookSpec) -> Implementation:
    """The implementation with what it is called with; a parameter with a default may be of a later version's hook."""
    optional = [name for name in implementation.kwargnames if name in spec.arguments]
    arguments = (*implementation.argnames, *optional)
    return Implementation(plugin=found.name, function=implementation.function, arguments=arguments)


def _misfit(found: Found, error: pluggy.PluginValidationError) -> Problem:
    """pluggy names the arguments that the hook does not have in its text only."""
    hook = str(error).partition("hook '")[2].partition("'")[0]
    _, _, extra = str(error).partition("Argument(s) {")
    return _problem(found, "hook-arguments", hook, limit=extra.partition("}")[0])


def interface_problems(found: Found, hooks: Iterable[str], specs: Iterable[HookSpec]) -> list[Problem]:
    """Where the plugin was built for another version of a family than this one, or does not say for which."""
    needed: Mapping[str, int] = {spec.family: spec.version for spec in specs if spec.name in set(hooks)}
    problems = []
    for family, version in sorted(needed.items()):
        has: Any = found.interface.get(family)
        if has is None:
            problems.append(_problem(found, "interface-missing", family, limit=version))
        elif has != version or isinstance(has, bool):
            code = "interface-newer" if isinstance(has, int) and has > version else "interface-older"
            problems.append(_problem(found, code, f"{family} {has}", limit=f"{family} {version}"))
    return problems


def _problem(found: Found, code: str, value: object = "", *, limit: object = "", suggestion: str = "") -> Problem:
    return Problem(code=code, path=f"plugins.{found.name}", value=value, limit=limit, suggestion=suggestion)


def _namespace(specs: Iterable[HookSpec]) -> types.ModuleType:
    """What pluggy reads hook specifications from."""
    module = types.ModuleType("eckit_hooks")
    vars(module).update({spec.name: spec.function for spec in specs})
    return module
