"""A shop on trial: goods, Japanese tax, one carrier, a real sandbox provider; in this process or a child's."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

import attrs

import eckit_tax_table
from eckit import (
    Actor,
    Address,
    CardToken,
    CarrierSpec,
    Cart,
    Channel,
    Coupon,
    Fare,
    FareRequest,
    LegalEntity,
    Location,
    Market,
    Order,
    Party,
    PaymentResult,
    Price,
    PriceList,
    Product,
    Promotion,
    Quote,
    RuleRef,
    Secret,
    Seller,
    ServiceSpec,
    Supply,
    Text,
    Variant,
    from_minor,
    hookimpl,
    mint,
)
from eckit.kernel.clock import Clock, FixedClock
from eckit.kernel.database import DatabaseSettings
from eckit.kernel.settings import HttpSettings, ShopSettings
from eckit.shop import Shop
from eckit.testing.databases import install_schema

START: Final = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
STAFF: Final = Actor.staff("trial", "*")
METHOD: Final = "sandbox.card"
OPTION: Final = "flat.standard"
SHOP: Final = "shp_00000000000000000000000000"
NOBODY: Final = {"base_url": "http://127.0.0.1:9", "api_key": "k" * 32, "notify_secret": "s" * 32}
"""A provider that is not there: its method is offered, and orders can be placed that nobody pays."""


class FlatCarrier:
    """600 yen to everywhere, tax included."""

    code = "flat"
    spec = CarrierSpec(
        label=Text.of("Flat"), services=(ServiceSpec(code="standard", label=Text.of("Standard", ja="通常")),)
    )

    def check(self, request: FareRequest) -> tuple[Any, ...]:
        """Nothing is wrong."""
        return ()

    def load(self, own: Any, at: dt.datetime) -> None:
        """No tables."""

    def quote(self, facts: Any, request: FareRequest) -> Sequence[Fare]:
        """One fare."""
        total = from_minor(600, request.goods_value.currency.code)
        included = request.goods_include_tax
        return (Fare(service="standard", label=Text.of("Standard", ja="通常"), total=total, tax_included=included),)


class FlatPlugin:
    """Plugin ``flat``."""

    name = "flat"
    version = "1"
    eckit_interface: Final = {"shipping": 1}

    @hookimpl
    def register_carriers(self) -> tuple[FlatCarrier, ...]:
        """The carrier."""
        return (FlatCarrier(),)


@attrs.frozen(kw_only=True)
class Place:
    """All another process needs to open the same shop."""

    url: str
    sandbox: Mapping[str, str]
    allow: tuple[str, ...]
    now: dt.datetime | None = None
    isolation: str | None = None

    def to_json(self) -> str:
        """As a command line argument."""
        values = attrs.asdict(self) | {"now": self.now and self.now.isoformat(), "allow": list(self.allow)}
        return json.dumps(values)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read back."""
        values = json.loads(text)
        now = values.pop("now")
        return cls(**{**values, "allow": tuple(values["allow"]), "now": now and dt.datetime.fromisoformat(now)})


def open_shop(
    place: Place, *, clock: Clock | None = None, plugins: Sequence[Any] = (), strict: bool = True, **database: Any
) -> Shop:
    """The shop at a place."""
    settings = ShopSettings(
        shop_id=SHOP,
        database=DatabaseSettings(url=place.url, **database),
        plugins={"sandbox": dict(place.sandbox)},
        http=HttpSettings(allow=place.allow),
        disabled_plugins=frozenset({"tablerate"}),
        strict=strict,
    )
    chosen = clock or (FixedClock(place.now) if place.now else None)
    return Shop.compose(settings, [FlatPlugin(), *plugins], clock=chosen, check=False)


