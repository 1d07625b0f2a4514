"""What a new shop begins with in a country: its currency, clock, languages and rounding; countries by the CLDR."""

import datetime as dt
import zoneinfo
from typing import Final

from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

from eckit.channel.model import RoundingPolicy
from eckit.kernel.errors import invalid
from eckit.kernel.money import Rounding, exponent

JAPAN: Final = "JP"
_SEASONS: Final = tuple(dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 4, 7, 10))


def currency_of(country: str, given: str | None) -> str:
    """The currency asked for, else what is paid with there.

    :raises InvalidInputError: ``unknown-currency``; ``currency-needed`` where several are, or none is, in use.
    """
    if given is not None:
        exponent(given)
        return given
    used = get_territory_currencies(country)
    if len(used) != 1:
        raise invalid("currency-needed", "--currency", country, limit=", ".join(used))
    return used[0]


def zone_of(country: str, given: str | None) -> str:
    """The time zone asked for, else the country's, if it has one and all its clocks show the same.

    :raises InvalidInputError: ``unknown-zone``; ``zone-needed``.
    """
    there = zoneinfo.available_timezones()
    if given is not None:
        if given not in there:
            raise invalid("unknown-zone", "--zone", given)
        return given
    zones: list[str] = [name for name in get_global("territory_zones").get(country, ()) if name in there]
    if len(set(map(_clock, zones))) != 1:
        raise invalid("zone-needed", "--zone", country, limit=", ".join(zones))
    return zones[0]


def _clock(zone: str) -> tuple[dt.timedelta | None, ...]:
    return tuple(instant.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for instant in _SEASONS)


def locales_of(country: str) -> tuple[str, ...]:
    """The language most widely spoken there of those that are official, and English."""
    official = [name.replace("_", "-") for name in get_official_languages(country, de_facto=True)[:1]]
    return tuple(dict.fromkeys((*official, "en")))


def rounding_of(country: str) -> RoundingPolicy:
    """Tax is rounded once per rate: down in Japan, as shops there do; elsewhere half up, as EN 16931 has it."""
    return RoundingPolicy(level="rate", mode=Rounding.FLOOR if country == JAPAN else Rounding.HALF_UP)
