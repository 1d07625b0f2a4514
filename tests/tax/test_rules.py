"""Tax arithmetic, by worked cases whose ids are those of the reference, and by properties."""

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from eckit.channel.model import RoundingPolicy
from eckit.customer.model import TaxPlace
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.money import Rounding
from eckit.kernel.text import Text
from eckit.tax import rules
from eckit.tax.errors import TaxUnavailableError
from eckit.tax.model import Taxable, TaxLine, TaxRequest

AT = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
PLACE = TaxPlace(country="JP")
LABEL = Text.of("Tax")


def policy(name: str) -> RoundingPolicy:
    level, _, mode = name.partition("/")
    return RoundingPolicy(level=level, mode=Rounding(mode))


def asked(
    amounts: list[tuple[str, int, int]], *, included: bool = False, currency: str = "JPY"
) -> tuple[TaxRequest, tuple[TaxLine, ...]]:
    """A request for (rate, amount, quantity) items, and an answer with these rates."""
    items = tuple(
        Taxable(key=f"k{n}", tax_class=rate, amount_minor=amount, quantity_steps=quantity, place=PLACE)
        for n, (rate, amount, quantity) in enumerate(amounts)
    )
    request = TaxRequest(currency=currency, prices_include_tax=included, seller_country="JP", at=AT, items=items)
    lines = tuple(
        TaxLine(key=item.key, code=f"vat-{item.tax_class}", rate=Decimal(item.tax_class), label=LABEL) for item in items
    )
    return request, lines


def by_rate(amounts: list[tuple[str, int, int]], name: str, *, included: bool = False) -> dict[str, int]:
    request, lines = asked(amounts, included=included)
    return {str(tax.rate): tax.amount_minor for tax in rules.compute(request, lines, policy(name))}


INVOICE = [("0.08", 83 * 167, 167), ("0.08", 197 * 67, 67), ("0.10", 77 * 57, 57), ("0.10", 417 * 57, 57)]

