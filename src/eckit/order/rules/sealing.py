"""The sealed record: everything of a quote as one canonical document, and its digest.

It holds no personal data: parties are named by reference.
"""

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs
import cattrs

from eckit.kernel.errors import EckitError
from eckit.kernel.freezing import canonical
from eckit.kernel.ids import OrderId
from eckit.kernel.text import Text
from eckit.order.model import Order, OrderLine, OrderState, Placement
from eckit.pricing.model import Quote, QuoteLine

FORM: Final = 1
"""The form of the document. A later form may read an earlier one; a document is never rewritten."""

_CODEC: Final = cattrs.Converter()
_CODEC.register_unstructure_hook(Text, Text.as_dict)
_CODEC.register_structure_hook(Text, lambda raw, _: Text(raw))
_CODEC.register_unstructure_hook(Decimal, str)
_CODEC.register_structure_hook(Decimal, lambda raw, _: Decimal(raw))
_CODEC.register_unstructure_hook(dt.datetime, lambda at: at.astimezone(dt.UTC).isoformat())
_CODEC.register_structure_hook(dt.datetime, lambda raw, _: dt.datetime.fromisoformat(raw))
_CODEC.register_unstructure_hook(dt.date, dt.date.isoformat)
_CODEC.register_structure_hook(dt.date, lambda raw, _: dt.date.fromisoformat(raw))


@attrs.frozen(kw_only=True)
class Seal:
    """A document's one canonical text, and the SHA-256 of that text as 64 hexadecimal digits."""

    body: Mapping[str, Any] = attrs.field(repr=False, hash=False)
    text: str = attrs.field(repr=False)
    digest: str


def digest_of(text: str) -> str:
    """SHA-256 of a text, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def document(
    order: Order, quote: Quote, *, touches: Sequence[str] = (), refs: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What is sealed: what the order is, the whole quote it was made of, and what else its cart knew.

    :param touches: digests of where its visits came from.
    :param refs: what the host named the cart by.
    """
    return {
        "form": FORM,
        "order": {
            "id": order.id,
            "number": order.number,
            "origin": order.origin,
            "bill_to": order.bill_to,
            "placed_at": order.placed_at.isoformat(),
            "pay_by": None if order.pay_by is None else order.pay_by.isoformat(),
        },
        "quote": _CODEC.unstructure(quote),
        "touches": list(touches),
        "refs": dict(refs or {}),
    }


def seal(body: Mapping[str, Any]) -> Seal:
    """The document with its text and digest."""
    text = canonical(body)
    return Seal(body=body, text=text, digest=digest_of(text))


def quote_of(body: Mapping[str, Any]) -> Quote:
    """The quote that was agreed, as it was."""
    quote: Quote = _CODEC.structure(body["quote"], Quote)
    return quote


@functools.lru_cache(maxsize=128)  # an audit reads a record for each of its invariants
def read(text: str) -> Mapping[str, Any] | None:
    """The document of a text, or None if it is none that this version can read."""
    try:
        body: Mapping[str, Any] = json.loads(text)
        as_placed(body)
    except (ValueError, TypeError, KeyError, AttributeError, cattrs.BaseValidationError, EckitError):
        return None
    return body


def placement_of(order_id: OrderId, text: str) -> Placement:
    """The sealed record as a fact, from its text."""
    body = json.loads(text)
    quote = quote_of(body)
    return Placement(
        order_id=order_id,
        body=body,
        digest=digest_of(text),
        groups=quote.groups,
        charges=quote.charges,
        shares=quote.shares,
        trace=quote.trace,
        dues=quote.dues,
        touches=tuple(body["touches"]),
        refs=body["refs"],
    )


def agree(quote: Quote, *, order_id: OrderId, origin: str, at: dt.datetime, pay_by: dt.datetime | None) -> Order:
    """The order that a quote becomes; its number, token and digest are given later."""
    return Order(
        id=order_id,
        number="",
        token="",
        channel_id=quote.channel_id,
        market_id=quote.market_id,
        origin=origin,
        cart_id=quote.cart_id,
        cart_version=quote.cart_version,
        customer_id=quote.customer_id,
        buyer=quote.buyer,
        bill_to=quote.buyer,
        currency=quote.currency,
        locale=quote.locale,
        basis=quote.basis.value,
        state=OrderState.PLACED,
        placed_at=at,
        recorded_at=at,
        pay_by=pay_by,
        total_minor=quote.total_minor,
        current_total_minor=quote.total_minor,
        digest="",
        lines=tuple(_line(order_id, line) for line in quote.lines),
    )


def as_placed(body: Mapping[str, Any]) -> Order:
    """The order as it was the moment it was placed, from its sealed record alone; it holds no token."""
    own = body["order"]
    order = agree(
        quote_of(body),
        order_id=own["id"],
        origin=own["origin"],
        at=dt.datetime.fromisoformat(own["placed_at"]),
        pay_by=None if own["pay_by"] is None else dt.datetime.fromisoformat(own["pay_by"]),
    )
    return attrs.evolve(order, number=own["number"], bill_to=own["bill_to"], digest=seal(body).digest)


def _line(order_id: OrderId, line: QuoteLine) -> OrderLine:
    return OrderLine(
        id=line.id,
        order_id=order_id,
        group_id=line.group_id,
        seller_id=line.seller_id,
        variant_id=line.variant_id,
        sku=line.sku,
        title=line.title,
        option=line.option,
        steps=line.steps,
        unit_minor=line.unit_minor,
        goods_minor=line.goods_minor,
        total_minor=line.total_minor,
        tax_class=line.tax_class,
        supply=line.supply.kind,
    )
