"""What can be bought: products, variants, categories, price lists and prices."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from moneyed import Money

from eckit.kernel.clock import Window
from eckit.kernel.events import Event
from eckit.kernel.ids import CategoryId, ChannelId, PriceListId, ProductId, Sku, VariantId
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text


@attrs.frozen(kw_only=True)
class SaleUnit:
    """What one step of quantity is: 10^-scale of the unit; the price is per whole unit.

    :ivar code: UN/CEFACT unit code; ``C62`` is a piece.
    :ivar increment: a quantity is a multiple of so many steps.
    """

    code: str = "C62"
    scale: int = 0
    increment: int = 1


@attrs.frozen(kw_only=True)
class Measures:
    """Outer size and weight of one whole unit, where known."""

    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    weight_grams: int | None = None


@attrs.frozen(kw_only=True)
class Supply:
    """How a variant is supplied.

    :ivar kind: ``stock``, ``backorder`` or ``unlimited``; open vocabulary.
    :ivar cap_steps: for backorder: so many steps may be promised beyond stock.
    """

    kind: str = "stock"
    cap_steps: int = 0


@attrs.frozen(kw_only=True)
class Category:
    """A node of the category tree; ``parent_id`` is None at a root."""

    id: CategoryId
    code: str
    title: Text
    parent_id: CategoryId | None = None
    position: int = 0


@attrs.frozen(kw_only=True)
class Product:
    """What a page shows; what is bought are its variants.

    :ivar handle: readable code, unique in the shop; for addresses of pages.
    :ivar state: draft, published or archived.
    """

    id: ProductId
    handle: str
    title: Text
    description: Text = Text({})
    category_ids: tuple[CategoryId, ...] = ()
    state: str = "draft"
    version: int = 1
    facets: Mapping[type, Any] = attrs.field(factory=dict, hash=False, eq=False, repr=False)

    def facet(self, kind: type) -> Any:
        """The plugin's extra facts of this kind, or None."""
        return self.facets.get(kind)


@attrs.frozen(kw_only=True)
class Variant:
    """One thing to buy, with one SKU."""

    id: VariantId
    product_id: ProductId
    sku: Sku
    option: Text = Text({})
    gtins: tuple[str, ...] = ()
    unit: SaleUnit = SaleUnit()
    kind: str = "goods"
    measures: Measures = Measures()
    tax_class: str = "standard"
    hs_code: str | None = None
    origin: str | None = None
    cost_minor: int | None = None
    cost_currency: str | None = None
    supply: Supply = Supply()
    active: bool = True
    position: int = 0
    version: int = 1


@attrs.frozen(kw_only=True)
class PriceList:
    """Prices in one currency and one tax basis, for an audience.

    :ivar channel_ids: channels it is for; empty means all.
    :ivar customer_groups: customer groups it is for; empty means everybody.
    :ivar priority: of several lists that apply, the highest wins; then the lower price.
    """

    id: PriceListId
    code: str
    currency: str
    includes_tax: bool
    channel_ids: frozenset[ChannelId] = frozenset()
    customer_groups: frozenset[str] = frozenset()
    priority: int = 0
    window: Window = Window()


@attrs.frozen(kw_only=True)
class Price:
    """The price of one whole unit of a variant on a list, from a quantity on, in a window.

    :ivar amount_minor: minor units of the list's currency, in the list's tax basis.
    :ivar original_minor: the price before a reduction, to show; None if not reduced.
    """

    variant_id: VariantId
    list_id: PriceListId
    amount_minor: int
    min_steps: int = 1
    window: Window = Window()
    original_minor: int | None = None


@attrs.frozen(kw_only=True)
class Offer:
    """All that pricing needs to know of a variant: itself, its product, its prices with their lists."""

    variant: Variant
    product: Product
    category_codes: frozenset[str]
    prices: tuple[tuple[PriceList, Price], ...]


@attrs.frozen(kw_only=True)
class Listed:
    """A row of a listing page: a product with its cheapest price."""

    product_id: ProductId
    handle: str
    title: Text
    price_minor: int | None
    currency: str
    available_steps: int | None = None

    @property
    def price(self) -> Money | None:
        """The cheapest price of its variants, in the list's tax basis."""
        return None if self.price_minor is None else from_minor(self.price_minor, self.currency)


@attrs.frozen(kw_only=True)
class RowProblem:
    """What is wrong with one row of an import file."""

    line: int
    path: str
    code: str
    value: str
    text: str = ""


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import did: rows read, products and variants written, rows refused with their problems."""

    rows: int
    products: int
    variants: int
    stock: Mapping[Sku, int] = attrs.field(factory=dict, hash=False)
    problems: tuple[RowProblem, ...] = ()


@attrs.frozen(kw_only=True)
class ProductPublished(Event):
    """A product can be bought from now on."""

    name: ClassVar[str] = "product.published"
    product_id: ProductId

    @property
    def subject(self) -> Ref:
        """The product."""
        return Ref("product", self.product_id)


@attrs.frozen(kw_only=True)
class PriceChanged(Event):
    """Prices of a variant on a list were set."""

    name: ClassVar[str] = "price.changed"
    variant_id: VariantId
    list_id: PriceListId
    at: dt.datetime

    @property
    def subject(self) -> Ref:
        """The variant."""
        return Ref("variant", self.variant_id)
