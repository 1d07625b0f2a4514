"""When something is given."""

from collections.abc import Sequence

import attrs

from eckit import Draft, Matched, invalid
from eckit.kernel.money import exponent


def _not_negative(_: object, field: "attrs.Attribute[int]", value: int) -> None:
    if value < 0:
        raise invalid("negative", field.name, value)


def _positive(_: object, field: "attrs.Attribute[int]", value: int) -> None:
    if value < 1:
        raise invalid("negative", field.name, value)


def _named(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not value:
        raise invalid("missing", field.name, value)


def _currency(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    exponent(value)


@attrs.frozen(kw_only=True)
class GoodsMinimumSettings:
    """Goods of at least so much, in minor units of ``currency``, in the cart's own tax basis."""

    minimum_minor: int = attrs.field(default=0, validator=_not_negative)
    currency: str = attrs.field(validator=_currency)


@attrs.frozen
class GoodsMinimum:
    """The goods in the cart are worth at least an amount."""

    code: str = "goods_minimum"
    settings: type = GoodsMinimumSettings

    def keys(self, rule: GoodsMinimumSettings) -> tuple[str, ...]:
        """Any cart may meet it."""
        return ("cart",)

    def judge(self, draft: Draft, rules: Sequence[GoodsMinimumSettings]) -> Sequence[Matched]:
        """Met in the rule's currency only: amounts of two currencies never meet."""
        lines = tuple(line.id for line in draft.lines)
        return [
            Matched(met=rule.currency == draft.currency and draft.goods_minor >= rule.minimum_minor, lines=lines)
            for rule in rules
        ]


@attrs.frozen(kw_only=True)
class CategorySettings:
    """At least ``minimum_steps`` steps of goods of a category (or one below it)."""

    category: str = attrs.field(validator=_named)
    minimum_steps: int = attrs.field(default=1, validator=_positive)


@attrs.frozen
class CategoryInCart:
    """The cart has goods of a category; the rule is about those lines."""

    code: str = "category"
    settings: type = CategorySettings

    def keys(self, rule: CategorySettings) -> tuple[str, ...]:
        """Asks for the category."""
        return (f"category:{rule.category}",)

    def judge(self, draft: Draft, rules: Sequence[CategorySettings]) -> Sequence[Matched]:
        """Lines by category are found once for all rules."""
        by_category: dict[str, list[int]] = {}
        for number, line in enumerate(draft.lines):
            for code in line.category_codes:
                by_category.setdefault(code, []).append(number)
        return [_matched(draft, by_category.get(rule.category, []), rule.minimum_steps) for rule in rules]


@attrs.frozen(kw_only=True)
class SkuSettings:
    """At least ``minimum_steps`` steps of one SKU."""

    sku: str = attrs.field(validator=_named)
    minimum_steps: int = attrs.field(default=1, validator=_positive)


@attrs.frozen
class SkuInCart:
    """The cart has a SKU; the rule is about its lines."""

    code: str = "sku"
    settings: type = SkuSettings

    def keys(self, rule: SkuSettings) -> tuple[str, ...]:
        """Asks for the SKU."""
        return (f"sku:{rule.sku}",)

    def judge(self, draft: Draft, rules: Sequence[SkuSettings]) -> Sequence[Matched]:
        """Lines by SKU are found once for all rules."""
        by_sku: dict[str, list[int]] = {}
        for number, line in enumerate(draft.lines):
            by_sku.setdefault(line.sku, []).append(number)
        return [_matched(draft, by_sku.get(rule.sku, []), rule.minimum_steps) for rule in rules]


def _matched(draft: Draft, numbers: Sequence[int], minimum_steps: int) -> Matched:
    lines = [draft.lines[number] for number in numbers]
    met = bool(lines) and sum(line.steps for line in lines) >= minimum_steps
    return Matched(met=met, lines=tuple(line.id for line in lines) if met else ())
