"""A small shop to price carts in: one channel, one market, and plugins that do as they are told."""

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa
from moneyed import Money

import eckit_promotions
from eckit.cart import service as carts
from eckit.cart.model import Cart
from eckit.catalog import service as catalog
from eckit.catalog.model import Category, Measures, Price, PriceList, Product, Variant
from eckit.channel import service as channels
from eckit.channel.model import Channel, LegalEntity, Market, RoundingPolicy, Seller
from eckit.customer.model import TaxPlace
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import CartId, GroupId, MethodCode, OptionCode, PartyId, PriceListId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.money import from_minor
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.payment.model import Capabilities
from eckit.pricing.model import FeeRule, FeeTier
from eckit.promotion import service as promotions
from eckit.promotion.model import Coupon, Promotion, RuleRef
from eckit.shipping.model import CarrierSpec, Fare, FareRequest, Refusal, ServiceSpec
from eckit.tax.model import TaxLine, TaxRequest
from eckit.testing.begin import START, make_begin
from eckit.testing.statement_log import logged_statements

BOSS = Actor.system("test")
CARD, CASH = MethodCode("test.card"), MethodCode("test.cash")
RATES = {"standard": Decimal("0.10"), "reduced": Decimal("0.08")}
TAX = Text.of("Consumption tax", ja="消費税")
JAPAN = TaxPlace(country="JP", region="東京都", postal_prefix="150")


def fixed_rates(request: TaxRequest) -> tuple[TaxLine, ...]:
    """Japan's rates, from the tax class."""
    return tuple(
        TaxLine(
            key=item.key,
            code=f"jp-{item.tax_class}",
            rate=RATES[item.tax_class],
            label=TAX,
            jurisdiction="JP",
        )
        for item in request.items
    )


@attrs.define
class Engine:
    """A tax engine; counts how often it is asked and how often it reads its tables."""

    code: str = "fixed"
    rates: Callable[[TaxRequest], Any] = fixed_rates
    asked: int = 0
    loaded: int = 0

    def load(self, own: Any, at: dt.datetime) -> None:
        self.loaded += 1

    def answer(self, facts: Any, request: TaxRequest) -> Any:
        self.asked += 1
        return self.rates(request)


@attrs.define
class Mail:
    """A carrier with two services."""

    code: str = "mail"
    fares: Callable[[FareRequest], Sequence[Fare | Refusal]] | None = None
    requests: list[FareRequest] = attrs.field(factory=list)
    spec: CarrierSpec = CarrierSpec(label=Text.of("Mail"), services=(ServiceSpec(code="slow", label=Text.of("Slow")),))

    def check(self, request: FareRequest) -> tuple[Any, ...]:
        return ()

    def load(self, own: Any, at: dt.datetime) -> None:
        return None

    def quote(self, facts: Any, request: FareRequest) -> Sequence[Fare | Refusal]:
        self.requests.append(request)
        return (fare("slow", 500, request), fare("fast", 900, request)) if self.fares is None else self.fares(request)


def fare(service: str, yen: int, request: FareRequest, currency: str = "JPY") -> Fare:
    """What a service costs."""
    total = Money(yen, currency)
    return Fare(service=service, label=Text.of(service), total=total, tax_included=request.goods_include_tax)


@attrs.define
class Gateway:
    """A way to pay that is never used here."""

    id: MethodCode
    label: Text = Text.of("Pay")

    def capabilities(self) -> Capabilities:
        return Capabilities(currencies={"JPY": (1, 1_000_000)}, capture="none")

    def begin(self, io: Any, op: Any) -> Any: ...

    def query(self, io: Any, q: Any) -> Any: ...

    def open_webhook(self, raw: Any, now: Any) -> Any: ...


@attrs.define
class Tests:
    """The plugin that brings them all."""

    engine: Engine = attrs.field(factory=Engine)
    mail: Mail = attrs.field(factory=Mail)
    fees: Callable[[], tuple[FeeRule, ...]] = lambda: (
        FeeRule(
            code="cod",
            label=Text.of("Cash on delivery"),
            tiers=(FeeTier(up_to_minor=10_000, fee_minor=330), FeeTier(up_to_minor=None, fee_minor=660)),
        ),
    )
    name: str = "tests"
    version: str = "1.0.0"
    eckit_interface: Mapping[str, int] = {"tax": 1, "shipping": 1, "payment": 1}

    @hookimpl
    def register_tax_engines(self) -> tuple[Any, ...]:
        return (self.engine,)

    @hookimpl
    def register_carriers(self) -> tuple[Any, ...]:
        return (self.mail,)

    @hookimpl
    def register_payment_gateways(self) -> tuple[Any, ...]:
        return Gateway(CARD), Gateway(CASH)

    @hookimpl
    def propose_payment_fees(self, method: MethodCode) -> tuple[FeeRule, ...]:
        return self.fees() if method == CASH else ()


