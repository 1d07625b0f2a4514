"""Which of a variant's prices counts."""

import datetime as dt

from eckit.catalog.model import Offer, Price, PriceList
from eckit.channel.model import Channel
from eckit.kernel.clock import Window


def choose_price(
    offer: Offer,
    channel: Channel,
    groups: frozenset[str],
    currency: str,
    at: dt.datetime,
    steps: int,
    *,
    includes_tax: bool,
) -> tuple[PriceList, Price] | None:
    """The price that counts, with its list; None if there is none.

    Lists of the currency and tax basis, for this channel and for one of the customer's groups (or for everybody), whose
    window and whose price's window cover the instant. Prices of one list and window are the tiers of one ladder: the
    highest tier reached counts. Of several, the list with the highest priority wins, then the lower price.

    :param at: an aware instant in UTC.
    :param steps: the quantity that picks the tier.
    """
    found = []
    for price_list, price in offer.prices:
        if price.min_steps > steps or price_list.currency != currency or price_list.includes_tax != includes_tax:
            continue
        if _covers(price_list.window, at) and _covers(price.window, at) and _is_for(price_list, channel, groups):
            found.append((price_list, price))
    if len(found) <= 1:
        return found[0] if found else None
    ladders: dict[tuple[str, Window], tuple[PriceList, Price]] = {}
    for price_list, price in found:
        held = ladders.get((price_list.id, price.window))
        if held is None or held[1].min_steps < price.min_steps:
            ladders[price_list.id, price.window] = (price_list, price)
    return min(
        ladders.values(),
        key=lambda pair: (-pair[0].priority, pair[1].amount_minor, pair[0].code, pair[1].min_steps),
    )


def _is_for(price_list: PriceList, channel: Channel, groups: frozenset[str]) -> bool:
    if price_list.channel_ids and channel.id not in price_list.channel_ids:
        return False
    return not price_list.customer_groups or not price_list.customer_groups.isdisjoint(groups)


def _covers(window: Window, at: dt.datetime) -> bool:
    start, end = window.start, window.end
    return (start is None or start <= at) and (end is None or at < end)
