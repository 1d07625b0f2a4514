"""Fares as facts, and how one is found. Pure: no database, no clock."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from eckit import TaxPlace, Text, invalid
from eckit.kernel.clock import utc, zone_of
from eckit.kernel.countries import expect_country
from eckit.kernel.money import checked_minor, exponent
from eckit.kernel.text import clean, fold_digits
from eckit_tablerate.regions import region_of

MAX_GRAMS: Final = 10**8
MAX_LEAD_DAYS: Final = 365
PREFIX: Final = 3
"""Signs of a postal code that pricing knows of a destination; the rest is personal data."""


@attrs.frozen(kw_only=True)
class Service:
    """One way to deliver, by which carts name it: ``tablerate.<code>``.

    :ivar tax_class: of its fares.
    :ivar zone: whose days its lead days are, as an IANA name.
    :ivar free_from_minor: goods worth at least so much, in minor units of ``free_currency`` and in the cart's own tax
        basis, are delivered free; None: never.
    """

    code: str
    label: Text
    tax_class: str = "standard"
    zone: str = "UTC"
    free_from_minor: int | None = None
    free_currency: str | None = None


@attrs.frozen(kw_only=True)
class Rate:
    """One row: a parcel of at most this weight costs so much to this place.

    :ivar region: as addresses write it (``東京都``, ``CA``); ``""`` for the whole country.
    :ivar amount_minor: in minor units of ``currency``; with tax if ``tax_included``.
    :ivar valid_from: the first instant it is in force. ``valid_to``: the first one it is not any more; None: open.
    :ivar lead_days: days until it can arrive at the earliest; None: nothing is promised.
    """

    service: str
    country: str
    region: str = ""
    max_weight_grams: int
    amount_minor: int
    currency: str
    tax_included: bool = True
    valid_from: dt.datetime
    valid_to: dt.datetime | None = None
    lead_days: int | None = None

    @property
    def key(self) -> "Key":
        """What it is for."""
        return self.service, self.country, self.region, self.currency, self.tax_included

    @property
    def table(self) -> str:
        """Names the row on an order: ``standard/JP/東京都/2000g/2026-03-31T15:00``."""
        place = f"{self.country}/{self.region}" if self.region else self.country
        return f"{self.service}/{place}/{self.max_weight_grams}g/{self.valid_from:%Y-%m-%dT%H:%M}"

    def covers(self, at: dt.datetime) -> bool:
        """Whether it is in force at an instant."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


Key: TypeAlias = tuple[str, str, str, str, bool]
"""Service, country, region, currency, whether tax is included."""

Place: TypeAlias = tuple[str, str, str, str]
"""Service, country, region, first signs of the postal code: where it does not go."""


@attrs.frozen
class Facts:
    """Everything the tables hold, past and future rows too, by what is asked for."""

    services: tuple[Service, ...]
    rates: Mapping[Key, tuple[Rate, ...]]
    excluded: frozenset[Place]

    @classmethod
    def of(cls, services: Iterable[Service], rates: Iterable[Rate], excluded: Iterable[Place]) -> "Facts":
        """Services by code; rates the latest first."""
        found: defaultdict[Key, list[Rate]] = defaultdict(list)
        for rate in sorted(rates, key=lambda rate: rate.valid_from, reverse=True):
            found[rate.key].append(rate)
        by_code = sorted(services, key=lambda service: service.code)
        return cls(tuple(by_code), {key: tuple(of_one) for key, of_one in found.items()}, frozenset(excluded))

    def goes_to(self, service: str, place: TaxPlace) -> bool:
        """Whether a service delivers to a place at all."""
        prefix, region = place.postal_prefix[:PREFIX], region_of(place.country, place.region)
        near = {(service, place.country, one, other) for one in {region, ""} for other in {prefix, ""}}
        return not near & self.excluded

    def tariff(self, service: str, place: TaxPlace, currency: str, basis: bool, at: dt.datetime) -> tuple[Rate, ...]:
        """The fares in force for a place, the lightest first: the region's, or the country's if it has none."""
        for region in dict.fromkeys((region_of(place.country, place.region), "")):
            rows = self.rates.get((service, place.country, region, currency, basis), ())
            if current := tuple(_current(rows, at)):
                return current
        return ()


def _current(rows: Iterable[Rate], at: dt.datetime) -> Iterator[Rate]:
    newest: dict[int, Rate] = {}
    for rate in rows:  # the latest first
        if rate.covers(at):
            newest.setdefault(rate.max_weight_grams, rate)
    return iter(rate for _, rate in sorted(newest.items()))


def find(tariff: Sequence[Rate], weight_grams: int) -> Rate | None:
    """The fare of a parcel: the cheapest of those that allow its weight, so that more weight never costs less.

    A weight of exactly the limit is allowed. None: it is too heavy for all.
    """
    able = [rate for rate in tariff if weight_grams <= rate.max_weight_grams]
    return min(able, key=lambda rate: (rate.amount_minor, rate.max_weight_grams), default=None)


def accepted_service(given: Service) -> Service:
    """The service in the form it is stored in.

    :raises InvalidInputError: names the field.
    """
    if not (1 <= len(given.code) <= 40 and given.code.isascii() and given.code.replace("-", "").isalnum()):
        raise invalid("wrong-code", "service", given.code, limit="a-z 0-9 -, 1…40")
    if not given.label:
        raise invalid("missing", "label", "")
    if not given.tax_class:
        raise invalid("missing", "tax_class", "")
    zone_of(given.zone, "zone")
    if given.free_from_minor is not None:
        exponent(given.free_currency or "")
        if checked_minor(given.free_from_minor, "free_from") < 0:
            raise invalid("negative", "free_from", given.free_from_minor)
    return attrs.evolve(given, tax_class=clean(given.tax_class, path="tax_class", max_length=80))


def accepted_rate(given: Rate) -> Rate:
    """The fare in the form it is stored in.

    :raises InvalidInputError: names the field: no country code, a negative amount, a weight or lead time out of range,
        an end that is not after the start.
    """
    exponent(given.currency)
    if checked_minor(given.amount_minor, "amount_minor") < 0:
        raise invalid("negative", "amount_minor", given.amount_minor)
    _within(given.max_weight_grams, 1, MAX_GRAMS, "max_weight_grams")
    if given.lead_days is not None:
        _within(given.lead_days, 0, MAX_LEAD_DAYS, "lead_days")
    start = utc(given.valid_from, "valid_from")
    end = None if given.valid_to is None else utc(given.valid_to, "valid_to")
    if end is not None and end <= start:
        raise invalid("window-reversed", "valid_to", end.isoformat(), limit=start.isoformat())
    country = expect_country(given.country, "country")
    region = region_of(country, clean(given.region, path="region", max_length=100))
    return attrs.evolve(given, country=country, region=region, valid_from=start, valid_to=end)


def accepted_place(service: str, country: str, region: str, postal_prefix: str) -> Place:
    """A place a service does not go to, in the form it is stored in.

    :raises InvalidInputError: names the field; ``too-long`` for a prefix longer than pricing knows.
    """
    code = expect_country(country, "country")
    prefix = fold_digits(postal_prefix, "postal_prefix", letters=True) if postal_prefix else ""
    if len(prefix) > PREFIX:
        raise invalid("too-long", "postal_prefix", postal_prefix, limit=PREFIX)
    return service, code, region_of(code, clean(region, path="region", max_length=100)), prefix


def _within(value: object, least: int, most: int, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid("wrong-quantity", path, value, limit=f"{least}…{most}")
