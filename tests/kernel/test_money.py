"""Money is exact: units, rounding, sharing and tax arithmetic, in currencies of 0, 2, 3 and 4 decimals.

Ids such as AL-02 name worked examples the project collected; MNY-08 and the like name known failures of other shops.
"""

import decimal
from decimal import Decimal
from fractions import Fraction

import moneyed
import pytest
from hypothesis import given, strategies as st

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.money import (
    MAX_MINOR,
    Money,
    Rate,
    Rounding,
    checked_minor,
    exponent,
    format_minor,
    format_money,
    from_minor,
    parse_amount,
    round_fraction,
    round_money,
    round_ratio,
    split,
    tax_contained,
    tax_on,
    to_minor,
)

MODES = st.sampled_from(Rounding)
CURRENCIES = st.sampled_from(["JPY", "USD", "EUR", "BHD", "CLF", "XCG", "ZWG", "MGA"])
MINOR = st.integers(-MAX_MINOR, MAX_MINOR)


def refused(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    """Code and field of the only problem."""
    [problem] = error.value.problems
    return problem.code, problem.path


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("JPY", 0), ("KRW", 0), ("ISK", 0), ("XAF", 0), ("VND", 0), ("CLP", 0),
        ("USD", 2), ("EUR", 2), ("CHF", 2), ("MRU", 2), ("XCG", 2), ("ZWG", 2),
        ("BHD", 3), ("KWD", 3), ("CLF", 4),
        # Where CLDR displays fewer than ISO 4217 has.
        ("IQD", 3), ("MGA", 2), ("RSD", 2), ("AFN", 2), ("ALL", 2), ("IRR", 2), ("KPW", 2), ("LAK", 2), ("LBP", 2),
        ("MMK", 2), ("SOS", 2), ("SYP", 2), ("YER", 2),
    ],
)  # fmt: skip
def test_decimals_of_a_currency_are_those_of_iso_4217(currency: str, decimals: int) -> None:
    """MU-02 to MU-16: never the display digits of CLDR, which are wrong by a factor of 100 or 1,000 for some."""
    assert decimals == exponent(currency)
    assert 10**decimals == to_minor(Money(1, currency))


@pytest.mark.parametrize("code", ["", "yen", "jpy", "JP", "XXX", "XTS", "XAU", "QQQ", "ＪＰＹ", "JPY "])
def test_unknown_currency_is_refused(code: str) -> None:
    """A code is one of ISO 4217's that one can pay with, in capitals."""
    with pytest.raises(InvalidInputError) as error:
        exponent(code)
    assert ("unknown-currency", "currency") == refused(error)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("80", "JPY", 80), ("1", "KRW", 1), ("500", "VND", 500), ("10.50", "EUR", 1050), ("-0.01", "USD", -1),
        ("2.060", "KWD", 2060), ("0.0001", "CLF", 1), ("1080.00", "JPY", 1080), ("1e3", "JPY", 1000), ("-0", "EUR", 0),
    ],
)  # fmt: skip
def test_amount_in_minor_units(amount: str, currency: str, minor: int) -> None:
    """MNY-01: 80 yen are 80 of the smallest unit, against a fixed table and not against its own inverse."""
    assert minor == to_minor(Money(Decimal(amount), currency))


@pytest.mark.parametrize(
    ("amount", "currency"), [("16.24", "JPY"), ("0.5", "JPY"), ("1.005", "USD"), ("0.0001", "BHD"), ("1e-99", "EUR")]
)
def test_amount_finer_than_the_currency_is_refused(amount: str, currency: str) -> None:
    """MNY-03: half a yen cannot be stored; it is rounded where a policy says so, or refused."""
    with pytest.raises(InvalidInputError) as error:
        to_minor(Money(Decimal(amount), currency), path="price")
    assert ("too-fine", "price") == refused(error)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_amount(amount: str) -> None:
    """NaN and infinity never become money."""
    with pytest.raises(InvalidInputError) as error:
        to_minor(Money(Decimal(amount), "EUR"))
    assert ("not-an-amount", "amount") == refused(error)


@pytest.mark.parametrize("amount", ["1e16", "1e999999", "-1e40", "1e-999999", "1" * 300])
def test_absurd_amounts_are_refused_at_once(amount: str) -> None:
    """An exponent of a million must not fill the memory with digits."""
    with pytest.raises(InvalidInputError) as error:
        to_minor(Money(Decimal(amount), "EUR"))
    assert ("amount-out-of-range", "amount") == refused(error)


