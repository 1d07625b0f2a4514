"""Staged rows to the catalog's tables, by sets: what is there is found, compared and changed; what is not is added.

Each statement changes only rows that differ, so that a file imported twice changes nothing the second time. The caller
holds the tree's lock, so nobody adds a product, variant or category meanwhile. Everything is found and checked before
anything is written.
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.catalog.model import PriceList, ProductState
from eckit.catalog.store.staging import Analyze, category_set, stage
from eckit.catalog.store.tables import NO_START, Translated, price, product, product_category, variant
from eckit.kernel.ids import PriceListId
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


_ROW: Final = stage.alias("staged")
_NAMED: Final = product.alias("named")
_OWNER: Final = product.alias("owner")
_FOUND: Final = (
    sa.select(
        _ROW.c.row,
        variant.c.id.label("variant_id"),
        variant.c.product_id.label("owner"),
        sa.func.coalesce(_NAMED.c.id, _OWNER.c.id).label("product_id"),
        sa.func.coalesce(_NAMED.c.state, _OWNER.c.state).label("state"),
    )
    .outerjoin(variant, variant.c.sku == _ROW.c.sku)
    .outerjoin(_NAMED, sa.and_(_ROW.c.handle_given, _NAMED.c.handle == _ROW.c.handle))
    .outerjoin(_OWNER, sa.and_(~_ROW.c.handle_given, _OWNER.c.id == variant.c.product_id))
    .where(sa.or_(variant.c.id.is_not(None), _NAMED.c.id.is_not(None)))
    .subquery("found")
)
_FIND: Final = (
    sa.update(stage)
    .where(stage.c.row == _FOUND.c.row)
    .values(
        variant_id=sa.func.coalesce(_FOUND.c.variant_id, stage.c.variant_id),
        product_id=sa.func.coalesce(_FOUND.c.product_id, stage.c.product_id),
        found_variant=_FOUND.c.variant_id,
        found_product=_FOUND.c.product_id,
        found_state=_FOUND.c.state,
        owner=_FOUND.c.owner,
    )
)
_RENAME: Final = (
    sa.update(stage)
    .where(~stage.c.handle_given, stage.c.owner.is_(None), stage.c.handle == product.c.handle)
    .values(handle=stage.c.handle_with_sku)
)


def find(work: Work) -> bool:
    """Note for each staged row which product and variant there are; whether there is any."""
    found = work.execute(_FIND).rowcount
    work.execute(_RENAME)
    return found > 0


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


def write(work: Work, rows: range, price_list: PriceList, *, publish: bool, there: bool) -> Written:
    """Add and change what these rows of the stage hold.

    :param publish: whether new products are seen by buyers where the file does not say.
    :param there: whether :func:`find` found anything.
    """
    these = stage.c.row.between(rows.start, rows.stop - 1)
    written = Written(_add_products(work, these, publish=publish), _add_variants(work, these))
    if there:
        written += Written(_change_products(work, these), _change_variants(work, these))
        written += Written(prices=_change_prices(work, these, price_list), categories=_more_direct(work, these))
    return written + Written(
        prices=_add_prices(work, these, price_list, there=there), categories=_add_categories(work, these, there=there)
    )


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


def _is_price(list_id: PriceListId) -> sa.ColumnElement[bool]:
    """The price of a staged row's variant without window from the first step on; all others stay as they are."""
    return sa.and_(
        price.c.variant_id == stage.c.variant_id,
        price.c.list_id == list_id,
        price.c.min_steps == 1,
        price.c.window_start == NO_START,
    )


def _add_prices(work: Work, these: sa.ColumnElement[bool], price_list: PriceList, *, there: bool) -> int:
    values: dict[str, Any] = {
        "variant_id": stage.c.variant_id,
        "list_id": sa.literal(price_list.id),
        "min_steps": sa.literal(1),
        "window_start": sa.literal(NO_START, price.c.window_start.type),
        "amount_minor": stage.c.price_minor,
        "currency": sa.literal(price_list.currency),
    }
    select = sa.select(*values.values()).where(these)
    if there:
        select = select.where(~sa.exists().where(_is_price(price_list.id)))
    return _inserted(work, price, values, select)


def _change_prices(work: Work, these: sa.ColumnElement[bool], price_list: PriceList) -> int:
    new = stage.c.price_minor
    original = sa.case((price.c.original_minor >= new, price.c.original_minor), else_=sa.null())
    update = sa.update(price).where(these, _is_price(price_list.id), price.c.amount_minor != new)
    return work.execute(update.values(amount_minor=new, original_minor=original)).rowcount


_OF_PRODUCT: Final = sa.and_(
    product_category.c.product_id == stage.c.product_id,
    product_category.c.category_id == category_set.c.category_id,
)


def _add_categories(work: Work, these: sa.ColumnElement[bool], *, there: bool) -> int:
    """Products into categories and all above; the row that leads has those of all rows of its product."""
    values: dict[str, Any] = {
        "category_id": category_set.c.category_id,
        "product_id": stage.c.product_id,
        "direct": category_set.c.direct,
    }
    select = (
        sa.select(*values.values())
        .join(category_set, category_set.c.set == stage.c.categories)
        .where(these, stage.c.leads)
    )
    if there:
        select = select.where(~sa.exists().where(_OF_PRODUCT))
    return _inserted(work, product_category, values, select)


def _more_direct(work: Work, these: sa.ColumnElement[bool]) -> int:
    """A product that is in a category by one below it may come to be in it directly; it is taken out of none."""
    update = sa.update(product_category).where(
        these,
        stage.c.leads,
        category_set.c.set == stage.c.categories,
        category_set.c.direct,
        _OF_PRODUCT,
        ~product_category.c.direct,
    )
    return work.execute(update.values(direct=sa.true())).rowcount


def _inserted(work: Work, table: sa.Table, values: dict[str, Any], select: sa.Select[Any]) -> int:
    return _count(work, sa.insert(table).from_select(list(values), select))


def _count(work: Work, insert: sa.Insert) -> int:
    """How many rows an insert added or changed, which is not asked by default."""
    return work.execute(insert.execution_options(preserve_rowcount=True)).rowcount


def _differ(table: sa.Table, new: dict[str, Any]) -> sa.ColumnElement[bool]:
    columns: Iterable[sa.ColumnElement[bool]] = (
        sa.type_coerce(table.c[name], sa.Text).is_distinct_from(value)
        if isinstance(table.c[name].type, Json | Translated)
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
