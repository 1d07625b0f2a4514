"""The commands. Each loads what it needs when it runs: whoever asks for help does not wait for a database driver."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from eckit.cli.opening import OPERATOR, Locale, SettingsFile, chosen_locale, opened, read_file, settings_of
from eckit.cli.printing import progress, say
from eckit.kernel.texts import say as text_of

app = App(name="eckit", help="A shop from the command line. Start with: eckit demo", version_flags=["--version"])
import_app = App(name="import", help="Bring data in.")
order_app = App(name="order", help="Look at orders.")
db_app = App(name="db", help="Make and check tables.")
for child in (import_app, order_app, db_app):
    app.command(child)

app.command(
    "eckit.cli.demo:demo",
    name="demo",
    help="A shop in a fresh folder: five purchases at an offline provider, mails in a folder, and an audit at the end.",
)
app.command(
    "eckit.cli.starting:init",
    name="init",
    help="Make a shop in a folder: eckit.toml, tables, a channel, a market, a warehouse; for Japan, rates and fares.",
)


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
    locale: Annotated[
        str | None,
        Parameter(help="Language of what is printed, and of texts whose column names none: en or ja."),
    ] = None,
) -> None:
    """Read products from a CSV file: all of it or nothing, unless --keep-good."""
    from eckit.cli import shows

    language = chosen_locale(locale)
    with opened(settings) as shop, progress(file.name) as tell:
        report = shop.import_products(
            OPERATOR,
            read_file(file),
            currency=currency,
            minor_units=minor_units,
            inventory=None if inventory is None else read_file(inventory),
            keep_good=keep_good,
            at=at,
            progress=tell,
            locale=locale or "en",  # the language somebody's terminal is in says nothing about a file
        )
    shows.show_import(report, language)


@app.command
def price(cart_id: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """What a cart costs, and why, line by line."""
    from eckit.cli import shows
    from eckit.kernel.ids import CartId

    language = chosen_locale(locale)
    with opened(settings) as shop:
        shows.show_quote(shop.price_cart(OPERATOR, CartId(cart_id)), language)


@order_app.command
def show(order: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """An order by its id or number."""
    from eckit.cli import shows

    with opened(settings) as shop:
        shows.show_order(shop, order, chosen_locale(locale))


@order_app.command
def explain(order: str, *, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Every amount of an order: which plugin, which rule, which rounding."""
    from eckit.cli import shows

    with opened(settings) as shop:
        shows.explain_order(shop, order, chosen_locale(locale))


@app.command
def work(
    *,
    once: Annotated[bool, Parameter(help="Do what is due and stop; exit 1 if a job failed.")] = False,
    every: Annotated[int, Parameter(help="Seconds between rounds.")] = 5,
    settings: SettingsFile = None,
    locale: Locale = None,
) -> None:
    """Send events and mails, apply notices, recover payments, lapse unpaid orders; until stopped."""
    from eckit.cli.working import run

    language = chosen_locale(locale)
    with opened(settings) as shop:
        failed = run(shop, once=once, every_s=every, locale=language)
    sys.exit(1 if once and failed else 0)


@db_app.command(name="upgrade")
def db_upgrade(*, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Bring the tables of the core and of every plugin to the newest version."""
    from eckit.migrations import upgrade

    language = chosen_locale(locale)
    with opened(settings, check=False) as shop:
        steps = upgrade(shop.database, shop.plugins, say=say)
    if steps:
        say(text_of("cli.steps_taken", language, count=len(steps)))
    say(text_of("cli.up_to_date", language))


@db_app.command(name="check")
def db_check(*, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Whether all tables are there and up to date; exit 1 if not."""
    from eckit.cli.overview import show_steps
    from eckit.migrations import pending

    language = chosen_locale(locale)
    with opened(settings, check=False) as shop:
        steps = pending(shop.database, shop.plugins)
        if steps:
            show_steps(steps, language)
            sys.exit(1)
        shop.check()
    say(text_of("cli.up_to_date", language))


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
    from eckit.cli import shows

    with opened(settings) as shop:
        found = shows.audit(shop)
    sys.exit(1 if found else 0)


@app.command
def plugins(*, settings: SettingsFile = None, locale: Locale = None) -> None:
    """Every plugin: version, what it brings, who chooses, settings (secrets masked); exit 1 if something is wrong."""
    from eckit.cli import overview

    right = overview.show(settings_of(settings), chosen_locale(locale))
    sys.exit(0 if right else 1)
