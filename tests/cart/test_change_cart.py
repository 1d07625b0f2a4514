"""The flows that start and fill a cart, on both databases."""

from functools import partial

import attrs
import pytest

from eckit.cart import AlreadyPlacedError, Cart, service as cart
from eckit.catalog import Product, SaleUnit, Variant, service as catalog
from eckit.channel import Channel, LegalEntity, Market, Seller, service as channels
from eckit.flows.change_cart import add_to_cart, set_cart_lines, start_cart
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.errors import InvalidInputError, NotFoundError
from eckit.kernel.ids import ChannelId, LegalEntityId, MarketId, OrderId, ProductId, SellerId, ShopId, Sku, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.testing.begin import START
from tests.cart.support import raised, statements_of, together

SYSTEM = Actor.system("test")


@attrs.frozen
class Shop:
    """A channel ``web`` and a catalog."""

    begin: Begin
    url: str

    def product(self, sku: str, *, state: str = "published", **facts: object) -> Variant:
        """The first of a product's two variants."""
        product = Product(id=ProductId(mint("product")), handle=sku.lower(), title=Text.of(sku), state=state)
        variant, other = (
            Variant(id=VariantId(mint("variant")), product_id=product.id, sku=Sku(name), **more)
            for name, more in ((sku, facts), (f"{sku}-L", {}))
        )
        with self.begin.write(SYSTEM) as work:
            catalog.save(work, product, [variant, other])
        return variant

    def guest(self) -> tuple[Cart, Actor]:
        """A cart and the guest who holds its token."""
        made = start_cart(self.begin, Actor.guest(), "web")
        return made, Actor.guest(made.token)

    def lines(self, it: Cart) -> dict[str, int]:
        """Steps by variant, as stored."""
        with self.begin.read(SYSTEM) as work:
            return {line.variant_id: line.steps for line in cart.get(work, it.id).lines}


@pytest.fixture
def shop(migrated_url: str) -> Shop:
    """On both databases."""
    begin = Begin(
        transactions=Database(DatabaseSettings(url=migrated_url)),
        plugins=compose_plugins(
            [*channels.SPECS, *catalog.SPECS, *cart.SPECS], collect=[channels.collect, catalog.collect]
        ),
        clock=FixedClock(START),
        shop_id=ShopId(mint("shop")),
    )
    entity = LegalEntity(id=LegalEntityId(mint("legal_entity")), name="Tea", country="JP")
    seller = Seller(id=SellerId(mint("seller")), code="tea", legal_entity_id=entity.id, name="Tea")
    markets = [
        Market(
            id=MarketId(mint("market")),
            code=code,
            countries=frozenset(),
            currency="JPY",
            prices_include_tax=True,
            locales=("ja",),
        )
        for code in ("jp", "kr")
    ]
    channel = Channel(
        id=ChannelId(mint("channel")),
        code="web",
        kind="own",
        name="Web",
        legal_entity_id=entity.id,
        seller_id=seller.id,
        market_ids=(markets[0].id,),
        locales=("ja", "en"),
    )
    with begin.write(SYSTEM) as work:
        channels.save_legal_entity(work, entity)
        channels.save_seller(work, seller)
        for market in markets:
            channels.save_market(work, market)
        channels.save_channel(work, channel)
    yield Shop(begin, migrated_url)
    begin.transactions.close()


def test_cart_is_started_by_the_channels_code(shop: Shop) -> None:
    """Market and language are the channel's first; what there is none of is not found."""
    made, _ = shop.guest()
    assert "ja" == made.locale
    assert made.market_id == start_cart(shop.begin, Actor.guest(), made.channel_id, market="jp").market_id
    for channel, market in (("nowhere", None), ("web", "us"), ("", None)):
        with pytest.raises(NotFoundError):
            start_cart(shop.begin, Actor.guest(), channel, market=market)
    with pytest.raises(InvalidInputError):
        start_cart(shop.begin, Actor.guest(), "web", market="kr")


def test_adding_takes_six_statements_at_most(shop: Shop) -> None:
    """Variant, cart, cart again, audit row, event: five, with a key or without, whatever is in the cart."""
    it, actor = shop.guest()
    for number in range(20):
        shop.product(f"TEA-{number}")
    set_cart_lines(shop.begin, actor, it.id, [(f"TEA-{number}", 1) for number in range(19)])
    for key in (None, "click"):
        with statements_of(shop.begin, shop.url) as statements:
            add_to_cart(shop.begin, actor, it.id, "TEA-19", key=key)
        assert 5 == len(statements)
    with statements_of(shop.begin, shop.url) as statements:
        set_cart_lines(shop.begin, actor, it.id, [(f"TEA-{number}", 2) for number in range(20)])
    assert 5 == len(statements)


