"""What can be bought: products, variants, categories, price lists and prices."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import attrs
from moneyed import Money

from eckit.kernel.clock import Window
from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import CategoryId, ChannelId, PriceListId, ProductId, Sku, VariantId
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text
from eckit.kernel.texts import say

T = TypeVar("T")


class ProductState(enum.StrEnum):
    """draft: being written. published: buyers see it. archived: no longer sold, kept for old orders."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


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
    facets: Mapping[type, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False, eq=False, repr=False)

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
class Page(Generic[T]):
    """Part of a longer list.

    :ivar after: what to ask for as ``after`` to get the next part; None at the end.
    """

    items: tuple[T, ...]
    after: str | None = None


@attrs.frozen(kw_only=True)
class ImportRow:
    """One variant as an import file states it. None: the file does not say, and what is stored stays.

    :ivar line: the line of the file its record starts on, from 1; a record may span several.
    :ivar handle: the product it belongs to; rows of one handle are variants of one product.
    :ivar handle_given: whether the file names the handle; if not, it is made from the title, and a product that has
        this SKU already keeps its own.
    :ivar categories: paths from a root down, each a tuple of names; they are added to those the product has.
    :ivar price_minor: minor units of ``currency``, in the tax basis of the list it is imported to.
    :ivar stock: units there are, when the variant is new.
    """

    line: int
    sku: Sku
    handle: str
    handle_given: bool = True
    title: Text
    price_minor: int
    currency: str
    description: Text | None = None
    option: Text | None = None
    categories: tuple[tuple[str, ...], ...] = ()
    published: bool | None = None
    stock: int | None = None
    gtins: tuple[str, ...] | None = None
    tax_class: str | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    weight_grams: int | None = None
    hs_code: str | None = None
    origin: str | None = None
    cost_minor: int | None = None
    cost_currency: str | None = None


@attrs.frozen(kw_only=True)
class RowProblem:
    """What is wrong with one row of an import file.

    :ivar line: the line its record starts on, from 1.
    :ivar path: the column, as the file names it.
    :ivar code: stable code; its text is ``problem.<code>``.
    :ivar text: what a plugin says about it, where a plugin objects.
    :ivar other_line: the other row, where two of them do not go together; 0 for none.
    :ivar note: the row is imported all the same.
    :ivar file: which file, where there are two: ``inventory``; empty for the file of products.
    """

    line: int
    path: str
    code: str
    value: str
    text: str = ""
    limit: str = ""
    suggestion: str = ""
    other_line: int = 0
    note: bool = False
    file: str = ""

    def sentence(self, locale: str = "en") -> str:
        """Line, column and what is wrong, for people."""
        said = self.text or say(
            f"problem.{self.code}",
            locale,
            path=self.path,
            value=self.value,
            limit=self.limit,
            suggestion=self.suggestion,
            other_line=self.other_line,
        )
        key = f"import.row-of-{self.file}" if self.file else "import.row"
        return say(key, locale, line=self.line, said=said)


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import did.

    :ivar rows: rows read, good or bad. ``products``, ``variants``, ``prices``: how many were new or changed.
    :ivar stock: units the file states for each SKU that was not there before: its opening stock, to be received.
    :ivar problems: rows refused, by line. ``notes``: what was read and not used, such as an unknown column.
    """

    rows: int
    products: int
    variants: int
    stock: Mapping[Sku, int] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[RowProblem, ...] = ()
    prices: int = 0


class Importer(Protocol):
    """Reads product files of a layout the core does not know; registered by ``register_importers``.

    Pure: bytes in, rows out. The core checks and stores the rows as it does its own.
    """

    code: str

    def read(self, data: bytes, currency: str | None) -> tuple[tuple[ImportRow, ...], tuple[RowProblem, ...]]:
        """The rows of a file, and what is wrong with the others.

        :param currency: what amounts are in, where the file does not say.
        """
        ...


class Search(Protocol):
    """Finds products by what people type; given by ``choose_search``."""

    def find(self, own: Any, text: str, limit: int) -> tuple[ProductId, ...]:
        """Products for a text, the best first. The core leaves out those that are not published.

        :param own: ``work.own`` of the plugin, for reading.
        """
        ...


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


@attrs.frozen(kw_only=True)
class CatalogImported(Event):
    """A file was imported: this many products, variants and prices are new or changed.

    Stands for a ``product.published`` and a ``price.changed`` of each of them, which are not announced.
    """

    name: ClassVar[str] = "catalog.imported"
    list_id: PriceListId
    rows: int
    products: int
    variants: int
    prices: int
    at: dt.datetime

    @property
    def subject(self) -> Ref:
        """The price list its prices went to."""
        return Ref("price_list", self.list_id)
