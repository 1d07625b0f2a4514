"""``eckit plugins`` and ``eckit db check``: what a shop is composed of, and what is wrong with it or its tables."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, TypeAlias

import attrs

from eckit.cli.opening import database_explained
from eckit.cli.printing import console, grid, say
from eckit.kernel import schema
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database
from eckit.kernel.errors import EckitError, PluginError, Problem
from eckit.kernel.plugins import PluginInfo, Plugins
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import ShopSettings
from eckit.kernel.texts import say as text_of
from eckit.migrations import Revision, pending
from eckit.shop import CAPABILITIES

_Things: TypeAlias = tuple[str, Sequence[str]]
"""A kind of things, and their codes."""

_HOST_HOOKS: Final[Sequence[tuple[str, str, Callable[[Any], Sequence[str]]]]] = (
    ("register_migrations", "migrations", lambda branch: [branch.label]),
    ("register_commands", "commands", lambda given: [command.name for command in given]),
    ("register_pages", "pages", lambda given: [page.path for page in given]),
)


def _t(key: str, locale: str, **facts: object) -> str:
    return text_of(f"cli.{key}", locale, **facts)


def show(settings: ShopSettings, locale: str) -> bool:
    """Everything about the plugins of a shop; whether nothing is wrong with them and with the tables."""
    plugins = _composed(settings)
    failed = show_plugins(plugins, locale)
    steps, wrong = _tables(settings, plugins)
    show_steps(steps, locale)
    sentences = [one.text(locale) for one in (*plugins.problems, *failed, *wrong)]
    for sentence in dict.fromkeys(sentences):
        say(f"• {sentence}", "red")
    right = not (sentences or steps)
    if right:
        say(_t("nothing_wrong", locale), "green")
    sys.stdout.flush()
    console.file.flush()
    return right


def _composed(settings: ShopSettings) -> Plugins:
    """The plugins, those with problems left out."""
    return compose_plugins(
        [spec for capability in CAPABILITIES for spec in capability.SPECS],
        discover=settings.discover,
        settings_source=settings.plugins,
        order=settings.plugin_order,
        disabled=settings.disabled_plugins,
        strict=False,
        limits=settings.limits,
        collect=[capability.collect for capability in CAPABILITIES],
    )


# -- tables -----------------------------------------------------------------------------------------------------------


def _tables(settings: ShopSettings, plugins: Plugins) -> tuple[Sequence[Revision], Sequence[Problem | EckitError]]:
    """The steps still to be taken and, if there are none, what is wrong with the tables or their database."""
    try:
        with database_explained(), closing(Database(settings.database)) as database:
            steps = pending(database, plugins)
            if steps:
                return steps, ()
            with database.reading() as connection:
                found = schema.problems(connection, plugins)
    except EckitError as error:
        return (), (error,)
    return (), found


def show_steps(steps: Sequence[Revision], locale: str) -> None:
    """Migrations that have not been applied, and the command that does."""
    if steps:
        names = [_t(name, locale) for name in ("whose", "revision", "what")]
        grid(_t("pending", locale), names, [(step.owner, step.id, step.what) for step in steps])
        say(_t("upgrade", locale), "yellow")


# -- plugins ----------------------------------------------------------------------------------------------------------


def show_plugins(plugins: Plugins, locale: str) -> Sequence[PluginError]:
    """Version, interface, hooks, settings with secrets masked; what each brings; who chooses; who is left out.

    :return: what went wrong when plugins were asked.
    """
    rows = [
        (
            info.name,
            info.version,
            " ".join(f"{family} {version}" for family, version in sorted(info.interface.items())),
            " ".join(hook for hook in info.hooks if not hook.startswith("register_")),
            _settings(info.settings),
        )
        for info in plugins.infos.values()
    ]
    names = ("plugin", "version", "interface", "hooks", "settings")
    grid("", [_t(name, locale) for name in names], rows)
    brought, failed = _brought(plugins)
    things = [
        (info.name, f"{kind}: {', '.join(codes)}")
        for info in plugins.infos.values()
        for kind, codes in (*_registered(plugins, info), *brought.get(info.name, ()))
        if codes
    ]
    grid(_t("brings", locale), [_t("plugin", locale), _t("registers", locale)], things)
    ranked = [
        (hook, " > ".join(one.plugin for one in plugins.implementations(hook)))
        for hook in sorted(plugins.specs)
        if hook.startswith("choose_") and plugins.implementations(hook)
    ]
    grid(_t("order_of_choice", locale), (_t("hook", locale), _t("plugins", locale)), ranked)
    for name in plugins.disabled:
        say(f"{name}: {_t('left_out', locale)}", "yellow")
    return failed


def _registered(plugins: Plugins, info: PluginInfo) -> Iterator[_Things]:
    """Kind and codes of what a plugin registered, and its tables."""
    for kind in sorted(plugins.registered):
        yield kind, [entry.code for entry in plugins.things(kind) if entry.plugin == info.name]
    yield "tables", sorted(table.name for table in info.tables)


def _brought(plugins: Plugins) -> tuple[Mapping[str, list[_Things]], list[PluginError]]:
    """Plugin → its migrations, commands and pages; and which plugins failed to say."""
    found: defaultdict[str, list[_Things]] = defaultdict(list)
    failed: list[PluginError] = []
    for hook, kind, codes in _HOST_HOOKS:
        for implementation in plugins.implementations(hook):
            try:
                answer = plugins.run(plugins.specs[hook], implementation, {})
            except PluginError as error:
                failed.append(error)
            else:
                found[implementation.plugin].append((kind, codes(answer)))
    return found, failed


def _settings(settings: object) -> str:
    """Settings by name; what is or holds a secret is masked by its own repr."""
    kind: Any = type(settings)
    if not attrs.has(kind):
        return ""
    names = [field.name for field in attrs.fields(kind)]
    pairs = ((name, getattr(settings, name)) for name in names)
    return " ".join(f"{name}={value!r}" if isinstance(value, Secret) else f"{name}={value}" for name, value in pairs)
