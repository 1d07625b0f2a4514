"""Converting: exact, rounded once, between currencies of any exponents; unknown is never 1."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from eckit.currency import Rate, RateUnavailableError, rules
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.money import Rounding, exponent

SINCE = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
RATE = Rate(base="EUR", quote="JPY", rate=Decimal("161.50"), source="test", at=SINCE)


@pytest.mark.parametrize(
    ("amount", "base", "quote", "rate", "mode", "expected"),
    [
        (1050, "EUR", "JPY", "161.50", Rounding.HALF_UP, 1696),  # 10.50 € × 161.50 = 1,695.75
        (1050, "EUR", "JPY", "161.50", Rounding.FLOOR, 1695),
        (1000, "JPY", "KWD", "0.00206", Rounding.HALF_UP, 2060),  # 2.060 dinar of three decimals
        (-1050, "EUR", "JPY", "161.50", Rounding.HALF_UP, -1696),  # a refund mirrors the charge
        (1, "JPY", "USD", "0.0067", Rounding.HALF_UP, 1),
        (0, "USD", "JPY", "149", Rounding.HALF_UP, 0),
        (10**15, "JPY", "JOD", "0.001", Rounding.HALF_EVEN, 10**15),
    ],
)
def test_amounts_are_converted_by_whole_units(
    amount: int, base: str, quote: str, rate: str, mode: Rounding, expected: int
) -> None:
    """A rate is whole units of the one for one of the other, whatever decimals they have."""
    given = Rate(base=base, quote=quote, rate=Decimal(rate), source="test", at=SINCE)
    assert expected == rules.convert(amount, given, mode)


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["JPY", "EUR", "KWD", "CLF"]),
    st.sampled_from(["JPY", "USD", "BHD"]),
    st.decimals("0.0001", "1000", places=6),
)
def test_a_conversion_is_less_than_a_unit_away(amount: int, base: str, quote: str, rate: Decimal) -> None:
    """Rounded once, whatever the numbers: never half a unit more than the exact value."""
    given = Rate(base=base, quote=quote, rate=rate, source="test", at=SINCE)
    exact = Fraction(amount, 10 ** exponent(base)) * Fraction(rate) * 10 ** exponent(quote)
    assert abs(rules.convert(amount, given, Rounding.HALF_UP) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", Decimal(0)),
        ("rate", Decimal("-1")),
        ("rate", Decimal("NaN")),
        ("rate", Decimal("Infinity")),
        ("rate", Decimal("1." + "1" * 60)),
        ("rate", 1.5),
        ("spread", Decimal("-0.01")),
        ("base", "EURO"),
        ("quote", "XXX"),
        ("quote", "EUR"),
        ("at", dt.datetime(2026, 4, 1)),  # noqa: DTZ001 - what is refused
        ("valid_until", SINCE),
        ("source", "x" * 81),
    ],
)
def test_what_cannot_be_a_rate_is_refused(field: str, value: Any) -> None:
    """Nothing that would make an amount wrong is ever kept as evidence."""
    with pytest.raises(InvalidInputError):
        rules.accepted(attrs.evolve(RATE, **{field: value}))


def test_a_rate_is_in_force_from_its_instant_to_its_end() -> None:
    """Half-open; for its own pair only; nothing known is an error."""
    end = SINCE + dt.timedelta(days=1)
    rate = attrs.evolve(RATE, valid_until=end)
    tick = dt.timedelta(microseconds=1)

    assert (rate, rate) == tuple(rules.in_force(rate, "EUR", "JPY", at) for at in (SINCE, end - tick))
    for one, base, quote, at in (
        (rate, "EUR", "JPY", SINCE - tick),
        (rate, "EUR", "JPY", end),
        (rate, "JPY", "EUR", SINCE),
        (None, "EUR", "JPY", SINCE),
    ):
        with pytest.raises(RateUnavailableError):
            rules.in_force(one, base, quote, at)
