"""Which event makes which mail, and the plain data a template sees."""

from collections.abc import Mapping, Sequence
from typing import Any

from eckit.channel.model import Channel
from eckit.customer.model import Party
from eckit.kernel.events import Event
from eckit.kernel.ids import OrderId
from eckit.kernel.money import format_minor
from eckit.kernel.refs import Ref
from eckit.messages.model import MessageWish
from eckit.order.model import Order, OrderCanceled, OrderConfirmed, Placement
from eckit.payment.model import PaymentDeclined, PaymentRefunded
from eckit.pricing.model import Kind
from eckit.shipping.model import Parcel, ParcelDelivered, ParcelHandedOver

RETRY_AFTER_S = (60, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds after which a mail that could not be sent is tried again; after the last it is given up."""


def wishes(event: Event) -> tuple[MessageWish, ...]:
    """The core's own mails because of an event. An order that lapsed unconfirmed is told nothing: it never counted."""
    match event:
        case OrderConfirmed():
            return _about("order_confirmed", event.order_id)
        case OrderCanceled(was_confirmed=True):
            return _about("order_canceled", event.order_id)
        case PaymentDeclined():
            return _about("payment_declined", event.order_id)
        case PaymentRefunded():
            return _about("payment_refunded", event.order_id)
        case ParcelHandedOver():
            return tuple(wish for order_id in event.order_ids for wish in _about("order_shipped", order_id))
        case ParcelDelivered():
            return tuple(wish for order_id in event.order_ids for wish in _about("order_delivered", order_id))
        case _:
            return ()


def _about(kind: str, order_id: OrderId) -> tuple[MessageWish, ...]:
    return (MessageWish(kind=kind, about=Ref("order", order_id)),)


def data(
    order: Order,
    placement: Placement,
    *,
    buyer: Party | None,
    channel: Channel,
    parcels: Sequence[Parcel],
    locale: str,
) -> Mapping[str, Any]:
    """All a template may see, as dicts, lists and texts; amounts are formatted for the locale."""

    def money(minor: int) -> str:
        return format_minor(minor, order.currency, locale)

    return {
        "shop": {"name": channel.name, "url": channel.base_url or ""},
        "buyer": {"name": buyer.name if buyer else ""},
        "order": {
            "number": order.number,
            "placed_at": order.placed_at.date().isoformat(),
            "total": money(order.current_total_minor),
            "agreed_total": money(order.total_minor),
            "url": f"{channel.base_url}/orders/{order.id}" if channel.base_url else "",
            "reason": order.reason,
        },
        "lines": [
            {
                "title": line.title.get(locale),
                "option": line.option.get(locale),
                "sku": line.sku,
                "quantity": line.steps,
                "amount": money(line.goods_minor),
            }
            for line in order.lines
        ],
        "charges": [
            {"label": charge.label.get(locale), "amount": money(charge.amount_minor), "included": charge.included}
            for charge in placement.charges
            if charge.kind is not Kind.GOODS
        ],
        "parcels": [
            {"number": parcel.number, "carrier": parcel.carrier, "url": parcel.tracking_url or ""} for parcel in parcels
        ],
    }


def retry_after_s(tries: int) -> int | None:
    """Seconds until a mail is tried again, or None: it is given up."""
    return RETRY_AFTER_S[tries - 1] if tries <= len(RETRY_AFTER_S) else None
