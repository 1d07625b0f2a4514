"""What plugins can do to the catalog: object, register facets and readers, search; and what they are told."""

from typing import Any

import attrs
import pytest

from eckit.catalog import (
    ImportRefusedError,
    ImportRow,
    NotPublishableError,
    Product,
    RowProblem,
    Variant,
    service as catalog,
)
from eckit.flows.import_products import import_products
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError, Objection, PluginError
from eckit.kernel.facets import FacetSpec
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import ProductId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.testing.begin import make_begin
from tests.catalog.conftest import GUEST, STAFF, Shelves, new_product


class Plugin:
    """A plugin that implements the catalog's family."""

    name = "weights"
    version = "0.1.0"
    eckit_interface = {"catalog": 1}  # noqa: RUF012


def with_plugin(shelves: Shelves, plugin: Any) -> Shelves:
    """The same shop with a plugin."""
    return attrs.evolve(shelves, begin=make_begin(shelves.url, plugins=[plugin], clock=shelves.clock))


# --- check_publishable -----------------------------------------------------------------------------------------------


class Weighs(Plugin):
    """Wants every variant weighed."""

    @hookimpl
    def check_publishable(self, product: Product, variants: tuple[Variant, ...]) -> tuple[Objection, ...]:
        assert "published" == product.state
        unweighed = [variant.sku for variant in variants if variant.measures.weight_grams is None]
        return tuple(Objection(code="no-weight", label=f"Weigh {sku} first.", path="weight_grams") for sku in unweighed)


def test_plugin_objects_to_publishing(shelves: Shelves) -> None:
    """Each objection names its plugin; the product stays a draft. Saving a draft asks nobody."""
    shop = with_plugin(shelves, Weighs())
    product, variant = new_product("tea")
    shop.save((product, [variant]))
    with pytest.raises(NotPublishableError) as refused, shop.begin.write(STAFF) as work:
        catalog.publish(work, product.id)
    assert [("no-weight", "weights")] == [(one.code, one.plugin) for one in refused.value.objections]
    assert "Weigh TEA first." == refused.value.text("ja")
    with pytest.raises(NotPublishableError):
        shop.save((attrs.evolve(product, state="published"), []))
    weighed = attrs.evolve(variant, measures=attrs.evolve(variant.measures, weight_grams=50))
    shop.save((attrs.evolve(product, state="published"), [weighed]))


def test_plugin_objects_to_rows_of_a_file(shelves: Shelves) -> None:
    """As problems of the rows of that product; drafts and what is published already are not asked about."""
    shop = with_plugin(shelves, Weighs())
    lines = [
        "handle,sku,title,price,weight_grams,published",
        "tea,T1,Tea,1,50,yes",
        "tea,T2,Tea,1,,yes",
        "cup,C,Cup,1,,no",
    ]
    data = "\n".join(lines).encode()
    with pytest.raises(ImportRefusedError) as refused:
        import_products(shop.begin, STAFF, data, currency="JPY")
    problems = refused.value.report.problems
    assert [(2, "no-weight"), (3, "no-weight")] == [(problem.line, problem.code) for problem in problems]
    assert "Line 2: Weigh T2 first." == problems[0].sentence("en")
    report = import_products(shop.begin, STAFF, data, currency="JPY", keep_good=True)
    assert (1, 1) == (report.products, report.variants)


class Fails(Plugin):
    """Breaks when it is asked."""

    @hookimpl
    def check_publishable(self, product: Product, variants: tuple[Variant, ...]) -> tuple[Objection, ...]:
        raise RuntimeError("scale unplugged")


def test_plugin_that_fails_is_named_and_nothing_is_published(shelves: Shelves) -> None:
    """A question that must be answered is closed when it is not; the stage of an import does not stay behind."""
    shop = with_plugin(shelves, Fails())
    product, variant = new_product("tea")
    shop.save((product, [variant]))
    with pytest.raises(PluginError) as failed, shop.begin.write(STAFF) as work:
        catalog.publish(work, product.id)
    assert ("weights", "check_publishable") == (failed.value.plugin, failed.value.hook)
    row = ImportRow(line=1, sku=variant.sku, handle="cup", title=Text.of("Cup"), price_minor=1, currency="JPY")
    with shop.begin.write(STAFF) as work:
        for _ in range(2):
            with pytest.raises(PluginError):
                catalog.import_products(work, [attrs.evolve(row, sku=row.sku + "2")], list_id=shop.retail.id)


# --- facets ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Steeping:
    """How to brew it."""

    seconds: int


