"""The standard conditions and actions: examples with exact amounts, and what holds for every cart."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import eckit_promotions
from eckit import Draft, DraftLine, InvalidInputError, Promotion, RuleRef, Text, mint, to_minor
from eckit.kernel.composing import compose_plugins
from eckit.kernel.plugins import Plugins
from eckit.promotion import rules, service as promotion
from eckit.testing.begin import START


def composed() -> Plugins:
    """The plugin alone."""
    return compose_plugins(promotion.SPECS, [eckit_promotions.plugin], collect=[promotion.collect])


PLUGINS = composed()


def line(number: int, amount: int, *categories: str, steps: int = 1) -> DraftLine:
    """A line of ``SKU-<number>``."""
    return DraftLine(
        id=f"lin_{number:026d}",  # type: ignore[arg-type]
        variant_id=f"var_{number:026d}",  # type: ignore[arg-type]
        sku=f"SKU-{number}",  # type: ignore[arg-type]
        category_codes=frozenset(categories),
        tax_class="standard",
        steps=steps,
        unit_minor=amount // steps,
        amount_minor=amount,
    )


def draft(*lines: DraftLine, **others: Any) -> Draft:
    """A cart in yen."""
    values: dict[str, Any] = {
        "currency": "JPY",
        "prices_include_tax": True,
        "channel_id": "chn_" + "0" * 26,
        "market_id": "mkt_" + "0" * 26,
        "at": START,
        "lines": lines,
        "goods_minor": sum(one.amount_minor for one in lines),
    }
    return Draft(**{**values, **others})


def rule(condition: tuple[str, dict[str, Any]], action: tuple[str, dict[str, Any]], code: str = "p") -> Promotion:
    """A promotion of a condition and an action with their settings as stored."""
    return Promotion(
        id=mint("promotion"),  # type: ignore[arg-type]
        code=code,
        title=Text.of(code),
        condition=RuleRef(code=condition[0], settings=condition[1]),
        action=RuleRef(code=action[0], settings=action[1]),
    )


def applied(cart: Draft, *promotions: Promotion, phase: int) -> list[tuple[str, str, int]]:
    """Code, target and amount of what applies."""
    book = rules.index([promotion.ready(PLUGINS, one) for one in promotions], {})
    found, _ = promotion.apply(PLUGINS, book, {}, cart, phase)
    return [(one.code, one.target, to_minor(one.amount)) for one in found]


ANY = ("goods_minimum", {"currency": "JPY"})
TEA = ("category", {"category": "food>tea"})
TEN = ("percent_off", {"percent": "10"})
OFF = ("amount_off", {"amount_minor": 500, "currency": "JPY"})
FREE = ("shipping_off", {})


def test_a_percentage_is_off_each_matched_line() -> None:
    """10 % off tea, rounded half up per line; other goods cost what they cost."""
    cart = draft(line(1, 648, "food", "food>tea"), line(2, 645, "food", "food>tea"), line(3, 5000, "food"))
    assert [("p", cart.lines[0].id, -65), ("p", cart.lines[1].id, -65)] == applied(cart, rule(TEA, TEN), phase=10)


@pytest.mark.parametrize(("percent", "off"), [("12.5", -125), ("0.05", -1), ("100", -1000), ("33.3333", -333)])
def test_a_percentage_is_exact_text(percent: str, off: int) -> None:
    """No float comes near it."""
    cart = draft(line(1, 1000))
    promoted = applied(cart, rule(ANY, ("percent_off", {"percent": percent})), phase=10)
    assert [off] == [amount for _, _, amount in promoted]


def test_an_amount_is_off_the_order_from_a_minimum() -> None:
    """At the minimum, not a yen below it; once for the order."""
    minimum = ("goods_minimum", {"minimum_minor": 3000, "currency": "JPY"})
    assert [] == applied(draft(line(1, 2999)), rule(minimum, OFF), phase=20)
    assert [("p", "order", -500)] == applied(draft(line(1, 1000), line(2, 2000)), rule(minimum, OFF), phase=20)


def test_shipping_is_free_or_cheaper() -> None:
    """100 % unless told otherwise; nothing off nothing."""
    cart = draft(line(1, 1000), shipping_minor=550)
    assert [("p", "shipping", -550)] == applied(cart, rule(ANY, FREE), phase=30)
    half = ("shipping_off", {"percent": "50"})
    assert [("p", "shipping", -275)] == applied(cart, rule(ANY, half), phase=30)
    assert [] == applied(draft(line(1, 1000)), rule(ANY, FREE), phase=30)


def test_amounts_of_two_currencies_never_meet() -> None:
    """MNY-12: a minimum in euro is not met by yen, and 500 yen are not off a cart in euro."""
    yen, euro = draft(line(1, 10_000)), draft(line(1, 10_000), currency="EUR")
    minimum = ("goods_minimum", {"minimum_minor": 1, "currency": "EUR"})
    assert [] == applied(yen, rule(minimum, OFF), phase=20)
    assert [] == applied(euro, rule(minimum, OFF), phase=20)
    in_euro = ("amount_off", {"amount_minor": 500, "currency": "EUR"})
    assert [("p", "order", -500)] == applied(euro, rule(minimum, in_euro), phase=20)


def test_steps_of_a_category_or_sku_are_counted_together() -> None:
    """Two and one of a category are three; of another SKU they are not."""
    cart = draft(line(1, 1000, "tea", steps=2), line(2, 1000, "tea"))
    three = ("category", {"category": "tea", "minimum_steps": 3})
    four = ("category", {"category": "tea", "minimum_steps": 4})
    two_of_one = ("sku", {"sku": "SKU-1", "minimum_steps": 2})
    two_of_other = ("sku", {"sku": "SKU-2", "minimum_steps": 2})
    assert [-100, -100] == [amount for _, _, amount in applied(cart, rule(three, TEN), phase=10)]
    assert [-100] == [amount for _, _, amount in applied(cart, rule(two_of_one, TEN), phase=10)]
    for unmet in (four, two_of_other):
        assert [] == applied(cart, rule(unmet, TEN), phase=10)


def test_a_condition_asks_for_what_it_needs() -> None:
    """So that a thousand of them cost little: one for another category is not judged at all."""
    from eckit_promotions.conditions import CategoryInCart, CategorySettings, GoodsMinimum, GoodsMinimumSettings

    assert ("category:tea",) == CategoryInCart().keys(CategorySettings(category="tea"))
    assert ("cart",) == GoodsMinimum().keys(GoodsMinimumSettings(currency="JPY"))


@pytest.mark.parametrize(
    ("condition", "action"),
    [
        (("goods_minimum", {"currency": "YEN"}), TEN),
        (("goods_minimum", {"minimum_minor": -1, "currency": "JPY"}), TEN),
        (("goods_minimum", {"minimum_minor": "3000", "currency": "JPY"}), TEN),
        (("goods_minimum", {}), TEN),
        (("category", {"category": ""}), TEN),
        (("category", {"categry": "tea"}), TEN),
        (("category", {"category": "tea", "minimum_steps": 0}), TEN),
        (("sku", {"sku": ""}), TEN),
        (ANY, ("percent_off", {"percent": 10.5})),
        (ANY, ("percent_off", {"percent": "0"})),
        (ANY, ("percent_off", {"percent": "100.01"})),
        (ANY, ("percent_off", {"percent": "NaN"})),
        (ANY, ("percent_off", {})),
        (ANY, ("amount_off", {"amount_minor": 0, "currency": "JPY"})),
        (ANY, ("amount_off", {"amount_minor": 500})),
        (ANY, ("amount_off", {"amount_minor": 5.5, "currency": "JPY"})),
        (ANY, ("shipping_off", {"percent": "-1"})),
    ],
)
def test_settings_that_cannot_be_are_refused_when_saved(
    condition: tuple[str, dict[str, Any]], action: tuple[str, dict[str, Any]]
) -> None:
    """Not when somebody buys: the error names the field."""
    with pytest.raises(InvalidInputError) as caught:
        promotion.ready(PLUGINS, rule(condition, action))
    assert all(problem.path.startswith("promotion.") for problem in caught.value.problems)


_lines = st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 9), st.booleans()), min_size=1, max_size=8)
_percents = st.decimals("0.01", "100", places=2).map(str)


@given(_lines, _percents, st.integers(1, 50_000), st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_nothing_is_ever_off_more_than_it_costs(
    goods: list[tuple[int, int, bool]], percent: str, amount: int, shipping: int
) -> None:
    """PRM-05: a percentage alone never makes a line or shipping negative; all is negative or nothing."""
    cart = draft(
        *(
            line(number, minor, *(["tea"] if tea else []), steps=steps)
            for number, (minor, steps, tea) in enumerate(goods)
        ),
        shipping_minor=shipping,
    )
    amounts: dict[str, int] = {one.id: one.amount_minor for one in cart.lines} | {"shipping": shipping}
    tea = ("category", {"category": "tea"})
    for _, target, off in (
        *applied(cart, rule(tea, ("percent_off", {"percent": percent})), phase=10),
        *applied(cart, rule(ANY, ("shipping_off", {"percent": percent})), phase=30),
    ):
        assert -amounts[target] <= off < 0
    off_order = applied(cart, rule(ANY, ("amount_off", {"amount_minor": amount, "currency": "JPY"})), phase=20)
    assert [("p", "order", -amount)] == off_order


def test_the_plugin_says_what_it_brings() -> None:
    """Three conditions and three actions, in the phases of lines, order and shipping."""
    actions = {entry.code: entry.thing.phase for entry in PLUGINS.things(promotion.ACTIONS)}
    conditions = [entry.code for entry in PLUGINS.things(promotion.CONDITIONS)]
    assert {"percent_off": 10, "amount_off": 20, "shipping_off": 30} == actions
    assert ["category", "goods_minimum", "sku"] == conditions
