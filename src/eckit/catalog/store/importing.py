"""Staged rows to the catalog's tables, by sets: what is there is found, compared and changed; what is not is added.

Each statement changes only rows that differ, so that a file imported twice changes nothing the second time. The caller
holds the tree's lock, so nobody adds a product, variant or category meanwhile. Everything is found and checked before
anything is written.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.catalog.model import PriceList, ProductState
from eckit.catalog.store.staging import Analyze, category_set, stage
from eckit.catalog.store.tables import NO_START, price, product, product_category, variant
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json
from eckit.kernel.work import Work

_KEPT: Final = (
    "gtins", "tax_class", "length_mm", "width_mm", "height_mm", "weight_grams", "hs_code", "origin", "cost_minor",
    "cost_currency", "option",
)  # fmt: skip
"""What a file may say of a variant; where it does not, what is stored stays."""

_UNSAID: Final[dict[str, Any]] = {"option": "{}", "gtins": "[]", "tax_class": "standard"}
"""What a new variant has where the file does not say; otherwise nothing."""


@attrs.frozen
class Written:
    """How many rows one portion of a file added or changed."""

    products: int = 0
    variants: int = 0
    prices: int = 0
    categories: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(*map(sum, zip(attrs.astuple(self), attrs.astuple(other), strict=True)))


# --- find ------------------------------------------------------------------------------------------------------------


def find(work: Work) -> int:
    """Note for each staged row which product and variant there are; how many rows have either."""
    with_sku = sa.update(stage).where(stage.c.sku == variant.c.sku)
    known = work.execute(
        with_sku.values(found_variant=variant.c.id, variant_id=variant.c.id, owner=variant.c.product_id)
    )
    by_handle = sa.update(stage).where(stage.c.handle_given, stage.c.handle == product.c.handle)
    by_owner = sa.update(stage).where(~stage.c.handle_given, stage.c.owner == product.c.id)
    products = 0
    for update in (by_handle, by_owner):
        found = {"found_product": product.c.id, "product_id": product.c.id, "found_state": product.c.state}
        products += work.execute(update.values(found)).rowcount
    renamed = sa.update(stage).where(~stage.c.handle_given, stage.c.owner.is_(None), stage.c.handle == product.c.handle)
    work.execute(renamed.values(handle=stage.c.handle_with_sku))
    return max(known.rowcount, products)


_ELSEWHERE: Final = (
    sa.select(stage.c.row, product.c.handle)
    .join(product, product.c.id == stage.c.owner)
    .where(stage.c.handle_given, stage.c.owner.is_distinct_from(stage.c.found_product))
)
_HANDLE_TAKEN: Final = (
    sa.select(stage.c.row, stage.c.handle)
    .join(product, product.c.handle == stage.c.handle)
    .where(stage.c.found_product.is_(None))
)
_EARLIER: Final = stage.alias("earlier")
_HANDLE_TWICE: Final = sa.select(stage.c.row, stage.c.handle).where(
    ~stage.c.handle_given,
    stage.c.found_product.is_(None),
    stage.c.handle == stage.c.handle_with_sku,  # only a handle that was changed can meet another
    sa.exists().where(
        _EARLIER.c.handle == stage.c.handle, _EARLIER.c.row < stage.c.row, _EARLIER.c.found_product.is_(None)
    ),
)
_ARCHIVED: Final = sa.select(stage.c.row, stage.c.handle).where(
    stage.c.found_state == ProductState.ARCHIVED.value, stage.c.published
)


def elsewhere(work: Work) -> list[tuple[int, str]]:
    """Rows whose SKU belongs to another product than their handle says, with that product's handle."""
    return [(row.row, row.handle) for row in work.execute(_ELSEWHERE)]


def handle_taken(work: Work) -> list[tuple[int, str]]:
    """Rows that would be a new product and whose handle there is, in the catalog or the file, even with the SKU."""
    return [(row.row, row.handle) for select in (_HANDLE_TAKEN, _HANDLE_TWICE) for row in work.execute(select)]


def archived(work: Work) -> list[tuple[int, str]]:
    """Rows that would publish a product that is archived."""
    return [(row.row, row.handle) for row in work.execute(_ARCHIVED)]