def test_only_what_can_be_bought_gets_in(shop: Shop) -> None:
    """Unknown, a draft, switched off: refused with the field's name, for staff as for guests; nothing is changed."""
    it, guest = shop.guest()
    known = shop.product("TEA-50")
    shop.product("DRAFT", state="draft")
    shop.product("OFF", active=False)
    for actor in (guest, SYSTEM):
        add_to_cart(shop.begin, actor, it.id, "TEA-50")
        add_to_cart(shop.begin, actor, it.id, " ＴＥＡ-50 ")
        for sku in ("NOTHING", "DRAFT", "OFF", "tea-50", known.id):
            with pytest.raises(InvalidInputError) as refused:
                add_to_cart(shop.begin, actor, it.id, sku)
            [problem] = refused.value.problems
            assert ("unknown-sku", "sku", sku) == (problem.code, problem.path, problem.value)
    assert {known.id: 4} == shop.lines(it)


def test_what_is_no_sku_is_refused(shop: Shop) -> None:
    """A typed answer to whatever a client sends, naming the field."""
    it, actor = shop.guest()
    for sku in ("", " ", None, 7, ["TEA"], "a\x00", "x" * 10**5, "\ud800"):
        for call, path in (
            (partial(add_to_cart, sku=sku), "sku"),
            (partial(set_cart_lines, lines=[(sku, 1)]), "lines[0]"),
        ):
            with pytest.raises(InvalidInputError) as refused:
                call(shop.begin, actor, it.id)
            assert path == refused.value.problems[0].path


def test_every_wrong_line_is_named(shop: Shop) -> None:
    """All at once, so that a form can show them all; nothing is changed."""
    it, actor = shop.guest()
    shop.product("TEA-50")
    shop.product("CLOTH", unit=SaleUnit(code="MTR", scale=1, increment=5))
    with pytest.raises(InvalidInputError) as refused:
        set_cart_lines(shop.begin, actor, it.id, [("NOTHING", 1), ("TEA-50", 1), ("CLOTH", 7), ("GONE", 2)])
    problems = [(problem.code, problem.path, problem.value) for problem in refused.value.problems]
    assert [
        ("unknown-sku", "lines[0]", "NOTHING"),
        ("not-a-multiple", "lines[2]", "7"),
        ("unknown-sku", "lines[3]", "GONE"),
    ] == problems
    assert {} == shop.lines(it)
    add_to_cart(shop.begin, actor, it.id, "CLOTH", 15)


def test_what_went_off_sale_can_still_be_taken_out(shop: Shop) -> None:
    """Setting it to zero needs nothing that can be bought; setting it to more does."""
    it, actor = shop.guest()
    variant = shop.product("TEA-50")
    add_to_cart(shop.begin, actor, it.id, "TEA-50", 2)
    with shop.begin.write(SYSTEM) as work:
        catalog.unpublish(work, variant.product_id)
    with pytest.raises(InvalidInputError):
        set_cart_lines(shop.begin, actor, it.id, [("TEA-50", 1)])
    set_cart_lines(shop.begin, actor, it.id, [("TEA-50", 0)])
    assert {} == shop.lines(it)


def test_one_key_adds_once_from_ten_threads(shop: Shop) -> None:
    """The flow starts again when the database asks for it; the key makes that harmless."""
    it, actor = shop.guest()
    variant = shop.product("TEA-50")
    calls = [lambda: add_to_cart(shop.begin, actor, it.id, "TEA-50", key="click")] * 10
    assert [] == raised(together(*calls))
    calls = [lambda: add_to_cart(shop.begin, actor, it.id, "TEA-50")] * 10
    assert [] == raised(together(*calls))
    assert {variant.id: 11} == shop.lines(it)


def test_ordered_cart_takes_nothing_more(shop: Shop) -> None:
    """Only the order's id is left to see; foreign carts are not found, ids of other kinds are refused."""
    it, actor = shop.guest()
    shop.product("TEA-50")
    it = add_to_cart(shop.begin, actor, it.id, "TEA-50")
    with pytest.raises(NotFoundError):
        add_to_cart(shop.begin, Actor.guest("x"), it.id, "TEA-50")
    with pytest.raises(InvalidInputError):
        add_to_cart(shop.begin, actor, OrderId(mint("order")), "TEA-50")  # type: ignore[arg-type]
    order_id = OrderId(mint("order"))
    with shop.begin.write(actor) as work:
        cart.take(work, it.id, it.version, order_id)
    with pytest.raises(AlreadyPlacedError) as refused:
        add_to_cart(shop.begin, actor, it.id, "TEA-50")
    assert order_id == refused.value.order_id
