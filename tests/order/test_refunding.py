"""Frozen shares come back by cumulative targets: whatever the order and the step sizes, a full refund is the whole."""

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from eckit.order import rules
from eckit.order.rules.refunding import ORDER
from eckit.pricing.model import ChargeKind, Quote
from eckit.pricing.rules import add_up
from tests.order.quotes import Wish, make_quote
from tests.pricing.test_properties import carts

CURRENCIES = {"JPY": 1, "EUR": 100, "KWD": 1_000}


def pools_of(quote: Quote) -> rules.Pools:
    lines = [rules.Bought(id=line.id, group_id=line.group_id, steps=line.steps) for line in quote.lines]
    return rules.pools(lines, quote.charges, quote.shares)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Quotes with discounts of lines, order and shipping, three tax rates, two groups, 0, 2 and 3 decimals."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    high = 3_000 * CURRENCIES[currency]
    groups = draw(st.integers(1, 2))
    wishes = draw(
        st.lists(
            st.builds(
                Wish,
                steps=st.integers(1, 12),
                unit_minor=st.integers(0, high),
                tax_class=st.sampled_from(["standard", "reduced", "exempt"]),
                group=st.integers(0, groups - 1),
                scale=st.sampled_from([0, 0, 2]),
                discount_minor=st.integers(0, high // 3),
            ),
            min_size=1,
            max_size=5,
        )
    )
    return make_quote(
        wishes,
        currency=currency,
        includes_tax=draw(st.booleans()),
        discount_minor=draw(st.integers(0, high * 2)),
        shipping_minor=draw(st.lists(st.integers(0, high), min_size=groups, max_size=groups)),
        shipping_discount_minor=draw(st.integers(0, high)),
        fee_minor=draw(st.integers(0, high // 10)),
    )


def any_quotes() -> st.SearchStrategy[Quote]:
    """Quotes made here, and carts priced by the engine: every rounding policy, promotions of all phases, fees."""
    return st.one_of(quotes(), carts())


@given(any_quotes())
def test_pools_hold_every_unit_of_the_total(quote: Quote) -> None:
    """Each charge lies in pools, so the pools make the total; a charge's parts make the charge."""
    add_up(quote)
    whole = pools_of(quote)
    assert quote.total_minor == sum(whole.amount_minor(key) for key in whole.parts)
    parts: Counter[str] = Counter()
    for key in whole.parts:
        for part in whole.of(key):
            parts[part.charge_id] += part.amount_minor
    assert {charge.id: charge.amount_minor for charge in quote.charges} == dict(parts)


@given(any_quotes(), st.data())
def test_full_refund_in_any_order_and_any_steps_is_exactly_the_whole(quote: Quote, data: st.DataObject) -> None:
    """Line by line, in any order and step sizes: the parts make the total and every charge; none is negative."""
    whole = pools_of(quote)
    left = {line.id: line.steps for line in quote.lines}
    gone = dict.fromkeys(left, 0)
    paid_back, by_charge = 0, Counter[str]()
    while any(left.values()):
        line_id = data.draw(st.sampled_from([line for line, steps in left.items() if steps]))
        steps = data.draw(st.integers(1, left[line_id]))
        after = {**gone, line_id: gone[line_id] + steps}
        back = rules.refund_share(whole, gone, after)
        assert back.amount_minor >= 0
        assert back.amount_minor == sum(back.by_pool.values())
        gone, left[line_id] = after, left[line_id] - steps
        paid_back += back.amount_minor
        by_charge.update(back.by_charge)
    assert quote.total_minor == paid_back
    expected = {charge.id: charge.amount_minor for charge in quote.charges if charge.amount_minor}
    assert expected == {charge: amount for charge, amount in by_charge.items() if amount}


@given(any_quotes(), st.data())
def test_parts_of_a_refund_make_its_amount(quote: Quote, data: st.DataObject) -> None:
    """By charge (what is not contained in another) and by pool, the parts of any refund add up to it."""
    whole = pools_of(quote)
    before = {line.id: data.draw(st.integers(0, line.steps)) for line in quote.lines}
    after = {line.id: data.draw(st.integers(before[line.id], line.steps)) for line in quote.lines}
    back = rules.refund_share(whole, before, after)
    included = {charge.id for charge in quote.charges if charge.included}
    assert back.amount_minor == sum(amount for charge, amount in back.by_charge.items() if charge not in included)


@given(any_quotes(), st.data())
def test_two_refunds_are_as_much_as_one(quote: Quote, data: st.DataObject) -> None:
    """Targets are cumulative: how a refund is cut into steps changes nothing."""
    whole = pools_of(quote)
    middle = {line.id: data.draw(st.integers(0, line.steps)) for line in quote.lines}
    end = {line.id: data.draw(st.integers(middle[line.id], line.steps)) for line in quote.lines}
    at_once = rules.refund_share(whole, {}, end)
    first, second = rules.refund_share(whole, {}, middle), rules.refund_share(whole, middle, end)
    assert at_once.amount_minor == first.amount_minor + second.amount_minor


@given(any_quotes(), st.data())
def test_what_has_left_and_what_was_given_back_make_the_total(quote: Quote, data: st.DataObject) -> None:
    """Steps leave or are canceled in any order: what is due only grows, together they never exceed the total, and when
    nothing is open any more they are the total."""
    whole = pools_of(quote)
    shipped = dict.fromkeys((line.id for line in quote.lines), 0)
    canceled = dict(shipped)
    due, back = 0, 0
    while open_lines := [line for line in quote.lines if shipped[line.id] + canceled[line.id] < line.steps]:
        line = data.draw(st.sampled_from(open_lines))
        steps = data.draw(st.integers(1, line.steps - shipped[line.id] - canceled[line.id]))
        if data.draw(st.booleans()):
            shipped = {**shipped, line.id: shipped[line.id] + steps}
            assert due <= rules.earned(whole, shipped)
            due = rules.earned(whole, shipped)
        else:
            after = {**canceled, line.id: canceled[line.id] + steps}
            back += rules.refund_share(whole, canceled, after).amount_minor
            canceled = after
        assert due + back <= quote.total_minor
    assert quote.total_minor == due + back


@pytest.mark.parametrize("includes_tax", [True, False])
def test_shipping_comes_back_with_the_last_step_of_its_group(includes_tax: bool) -> None:
    """Two groups: each group's shipping, with its tax, comes back when nothing of the group is left."""
    quote = make_quote(
        [Wish(steps=2, group=0), Wish(steps=1, group=1)],
        includes_tax=includes_tax,
        shipping_minor=(500, 700),
        fee_minor=330,
    )
    whole = pools_of(quote)
    first, second = (line.id for line in quote.lines)
    one = rules.refund_share(whole, {}, {first: 1})
    last_of_group = rules.refund_share(whole, {first: 1}, {first: 2})
    last_of_all = rules.refund_share(whole, {first: 2}, {first: 2, second: 1})
    tax = 0 if includes_tax else 1
    assert 1_000 + 100 * tax == one.amount_minor
    assert {f"line:{first}", f"group:{quote.groups[0].id}"} == set(last_of_group.by_pool)
    assert 1_000 + 500 + 150 * tax == last_of_group.amount_minor
    assert {f"line:{second}", f"group:{quote.groups[1].id}", ORDER} == set(last_of_all.by_pool)
    assert quote.total_minor == one.amount_minor + last_of_group.amount_minor + last_of_all.amount_minor


def test_one_unit_of_three_gives_back_a_third_towards_zero() -> None:
    """1,000 yen for three: 333, then 333, then 334; the discount and the tax in it follow."""
    quote = make_quote([Wish(steps=3, unit_minor=400, discount_minor=200)], shipping_minor=(0,))
    whole, [line] = pools_of(quote), quote.lines
    backs = [rules.refund_share(whole, {line.id: k}, {line.id: k + 1}) for k in range(3)]
    assert [333, 333, 334] == [back.amount_minor for back in backs]
    tax = next(charge.id for charge in quote.charges if charge.kind == ChargeKind.TAX)
    assert [30, 30, 30] == [back.by_charge[tax] for back in backs]