def test_floats_are_no_money() -> None:
    """MNY-09: no float anywhere; one hidden in Money shows by its noise."""
    with pytest.raises(TypeError):
        to_minor(10.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        from_minor(10.5, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        from_minor(True, "EUR")
    with pytest.raises(TypeError):
        round_fraction(0.5, Rounding.FLOOR)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        tax_on(100, 0.1, Rounding.FLOOR)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        split(10, [0.5, 0.5])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        parse_amount(10.5, "EUR")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        round_money(10.5, Rounding.FLOOR)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        to_minor(Money(0.1 + 0.2, "USD"))


def test_amounts_have_a_bound() -> None:
    """10**15 minor units either way, far inside BIGINT."""
    assert MAX_MINOR == to_minor(from_minor(MAX_MINOR, "JPY"))
    for beyond in (MAX_MINOR + 1, -MAX_MINOR - 1):
        with pytest.raises(InvalidInputError) as error:
            checked_minor(beyond, "total")
        assert ("amount-out-of-range", "total") == refused(error)


@given(MINOR, CURRENCIES)
def test_minor_units_and_money_are_the_same_amount(minor: int, currency: str) -> None:
    """There and back, to the last unit, with all of the currency's decimals written."""
    money = from_minor(minor, currency)
    assert minor == to_minor(money)
    assert -exponent(currency) == money.amount.as_tuple().exponent


@given(MINOR, CURRENCIES)
def test_decimal_context_changes_nothing(minor: int, currency: str) -> None:
    """A plugin that lowers the precision of decimals changes no amount."""
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_UP)):
        money = from_minor(minor, currency)
        assert minor == to_minor(money)
        assert money == round_money(money, Rounding.HALF_EVEN)
        squeezed = format_minor(minor, currency, "en")
    assert squeezed == format_minor(minor, currency, "en")


# --- rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "floor", "half_up", "half_even", "ceil"),
    [
        ("0.5", 0, 1, 0, 1), ("1.5", 1, 2, 2, 2), ("2.5", 2, 3, 2, 3), ("10.5", 10, 11, 10, 11),
        ("0.499", 0, 0, 0, 1), ("0.501", 0, 1, 1, 1), ("2", 2, 2, 2, 2), ("0", 0, 0, 0, 0), ("1.005", 1, 1, 1, 2),
    ],
)  # fmt: skip
def test_rounding_modes_in_both_signs(value: str, floor: int, half_up: int, half_even: int, ceil: int) -> None:
    """MNY-07 and trap 8: a refund mirrors a charge; halves go away from zero, not towards plus infinity."""
    expected = {
        Rounding.FLOOR: floor,
        Rounding.HALF_UP: half_up,
        Rounding.HALF_EVEN: half_even,
        Rounding.CEIL: ceil,
    }
    assert expected == {mode: round_fraction(Decimal(value), mode) for mode in Rounding}
    mirrored = {mode: -result for mode, result in expected.items()}
    assert mirrored == {mode: round_fraction(-Decimal(value), mode) for mode in Rounding}


@given(st.fractions(), MODES)
def test_rounding_mirrors_and_stays_within_a_unit(value: Fraction, mode: Rounding) -> None:
    """No mode moves a number by a unit or more, and signs never matter."""
    rounded = round_fraction(value, mode)
    assert -rounded == round_fraction(-value, mode)
    assert abs(rounded - value) < 1
    if mode in (Rounding.HALF_UP, Rounding.HALF_EVEN):
        assert abs(rounded - value) <= Fraction(1, 2)


@given(st.decimals(-(10**12), 10**12, places=4))
def test_rounding_agrees_with_decimal(value: Decimal) -> None:
    """Python's own decimal rounding, which is mirrored as well, gives the same numbers."""
    theirs = {
        Rounding.FLOOR: decimal.ROUND_DOWN,
        Rounding.HALF_UP: decimal.ROUND_HALF_UP,
        Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
        Rounding.CEIL: decimal.ROUND_UP,
    }
    assert {mode: int(value.to_integral_value(their)) for mode, their in theirs.items()} == {
        mode: round_fraction(value, mode) for mode in Rounding
    }


@given(st.integers(-(10**20), 10**20), MODES)
def test_whole_numbers_stay(value: int, mode: Rounding) -> None:
    """There is nothing to round in a whole number."""
    assert value == round_fraction(value, mode)


def test_denominator_is_positive() -> None:
    """A sign in the denominator would turn the mirror around."""
    with pytest.raises(ValueError, match="positive"):
        round_ratio(1, 0, Rounding.FLOOR)


