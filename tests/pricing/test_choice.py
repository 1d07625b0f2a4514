"""Which price counts: audience, window, tier, priority, then the lower one."""

import datetime as dt
from typing import Any

import attrs
import pytest

from eckit.catalog.model import Offer, Price, PriceList
from eckit.kernel.clock import Window
from eckit.pricing.rules import choose_price
from tests.pricing.priced import AT, CHANNEL, Item, a_market, an_offer, ident, price as price_cart

DAY = dt.timedelta(days=1)
RETAIL = PriceList(id=ident("pls", 1), code="retail", currency="JPY", includes_tax=True)


def listed(amount: int, price_list: PriceList = RETAIL, **changes: Any) -> tuple[PriceList, Price]:
    price = Price(variant_id=ident("var", 1), list_id=price_list.id, amount_minor=amount)
    return price_list, attrs.evolve(price, **changes)


def another(number: int, **changes: Any) -> PriceList:
    return attrs.evolve(RETAIL, id=ident("pls", number), code=f"list-{number}", **changes)


def chosen(
    *prices: tuple[PriceList, Price], steps: int = 1, at: dt.datetime = AT, groups: frozenset[str] = frozenset()
) -> int | None:
    """The amount that counts, whatever the order of the prices."""
    offer = an_offer(1, Item(1), a_market())
    found = set()
    for order in (prices, prices[::-1]):
        best = choose_price(attrs.evolve(offer, prices=order), CHANNEL, groups, "JPY", at, steps, includes_tax=True)
        found.add(None if best is None else best[1].amount_minor)
    [amount] = found
    return amount


def test_list_of_another_currency_basis_channel_or_group_does_not_count() -> None:
    """A price is only ever taken from a list that is for this sale."""
    assert None is chosen(listed(100, another(2, currency="USD")))
    assert None is chosen(listed(100, another(2, includes_tax=False)))
    assert None is chosen(listed(100, another(2, channel_ids=frozenset({ident("chn", 9)}))))
    assert None is chosen(listed(100, another(2, customer_groups=frozenset({"trade"}))))
    assert 100 == chosen(listed(100, another(2, channel_ids=frozenset({CHANNEL.id}))))
    assert 100 == chosen(
        listed(100, another(2, customer_groups=frozenset({"trade"}))), groups=frozenset({"trade", "x"})
    )


def test_windows_are_half_open() -> None:
    """A price counts from its first instant on, and not at its last any more; its list's window as well."""
    window = Window(AT, AT + DAY)
    last = AT + DAY - dt.timedelta(microseconds=1)
    for price in (listed(80, window=window), listed(80, another(2, window=window))):
        normal = listed(100)
        assert 80 == chosen(price, normal, at=AT)
        assert 80 == chosen(price, normal, at=last)
        assert 100 == chosen(price, normal, at=AT + DAY)
        assert 100 == chosen(price, normal, at=AT - dt.timedelta(microseconds=1))


def test_highest_tier_reached_counts() -> None:
    """Tiers of one list and window are a ladder, even one that becomes dearer upwards."""
    ladder = (listed(100), listed(90, min_steps=10), listed(95, min_steps=20))
    assert [100, 100, 90, 95] == [chosen(*ladder, steps=steps) for steps in (1, 9, 10, 25)]


def test_sale_price_wins_over_a_tier_only_if_it_is_lower() -> None:
    """A window is a ladder of its own; between ladders the lower price wins."""
    sale = listed(92, window=Window(AT, AT + DAY))
    assert 92 == chosen(listed(100), sale)
    assert 90 == chosen(listed(100), listed(90, min_steps=10), sale, steps=10)


def test_priority_goes_before_the_lower_price() -> None:
    """A list that is to win wins even if it is dearer; of equals the lower price."""
    assert 120 == chosen(listed(100), listed(120, another(2, priority=1)))
    assert 90 == chosen(listed(100), listed(90, another(2)))


def test_tier_is_reached_by_all_lines_of_a_variant_together() -> None:
    """Sending five to one place and five to another does not make ten dearer."""
    from eckit.cart.model import CartLine
    from eckit.pricing import rules
    from tests.pricing.priced import the_terms

    market = a_market()
    offer: Offer = attrs.evolve(an_offer(1, Item(1), market), prices=(listed(100), listed(90, min_steps=10)))
    lines = [
        CartLine(id=ident("lin", n), variant_id=offer.variant.id, steps=5, group_id=ident("grp", n)) for n in (1, 2)
    ]
    sheet = rules.start(the_terms(market), ())
    rules.price_lines(sheet, lines, {offer.variant.id: offer})
    assert [450, 450] == [row.goods for row in sheet.lines]
    assert "10" == sheet.trace[0].inputs["from_steps"]


@pytest.mark.parametrize(("original", "shown"), [(None, 100), (150, 150)])
def test_price_before_a_reduction_is_shown_and_not_charged(original: int | None, shown: int) -> None:
    """The list price of a line is the original one where the price was reduced."""
    from eckit.pricing import rules
    from tests.pricing.priced import a_cart, the_terms

    market = a_market()
    lines, groups = a_cart([Item(1)])
    offer = attrs.evolve(an_offer(1, Item(1), market), prices=(listed(100, original_minor=original),))
    sheet = rules.start(the_terms(market), groups)
    rules.price_lines(sheet, lines, {offer.variant.id: offer})
    quote = rules.finish(sheet)
    assert (shown, 100, 100) == (quote.lines[0].list_minor, quote.lines[0].unit_minor, quote.total_minor)
    assert 100 == price_cart([Item(100)], market).total_minor
