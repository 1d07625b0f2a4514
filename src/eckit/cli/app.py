"""The commands."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from eckit.cli import demo as demo_command, shows, starting
from eckit.cli.opening import OPERATOR, Locale, SettingsFile, chosen_locale, opened, settings_of
from eckit.cli.printing import grid, progress, say
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import CartId
from eckit.migrations import pending, upgrade
from eckit.shop import CAPABILITIES, Shop

app = App(name="eckit", help="A shop from the command line. Start with: eckit demo", version_flags=["--version"])
import_app = App(name="import", help="Bring data in.")
order_app = App(name="order", help="Look at orders.")
db_app = App(name="db", help="Make and check tables.")
for child in (import_app, order_app, db_app):
    app.command(child)

app.command(demo_command.demo, name="demo")
app.command(starting.init, name="init")


@import_app.command(name="products")
def import_products(
    file: Path,
    *,
    inventory: Path | None = None,
    currency: str | None = None,
    minor_units: Annotated[bool, Parameter(help="Prices in the file are in minor units (cents).")] = False,
    keep_good: Annotated[bool, Parameter(help="Write the rows that are right, even if others are wrong.")] = False,
    at: Annotated[str, Parameter(help="Location whose stock the file tells.")] = "main",
    settings: SettingsFile = None,
    locale: Locale = None,
) -> None:
    """Read products from a CSV file: all of it or nothing, unless --keep-good."""
    language = chosen_locale(locale)
    with opened(settings) as shop, progress(file.name) as tell:
        report = shop.import_products(
            OPERATOR,
            _read(file),
            currency=currency,
            minor_units=minor_units,
            inventory=None if inventory is None else _read(inventory),
            keep_good=keep_good,
            at=at,
            progress=tell,
        )
    shows.show_import(report, language)


def _read(file: Path) -> bytes:
    from eckit.kernel.errors import invalid

    if not file.is_file():
        raise invalid("no-file", "file", file.name)
    return file.read_bytes()


@app.command
def price(cart_id: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """What a cart costs, and why, line by line."""
    language = chosen_locale(locale)
    with opened(settings) as shop:
        shows.show_quote(shop.price_cart(OPERATOR, CartId(cart_id)), language)


@order_app.command
def show(order: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """An order by its id or number."""
    with opened(settings) as shop:
        shows.show_order(shop, order, chosen_locale(locale))


@order_app.command
def explain(order: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Every amount of an order: which plugin, which rule, which rounding."""
    with opened(settings) as shop:
        shows.explain_order(shop, order, chosen_locale(locale))


@app.command
def work(
    *,
    once: Annotated[bool, Parameter(help="Do what is due and stop.")] = False,
    every: Annotated[int, Parameter(help="Seconds between rounds.")] = 5,
    settings: SettingsFile = None,
) -> None:
    """Send events and mails, apply notices, recover payments, lapse unpaid orders; until stopped."""
    from eckit.cli.working import run

    with opened(settings) as shop:
        run(shop, once=once, every_s=every)


@db_app.command(name="upgrade")
def db_upgrade(*, settings: SettingsFile = None) -> None:
    """Bring the tables of the core and of every plugin to the newest version."""
    with opened(settings, check=False) as shop:
        steps = upgrade(shop.database, shop.plugins, say=say)
    say(f"{len(steps)} steps taken; the tables are up to date." if steps else "The tables are up to date.")


@db_app.command(name="check")
def db_check(*, settings: SettingsFile = None) -> None:
    """Whether all tables are there and up to date; exit 1 if not."""
    with opened(settings, check=False) as shop:
        steps = pending(shop.database, shop.plugins)
        if steps:
            grid(
                "Still to be taken", ("whose", "revision", "what"), [(step.owner, step.id, step.what) for step in steps]
            )
            sys.exit(1)
        shop.check()
    say("All tables are there and up to date.")


@db_app.command(name="revision", show=False)
def db_revision(what: str) -> None:
    """For maintainers: write the next migration of the core, from what the code declares."""
    from eckit.migrations.authoring import write
    from eckit.testing.postgres import create_database, embedded_postgres

    with embedded_postgres() as server:
        written = write(create_database(server, "revision"), what)
    say(str(written.name) if written else "Nothing to write: the revisions make what the code declares.")


@app.command
def audit(*, settings: SettingsFile = None) -> None:
    """Prove the invariants on the shop's data; exit 1 if one is violated."""
    with opened(settings) as shop:
        found = shows.audit(shop)
    sys.exit(1 if found else 0)


@app.command
def plugins(*, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Every plugin: version, what it registers, its order, its settings (secrets masked), and what is wrong."""
    chosen = settings_of(settings)
    specs = [spec for capability in CAPABILITIES for spec in capability.SPECS]
    composed = compose_plugins(
        specs,
        discover=chosen.discover,
        settings_source=chosen.plugins,
        order=chosen.plugin_order,
        disabled=chosen.disabled_plugins,
        strict=False,
        limits=chosen.limits,
        collect=[capability.collect for capability in CAPABILITIES],
    )
    shows.show_plugins(composed, chosen_locale(locale))
    sys.exit(1 if composed.problems else 0)


def with_plugin_commands(arguments: list[str]) -> None:
    """Add the commands that plugins bring, when one of them is asked for: ``eckit <plugin> <command>``."""
    known = {name for name in app if not name.startswith("-")}
    if not arguments or arguments[0].startswith("-") or arguments[0] in known:
        return
    try:
        settings = settings_of(None)
    except InvalidInputError:
        return
    shop = Shop.compose(settings, check=False)
    for answer in shop.plugins.call.register_commands().given:
        group = App(name=answer.plugin, help=f"Commands of the plugin {answer.plugin}.")
        for command in answer.value:
            group.command(_bound(shop, command.run), name=command.name, help=command.help or None)
        app.command(group)


def _bound(shop: Shop, run: Callable[..., Any]) -> Callable[..., Any]:
    """The command's function with the shop as its first argument given."""
    import functools
    import inspect

    bound = functools.partial(run, shop)
    functools.update_wrapper(bound, run)
    first, *others = inspect.signature(run).parameters.values()
    bound.__signature__ = inspect.Signature(others)  # type: ignore[attr-defined]
    bound.__annotations__ = {name: kind for name, kind in run.__annotations__.items() if name != first.name}
    return bound
