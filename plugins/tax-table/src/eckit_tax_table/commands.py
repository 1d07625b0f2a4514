"""The plugin's commands: ``eckit tax-table …``."""

import datetime as dt
from typing import Any, Final

from eckit import Actor, Text, invalid
from eckit.kernel.clock import day_bounds
from eckit.kernel.host_hooks import Command
from eckit_tax_table import verbs
from eckit_tax_table.rates import Rate

_OPERATOR: Final = Actor.system("tax-table")


def set_(
    shop: Any,
    country: str,
    tax_class: str,
    rate: str,
    *,
    since: dt.date,
    until: dt.date | None = None,
    zone: str = "UTC",
    region: str = "",
    code: str = "",
    label: str = "",
) -> str:
    """Set the rate of a tax class in a country, from a day on.

    ``eckit tax-table set DE standard 19% --since 2021-01-01 --zone Europe/Berlin``

    :param country: ISO 3166-1 alpha-2.
    :param rate: 19% or 0.19.
    :param since: the first day it is in force.
    :param until: the last day it is in force.
    :param zone: whose days these are.
    :param region: a region with a rate of its own, as addresses write it.
    :param code: names the rate on invoices.
    :param label: what buyers read.
    """
    with shop.write(_OPERATOR) as work:
        given = verbs.set_rate(
            work,
            country=country,
            region=region,
            tax_class=tax_class,
            rate=rate,
            code=code or f"{country.lower()}-{tax_class}",
            label=Text.of(label) if label else None,
            valid_from=day_bounds(_day(since), zone)[0],
            valid_to=None if until is None else day_bounds(_day(until), zone)[1],
        )
    return _shown(given)


def remove(shop: Any, country: str, tax_class: str, *, since: dt.date, zone: str = "UTC", region: str = "") -> str:
    """Take a rate out of the table."""
    with shop.write(_OPERATOR) as work:
        gone = verbs.remove_rate(
            work, country=country, region=region, tax_class=tax_class, valid_from=day_bounds(_day(since), zone)[0]
        )
    return "Removed." if gone else "There is no such rate; nothing was changed."


def list_(shop: Any) -> str:
    """Show all rates."""
    with shop.read(_OPERATOR) as work:
        lines = [_shown(rate) for rate in verbs.rates(work)]
    return "\n".join(lines) or "The table is empty. Start with: eckit tax-table preset japan"


def preset(shop: Any, name: str) -> str:
    """Put a country's rates into the table: ``preset japan``."""
    if name != "japan":
        raise invalid("unknown-code", "name", name, limit="japan")
    with shop.write(_OPERATOR) as work:
        return "\n".join(map(_shown, verbs.preset_japan(work)))


def _day(given: dt.date) -> dt.date:
    """The day alone: command lines read dates with a time of 0:00."""
    return given.date() if isinstance(given, dt.datetime) else given


def _shown(rate: Rate) -> str:
    """One row, in 80 columns; instants in UTC."""
    place = f"{rate.country} {rate.region}".strip()
    percent = f"{(rate.rate * 100).normalize():f}%"
    end = "" if rate.valid_to is None else f"{rate.valid_to:%Y-%m-%dT%H:%MZ}"
    since = f"{rate.valid_from:%Y-%m-%dT%H:%MZ}"
    return f"{place:<4} {rate.tax_class:<12} {percent:>7} {rate.code:<14} {since} .. {end}".rstrip()


COMMANDS: Final = (
    Command(name="set", run=set_, help="Set the rate of a tax class in a country, from a day on."),
    Command(name="remove", run=remove, help="Take a rate out of the table."),
    Command(name="list", run=list_, help="Show all rates."),
    Command(name="preset", run=preset, help="Put a country's rates into the table: preset japan."),
)