@attrs.define(kw_only=True)
class Trial:
    """A shop with goods, and the everyday of buying in it."""

    place: Place
    shop: Shop
    clock: FixedClock
    provider: Any

    @classmethod
    def begun(
        cls,
        url: str,
        provider: Any = None,
        *,
        plugins: Sequence[Any] = (),
        more_tables: Sequence[Any] = (),
        migrated: bool = False,
        clock: FixedClock | None = None,
    ) -> Self:
        """Make tables (of plugins only, if the core's are there) and the shop's first rows."""
        install_schema(url, extra=(*more_tables, eckit_tax_table.tables.metadata), core=not migrated)
        clock = clock or FixedClock(START)
        if provider is not None:
            provider.set_clock(START)
        place = Place(
            url=url,
            sandbox=provider.settings() if provider else NOBODY,
            allow=(provider.base_url.removeprefix("http://"),) if provider else (),
            now=START,
        )
        shop = open_shop(place, clock=clock, plugins=plugins)
        made = cls(place=place, shop=shop, clock=clock, provider=provider)
        made._found()
        return made

    def _found(self) -> None:
        entity, seller, market = mint("legal_entity"), mint("seller"), mint("market")
        with self.shop.write(STAFF) as work:
            work.channel.save_legal_entity(LegalEntity(id=entity, name="Trial", country="JP"))
            work.channel.save_seller(Seller(id=seller, code="main", legal_entity_id=entity, name="Trial"))
            work.channel.save_market(
                Market(
                    id=market,
                    code="jp",
                    countries=frozenset({"JP"}),
                    currency="JPY",
                    prices_include_tax=True,
                    zone="Asia/Tokyo",
                    locales=("ja", "en"),
                    tax_engine="tax-table",
                )
            )
            work.channel.save_channel(
                Channel(
                    id=mint("channel"),
                    code="web",
                    kind="own",
                    name="Trial",
                    legal_entity_id=entity,
                    seller_id=seller,
                    market_ids=(market,),
                    locales=("ja", "en"),
                    base_url="https://shop.example",
                    mail_from="shop@shop.example",
                )
            )
            work.catalog.save_price_list(
                PriceList(id=mint("price_list"), code="main", currency="JPY", includes_tax=True)
            )
            work.stock.save_location(Location(id=mint("location"), code="main", name="Main"))
            eckit_tax_table.preset_japan(work)

    # -- goods --------------------------------------------------------------------------------------------------------

    def goods(self, sku: str, price: int = 1000, stock: int = 0, *, tax_class: str = "standard", **variant: Any) -> str:
        """Something to buy; its variant id."""
        product_id, variant_id = mint("product"), mint("variant")
        with self.shop.write(STAFF) as work:
            work.catalog.save(
                Product(id=product_id, handle=sku.lower(), title=Text.of(sku, ja=f"商品 {sku}"), state="published"),
                [Variant(id=variant_id, product_id=product_id, sku=sku, tax_class=tax_class, **variant)],
            )
            listed = next(one for one in work.catalog.price_lists() if one.code == "main")
            work.catalog.set_prices(listed.id, [Price(variant_id=variant_id, list_id=listed.id, amount_minor=price)])
            if stock:
                work.stock.receive(variant_id, stock, at="main")
        return variant_id

    def unlimited(self, sku: str, price: int = 1000) -> str:
        """Something of which there is always enough."""
        return self.goods(sku, price, supply=Supply(kind="unlimited"))

    def coupon(self, code: str, off: int = 100, *, total: int | None = None, each: int | None = None) -> str:
        """A code that takes an amount off the order; its promotion's id."""
        promotion = Promotion(
            id=mint("promotion"),
            code=code,
            title=Text.of(code),
            condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
            action=RuleRef(code="amount_off", settings={"amount_minor": off, "currency": "JPY"}),
            by_coupon=True,
            limit_per_customer=each,
        )
        with self.shop.write(STAFF) as work:
            work.promotion.save(promotion, [Coupon(code=code, promotion_id=promotion.id, limit_total=total)])
        return promotion.id

    # -- buying -------------------------------------------------------------------------------------------------------

    def cart(self, *lines: tuple[str, int], code: str | None = None, method: str | None = METHOD) -> "Filled":
        """A guest's cart, ready to be ordered."""
        return filled(self.shop, lines, code=code, method=method)

    def order(self, *lines: tuple[str, int], code: str | None = None) -> tuple[Actor, Order]:
        """A placed order, and who may see it."""
        return self.cart(*lines, code=code).placed()

    def pay(self, buyer: Actor, order: Order, token: str = "tok_ok") -> PaymentResult:
        """Pay at the sandbox."""
        return self.shop.take_payment(buyer, order.id, instrument=card(token), return_url="https://shop.example/return")

    def pass_time(self, by: dt.timedelta) -> None:
        """Time passes, for shop and provider."""
        now = self.clock.advance(by)
        if self.provider is not None:
            self.provider.set_clock(now)

    def audit(self) -> list[Any]:
        """What the auditor finds."""
        return list(self.shop.audit(STAFF))

    def view(self, order_id: str) -> Order:
        """An order as it stands."""
        with self.shop.read(STAFF) as work:
            return work.order.get(order_id).order

    def level(self, variant_id: str) -> tuple[int, int]:
        """On hand and reserved, over all locations."""
        with self.shop.read(STAFF) as work:
            levels = work.stock.levels(variant_id)
        return sum(one.on_hand for one in levels), sum(one.reserved for one in levels)

    def movements(self) -> list[tuple[str, int, str]]:
        """Kind, amount and our reference of every movement the shop knows, as the ledger tells them."""
        with self.shop.read(STAFF) as work:
            orders = work.order.list_orders(limit=200).items
            payments = [one for order in orders for one in work.payment.for_order(order.id)]
        return sorted((move.kind, move.amount_minor, move.movement_ref) for one in payments for move in one.movements)

    def ledger(self) -> list[tuple[str, int, str]]:
        """Kind, amount and id of every movement in the provider's own ledger."""
        return sorted((entry.kind, entry.amount, entry.id) for entry in self.provider.ledger())


@attrs.frozen(kw_only=True)
class Filled:
    """A cart that is ready, its holder, and the price that was shown."""

    shop: Shop
    cart: Cart
    buyer: Actor
    quote: Quote

    def placed(self) -> tuple[Actor, Order]:
        """Confirm the price that was shown."""
        order = self.shop.place_order(self.buyer, self.cart.id, agreed=self.quote.ref)
        return Actor.guest(self.cart.token, order.token), order


def filled(
    shop: Shop,
    lines: Sequence[tuple[str, int]],
    *,
    code: str | None = None,
    method: str | None = METHOD,
    option: str = OPTION,
) -> Filled:
    """A guest's cart with everything an order needs."""
    cart = shop.start_cart(Actor.guest(), "web", locale="ja")
    buyer = Actor.guest(cart.token)
    shop.set_cart_lines(buyer, cart.id, list(lines))
    with shop.write(buyer) as work:
        party = work.customer.add_party(person())
        work.cart.set_buyer(cart.id, party)
        work.cart.set_destination(cart.id, party)
        work.cart.set_option(cart.id, option)
        work.cart.set_method(cart.id, method)
        if code is not None:
            work.cart.add_code(cart.id, code)
    return Filled(shop=shop, cart=cart, buyer=buyer, quote=shop.price_cart(buyer, cart.id))


def person(name: str = "見本 花子", email: str = "hanako@example.com") -> Party:
    """Somebody in Tokyo."""
    address = Address(country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3",))
    return Party(id=mint("party"), name=name, email=email, email_kind="direct", address=address)


def card(token: str = "tok_ok") -> CardToken:
    """A card as the provider's page gives it."""
    return CardToken(token=Secret(token))