_TEXTS: Final = (
    sa.select(
        stage.c.row,
        stage.c.handle,
        stage.c.title.label("new_title"),
        stage.c.description.label("new_description"),
        stage.c.option.label("new_option"),
        sa.type_coerce(product.c.title, sa.Text).label("old_title"),
        sa.type_coerce(product.c.description, sa.Text).label("old_description"),
        sa.type_coerce(variant.c.option, sa.Text).label("old_option"),
    )
    .join(product, product.c.id == stage.c.found_product)
    .outerjoin(variant, variant.c.id == stage.c.found_variant)
    .where(
        sa.or_(
            stage.c.title != sa.type_coerce(product.c.title, sa.Text),
            stage.c.description != sa.type_coerce(product.c.description, sa.Text),
            stage.c.option != sa.type_coerce(variant.c.option, sa.Text),
        )
    )
)


def differing_texts(work: Work) -> list[Any]:
    """Rows some of whose texts are other than stored, with both."""
    return list(work.execute(_TEXTS))


def set_texts(work: Work, rows: list[dict[str, Any]]) -> None:
    """Put other texts into staged rows."""
    if rows:
        update = sa.update(stage).where(stage.c.row == sa.bindparam("of_row"))
        columns = ("title", "description", "option", "words")
        work.execute(update.values({name: sa.bindparam(f"to_{name}") for name in columns}), rows)


_TO_PUBLISH: Final = sa.select(stage.c.row, stage.c.product_id).where(
    sa.or_(
        sa.and_(stage.c.found_state == ProductState.DRAFT.value, stage.c.published),
        sa.and_(
            stage.c.found_state.is_(None),
            sa.func.coalesce(stage.c.published, sa.bindparam("publish", type_=sa.Boolean)),
        ),
    )
)


def to_publish(work: Work, *, publish: bool) -> list[tuple[int, str]]:
    """Rows whose product buyers do not see yet and would see from now on, with its id."""
    return [(row.row, row.product_id) for row in work.execute(_TO_PUBLISH, {"publish": publish})]


def new_rows(work: Work) -> list[int]:
    """Rows whose SKU was not there before."""
    return list(work.execute(sa.select(stage.c.row).where(stage.c.found_variant.is_(None))).scalars())


# --- write -----------------------------------------------------------------------------------------------------------

_FIRST: Final = _EARLIER.select().with_only_columns(sa.func.min(_EARLIER.c.row)).group_by(_EARLIER.c.product_id)
_LEAD: Final = sa.update(stage).where(stage.c.row.in_(_FIRST.correlate(None))).values(leads=sa.true())


def leave_out(work: Work, rows: Collection[int]) -> None:
    """Take rows out of the stage; of what is left, the first row of each product speaks for it."""
    wanted = sorted(rows)
    for start in range(0, len(wanted), 500):
        work.execute(sa.delete(stage).where(stage.c.row.in_(wanted[start : start + 500])))
    if wanted:
        work.execute(_LEAD)


def write(work: Work, rows: range, price_list: PriceList, *, publish: bool) -> Written:
    """Add and change what these rows of the stage hold.

    :param publish: whether new products are seen by buyers where the file does not say.
    """
    these = stage.c.row.between(rows.start, rows.stop - 1)
    products = _add_products(work, these, publish=publish) + _change_products(work, these)
    variants = _add_variants(work, these) + _change_variants(work, these)
    return Written(products, variants, _write_prices(work, these, price_list), _write_categories(work, these))


def _add_products(work: Work, these: sa.ColumnElement[bool], *, publish: bool) -> int:
    said = sa.func.coalesce(stage.c.published, sa.literal(publish))
    values: dict[str, Any] = {
        "id": stage.c.product_id,
        "handle": stage.c.handle,
        "title": stage.c.title,
        "description": sa.func.coalesce(stage.c.description, "{}"),
        "words": stage.c.words,
        "state": sa.case((said, ProductState.PUBLISHED.value), else_=ProductState.DRAFT.value),
        "version": sa.literal(1),
        "created_at": sa.literal(work.now, product.c.created_at.type),
    }
    select = sa.select(*values.values()).where(these, stage.c.leads, stage.c.found_product.is_(None))
    return _inserted(work, product, values, select)


def _change_products(work: Work, these: sa.ColumnElement[bool]) -> int:
    state = sa.case(
        (product.c.state == ProductState.ARCHIVED.value, product.c.state),
        (stage.c.published.is_(None), product.c.state),
        (stage.c.published, ProductState.PUBLISHED.value),
        else_=ProductState.DRAFT.value,
    )
    new = {
        "title": stage.c.title,
        "description": sa.func.coalesce(stage.c.description, sa.type_coerce(product.c.description, sa.Text)),
        "words": stage.c.words,
        "state": state,
    }
    update = sa.update(product).where(
        these, stage.c.leads, product.c.id == stage.c.found_product, _differ(product, new)
    )
    return work.execute(update.values({**_typed(product, new), "version": product.c.version + 1})).rowcount