@pytest.mark.parametrize(
    ("amount", "currency", "mode", "expected"),
    [
        ("16.24", "JPY", Rounding.FLOOR, "16"),
        ("1.005", "USD", Rounding.HALF_UP, "1.01"),
        ("-1.005", "USD", Rounding.HALF_UP, "-1.01"),
        ("2.0605", "KWD", Rounding.HALF_EVEN, "2.060"),
        ("99.995", "EUR", Rounding.CEIL, "100.00"),
        ("100", "EUR", Rounding.FLOOR, "100.00"),
    ],
)
def test_money_is_rounded_to_its_currency(amount: str, currency: str, mode: Rounding, expected: str) -> None:
    """``Money.round`` knows neither the currency's unit nor a mode; this does."""
    rounded = round_money(Money(Decimal(amount), currency), mode)
    assert Money(Decimal(expected), currency) == rounded
    assert expected == str(rounded.amount)


def test_conversion_between_0_and_3_decimals() -> None:
    """MU-20: 1,000 JPY at 0.00206 are 2.060 KWD."""
    fils = 1000 * Fraction("0.00206") * 10 ** exponent("KWD")
    assert 2060 == round_fraction(fils, Rounding.HALF_UP)


# --- sharing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        pytest.param(5, [30, 70], [2, 3], id="AL-02"),
        pytest.param(34, [1, 1, 1, 1], [9, 9, 8, 8], id="AL-04"),
        pytest.param(1000, [1, 0], [1000, 0], id="AL-06"),
        pytest.param(1003, [0, 50, 50], [0, 502, 501], id="AL-08"),
        pytest.param(300, [4000, 2000, 2000], [150, 75, 75], id="AL-10"),
        pytest.param(299, [4300, 1400, 2300], [161, 52, 86], id="AL-12"),
        pytest.param(95, [10, 20, 10, 30, 50, 20, 10, 40], [5, 10, 5, 15, 25, 10, 5, 20], id="AL-14"),
        pytest.param(40, [10, 0], [40, 0], id="AL-16"),
        pytest.param(0, [0, 0], [0, 0], id="AL-18"),
        pytest.param(1000, [50, 50, 50], [334, 333, 333], id="AL-20"),
        pytest.param(1500, [20, 30, 100], [200, 300, 1000], id="AL-22"),
        pytest.param(675, [12, 23, 10], [180, 345, 150], id="AL-24"),
        pytest.param(438, [1080, 3300], [108, 330], id="JP-16"),
        pytest.param(0, [3, 5], [0, 0], id="nothing to share"),
        pytest.param(7, [1], [7], id="one part"),
        pytest.param(0, [], [], id="nothing to nobody"),
    ],
)
def test_split_of_the_collected_cases(total: int, weights: list[int], parts: list[int]) -> None:
    """Largest remainder, the earlier part first on a tie; negative totals mirror."""
    assert parts == split(total, weights)
    assert [-part for part in parts] == split(-total, weights)


WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=60).filter(any)


@given(MINOR, WEIGHTS)
def test_parts_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    """The sum is exact, no part is a unit off its exact share, and nothing goes to a weight of zero."""
    parts = split(total, weights)
    assert total == sum(parts)
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, whole)) < 1
        assert weight or not part


@given(MINOR, WEIGHTS)
def test_split_is_a_function_and_mirrors(total: int, weights: list[int]) -> None:
    """The same input gives the same parts; a refund is shared as the charge was."""
    assert split(total, weights) == split(total, tuple(weights))
    assert [-part for part in split(total, weights)] == split(-total, weights)


@given(st.integers(0, 10**9), st.integers(1, 10**6), st.integers(1, 40))
def test_equal_weights_differ_by_at_most_a_unit(total: int, weight: int, count: int) -> None:
    """And the larger parts come first."""
    parts = split(total, [weight] * count)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


def test_split_refuses_what_it_cannot_share() -> None:
    """All weights zero with something to share, no weights at all, or one below zero."""
    for weights in ([0, 0], []):
        with pytest.raises(InvalidInputError) as error:
            split(1, weights)
        assert ("nothing-to-share-by", "weights") == refused(error)
    with pytest.raises(InvalidInputError) as error:
        split(10, [3, -1])
    assert ("negative-weight", "weights[1]") == refused(error)


