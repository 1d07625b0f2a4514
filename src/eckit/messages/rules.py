"""Which event makes which mail, and the plain data a template sees."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime

from eckit.channel.model import Channel, Market
from eckit.customer import rules as customer_rules
from eckit.customer.model import Party
from eckit.kernel.clock import zone_of
from eckit.kernel.events import Event
from eckit.kernel.ids import OrderId
from eckit.kernel.money import format_minor
from eckit.kernel.refs import Ref
from eckit.messages.model import MessageWish
from eckit.order.model import Order, OrderCanceled, OrderConfirmed, OrderLine, Placement
from eckit.payment.model import PaymentDeclined, PaymentRefunded
from eckit.pricing.model import Charge, ChargeKind
from eckit.shipping.model import Parcel, ParcelDelivered, ParcelHandedOver

RETRY_AFTER_S: Final = (60, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds after which a mail that could not be sent is tried again; after the last it is given up."""

KINDS: Final = (
    "order_confirmed",
    "order_canceled",
    "payment_declined",
    "payment_refunded",
    "order_shipped",
    "order_delivered",
)
"""The core's own mails; each has templates in every language of the core."""


def wishes(event: Event) -> tuple[MessageWish, ...]:
    """The core's own mails because of an event. An order that lapsed unconfirmed is told nothing: it never counted."""
    match event:
        case OrderConfirmed():
            return (_about("order_confirmed", event.order_id),)
        case OrderCanceled(was_confirmed=True):
            return (_about("order_canceled", event.order_id),)
        case PaymentDeclined():
            return (_about("payment_declined", event.order_id),)
        case PaymentRefunded():
            amount, currency = event.amount_minor, event.currency
            return (_about("payment_refunded", event.order_id, amount_minor=amount, currency=currency),)
        case ParcelHandedOver():
            return tuple(_about("order_shipped", one, parcel_id=event.parcel_id) for one in event.order_ids)
        case ParcelDelivered():
            return tuple(_about("order_delivered", one, parcel_id=event.parcel_id) for one in event.order_ids)
        case _:
            return ()


def _about(kind: str, order_id: OrderId, **facts: str | int) -> MessageWish:
    return MessageWish(kind=kind, about=Ref("order", order_id), facts=facts)


def data(
    order: Order,
    placement: Placement,
    *,
    channel: Channel,
    market: Market,
    buyer: Party,
    destinations: Sequence[Party],
    parcels: Sequence[Parcel],
    facts: Mapping[str, str | int],
) -> Mapping[str, Any]:
    """All a template may see, as dicts, lists and texts: amounts and days are written as the order's language does.

    Keys: ``shop`` (name, url), ``buyer`` (name, is_company), ``order`` (number, placed_on, pay_by, total, agreed_total,
    url), ``lines`` (title, option, sku, quantity, canceled, amount), ``goods``, ``charges`` (kind, label, amount,
    included), ``destinations`` (each a list of lines), ``parcels`` (number, carrier, url) and ``event``, which is what
    its wish told.

    :param parcels: all of the order; a mail about one of them is shown that one.
    """
    words = _Words.of(order, market)
    mine = [one for one in parcels if facts.get("parcel_id", one.id) == one.id]
    return {
        "shop": {"name": channel.name, "url": channel.base_url or ""},
        "buyer": {"name": buyer.name or buyer.company, "is_company": bool(buyer.company and not buyer.name)},
        "order": {
            "number": order.number,
            "placed_on": words.day(order.placed_at),
            "pay_by": words.minute(order.pay_by) if order.pay_by else "",
            "total": words.money(order.current_total_minor),
            "agreed_total": words.money(order.total_minor),
            "url": f"{channel.base_url}/orders/{order.token}" if channel.base_url else "",
        },
        "lines": [_line(words, line) for line in order.lines],
        "goods": words.money(sum(line.goods_minor for line in order.lines)),
        "charges": _charges(words, placement.charges),
        "destinations": [list(customer_rules.layout(one, locale=order.locale)) for one in destinations],
        "parcels": [_parcel(one, _carriers(words, placement)) for one in mine],
        "event": _event(words, facts),
    }


@attrs.frozen(kw_only=True)
class _Words:
    """How an order's language writes amounts and days."""

    currency: str
    locale: str
    zone: dt.tzinfo

    @classmethod
    def of(cls, order: Order, market: Market) -> "_Words":
        return cls(currency=order.currency, locale=_known(order.locale), zone=zone_of(market.zone))

    def money(self, minor: int, currency: str = "") -> str:
        return format_minor(minor, currency or self.currency, self.locale)

    def day(self, at: dt.datetime) -> str:
        return format_date(at.astimezone(self.zone), format="long", locale=self.locale.replace("-", "_"))

    def minute(self, at: dt.datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{self.day(at)} {format_datetime(local, format='HH:mm', locale=self.locale.replace('-', '_'))}"


def _known(locale: str) -> str:
    """The locale, or the nearest that days and amounts can be written in."""
    for wanted in (locale, locale.partition("-")[0]):
        try:
            Locale.parse(wanted, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
        return wanted
    return "en"


def _line(words: _Words, line: OrderLine) -> dict[str, Any]:
    return {
        "title": line.title.get(words.locale),
        "option": line.option.get(words.locale),
        "sku": line.sku,
        "quantity": line.steps,
        "canceled": line.canceled_steps,
        "amount": words.money(line.goods_minor),
    }


def _carriers(words: _Words, placement: Placement) -> dict[str, str]:
    """What the buyer knows each carrier by: the label of the option that was taken."""
    taken = [one for group in placement.groups for one in group.options if one.option == group.option]
    return {one.option.partition(".")[0]: one.label.get(words.locale) for one in taken}


def _parcel(parcel: Parcel, carriers: Mapping[str, str]) -> dict[str, str]:
    carrier = carriers.get(parcel.carrier, parcel.carrier)
    return {"number": parcel.number, "carrier": carrier, "url": parcel.tracking_url or ""}


def _charges(words: _Words, charges: Iterable[Charge]) -> list[dict[str, Any]]:
    """Everything of the total but the goods, taxes last; what is contained in other amounts says so."""
    others = [charge for charge in charges if charge.kind != ChargeKind.GOODS and charge.amount_minor]
    return [
        {
            "kind": str(charge.kind),
            "label": charge.label.get(words.locale),
            "amount": words.money(charge.amount_minor),
            "included": charge.included,
        }
        for charge in sorted(others, key=lambda charge: charge.kind == ChargeKind.TAX)
    ]


def _event(words: _Words, facts: Mapping[str, str | int]) -> dict[str, str | int]:
    told = dict(facts)
    minor, currency = facts.get("amount_minor"), facts.get("currency")
    if isinstance(minor, int) and isinstance(currency, str):
        told["amount"] = words.money(minor, currency)
    return told


def retry_after_s(tries: int) -> int | None:
    """Seconds until a mail is tried again, or None: it is given up."""
    return RETRY_AFTER_S[tries - 1] if tries <= len(RETRY_AFTER_S) else None
