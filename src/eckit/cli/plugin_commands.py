"""The commands that plugins bring: ``eckit <plugin> <command>``."""

import functools
import importlib.metadata
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App

from eckit.cli.app import app
from eckit.cli.opening import Locale, SettingsFile, database_explained, option, settings_of
from eckit.kernel.hookspecs import PROJECT

if TYPE_CHECKING:
    from eckit.shop import Shop

_OURS: Final = {"settings": SettingsFile, "locale": Locale}
"""Options that every command of a plugin has, unless its own parameter is called so."""


def app_for(arguments: Sequence[str]) -> App:
    """The commands these arguments are for: the core's, or those of the plugin that is named first.

    :raises InvalidInputError: it is a plugin, and its shop's settings are not there or cannot be read.
    :raises CompositionError: the shop cannot be composed.
    """
    name = next(iter(arguments), "")
    if name.startswith("-") or name in app or not importlib.metadata.entry_points(group=PROJECT, name=name):
        return app
    given = option(arguments, "--settings")
    return _with_commands_of(name, None if given is None else Path(given))


def _with_commands_of(name: str, file: Path | None) -> App:
    from eckit.shop import Shop

    shop = Shop.compose(settings_of(file), check=False)
    found = App(name=app.name, help=app.help, version_flags=[])
    for answer in shop.plugins.call.register_commands().given:
        if answer.plugin != name:
            continue
        group = App(name=name, help=f"Commands of the plugin {name}.")
        for command in answer.value:
            group.command(_bound(shop, command.run), name=command.name, help=command.help or None)
        found.command(group)
    return found


def _bound(shop: "Shop", run: Callable[..., Any]) -> Callable[..., Any]:
    """The command's function with the shop as its first argument given, which is closed afterwards."""
    first, *others = inspect.signature(run).parameters.values()
    added = {name: kind for name, kind in _OURS.items() if name not in {one.name for one in others}}

    @functools.wraps(run)
    def bound(*args: Any, **kwargs: Any) -> Any:
        with shop, database_explained():
            shop.check()
            return run(shop, *args, **{name: value for name, value in kwargs.items() if name not in added})

    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in added.items()
    ]
    rest = [one for one in others if one.kind is inspect.Parameter.VAR_KEYWORD]
    others = [one for one in others if one not in rest]
    bound.__signature__ = inspect.Signature([*others, *options, *rest])  # type: ignore[attr-defined]
    bound.__annotations__ = {name: kind for name, kind in run.__annotations__.items() if name != first.name} | added
    return bound
