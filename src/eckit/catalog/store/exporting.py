"""All variants in one order and one statement, so that an export is one state of the catalog."""

from collections.abc import Iterator
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.catalog.model import Product, Variant
from eckit.catalog.store.rows import JOINED_PRODUCT, PRODUCT_COLUMNS, product_of, variant_of
from eckit.catalog.store.tables import NO_START, category, price, product, product_category, variant
from eckit.kernel.ids import PriceListId
from eckit.kernel.work import Work

_PORTION: Final = 1_000

_CODES: Final = (
    sa.select(sa.func.aggregate_strings(category.c.code, "\n"))
    .join(product_category, product_category.c.category_id == category.c.id)
    .where(product_category.c.product_id == product.c.id, product_category.c.direct)
    .correlate(product)
    .scalar_subquery()
)
_EVERYTHING: Final = (
    sa.select(
        variant,
        *(product.c[name].label(f"product_{name}") for name in PRODUCT_COLUMNS),
        price.c.amount_minor,
        _CODES.label("category_codes"),
    )
    .join(product, product.c.id == variant.c.product_id)
    .outerjoin(
        price,
        sa.and_(
            price.c.variant_id == variant.c.id,
            price.c.list_id == sa.bindparam("list_id"),
            price.c.min_steps == 1,
            price.c.window_start == NO_START,
        ),
    )
    .order_by(variant.c.product_id, variant.c.position, variant.c.id)
    .execution_options(yield_per=_PORTION)
)
_TEXTS: Final = (
    sa.select(product.c.title, product.c.description, variant.c.option, variant.c.cost_currency)
    .join(product, product.c.id == variant.c.product_id)
    .execution_options(yield_per=_PORTION)
)


@attrs.frozen
class Exported:
    """One variant with all that an export says of it."""

    product: Product
    variant: Variant
    category_codes: tuple[str, ...]
    price_minor: int | None


def varieties(work: Work) -> tuple[list[str], list[str]]:
    """The languages of all texts and the currencies of all costs."""
    locales: set[str] = set()
    currencies: set[str] = set()
    for row in work.execute(_TEXTS):
        for text in (row.title, row.description, row.option):
            locales.update(text.locales())
        if row.cost_currency is not None:
            currencies.add(row.cost_currency)
    return sorted(locales), sorted(currencies)


def everything(work: Work, list_id: PriceListId) -> Iterator[list[Exported]]:
    """All variants in portions, by product and position."""
    for rows in work.execute(_EVERYTHING, {"list_id": list_id}).partitions():
        yield [_exported(row) for row in rows]


def _exported(row: Any) -> Exported:
    codes = tuple(sorted((row.category_codes or "").splitlines()))
    return Exported(product_of(row, (), names=JOINED_PRODUCT), variant_of(row), codes, row.amount_minor)
