"""Typed ids: a prefix that names the kind, then 128 sortable bits in Crockford base 32.

Ids are made in :mod:`eckit.kernel.minting`; here are only their types and their shape.
"""

import re
from typing import Final, NewType

from eckit.kernel.errors import invalid

ShopId = NewType("ShopId", str)
ChannelId = NewType("ChannelId", str)
MarketId = NewType("MarketId", str)
LegalEntityId = NewType("LegalEntityId", str)
SellerId = NewType("SellerId", str)
ProductId = NewType("ProductId", str)
VariantId = NewType("VariantId", str)
CategoryId = NewType("CategoryId", str)
PriceListId = NewType("PriceListId", str)
CustomerId = NewType("CustomerId", str)
PartyId = NewType("PartyId", str)
PromotionId = NewType("PromotionId", str)
CartId = NewType("CartId", str)
LineId = NewType("LineId", str)
GroupId = NewType("GroupId", str)
ChargeId = NewType("ChargeId", str)
OrderId = NewType("OrderId", str)
AmendmentId = NewType("AmendmentId", str)
BlockId = NewType("BlockId", str)
LocationId = NewType("LocationId", str)
HoldId = NewType("HoldId", str)
StockMovementId = NewType("StockMovementId", str)
ShortageId = NewType("ShortageId", str)
PaymentId = NewType("PaymentId", str)
OperationId = NewType("OperationId", str)
MovementId = NewType("MovementId", str)
NoticeId = NewType("NoticeId", str)
ShipmentId = NewType("ShipmentId", str)
ParcelId = NewType("ParcelId", str)
EventId = NewType("EventId", str)
MailId = NewType("MailId", str)

Sku = NewType("Sku", str)
"""The seller's code of a variant, unique in a shop; shown to people, may be renamed."""

MethodCode = NewType("MethodCode", str)
"""Names a way to pay as gateways register it, for example ``"sandbox.card"``."""

OptionCode = NewType("OptionCode", str)
"""Names a way to deliver: ``"<carrier>.<service>"``, for example ``"tablerate.standard"``."""

PREFIXES: Final[dict[str, str]] = {
    "shop": "shp",
    "channel": "chn",
    "market": "mkt",
    "legal_entity": "ent",
    "seller": "sel",
    "product": "prd",
    "variant": "var",
    "category": "cat",
    "price_list": "pls",
    "customer": "cus",
    "party": "pty",
    "promotion": "prm",
    "cart": "crt",
    "line": "lin",
    "group": "grp",
    "charge": "chg",
    "order": "ord",
    "amendment": "amd",
    "block": "blk",
    "location": "loc",
    "hold": "hld",
    "stock_movement": "smv",
    "shortage": "sht",
    "payment": "pay",
    "operation": "opr",
    "movement": "mov",
    "notice": "ntc",
    "shipment": "shm",
    "parcel": "pcl",
    "event": "evt",
    "mail": "mal",
    "audit": "aud",
    "external_ref": "xrf",
    "facet": "fct",
    "credential": "crd",
    "consent": "cns",
    "redemption": "rdm",
    "application": "app",
    "price": "prc",
    "key": "key",
    "tracking": "trk",
}
"""Every kind of thing that has an id, and the prefix of its ids."""

_BODY: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


def expect_id(kind: str, text: object, *, path: str = "") -> str:
    """Give back ``text`` if it is a well-formed id of ``kind``.

    :raises InvalidInputError: ``wrong-id`` with the field's path: another kind, malformed, empty or no text at all.
    """
    prefix = PREFIXES[kind]
    if isinstance(text, str):
        head, _, body = text.partition("_")
        if head == prefix and _BODY.fullmatch(body):
            return text
    raise invalid("wrong-id", path or f"{kind}_id", text, limit=f"{prefix}_…")


def kind_of(text: str) -> str | None:
    """The kind an id's prefix names, or None."""
    head = text.partition("_")[0]
    return next((kind for kind, prefix in PREFIXES.items() if prefix == head), None)
