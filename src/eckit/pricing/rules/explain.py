"""A price in words: one line for each step of the trace."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from eckit.kernel.money import format_minor
from eckit.kernel.texts import say
from eckit.pricing.model import Charge, ExplainLine, TraceEntry


class Priced(Protocol):
    """A quote, or a placed order's record."""

    @property
    def charges(self) -> tuple[Charge, ...]: ...
    @property
    def trace(self) -> tuple[TraceEntry, ...]: ...


def explain(priced: Priced, locale: str, *, currency: str = "") -> tuple[ExplainLine, ...]:
    """Every step of a price in words, in the order it happened.

    The amounts of the lines that are not ``included`` add up to the total.

    :param currency: needed only where ``priced`` does not know it itself.
    """
    code: str = currency or getattr(priced, "currency", "")
    by_id: Mapping[str, Charge] = {charge.id: charge for charge in priced.charges}
    return tuple(_line(entry, by_id.get(entry.inputs.get("charge", "")), code, locale) for entry in priced.trace)


def _line(entry: TraceEntry, charge: Charge | None, currency: str, locale: str) -> ExplainLine:
    included = charge is not None and charge.included
    key = f"explain.{entry.phase}"
    if entry.phase == "tax":
        key = "explain.tax.included" if included else "explain.tax.added"
    elif charge is None:
        key = f"explain.nothing.{entry.inputs.get('why', 'cut')}"
    elif entry.phase == "goods" and "scale" in entry.inputs:
        key = "explain.goods.measured"
    facts = _facts(entry, charge, currency, locale)
    text = say(key, locale, **facts)
    if "exchange" in entry.inputs:
        text = f"{text} {_conversion(entry.inputs, currency, locale)}"
    if "wanted" in entry.inputs and charge is not None:
        text = f"{text} {say('explain.cut', locale, **facts)}"
    return ExplainLine(text=text, amount_minor=entry.amount_minor, included=included)


def _conversion(inputs: Mapping[str, str], currency: str, locale: str) -> str:
    """What the list price was, by which rate it was converted, and what the market made of it."""
    facts = {
        "list_unit": format_minor(int(inputs["list_unit"]), inputs["currency"], locale),
        "base": inputs["currency"],
        "quote": currency,
        "exchange": inputs["exchange"],
        "source": inputs["source"],
        "at": inputs["rate_at"],
        "converted": format_minor(int(inputs["converted"]), currency, locale),
        "unit": format_minor(int(inputs["unit"]), currency, locale),
    }
    key = "explain.converted" if inputs["converted"] == inputs["unit"] else "explain.converted.rounded"
    return say(key, locale, **facts)


def _facts(entry: TraceEntry, charge: Charge | None, currency: str, locale: str) -> dict[str, str]:
    inputs = entry.inputs
    facts = {
        "label": charge.label.get(locale) if charge is not None else entry.rule,
        "code": charge.code if charge is not None else entry.rule,
        "amount": format_minor(entry.amount_minor, currency, locale),
        "plugin": f"{entry.plugin} {entry.version}".strip(),
        "rule": entry.rule,
        "rounding": _rounding(entry.rounding, locale),
        "quantity": _quantity(inputs),
    }
    for name in ("unit", "base", "wanted", "up_to"):
        if name in inputs:
            facts[name] = format_minor(int(inputs[name]), currency, locale)
    if "rate" in inputs:
        facts["rate"] = _percent(Decimal(inputs["rate"]))
    return facts


def _quantity(inputs: Mapping[str, str]) -> str:
    """Steps in whole units: 190 steps of 10^-2 are 1.90."""
    steps, scale = inputs.get("steps", "0"), int(inputs.get("scale", "0"))
    return steps if not scale else str(Decimal(f"{steps}E-{scale}"))


def _percent(rate: Decimal) -> str:
    shown = format((rate * 100).normalize(), "f")
    return f"{shown}%"


def _rounding(name: str, locale: str) -> str:
    if not name:
        return say("rounding.none", locale)
    level, _, mode = name.partition("/")
    return say("rounding.both", locale, level=say(f"rounding.{level}", locale), mode=say(f"rounding.{mode}", locale))