def _add_variants(work: Work, these: sa.ColumnElement[bool]) -> int:
    values: dict[str, Any] = {name: sa.func.coalesce(stage.c[name], _UNSAID[name]) for name in _UNSAID}
    values |= {name: stage.c[name] for name in _KEPT if name not in _UNSAID}
    values |= {
        "id": stage.c.variant_id,
        "product_id": stage.c.product_id,
        "sku": stage.c.sku,
        "unit_code": sa.literal("C62"),
        "unit_scale": sa.literal(0),
        "unit_increment": sa.literal(1),
        "kind": sa.literal("goods"),
        "supply_kind": sa.literal("stock"),
        "supply_cap_steps": sa.literal(0),
        "active": sa.true(),
        "position": stage.c.position,
        "version": sa.literal(1),
    }
    return _inserted(work, variant, values, sa.select(*values.values()).where(these, stage.c.found_variant.is_(None)))


def _change_variants(work: Work, these: sa.ColumnElement[bool]) -> int:
    new = {name: sa.func.coalesce(stage.c[name], sa.type_coerce(variant.c[name], stage.c[name].type)) for name in _KEPT}
    update = sa.update(variant).where(these, variant.c.id == stage.c.found_variant, _differ(variant, new))
    return work.execute(update.values({**_typed(variant, new), "version": variant.c.version + 1})).rowcount


def _write_prices(work: Work, these: sa.ColumnElement[bool], price_list: PriceList) -> int:
    """The price without window from the first step on; tiers and windows that were set by hand stay."""
    columns = ["variant_id", "list_id", "min_steps", "window_start", "amount_minor", "currency"]
    select = sa.select(
        stage.c.variant_id,
        sa.literal(price_list.id),
        sa.literal(1),
        sa.literal(NO_START, price.c.window_start.type),
        stage.c.price_minor,
        sa.literal(price_list.currency),
    ).where(these)
    insert = upsert(work.connection, price).from_select(columns, select)
    new = insert.excluded.amount_minor
    changes = insert.on_conflict_do_update(
        index_elements=columns[:4],
        set_={
            "amount_minor": new,
            "original_minor": sa.case((price.c.original_minor >= new, price.c.original_minor), else_=sa.null()),
        },
        where=price.c.amount_minor != new,
    )
    return _count(work, changes)


def _write_categories(work: Work, these: sa.ColumnElement[bool]) -> int:
    """Add products to categories and all above; they are taken out of none."""
    direct = sa.func.max(sa.case((category_set.c.direct, 1), else_=0)) == 1
    select = (
        sa.select(category_set.c.category_id, stage.c.product_id, direct)
        .join(category_set, category_set.c.set == stage.c.categories)
        .where(these)
        .group_by(category_set.c.category_id, stage.c.product_id)
    )
    insert = upsert(work.connection, product_category).from_select(["category_id", "product_id", "direct"], select)
    changes = insert.on_conflict_do_update(
        index_elements=["category_id", "product_id"],
        set_={"direct": sa.true()},
        where=sa.and_(~product_category.c.direct, insert.excluded.direct),
    )
    return _count(work, changes)


def _inserted(work: Work, table: sa.Table, values: dict[str, Any], select: sa.Select[Any]) -> int:
    return _count(work, sa.insert(table).from_select(list(values), select))


def _count(work: Work, insert: sa.Insert) -> int:
    """How many rows an insert added or changed, which is not asked by default."""
    return work.execute(insert.execution_options(preserve_rowcount=True)).rowcount


def _differ(table: sa.Table, new: dict[str, Any]) -> sa.ColumnElement[bool]:
    columns: Iterable[sa.ColumnElement[bool]] = (
        sa.type_coerce(table.c[name], sa.Text).is_distinct_from(value)
        if isinstance(table.c[name].type, Json)
        else table.c[name].is_distinct_from(value)
        for name, value in new.items()
    )
    return sa.or_(*columns)


def _typed(table: sa.Table, new: dict[str, Any]) -> dict[str, Any]:
    """Expressions as values of their columns: JSON that is text already is not written as JSON again."""
    return {name: sa.type_coerce(value, table.c[name].type) for name, value in new.items()}


def analyze(work: Work) -> None:
    """Count the rows of the catalog's tables."""
    for table in (product, variant, price, product_category):
        work.execute(Analyze(table))
