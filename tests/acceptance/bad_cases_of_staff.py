"""Bad input of staff and of providers; see :mod:`tests.acceptance.bad_cases`."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from moneyed import Money

from eckit import (
    CardToken,
    Coupon,
    LegalEntity,
    Market,
    Price,
    Product,
    Promotion,
    RawRequest,
    Ref,
    RuleRef,
    Secret,
    Text,
    Variant,
    mint,
)
from tests.acceptance.scene import LONG, AnsweredError, Case, Scene
from tests.acceptance.trial import METHOD, STAFF


def money_cases() -> Iterator[Case]:
    yield (
        "CardToken",
        "a card number",
        lambda it: it.trial.shop.take_payment(
            it.buyer, it.order.id, instrument=CardToken(token=Secret("4111111111111111"))
        ),
    )
    yield "take_payment", "somebody else's order", lambda it: it.trial.shop.take_payment(it.guest, it.order.id)
    yield (
        "take_payment",
        "an overlong return address",
        lambda it: it.trial.shop.take_payment(it.buyer, it.order.id, return_url="https://" + LONG),
    )
    refund = "refund_payment"
    for what, amount in (
        ("zero", Money(0, "JPY")),
        ("negative", Money(-5, "JPY")),
        ("another currency", Money(5, "EUR")),
        ("finer than a yen", Money("0.5", "JPY")),
        ("more than was taken", Money(10**6, "JPY")),
    ):
        yield (
            refund,
            what,
            lambda it, a=amount: it.trial.shop.refund_payment(STAFF, it.payment, a, key="r1", reason="x"),
        )
    yield (
        refund,
        "an id of an order",
        lambda it: it.trial.shop.refund_payment(STAFF, it.order.id, Money(1, "JPY"), key="r1", reason="x"),
    )
    yield (
        "capture_payment",
        "more than is reserved",
        lambda it: it.trial.shop.capture_payment(STAFF, it.payment, Money(10**6, "JPY")),
    )
    yield (
        refund,
        "a number without a currency",
        lambda it: it.trial.shop.refund_payment(STAFF, it.payment, 5, key="r1", reason="x"),
    )
    yield (
        refund,
        "half of a surrogate pair as a reason",
        lambda it: it.trial.shop.refund_payment(STAFF, it.payment, Money(1, "JPY"), key="r1", reason="\ud800"),
    )
    yield (
        "payment.close_task",
        "a NUL",
        lambda it: it.staff(lambda w: w.payment.close_task(it.payment, "a\x00", reason="done")),
    )
    yield (
        "payment.in_doubt",
        "a page after nothing there is",
        lambda it: it.staff(lambda w: w.payment.in_doubt(after="\ud800")),
    )
    for what, raw in (
        ("no signature", RawRequest(body=b"{}")),
        ("a wrong signature", RawRequest(body=b"{}", headers={"sandbox-signature": "t=1,v1=" + "0" * 64})),
        ("no JSON", RawRequest(body=b"\xff\xfe", headers={"sandbox-signature": "t=1,v1=" + "é" * 64})),
        ("ten megabytes", RawRequest(body=b"x" * 10_000_000)),
    ):
        yield "receive_notice", what, lambda it, r=raw: _refused(it.trial.shop.receive_notice(METHOD, r).status)
    yield (
        "receive_notice",
        "an unknown gateway",
        lambda it: _refused(it.trial.shop.receive_notice("nobody.card", RawRequest(body=b"{}")).status),
    )


def _refused(status: int) -> None:
    raise AnsweredError(status=status)


def staff_cases() -> Iterator[Case]:
    def product(**changes: Any) -> Callable[[Scene], object]:
        good = Product(id=mint("product"), handle="thing", title=Text.of("Thing"))
        return lambda it: it.staff(lambda w: w.catalog.save(attrs.evolve(good, **changes), []))

    yield "catalog.save", "a handle with a path", product(handle="../etc/passwd")
    yield "catalog.save", "an id of an order", product(id=mint("order"))
    yield "catalog.save", "published without a title", product(title=Text({}), state="published")
    yield (
        "catalog.save",
        "without the right",
        lambda it: it.own(lambda w: w.catalog.save(Product(id=mint("product"), handle="x", title=Text.of("X")), [])),
    )
    yield (
        "catalog.save",
        "a variant of another product",
        lambda it: it.staff(
            lambda w: w.catalog.save(
                Product(id=mint("product"), handle="y", title=Text.of("Y")),
                [Variant(id=mint("variant"), product_id=mint("product"), sku="Y")],
            )
        ),
    )
    yield (
        "catalog.set_prices",
        "a negative price",
        lambda it: it.staff(
            lambda w: w.catalog.set_prices(
                w.catalog.price_lists()[0].id,
                [Price(variant_id=it.variant, list_id=w.catalog.price_lists()[0].id, amount_minor=-1)],
            )
        ),
    )
    at = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    for what, base in (("no currency", ""), ("full-width letters", "ＥＵＲ"), ("a NUL", "EU\x00")):
        yield "currency.stored", what, lambda it, b=base: it.staff(lambda w: w.currency.stored(b, "JPY", at))
    yield "catalog.export_products", "a NUL", lambda it: it.staff(lambda w: w.catalog.export_products(list_id="a\x00"))
    yield (
        "channel.find_linked",
        "half of a surrogate pair",
        lambda it: it.staff(lambda w: w.channel.find_linked(it.order.channel_id, "order", "\ud800")),
    )
    for what, steps in (
        ("zero", 0),
        ("full-width digits", "１０"),
        ("a fraction", 1.5),
        ("negative", -3),
        ("huge", 10**12),
    ):
        yield "stock.receive", what, lambda it, s=steps: it.staff(lambda w: w.stock.receive("TEA-50", s, at="main"))
    yield "stock.receive", "an unknown location", lambda it: it.staff(lambda w: w.stock.receive("TEA-50", 1, at="x"))
    yield "stock.receive", "an unknown SKU", lambda it: it.staff(lambda w: w.stock.receive("NOPE", 1, at="main"))
    yield (
        "stock.count",
        "a stale version",
        lambda it: it.staff(lambda w: w.stock.count("TEA-50", 5, at="main", expect_version=-7)),
    )
    market = Market(id=mint("market"), code="x", countries=frozenset(), currency="JPY", prices_include_tax=True)
    for what, change in (
        ("an unknown currency", {"currency": "ZZZ"}),
        ("an unknown zone", {"zone": "Mars/Base"}),
        ("a country of three letters", {"countries": frozenset({"JPN"})}),
        ("a country that is none", {"countries": frozenset({"JP", "XX"})}),
        ("a code with a blank", {"code": "a b"}),
    ):
        yield (
            "channel.save_market",
            what,
            lambda it, c=change: it.staff(lambda w: w.channel.save_market(attrs.evolve(market, **c))),
        )
    entity = LegalEntity(id=mint("legal_entity"), name="X", country="ZZ")
    yield (
        "channel.save_legal_entity",
        "a country that is none",
        lambda it: it.staff(lambda w: w.channel.save_legal_entity(entity)),
    )
    promotion = Promotion(
        id=mint("promotion"),
        code="P",
        title=Text.of("P"),
        condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
        action=RuleRef(code="percent_off", settings={"percent": "10"}),
    )
    for what, changed in (
        ("an unknown condition", {"condition": RuleRef(code="phase_of_moon")}),
        ("settings that do not fit", {"condition": RuleRef(code="goods_minimum", settings={"minimum_minor": "many"})}),
        ("over a hundred percent", {"action": RuleRef(code="percent_off", settings={"percent": "101"})}),
        ("a binary fraction", {"action": RuleRef(code="percent_off", settings={"percent": 0.1})}),
        ("a limit of zero", {"limit_total": 0}),
    ):
        yield (
            "promotion.save",
            what,
            lambda it, c=changed: it.staff(lambda w: w.promotion.save(attrs.evolve(promotion, **c))),
        )
    yield (
        "promotion.save",
        "a code with markup",
        lambda it: it.staff(lambda w: w.promotion.save(promotion, [Coupon(code="<b>", promotion_id=promotion.id)])),
    )
    yield "Ref.parse", "an id of another kind", lambda it: Ref.parse(f"order:{it.cart.id}")
