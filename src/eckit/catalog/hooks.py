"""What the catalog asks plugins, and what it tells them."""

from itertools import chain
from typing import Any

import attrs

from eckit.catalog.model import (
    CatalogImported,
    Importer,
    PriceChanged,
    Product,
    ProductPublished,
    Search,
    Variant,
)
from eckit.kernel.errors import Objection
from eckit.kernel.facets import FacetSpec
from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.ids import ChannelId
from eckit.kernel.plugins import Plugins, Registered


@hookspec()
def register_facets(settings: Any) -> tuple[FacetSpec, ...]:  # type: ignore[empty-body]
    """Register extra facts the plugin keeps on things of the core: products, variants, customers, orders.

    They are saved by ``work.catalog.save_facet``, ``work.customer.save_facet`` and ``work.order.save_facet``, and read
    with the thing: ``product.facet(Steeping)``, ``customer.facet(…)``, ``order_view.facet(…)``, and by pricing in
    ``draft.facets``. A spec on a kind of thing, or for an operation, that nothing reads is refused at the start.

    :param settings: the plugin's own settings.

    Example::

        @hookimpl
        def register_facets(settings):
            return (FacetSpec(kind=Steeping, namespace="brewing", on="product", needed_for=frozenset({"catalog"})),)
    """


@hookspec()
def register_importers(settings: Any) -> tuple[Importer, ...]:  # type: ignore[empty-body]
    """Register readers of product files, each under its own code.

    :param settings: the plugin's own settings.
    """


@hookspec(failure=CLOSED)
def check_publishable(product: Product, variants: tuple[Variant, ...]) -> tuple[Objection, ...]:  # type: ignore[empty-body]
    """Object to a product being published: it lacks a picture, a translation, a customs number.

    :param product: as it would be published.
    :param variants: all variants it would have, active or not. An import file is asked about in portions: of a product
        it adds to, these are the variants of the file.
    :return: objections, ``()`` for none; with any, the product stays as it was.

    Example::

        @hookimpl
        def check_publishable(product, variants):
            heavy = all(variant.measures.weight_grams for variant in variants)
            return () if heavy else (Objection(code="no-weight", label="Weigh it first."),)
    """


@hookspec(firstresult=True, failure=CLOSED)
def choose_search(channel_id: ChannelId | None) -> Search | None:
    """Give the search that finds products for buyers of a channel.

    :param channel_id: where is searched; None for the shop as a whole.
    :return: a search, or None to leave the choice to the next; without any, handles, titles and SKUs are read.
    """


@hookspec()
def product_published(event: ProductPublished, shop: Any) -> None:
    """A product can be bought. After the commit; at least once. Of imports :func:`catalog_imported` tells."""


@hookspec()
def price_changed(event: PriceChanged, shop: Any) -> None:
    """Prices of a variant were set. After the commit; at least once. Of imports :func:`catalog_imported` tells."""


@hookspec()
def catalog_imported(event: CatalogImported, shop: Any) -> None:
    """A file was imported: any product, variant or price may be new. After the commit; at least once."""


def ask_publishable(plugins: Plugins, product: Product, variants: tuple[Variant, ...]) -> tuple[Objection, ...]:
    """What plugins hold against publishing, each naming its plugin.

    :raises PluginError: one of them failed; names it.
    """
    answers = plugins.call.check_publishable(product=product, variants=variants)
    return tuple(
        chain.from_iterable(
            (attrs.evolve(objection, plugin=answer.plugin) for objection in answer.value) for answer in answers.given
        )
    )


def has_opinion_on_publishing(plugins: Plugins) -> bool:
    """Whether any plugin wants to be asked."""
    return bool(plugins.implementations("check_publishable"))


def ask_search(plugins: Plugins, channel_id: ChannelId | None) -> tuple[str, Search] | None:
    """The search of the first plugin that gives one, with the plugin's name.

    :raises PluginError: one of them failed; names it.
    """
    for answer in plugins.call.choose_search(channel_id=channel_id).given:
        return answer.plugin, answer.value
    return None


def importer(plugins: Plugins, code: str) -> Registered[Importer] | None:
    """The reader of files registered under a code."""
    return plugins.thing("catalog.importers", code)
