"""Fees whose height depends on what is left to pay (cash on delivery, convenience store), and the tax that depends on
them in turn."""

import itertools
from collections.abc import Callable, Sequence

from eckit.pricing.errors import FeeTableError
from eckit.pricing.model import Charge, ChargeKind, FeeRule, FeeTier
from eckit.pricing.rules.sheet import CORE, ExtraRow, Sheet
from eckit.pricing.rules.taxes import TaxAsk, Taxer


def check_fees(rules: Sequence[FeeRule]) -> None:
    """Insist that every amount has its fee: limits rise, and the last tier has none.

    :raises FeeTableError: names the plugin and the fee.
    """
    for rule in rules:
        if not rule.tiers or rule.tiers[-1].up_to_minor is not None:
            raise _unusable(rule, "amounts above its last limit have no fee")
        limits = [-1 if tier.up_to_minor is None else tier.up_to_minor for tier in rule.tiers[:-1]]
        if any(low >= high for low, high in itertools.pairwise([-1, *limits])):
            raise _unusable(rule, "its limits do not rise")
        for tier in rule.tiers:
            if type(tier.fee_minor) is not int or tier.fee_minor < 0:
                raise _unusable(rule, f"a fee of {tier.fee_minor}")


def _unusable(rule: FeeRule, reason: str) -> FeeTableError:
    return FeeTableError(plugin=rule.plugin or CORE, hook="propose_payment_fees", reason=f"{rule.code}: {reason}")


def solve_fees(rules: Sequence[FeeRule], left_with: Callable[[Sequence[int]], int]) -> list[FeeTier]:
    """For each fee the smallest tier whose limit holds for what is then left to pay, after tax.

    A fee that counts itself is part of the amount that picks its tier, and may so lift itself over a limit; every fee
    counts for the others. Tiers only move up, so this ends.

    :param rules: checked by :func:`check_fees`.
    :param left_with: what is left to pay with these fees, tax included.
    """
    at = [0] * len(rules)
    moved = True
    while moved:
        moved = False
        for index, rule in enumerate(rules):
            fees = [other.tiers[tier].fee_minor for other, tier in zip(rules, at, strict=True)]
            if not rule.counts_itself:
                fees[index] = 0
            limit = rule.tiers[at[index]].up_to_minor
            if limit is not None and left_with(fees) > limit:
                at[index] += 1
                moved = True
    return [rule.tiers[tier] for rule, tier in zip(rules, at, strict=True)]


def charge_fees_and_tax(sheet: Sheet, rules: Sequence[FeeRule], ask: TaxAsk) -> None:
    """Charge the fees of the payment method, then the tax of everything. Where nothing is to be paid there is no fee.

    The engine is asked once, unless it gives amounts instead of rates and a fee moves to another tier.

    :raises FeeTableError: as :func:`check_fees`.
    :raises TaxUnavailableError: as ``tax.service.ask``.
    """
    check_fees(rules)
    rules = sorted(rules, key=lambda rule: rule.code)
    if sheet.total == 0:
        rules = []
    place = sheet.place_of(next(iter(sheet.groups), None))
    sheet.fees = [ExtraRow(sheet.next_id(), None, rule.tiers[0].fee_minor, rule.tax_class, place) for rule in rules]
    rows, taxer = tuple(sheet.fees), Taxer(sheet, ask)
    before = sheet.goods_left + sheet.shipping_left

    def left_with(fees: Sequence[int]) -> int:
        for row, fee in zip(rows, fees, strict=True):
            row.left = fee
        return before + sum(fees) + taxer.added()

    tiers = solve_fees(rules, left_with)
    for row, rule, tier in zip(rows, rules, tiers, strict=True):
        row.left = tier.fee_minor
        if tier.fee_minor:
            _charge(sheet, row, rule, tier)
        else:
            sheet.fees.remove(row)
    taxer.charge()


def _charge(sheet: Sheet, row: ExtraRow, rule: FeeRule, tier: FeeTier) -> None:
    plugin = rule.plugin or CORE
    sheet.charges.append(
        Charge(
            id=row.id,
            target="order",
            kind=ChargeKind.FEE,
            code=rule.code,
            label=rule.label,
            amount_minor=row.left,
            tax_class=rule.tax_class,
            earned_by="seller",
            plugin=plugin,
            plugin_version=sheet.terms.versions.get(plugin, ""),
            rule=rule.code,
        )
    )
    inputs: dict[str, str] = {"charge": row.id}
    if tier.up_to_minor is not None:
        inputs["up_to"] = str(tier.up_to_minor)
    sheet.note("fee", "order", rule.code, row.left, inputs, plugin=plugin)
