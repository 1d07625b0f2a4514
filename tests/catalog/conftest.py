"""A shop's transactions with a price list or two, and things to put into its catalog."""

from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import pytest
import sqlalchemy as sa

from eckit.catalog import Category, Price, PriceList, Product, Variant, service as catalog
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.events import Event
from eckit.kernel.ids import CategoryId, PriceListId, ProductId, Sku, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.outbox import outbox
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin

E = TypeVar("E", bound=Event)

STAFF = Actor.staff("mika", "catalog.write", "catalog.read", "stock.write")
GUEST = Actor.guest()


@attrs.frozen
class Shelves:
    """Begins Works on a database that has the price list ``retail`` in yen, with tax."""

    begin: Begin
    clock: FixedClock
    url: str
    retail: PriceList

    def save(self, *products: tuple[Product, Sequence[Variant]]) -> None:
        with self.begin.write(STAFF) as work:
            for product, variants in products:
                catalog.save(work, product, variants)

    def publish(self, handle: str, amount: int = 1000, **facts: Any) -> tuple[Product, Variant]:
        """A published product with one variant and a price in yen."""
        product, variant = new_product(handle, state="published", **facts)
        self.save((product, [variant]))
        with self.begin.write(STAFF) as work:
            price = Price(variant_id=variant.id, list_id=self.retail.id, amount_minor=amount)
            catalog.set_prices(work, self.retail.id, [price])
        return product, variant

    def add_list(self, code: str, currency: str, **facts: Any) -> PriceList:
        price_list = new_list(code, currency, **facts)
        with self.begin.write(STAFF) as work:
            return catalog.save_price_list(work, price_list)

    def add_category(self, code: str, parent: Category | None = None) -> Category:
        category = Category(
            id=CategoryId(mint("category")),
            code=code,
            title=Text.of(code),
            parent_id=parent.id if parent else None,
        )
        with self.begin.write(STAFF) as work:
            return catalog.save_category(work, category)

    def stamps(self) -> dict[str, int]:
        with self.begin.read(STAFF) as work:
            return work.stamps(["catalog", "prices"])


def announced(shelves: Shelves, kind: type[E]) -> list[E]:
    """The events of a kind that were stored, in their order."""
    with shelves.begin.read(STAFF) as work:
        rows = work.execute(
            sa.select(outbox).where(outbox.c.name == kind.name).order_by(outbox.c.subject, outbox.c.seq)
        )
        return [kind.of(row.payload) for row in rows]


def new_list(code: str, currency: str, **facts: Any) -> PriceList:
    """A price list with tax, unless the facts say otherwise."""
    known = {"id": PriceListId(mint("price_list")), "includes_tax": True, **facts}
    return PriceList(code=code, currency=currency, **known)


def new_product(handle: str, *, sku: str | None = None, **facts: Any) -> tuple[Product, Variant]:
    """A draft, unless the facts say otherwise, with one variant."""
    known = {"title": Text.of(handle.title(), ja=f"商品 {handle}"), **facts}
    product = Product(id=ProductId(mint("product")), handle=handle, **known)
    variant = Variant(id=VariantId(mint("variant")), product_id=product.id, sku=Sku(sku or handle.upper()))
    return product, variant


@pytest.fixture
def shelves(migrated_url: str) -> Shelves:
    """On both databases."""
    clock = FixedClock(START)
    begin = make_begin(migrated_url, clock=clock)
    retail = new_list("retail", "JPY")
    with begin.write(STAFF) as work:
        catalog.save_price_list(work, retail)
    return Shelves(begin, clock, migrated_url, retail)
