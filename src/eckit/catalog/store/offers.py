"""What pricing needs to know of many variants, in two statements."""

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from eckit.catalog.model import Offer, Price, PriceList, Product, ProductState
from eckit.catalog.store.rows import JOINED_PRODUCT, PRODUCT_COLUMNS, price_list_of, price_of, product_of, variant_of
from eckit.catalog.store.tables import category, price, price_list, product, product_category, variant
from eckit.kernel.ids import ProductId, VariantId
from eckit.kernel.work import Work

# Categories as ``id code direct`` lines, which neither ids nor codes can contain.
_DIRECT: Final = sa.case((product_category.c.direct, "1"), else_="0")
_LINE: Final = product_category.c.category_id + " " + category.c.code + " " + _DIRECT
_CATEGORIES: Final = (
    sa.select(sa.func.aggregate_strings(_LINE, "\n"))
    .join(category, category.c.id == product_category.c.category_id)
    .where(product_category.c.product_id == variant.c.product_id)
    .scalar_subquery()
)
_VARIANTS: Final = (
    sa.select(
        variant,
        *(product.c[name].label(f"product_{name}") for name in PRODUCT_COLUMNS),
        _CATEGORIES.label("categories"),
    )
    .join(product, product.c.id == variant.c.product_id)
    .where(
        variant.c.id.in_(sa.bindparam("ids", expanding=True)),
        variant.c.active,
        product.c.state == ProductState.PUBLISHED.value,
    )
)
# Prices are many and lists few: what is JSON of a list is read as text with each price, and decoded once per list.
_DECODED: Final = ("channel_ids", "customer_groups")
_OF_LIST: Final = tuple(
    (sa.type_coerce(column, sa.Text) if column.name in _DECODED else column).label(f"list_{column.name}")
    for column in price_list.c
    if column.name not in {"id", "currency"}
)
_PRICES: Final = (
    sa.select(price, *_OF_LIST)
    .join(price_list, price_list.c.id == price.c.list_id)
    .where(price.c.variant_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(price.c.variant_id, price.c.list_id, price.c.min_steps, price.c.window_start)
)


def offers(work: Work, variant_ids: Collection[VariantId]) -> dict[VariantId, Offer]:
    """The offers of those variants that are active and whose product is published."""
    wanted = sorted(set(variant_ids))
    rows = work.execute(_VARIANTS, {"ids": wanted}).all() if wanted else []
    if not rows:
        return {}
    prices = _prices(work, [row.id for row in rows])
    products: dict[ProductId, tuple[Product, frozenset[str]]] = {}
    found = {}
    for row in rows:
        if row.product_id not in products:
            products[row.product_id] = _product(row)
        of_product, codes = products[row.product_id]
        found[row.id] = Offer(
            variant=variant_of(row), product=of_product, category_codes=codes, prices=tuple(prices[row.id])
        )
    return found


def _product(row: Any) -> tuple[Product, frozenset[str]]:
    lines = [line.split(" ") for line in (row.categories or "").splitlines()]
    put_into = [id for id, _, direct in lines if direct == "1"]
    return product_of(row, put_into, names=JOINED_PRODUCT), frozenset(code for _, code, _ in lines)


def _prices(work: Work, variant_ids: list[VariantId]) -> defaultdict[VariantId, list[tuple[PriceList, Price]]]:
    lists: dict[str, PriceList] = {}
    found: defaultdict[VariantId, list[tuple[PriceList, Price]]] = defaultdict(list)
    for row in work.execute(_PRICES, {"ids": variant_ids}):
        if row.list_id not in lists:
            lists[row.list_id] = price_list_of(_AsList(row))
        found[row.variant_id].append((lists[row.list_id], price_of(row)))
    return found


class _AsList:
    """The price list's columns of a joined row, under their own names."""

    def __init__(self, row: Any) -> None:
        self.id = row.list_id
        self.currency = row.currency
        self._row = row

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._row, f"list_{name}")
        return json.loads(value) if name in _DECODED else value
