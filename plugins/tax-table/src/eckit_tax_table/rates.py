"""The rates of the table as facts, and how one is found. Pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import attrs

from eckit import TaxPlace, Text, invalid
from eckit.kernel.clock import utc
from eckit.kernel.countries import expect_country
from eckit.kernel.text import clean
from eckit_tax_table.errors import NoTaxRateError

MAX_DECIMALS: Final = 10


@attrs.frozen(kw_only=True)
class Rate:
    """One row: in this place this class has this rate.

    :ivar region: as addresses write it (``東京都``, ``CA``); ``""`` for the whole country.
    :ivar rate: a fraction: ``Decimal("0.10")`` is 10 %.
    :ivar code: names the rate on quotes and invoices: ``jp-standard``.
    :ivar valid_from: the first instant it is in force. ``valid_to``: the first one it is not any more; None: open.
    """

    country: str
    region: str = ""
    tax_class: str
    code: str
    rate: Decimal
    label: Text
    valid_from: dt.datetime
    valid_to: dt.datetime | None = None

    def covers(self, at: dt.datetime) -> bool:
        """Whether it is in force at an instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


def accepted(given: Rate) -> Rate:
    """The rate in the form it is stored in.

    :raises InvalidInputError: names the field: no country code, a rate that is no fraction from 0 to 1 with at most ten
        decimals, an end that is not after the start.
    """
    expect_country(given.country, "country")
    start = utc(given.valid_from, "valid_from")
    end = None if given.valid_to is None else utc(given.valid_to, "valid_to")
    if end is not None and end <= start:
        raise invalid("window-reversed", "valid_to", end.isoformat(), limit=start.isoformat())
    return attrs.evolve(
        given,
        region=clean(given.region, path="region", max_length=80),
        tax_class=_code(given.tax_class, "tax_class"),
        code=_code(given.code, "code"),
        rate=parsed(given.rate),
        valid_from=start,
        valid_to=end,
    )


def _code(text: str, path: str) -> str:
    if not text:
        raise invalid("missing", path, text)
    return clean(text, path=path, max_length=80)


def parsed(rate: Decimal | str) -> Decimal:
    """A rate from what was given: ``0.08``, ``8%``; never a float.

    :raises InvalidInputError: ``rate-out-of-range``, ``not-an-amount``.
    :raises TypeError: a float or another number.
    """
    if not isinstance(rate, Decimal | str):
        raise TypeError(f"rate: expected Decimal or text, not {type(rate).__name__}")
    try:
        if isinstance(rate, str) and rate.strip().endswith("%"):
            fraction = Decimal(rate.strip()[:-1].strip()).scaleb(-2)
        else:
            fraction = Decimal(rate)
    except InvalidOperation as error:
        raise invalid("not-an-amount", "rate", rate, suggestion="0.10") from error
    if not fraction.is_finite():
        raise invalid("not-an-amount", "rate", rate, suggestion="0.10")
    exponent = fraction.normalize().as_tuple().exponent
    if not 0 <= fraction <= 1 or (isinstance(exponent, int) and exponent < -MAX_DECIMALS):
        raise invalid("rate-out-of-range", "rate", rate, limit=1, suggestion="0.10")
    return Decimal(format(fraction.normalize(), "f"))


Table = Mapping[tuple[str, str, str], tuple[Rate, ...]]
"""(country, region, tax class) → its rates, the latest first."""


def table(rates: Iterable[Rate]) -> Table:
    """Rates by what they are for."""
    found: defaultdict[tuple[str, str, str], list[Rate]] = defaultdict(list)
    for rate in sorted(rates, key=lambda rate: rate.valid_from, reverse=True):
        found[rate.country, rate.region, rate.tax_class].append(rate)
    return {key: tuple(of_one) for key, of_one in found.items()}


def find(table: Table, place: TaxPlace, tax_class: str, at: dt.datetime) -> Rate:
    """The rate in force: the region's before the country's.

    :raises NoTaxRateError: there is none. Nothing is taken for 0 %.
    """
    for region in dict.fromkeys((place.region, "")):
        for rate in table.get((place.country, region, tax_class), ()):
            if rate.covers(at):
                return rate
    raise NoTaxRateError(tax_class=tax_class, country=place.country, region=place.region, at=at.isoformat())
