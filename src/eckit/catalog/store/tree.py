"""The category tree as stored, and the rows that say which products are below which category."""

from typing import Any, Final

import sqlalchemy as sa

from eckit.catalog.model import Category
from eckit.catalog.store.rows import category_of, category_values, is_id
from eckit.catalog.store.tables import category, product_category
from eckit.kernel.ids import CategoryId, ProductId
from eckit.kernel.stamps import stamp, upsert
from eckit.kernel.work import Work

_LOCK: Final = "category-tree"
_SHARE: Final = sa.select(stamp.c.version).where(stamp.c.name == _LOCK).with_for_update(read=True)


def lock(work: Work) -> None:
    """Until this transaction ends nobody else changes the tree, or which categories a product is in.

    SQLite has one writer anyway.
    """
    if work.dialect == "postgresql":
        insert = upsert(work.connection, stamp).values(name=_LOCK, version=0)
        work.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"version": stamp.c.version}))


def share(work: Work) -> None:
    """Until this transaction ends nobody changes the tree; others may put products into categories meanwhile."""
    if work.dialect == "postgresql":
        work.execute(_SHARE)


# --- categories ------------------------------------------------------------------------------------------------------

_ALL: Final = sa.select(category).order_by(category.c.position, category.c.code)
_BY_ID: Final = sa.select(category).where(category.c.id == sa.bindparam("name"))
_BY_CODE: Final = sa.select(category).where(category.c.code == sa.bindparam("name"))


def categories(work: Work) -> list[Category]:
    """All categories, by position among siblings."""
    return [category_of(row) for row in work.execute(_ALL)]


def find_category(work: Work, id_or_code: str) -> Category | None:
    """The category of this id or code."""
    select = _BY_ID if is_id("category", id_or_code) else _BY_CODE
    row = work.execute(select, {"name": id_or_code}).one_or_none()
    return None if row is None else category_of(row)


def add_categories(work: Work, added: list[Category]) -> None:
    """Insert categories; parents may be among them."""
    if added:
        work.execute(sa.insert(category).values([category_values(one) for one in added]))


def change_category(work: Work, changed: Category) -> None:
    """Write a category over itself."""
    work.execute(sa.update(category).where(category.c.id == changed.id).values(category_values(changed)))


# --- products below categories ---------------------------------------------------------------------------------------


def put_into(work: Work, product_id: ProductId, category_ids: tuple[CategoryId, ...]) -> None:
    """Make these the categories a product is in."""
    work.execute(sa.delete(product_category).where(product_category.c.product_id == product_id))
    if category_ids:
        rows = [{"product_id": product_id, "category_id": id, "direct": True} for id in category_ids]
        work.execute(sa.insert(product_category).values(rows))
        _add_above(work, sa.select(sa.literal(product_id)))


def moved(work: Work, category_id: CategoryId) -> None:
    """Rewrite what the products below a category that got another parent are in."""
    below = sa.select(category.c.id).where(category.c.id == category_id).cte("below", recursive=True)
    below = below.union(sa.select(category.c.id).where(category.c.parent_id == below.c.id))
    products = sa.select(product_category.c.product_id).where(
        product_category.c.direct, product_category.c.category_id.in_(sa.select(below.c.id))
    )
    work.execute(
        sa.delete(product_category).where(~product_category.c.direct, product_category.c.product_id.in_(products))
    )
    _add_above(work, products)


def _add_above(work: Work, products: sa.Select[Any]) -> None:
    """Add the categories above those these products were put into."""
    up = (
        sa.select(product_category.c.product_id, category.c.parent_id)
        .join(category, category.c.id == product_category.c.category_id)
        .where(
            product_category.c.direct, category.c.parent_id.is_not(None), product_category.c.product_id.in_(products)
        )
        .cte("up", recursive=True)
    )
    higher = sa.select(up.c.product_id, category.c.parent_id).where(
        category.c.id == up.c.parent_id, category.c.parent_id.is_not(None)
    )
    up = up.union(higher)
    rows = sa.select(up.c.parent_id, up.c.product_id, sa.false()).where(sa.true())
    insert = upsert(work.connection, product_category)
    columns = ["category_id", "product_id", "direct"]
    work.execute(insert.from_select(columns, rows).on_conflict_do_nothing())
