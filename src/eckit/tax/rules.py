"""Tax arithmetic: an engine's answer is checked, then amounts are computed on exact ratios and rounded where the
market's policy says, never anywhere else.

``line``   rounded for each item.
``unit``   rounded for one unit of each item, then times the quantity.
``rate``   summed up per rate, rounded once; the items' parts are shares of that (Japan's qualified invoice, EN 16931).

Negative amounts mirror positive ones, so a credit note repeats its invoice.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import attrs

from eckit.channel.model import RoundingPolicy
from eckit.kernel.errors import invalid
from eckit.kernel.money import Rounding, exponent, round_fraction, round_ratio, split
from eckit.kernel.text import Text
from eckit.tax.errors import TaxUnavailableError
from eckit.tax.model import Taxable, TaxLine, TaxRequest

ENGINE_ROUNDING: Final = "engine/half_up"
"""Named in trace and order where an engine gave the amounts itself and the core only made them whole."""


@attrs.frozen(kw_only=True)
class TaxAmount:
    """The tax of one code and rate.

    :ivar base_minor: what it was computed from, in the request's basis (gross if tax is included).
    :ivar shares: the part of each item, by its key; they add up to ``amount_minor``.
    :ivar rounding: the policy's name, or ``engine/half_up``.
    """

    code: str
    rate: Decimal
    label: Text
    jurisdiction: str
    scheme: str
    base_minor: int
    amount_minor: int
    shares: tuple[tuple[str, int], ...]
    rounding: str


def checked(request: TaxRequest, lines: Sequence[TaxLine], *, engine: str, plugin: str = "") -> tuple[TaxLine, ...]:
    """The engine's answer in the request's order: complete, each key once, every number in range; or nothing of it.

    :raises TaxUnavailableError: says what is wrong.
    """
    by_key: dict[str, TaxLine] = {}
    for line in lines:
        if line.key in by_key:
            raise _unbelievable(engine, plugin, f"two answers for {line.key}")
        by_key[line.key] = line
    answer = []
    for item in request.items:
        found = by_key.pop(item.key, None)
        if found is None:
            raise _unbelievable(engine, plugin, f"no answer for {item.key}")
        if trouble := _trouble(found, item, request):
            raise _unbelievable(engine, plugin, f"{item.key}: {trouble}")
        answer.append(found)
    if by_key:
        raise _unbelievable(engine, plugin, f"an answer for {min(by_key)}, which was not asked")
    return tuple(answer)


def _unbelievable(engine: str, plugin: str, reason: str) -> TaxUnavailableError:
    return TaxUnavailableError(engine=engine, plugin=plugin, hook="tax.answer", reason=reason)


def _trouble(line: TaxLine, item: Taxable, request: TaxRequest) -> str:
    """What cannot be believed of one answer, or ``""``."""
    rate: Any = line.rate  # a plugin's: nothing is sure
    amount: Any = line.amount
    if not line.code:
        return "no code"
    if not isinstance(rate, Decimal) or not rate.is_finite() or not 0 <= rate <= 1:
        return f"rate {rate}"
    if amount is None:
        return ""
    if not isinstance(amount, Decimal) or not amount.is_finite():
        return f"amount {amount}"
    # One unit more may come from the engine's own rounding.
    limit = Fraction(item.amount_minor + 1, 10 ** exponent(request.currency))
    if amount < 0 or amount > limit:
        return f"amount {amount} of {item.amount_minor} minor units"
    return ""


def compute(request: TaxRequest, lines: Sequence[TaxLine], policy: RoundingPolicy) -> tuple[TaxAmount, ...]:
    """The tax of each code and rate, with every item's part of it, in the order of the items.

    :param lines: one for each item of the request, in its order: see :func:`checked`.
    :param policy: where to round and how. Amounts that the engine gave are only made whole: summed up per rate,
        rounded half up, and what that changes is given to the items by largest remainder.
    :raises InvalidInputError: ``unknown-rounding`` for a level that is none of the three; ``mixed-signs`` when one
        request has positive and negative amounts of one rate, which belong on two documents.
    """
    if policy.level not in {"line", "unit", "rate"}:
        raise invalid("unknown-rounding", "rounding.level", policy.level, limit="line, unit, rate")
    grouped: dict[tuple[object, ...], list[tuple[Taxable, TaxLine]]] = {}
    for item, line in zip(request.items, lines, strict=True):
        key = (line.code, line.rate, line.jurisdiction, line.scheme, line.amount is None)
        grouped.setdefault(key, []).append((item, line))
    return tuple(_amount(request, members, policy) for members in grouped.values())


def _amount(request: TaxRequest, members: list[tuple[Taxable, TaxLine]], policy: RoundingPolicy) -> TaxAmount:
    items = [item for item, _ in members]
    line = members[0][1]
    if line.amount is not None:
        parts, rounding = _quantized(request, [given.amount or Decimal(0) for _, given in members]), ENGINE_ROUNDING
    else:
        parts, rounding = _by_policy(request, items, line.rate, policy), policy.name
    return TaxAmount(
        code=line.code,
        rate=line.rate,
        label=line.label,
        jurisdiction=line.jurisdiction,
        scheme=line.scheme,
        base_minor=sum(item.amount_minor for item in items),
        amount_minor=sum(parts),
        shares=tuple((item.key, part) for item, part in zip(items, parts, strict=True)),
        rounding=rounding,
    )


def _by_policy(request: TaxRequest, items: list[Taxable], rate: Decimal, policy: RoundingPolicy) -> list[int]:
    """Each item's tax, from its rate."""
    part, whole = rate.as_integer_ratio()
    if request.prices_include_tax:
        whole += part
    mode = policy.mode
    if policy.level == "line":
        return [round_ratio(item.amount_minor * part, whole, mode) for item in items]
    if policy.level == "unit":
        return [_per_unit(item, part, whole, mode, contained=request.prices_include_tax) for item in items]
    amounts = [item.amount_minor for item in items]
    tax = round_ratio(sum(amounts) * part, whole, mode)
    return split(tax, _weights(amounts))


def _per_unit(item: Taxable, part: int, whole: int, mode: Rounding, *, contained: bool) -> int:
    steps = item.quantity_steps
    tax = steps * round_ratio(item.amount_minor * part, whole * steps, mode)
    if contained and abs(tax) > abs(item.amount_minor):  # many units of almost nothing, each rounded up
        return item.amount_minor
    return tax


def _weights(amounts: list[int]) -> list[int]:
    if min(amounts) < 0 < max(amounts):
        raise invalid("mixed-signs", "items", min(amounts), limit=0)
    weights = [abs(amount) for amount in amounts]
    return weights if any(weights) else [1] * len(weights)


def _quantized(request: TaxRequest, given: list[Decimal]) -> list[int]:
    """Amounts in whole units of the currency, made whole minor units whose sum is the rounded sum."""
    unit = 10 ** exponent(request.currency)
    exact = [Fraction(amount) * unit for amount in given]
    total = round_fraction(sum(exact, Fraction(0)), Rounding.HALF_UP)
    parts = [int(amount) for amount in exact]
    left_over = total - sum(parts)
    by_fraction = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_fraction[:left_over]:
        parts[index] += 1
    return parts
