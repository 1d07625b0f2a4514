"""What makes a channel, market or entity acceptable."""

import functools
import re
import zoneinfo
from collections.abc import Container, Iterable, Iterator

from eckit.channel.model import Channel, ExternalRef, LegalEntity, Market, Seller, Setup
from eckit.kernel.countries import STANDARD, countries as known
from eckit.kernel.errors import InvalidInputError, Problem
from eckit.kernel.money import exponent
from eckit.kernel.text import fold_email

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LEVELS = ("line", "unit", "rate")
REMITTERS = ("shop", "channel")


def market_problems(market: Market) -> Iterator[Problem]:
    """Everything wrong with a market."""
    yield from _code_problems("market.code", market.code)
    yield from _country_problems("market.countries", market.countries)
    try:
        exponent(market.currency)
    except InvalidInputError:
        yield Problem(code="unknown-currency", path="market.currency", value=market.currency)
    if market.rounding.level not in LEVELS:
        yield Problem(code="unknown-code", path="market.rounding.level", value=market.rounding.level, limit=LEVELS)
    if market.zone not in _zones():
        yield Problem(code="unknown-zone", path="market.zone", value=market.zone)
    if market.freeze.total_seconds() < 0:
        yield Problem(code="negative", path="market.freeze", value=market.freeze)
    yield from _locale_problems("market.locales", market.locales)


@functools.cache
def _zones() -> frozenset[str]:
    """Every time zone there is; looking for them reads a thousand files."""
    return frozenset(zoneinfo.available_timezones())


def channel_problems(channel: Channel, setup: Setup) -> Iterator[Problem]:
    """Everything wrong with a channel, given what is set up so far."""
    yield from _code_problems("channel.code", channel.code)
    yield from _unknown("channel.legal_entity_id", {channel.legal_entity_id}, setup.legal_entities)
    yield from _unknown("channel.seller_id", {channel.seller_id}, setup.sellers)
    yield from _unknown("channel.market_ids", channel.market_ids, setup.markets)
    yield from _locale_problems("channel.locales", channel.locales)
    for name in ("market_ids", "number_series"):
        if not getattr(channel, name):
            yield Problem(code="empty", path=f"channel.{name}")
    if channel.tax_remitter not in REMITTERS:
        yield Problem(code="unknown-code", path="channel.tax_remitter", value=channel.tax_remitter, limit=REMITTERS)
    if channel.stock_buffer_steps < 0:
        yield Problem(code="negative", path="channel.stock_buffer_steps", value=channel.stock_buffer_steps)
    if channel.pay_within.total_seconds() <= 0:
        yield Problem(code="negative", path="channel.pay_within", value=channel.pay_within)
    yield from _mail_problems(channel)


def _unknown(path: str, wanted: Iterable[str], known: Container[str]) -> Iterator[Problem]:
    for one in sorted(set(wanted)):
        if one not in known:
            yield Problem(code="unknown-id", path=path, value=one)


def _mail_problems(channel: Channel) -> Iterator[Problem]:
    if channel.base_url is not None and not _is_base_url(channel.base_url):
        yield Problem(code="wrong-url", path="channel.base_url", value=channel.base_url)
    if channel.mail_from is not None:
        try:
            fold_email(channel.mail_from, "channel.mail_from")
        except InvalidInputError as error:
            yield from error.problems


def entity_problems(entity: LegalEntity) -> Iterator[Problem]:
    """Everything wrong with a legal entity."""
    yield from _country_problems("legal_entity.country", {entity.country})


def seller_problems(seller: Seller, setup: Setup) -> Iterator[Problem]:
    """Everything wrong with a seller, given what is set up so far."""
    yield from _code_problems("seller.code", seller.code)
    yield from _unknown("seller.legal_entity_id", {seller.legal_entity_id}, setup.legal_entities)


def link_problems(ref: ExternalRef) -> Iterator[Problem]:
    """Everything wrong with an external reference."""
    for name in ("kind", "external_id"):
        if not getattr(ref, name):
            yield Problem(code="empty", path=name)
    if ref.until is not None and ref.until <= ref.since:
        yield Problem(code="window-reversed", path="until", value=ref.until.isoformat(), limit=ref.since.isoformat())


def require_none(problems: Iterator[Problem]) -> None:
    """Insist that nothing is wrong.

    :raises InvalidInputError: with every problem.
    """
    found = tuple(problems)
    if found:
        raise InvalidInputError(problems=found)


def _code_problems(path: str, code: str) -> Iterator[Problem]:
    if not (1 <= len(code) <= 40 and code.isascii() and code.replace("-", "").replace("_", "").isalnum()):
        yield Problem(code="wrong-code", path=path, value=code, limit="A-Z a-z 0-9 - _, 1…40")


def _country_problems(path: str, countries: frozenset[str] | set[str]) -> Iterator[Problem]:
    for country in sorted(countries):
        if country not in known():
            yield Problem(code="wrong-country", path=path, value=country, limit=STANDARD)


def _is_base_url(text: str) -> bool:
    """What links in mails can be built on: an address without query, fragment or somebody's name in it."""
    scheme, there, rest = text.partition("://")
    clean = text.isascii() and text.isprintable() and not set(text) & set(' ?#@\\"<>')
    return scheme in {"https", "http"} and bool(there) and clean and bool(rest.partition("/")[0]) and rest[-1] != "/"


def _locale_problems(path: str, locales: tuple[str, ...]) -> Iterator[Problem]:
    if not locales:
        yield Problem(code="empty", path=path)
    for locale in locales:
        if not _LOCALE.fullmatch(locale):
            yield Problem(code="not-a-locale", path=path, value=locale)
