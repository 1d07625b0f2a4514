"""What holds for every cart: yen, euro and dinar; tax included and on top; every rounding policy."""

import itertools
import random

import attrs
from hypothesis import given, settings, strategies as st

from eckit.kernel.money import Rounding
from eckit.kernel.text import Text
from eckit.pricing import rules
from eckit.pricing.model import ChargeKind, FeeRule, FeeTier, Quote
from eckit.promotion.model import Adjustment
from tests.pricing.priced import Item, a_market, ident, off, price

POLICIES = [f"{level}/{mode.value}" for level, mode in itertools.product(("line", "unit", "rate"), Rounding)]
RATES = ["0", "0.05", "0.08", "0.10", "0.14975", "0.19", "0.27"]


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Up to six lines in two groups, some sold by measure."""
    line = st.builds(
        Item,
        unit=st.integers(0, 200_000),
        steps=st.integers(1, 40),
        tax_class=st.sampled_from(RATES),
        scale=st.sampled_from([0, 0, 0, 2]),
        group=st.integers(1, 2),
    )
    found = draw(st.lists(line, min_size=1, max_size=6))
    return [attrs.evolve(found[0], group=1), *found[1:]]


@st.composite
def carts(draw: st.DrawFn) -> Quote:
    """A priced cart with promotions of all phases, shipping and fees."""
    goods = draw(items())
    currency = draw(st.sampled_from(["JPY", "EUR", "KWD"]))
    market = a_market(currency, tax_included=draw(st.booleans()), policy=draw(st.sampled_from(POLICIES)))
    amount = st.integers(-50_000, 5_000)

    def adjustments(phase: int, targets: list[str]) -> list[Adjustment]:
        chosen = draw(st.lists(st.tuples(st.sampled_from(targets), amount), max_size=4))
        return [
            off(minor, target, currency=currency, code=f"P{phase}-{n}", phase=phase)
            for n, (target, minor) in enumerate(chosen)
        ]

    tiers = sorted(draw(st.sets(st.integers(1, 500_000), max_size=3)))
    fee = FeeRule(
        code="cod",
        label=Text.of("Cash on delivery", ja="代引手数料"),
        tiers=(
            *(FeeTier(up_to_minor=limit, fee_minor=330 + n * 110) for n, limit in enumerate(tiers)),
            FeeTier(up_to_minor=None, fee_minor=draw(st.integers(0, 2000))),
        ),
        counts_itself=draw(st.booleans()),
        tax_class="0.10",
    )
    groups = sorted({item.group for item in goods})
    return price(
        goods,
        market,
        on_lines=adjustments(10, [ident("lin", n) for n in range(1, len(goods) + 1)]),
        on_order=adjustments(20, ["order"]),
        shipping={n: (draw(st.integers(0, 3000)), draw(st.sampled_from(RATES))) for n, _ in enumerate(groups, 1)}
        if groups == list(range(1, len(groups) + 1))
        else None,
        on_shipping=adjustments(30, ["shipping"]),
        fees=draw(st.sampled_from([(), (fee,)])),
    )


@settings(max_examples=250)
@given(carts())
def test_every_total_adds_up(quote: Quote) -> None:
    """The total is the sum of what is not included, of the dues, and of net and tax by rate; nothing is negative."""
    total = quote.total_minor
    assert total == sum(charge.amount_minor for charge in quote.charges if not charge.included)
    assert total == sum(due.amount_minor for due in quote.dues)
    taxes = [(charge, charge.tax) for charge in quote.of_kind(ChargeKind.TAX) if charge.tax is not None]
    assert total == sum(tax.base_minor + (0 if charge.included else charge.amount_minor) for charge, tax in taxes)
    assert total >= 0
    assert all(line.total_minor >= 0 for line in quote.lines)


@settings(max_examples=250)
@given(carts())
def test_shares_make_their_charges(quote: Quote) -> None:
    """Every charge that is shared is shared whole, onto lines and charges that exist."""
    known = {f"line:{line.id}" for line in quote.lines} | {f"charge:{charge.id}" for charge in quote.charges}
    assert {share.target for share in quote.shares} <= known
    for charge in quote.charges:
        shares = [share.amount_minor for share in quote.shares if share.charge_id == charge.id]
        assert not shares or charge.amount_minor == sum(shares)
        if charge.kind == ChargeKind.TAX or (charge.target == "order" and charge.promotion_id):
            assert charge.amount_minor == sum(shares)


@settings(max_examples=150)
@given(carts(), st.sampled_from(["en", "ja"]))
def test_explained_amounts_make_the_total(quote: Quote, locale: str) -> None:
    """What explain shows adds up to the total, and every charge is explained exactly once."""
    lines = rules.explain(quote, locale)
    assert quote.total_minor == sum(line.amount_minor for line in lines if not line.included)
    assert quote.tax_minor == sum(
        line.amount_minor for line, entry in zip(lines, quote.trace, strict=True) if entry.phase == "tax"
    )
    explained = [entry.inputs["charge"] for entry in quote.trace if "charge" in entry.inputs]
    assert [charge.id for charge in quote.charges] == explained
    assert all(line.text and "explain." not in line.text and "rounding." not in line.text for line in lines)


@settings(max_examples=60)
@given(items(), st.randoms(use_true_random=False))
def test_pricing_is_a_function_of_its_inputs(goods: list[Item], luck: random.Random) -> None:
    """The same cart gives the same digest and the same ids, whatever was priced between."""
    market = a_market()
    promotion = off(-luck.randrange(1, 5000))
    first = price(goods, market, on_order=[promotion])
    price([Item(luck.randrange(1, 999))], market)
    again = price(goods, market, on_order=[promotion])
    assert first == again
    assert first.digest == again.digest


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 500)), max_size=4, unique_by=lambda tier: tier[0]),
    st.integers(0, 500),
    st.booleans(),
    st.integers(0, 20_000),
)
def test_fee_is_the_smallest_tier_that_holds(
    limited: list[tuple[int, int]], last: int, counts_itself: bool, goods: int
) -> None:
    """Its limit holds for what is then left to pay, and no smaller tier's does."""
    tiers = [FeeTier(up_to_minor=limit, fee_minor=fee) for limit, fee in sorted(limited)]
    rule = FeeRule(
        code="cod",
        label=Text.of("COD"),
        tiers=(*tiers, FeeTier(up_to_minor=None, fee_minor=last)),
        counts_itself=counts_itself,
    )
    [tier] = rules.solve_fees([rule], lambda fees: goods + sum(fees))

    def holds(one: FeeTier) -> bool:
        left = goods + (one.fee_minor if counts_itself else 0)
        return one.up_to_minor is None or left <= one.up_to_minor

    assert tier == next(one for one in rule.tiers if holds(one))
