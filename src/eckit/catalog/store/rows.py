"""Rows of tables to facts and back."""

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final

from eckit.catalog.model import (
    Category,
    Measures,
    Price,
    PriceList,
    Product,
    SaleUnit,
    Supply,
    Variant,
)
from eckit.catalog.rules.slugs import search_words
from eckit.catalog.store.tables import NO_START
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import CategoryId, expect_id
from eckit.kernel.text import Text

PRODUCT_COLUMNS: Final = ("handle", "title", "description", "state", "version")
"""The columns of a product beside its id, in one order."""

JOINED_PRODUCT: Final = ("product_id", *(f"product_{name}" for name in PRODUCT_COLUMNS))
"""Their names in rows of variants."""


def is_id(kind: str, text: str) -> bool:
    """Whether a text that may be an id or a readable code is an id of this kind."""
    try:
        expect_id(kind, text)
    except InvalidInputError:
        return False
    return True


def words(title: Text) -> str:
    """What a search looks through, beside the handle."""
    return search_words([said for _, said in title.translations])


def product_values(product: Product, now: dt.datetime) -> dict[str, Any]:
    """A product as its row, without its categories."""
    return {
        "id": product.id,
        "handle": product.handle,
        "title": product.title,
        "description": product.description,
        "words": words(product.title),
        "state": product.state,
        "version": product.version,
        "created_at": now,
    }


def product_of(row: Any, category_ids: Iterable[str], *, names: Sequence[str] = ("id", *PRODUCT_COLUMNS)) -> Product:
    """The product a row holds; ``names`` are those of its columns in this row."""
    id, handle, title, description, state, version = (getattr(row, name) for name in names)
    return Product(
        id=id,
        handle=handle,
        title=title,
        description=description,
        category_ids=tuple(CategoryId(id) for id in sorted(category_ids)),
        state=state,
        version=version,
    )


def variant_values(variant: Variant) -> dict[str, Any]:
    """A variant as its row."""
    return {
        "id": variant.id,
        "product_id": variant.product_id,
        "sku": variant.sku,
        "option": variant.option,
        "gtins": list(variant.gtins),
        "unit_code": variant.unit.code,
        "unit_scale": variant.unit.scale,
        "unit_increment": variant.unit.increment,
        "kind": variant.kind,
        "length_mm": variant.measures.length_mm,
        "width_mm": variant.measures.width_mm,
        "height_mm": variant.measures.height_mm,
        "weight_grams": variant.measures.weight_grams,
        "tax_class": variant.tax_class,
        "hs_code": variant.hs_code,
        "origin": variant.origin,
        "cost_minor": variant.cost_minor,
        "cost_currency": variant.cost_currency,
        "supply_kind": variant.supply.kind,
        "supply_cap_steps": variant.supply.cap_steps,
        "active": variant.active,
        "position": variant.position,
        "version": variant.version,
    }


def variant_of(row: Any) -> Variant:
    """The variant a row holds."""
    return Variant(
        id=row.id,
        product_id=row.product_id,
        sku=row.sku,
        option=row.option,
        gtins=tuple(row.gtins),
        unit=_unit(row.unit_code, row.unit_scale, row.unit_increment),
        kind=row.kind,
        measures=Measures(
            length_mm=row.length_mm, width_mm=row.width_mm, height_mm=row.height_mm, weight_grams=row.weight_grams
        ),
        tax_class=row.tax_class,
        hs_code=row.hs_code,
        origin=row.origin,
        cost_minor=row.cost_minor,
        cost_currency=row.cost_currency,
        supply=_supply(row.supply_kind, row.supply_cap_steps),
        active=row.active,
        position=row.position,
        version=row.version,
    )


@functools.lru_cache(maxsize=256)
def _unit(code: str, scale: int, increment: int) -> SaleUnit:
    return SaleUnit(code=code, scale=scale, increment=increment)


@functools.lru_cache(maxsize=256)
def _supply(kind: str, cap_steps: int) -> Supply:
    return Supply(kind=kind, cap_steps=cap_steps)


def category_values(category: Category) -> dict[str, Any]:
    """A category as its row."""
    return {
        "id": category.id,
        "code": category.code,
        "parent_id": category.parent_id,
        "title": category.title,
        "position": category.position,
    }


def category_of(row: Any) -> Category:
    """The category a row holds."""
    return Category(id=row.id, code=row.code, title=row.title, parent_id=row.parent_id, position=row.position)


def price_list_values(price_list: PriceList) -> dict[str, Any]:
    """A price list as its row."""
    return {
        "id": price_list.id,
        "code": price_list.code,
        "currency": price_list.currency,
        "includes_tax": price_list.includes_tax,
        "channel_ids": sorted(price_list.channel_ids),
        "customer_groups": sorted(price_list.customer_groups),
        "priority": price_list.priority,
        "window_start": price_list.window.start,
        "window_end": price_list.window.end,
    }


def price_list_of(row: Any) -> PriceList:
    """The price list a row holds."""
    return PriceList(
        id=row.id,
        code=row.code,
        currency=row.currency,
        includes_tax=row.includes_tax,
        channel_ids=frozenset(row.channel_ids),
        customer_groups=frozenset(row.customer_groups),
        priority=row.priority,
        window=Window(row.window_start, row.window_end),
    )


def price_values(price: Price, currency: str) -> dict[str, Any]:
    """A price as its row."""
    return {
        "variant_id": price.variant_id,
        "list_id": price.list_id,
        "min_steps": price.min_steps,
        "window_start": price.window.start or NO_START,
        "window_end": price.window.end,
        "amount_minor": price.amount_minor,
        "original_minor": price.original_minor,
        "currency": currency,
    }


def price_of(row: Any) -> Price:
    """The price a row holds."""
    start = None if row.window_start == NO_START else row.window_start
    return Price(
        variant_id=row.variant_id,
        list_id=row.list_id,
        amount_minor=row.amount_minor,
        min_steps=row.min_steps,
        window=Window(start, row.window_end),
        original_minor=row.original_minor,
    )
