"""Money: exact integers in a currency's smallest unit, and the few places where something is rounded or shared.

Inside the core an amount is an ``int`` of *minor units* (1 yen, 1 cent, 1 fils) and its currency is known once per
quote; ``moneyed.Money`` is its public form. How many decimals a currency has is ISO 4217's number as py-moneyed gives
it, never Babel's: CLDR's *display* digits differ for IQD, MGA, RSD and others, by a factor of 100 or 1,000.

No result here depends on the decimal context, so a plugin that changes its own changes no amount. Floats are refused
with ``TypeError``; everything else that is wrong raises ``InvalidInputError`` with a code and the field.

Negative amounts mirror positive ones everywhere: a refund rounds and is shared exactly as the charge was.
"""

import copy
import enum
import functools
import re
import unicodedata
from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Final, TypeAlias

import moneyed
from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, get_currency_symbol
from moneyed import Money

from eckit.kernel.errors import invalid

__all__ = [
    "MAX_MINOR",
    "Money",
    "Rate",
    "Rounding",
    "checked_minor",
    "exponent",
    "format_minor",
    "format_money",
    "from_minor",
    "parse_amount",
    "round_fraction",
    "round_money",
    "round_ratio",
    "split",
    "tax_contained",
    "tax_on",
    "to_minor",
]

MAX_MINOR: Final = 10**15
"""No amount is larger than this many minor units, in either direction: far inside BIGINT, as are sums of many."""

Rate: TypeAlias = Decimal | Fraction | int
"""A rate as a fraction of one: 10 % is ``Decimal("0.10")``."""

_MAX_DIGITS: Final = 15

# In ISO 4217 since 2025 and 2024, after py-moneyed 3.0.
for _code, _numeric, _name in (("XCG", "532", "Caribbean guilder"), ("ZWG", "924", "Zimbabwe Gold")):
    if _code not in moneyed.CURRENCIES:
        moneyed.add_currency(_code, _numeric, sub_unit=100, name=_name)

# Codes of ISO 4217 that nobody can pay with: metals, units of account, "testing" and "no currency".
_NOT_MONEY: Final = frozenset(
    {
        "XAG",
        "XAU",
        "XBA",
        "XBB",
        "XBC",
        "XBD",
        "XDR",
        "XEU",
        "XFO",
        "XFU",
        "XPD",
        "XPT",
        "XRE",
        "XSU",
        "XTS",
        "XUA",
        "XXX",
    }
)