class Brews(Plugin):
    """Knows how tea is brewed."""

    name = "brewing"

    @hookimpl
    def register_facets(self, settings: Any) -> tuple[FacetSpec, ...]:
        return (
            FacetSpec(kind=Steeping, namespace="brewing", on="product", needed_for=frozenset({"catalog", "pricing"})),
        )


def test_facet_goes_with_its_product(shelves: Shelves) -> None:
    """To its page and to pricing; a product without one has none."""
    shop = with_plugin(shelves, Brews())
    product, variant = shop.publish("tea")
    _, cup = shop.publish("cup")
    with shop.begin.write(STAFF) as work:
        catalog.save_facet(work, product.id, Steeping(60))
    with shop.begin.read(GUEST) as work:
        assert Steeping(60) == catalog.product(work, "tea").facet(Steeping)
        offers = catalog.offers(work, [variant.id, cup.id])
    assert [Steeping(60), None] == [offers[one.id].product.facet(Steeping) for one in (variant, cup)]
    with pytest.raises(InvalidInputError), shop.begin.write(STAFF) as work:
        catalog.save_facet(work, variant.id, Steeping(60))
    with pytest.raises(NotFoundError), shop.begin.write(STAFF) as work:
        catalog.save_facet(work, ProductId(mint("product")), Steeping(60))
    with pytest.raises(NotAllowedError), shop.begin.write(GUEST) as work:
        catalog.save_facet(work, product.id, Steeping(1))


# --- importers -------------------------------------------------------------------------------------------------------


class Lines:
    """Reads ``SKU=price`` lines."""

    code = "lines"

    def read(self, data: bytes, currency: str | None) -> tuple[tuple[ImportRow, ...], tuple[RowProblem, ...]]:
        rows, problems = [], []
        for number, line in enumerate(data.decode().splitlines(), 1):
            sku, _, price = line.partition("=")
            if price.lstrip("-").isdigit():
                row = ImportRow(
                    line=number,
                    sku=sku,  # type: ignore[arg-type]
                    handle=sku.lower(),
                    title=Text.of(sku),
                    price_minor=int(price),
                    currency=currency or "JPY",
                )
                rows.append(row)
            else:
                problems.append(RowProblem(line=number, path="price", code="not-an-amount", value=price))
        return tuple(rows), tuple(problems)


class Reads(Plugin):
    """Brings a reader of files."""

    name = "lines"

    @hookimpl
    def register_importers(self, settings: Any) -> tuple[Any, ...]:
        return (Lines(),)


def test_plugin_reads_files_and_the_core_checks_what_it_read(shelves: Shelves) -> None:
    """Its problems and the core's are reported together."""
    shop = with_plugin(shelves, Reads())
    data = b"TEA=100\nCUP=x\nPOT=-5\nTEA=200\nBOWL=300"
    with pytest.raises(ImportRefusedError) as refused:
        import_products(shop.begin, STAFF, data, currency="JPY", importer="lines")
    assert [(1, "duplicate-sku"), (2, "not-an-amount"), (3, "negative-amount"), (4, "duplicate-sku")] == [
        (problem.line, problem.code) for problem in refused.value.report.problems
    ]
    report = import_products(shop.begin, STAFF, data, currency="JPY", importer="lines", keep_good=True)
    assert (5, 1) == (report.rows, report.products)


# --- search ----------------------------------------------------------------------------------------------------------


class Finds(Plugin):
    """Finds everything it was given, backwards."""

    name = "finder"

    def __init__(self) -> None:
        self.ids: tuple[ProductId, ...] = ()

    @hookimpl
    def choose_search(self, channel_id: Any) -> Any:
        return self

    def find(self, own: Any, text: str, limit: int) -> tuple[ProductId, ...]:
        return self.ids


def test_plugin_searches_and_the_core_shows_what_is_published(shelves: Shelves) -> None:
    """In the order the plugin gave, with prices, without drafts and without what is not there."""
    finder = Finds()
    shop = with_plugin(shelves, finder)
    tea, _ = shop.publish("tea", 100)
    cup, _ = shop.publish("cup", 200)
    draft, variant = new_product("draft")
    shop.save((draft, [variant]))
    finder.ids = (cup.id, draft.id, ProductId(mint("product")), tea.id)
    with shop.begin.read(GUEST) as work:
        found = catalog.search(work, "anything", list_id="retail")
        assert [("cup", 200), ("tea", 100)] == [(one.handle, one.price_minor) for one in found]
        finder.ids = None  # type: ignore[assignment]
        with pytest.raises(PluginError) as failed:
            catalog.search(work, "anything", list_id="retail")
    assert "finder" == failed.value.plugin
