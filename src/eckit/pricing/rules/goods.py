"""The first stage: list prices of the goods."""

from collections.abc import Mapping, Sequence

from eckit.catalog.model import Offer, Price, PriceList
from eckit.kernel.ids import VariantId
from eckit.kernel.money import Rounding, checked_minor, round_ratio
from eckit.pricing.model import Charge, ChargeKind
from eckit.pricing.rules.choice import choose_price
from eckit.pricing.rules.exchange import Converted, PriceRounding, converted, steps_together
from eckit.pricing.rules.sheet import LineRow, Sheet, WantedLine


def price_lines(
    sheet: Sheet,
    wanted: Sequence[WantedLine],
    offers: Mapping[VariantId, Offer],
    *,
    round_price: PriceRounding = lambda amount_minor: amount_minor,
) -> None:
    """Price every line by its list: price per whole unit × steps ÷ 10^scale, rounded once, half up.

    A quantity tier is reached by all steps of a variant in the cart, so that sending a part of them elsewhere does not
    make them dearer. Where the market's currency has no price and another's has, that one is converted by the rate of
    the terms. A line that cannot be bought or has no price is left out, and is an open item.

    :param round_price: what the market makes of a converted price.
    """
    terms, together = sheet.terms, steps_together(wanted)
    for line in wanted:
        offer = offers.get(line.variant_id)
        if offer is None or not offer.variant.active:
            sheet.missing("unavailable", f"line:{line.id}")
            continue
        chosen = choose_price(
            offer,
            terms.channel,
            terms.customer_groups,
            sheet.currency,
            terms.at,
            together[line.variant_id],
            includes_tax=sheet.includes_tax,
        )
        other = converted(terms, offer, together[line.variant_id], round_price) if chosen is None else None
        if other is not None:
            chosen = other.price_list, other.price
            sheet.rates[other.rate.base] = other.rate
        if chosen is None:
            sheet.missing("no-price", f"line:{line.id}", who="shop")
            continue
        if line.steps % offer.variant.unit.increment:
            sheet.missing("increment", f"line:{line.id}")
        _price(sheet, LineRow(line, offer, sheet.place_of(line.group_id)), *chosen, other)


def _price(sheet: Sheet, row: LineRow, price_list: PriceList, price: Price, other: Converted | None) -> None:
    variant = row.offer.variant
    unit, scale, steps = price.amount_minor, variant.unit.scale, row.steps
    row.unit_minor = unit
    row.list_minor = unit if price.original_minor is None else price.original_minor
    amount = round_ratio(unit * steps, 10**scale, Rounding.HALF_UP) if scale else unit * steps
    row.goods = row.left = checked_minor(amount, row.target)
    sheet.lines.append(row)
    sheet.by_id[row.id] = row
    charge_id = sheet.next_id()
    sheet.charges.append(
        Charge(
            id=charge_id,
            target=row.target,
            kind=ChargeKind.GOODS,
            code=variant.sku,
            label=row.offer.product.title,
            amount_minor=amount,
            tax_class=variant.tax_class,
            earned_by="seller",
            plugin_version=sheet.version,
            rule=price_list.code,
        )
    )
    inputs = {"charge": charge_id, "unit": str(unit), "steps": str(steps)}
    if scale:
        inputs["scale"] = str(scale)
    if price.min_steps > 1:
        inputs["from_steps"] = str(price.min_steps)
    if other is not None:
        inputs |= other.inputs
    rounding = "line/half_up" if scale else ""
    sheet.note("goods", row.target, price_list.code, amount, inputs, rounding=rounding)
