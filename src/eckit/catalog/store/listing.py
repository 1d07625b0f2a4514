"""Pages of products: one statement each, however large the catalog and whatever the page.

A page is found by key, not by offset: the index that holds the order is entered where the last page ended.
"""

import functools
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from eckit.catalog.model import Listed, ProductState
from eckit.catalog.store.rows import is_id
from eckit.catalog.store.tables import category, price, price_list, product, product_category, variant
from eckit.kernel.ids import ProductId, Sku
from eckit.kernel.work import Work


def _holds_now(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    now: sa.BindParameter[Any] = sa.bindparam("now")
    start, end = table.c.window_start, table.c.window_end
    return sa.or_(start.is_(None), start <= now), sa.or_(end.is_(None), end > now)


def _shown(list_key: str) -> tuple[sa.ColumnElement[Any], ...]:
    """A product with the lowest price of its active variants now; the list is looked up once in the same statement."""
    this_list = price_list.c[list_key] == sa.bindparam("list")
    valid = sa.select(price_list.c.id).where(this_list, *_holds_now(price_list)).scalar_subquery()
    cheapest = (
        sa.select(sa.func.min(price.c.amount_minor))
        .join(variant, variant.c.id == price.c.variant_id)
        .where(
            variant.c.product_id == product.c.id,
            variant.c.active,
            price.c.list_id == valid,
            price.c.min_steps <= variant.c.unit_increment,
            *_holds_now(price),
        )
        .correlate(product)
        .scalar_subquery()
    )
    currency = sa.select(price_list.c.currency).where(this_list).scalar_subquery()
    columns = (product.c.id, product.c.handle, product.c.title)
    return *columns, cheapest.label("price_minor"), currency.label("currency")


@functools.cache
def _page(list_key: str, category_key: str | None, *, after: bool, newest_first: bool) -> sa.Select[Any]:
    select = sa.select(*_shown(list_key)).where(product.c.state == sa.bindparam("state"))
    key: sa.ColumnElement[str] = product.c.id
    if category_key is not None:
        this = sa.select(category.c.id).where(category.c[category_key] == sa.bindparam("category")).scalar_subquery()
        key = product_category.c.product_id  # the order of its primary key
        select = select.join(product_category, product_category.c.product_id == product.c.id)
        select = select.where(product_category.c.category_id == this)
    if after:
        last: sa.BindParameter[str] = sa.bindparam("after")
        select = select.where(key < last if newest_first else key > last)
    return select.order_by(key.desc() if newest_first else key).limit(sa.bindparam("limit"))


@functools.cache
def _by_id(list_key: str) -> sa.Select[Any]:
    published = product.c.state == ProductState.PUBLISHED.value
    return sa.select(*_shown(list_key)).where(published, product.c.id.in_(sa.bindparam("ids", expanding=True)))


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
    list_name: str,
    category_name: str | None,
    state: str,
    after: ProductId | None,
    limit: int,
    newest_first: bool,
) -> list[Listed]:
    """Products with the lowest price of their active variants on a list now, in the order they were added.

    List and category by id or code; nothing is found where there is no such category.
    """
    parameters = {"list": list_name, "now": work.now, "state": state, "limit": limit}
    category_key = None
    if category_name is not None:
        parameters["category"] = category_name
        category_key = _key("category", category_name)
    if after is not None:
        parameters["after"] = after
    list_key = _key("price_list", list_name)
    select = _page(list_key, category_key, after=after is not None, newest_first=newest_first)
    return [_listed(row) for row in work.execute(select, parameters)]


def listed(work: Work, ids: Sequence[ProductId], *, list_name: str) -> list[Listed]:
    """Those of these products that are published, in the order of the ids."""
    select = _by_id(_key("price_list", list_name))
    rows = work.execute(select, {"ids": list(ids), "list": list_name, "now": work.now})
    found = {row.id: _listed(row) for row in rows}
    return [found[id] for id in ids if id in found]


def _key(kind: str, name: str) -> str:
    return "id" if is_id(kind, name) else "code"


def said(work: Work, words: str, sku: Sku, limit: int) -> list[ProductId]:
    """Published products whose handle or title contains the words, or one of whose variants has the SKU."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return list(work.execute(_SAID, {"text": escaped, "sku": sku, "limit": limit}).scalars())


def _listed(row: Any) -> Listed:
    id, handle, title, price_minor, currency = row
    return Listed(product_id=id, handle=handle, title=title, price_minor=price_minor, currency=currency)
