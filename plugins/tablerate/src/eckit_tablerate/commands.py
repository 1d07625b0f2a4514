"""The plugin's commands: ``eckit tablerate …``."""

import datetime as dt
from typing import Any, Final

from eckit import Actor, Text, from_minor, invalid
from eckit.kernel.clock import day_bounds
from eckit.kernel.host_hooks import Command
from eckit.kernel.money import format_minor, parse_amount
from eckit_tablerate import verbs
from eckit_tablerate.fares import Rate, Service

_OPERATOR: Final = Actor.system("tablerate")


def set_(
    shop: Any,
    service: str,
    country: str,
    max_weight_grams: int,
    amount: str,
    *,
    since: dt.date,
    until: dt.date | None = None,
    currency: str = "JPY",
    region: str = "",
    zone: str = "UTC",
    lead_days: int | None = None,
    without_tax: bool = False,
    label: str = "",
) -> str:
    """Set the fare of one parcel to a place, from a day on.

    ``eckit tablerate set standard JP 2000 880 --region 東京都 --since 2026-04-01 --zone Asia/Tokyo``

    :param amount: in the currency's usual notation: 880, 12.50.
    :param since: the first day it is in force; ``until``: the last one.
    :param zone: whose days these are.
    :param without_tax: tax is added to it.
    """
    with shop.write(_OPERATOR) as work:
        given = verbs.set_rate(
            work,
            service=service,
            country=country,
            region=region,
            max_weight_grams=max_weight_grams,
            amount_minor=parse_amount(amount, currency, path="amount"),
            currency=currency,
            tax_included=not without_tax,
            valid_from=day_bounds(_day(since), zone)[0],
            valid_to=None if until is None else day_bounds(_day(until), zone)[1],
            lead_days=lead_days,
            label=Text.of(label) if label else None,
        )
    return _shown(given)


def free(shop: Any, service: str, amount: str | None = None, *, currency: str = "JPY") -> str:
    """Deliver goods worth at least an amount free; without an amount, none.

    ``eckit tablerate free standard 10000``
    """
    with shop.write(_OPERATOR) as work:
        there = {one.code: one for one in verbs.services(work)}.get(service)
        if there is None:
            known = ", ".join(one.code for one in verbs.services(work))
            raise invalid("unknown-code", "service", service, limit=known)
        given = verbs.set_service(
            work,
            code=service,
            label=there.label,
            tax_class=there.tax_class,
            zone=there.zone,
            free_from=None if amount is None else from_minor(parse_amount(amount, currency, path="amount"), currency),
        )
    return _service(given)


def list_(shop: Any, service: str = "") -> str:
    """Show services and their fares."""
    with shop.read(_OPERATOR) as work:
        services, rates = verbs.services(work), verbs.rates(work)
    lines: list[str] = []
    for one in services:
        if service in ("", one.code):
            lines += [_service(one), *(_shown(rate) for rate in rates if rate.service == one.code)]
    return "\n".join(lines) or "The table is empty. Start with: eckit tablerate preset japan"


def preset(shop: Any, name: str) -> str:
    """Put a country's fares into the table: ``preset japan``."""
    if name != "japan":
        raise invalid("unknown-code", "name", name, limit="japan")
    with shop.write(_OPERATOR) as work:
        given = verbs.preset_japan(work)
    return (
        f"{len(given)} fares of the service standard are in the table, with tax, from {given[0].valid_from:%Y-%m-%d}."
    )


def _day(given: dt.date) -> dt.date:
    """The day alone: command lines read dates with a time of 0:00."""
    return given.date() if isinstance(given, dt.datetime) else given


def _service(service: Service) -> str:
    free_from = ""
    if service.free_from_minor is not None and service.free_currency is not None:
        free_from = f", free from {format_minor(service.free_from_minor, service.free_currency, 'en')}"
    return f"{service.code}: {service.label} (tax class {service.tax_class}{free_from})"


def _shown(rate: Rate) -> str:
    place = f"{rate.country} {rate.region}".strip()
    basis = "with tax" if rate.tax_included else "without tax"
    end = "" if rate.valid_to is None else f" until {rate.valid_to:%Y-%m-%d %H:%M} UTC"
    return (
        f"  {place:<12} up to {rate.max_weight_grams:>6} g  {format_minor(rate.amount_minor, rate.currency, 'en'):>10}"
        f"  {basis}  from {rate.valid_from:%Y-%m-%d %H:%M} UTC{end}"
    )


COMMANDS: Final = (
    Command(name="set", run=set_, help="Set the fare of one parcel to a place, from a day on."),
    Command(name="free", run=free, help="Deliver goods worth at least an amount free."),
    Command(name="list", run=list_, help="Show services and their fares."),
    Command(name="preset", run=preset, help="Put a country's fares into the table: preset japan."),
)
