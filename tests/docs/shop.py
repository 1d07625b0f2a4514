"""The shop of the documentation: the tutorial's, on SQLite in a temporary folder, at noon in Tokyo on a Wednesday."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import eckit_tablerate
import eckit_tax_table
from eckit import Actor, Address, Cart, ChargeKind, Clock, FixedClock, Party, Quote, Shop, ShopSettings, mint
from eckit.cli.starting import Start, found
from eckit.pricing import rules as pricing_rules

Tables: TypeAlias = Mapping[str, Any]
"""Plugin → its settings."""

ROOT: Final = Path(__file__).resolve().parents[2]
NOON: Final = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
OPERATOR: Final = Actor.staff("operator", "*")
TOKYO: Final = Address(
    country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3", "見本ビル 4F")
)


def prepared(
    url: str, clock: Clock, plugins: Iterable[Any] = (), plugin_settings: Tables | None = None, **more: Any
) -> Shop:
    """A shop with its tables, goods, rates and fares."""
    settings = ShopSettings.of(url, plugins=plugin_settings or {}, **more)
    shop = Shop.compose(settings, plugins=plugins, clock=clock, check=False)
    found(shop, Start(name="Tea house", currency="JPY", country="JP", countries=frozenset({"JP"})))
    goods = (ROOT / "examples" / "first_shop" / "products.csv").read_bytes()
    with shop.write(OPERATOR) as work:
        eckit_tax_table.preset_japan(work)
        eckit_tablerate.preset_japan(work)
    shop.import_products(OPERATOR, goods)
    return shop


class Pages:
    """What pages find in their namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(NOON)
        self.shops = 0
        self.opened = contextlib.ExitStack()

    def compose(self, plugins: Iterable[Any] = (), plugin_settings: Tables | None = None) -> Shop:
        """A new shop of the tutorial, with these plugins besides; closed with the page unless the page does."""
        self.shops += 1
        url = f"sqlite:///{self.folder / f'shop{self.shops}.sqlite'}"
        shop = prepared(url, self.clock, plugins, plugin_settings)
        self.opened.callback(shop.close)
        return shop

    def namespace(self) -> dict[str, Any]:
        """Names pages may use without saying where they come from."""
        shop = self.compose()
        return {
            "shop": shop,
            "clock": self.clock,
            "compose": self.compose,
            "manager": Actor.staff("mika", "promotion.write", "catalog.write", "stock.write"),
            "filled_cart": filled_cart,
            "quote_of": quote_of,
            "cart_goods": cart_goods,
            "explained": explained,
            "ChargeKind": ChargeKind,
        }


def filled_cart(shop: Shop, lines: Mapping[str, int] | None = None) -> Cart:
    """A guest's cart with goods, a buyer in Tokyo, and the cheapest way to deliver it."""
    cart = shop.start_cart(Actor.guest(), "web")
    guest = Actor.guest(cart.token)
    shop.set_cart_lines(guest, cart.id, list((lines or {"TEA-50": 2}).items()))
    with shop.write(guest) as work:
        party = work.customer.add_party(
            Party(id=mint("party"), name="Hanako Mihon", email="hanako@example.com", email_kind="direct", address=TOKYO)
        )
        work.cart.set_buyer(cart.id, party)
        work.cart.set_destination(cart.id, party)
    (group,) = shop.price_cart(guest, cart.id).groups
    with shop.write(guest) as work:
        return work.cart.set_option(cart.id, group.options[0].option)


def quote_of(shop: Shop, cart: Cart) -> Quote:
    """What a cart costs, for whoever holds it."""
    return shop.price_cart(Actor.guest(cart.token), cart.id)


def cart_goods(shop: Shop, cart: Cart) -> int:
    """What the goods in a cart cost, after promotions."""
    return sum(line.total_minor for line in quote_of(shop, cart).lines)


def explained(quote: Quote, locale: str) -> str:
    """The quote in words, as ``eckit price`` prints it."""
    return "\n".join(line.text for line in pricing_rules.explain(quote, locale))
