"""Converting amounts, exactly, with one rounding."""

import datetime as dt
from fractions import Fraction

from eckit.currency.errors import RateUnavailableError
from eckit.currency.model import Rate
from eckit.kernel.errors import invalid
from eckit.kernel.money import Rounding, exponent, round_fraction


def convert(amount_minor: int, rate: Rate, mode: Rounding) -> int:
    """``amount_minor`` of the rate's base in minor units of its quote currency, rounded once.

    ¥1,000 at 0.00206 is 2.060 KWD: minor units 1000 → 2060.
    """
    shift = exponent(rate.quote) - exponent(rate.base)
    return round_fraction(Fraction(amount_minor) * Fraction(rate.rate) * Fraction(10) ** shift, mode)


def accepted(rate: Rate) -> Rate:
    """A rate that can be used.

    :raises InvalidInputError: not above zero, not finite, or an unknown currency.
    """
    exponent(rate.base)
    exponent(rate.quote)
    if not rate.rate.is_finite() or rate.rate <= 0:
        raise invalid("negative", "rate", rate.rate)
    return rate


def in_force(rate: Rate | None, base: str, quote: str, at: dt.datetime) -> Rate:
    """The rate, if it is for the pair and still in force.

    :raises RateUnavailableError: it is not.
    """
    if rate is None or (rate.base, rate.quote) != (base, quote):
        raise RateUnavailableError(base=base, quote=quote)
    if at < rate.at or (rate.valid_until is not None and at >= rate.valid_until):
        raise RateUnavailableError(base=base, quote=quote)
    return rate
