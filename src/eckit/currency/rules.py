"""Converting amounts, exactly, with one rounding."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Final

import attrs

from eckit.currency.errors import RateUnavailableError
from eckit.currency.model import Rate
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, invalid
from eckit.kernel.money import Rounding, exponent, round_fraction
from eckit.kernel.text import clean

MAX_DIGITS: Final = 60


def convert(amount_minor: int, rate: Rate, mode: Rounding) -> int:
    """``amount_minor`` of the rate's base in minor units of its quote currency, rounded once.

    ¥1,000 at 0.00206 is 2.060 KWD: minor units 1000 → 2060.
    """
    shift = exponent(rate.quote) - exponent(rate.base)
    return round_fraction(Fraction(amount_minor) * Fraction(rate.rate) * Fraction(10) ** shift, mode)


def known(currency: str, path: str) -> str:
    """A currency there is, by its code.

    :raises InvalidInputError: ``unknown-currency``, naming the field.
    """
    try:
        exponent(currency)
    except InvalidInputError as error:
        raise invalid("unknown-currency", path, currency) from error
    return currency


def accepted(rate: Rate) -> Rate:
    """A rate that can be used and stored.

    :raises InvalidInputError: not above zero, not finite, too many digits, a currency into itself or an unknown one, an
        end that is not after its start.
    """
    known(rate.base, "base")
    known(rate.quote, "quote")
    if rate.base == rate.quote:
        raise invalid("same-currency", "quote", rate.quote)
    for name in ("rate", "spread"):
        value: object = getattr(rate, name)
        if not isinstance(value, Decimal) or not value.is_finite() or len(str(value)) > MAX_DIGITS:
            raise invalid("wrong-rate", name, value, limit=MAX_DIGITS)
    if rate.rate <= 0:
        raise invalid("negative", "rate", rate.rate)
    if rate.spread < 0:
        raise invalid("negative", "spread", rate.spread)
    Window(rate.at, rate.valid_until)
    return attrs.evolve(rate, source=clean(rate.source, path="source", max_length=80))


def in_force(rate: Rate | None, base: str, quote: str, at: dt.datetime) -> Rate:
    """The rate, if it is for the pair and still in force.

    :raises RateUnavailableError: it is not.
    """
    if rate is None or (rate.base, rate.quote) != (base, quote):
        raise RateUnavailableError(base=base, quote=quote)
    if at < rate.at or (rate.valid_until is not None and at >= rate.valid_until):
        raise RateUnavailableError(base=base, quote=quote)
    return rate