# --- units -----------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """How many decimals a currency has by ISO 4217: JPY 0, EUR 2, BHD 3, CLF 4. Cheap: the answer is cached.

    :raises InvalidInputError: ``unknown-currency``; codes are upper case.
    """
    known = moneyed.CURRENCIES.get(currency)
    if known is None or currency in _NOT_MONEY:
        raise invalid("unknown-currency", "currency", currency)
    return len(str(known.sub_unit)) - 1


def checked_minor(minor: int, path: str = "amount") -> int:
    """The number itself, when it is an integer within :data:`MAX_MINOR`.

    :raises InvalidInputError: ``amount-out-of-range``.
    :raises TypeError: not an integer (a float, a Decimal, a bool).
    """
    _require_int(minor, path)
    if not -MAX_MINOR <= minor <= MAX_MINOR:
        raise invalid("amount-out-of-range", path, minor, limit=MAX_MINOR)
    return minor


def to_minor(money: Money, path: str = "amount") -> int:
    """The amount in minor units, exactly.

    A float given to ``Money`` has become a Decimal before it can be seen here; its noise (``0.1 + 0.2``) is refused as
    too fine.

    :raises InvalidInputError: ``too-fine`` for half a yen, ``not-an-amount`` for NaN, ``amount-out-of-range``,
        ``unknown-currency``.
    :raises TypeError: not ``Money``.
    """
    if not isinstance(money, Money):
        raise TypeError(f"{path}: expected moneyed.Money, not {type(money).__name__}")
    decimals = exponent(money.currency.code)
    numerator, denominator = _ratio(money.amount, path)
    minor, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        raise invalid("too-fine", path, f"{money.amount} {money.currency.code}", limit=decimals)
    return checked_minor(minor, path)


def from_minor(minor: int, currency: str) -> Money:
    """The public form of an amount, with all of the currency's decimals: ``from_minor(1050, "EUR")`` is 10.50 EUR.

    :raises InvalidInputError: ``unknown-currency``, ``amount-out-of-range``.
    :raises TypeError: not an integer.
    """
    checked_minor(minor)
    # From text: arithmetic would round to the precision of the decimal context.
    return Money(Decimal(f"{minor}E-{exponent(currency)}"), currency)


# --- rounding --------------------------------------------------------------------------------------------------------


class Rounding(enum.Enum):
    """What becomes of a part of a unit. All four mirror: −x rounds to minus what x rounds to."""

    FLOOR = "floor"
    """Away with it: towards zero. What most Japanese shops do."""
    HALF_UP = "half_up"
    """To the nearest; a half goes away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half goes to the even neighbor."""
    CEIL = "ceil"
    """Up to the next unit: away from zero."""


def round_ratio(numerator: int, denominator: int, mode: Rounding) -> int:
    """``numerator / denominator`` to a whole number. The denominator is positive."""
    if denominator <= 0:
        raise ValueError(f"denominator must be positive, not {denominator}")
    whole, rest = divmod(abs(numerator), denominator)
    if rest and _goes_up(whole, 2 * rest - denominator, mode):
        whole += 1
    return -whole if numerator < 0 else whole


def _goes_up(whole: int, beyond_half: int, mode: Rounding) -> bool:
    if mode is Rounding.FLOOR:
        return False
    if mode is Rounding.CEIL:
        return True
    if beyond_half == 0:
        return mode is Rounding.HALF_UP or whole % 2 == 1
    return beyond_half > 0


def round_fraction(value: Fraction | Decimal | int, mode: Rounding) -> int:
    """An exact number to a whole one.

    :raises InvalidInputError: ``not-an-amount`` for NaN and infinity, ``amount-out-of-range`` for absurd exponents.
    :raises TypeError: a float.
    """
    return round_ratio(*_ratio(value, "value"), mode)


def round_money(money: Money, mode: Rounding) -> Money:
    """An amount to its currency's smallest unit, by a named mode (``Money.round`` knows neither).

    :raises InvalidInputError: as :func:`to_minor`, except ``too-fine``.
    """
    if not isinstance(money, Money):
        raise TypeError(f"expected moneyed.Money, not {type(money).__name__}")
    code = money.currency.code
    numerator, denominator = _ratio(money.amount, "amount")
    return from_minor(round_ratio(numerator * 10 ** exponent(code), denominator, mode), code)


# --- sharing ---------------------------------------------------------------------------------------------------------


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share whole units by weight: the parts add up to the total, and each is less than one unit from its exact share.

    Largest remainder: every part gets its exact share without the fraction, and the units left over go one each to the
    largest fractions, the earlier part first where two are equal. So a weight of zero gets nothing, equal weights
    differ by at most one, and the same input always gives the same parts. A negative total gives the mirrored parts.

    :param weights: zero or more each, in any unit (line amounts, grams, quantities).
    :raises InvalidInputError: ``negative-weight``, or ``nothing-to-share-by`` when the total is not zero and
        all weights are.
    :raises TypeError: the total or a weight is not an integer.
    """
    _require_int(total, "total")
    for index, weight in enumerate(weights):
        if type(weight) is not int or weight < 0:
            _refuse_weight(weight, f"weights[{index}]")
    whole = sum(weights)
    if whole == 0:
        if total != 0:
            raise invalid("nothing-to-share-by", "weights", list(weights))
        return [0] * len(weights)
    size = abs(total)
    parts = [size * weight // whole for weight in weights]
    left_over = size - sum(parts)
    if left_over:
        fractions = [size * weight % whole for weight in weights]
        # Stable also when reversed, so of two equal fractions the earlier one comes first.
        for index in sorted(range(len(parts)), key=fractions.__getitem__, reverse=True)[:left_over]:
            parts[index] += 1
    return [-part for part in parts] if total < 0 else parts


def _refuse_weight(weight: int, path: str) -> None:
    _require_int(weight, path)
    if weight < 0:
        raise invalid("negative-weight", path, weight, limit=0)


# --- tax arithmetic --------------------------------------------------------------------------------------------------


def tax_on(net: int, rate: Rate, mode: Rounding) -> int:
    """The tax that comes on top of a net amount, rounded once.

    :raises InvalidInputError: ``rate-out-of-range`` unless the rate is from 0 to 1.
    :raises TypeError: a float.
    """
    checked_minor(net, "net")
    part, whole = _rate_ratio(rate)
    return round_ratio(net * part, whole, mode)


def tax_contained(gross: int, rate: Rate, mode: Rounding) -> int:
    """The tax inside a gross amount: ``gross × rate / (1 + rate)`` in one exact step, rounded once.

    The net amount is what is left, ``gross − tax``; taking the tax from a rounded net is off by a cent now and then.

    :raises InvalidInputError: ``rate-out-of-range`` unless the rate is from 0 to 1.
    :raises TypeError: a float.
    """
    checked_minor(gross, "gross")
    part, whole = _rate_ratio(rate)
    return round_ratio(gross * part, whole + part, mode)


def _rate_ratio(rate: Rate) -> tuple[int, int]:
    part, whole = _ratio(rate, "rate")
    if not 0 <= part <= whole:
        raise invalid("rate-out-of-range", "rate", rate, limit=1)
    return part, whole


# --- reading ---------------------------------------------------------------------------------------------------------

# The full-width forms of ASCII, and no more of NFKC, which would read "5²" as 52 and "①" as 1.
_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2212: 0x2D}
_PLAIN: Final = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<decimals>[0-9]+))?")
_GROUPED: Final = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<decimals>[0-9]+))?")
_MARKED: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)+")


