"""What makes a channel, market or entity acceptable."""

import zoneinfo
from collections.abc import Iterator

from eckit.channel.model import Channel, LegalEntity, Market, Seller, Setup
from eckit.kernel.errors import EckitError, InvalidInputError, Problem
from eckit.kernel.money import exponent

LEVELS = ("line", "unit", "rate")
REMITTERS = ("shop", "channel")


def market_problems(market: Market) -> Iterator[Problem]:
    """Everything wrong with a market."""
    yield from _code_problems("market.code", market.code)
    yield from _country_problems("market.countries", market.countries)
    try:
        exponent(market.currency)
    except EckitError:
        yield Problem(code="unknown-currency", path="market.currency", value=market.currency)
    if market.rounding.level not in LEVELS:
        yield Problem(code="unknown-code", path="market.rounding.level", value=market.rounding.level, limit=LEVELS)
    if market.zone not in zoneinfo.available_timezones():
        yield Problem(code="unknown-zone", path="market.zone", value=market.zone)
    if market.freeze.total_seconds() < 0:
        yield Problem(code="negative", path="market.freeze", value=market.freeze)
    if not market.locales:
        yield Problem(code="empty", path="market.locales")


def channel_problems(channel: Channel, setup: Setup) -> Iterator[Problem]:
    """Everything wrong with a channel, given what is set up so far."""
    yield from _code_problems("channel.code", channel.code)
    if channel.legal_entity_id not in setup.legal_entities:
        yield Problem(code="unknown-id", path="channel.legal_entity_id", value=channel.legal_entity_id)
    if channel.seller_id not in setup.sellers:
        yield Problem(code="unknown-id", path="channel.seller_id", value=channel.seller_id)
    for market_id in channel.market_ids:
        if market_id not in setup.markets:
            yield Problem(code="unknown-id", path="channel.market_ids", value=market_id)
    if channel.tax_remitter not in REMITTERS:
        yield Problem(code="unknown-code", path="channel.tax_remitter", value=channel.tax_remitter, limit=REMITTERS)
    if channel.stock_buffer_steps < 0:
        yield Problem(code="negative", path="channel.stock_buffer_steps", value=channel.stock_buffer_steps)
    if channel.pay_within.total_seconds() <= 0:
        yield Problem(code="negative", path="channel.pay_within", value=channel.pay_within)
    if channel.base_url is not None and not channel.base_url.startswith(("https://", "http://")):
        yield Problem(code="wrong-url", path="channel.base_url", value=channel.base_url)


def entity_problems(entity: LegalEntity) -> Iterator[Problem]:
    """Everything wrong with a legal entity."""
    yield from _country_problems("legal_entity.country", {entity.country})


def seller_problems(seller: Seller, setup: Setup) -> Iterator[Problem]:
    """Everything wrong with a seller, given what is set up so far."""
    yield from _code_problems("seller.code", seller.code)
    if seller.legal_entity_id not in setup.legal_entities:
        yield Problem(code="unknown-id", path="seller.legal_entity_id", value=seller.legal_entity_id)


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
        if not (len(country) == 2 and country.isascii() and country.isupper()):
            yield Problem(code="wrong-country", path=path, value=country, limit="ISO 3166-1 alpha-2")
