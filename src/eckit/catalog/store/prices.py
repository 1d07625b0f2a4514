"""Price lists and prices: load and save."""

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa

from eckit.catalog.model import Price, PriceList
from eckit.catalog.store.rows import is_id, price_list_of, price_list_values, price_of, price_values
from eckit.catalog.store.tables import NO_START, price, price_list, variant
from eckit.kernel.ids import PriceListId, VariantId
from eckit.kernel.stamps import upsert
from eckit.kernel.work import Work

_LISTS: Final = sa.select(price_list).order_by(price_list.c.code)
_LIST_BY_ID: Final = sa.select(price_list).where(price_list.c.id == sa.bindparam("name"))
_LIST_BY_CODE: Final = sa.select(price_list).where(price_list.c.code == sa.bindparam("name"))
_ANY_PRICE: Final = sa.select(price.c.variant_id).where(price.c.list_id == sa.bindparam("list_id")).limit(1)
_PRICES: Final = (
    sa.select(price)
    .where(price.c.list_id == sa.bindparam("list_id"), price.c.variant_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(price.c.variant_id, price.c.min_steps, price.c.window_start)
)
_KNOWN: Final = sa.select(variant.c.id).where(variant.c.id.in_(sa.bindparam("ids", expanding=True)))

_PORTION: Final = 500
_KEY: Final = ("variant_id", "list_id", "min_steps", "window_start")


def lists(work: Work) -> list[PriceList]:
    """All price lists, by code."""
    return [price_list_of(row) for row in work.execute(_LISTS)]


def find_list(work: Work, id_or_code: str) -> PriceList | None:
    """The price list of this id or code."""
    select = _LIST_BY_ID if is_id("price_list", id_or_code) else _LIST_BY_CODE
    row = work.execute(select, {"name": id_or_code}).one_or_none()
    return None if row is None else price_list_of(row)


def has_prices(work: Work, list_id: PriceListId) -> bool:
    """Whether there is any price on a list."""
    return work.execute(_ANY_PRICE, {"list_id": list_id}).first() is not None


def save_list(work: Work, saved: PriceList, *, new: bool) -> None:
    """Insert a price list, or write it over itself."""
    if new:
        work.execute(sa.insert(price_list).values(price_list_values(saved)))
    else:
        work.execute(sa.update(price_list).where(price_list.c.id == saved.id).values(price_list_values(saved)))


def unknown_variants(work: Work, ids: Collection[VariantId]) -> list[VariantId]:
    """Those of the ids that no variant has."""
    found: set[str] = set()
    wanted = sorted(ids)
    for start in range(0, len(wanted), _PORTION):
        found.update(work.execute(_KNOWN, {"ids": wanted[start : start + _PORTION]}).scalars())
    return [id for id in wanted if id not in found]


def prices_of(work: Work, list_id: PriceListId, ids: Collection[VariantId]) -> list[Price]:
    """All prices of these variants on a list."""
    wanted = sorted(ids)
    rows: list[Price] = []
    for start in range(0, len(wanted), _PORTION):
        found = work.execute(_PRICES, {"list_id": list_id, "ids": wanted[start : start + _PORTION]})
        rows += [price_of(row) for row in found]
    return rows


def save_prices(work: Work, saved: Sequence[Price], currency: str) -> None:
    """Insert prices, or write them over those with the same variant, quantity and start; in one order of keys."""
    rows = sorted((price_values(one, currency) for one in saved), key=lambda row: [row[name] for name in _KEY])
    for start in range(0, len(rows), _PORTION):
        insert = upsert(work.connection, price).values(rows[start : start + _PORTION])
        new = {name: insert.excluded[name] for name in ("amount_minor", "original_minor", "window_end")}
        work.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=new))


def remove_prices(work: Work, removed: Collection[Price]) -> int:
    """Delete prices by their keys; how many there were."""
    gone = 0
    for one in sorted(removed, key=lambda price: (price.variant_id, price.min_steps)):
        delete = sa.delete(price).where(
            price.c.variant_id == one.variant_id,
            price.c.list_id == one.list_id,
            price.c.min_steps == one.min_steps,
            price.c.window_start == (one.window.start or NO_START),
        )
        gone += work.execute(delete).rowcount
    return gone
