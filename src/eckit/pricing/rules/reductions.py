"""What lowers a price, or raises it: adjustments of lines, of the order, of shipping.

No target falls below zero: what is too much is cut off. One promotion (of one plugin, one code) reaches one target at
most once, however often it is proposed.
"""

from collections.abc import Iterable, Sequence

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import ChargeId
from eckit.kernel.money import split, to_minor
from eckit.kernel.text import Text
from eckit.pricing.errors import AdjustmentError
from eckit.pricing.model import Charge, ChargeKind, Share
from eckit.pricing.rules.sheet import CORE, LineRow, Sheet
from eckit.promotion.model import ORDER, SHIPPING, Adjustment

_PHASES = {10: "line_promotion", 20: "order_promotion", 30: "shipping_promotion"}


def reduce(sheet: Sheet, adjustments: Iterable[Adjustment]) -> None:
    """Apply adjustments of lines and of the whole order, in the order given: promotion has sorted them.

    One of the order is shared over the lines by what they cost at that moment, by largest remainder.

    :raises AdjustmentError: one is not in the sheet's currency, is finer than its unit, or names no line of it.
    """
    for adjustment in adjustments:
        amount = amount_of(sheet, adjustment)
        if not amount or _is_repeated(sheet, adjustment, amount):
            continue
        if adjustment.target == ORDER:
            _reduce_order(sheet, adjustment, amount)
        else:
            _reduce_line(sheet, _line(sheet, adjustment), adjustment, amount)


def reduce_shipping(sheet: Sheet, adjustments: Iterable[Adjustment]) -> None:
    """Apply adjustments of shipping; over several groups they are shared by what each one's shipping costs.

    :raises AdjustmentError: as :func:`reduce`, or the target is not shipping.
    """
    for adjustment in adjustments:
        amount = amount_of(sheet, adjustment)
        if adjustment.target != SHIPPING:
            raise _unusable(adjustment, f"target {adjustment.target} among shipping promotions")
        if not amount or not sheet.shipping or _is_repeated(sheet, adjustment, amount):
            continue
        lefts = [row.left for row in sheet.shipping]
        parts = shared(amount, lefts)
        cut = sum(parts)
        target = f"group:{sheet.shipping[0].group_id}" if len(lefts) == 1 else ORDER
        charge_id = _charge(sheet, adjustment, target, amount, cut)
        for row, part in zip(sheet.shipping, parts, strict=True):
            row.left += part
            if charge_id is not None and part:
                sheet.shares.append(Share(charge_id, f"charge:{row.id}", part))


def after_shipping_promotions(
    sheet: Sheet, before_minor: int, others: Sequence[int], adjustments: Iterable[Adjustment]
) -> int:
    """What one group's shipping would cost after these adjustments, if before them it cost ``before_minor``.

    :param others: shipping of the other groups, before the adjustments.
    """
    lefts = [before_minor, *others]
    done: set[tuple[str, str]] = set()
    for adjustment in adjustments:
        key = _key(adjustment)
        if key not in done:
            done.add(key)
            parts = shared(amount_of(sheet, adjustment), lefts)
            lefts = [left + part for left, part in zip(lefts, parts, strict=True)]
    return lefts[0]


def shared(amount: int, lefts: Sequence[int]) -> list[int]:
    """An adjustment's parts, by what each target costs; a reduction is cut so that none falls below zero."""
    whole = sum(lefts)
    if amount < 0:
        return split(-min(-amount, whole), lefts)
    return split(amount, lefts if whole else [1] * len(lefts))


def amount_of(sheet: Sheet, adjustment: Adjustment) -> int:
    """The adjustment in minor units of the sheet's currency.

    :raises AdjustmentError: another currency, or finer than the currency's unit.
    """
    currency = adjustment.amount.currency.code
    if currency != sheet.currency:
        raise _unusable(adjustment, f"amount in {currency}, the cart is in {sheet.currency}")
    try:
        return to_minor(adjustment.amount)
    except InvalidInputError as error:
        raise _unusable(adjustment, error.text("en")) from error


def _unusable(adjustment: Adjustment, reason: str) -> AdjustmentError:
    return AdjustmentError(
        plugin=adjustment.plugin or CORE, hook="propose_adjustments", reason=f"{adjustment.code}: {reason}"
    )


def _key(adjustment: Adjustment) -> tuple[str, str]:
    return adjustment.promotion_id or f"{adjustment.plugin}:{adjustment.code}", adjustment.target


def _is_repeated(sheet: Sheet, adjustment: Adjustment, amount: int) -> bool:
    key = _key(adjustment)
    if key not in sheet.applied:
        sheet.applied.add(key)
        return False
    inputs = {"wanted": str(amount), "why": "repeated"}
    _note(sheet, adjustment, _target(adjustment), 0, inputs)
    return True


def _target(adjustment: Adjustment) -> str:
    return ORDER if adjustment.target in {ORDER, SHIPPING} else f"line:{adjustment.target}"


def _line(sheet: Sheet, adjustment: Adjustment) -> LineRow:
    row = sheet.by_id.get(adjustment.target)
    if row is None:
        raise _unusable(adjustment, f"there is no line {adjustment.target}")
    return row


def _reduce_line(sheet: Sheet, row: LineRow, adjustment: Adjustment, amount: int) -> None:
    cut = max(amount, -row.left)
    sheet.reduce_line(row, cut)
    _charge(sheet, adjustment, row.target, amount, cut)


def _reduce_order(sheet: Sheet, adjustment: Adjustment, amount: int) -> None:
    if not sheet.lines:
        return
    parts = shared(amount, [row.left for row in sheet.lines])
    charge_id = _charge(sheet, adjustment, ORDER, amount, sum(parts))
    if charge_id is None:
        return
    shares = sheet.shares
    for row, part in zip(sheet.lines, parts, strict=True):
        if part:
            sheet.reduce_line(row, part)
            shares.append(Share(charge_id, row.target, part))


def _charge(sheet: Sheet, adjustment: Adjustment, target: str, wanted: int, amount: int) -> ChargeId | None:
    """The charge an adjustment becomes, and its trace; no charge where nothing was left to reduce."""
    inputs = dict(adjustment.inputs)
    if amount != wanted:
        inputs |= {"wanted": str(wanted), "why": "cut"}
    if not amount:
        _note(sheet, adjustment, target, 0, inputs)
        return None
    charge_id = sheet.next_id()
    inputs["charge"] = charge_id
    lowers = amount < 0
    label = adjustment.label
    sheet.charges.append(
        Charge(
            id=charge_id,
            target=target,
            kind=ChargeKind.DISCOUNT if lowers else ChargeKind.FEE,
            code=adjustment.code,
            label=label if isinstance(label, Text) else Text({sheet.terms.locale: label}),
            amount_minor=amount,
            funded_by=adjustment.funded_by if lowers else None,
            earned_by=None if lowers else "seller",
            plugin=adjustment.plugin or CORE,
            plugin_version=sheet.terms.versions.get(adjustment.plugin or CORE, ""),
            rule=adjustment.code,
            promotion_id=adjustment.promotion_id,
            coupon=adjustment.coupon,
            phase=adjustment.phase,
        )
    )
    _note(sheet, adjustment, target, amount, inputs)
    return charge_id


def _note(sheet: Sheet, adjustment: Adjustment, target: str, amount: int, inputs: dict[str, str]) -> None:
    phase = _PHASES.get(adjustment.phase, "order_promotion")
    sheet.note(phase, target, adjustment.code, amount, inputs, plugin=adjustment.plugin or CORE)