def parse_amount(
    text: str, currency: str, *, minor_units: bool = False, signed: bool = False, path: str = "amount"
) -> int:
    """Minor units from what a person or a file wrote, strictly; what could be read in two ways is refused, not guessed.

    =========================  ========================================================================================
    ``1080``, ``10.50``        read; the point is the decimal mark, full-width digits count as digits
    ``1,234.50``               read: commas every three digits *and* a point can only mean one thing
    ``1,234,567``              read: so do two commas
    ``1,080``                  read as 1080 where the currency has no decimals, else refused: it may be a German 1.080
    ``12,50``, ``1.234,50``    refused as ambiguous
    ``1.080``                  refused as ambiguous, except where the currency has three or more decimals
    ``1080.00`` yen            read as 1080: the decimals are zeros, and two of them cannot be thousands
    ``16.24`` yen              refused as too fine
    ``+5``, ``(5)``, ``1e3``   refused, as are ``NaN``, ``.5``, ``5.``, currency signs, inner spaces, 16 digits
    =========================  ========================================================================================

    :param minor_units: the text counts minor units (cents) instead: no decimal mark at all.
    :param signed: one leading minus is allowed.
    :raises InvalidInputError: ``not-an-amount``, ``ambiguous-amount``, ``too-fine``, ``amount-out-of-range``,
        ``unknown-currency``.
    :raises TypeError: the amount is not text.
    """
    if not isinstance(text, str):
        raise TypeError(f"{path}: expected text, not {type(text).__name__}")
    decimals = exponent(currency)
    body = text.translate(_HALF_WIDTH).strip(" \t\r\n")
    negative = signed and body.startswith("-")
    try:
        minor = _parse_digits(body[1:] if negative else body, decimals, minor_units=minor_units)
    except _UnreadableError as reason:
        limit, suggestion = reason.hint(0 if minor_units else decimals)
        raise invalid(reason.code, path, text, limit=limit, suggestion=suggestion) from None
    return -minor if negative else minor


class _UnreadableError(Exception):
    def __init__(self, code: str) -> None:
        self.code = code

    def hint(self, decimals: int) -> tuple[int | str, str]:
        """What the problem can say beside its code: a limit and an example of what would be read."""
        limits: dict[str, int] = {"too-fine": decimals, "amount-out-of-range": MAX_MINOR}
        return limits.get(self.code, ""), "1234." + "5".ljust(decimals, "0") if decimals else "1234"


