"""reference/commands.md: the ``eckit`` command."""

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_origin

from docs.pages.settings import plugins
from docs.pages.writing import NOTE, escaped, hints_of, shown, summary, table
from eckit.cli.app import app


def commands() -> dict[str, Callable[..., Any]]:
    """The core's commands by what is typed: ``eckit db upgrade``."""
    return dict(sorted(_below(app, "eckit")))


def plugin_commands() -> dict[str, Any]:
    """The commands of the plugins that come with eckit: ``eckit tax-table list``."""
    found = {}
    for name, plugin in plugins().items():
        for command in plugin.register_commands() if hasattr(plugin, "register_commands") else ():
            found[f"eckit {name} {command.name}"] = command
    return found


def _below(group: Any, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in group:
        if name.startswith("-"):
            continue
        child = group[name]
        if child.default_command is not None:
            yield f"{path} {name}", child.default_command
        yield from _below(child, f"{path} {name}")


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Commands\n"
    yield (
        "The command `eckit` comes with the extra `cli`. It finds its shop by `--settings FILE`, by the variable "
        "`ECKIT_SETTINGS`, or by `eckit.toml` in the folder one is in. What went wrong is one paragraph in the "
        "language of `--locale` (`en`, `ja`; default: the environment's), and the exit code is 1; plugins bring "
        "commands of their own, as `eckit <plugin> <command>`.\n"
    )
    found = commands()
    theirs = plugin_commands()
    rows = [(f"`{path}`", summary(run)) for path, run in found.items()]
    rows += [(f"`{path}`", escaped(command.help) or summary(command.run)) for path, command in theirs.items()]
    yield table(("command", ""), rows) + "\n"
    for path, run in found.items():
        yield from _command(path, run, summary(run), skip=0)
    for path, command in theirs.items():
        yield from _command(path, command.run, escaped(command.help) or summary(command.run), skip=1)


def _command(path: str, run: Callable[..., Any], said: str, *, skip: int) -> Iterator[str]:
    yield f"## {path}\n"
    yield f"{said}\n"
    hints = hints_of(run)
    rows = [_row(one, hints.get(one.name)) for one in list(inspect.signature(run).parameters.values())[skip:]]
    if rows:
        yield table(("argument", "type", "default", ""), rows) + "\n"


def _row(one: inspect.Parameter, hint: Any) -> tuple[str, str, str, str]:
    said, name = "", one.name.replace("_", "-").strip("-")
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        said = next((note.help for note in notes if getattr(note, "help", None)), "")
        name = next((str(note.name[0]) for note in notes if getattr(note, "name", None)), name).removeprefix("--")
    if hint is bool:
        shape = f"--{name}"
    elif one.kind is one.KEYWORD_ONLY:
        shape = f"--{name} VALUE"
    else:
        shape = name.upper()
    given = "" if one.default in (one.empty, None, False) else f"`{one.default}`"
    if one.default is one.empty:
        given = "must be given"
    return f"`{shape}`", f"`{shown(hint).replace(' | None', '')}`", given, escaped(said)
