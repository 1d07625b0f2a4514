"""Goods and buyers for the shop that ``eckit init`` makes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from eckit import Actor, Address, Cart, Coupon, Order, Party, Promotion, RuleRef, Shop, Text, mint
from eckit.cli.opening import OPERATOR
from tests.cli.conftest import add_settings

CSV: Final = """handle,title_en,title_ja,sku,price_jpy,tax_class,weight_grams,stock
sencha,Sencha,煎茶,TEA-50,648,reduced,60,40
bowl,Bowl,茶碗,BOWL,3300,standard,400,40
"""
COUPON: Final = "WELCOME"
TOKYO: Final = Address(country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3",))
NOBODY: Final = f"""[plugins.sandbox]
base_url = "http://127.0.0.1:9"
api_key = "{"k" * 32}"
notify_secret = "{"s" * 32}"
"""
"""A payment company that is not there: orders can be placed that nobody pays."""


def stock_up(shop: Shop) -> None:
    """Goods, and a coupon for 500 yen."""
    shop.import_products(OPERATOR, CSV.encode())
    off = Promotion(
        id=mint("promotion"),
        code=COUPON,
        title=Text.of("Welcome", ja="ようこそ"),
        condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
        action=RuleRef(code="amount_off", settings={"amount_minor": 500, "currency": "JPY"}),
        by_coupon=True,
    )
    with shop.write(OPERATOR) as work:
        work.promotion.save(off, [Coupon(code=COUPON, promotion_id=off.id)])


def with_payment(folder: Path) -> Path:
    """The shop's settings, with a way to pay."""
    add_settings(folder, NOBODY)
    return folder


def filled_cart(shop: Shop, lines: Mapping[str, int], *, code: str = "", ready: bool = True) -> Cart:
    """A guest's cart; with all that an order needs, unless it is not to be ready."""
    cart = shop.start_cart(Actor.guest(), "web")
    guest = Actor.guest(cart.token)
    shop.set_cart_lines(guest, cart.id, list(lines.items()))
    with shop.write(guest) as work:
        if code:
            work.cart.add_code(cart.id, code)
        if not ready:
            return work.cart.get(cart.id)
        party = Party(id=mint("party"), name="Hanako", email="h@example.com", email_kind="direct", address=TOKYO)
        buyer = work.customer.add_party(party)
        work.cart.set_buyer(cart.id, buyer)
        work.cart.set_destination(cart.id, buyer)
        return work.cart.set_option(cart.id, "tablerate.standard")


def placed(shop: Shop, lines: Mapping[str, int], *, code: str = "") -> Order:
    """An order that nobody has paid."""
    cart = filled_cart(shop, lines, code=code)
    guest = Actor.guest(cart.token)
    with shop.write(guest) as work:
        work.cart.set_method(cart.id, "sandbox.card")
    return shop.place_order(guest, cart.id, agreed=shop.price_cart(guest, cart.id).ref)