# --- tax -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gross", "rate", "mode", "tax"),
    [
        pytest.param(1600, "0.19", Rounding.HALF_UP, 255, id="MNY-08, SO-10"),
        pytest.param(999, "0.19", Rounding.HALF_UP, 160, id="EU-08"),
        pytest.param(299, "0.04", Rounding.HALF_UP, 12, id="EU-12"),
        pytest.param(10795, "0.081", Rounding.HALF_UP, 809, id="CH-13"),
        pytest.param(1998, "0.08", Rounding.FLOOR, 148, id="JP-10 8%"),
        pytest.param(999, "0.10", Rounding.FLOOR, 90, id="JP-10 10%"),
        pytest.param(108, "0.08", Rounding.FLOOR, 8, id="JP-12"),
        pytest.param(972, "0.08", Rounding.FLOOR, 72, id="JP-16 8%"),
        pytest.param(2970, "0.10", Rounding.FLOOR, 270, id="JP-16 10%"),
        pytest.param(6000, "0.05", Rounding.HALF_UP, 286, id="SO-04"),
        pytest.param(800, "0.07", Rounding.HALF_UP, 52, id="SO-08"),
        pytest.param(500, "0.09", Rounding.HALF_UP, 41, id="SO-12"),
        pytest.param(1000, "0", Rounding.CEIL, 0, id="no tax"),
    ],
)
def test_tax_contained_in_a_gross_amount(gross: int, rate: str, mode: Rounding, tax: int) -> None:
    """In one exact step; a refund contains the mirrored tax."""
    assert tax == tax_contained(gross, Decimal(rate), mode)
    assert -tax == tax_contained(-gross, Fraction(rate), mode)


@pytest.mark.parametrize(
    ("net", "rate", "mode", "tax"),
    [
        pytest.param(83 * 167 + 197 * 67, "0.08", Rounding.FLOOR, 2164, id="JP-02 8%"),
        pytest.param(77 * 57 + 417 * 57, "0.10", Rounding.FLOOR, 2815, id="JP-02 10%"),
        pytest.param(83 * 167 + 197 * 67, "0.08", Rounding.CEIL, 2165, id="JP-06 8%"),
        pytest.param(77 * 57 + 417 * 57, "0.10", Rounding.CEIL, 2816, id="JP-06 10%"),
        pytest.param(6666, "0.10", Rounding.FLOOR, 666, id="JP-08"),
        pytest.param(150_000, "0.10", Rounding.FLOOR, 15_000, id="JP-14"),
        pytest.param(5, "0.10", Rounding.FLOOR, 0, id="JP-18 floor"),
        pytest.param(5, "0.10", Rounding.HALF_UP, 1, id="JP-18 half up"),
        pytest.param(5, "0.10", Rounding.CEIL, 1, id="JP-18 ceil"),
        pytest.param(315, "0.10", Rounding.FLOOR, 31, id="JP-20"),
        pytest.param(1000, "0.23", Rounding.HALF_UP, 230, id="EU-10"),
        pytest.param(2002, "0.19", Rounding.HALF_UP, 380, id="EU-14"),
        pytest.param(10000, "0.135", Rounding.HALF_UP, 1350, id="EU-28"),
        pytest.param(100, "0.19", Rounding.HALF_UP, 19, id="MU-18"),
    ],
)
def test_tax_on_a_net_amount(net: int, rate: str, mode: Rounding, tax: int) -> None:
    """On the sum, rounded once; a credit note mirrors the invoice."""
    assert tax == tax_on(net, Decimal(rate), mode)
    assert -tax == tax_on(-net, Decimal(rate), mode)


@pytest.mark.parametrize("rate", ["0.05", "0.077", "0.08", "0.10", "0.19", "0.20", "0.25"])
def test_net_and_tax_are_the_gross_for_every_price(rate: str) -> None:
    """MNY-08: for each price from 0.01 to 50.00 the tax is the exact one rounded once, and net + tax = gross."""
    exact = Fraction(rate)
    for gross in range(1, 5001):
        tax = tax_contained(gross, Decimal(rate), Rounding.HALF_UP)
        net = gross - tax
        assert abs(tax - gross * exact / (1 + exact)) <= Fraction(1, 2)
        assert abs(net - gross / (1 + exact)) <= Fraction(1, 2)


@given(st.integers(-(10**12), 10**12), st.sampled_from(["0.05", "0.08", "0.1", "0.19", "0.2"]), MODES)
def test_tax_on_the_contained_net_is_at_most_a_unit_away(gross: int, rate: str, mode: Rounding) -> None:
    """The two directions agree as far as rounding lets them."""
    contained = tax_contained(gross, Decimal(rate), mode)
    assert abs(tax_on(gross - contained, Decimal(rate), mode) - contained) <= 1


