"""Verbs of the catalog."""

from typing import Final

from eckit.catalog import hooks
from eckit.catalog.service.categories import (
    categories as categories,
    import_categories as import_categories,
    move_category as move_category,
    save_category as save_category,
)
from eckit.catalog.service.exporting import export_products as export_products
from eckit.catalog.service.importing import (
    Progress as Progress,
    analyze as analyze,
    import_products as import_products,
    import_read as import_read,
)
from eckit.catalog.service.looking import (
    list_products as list_products,
    offers as offers,
    product as product,
    search as search,
    variant_by_sku as variant_by_sku,
    variant_ids as variant_ids,
    variants as variants,
    variants_by_sku as variants_by_sku,
)
from eckit.catalog.service.prices import (
    list_for as list_for,
    price_lists as price_lists,
    prices_of as prices_of,
    remove_prices as remove_prices,
    save_price_list as save_price_list,
    set_prices as set_prices,
)
from eckit.catalog.service.products import (
    archive as archive,
    publish as publish,
    restore as restore,
    save as save,
    save_facet as save_facet,
    unpublish as unpublish,
)
from eckit.kernel import desk, facets
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import HookSpec, declared
from eckit.kernel.plugins import Plugins

SPECS: Final[list[HookSpec]] = declared(hooks, "catalog")


def collect(plugins: Plugins) -> None:
    """Ask once for what plugins register: facets and readers of files.

    :raises PluginError: two plugins claim one name; both are named.
    """
    facets.collect(plugins)
    plugins.collect("register_importers", "catalog.importers", code=lambda importer: str(importer.code))


class Desk(desk.Desk):
    """``work.catalog``."""

    save = verb(save)
    publish = verb(publish)
    unpublish = verb(unpublish)
    archive = verb(archive)
    restore = verb(restore)
    save_facet = verb(save_facet)
    save_category = verb(save_category)
    move_category = verb(move_category)
    categories = verb(categories)
    import_categories = verb(import_categories)
    save_price_list = verb(save_price_list)
    price_lists = verb(price_lists)
    set_prices = verb(set_prices)
    remove_prices = verb(remove_prices)
    prices_of = verb(prices_of)
    product = verb(product)
    variants = verb(variants)
    variant_by_sku = verb(variant_by_sku)
    variants_by_sku = verb(variants_by_sku)
    offers = verb(offers)
    list_products = verb(list_products)
    search = verb(search)
    import_products = verb(import_products)
    export_products = verb(export_products)
    analyze = verb(analyze)