CASES = {
    # id: items (rate, amount, quantity), prices include tax, policy, tax by rate
    "JP-02": (INVOICE, False, "rate/floor", {"0.08": 2164, "0.10": 2815}),
    "JP-06": (INVOICE, False, "rate/ceil", {"0.08": 2165, "0.10": 2816}),
    "JP-08": ([("0.10", 3333, 1), ("0.10", 3333, 1)], False, "rate/floor", {"0.10": 666}),
    "JP-08 by line": ([("0.10", 3333, 1), ("0.10", 3333, 1)], False, "line/floor", {"0.10": 666}),
    "JP-10": ([("0.08", 1998, 2), ("0.10", 999, 1)], True, "rate/floor", {"0.08": 148, "0.10": 90}),
    "JP-12": ([("0.08", 108, 1)], True, "rate/floor", {"0.08": 8}),
    "JP-14": ([("0.10", 150_000, 1)], False, "rate/floor", {"0.10": 15_000}),
    "JP-18 floor": ([("0.10", 5, 1)], False, "rate/floor", {"0.10": 0}),
    "JP-18 half-up": ([("0.10", 5, 1)], False, "rate/half_up", {"0.10": 1}),
    "JP-18 ceil": ([("0.10", 5, 1)], False, "rate/ceil", {"0.10": 1}),
    "JP-20": ([("0.10", -105, 1)] * 3, False, "rate/floor", {"0.10": -31}),
    "EU-08": ([("0.19", 999, 1)], True, "rate/half_up", {"0.19": 160}),
    "EU-10": ([("0.23", 1000, 1)], False, "rate/half_up", {"0.23": 230}),
    "EU-12": ([("0.04", 299, 1)], True, "rate/half_up", {"0.04": 12}),
    "EU-14": ([("0.19", 1001, 1), ("0.19", 1001, 1)], False, "rate/half_up", {"0.19": 380}),
    "EU-14 by line": ([("0.19", 1001, 1), ("0.19", 1001, 1)], False, "line/half_up", {"0.19": 380}),
    "EU-16 down": ([("0.01", 49, 1)], False, "rate/half_up", {"0.01": 0}),
    "EU-16 up": ([("0.01", 50, 1)], False, "rate/half_up", {"0.01": 1}),
    "EU-24": ([("0.17", 10_000, 1)], False, "rate/half_up", {"0.17": 1700}),
    "EU-26": ([("0.07", 10_000, 1)], False, "rate/half_up", {"0.07": 700}),
    "EU-28": ([("0.135", 10_000, 1)], False, "rate/half_up", {"0.135": 1350}),
    "CH-13": ([("0.081", 10_795, 1)], True, "rate/half_up", {"0.081": 809}),
    "MU-18": ([("0.19", 100, 1)], False, "rate/half_up", {"0.19": 19}),
    "MNY-06 by unit": ([("0.14975", 1005, 3)], False, "unit/half_up", {"0.14975": 150}),
    "MNY-06 by line": ([("0.14975", 1005, 3)], False, "line/half_up", {"0.14975": 150}),
    "MNY-08": ([("0.19", 1600, 1)], True, "rate/half_up", {"0.19": 255}),
    # Where the level shows: a half of a unit three times, or once one and a half.
    "by unit": ([("0.10", 15, 3)], False, "unit/half_up", {"0.10": 3}),
    "by line": ([("0.10", 15, 3)], False, "line/half_up", {"0.10": 2}),
    "two lines by line": ([("0.10", 5, 1), ("0.10", 5, 1)], False, "line/half_up", {"0.10": 2}),
    "two lines by rate": ([("0.10", 5, 1), ("0.10", 5, 1)], False, "rate/half_up", {"0.10": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_worked_case(case: str) -> None:
    """The tax of each rate is what the reference says."""
    items, included, name, expected = CASES[case]
    assert expected == by_rate(items, name, included=included)


def test_jp_04_total_of_the_invoice() -> None:
    """JP-04: net amounts and tax by rate make 60,197 yen."""
    assert 60_197 == sum(amount for _, amount, _ in INVOICE) + sum(by_rate(INVOICE, "rate/floor").values())


@pytest.mark.parametrize("percent", ["5", "7.7", "8", "10", "19", "20", "25"])
def test_tax_contained_is_rounded_once_for_all_small_prices(percent: str) -> None:
    """MNY-08: for every price from 0.01 to 50.00 the tax is the exact one, rounded once; net + tax = gross."""
    rate = Decimal(percent) / 100
    for gross in range(1, 5001):
        [tax] = by_rate([(str(rate), gross, 1)], "line/half_up", included=True).values()
        exact = Fraction(gross) * Fraction(rate) / (1 + Fraction(rate))
        assert abs(tax - exact) <= Fraction(1, 2)


def test_engine_amounts_are_made_whole_and_the_difference_goes_to_a_line() -> None:
    """MNY-04: 10.4 and 10.6 yen from an engine are 10 and 11, together 21."""
    request, lines = asked([("0.10", 104, 1), ("0.10", 106, 1)])
    given = tuple(attrs.evolve(line, amount=Decimal(text)) for line, text in zip(lines, ("10.4", "10.6"), strict=True))
    [tax] = rules.compute(request, given, policy("line/floor"))
    assert (("k0", 10), ("k1", 11)) == tax.shares
    assert (21, "engine/half_up") == (tax.amount_minor, tax.rounding)


def test_engine_amounts_count_in_the_currencys_own_decimals() -> None:
    """An engine's 1.9 dinars of Kuwait are 1,900 fils, and its 1.9 euros 190 cents."""
    for currency, expected in (("KWD", 1900), ("EUR", 190)):
        request, [line] = asked([("0.19", 10_000, 1)], currency=currency)
        [tax] = rules.compute(request, [attrs.evolve(line, amount=Decimal("1.9"))], policy("rate/floor"))
        assert expected == tax.amount_minor


def test_codes_of_one_rate_stay_apart() -> None:
    """Japan's reduced 8 % and its old 8 % are two lines of an invoice, each rounded for itself."""
    request, [first, second] = asked([("0.08", 99, 1), ("0.08", 99, 1)])
    taxes = rules.compute(request, [first, attrs.evolve(second, code="jp-8")], policy("rate/floor"))
    assert [("vat-0.08", 7), ("jp-8", 7)] == [(tax.code, tax.amount_minor) for tax in taxes]


def test_unknown_rounding_level_is_refused() -> None:
    """A market whose rounding nobody knows prices nothing."""
    request, lines = asked([("0.10", 100, 1)])
    with pytest.raises(InvalidInputError) as caught:
        rules.compute(request, lines, RoundingPolicy(level="order"))
    assert ("unknown-rounding", "order") == (caught.value.problems[0].code, caught.value.problems[0].value)


def test_charges_and_refunds_of_one_rate_are_refused_together() -> None:
    """Two signs in one rate cannot be shared by weight."""
    request, lines = asked([("0.10", 100, 1), ("0.10", -50, 1)])
    with pytest.raises(InvalidInputError) as caught:
        rules.compute(request, lines, policy("rate/floor"))
    assert "mixed-signs" == caught.value.problems[0].code


BROKEN = {
    "missing": lambda lines: lines[:1],
    "empty": lambda lines: (),
    "doubled": lambda lines: (lines[0], *lines),
    "unknown key": lambda lines: (*lines, attrs.evolve(lines[0], key="k9")),
    "no code": lambda lines: (attrs.evolve(lines[0], code=""), lines[1]),
    "rate above one": lambda lines: (attrs.evolve(lines[0], rate=Decimal("1.01")), lines[1]),
    "negative rate": lambda lines: (attrs.evolve(lines[0], rate=Decimal("-0.1")), lines[1]),
    "rate NaN": lambda lines: (attrs.evolve(lines[0], rate=Decimal("NaN")), lines[1]),
    "rate infinite": lambda lines: (attrs.evolve(lines[0], rate=Decimal("Infinity")), lines[1]),
    "rate None": lambda lines: (attrs.evolve(lines[0], rate=None), lines[1]),
    "rate float": lambda lines: (attrs.evolve(lines[0], rate=0.1), lines[1]),
    "negative amount": lambda lines: (attrs.evolve(lines[0], amount=Decimal(-1)), lines[1]),
    "amount NaN": lambda lines: (attrs.evolve(lines[0], amount=Decimal("NaN")), lines[1]),
    "amount float": lambda lines: (attrs.evolve(lines[0], amount=9.0), lines[1]),
    "amount larger than the item": lambda lines: (attrs.evolve(lines[0], amount=Decimal(102)), lines[1]),
}


@pytest.mark.parametrize("how", BROKEN)
def test_nothing_of_a_broken_answer_is_used(how: str) -> None:
    """MNY-19: an answer that is incomplete, doubled or out of range is refused as a whole."""
    request, lines = asked([("0.10", 100, 1), ("0.10", 100, 1)])
    with pytest.raises(TaxUnavailableError) as caught:
        rules.checked(request, BROKEN[how](lines), engine="flat", plugin="tax-flat")
    assert ("flat", "tax-flat") == (caught.value.engine, caught.value.plugin)


def test_answers_are_matched_by_key_whatever_their_order() -> None:
    """MNY-19: an engine may answer in any order; each answer goes to the item of its key."""
    request, lines = asked([("0.08", 100, 1), ("0.10", 100, 1)])
    assert lines == rules.checked(request, lines[::-1], engine="flat")


amounts = st.lists(
    st.tuples(
        st.sampled_from(["0", "0.05", "0.08", "0.10", "0.14975", "0.19", "1"]),
        st.integers(0, 10**7),
        st.integers(1, 20),
    ),
    min_size=1,
    max_size=8,
)
policies = st.sampled_from(
    [f"{level}/{mode.value}" for level, mode in itertools.product(("line", "unit", "rate"), Rounding)]
)


@settings(max_examples=150)
@given(amounts, policies, st.booleans())
def test_shares_make_the_tax_and_no_net_amount_is_negative(
    items: list[tuple[str, int, int]], name: str, included: bool
) -> None:
    """Whatever the policy: shares add up, contained tax is never more than the price, and what is shared by rate is
    less than two units from exact: one by rounding the sum, one by sharing it."""
    request, lines = asked(items, included=included)
    taxes = rules.compute(request, lines, policy(name))
    amount_of = {item.key: item.amount_minor for item in request.items}
    assert sum(amount_of.values()) == sum(tax.base_minor for tax in taxes)
    for tax in taxes:
        assert tax.amount_minor == sum(part for _, part in tax.shares)
        whole = 1 + Fraction(tax.rate) if included else Fraction(1)
        for key, part in tax.shares:
            assert 0 <= part
            assert not included or part <= amount_of[key]
            if name.startswith("rate"):
                assert abs(part - amount_of[key] * Fraction(tax.rate) / whole) < 2


@settings(max_examples=80)
@given(amounts, policies, st.booleans())
def test_credit_notes_mirror_invoices(items: list[tuple[str, int, int]], name: str, included: bool) -> None:
    """The tax of negative amounts is minus the tax of the positive ones."""
    charged = by_rate(items, name, included=included)
    refunded = by_rate([(rate, -amount, quantity) for rate, amount, quantity in items], name, included=included)
    assert charged == {rate: -amount for rate, amount in refunded.items()}