@attrs.define
class Selling:
    """The shop."""

    begin: Begin
    clock: FixedClock
    url: str
    plugin: Tests
    channel: Channel
    market: Market
    list_id: PriceListId
    variants: list[VariantId] = attrs.field(factory=list)

    def sell(self, *prices: int, tax_class: str = "reduced", category: str | None = None) -> list[VariantId]:
        """One published product of one variant for each price, in yen."""
        made = []
        with self.begin.write(BOSS) as work:
            categories = [] if category is None else [self._category(work, category)]
            for yen in prices:
                number = len(self.variants) + 1
                product = Product(
                    id=mint("product"),  # type: ignore[arg-type]
                    handle=f"thing-{number}",
                    title=Text.of(f"Thing {number}", ja=f"品{number}"),
                    category_ids=tuple(categories),
                    state="published",
                )
                variant = Variant(
                    id=VariantId(mint("variant")),
                    product_id=product.id,
                    sku=f"SKU-{number}",  # type: ignore[arg-type]
                    tax_class=tax_class,
                    measures=Measures(weight_grams=100),
                )
                catalog.save(work, product, [variant])
                self.variants.append(variant.id)
                made.append(variant.id)
                price = Price(variant_id=variant.id, list_id=self.list_id, amount_minor=yen)
                catalog.set_prices(work, self.list_id, [price])
        return made

    def _category(self, work: Any, code: str) -> Any:
        saved = catalog.save_category(work, Category(id=mint("category"), code=code, title=Text.of(code)))  # type: ignore[arg-type]
        return saved.id

    def promote(self, code: str, action: RuleRef, condition: RuleRef, *coupons: str, **changes: Any) -> Promotion:
        """A promotion, with coupons if any."""
        made = Promotion(
            id=mint("promotion"),  # type: ignore[arg-type]
            code=code,
            title=Text.of(code),
            condition=condition,
            action=action,
            by_coupon=bool(coupons),
            **changes,
        )
        with self.begin.write(BOSS) as work:
            promotions.save(work, made, [Coupon(code=one, promotion_id=made.id) for one in coupons])
        return made

    def cart(
        self,
        lines: Sequence[tuple[VariantId, int]],
        *,
        ready: bool = True,
        codes: Sequence[str] = (),
        method: MethodCode | None = CARD,
        option: str = "mail.slow",
    ) -> Cart:
        """A guest's cart; with everything that is needed for an order unless it is not to be ready."""
        with self.begin.write(BOSS) as work:
            made = carts.create(work, channel=self.channel, market=self.market)
            for variant_id, steps in lines:
                carts.add(work, made.id, variant_id, steps)
            for code in codes:
                carts.add_code(work, made.id, code)
            if ready:
                party = PartyId(mint("party"))
                carts.set_destination(work, made.id, party, JAPAN)
                carts.set_option(work, made.id, OptionCode(option))
                carts.set_buyer(work, made.id, party)
                carts.set_method(work, made.id, method)
            return carts.get(work, made.id)

    def change(self, cart_id: CartId, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Change a cart."""
        with self.begin.write(BOSS) as work:
            return verb(work, cart_id, *args, **kwargs)

    def group(self, cart: Cart) -> GroupId:
        """The id of its first group."""
        return cart.groups[0].id


def open_shop(url: str, *, plugins: Sequence[Any] = (), **market: Any) -> Selling:
    """The shop, on a database with eckit's tables."""
    clock, plugin = FixedClock(START), Tests()
    begin = make_begin(url, plugins=[plugin, eckit_promotions.plugin, *plugins], clock=clock)
    entity = LegalEntity(id=mint("legal_entity"), name="Tea K.K.", country="JP")  # type: ignore[arg-type]
    seller = Seller(id=mint("seller"), code="main", legal_entity_id=entity.id, name="Tea")  # type: ignore[arg-type]
    facts: dict[str, Any] = {
        "code": "jp",
        "countries": frozenset({"JP"}),
        "currency": "JPY",
        "prices_include_tax": True,
        "rounding": RoundingPolicy(),
        "tax_engine": "fixed",
    }
    sold_in = Market(id=mint("market"), **facts | market)  # type: ignore[arg-type]
    channel = Channel(
        id=mint("channel"),  # type: ignore[arg-type]
        code="web",
        kind="own",
        name="Web",
        legal_entity_id=entity.id,
        seller_id=seller.id,
        market_ids=(sold_in.id,),
    )
    retail = PriceList(
        id=PriceListId(mint("price_list")),
        code="retail",
        currency=sold_in.currency,
        includes_tax=sold_in.prices_include_tax,
    )
    with begin.write(BOSS) as work:
        channels.save_legal_entity(work, entity)
        channels.save_seller(work, seller)
        channels.save_market(work, sold_in)
        channels.save_channel(work, channel)
        catalog.save_price_list(work, retail)
    return Selling(begin, clock, url, plugin, channel, sold_in, retail.id)


@contextlib.contextmanager
def statements(selling: Selling) -> Iterator[list[str]]:
    """The statements about eckit's tables that the database is sent in the block; filled when the block ends."""
    asked: list[str] = []
    if selling.url.startswith("sqlite"):
        engine = selling.begin.transactions.engine  # type: ignore[attr-defined]

        def trace(raw: sqlite3.Connection, *_: Any) -> None:
            raw.set_trace_callback(asked.append)

        sa.event.listen(engine.pool, "checkout", trace)
        try:
            yield asked
        finally:
            sa.event.remove(engine.pool, "checkout", trace)
            with engine.connect() as connection:
                connection.connection.dbapi_connection.set_trace_callback(None)  # type: ignore[union-attr]
    else:
        with logged_statements(selling.url) as found:
            yield asked
        asked += found
    asked[:] = [one for one in asked if "eckit_" in one]


def yen(amount: int) -> Money:
    """So many yen."""
    return from_minor(amount, "JPY")


ANY = RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"})


def percent_off(percent: str) -> RuleRef:
    """So much off the lines the condition is about."""
    return RuleRef(code="percent_off", settings={"percent": percent})


def amount_off(amount: int) -> RuleRef:
    """So many yen off the order."""
    return RuleRef(code="amount_off", settings={"amount_minor": amount, "currency": "JPY"})


FREE_SHIPPING = RuleRef(code="shipping_off", settings={})