@pytest.mark.parametrize("rate", [Decimal(10), Decimal("-0.1"), Fraction(11, 10), 8, Decimal("1.0001")])
def test_rate_is_a_fraction_of_one(rate: Rate) -> None:
    """Ten per cent is 0.10; a rate of 10 would be a thousand per cent."""
    for tax in (tax_on, tax_contained):
        with pytest.raises(InvalidInputError) as error:
            tax(1000, rate, Rounding.FLOOR)
        assert ("rate-out-of-range", "rate") == refused(error)


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1080", "JPY", 1080), ("10.50", "EUR", 1050), ("10.5", "EUR", 1050), ("10", "EUR", 1000), ("0", "JPY", 0),
        ("0.01", "USD", 1), ("007", "JPY", 7), ("1,080", "JPY", 1080), ("1,234.50", "USD", 123450),
        ("1,234,567", "EUR", 123456700), ("1,234,567.89", "EUR", 123456789), ("2.060", "KWD", 2060),
        ("1,080.00", "JPY", 1080), ("1080.00", "JPY", 1080), ("１０８０", "JPY", 1080), ("１，０８０", "JPY", 1080),
        ("１０．５０", "EUR", 1050), (" 5 ", "EUR", 500), ("\u30005", "EUR", 500),
        ("999999999999999", "JPY", 10**15 - 1),
        ("1.2345", "CLF", 12345), ("0.125", "BHD", 125), ("1234.000", "JPY", 1234),
        ("0.500", "EUR", 50),
    ],
)  # fmt: skip
def test_amounts_that_can_be_read(text: str, currency: str, minor: int) -> None:
    """ENC-07: full-width digits count as digits; thousands are read where they cannot mean anything else."""
    assert minor == parse_amount(text, currency)


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("1,080", "EUR", "ambiguous-amount"), ("1,080", "KWD", "ambiguous-amount"),
        ("12,50", "EUR", "ambiguous-amount"),
        ("1.234,50", "EUR", "ambiguous-amount"), ("1.234.567", "EUR", "ambiguous-amount"),
        ("1.080", "EUR", "ambiguous-amount"), ("1.080", "JPY", "ambiguous-amount"),
        ("123.450", "EUR", "ambiguous-amount"),
        ("12.000", "JPY", "ambiguous-amount"), ("1,08", "JPY", "ambiguous-amount"),
        ("1,0800", "JPY", "ambiguous-amount"), ("1,2345,678", "JPY", "ambiguous-amount"),
        ("16.24", "JPY", "too-fine"), ("1.005", "USD", "ambiguous-amount"), ("0.005", "USD", "too-fine"),
        ("1.0001", "EUR", "too-fine"), ("0.12345", "CLF", "too-fine"),
        ("", "JPY", "not-an-amount"), ("   ", "JPY", "not-an-amount"), ("+5", "JPY", "not-an-amount"),
        ("-5", "JPY", "not-an-amount"), ("(5)", "JPY", "not-an-amount"), ("5-", "JPY", "not-an-amount"),
        ("1e3", "JPY", "not-an-amount"), ("NaN", "JPY", "not-an-amount"), ("Infinity", "JPY", "not-an-amount"),
        ("0x10", "JPY", "not-an-amount"), ("1_000", "JPY", "not-an-amount"), ("1 000", "JPY", "not-an-amount"),
        ("1'000", "CHF", "not-an-amount"), (".5", "EUR", "not-an-amount"), ("5.", "EUR", "not-an-amount"),
        ("¥100", "JPY", "not-an-amount"), ("100円", "JPY", "not-an-amount"), ("5²", "JPY", "not-an-amount"),
        ("①", "JPY", "not-an-amount"), ("½", "EUR", "not-an-amount"), ("٣", "JPY", "not-an-amount"),
        ("1\n2", "JPY", "not-an-amount"), ("1\x00", "JPY", "not-an-amount"), ("1\u200b0", "JPY", "not-an-amount"),
        ("1234567890123456", "JPY", "amount-out-of-range"), ("99999999999999.99", "EUR", "amount-out-of-range"),
        ("999999999999999", "EUR", "amount-out-of-range"),
    ],
)  # fmt: skip
def test_amounts_that_are_refused(text: str, currency: str, code: str) -> None:
    """What can be read in two ways is not guessed, and no game with signs, exponents or look-alikes is read at all."""
    with pytest.raises(InvalidInputError) as error:
        parse_amount(text, currency, path="rows[3].price")
    assert (code, "rows[3].price") == refused(error)


