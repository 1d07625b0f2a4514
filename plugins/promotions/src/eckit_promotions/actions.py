"""What is given."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from eckit import ORDER, SHIPPING, Adjustment, Draft, Matched, Rounding, from_minor, invalid, round_fraction
from eckit.kernel.money import exponent


def _percent(_: object, field: "attrs.Attribute[Decimal]", value: Decimal) -> None:
    if not (value.is_finite() and 0 < value <= 100):
        raise invalid("negative", field.name, value, limit="0 < percent ≤ 100")


@attrs.frozen(kw_only=True)
class PercentSettings:
    """``percent`` off each line the condition is about, as text: ``"10"``, ``"12.5"``; rounded half up per line."""

    percent: Decimal = attrs.field(validator=_percent)


@attrs.frozen
class PercentOff:
    """A percentage off the lines the condition is about."""

    code: str = "percent_off"
    settings: type = PercentSettings
    phase: int = 10

    def propose(
        self, draft: Draft, rules: Sequence[tuple[PercentSettings, Matched]]
    ) -> Sequence[tuple[Adjustment, ...]]:
        """One adjustment per line and rule, rounded half up per line."""
        amounts = {line.id: line.amount_minor for line in draft.lines}
        return [
            tuple(
                Adjustment(
                    code="",
                    label="",
                    amount=from_minor(-off, draft.currency),
                    target=line_id,
                    inputs={"percent": str(rule.percent), "of": str(amounts[line_id])},
                )
                for line_id in matched.lines
                if (off := _share(amounts[line_id], rule.percent))
            )
            for rule, matched in rules
        ]


def _share(amount_minor: int, percent: Decimal) -> int:
    return round_fraction(Fraction(amount_minor) * Fraction(percent) / 100, Rounding.HALF_UP)


def _positive(_: object, field: "attrs.Attribute[int]", value: int) -> None:
    if value <= 0:
        raise invalid("negative", field.name, value)


def _currency(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    exponent(value)


@attrs.frozen(kw_only=True)
class AmountSettings:
    """So much off, in minor units of ``currency``, in the cart's own tax basis."""

    amount_minor: int = attrs.field(validator=_positive)
    currency: str = attrs.field(validator=_currency)


@attrs.frozen
class AmountOff:
    """An amount off the order, shared over its lines by what they cost."""

    code: str = "amount_off"
    settings: type = AmountSettings
    phase: int = 20

    def propose(
        self, draft: Draft, rules: Sequence[tuple[AmountSettings, Matched]]
    ) -> Sequence[tuple[Adjustment, ...]]:
        """One adjustment per rule in the draft's currency; none in another."""
        return [
            (
                Adjustment(
                    code="",
                    label="",
                    amount=from_minor(-rule.amount_minor, draft.currency),
                    target=ORDER,
                    inputs={"amount": str(rule.amount_minor)},
                ),
            )
            if rule.currency == draft.currency
            else ()
            for rule, _ in rules
        ]


@attrs.frozen(kw_only=True)
class ShippingSettings:
    """``percent`` off shipping; 100 is free shipping."""

    percent: Decimal = attrs.field(default=Decimal(100), validator=_percent)


@attrs.frozen
class ShippingOff:
    """A percentage off shipping."""

    code: str = "shipping_off"
    settings: type = ShippingSettings
    phase: int = 30

    def propose(
        self, draft: Draft, rules: Sequence[tuple[ShippingSettings, Matched]]
    ) -> Sequence[tuple[Adjustment, ...]]:
        """One adjustment per rule, of what shipping costs so far."""
        return [
            (
                Adjustment(
                    code="",
                    label="",
                    amount=from_minor(-off, draft.currency),
                    target=SHIPPING,
                    inputs={"percent": str(rule.percent), "of": str(draft.shipping_minor)},
                ),
            )
            if (off := _share(draft.shipping_minor, rule.percent))
            else ()
            for rule, _ in rules
        ]
