"""What must hold of the catalog's tables, as queries."""

from typing import Final

import sqlalchemy as sa

from eckit.catalog.store.tables import category, price, price_list, product, product_category, variant
from eckit.kernel.auditing import Check, query

_NEGATIVE: Final = "no negative total, line or quantity"
_CURRENCIES: Final = "amounts of two currencies never meet"
_WINDOWS: Final = "validity windows are half-open instants from the shop's zone"


def _below_a_root() -> sa.Select[tuple[str]]:
    """Every category that a way down from a root leads to."""
    down = sa.select(category.c.id).where(category.c.parent_id.is_(None)).cte("down", recursive=True)
    return sa.select(down.union(sa.select(category.c.id).where(category.c.parent_id == down.c.id)).c.id)


_TREE: Final = sa.select(category.c.id, category.c.code).where(category.c.id.not_in(_below_a_root()))


def _where_products_belong() -> sa.CTE:
    """Each category a product was put into and all above it."""
    first = sa.select(product_category.c.product_id, product_category.c.category_id).where(product_category.c.direct)
    up = first.cte("belongs", recursive=True)
    above = sa.select(up.c.product_id, category.c.parent_id).where(
        category.c.id == up.c.category_id, category.c.parent_id.is_not(None)
    )
    return up.union(above)


_BELONGS: Final = _where_products_belong()
_HERE: Final = sa.and_(
    product_category.c.product_id == _BELONGS.c.product_id, product_category.c.category_id == _BELONGS.c.category_id
)
_MISSING: Final = (
    sa.select(_BELONGS.c.category_id, _BELONGS.c.product_id, sa.literal("not listed below this category"))
    .outerjoin(product_category, _HERE)
    .where(product_category.c.product_id.is_(None))
)
_TOO_MANY: Final = (
    sa.select(product_category.c.category_id, product_category.c.product_id, sa.literal("does not belong here"))
    .outerjoin(_BELONGS, _HERE)
    .where(_BELONGS.c.product_id.is_(None))
)
_NOWHERE: Final = (
    sa.select(product_category.c.category_id, product_category.c.product_id, sa.literal("one of the two is gone"))
    .outerjoin(product, product.c.id == product_category.c.product_id)
    .outerjoin(category, category.c.id == product_category.c.category_id)
    .where(sa.or_(product.c.id.is_(None), category.c.id.is_(None)))
)
_PRICE: Final = (price.c.variant_id, price.c.list_id, price.c.min_steps)
_CURRENCY: Final = (
    sa.select(*_PRICE, price.c.currency + " on a list in " + sa.func.coalesce(price_list.c.currency, "none"))
    .outerjoin(price_list, price_list.c.id == price.c.list_id)
    .where(price_list.c.currency.is_distinct_from(price.c.currency))
)
_OF_NOTHING: Final = (
    sa.select(*_PRICE, sa.literal("the variant is gone"))
    .outerjoin(variant, variant.c.id == price.c.variant_id)
    .where(variant.c.id.is_(None))
)
_AMOUNT: Final = sa.select(*_PRICE, price.c.amount_minor).where(
    sa.or_(price.c.amount_minor < 0, price.c.original_minor < price.c.amount_minor)
)
_WINDOW: Final = sa.select(*_PRICE, price.c.window_end).where(price.c.window_end <= price.c.window_start)
_ORPHAN: Final = (
    sa.select(variant.c.id, variant.c.sku)
    .outerjoin(product, product.c.id == variant.c.product_id)
    .where(product.c.id.is_(None))
)
_COST: Final = sa.select(variant.c.id, variant.c.sku).where(
    sa.or_(variant.c.cost_minor < 0, variant.c.cost_minor.is_(None) != variant.c.cost_currency.is_(None))
)

CHECKS: Final[tuple[Check, ...]] = (
    query("category-tree", "every way up ends at a root", category.name, _TREE),
    query(
        "category-holds-products", "a category lists the products put into it or below", product_category.name, _MISSING
    ),
    query("category-holds-only-these", "and no others", product_category.name, _TOO_MANY),
    query("category-of-product", "product and category are there", product_category.name, _NOWHERE),
    query("price-currency", _CURRENCIES, price.name, _CURRENCY),
    query("price-of-variant", "a price is of a variant that is there", price.name, _OF_NOTHING),
    query("price-amount", _NEGATIVE, price.name, _AMOUNT),
    query("price-window", _WINDOWS, price.name, _WINDOW),
    query("variant-of-product", "a variant is of a product that is there", variant.name, _ORPHAN),
    query("variant-cost", _NEGATIVE, variant.name, _COST),
)