def test_amounts_in_minor_units_and_with_a_sign() -> None:
    """A file may count cents, and a ledger may have a minus; each only when asked for."""
    assert 1050 == parse_amount("1050", "EUR", minor_units=True)
    assert 1050 == parse_amount("1,050", "EUR", minor_units=True)
    assert -1050 == parse_amount("-10.50", "EUR", signed=True)
    assert -1050 == parse_amount("－１０.５０", "EUR", signed=True)
    assert -5 == parse_amount("\u22125", "JPY", signed=True)
    for text in ("10.5", "10.00"):
        with pytest.raises(InvalidInputError) as error:
            parse_amount(text, "EUR", minor_units=True)
        assert ("too-fine", "amount") == refused(error)
        assert "0" == error.value.problems[0].limit
    for text in ("--5", "-", "+5", "- 5"):
        with pytest.raises(InvalidInputError) as error:
            parse_amount(text, "EUR", signed=True)
        assert ("not-an-amount", "amount") == refused(error)


def test_refused_amount_says_what_would_be_read() -> None:
    """The sentence names the field and the value, and gives an example in the currency."""
    with pytest.raises(InvalidInputError) as error:
        parse_amount("12,50", "EUR", path="price")
    assert "price: 12,50 could be read in two ways" in str(error.value)
    assert "1234.50" in str(error.value)


@given(st.integers(0, 10**15 - 1), CURRENCIES)
def test_what_is_written_is_read(minor: int, currency: str) -> None:
    """The plain decimal form of any amount reads back, with and without a sign, half width and full width."""
    plain = str(from_minor(minor, currency).amount)
    full_width = plain.translate({code - 0xFEE0: code for code in range(0xFF01, 0xFF5F)})
    assert minor == parse_amount(plain, currency)
    assert minor == parse_amount(full_width, currency)
    assert -minor == parse_amount(f"-{plain}", currency, signed=True)


@given(st.text(max_size=30), CURRENCIES)
def test_reading_never_fails_otherwise(text: str, currency: str) -> None:
    """Any text is an amount within bounds or a typed error."""
    try:
        minor = parse_amount(text, currency, signed=True)
    except InvalidInputError:
        return
    assert abs(minor) <= MAX_MINOR


# --- showing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "shown"),
    [
        (1080, "JPY", "en", "¥1,080"), (1080, "JPY", "ja", "￥1,080"), (1080, "JPY", "ja-JP", "￥1,080"),
        (1080, "JPY", "ja_JP", "￥1,080"), (16, "JPY", "en", "¥16"), (-1080, "JPY", "en", "-¥1,080"),
        (1050, "EUR", "en", "€10.50"), (1050, "EUR", "de", "10,50\xa0€"), (1050, "USD", "ja", "$10.50"),
        (2060, "KWD", "en", "KWD\xa02.060"), (1000, "IQD", "en", "IQD\xa01.000"), (100, "RSD", "en", "RSD\xa01.00"),
        (1050, "XCG", "en", "Cg.\xa010.50"), (1050, "EUR", "en-ZZ", "€10.50"), (1050, "EUR", "tlh", "€10.50"),
        (1050, "EUR", "", "€10.50"), (1050, "CHF", "ja", "CHF\xa010.50"), (-2060, "KWD", "en", "-KWD\xa02.060"),
        (206, "CHF", "bn", "2.06\xa0CHF"), (206, "EUR", "bn", "2.06€"),
        (10**15, "JPY", "en", "¥1,000,000,000,000,000"),
    ],
)  # fmt: skip
def test_amounts_as_people_read_them(minor: int, currency: str, locale: str, shown: str) -> None:
    """MNY-03: the currency's own decimals, never "16.00" for yen; an unknown locale widens, at last to English."""
    assert shown == format_minor(minor, currency, locale)
    assert shown == format_money(from_minor(minor, currency), locale)


def test_amount_that_does_not_exist_is_not_shown() -> None:
    """Half a yen is not shown as one or none."""
    with pytest.raises(InvalidInputError):
        format_money(Money(Decimal("0.5"), "JPY"), "ja")


def test_currencies_missing_in_the_library_are_known() -> None:
    """XCG and ZWG are newer than py-moneyed 3.0."""
    assert Money(1, "XCG").currency == moneyed.get_currency("XCG")
    assert Money(1, "ZWG").currency == moneyed.get_currency("ZWG")
