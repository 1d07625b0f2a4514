"""A shop with one thing to sell, at whatever price a check needs, in each currency of the checks."""

import datetime as dt
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from moneyed import Money

from eckit.catalog.model import Price, PriceList, Product, Supply, Variant
from eckit.channel.model import Channel, LegalEntity, Market, Seller
from eckit.customer.model import Address, Party
from eckit.kernel.actors import Actor
from eckit.kernel.ids import (
    PREFIXES,
    CartId,
    ChannelId,
    LegalEntityId,
    LocationId,
    MarketId,
    MethodCode,
    PartyId,
    PriceListId,
    ProductId,
    SellerId,
    ShopId,
    Sku,
    VariantId,
)
from eckit.kernel.money import to_minor
from eckit.kernel.text import Text
from eckit.shop import Shop
from eckit.stock.model import Location
from eckit.testing.databases import install_schema

STAFF: Final = Actor.staff("conformance", "*")
STOCK: Final = 100_000
PAY_WITHIN: Final = dt.timedelta(hours=24)


def ident(kind: str, number: int = 1) -> str:
    """An id that is the same in every database of the kit."""
    return f"{PREFIXES[kind]}_{number:026d}"


SHOP: Final = ShopId(ident("shop"))
VARIANT: Final = VariantId(ident("variant"))
BUYER: Final = PartyId(ident("party"))
_CHANNEL: Final = ChannelId(ident("channel"))


def market_of(currencies: Sequence[str], currency: str) -> MarketId:
    """The market in which a currency is paid."""
    return MarketId(ident("market", 1 + list(currencies).index(currency)))


def _list_of(currencies: Sequence[str], currency: str) -> PriceListId:
    return PriceListId(ident("price_list", 1 + list(currencies).index(currency)))


def seed(shop: Shop, currencies: Sequence[str]) -> None:
    """Write the shop's rows, once."""
    entity, seller = LegalEntityId(ident("legal_entity")), SellerId(ident("seller"))
    with shop.write(STAFF) as work:
        work.channel.save_legal_entity(LegalEntity(id=entity, name="Conformance", country="JP"))
        work.channel.save_seller(Seller(id=seller, code="main", legal_entity_id=entity, name="Conformance"))
        for currency in currencies:
            work.channel.save_market(
                Market(
                    id=market_of(currencies, currency),
                    code=currency.lower(),
                    countries=frozenset(),
                    currency=currency,
                    prices_include_tax=True,
                    tax_engine="conformance",
                )
            )
            work.catalog.save_price_list(
                PriceList(
                    id=_list_of(currencies, currency), code=currency.lower(), currency=currency, includes_tax=True
                )
            )
        work.channel.save_channel(
            Channel(
                id=_CHANNEL,
                code="web",
                kind="own",
                name="Conformance",
                legal_entity_id=entity,
                seller_id=seller,
                market_ids=tuple(market_of(currencies, currency) for currency in currencies),
                locales=("en", "ja"),
                pay_within=PAY_WITHIN,
            )
        )
        product = ProductId(ident("product"))
        variant = Variant(id=VARIANT, product_id=product, sku=Sku("KIT"), supply=Supply(kind="stock"))
        thing = Product(id=product, handle="kit", title=Text.of("Thing"), state="published")
        work.catalog.save(thing, [variant])
        work.stock.save_location(Location(id=LocationId(ident("location")), code="main", name="Main"))
        work.customer.add_party(
            Party(
                id=BUYER,
                name="検査 花子",
                email="hanako.kensa@example.com",
                phones=("+81312345678",),
                address=Address(country="JP", postal_code="100-0001", region="東京都", city="千代田区", lines=("1-1",)),
            )
        )
    with shop.write(STAFF) as work:
        work.stock.receive(VARIANT, STOCK, at="main")


def price(shop: Shop, currencies: Sequence[str], money: Money) -> None:
    """From now on the thing costs this."""
    wanted = _list_of(currencies, money.currency.code)
    with shop.write(STAFF) as work:
        work.catalog.set_prices(wanted, [Price(variant_id=VARIANT, list_id=wanted, amount_minor=to_minor(money))])


def fill_cart(shop: Shop, currencies: Sequence[str], currency: str, method: MethodCode) -> CartId:
    """A cart with one thing, collected by the buyer, to be paid like this."""
    with shop.write(STAFF) as work:
        channel = work.channel.setup().channels[_CHANNEL]
        cart = work.cart.create(channel=channel, market=market_of(currencies, currency), locale="en")
        collected = work.cart.add_group(cart.id, mode="pickup").groups[-1].id
        work.cart.add(cart.id, VARIANT, 1, group=collected)
        work.cart.set_buyer(cart.id, BUYER)
        work.cart.set_method(cart.id, method)
    return cart.id


# -- databases --------------------------------------------------------------------------------------------------------


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{file}"


def empty_sqlite(directory: Path) -> str:
    """A new SQLite database with eckit's tables."""
    directory.mkdir(parents=True, exist_ok=True)
    url = sqlite_url(directory / "shop.sqlite")
    install_schema(url)
    return url


def copy_sqlite(template: Path, file: Path) -> str:
    """A copy of a SQLite database that nobody writes to."""
    with closing(sqlite3.connect(template)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(template, file)
    return sqlite_url(file)
