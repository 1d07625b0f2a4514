"""Shipping: which groups need it, what its options cost, the charge of the one taken."""

from collections.abc import Callable, Iterable, Sequence

from eckit.kernel.errors import Objection
from eckit.kernel.ids import GroupId
from eckit.pricing.model import Charge, ChargeKind, PricedOption, QuoteGroup, ShippingOffer
from eckit.pricing.rules.reductions import after_shipping_promotions
from eckit.pricing.rules.sheet import CORE, ExtraRow, LineRow, Sheet, WantedGroup
from eckit.promotion.model import Adjustment

NOT_SHIPPED = frozenset({"digital", "service"})
"""Kinds of goods that nobody carries."""


def to_ship(sheet: Sheet, group_id: GroupId) -> list[LineRow]:
    """The lines of a group that somebody has to carry; none unless its mode is ``ship``."""
    if sheet.groups[group_id].mode != "ship":
        return []
    return [row for row in sheet.lines if row.group_id == group_id and row.offer.variant.kind not in NOT_SHIPPED]


def can_ask_carriers(sheet: Sheet, group: WantedGroup) -> bool:
    """Whether enough is known to ask for fares; what is not becomes an open item: ``address`` or ``country``.

    The country is enough to show what delivery would cost. One that is not sold to stays open also for what nobody
    carries, since it is priced as if it stayed at home.
    """
    carried, place = bool(to_ship(sheet, group.id)), group.tax_place
    if carried and (group.destination is None or place is None):
        sheet.missing("address", f"group:{group.id}")
    if place is None:
        return False
    if not sheet.sells_to(place):
        if any(row.group_id == group.id for row in sheet.lines):
            sheet.missing("country", f"group:{group.id}")
        return False
    return carried


def ship(sheet: Sheet, group: WantedGroup, offers: Sequence[ShippingOffer]) -> ShippingOffer | None:
    """Charge the option a group has taken; without one, or if it is no longer offered, that is an open item."""
    taken = next((offer for offer in offers if offer.option == group.option), None)
    if taken is None:
        sheet.missing("option", f"group:{group.id}")
        return None
    charge_id = sheet.next_id()
    target = f"group:{group.id}"
    plugin = taken.plugin or CORE
    sheet.shipping.append(ExtraRow(charge_id, group.id, taken.amount_minor, taken.tax_class, sheet.place_of(group.id)))
    sheet.charges.append(
        Charge(
            id=charge_id,
            target=target,
            kind=ChargeKind.SHIPPING,
            code=taken.option,
            label=taken.label,
            amount_minor=taken.amount_minor,
            tax_class=taken.tax_class,
            earned_by="seller",
            plugin=plugin,
            plugin_version=taken.plugin_version,
            rule=taken.rule,
        )
    )
    inputs = {"charge": charge_id, "option": taken.option}
    sheet.note("shipping", target, taken.rule or taken.option, taken.amount_minor, inputs, plugin=plugin)
    return taken


def priced_group(
    sheet: Sheet,
    group: WantedGroup,
    offers: Sequence[ShippingOffer],
    refusals: Iterable[Objection],
    others: Sequence[int],
    promotions: Callable[[int], Iterable[Adjustment]],
) -> QuoteGroup:
    """A group with its options, each before and after shipping promotions.

    :param others: shipping of the other groups before promotions.
    :param promotions: the shipping promotions as they would be if all shipping cost so much.
    """
    options = []
    for offer in offers:
        proposed = promotions(offer.amount_minor + sum(others))
        after = after_shipping_promotions(sheet, offer.amount_minor, others, proposed)
        options.append(
            PricedOption(
                option=offer.option,
                label=offer.label,
                before_minor=offer.amount_minor,
                after_minor=after,
                earliest=offer.earliest,
                latest=offer.latest,
            )
        )
    known = {offer.option for offer in offers}
    return QuoteGroup(
        id=group.id,
        mode=group.mode,
        destination=group.destination,
        tax_place=group.tax_place,
        option=group.option if group.option in known else None,
        sender=group.sender,
        wanted_date=group.wanted_date,
        wanted_slot=group.wanted_slot,
        options=tuple(options),
        refusals=tuple(refusals),
    )
