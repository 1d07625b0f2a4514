"""Bad input gets a typed error that names field and value, and changes nothing; through every verb that takes some."""

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import pytest
from moneyed import Money

from eckit import (
    Actor,
    CardToken,
    Coupon,
    EckitError,
    InvalidInputError,
    Market,
    Price,
    Product,
    Promotion,
    QuoteRef,
    RawRequest,
    Ref,
    RuleRef,
    Secret,
    Text,
    Variant,
    mint,
)
from eckit.kernel.idempotency import Key
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.trial import METHOD, STAFF, Trial, person

HEADER: Final = b"handle,title_en,sku,price_jpy,tax_class,stock\n"
LONG: Final = "x" * 30_000


@attrs.define(kw_only=True)
class Scene:
    """A shop in which everything has been used once: a cart, an order with a payment, somebody else's things."""

    trial: Trial
    cart: Any
    guest: Actor
    order: Any
    buyer: Actor
    payment: str
    line: str
    variant: str

    @classmethod
    def of(cls, trial: Trial) -> "Scene":
        """Set the scene."""
        variant = trial.goods("TEA-50", 648, 50, tax_class="reduced")
        buyer, order = trial.order(("TEA-50", 1))
        paid = trial.pay(buyer, order)
        assert paid.payment is not None
        cart = trial.cart(("TEA-50", 2))
        with trial.shop.read(cart.buyer) as work:
            line = work.cart.get(cart.cart.id).lines[0].id
        return cls(
            trial=trial,
            cart=cart.cart,
            guest=cart.buyer,
            order=order,
            buyer=buyer,
            payment=paid.payment.id,
            line=line,
            variant=variant,
        )

    def staff(self, call: Callable[[Any], object]) -> None:
        """A verb, asked by staff."""
        with self.trial.shop.write(STAFF) as work:
            call(work)

    def own(self, call: Callable[[Any], object]) -> None:
        """A verb, asked by the cart's holder."""
        with self.trial.shop.write(self.guest) as work:
            call(work)


Case = tuple[str, str, Callable[[Scene], object]]
"""The verb, what is wrong, and the call."""


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
        ("True", True),
        ("huge", 10**9),
    ):
        yield (
            add,
            f"a quantity: {what}",
            lambda it, s=steps: it.trial.shop.add_to_cart(it.guest, it.cart.id, "TEA-50", s),
        )
    for what, sku in (("unknown", "NOPE"), ("empty", ""), ("NUL", "TEA\x00"), ("overlong", LONG), ("a number", 5)):
        yield add, f"a SKU: {what}", lambda it, s=sku: it.trial.shop.add_to_cart(it.guest, it.cart.id, s)
    for what, cart in (("an order's id", None), ("unknown", mint("cart")), ("malformed", "crt_1"), ("empty", "")):
        yield add, f"a cart: {what}", lambda it, c=cart: it.trial.shop.add_to_cart(it.guest, c or it.order.id, "TEA-50")
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
    yield "cart.add_code", "overlong", lambda it: it.own(lambda w: w.cart.add_code(it.cart.id, LONG))
    yield "cart.set_method", "a NUL", lambda it: it.own(lambda w: w.cart.set_method(it.cart.id, "sand\x00box"))
    yield "cart.set_option", "overlong", lambda it: it.own(lambda w: w.cart.set_option(it.cart.id, LONG))
    yield (
        "cart.set_destination",
        "an id of a customer",
        lambda it: it.own(lambda w: w.cart.set_destination(it.cart.id, mint("customer"))),
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
    yield add, "a postal code of six digits", party(address=attrs.evolve(address, postal_code="123456"))
    yield add, "a lone surrogate", party(name="\ud800")
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
    yield "ship_order", "an order id that is none", lambda it: it.trial.shop.ship_order(STAFF, "ord_1", number="1")
    yield (
        "ship_order",
        "a number with markup",
        lambda it: it.trial.shop.ship_order(STAFF, it.order.id, number="<b>1</b>"),
    )
    yield "ship_order", "without the right", lambda it: it.trial.shop.ship_order(it.buyer, it.order.id, number="1")
    yield "record_delivery", "without the right", lambda it: it.trial.shop.record_delivery(it.buyer, it.order.id)


def _money() -> Iterator[Case]:
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
    """A notice is answered, not raised at: 4xx says it is never acceptable."""
    assert 400 <= status < 500, status
    raise InvalidInputError(problems=())


def _staff() -> Iterator[Case]:
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
    for what, steps in (("zero", 0), ("a fraction", 1.5), ("negative", -3), ("huge", 10**12)):
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
        ("a code with a blank", {"code": "a b"}),
    ):
        yield (
            "channel.save_market",
            what,
            lambda it, c=change: it.staff(lambda w: w.channel.save_market(attrs.evolve(market, **c))),
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


CASES: Final[tuple[Case, ...]] = (*_imports(), *_carts(), *_parties(), *_orders(), *_money(), *_staff())


def test_there_are_enough_of_them() -> None:
    """At least sixty, through every public verb that takes outside input; printed."""
    for verb in sorted({verb for verb, _, _ in CASES}):
        sys.stdout.write(f"{verb}: {'; '.join(what for name, what, _ in CASES if name == verb)}\n")
    assert len(CASES) >= 60
    assert len({(verb, what) for verb, what, _ in CASES}) == len(CASES)


def test_bad_input_is_refused_and_changes_nothing(trial: Trial) -> None:
    """ACC-04, ACC-06, ACC-09, ENC-07: a typed error each; its text is safe to show; all tables are as before."""
    scene = Scene.of(trial)
    with trial.shop.database.reading() as connection:
        before = fingerprint(connection)
    wrong = [f"{verb} ({what}): {complaint}" for verb, what, call in CASES if (complaint := _complaint(scene, call))]

    with trial.shop.database.reading() as connection:
        after = fingerprint(connection)
    assert [] == wrong
    assert {} == {table: rows for table, rows in after.items() if rows != before[table]}


def _complaint(scene: Scene, call: Callable[[Scene], object]) -> str:
    """What is wrong with how bad input is refused; empty if nothing."""
    try:
        call(scene)
    except InvalidInputError as error:
        texts = [problem.text(locale) for problem in error.problems for locale in ("en", "ja")]
        nameless = [problem.code for problem in error.problems if not problem.path]
        unknown = [text for text in texts if text.startswith("problem.")]
        return f"no path: {nameless}" if nameless else f"no text: {unknown}" if unknown else ""
    except EckitError as error:
        return f"no text: {error.code}" if error.text("ja").startswith("error.") else ""
    except Exception as error:  # noqa: BLE001 - everything else is the failure this test looks for
        return f"{type(error).__name__}: {error}"[:150]
    return "accepted"


@pytest.mark.parametrize("locale", ["en", "ja"])
def test_each_refusal_can_be_read(trial: Trial, locale: str) -> None:
    """ACC-15: no refusal shows SQL, a path of the machine, a class's name or a secret."""
    scene = Scene.of(trial)
    forbidden = ("select ", "insert ", "sqlite", "psycopg", "traceback", "/src/", "eckit.", str(scene.order.token))
    shown: list[str] = []
    for _, _, call in CASES:
        try:
            call(scene)
        except EckitError as error:
            shown.append(error.text(locale))

    assert [] == [text for text in shown if any(word in text.lower() for word in forbidden)]
