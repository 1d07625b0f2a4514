"""Products and variants: load and save."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa

from eckit.catalog.model import Product, Variant
from eckit.catalog.store.rows import is_id, product_of, product_values, variant_of, variant_values
from eckit.catalog.store.tables import product, product_category, variant
from eckit.kernel.ids import ProductId, Sku, VariantId
from eckit.kernel.work import Work

_BY_ID: Final = sa.select(product).where(product.c.id == sa.bindparam("name"))
_BY_HANDLE: Final = sa.select(product).where(product.c.handle == sa.bindparam("name"))
_CATEGORIES: Final = sa.select(product_category.c.category_id).where(
    product_category.c.product_id == sa.bindparam("product_id"), product_category.c.direct
)
_VARIANTS: Final = (
    sa.select(variant)
    .where(variant.c.product_id == sa.bindparam("product_id"))
    .order_by(variant.c.position, variant.c.id)
)
_BY_SKU: Final = (
    sa.select(variant, product.c.state.label("product_state"))
    .join(product, product.c.id == variant.c.product_id)
    .where(variant.c.sku.in_(sa.bindparam("skus", expanding=True)))
)
_VARIANTS_BY_ID: Final = sa.select(variant).where(variant.c.id.in_(sa.bindparam("ids", expanding=True)))
_HANDLE_OF_OTHER: Final = sa.select(product.c.id).where(
    product.c.handle == sa.bindparam("handle"), product.c.id != sa.bindparam("id")
)
_SKU_OF_OTHER: Final = sa.select(variant.c.id, variant.c.sku).where(
    variant.c.sku.in_(sa.bindparam("skus", expanding=True))
)


def find(work: Work, id_or_handle: str, *, lock: bool = False) -> Product | None:
    """The product of this id or handle, with the categories it was put into."""
    select = _BY_ID if is_id("product", id_or_handle) else _BY_HANDLE
    row = work.execute(select.with_for_update() if lock else select, {"name": id_or_handle}).one_or_none()
    if row is None:
        return None
    return product_of(row, work.execute(_CATEGORIES, {"product_id": row.id}).scalars())


def variants_of(work: Work, product_id: ProductId) -> tuple[Variant, ...]:
    """The variants of a product, by position."""
    return tuple(variant_of(row) for row in work.execute(_VARIANTS, {"product_id": product_id}))


def variants_by_id(work: Work, ids: Collection[VariantId]) -> dict[VariantId, Variant]:
    """The variants of these ids, of any product."""
    return {row.id: variant_of(row) for row in work.execute(_VARIANTS_BY_ID, {"ids": sorted(ids)})}


def by_sku(work: Work, skus: Collection[Sku]) -> dict[Sku, tuple[Variant, str]]:
    """Variant and state of its product for each SKU there is."""
    rows = work.execute(_BY_SKU, {"skus": sorted(skus)})
    return {row.sku: (variant_of(row), row.product_state) for row in rows}


def ids_by_sku(work: Work, skus: Sequence[Sku]) -> dict[Sku, VariantId]:
    """Variant id for each SKU there is, however many; asked in portions."""
    found: dict[Sku, VariantId] = {}
    for start in range(0, len(skus), 1000):
        rows = work.execute(_SKU_OF_OTHER, {"skus": list(skus[start : start + 1000])})
        found.update({row.sku: row.id for row in rows})
    return found


def handle_is_taken(work: Work, handle: str, by_other_than: ProductId) -> bool:
    """Whether another product has this handle."""
    return work.execute(_HANDLE_OF_OTHER, {"handle": handle, "id": by_other_than}).first() is not None


def taken_sku(work: Work, variants: Collection[Variant]) -> Sku | None:
    """The first SKU that a variant other than the given one has."""
    given = {one.sku: one.id for one in variants}
    for row in work.execute(_SKU_OF_OTHER, {"skus": sorted(given)}):
        if given[row.sku] != row.id:
            found: Sku = row.sku
            return found
    return None


def add(work: Work, added: Product) -> None:
    """Insert a product, without its categories."""
    work.execute(sa.insert(product).values(product_values(added, work.now)))


def change(work: Work, changed: Product, version: int) -> bool:
    """Write a product over itself if it still has this version; whether it had."""
    values: dict[str, Any] = product_values(changed, work.now)
    del values["created_at"]
    update = sa.update(product).where(product.c.id == changed.id, product.c.version == version)
    return work.execute(update.values(values)).rowcount == 1


def add_variants(work: Work, added: Collection[Variant]) -> None:
    """Insert variants, in one statement."""
    if added:
        work.execute(sa.insert(variant).values([variant_values(one) for one in added]))


def change_variant(work: Work, changed: Variant, version: int) -> bool:
    """Write a variant over itself if it still has this version; whether it had."""
    update = sa.update(variant).where(variant.c.id == changed.id, variant.c.version == version)
    return work.execute(update.values(variant_values(changed))).rowcount == 1
