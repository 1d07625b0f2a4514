"""Pages of products: one statement each, however large the catalog and whatever the page.

A page is found by key, not by offset: the index that holds the order is entered where the last page ended.
"""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from eckit.catalog.model import Listed, ProductState
from eckit.catalog.store.tables import price, product, product_category, variant
from eckit.kernel.ids import CategoryId, PriceListId, ProductId, Sku
from eckit.kernel.text import Text
from eckit.kernel.work import Work

_CHEAPEST: Final = (
    sa.select(sa.func.min(price.c.amount_minor))
    .join(variant, variant.c.id == price.c.variant_id)
    .where(
        variant.c.product_id == product.c.id,
        variant.c.active,
        price.c.list_id == sa.bindparam("list_id"),
        price.c.min_steps <= variant.c.unit_increment,
        price.c.window_start <= sa.bindparam("now"),
        sa.or_(price.c.window_end.is_(None), price.c.window_end > sa.bindparam("now")),
    )
    .correlate(product)
    .scalar_subquery()
    .label("price_minor")
)
_SHOWN: Final = (product.c.id, product.c.handle, product.c.title, _CHEAPEST)


def _page(*, in_category: bool, after: bool, newest_first: bool) -> sa.Select[Any]:
    select = sa.select(*_SHOWN).where(product.c.state == sa.bindparam("state"))
    key: sa.ColumnElement[str] = product.c.id
    if in_category:
        key = product_category.c.product_id  # the order of its primary key
        select = select.join(product_category, product_category.c.product_id == product.c.id)
        select = select.where(product_category.c.category_id == sa.bindparam("category_id"))
    if after:
        last: sa.BindParameter[str] = sa.bindparam("after")
        select = select.where(key < last if newest_first else key > last)
    return select.order_by(key.desc() if newest_first else key).limit(sa.bindparam("limit"))


_PAGES: Final = {
    (in_category, after, newest): _page(in_category=in_category, after=after, newest_first=newest)
    for in_category in (False, True)
    for after in (False, True)
    for newest in (False, True)
}
_BY_ID: Final = sa.select(*_SHOWN).where(
    product.c.state == ProductState.PUBLISHED.value, product.c.id.in_(sa.bindparam("ids", expanding=True))
)
_SAID: Final = (
    sa.select(product.c.id)
    .where(
        product.c.state == ProductState.PUBLISHED.value,
        sa.or_(
            product.c.words.contains(sa.bindparam("text"), escape="\\"),
            product.c.handle.contains(sa.bindparam("text"), escape="\\"),
            product.c.id.in_(sa.select(variant.c.product_id).where(variant.c.sku == sa.bindparam("sku"))),
        ),
    )
    .order_by(product.c.id)
    .limit(sa.bindparam("limit"))
)


def page(
    work: Work,
    *,
    list_id: PriceListId,
    currency: str,
    category_id: CategoryId | None,
    state: str,
    after: ProductId | None,
    limit: int,
    newest_first: bool,
) -> list[Listed]:
    """Products with the lowest price of their active variants on a list now, in the order they were added."""
    parameters: dict[str, Any] = {"list_id": list_id, "now": work.now, "state": state, "limit": limit}
    if category_id is not None:
        parameters["category_id"] = category_id
    if after is not None:
        parameters["after"] = after
    select = _PAGES[category_id is not None, after is not None, newest_first]
    return [_listed(row, currency) for row in work.execute(select, parameters)]


def listed(work: Work, ids: Sequence[ProductId], *, list_id: PriceListId, currency: str) -> list[Listed]:
    """Those of these products that are published, in the order of the ids."""
    rows = work.execute(_BY_ID, {"ids": list(ids), "list_id": list_id, "now": work.now})
    found = {row.id: _listed(row, currency) for row in rows}
    return [found[id] for id in ids if id in found]


def said(work: Work, words: str, sku: Sku, limit: int) -> list[ProductId]:
    """Published products whose handle or title contains the words, or one of whose variants has the SKU."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return list(work.execute(_SAID, {"text": escaped, "sku": sku, "limit": limit}).scalars())


def _listed(row: Any, currency: str) -> Listed:
    return Listed(
        product_id=row.id, handle=row.handle, title=Text(row.title), price_minor=row.price_minor, currency=currency
    )
