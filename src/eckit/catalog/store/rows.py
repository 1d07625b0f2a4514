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
from eckit.catalog.store.tables import NO_START, price, variant
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


def variant_values(of: Variant) -> dict[str, Any]:
    """A variant as its row."""
    return {
        "id": of.id,
        "product_id": of.product_id,
        "sku": of.sku,
        "option": of.option,
        "gtins": list(of.gtins),
        "unit_code": of.unit.code,
        "unit_scale": of.unit.scale,
        "unit_increment": of.unit.increment,
        "kind": of.kind,
        "length_mm": of.measures.length_mm,
        "width_mm": of.measures.width_mm,
        "height_mm": of.measures.height_mm,
        "weight_grams": of.measures.weight_grams,
        "tax_class": of.tax_class,
        "hs_code": of.hs_code,
        "origin": of.origin,
        "cost_minor": of.cost_minor,
        "cost_currency": of.cost_currency,
        "supply_kind": of.supply.kind,
        "supply_cap_steps": of.supply.cap_steps,
        "active": of.active,
        "position": of.position,
        "version": of.version,
    }


def variant_of(row: Any) -> Variant:
    """The variant a row holds, whose columns come first and in the order of the table."""
    # fmt: off
    (id, product_id, sku, option, gtins, unit_code, unit_scale, unit_increment, kind, length_mm, width_mm, height_mm,
     weight_grams, tax_class, hs_code, origin, cost_minor, cost_currency, supply_kind, supply_cap_steps, active,
     position, version) = row[: len(variant.c)]
    # fmt: on
    return Variant(
        id=id,
        product_id=product_id,
        sku=sku,
        option=option,
        gtins=tuple(gtins),
        unit=_unit(unit_code, unit_scale, unit_increment),
        kind=kind,
        measures=_measures(length_mm, width_mm, height_mm, weight_grams),
        tax_class=tax_class,
        hs_code=hs_code,
        origin=origin,
        cost_minor=cost_minor,
        cost_currency=cost_currency,
        supply=_supply(supply_kind, supply_cap_steps),
        active=active,
        position=position,
        version=version,
    )


@functools.lru_cache(maxsize=4096)
def _measures(length_mm: int | None, width_mm: int | None, height_mm: int | None, weight_grams: int | None) -> Measures:
    return Measures(length_mm=length_mm, width_mm=width_mm, height_mm=height_mm, weight_grams=weight_grams)


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


def price_values(of: Price, currency: str) -> dict[str, Any]:
    """A price as its row."""
    return {
        "variant_id": of.variant_id,
        "list_id": of.list_id,
        "min_steps": of.min_steps,
        "window_start": of.window.start or NO_START,
        "window_end": of.window.end,
        "amount_minor": of.amount_minor,
        "original_minor": of.original_minor,
        "currency": currency,
    }


def price_of(row: Any) -> Price:
    """The price a row holds, whose columns come first and in the order of the table."""
    variant_id, list_id, min_steps, window_start, window_end, amount_minor, original_minor, _ = row[: len(price.c)]
    start = None if window_start == NO_START else window_start
    return Price(
        variant_id=variant_id,
        list_id=list_id,
        amount_minor=amount_minor,
        min_steps=min_steps,
        window=_ALWAYS if start is None and window_end is None else Window(start, window_end),
        original_minor=original_minor,
    )


_ALWAYS: Final = Window()
