"""What shipping asks plugins."""

import datetime as dt
from typing import Any

from eckit.kernel.hookspecs import CLOSED, DROP, hookspec
from eckit.kernel.plugins import Answer, Plugins
from eckit.pricing.model import ShippingOffer
from eckit.shipping.model import (
    Carrier,
    FareChange,
    FareRequest,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelItem,
    ParcelPlan,
    ParcelTracked,
    ShipmentReady,
)


@hookspec()
def register_carriers(settings: Any) -> tuple[Carrier, ...]:  # type: ignore[empty-body]
    """Register carriers; what each can do besides is told by the small protocols it has (``QuotesFares``, …).

    :param settings: the plugin's own settings.
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_parcels(items: tuple[ParcelItem, ...]) -> tuple[ParcelPlan, ...] | None:
    """Choose into which parcels goods go; asked while pricing too, when there is no order yet.

    :return: parcels, or None to leave the choice to the next; nobody chooses: all in one parcel.
    """


@hookspec(failure=CLOSED)
def propose_shipping_changes(request: FareRequest, offers: tuple[ShippingOffer, ...]) -> tuple[FareChange, ...]:  # type: ignore[empty-body]
    """Propose to hide or reprice delivery options, with a reason the buyer can read.

    :param offers: what carriers offer, in the request's currency and tax basis.
    """


@hookspec(failure=DROP)
def propose_closed_days(location: str, start: dt.date, end: dt.date) -> frozenset[dt.date]:  # type: ignore[empty-body]
    """Propose days on which a location does not ship; united over plugins.

    Not asked yet: no date is promised so far that such days would move. An implementation is checked and never called.

    :param location: the location's code.
    """


@hookspec()
def shipment_ready(event: ShipmentReady, shop: Any) -> None:
    """A shipment may be picked. After the commit; at least once."""


@hookspec()
def parcel_handed_over(event: ParcelHandedOver, shop: Any) -> None:
    """The carrier has a parcel. After the commit; at least once."""


@hookspec()
def parcel_tracked(event: ParcelTracked, shop: Any) -> None:
    """The carrier reported something. After the commit; at least once."""


@hookspec()
def parcel_delivered(event: ParcelDelivered, shop: Any) -> None:
    """The buyer has a parcel. After the commit; at least once."""


def ask_parcels(plugins: Plugins, items: tuple[ParcelItem, ...]) -> tuple[ParcelPlan, ...] | None:
    """The choice of the first plugin that makes one."""
    if not plugins.implementations("choose_parcels"):
        return None
    return next(iter(plugins.call.choose_parcels(items=items)), None)


def ask_changes(
    plugins: Plugins, request: FareRequest, offers: tuple[ShippingOffer, ...]
) -> tuple[Answer[tuple[FareChange, ...]], ...]:
    """What each plugin proposes, sorted by plugin name."""
    if not plugins.implementations("propose_shipping_changes"):
        return ()
    given: tuple[Answer[tuple[FareChange, ...]], ...] = plugins.call.propose_shipping_changes(
        request=request, offers=offers
    ).given
    return given
