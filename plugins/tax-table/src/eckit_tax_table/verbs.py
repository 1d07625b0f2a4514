"""What can be done with the table. Every verb takes a ``Work`` of the shop and acts in its transaction."""

import datetime as dt
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from eckit import Text, Work
from eckit.kernel.clock import day_bounds
from eckit.kernel.refs import Ref
from eckit_tax_table.rates import Rate, accepted, parsed
from eckit_tax_table.tables import rate as rate_table

MANAGE: Final = "tax-table.write"
_SINGLE_RATE: Final = dt.date(2014, 4, 1)
_TWO_RATES: Final = dt.date(2019, 10, 1)
_ALL: Final = sa.select(rate_table).order_by(*rate_table.primary_key)


def set_rate(
    work: Work,
    *,
    country: str,
    tax_class: str,
    rate: Decimal | str,
    code: str,
    label: Text | None = None,
    valid_from: dt.datetime,
    valid_to: dt.datetime | None = None,
    region: str = "",
) -> Rate:
    """Put a rate into the table, in place of one of the same class, place and start. Needs ``tax-table.write``.

    A rate stays in force until its end or until a later one starts; quotes made under the old rates are made anew.

    :param rate: a fraction from 0 to 1, ``Decimal("0.10")`` or ``"10%"``.
    :param valid_from: an aware instant; a day's start in the place's zone: ``clock.day_bounds(day, zone)[0]``.
    :raises InvalidInputError: names the field.
    """
    work.actor.require(MANAGE)
    given = accepted(
        Rate(
            country=country,
            region=region,
            tax_class=tax_class,
            code=code,
            rate=parsed(rate),
            label=label or Text.of("Tax", ja="税"),
            valid_from=valid_from,
            valid_to=valid_to,
        )
    )
    _put(work, [given])
    work.did("tax-table.set_rate", _ref(given))
    return given


def remove_rate(work: Work, *, country: str, tax_class: str, valid_from: dt.datetime, region: str = "") -> bool:
    """Take a rate out of the table; whether there was one. Needs ``tax-table.write``."""
    work.actor.require(MANAGE)
    gone = work.own.execute(
        sa.delete(rate_table).where(
            rate_table.c.country == country,
            rate_table.c.region == region,
            rate_table.c.tax_class == tax_class,
            rate_table.c.valid_from == valid_from,
        )
    )
    if gone.rowcount:
        work.did("tax-table.remove_rate", Ref("tax-table.rate", f"{country}/{region}/{tax_class}"))
    return gone.rowcount > 0


def rates(work: Work) -> tuple[Rate, ...]:
    """All rates, by country, region, class and start."""
    return read(work.own)


def read(own: Any) -> tuple[Rate, ...]:
    """All rates, as the engine loads them."""
    return tuple(
        Rate(
            country=row.country,
            region=row.region,
            tax_class=row.tax_class,
            code=row.code,
            rate=Decimal(row.rate),
            label=Text(row.label),
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in own.execute(_ALL)
    )


def japan() -> tuple[Rate, ...]:
    """Japan's consumption tax since 2014.

    10 % (``standard``) and 8 % for food, drink and subscribed newspapers (``reduced``) since 2019-10-01; before that
    one rate of 8 % since 2014-04-01. Source: National Tax Agency, 消費税率等及び軽減税率制度について.
    """
    single = Text.of("Consumption tax 8%", ja="消費税 8%")
    standard = Text.of("Consumption tax 10%", ja="消費税 10%")
    reduced = Text.of("Consumption tax 8% (reduced)", ja="消費税 8%（軽減）")
    return (
        _japanese("standard", "jp-8", "0.08", single, _SINGLE_RATE, until=_TWO_RATES),
        _japanese("reduced", "jp-8", "0.08", single, _SINGLE_RATE, until=_TWO_RATES),
        _japanese("standard", "jp-standard", "0.10", standard, _TWO_RATES),
        _japanese("reduced", "jp-reduced", "0.08", reduced, _TWO_RATES),
    )


def _japanese(
    tax_class: str, code: str, rate: str, label: Text, since: dt.date, *, until: dt.date | None = None
) -> Rate:
    """A rate between two days in Japan, the second one excluded."""
    return accepted(
        Rate(
            country="JP",
            tax_class=tax_class,
            code=code,
            rate=parsed(rate),
            label=label,
            valid_from=day_bounds(since, "Asia/Tokyo")[0],
            valid_to=None if until is None else day_bounds(until, "Asia/Tokyo")[0],
        )
    )


def preset_japan(work: Work) -> tuple[Rate, ...]:
    """Put Japan's rates into the table: see :func:`japan`. Again changes nothing. Needs ``tax-table.write``."""
    work.actor.require(MANAGE)
    given = japan()
    _put(work, given)
    work.did("tax-table.preset_japan", *map(_ref, given))
    return given


def _ref(given: Rate) -> Ref:
    return Ref("tax-table.rate", f"{given.country}/{given.region}/{given.tax_class}/{given.valid_from:%Y-%m-%dT%H:%M}")


def _put(work: Work, given: list[Rate] | tuple[Rate, ...]) -> None:
    """All at once, each in place of an earlier one of its key."""
    for one in given:
        work.own.execute(_same_key(one))
    work.own.execute(sa.insert(rate_table).values([_row(one) for one in given]))


def _same_key(given: Rate) -> sa.Delete:
    return sa.delete(rate_table).where(
        *(rate_table.c[name] == getattr(given, name) for name in ("country", "region", "tax_class", "valid_from"))
    )


def _row(given: Rate) -> dict[str, Any]:
    return {
        "country": given.country,
        "region": given.region,
        "tax_class": given.tax_class,
        "valid_from": given.valid_from,
        "valid_to": given.valid_to,
        "code": given.code,
        "rate": format(given.rate, "f"),
        "label": given.label.as_dict(),
    }
