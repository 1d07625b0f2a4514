"""List prices of another currency, converted by a dated rate where the market's own currency has none."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import attrs

from eckit.catalog.model import Offer, Price, PriceList
from eckit.currency.model import Rate
from eckit.currency.rules import convert
from eckit.kernel.ids import VariantId
from eckit.kernel.money import Rounding
from eckit.pricing.rules.choice import choose_price
from eckit.pricing.rules.sheet import Terms, WantedLine

PriceRounding: TypeAlias = Callable[[int], int]
"""What a converted price becomes in the market, in minor units of the market's currency."""


@attrs.frozen(kw_only=True)
class Converted:
    """A price that was converted.

    :ivar price: its amounts are in the market's currency.
    :ivar inputs: for the trace: what it was, the rate with its source and instant, and what it was before rounding.
    """

    price_list: PriceList
    price: Price
    rate: Rate
    inputs: Mapping[str, str]


def steps_together(wanted: Iterable[WantedLine]) -> dict[VariantId, int]:
    """All steps of each variant in the cart, which together reach a quantity tier."""
    together: dict[VariantId, int] = {}
    for line in wanted:
        together[line.variant_id] = together.get(line.variant_id, 0) + line.steps
    return together


def to_convert(terms: Terms, wanted: Iterable[WantedLine], offers: Mapping[VariantId, Offer]) -> frozenset[str]:
    """The other currencies in which there is a price for what has none in the market's own."""
    found: set[str] = set()
    for variant_id, steps in steps_together(wanted).items():
        offer = offers.get(variant_id)
        others = set() if offer is None else {one.currency for one, _ in offer.prices} - {terms.market.currency}
        if offer is None or not others or chosen(terms, offer, terms.market.currency, steps) is not None:
            continue
        found |= {other for other in others if chosen(terms, offer, other, steps) is not None}
    return frozenset(found)


def to_round(terms: Terms, wanted: Iterable[WantedLine], offers: Mapping[VariantId, Offer]) -> tuple[int, ...]:
    """The amounts that converting gives, each once, in minor units of the market's currency."""
    seen: set[int] = set()

    def note(amount_minor: int) -> int:
        seen.add(amount_minor)
        return amount_minor

    for variant_id, steps in steps_together(wanted).items() if terms.rates else ():
        offer = offers.get(variant_id)
        if offer is not None and chosen(terms, offer, terms.market.currency, steps) is None:
            converted(terms, offer, steps, note)
    return tuple(sorted(seen))


def chosen(terms: Terms, offer: Offer, currency: str, steps: int) -> tuple[PriceList, Price] | None:
    """The price in a currency that counts under these terms."""
    includes_tax = terms.market.prices_include_tax
    return choose_price(
        offer, terms.channel, terms.customer_groups, currency, terms.at, steps, includes_tax=includes_tax
    )


def converted(terms: Terms, offer: Offer, steps: int, round_price: PriceRounding) -> Converted | None:
    """The price of another currency's list, converted by the rate in force and rounded; None if there is no rate.

    Of several currencies, the one whose list has the highest priority counts, then the first by its code. A price that
    is less than the smallest unit of the market's currency is no price: nothing becomes free by being converted.
    """
    found = [
        (price_list, price, rate)
        for base, rate in sorted(terms.rates.items())
        if (pair := chosen(terms, offer, base, steps)) is not None
        for price_list, price in [pair]
    ]
    if not found:
        return None
    price_list, price, rate = min(found, key=lambda one: -one[0].priority)
    exact, unit = _amount(price.amount_minor, rate, round_price)
    if price.amount_minor and not unit:
        return None
    original = price.original_minor
    in_market = attrs.evolve(
        price,
        amount_minor=unit,
        original_minor=None if original is None else max(unit, _amount(original, rate, round_price)[1]),
    )
    inputs = {
        "currency": rate.base,
        "list_unit": str(price.amount_minor),
        "exchange": format(rate.rate, "f"),
        "source": rate.source,
        "rate_at": rate.at.isoformat(),
        "converted": str(exact),
    }
    return Converted(price_list=price_list, price=in_market, rate=rate, inputs=inputs)


def _amount(minor: int, rate: Rate, round_price: PriceRounding) -> tuple[int, int]:
    """An amount converted, and what the market makes of it."""
    exact = convert(minor, rate, Rounding.HALF_UP)
    return exact, round_price(exact) if exact else 0
