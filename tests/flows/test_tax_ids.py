"""A buyer's tax number that a plugin objects to makes no order, and costs nothing where no plugin could object."""

from typing import Any

import attrs
import pytest

from eckit.cart import service as carts
from eckit.customer import Party, service as customers
from eckit.flows.place_order import place_order
from eckit.flows.price_cart import price_cart
from eckit.kernel.errors import ObjectedError, Objection, PluginError
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import PartyId
from eckit.kernel.minting import mint
from eckit.stock import OutOfStockError
from tests.flows.selling import BOSS, Selling, open_shop

PAST_THE_CHECK = OutOfStockError
"""This shop has no stock: the next thing that is asked after the numbers."""


@attrs.define
class Registry:
    """Objects to numbers that do not begin with a country."""

    fails: bool = False
    asked: list[tuple[str, str]] = attrs.field(factory=list)
    name: str = "registry"
    version: str = "1.0.0"
    eckit_interface = {"tax": 1}  # noqa: RUF012

    @hookimpl
    def check_tax_id(self, scheme: str, number: str) -> tuple[Objection, ...]:
        if self.fails:
            raise ValueError(number)
        self.asked.append((scheme, number))
        return (
            () if number[:2].isalpha() else (Objection(code="vat-without-country", label=f"{scheme}: which country?"),)
        )


def order(selling: Selling, *numbers: tuple[str, str]) -> Any:
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    with selling.begin.write(BOSS) as work:
        buyer = customers.add_party(work, Party(id=PartyId(mint("party")), name="Tea GmbH", tax_ids=numbers))
        carts.set_buyer(work, cart.id, buyer.id)
    quote = price_cart(selling.begin, BOSS, cart.id)
    return place_order(selling.begin, BOSS, cart.id, agreed=quote.ref)


def test_every_number_of_the_buyer_is_checked_when_an_order_is_placed(migrated_url: str) -> None:
    """All objections come back, with who objects; a number nobody objects to goes on."""
    registry = Registry()
    selling = open_shop(migrated_url, plugins=[registry])
    with pytest.raises(ObjectedError) as refused:
        order(selling, ("vat", "123"), ("vat", "DE123456789"), ("gst", "9"))
    assert [("vat-without-country", "vat: which country?"), ("vat-without-country", "gst: which country?")] == [
        (objection.code, objection.text()) for objection in refused.value.objections
    ]
    assert [("vat", "123"), ("vat", "DE123456789"), ("gst", "9")] == registry.asked
    for numbers in ((), (("vat", "DE123456789"),)):
        with pytest.raises(PAST_THE_CHECK):
            order(selling, *numbers)
    registry.fails = True
    with pytest.raises(PluginError):
        order(selling, ("vat", "DE123456789"))


def test_a_shop_without_such_a_plugin_asks_nobody(migrated_url: str) -> None:
    """Any number is taken as it is."""
    with pytest.raises(PAST_THE_CHECK):
        order(open_shop(migrated_url), ("vat", "123"))
