"""Bad input, one case a line, each as somebody has really typed, uploaded or forged it."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from eckit import (
    Actor,
    QuoteRef,
    TaxPlace,
    mint,
)
from eckit.kernel.idempotency import Key
from tests.acceptance.bad_cases_of_staff import money_cases, staff_cases
from tests.acceptance.scene import LONG, Case, Scene
from tests.acceptance.trial import STAFF, person

HEADER: Final = b"handle,title_en,sku,price_jpy,tax_class,stock\n"


def _import(rows: bytes, **options: Any) -> Callable[[Scene], object]:
    return lambda it: it.trial.shop.import_products(STAFF, HEADER + rows, **options)


def _raw(data: bytes, **options: Any) -> Callable[[Scene], object]:
    return lambda it: it.trial.shop.import_products(STAFF, data, **options)


def _imports() -> Iterator[Case]:
    row = b"tea,Tea,TEA-9,%s,standard,%s\n"
    for what, price, stock in (
        ("a price that is no number", b"abc", b"1"),
        ("a price of NaN", b"NaN", b"1"),
        ("an infinite price", b"Infinity", b"1"),
        ("a negative price", b"-5", b"1"),
        ("a price finer than a yen", b"16.24", b"1"),
        ("an exponent", b"1e3", b"1"),
        ("a price beyond counting", b"9" * 20, b"1"),
        ("a negative stock", b"100", b"-1"),
        ("a fraction of a piece", b"100", b"1.5"),
    ):
        yield "import_products", what, _import(row % (price, stock))
    for what, cells in (
        ("a formula as a price", b"=1+1,standard,1"),
        ("a full-width formula as a price", "＝１＋１,standard,1".encode()),
        ("a price with a plus", b"+100,standard,1"),
        ("a formula as a tax class", b"100,=x,1"),
        ("a formula as a stock", b"100,standard,=1"),
        ("a full-width fraction of a piece", "100,standard,１．５".encode()),
        ("a circled digit as a price", "①,standard,1".encode()),
        ("a raised digit in a price", "5²,standard,1".encode()),
        ("a circled digit as a stock", "100,standard,②".encode()),
    ):
        yield "import_products", what, _import(b"tea,Tea,TEA-9," + cells + b"\n")
    yield "import_products", "half of a surrogate pair", _raw(HEADER + b"tea,\xed\xa0\x80,TEA-9,100,standard,1\n")
    yield "import_products", "a location that is half a surrogate pair", _import(row % (b"100", b"1"), at="\ud800")
    yield "import_products", "a file that is a text", lambda it: it.trial.shop.import_products(STAFF, "handle,sku")
    yield "import_products", "a NUL", _import(b"tea,T\x00ea,TEA-9,100,standard,1\n")
    yield "import_products", "an overlong title", _import(b"tea," + LONG.encode() + b",TEA-9,100,standard,1\n")
    yield "import_products", "no SKU", _import(b"tea,Tea,,100,standard,1\n")
    yield "import_products", "a SKU twice", _import((row % (b"100", b"1")) * 2)
    yield "import_products", "too few cells", _import(b"tea,Tea\n")
    yield "import_products", "bytes that are no text", _raw(HEADER + b"tea,\x81\x20\xff\xfe,TEA-9,100,standard,1\n")
    yield "import_products", "a picture", _raw(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    yield "import_products", "nothing at all", _raw(b"")
    yield "import_products", "columns nobody knows", _raw(b"foo,bar\n1,2\n")
    yield "import_products", "no currency", _raw(b"handle,title,sku,price\ntea,Tea,TEA-9,100\n")
    yield "import_products", "an unknown currency", _raw(b"handle,title,sku,price\ntea,Tea,T9,1\n", currency="ZZZ")
    yield (
        "import_products",
        "a currency without a list",
        _raw(b"handle,title,sku,price\ntea,Tea,T9,1\n", currency="EUR"),
    )
    yield "import_products", "an unknown location", _import(row % (b"100", b"1"), at="atlantis")


def _carts() -> Iterator[Case]:
    add = "add_to_cart"
    for what, steps in (
        ("zero", 0),
        ("negative", -1),
        ("a fraction", 1.5),
        ("text", "2"),
        ("full-width digits", "２"),
        ("a formula", "=1+1"),
        ("nothing", None),
        ("no number", float("nan")),
        ("beyond 64 bits", 10**30),
        ("True", True),
        ("huge", 10**9),
    ):
        yield (
            add,
            f"a quantity: {what}",
            lambda it, s=steps: it.trial.shop.add_to_cart(it.guest, it.cart.id, "TEA-50", s),
        )
    for what, sku in (
        ("unknown", "NOPE"),
        ("empty", ""),
        ("NUL", "TEA\x00"),
        ("overlong", LONG),
        ("a number", 5),
        ("half of a surrogate pair", "\ud800"),
    ):
        yield add, f"a SKU: {what}", lambda it, s=sku: it.trial.shop.add_to_cart(it.guest, it.cart.id, s)
    for what, cart in (("an order's id", None), ("unknown", mint("cart")), ("malformed", "crt_1"), ("empty", "")):
        yield (
            add,
            f"a cart: {what}",
            lambda it, c=cart: it.trial.shop.add_to_cart(it.guest, it.order.id if c is None else c, "TEA-50"),
        )
    yield add, "somebody else's cart", lambda it: it.trial.shop.add_to_cart(Actor.guest("x" * 43), it.cart.id, "TEA-50")
    yield add, "an empty token", lambda it: it.trial.shop.add_to_cart(Actor.guest(""), it.cart.id, "TEA-50")
    yield (
        add,
        "metadata without end",
        lambda it: it.trial.shop.add_to_cart(it.guest, it.cart.id, "TEA-50", choices={f"k{n}": "v" for n in range(99)}),
    )
    yield (
        "set_cart_lines",
        "ten thousand lines",
        lambda it: it.trial.shop.set_cart_lines(it.guest, it.cart.id, [("TEA-50", 1)] * 10_000),
    )
    yield (
        "cart.set_steps",
        "somebody else's line",
        lambda it: it.own(lambda w: w.cart.set_steps(it.cart.id, mint("line"), 2)),
    )
    yield "cart.add_code", "markup", lambda it: it.own(lambda w: w.cart.add_code(it.cart.id, "<script>"))
    yield "cart.add_code", "a formula", lambda it: it.own(lambda w: w.cart.add_code(it.cart.id, "=1+1"))
    yield "cart.add_code", "overlong", lambda it: it.own(lambda w: w.cart.add_code(it.cart.id, LONG))
    yield "cart.set_method", "a NUL", lambda it: it.own(lambda w: w.cart.set_method(it.cart.id, "sand\x00box"))
    yield "cart.set_option", "overlong", lambda it: it.own(lambda w: w.cart.set_option(it.cart.id, LONG))
    yield (
        "cart.set_destination",
        "an id of a customer",
        lambda it: it.own(lambda w: w.cart.set_destination(it.cart.id, mint("customer"))),
    )
    yield (
        "cart.set_destination",
        "a place in a country that is none",
        lambda it: it.own(lambda w: w.cart.set_destination(it.cart.id, mint("party"), TaxPlace(country="XX"))),
    )
    yield "start_cart", "an unknown channel", lambda it: it.trial.shop.start_cart(it.guest, "atlantis")
    yield "start_cart", "an unknown market", lambda it: it.trial.shop.start_cart(it.guest, "web", market="mars")
    yield "price_cart", "an id of an order", lambda it: it.trial.shop.price_cart(it.guest, it.order.id)


def _parties() -> Iterator[Case]:
    def party(**changes: Any) -> Callable[[Scene], object]:
        return lambda it: it.own(lambda w: w.customer.add_party(attrs.evolve(person(), **changes)))

    address = person().address
    assert address is not None
    add = "customer.add_party"
    yield add, "a NUL in the name", party(name="A\x00B")
    yield add, "a line break in the name", party(name="A\r\nBcc: x@example.com")
    yield add, "an overlong name", party(name="あ" * 300)
    yield add, "nobody", party(name="", email="")
    yield add, "an address that is no e-mail", party(email="no at sign")
    yield add, "a second header", party(email="a@example.com\nBcc: b@example.com")
    yield add, "a country of three letters", party(address=attrs.evolve(address, country="JPN"))
    yield add, "a country that is none", party(address=attrs.evolve(address, country="ZZ"))
    yield add, "a postal code of six digits", party(address=attrs.evolve(address, postal_code="123456"))
    yield add, "a lone surrogate", party(name="\ud800")
    yield add, "a formula as a country", party(address=attrs.evolve(address, country="=1"))
    yield add, "a formula as a phone number", party(phones=("=1+1",))
    yield add, "a circled digit in a phone number", party(phones=("０３－①２３４－５６７８",))
    yield add, "a name that is a number", party(name=5)
    yield add, "an id of another kind", party(id=mint("order"))
    yield (
        "customer.register",
        "a short password",
        lambda it: it.own(lambda w: w.customer.register(email="new@example.com", password="x")),
    )
    yield (
        "customer.sign_in",
        "a wrong password",
        lambda it: it.own(lambda w: w.customer.sign_in(email="a@example.com", password="wrong password")),
    )


def _orders() -> Iterator[Case]:
    place = "place_order"
    ref = QuoteRef(digest="f" * 64, priced_at=dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    yield place, "a stale digest", lambda it: it.trial.shop.place_order(it.guest, it.cart.id, agreed=ref)
    yield (
        place,
        "a naive instant",
        lambda it: it.trial.shop.place_order(
            it.guest,
            it.cart.id,
            agreed=QuoteRef(digest="f" * 64, priced_at=dt.datetime(2026, 4, 1)),  # noqa: DTZ001
        ),
    )
    yield (
        place,
        "somebody else's cart",
        lambda it: it.trial.shop.place_order(Actor.guest("y" * 43), it.cart.id, agreed=ref),
    )
    yield (
        place,
        "an empty key",
        lambda it: it.trial.shop.place_order(
            it.guest, it.cart.id, agreed=ref, key=Key(scope="place_order", value="\x00")
        ),
    )
    yield "order.get", "an empty number", lambda it: it.staff(lambda w: w.order.get(""))
    yield "order.get", "an id of a cart", lambda it: it.staff(lambda w: w.order.get(it.cart.id))
    yield "order.get", "somebody else's order", lambda it: it.own(lambda w: w.order.get(it.order.id))
    yield "order.by_token", "a prefix of the token", lambda it: it.own(lambda w: w.order.by_token(it.order.token[:20]))
    yield "order.by_token", "a blank", lambda it: it.own(lambda w: w.order.by_token(" "))
    yield "order.list_orders", "a page without end", lambda it: it.staff(lambda w: w.order.list_orders(limit=10**9))
    yield (
        "order.place_block",
        "a kind with markup",
        lambda it: it.staff(lambda w: w.order.place_block(it.order.id, "<b>", reason="x")),
    )
    yield "cancel_order", "somebody else's order", lambda it: it.trial.shop.cancel_order(it.guest, it.order.id)
    yield (
        "cancel_order",
        "a reason with a NUL",
        lambda it: it.trial.shop.cancel_order(it.buyer, it.order.id, reason="a\x00"),
    )
    for what, reason in (
        ("half of a surrogate pair", "\ud800"),
        ("a formula", "=1+1"),
        ("overlong", LONG),
        ("empty", ""),
    ):
        yield (
            "cancel_order",
            f"a reason: {what}",
            lambda it, r=reason: it.trial.shop.cancel_order(it.buyer, it.order.id, reason=r),
        )
    for job in ("apply_notices", "chase", "lapse_orders", "relay_events", "send_mails"):
        for what, limit in (
            ("zero", 0),
            ("negative", -1),
            ("beyond 64 bits", 10**19),
            ("True", True),
            ("text", "１０"),
        ):
            yield job, f"a limit: {what}", lambda it, j=job, n=limit: getattr(it.trial.shop, j)(limit=n)
    yield "cart.expire", "a limit beyond 64 bits", lambda it: it.staff(lambda w: w.cart.expire(limit=10**19))
    yield "messages.mails", "a limit below zero", lambda it: it.staff(lambda w: w.messages.mails(limit=-1))
    yield "ship_order", "an order id that is none", lambda it: it.trial.shop.ship_order(STAFF, "ord_1", number="1")
    yield (
        "ship_order",
        "a number with markup",
        lambda it: it.trial.shop.ship_order(STAFF, it.order.id, number="<b>1</b>"),
    )
    yield "ship_order", "without the right", lambda it: it.trial.shop.ship_order(it.buyer, it.order.id, number="1")
    yield "record_delivery", "without the right", lambda it: it.trial.shop.record_delivery(it.buyer, it.order.id)


CASES: Final[tuple[Case, ...]] = (*_imports(), *_carts(), *_parties(), *_orders(), *money_cases(), *staff_cases())
