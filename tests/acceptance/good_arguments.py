"""For every public verb arguments that it would take: what is spoiled, one thing at a time, to see it refused."""

import datetime as dt
import inspect
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from moneyed import Money

from eckit import (
    Actor,
    Address,
    Category,
    Channel,
    Consent,
    Coupon,
    Customer,
    ExternalRef,
    ImportRow,
    LegalEntity,
    Location,
    Market,
    Order,
    OrderView,
    Party,
    Price,
    PriceList,
    Product,
    Promotion,
    QuoteRef,
    Rate,
    RawRequest,
    Ref,
    Seller,
    TaxPlace,
    Text,
    Touch,
    Tracking,
    Variant,
    Wanted,
    mint,
)
from tests.acceptance.scene import Scene
from tests.acceptance.sweeping import operations, parameters
from tests.acceptance.trial import METHOD, OPTION, STAFF, START, person

LATER: Final = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def facts(scene: Scene) -> dict[Any, Any]:
    """One of each fact that a verb is given, as the shop has it or would take it."""
    with scene.trial.shop.read(STAFF) as work:
        setup = work.channel.setup()
        product = work.catalog.product("tea-50")
        found = {
            Product: product,
            Variant: work.catalog.variants(product.id)[0],
            PriceList: next(one for one in work.catalog.price_lists() if one.code == "main"),
            Category: work.catalog.categories()[0],
            Promotion: work.promotion.get(scene.promotion),
            Location: work.stock.locations()[0],
            Customer: work.customer.customer(scene.customer),
            OrderView: work.order.get(scene.order.id),
            Channel: next(iter(setup.channels.values())),
            Market: next(iter(setup.markets.values())),
            Seller: next(iter(setup.sellers.values())),
            LegalEntity: next(iter(setup.legal_entities.values())),
        }
    return {str: "x", int: 1, **found, **_made(scene, found)}


def _made(scene: Scene, found: Mapping[Any, Any]) -> dict[Any, Any]:
    """Facts that nobody has given yet."""
    of_order, of_customer = Ref("order", scene.order.id), Ref("customer", scene.customer)
    return {
        Address: person().address,
        Party: person(),
        Order: scene.order,
        Ref: of_order,
        ExternalRef: ExternalRef(
            channel_id=found[Channel].id,
            kind="order",
            external_id="E1",
            raw="E1",
            owner=of_order,
            primary=True,
            since=START,
        ),
        Price: Price(variant_id=scene.variant, list_id=found[PriceList].id, amount_minor=700),
        ImportRow: ImportRow(
            line=2, sku="NEW-1", handle="new-1", title=Text.of("New"), price_minor=100, currency="JPY"
        ),
        Consent: Consent(
            owner=of_customer, purpose="news", granted=True, asserted_by="form", text_version="1", at=START
        ),
        TaxPlace: TaxPlace(country="JP"),
        Coupon: Coupon(code="NEW", promotion_id=scene.promotion),
        Touch: Touch(at=START, visit_id="v1"),
        Wanted: Wanted(line_id=None, variant_id=scene.variant, sku="TEA-50", steps=1),
        Tracking: Tracking(parcel_id=scene.parcel, key="k1", status="in_transit", at=START),
        Rate: Rate(base="EUR", quote="JPY", rate=Decimal(160), source="bank", at=START),
        QuoteRef: QuoteRef(digest="f" * 64, priced_at=START),
        RawRequest: RawRequest(body=b"{}"),
    }


def arguments(name: str, scene: Scene, pool: Mapping[Any, Any]) -> dict[str, Any]:
    """Good arguments for what an operation insists on."""
    operation = operations()[name]
    optional = {
        one.name
        for one in inspect.signature(operation).parameters.values()
        if one.default is not inspect.Parameter.empty
    }
    known = {**_ids(scene, pool), **_things(pool), **_texts(scene), **_special(name, scene, pool)}
    wanted = [one for one in parameters(operation) if one not in optional]
    assert [] == [one for one in wanted if one not in known], f"say here what {name} would take"
    return {one: known[one] for one in wanted}


def _ids(scene: Scene, pool: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "block_id": scene.block,
        "cart_id": scene.cart.id,
        "category_id": scene.category,
        "channel_id": pool[Channel].id,
        "customer_id": scene.customer,
        "from_id": scene.order.id,
        "group": scene.cart.groups[0].id,
        "id_or_handle": "tea-50",
        "id_or_number": scene.order.id,
        "into_id": scene.cart.id,
        "line_id": scene.line,
        "list_id": pool[PriceList].id,
        "operation_id": scene.operation,
        "order": scene.order.id,
        "order_id": scene.order.id,
        "parcel_id": scene.parcel,
        "parent_id": None,
        "party_id": mint("party"),
        "party_ids": [],
        "payment_id": scene.payment,
        "product_id": pool[Product].id,
        "promotion_id": scene.promotion,
        "source_id": scene.cart.id,
        "to_id": mint("order"),
        "variant_ids": [scene.variant],
        "variants": [scene.variant],
    }


def _things(pool: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "actor": STAFF,
        "agreed": pool[QuoteRef],
        "category": pool[Category],
        "cause": pool[Ref],
        "customer": pool[Customer],
        "entity": pool[LegalEntity],
        "facet": pool[TaxPlace],
        "given": pool[Consent],
        "location": pool[Location],
        "market": pool[Market],
        "owner": pool[Ref],
        "party": pool[Party],
        "price_list": pool[PriceList],
        "priced": pool[OrderView],
        "prices": [pool[Price]],
        "product": pool[Product],
        "promotion": pool[Promotion],
        "rate": pool[Rate],
        "raw": pool[RawRequest],
        "ref": pool[ExternalRef],
        "report": pool[Tracking],
        "rows": [pool[ImportRow]],
        "seller": pool[Seller],
        "touch": pool[Touch],
        "wanted": [pool[Wanted]],
    }


def _texts(scene: Scene) -> dict[str, Any]:
    return {
        "amount": Money(1, "JPY"),
        "at": LATER,
        "base": "EUR",
        "cap": 5,
        "channel": "web",
        "code": "TENOFF",
        "counted": 5,
        "data": b"handle,title_en,sku,price_jpy\n",
        "date": LATER.date(),
        "email": "new@example.com",
        "external_id": "E1",
        "gateway_id": METHOD,
        "happened": True,
        "key": "k1",
        "kind": "review",
        "lines": [("TEA-50", 1)],
        "method": METHOD,
        "number": "9876543210",
        "option": OPTION,
        "password": "correct horse battery",
        "quote": "JPY",
        "reason": "checked",
        "refs": {"erp": "1"},
        "scheme": "jp",
        "sku": "TEA-50",
        "skus": ["TEA-50"],
        "steps": 1,
        "text": "tea",
        "token": scene.order.token,
        "until": LATER,
        "variant": "TEA-50",
    }


def _special(name: str, scene: Scene, pool: Mapping[Any, Any]) -> dict[str, Any]:
    """What a name means to one verb only."""
    at = {"at": "main"} if name.startswith("stock.") else {}
    return at | {
        "cart.create": {"channel": pool[Channel]},
        "catalog.save_facet": {"owner": pool[Product].id},
        "channel.save_channel": {"channel": pool[Channel]},
        "read": {"actor": Actor.buyer(scene.customer)},
        "stock.receive_many": {"steps": {scene.variant: 1}},
        "stock.ship": {"lines": [(scene.line, 1)]},
        "write": {"actor": Actor.buyer(scene.customer)},
    }.get(name, {})