def _parse_digits(body: str, decimals: int, *, minor_units: bool) -> int:
    match = _PLAIN.fullmatch(body) or _GROUPED.fullmatch(body)
    if match is None:
        raise _UnreadableError("ambiguous-amount" if _MARKED.fullmatch(body) else "not-an-amount")
    if minor_units:
        decimals = 0
    if _is_ambiguous(match, decimals):
        raise _UnreadableError("ambiguous-amount")
    whole, fraction = match["whole"].replace(",", ""), match["decimals"] or ""
    if len(whole) + len(fraction) > _MAX_DIGITS:
        raise _UnreadableError("amount-out-of-range")
    if len(fraction.rstrip("0")) > decimals or (fraction and minor_units):
        raise _UnreadableError("too-fine")
    minor = int(whole + fraction[:decimals].ljust(decimals, "0"))
    if minor > MAX_MINOR:
        raise _UnreadableError("amount-out-of-range")
    return minor


def _is_ambiguous(match: re.Match[str], decimals: int) -> bool:
    """Whether a lone mark may separate thousands as well as decimals."""
    whole, fraction = match["whole"], match["decimals"]
    if fraction is None:
        return decimals > 0 and whole.count(",") == 1
    might_be_thousands = len(fraction) == 3 and len(whole) <= 3 and not whole.startswith("0")
    return might_be_thousands and decimals < 3


# --- showing ---------------------------------------------------------------------------------------------------------

# For Babel, which computes with the context of the caller.
_SHOWING: Final = Context(prec=40)


def format_minor(minor: int, currency: str, locale: str) -> str:
    """An amount as the locale writes it, with the currency's own decimals: ``¥1,080`` in ``en``, ``￥1,080`` in ``ja``.

    A locale that is not known is widened as texts are: ``ja-JP``, ``ja``, then English.

    :raises InvalidInputError: as :func:`from_minor`.
    """
    amount = from_minor(minor, currency).amount
    pattern, babel_locale = _pattern(locale, currency)
    with localcontext(_SHOWING):
        return str(pattern.apply(amount, babel_locale, currency=currency, currency_digits=False))


def format_money(money: Money, locale: str) -> str:
    """:func:`format_minor` for ``Money``.

    :raises InvalidInputError: as :func:`to_minor`: an amount that the currency cannot hold is not shown rounded.
    """
    return format_minor(to_minor(money), money.currency.code, locale)


@functools.lru_cache(maxsize=512)
def _pattern(locale: str, currency: str) -> tuple[NumberPattern, Locale]:
    known = _known_locale(locale)
    pattern = copy.copy(known.currency_formats["standard"])
    pattern.frac_prec = (exponent(currency),) * 2
    # CLDR's currency spacing, which Babel leaves out: "KWD 2.060" and not "KWD2.060".
    symbol = get_currency_symbol(currency, known)
    if unicodedata.category(symbol[-1])[0] not in "SZ":
        pattern.prefix = tuple(f"{part}\xa0" if part.endswith("¤") else part for part in pattern.prefix)
    if unicodedata.category(symbol[0])[0] not in "SZ":
        pattern.suffix = tuple(f"\xa0{part}" if part.startswith("¤") else part for part in pattern.suffix)
    return pattern, known


def _known_locale(locale: str) -> Locale:
    parts = locale.replace("_", "-").split("-")[:4]
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("-".join(parts[:length]), sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


# --- guards ----------------------------------------------------------------------------------------------------------


def _require_int(value: object, path: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{path}: expected an integer of minor units, not {type(value).__name__}")


def _ratio(value: Fraction | Decimal | int, path: str) -> tuple[int, int]:
    """The number as an exact fraction. Guards against ``1e999999999``, whose digits would fill the memory."""
    if type(value) is not Decimal:  # the most frequent kind is told first: fractions' own check is slow
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, Fraction)):
            raise TypeError(f"{path}: expected an exact number, not {type(value).__name__}")
        if not isinstance(value, Decimal):
            return value.as_integer_ratio()
    if not value.is_finite():
        raise invalid("not-an-amount", path, value)
    if value and not (-100 < value.adjusted() < 40 and len(value.as_tuple().digits) <= 200):
        raise invalid("amount-out-of-range", path, f"{value:.3e}", limit=MAX_MINOR)
    return value.as_integer_ratio()
