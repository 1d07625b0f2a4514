"""Prices of another currency's list, converted by a dated rate: exact, rounded once, never free, never guessed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest

from eckit.catalog.model import Offer, Price, PriceList
from eckit.currency.model import Rate
from eckit.pricing import rules
from eckit.pricing.rules.sheet import Sheet
from tests.pricing.priced import AT, Item, a_cart, a_market, an_offer, ident, the_terms


def rate(base: str, quote: str, value: str) -> Rate:
    return Rate(base=base, quote=quote, rate=Decimal(value), source="test", at=AT)


def offered(*prices: tuple[str, int], scale: int = 0, **others: Any) -> Mapping[Any, Offer]:
    """One variant with a price on a list of each of these currencies; the first list has the lowest priority."""
    offer = an_offer(1, Item(unit=0, scale=scale), a_market())
    pairs = tuple(
        (
            PriceList(id=ident("pls", n), code=f"list-{currency}", currency=currency, includes_tax=True, priority=n),
            Price(variant_id=offer.variant.id, list_id=ident("pls", n), amount_minor=minor, **others),
        )
        for n, (currency, minor) in enumerate(prices, 1)
    )
    return {offer.variant.id: attrs.evolve(offer, prices=pairs)}


def sheet(currency: str, offers: Mapping[Any, Offer], *rates: Rate, steps: int = 1, **how: Any) -> Sheet:
    lines, groups = a_cart([Item(unit=0, steps=steps)])
    terms = the_terms(a_market(currency), rates={one.base: one for one in rates})
    made = rules.start(terms, groups)
    rules.price_lines(made, lines, offers, **how)
    return made


@pytest.mark.parametrize(
    ("base", "minor", "market", "value", "unit"),
    [
        ("JPY", 1000, "EUR", "0.0061728395", 617),
        ("EUR", 1000, "JPY", "161.50", 1615),
        ("JPY", 1000, "KWD", "0.00206", 2060),
        ("KWD", 1, "JPY", "485", 0),
        ("EUR", 1, "JPY", "50", 1),
        ("EUR", 0, "JPY", "161.50", 0),
    ],
)
def test_a_price_is_converted_between_currencies_of_any_decimals(
    base: str, minor: int, market: str, value: str, unit: int
) -> None:
    """Half up to the smallest unit. What is less than that has no price; what was free stays free."""
    made = sheet(market, offered((base, minor)), rate(base, market, value), steps=3)
    if minor and not unit:
        assert ([], ["no-price"]) == (made.lines, [item.code for item in made.open])
        assert {} == made.rates
        return
    [row] = made.lines
    assert (unit, 3 * unit, 3 * unit) == (row.unit_minor, row.goods, made.total)
    assert {base: rate(base, market, value)} == made.rates


def test_a_price_of_the_markets_own_currency_is_never_converted() -> None:
    """Whatever a list of another currency says, and whatever its priority; its rate is not in the quote."""
    made = sheet("JPY", offered(("JPY", 2000), ("EUR", 1)), rate("EUR", "JPY", "161.50"))
    assert ([2000], {}) == ([row.unit_minor for row in made.lines], made.rates)
    assert "exchange" not in made.trace[0].inputs


def test_without_a_rate_there_is_no_price() -> None:
    """Nor with the rate of another currency: silence is not 1, and no rate goes by way of a third."""
    for rates in ((), (rate("USD", "JPY", "149"),)):
        made = sheet("JPY", offered(("EUR", 1000)), *rates)
        assert ([], [("no-price", "shop")]) == (made.lines, [(item.code, item.who) for item in made.open])


def test_of_several_currencies_the_list_of_the_highest_priority_counts() -> None:
    """With equal ones, the first currency by its code: the same price whatever order the rates were read in."""
    offers = offered(("EUR", 1000), ("USD", 1000))
    rates = [rate("USD", "JPY", "149"), rate("EUR", "JPY", "161.50")]
    assert 1490 == sheet("JPY", offers, *rates).lines[0].unit_minor
    [offer] = offers.values()
    alike = {
        offer.variant.id: attrs.evolve(
            offer, prices=tuple((attrs.evolve(one, priority=0), price) for one, price in offer.prices)
        )
    }
    for order in (rates, rates[::-1]):
        assert 1615 == sheet("JPY", alike, *order).lines[0].unit_minor


def test_an_original_price_is_converted_and_rounded_alike() -> None:
    """A reduced price never looks dearer than the one it was reduced from."""
    made = sheet(
        "JPY", offered(("EUR", 1000), original_minor=1200), rate("EUR", "JPY", "161.50"), round_price=lambda _: 1600
    )
    assert (1600, 1600) == (made.lines[0].unit_minor, made.lines[0].list_minor)
    made = sheet("JPY", offered(("EUR", 1000), original_minor=1200), rate("EUR", "JPY", "161.50"))
    assert (1615, 1938) == (made.lines[0].unit_minor, made.lines[0].list_minor)


def test_a_quantity_tier_is_reached_in_another_currency_too() -> None:
    """By the steps of the cart, as with prices of its own."""
    [tiered] = offered(("EUR", 1000), ("EUR", 900)).values()
    [first, second] = tiered.prices
    same = attrs.evolve(second[0], id=first[0].id, code=first[0].code, priority=first[0].priority)
    ladder = (first, (same, attrs.evolve(second[1], min_steps=3, list_id=first[0].id)))
    offers = {tiered.variant.id: attrs.evolve(tiered, prices=ladder)}
    units = [sheet("JPY", offers, rate("EUR", "JPY", "160"), steps=steps).lines[0].unit_minor for steps in (2, 3)]
    assert [1600, 1440] == units


def test_which_currencies_and_amounts_are_asked_for() -> None:
    """Only what has no price of its own asks for a rate; each amount that converting gives is rounded once."""
    lines, _ = a_cart([Item(unit=0)])
    terms = the_terms(a_market("JPY"))
    for prices, expected in (
        ((("JPY", 1), ("EUR", 1)), frozenset()),
        ((("EUR", 1), ("USD", 1)), frozenset({"EUR", "USD"})),
        ((), frozenset()),
    ):
        assert expected == rules.to_convert(terms, lines, offered(*prices))
    known = attrs.evolve(terms, rates={"EUR": rate("EUR", "JPY", "161.50")})
    offers = offered(("EUR", 1000), original_minor=1200)
    assert ((), (1615, 1938)) == (rules.to_round(terms, lines, offers), rules.to_round(known, lines, offers))
    assert () == rules.to_round(known, lines, offered(("JPY", 5), ("EUR", 1000)))
