"""Verbs on price lists and prices."""

from collections.abc import Sequence
from typing import Final

from eckit.catalog.errors import (
    PriceListAmbiguousError,
    PriceListCodeTakenError,
    PriceListInUseError,
    PriceListMissingError,
    WrongListCurrencyError,
)
from eckit.catalog.model import Price, PriceChanged, PriceList
from eckit.catalog.rules import checking
from eckit.catalog.service.access import require_write, sees_all
from eckit.catalog.store import prices as store, tree
from eckit.kernel.errors import NotAllowedError, NotFoundError, invalid
from eckit.kernel.ids import PriceListId, VariantId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work

MAX_PRICES: Final = 10_000
"""So many prices are set at once at most; more come as a file."""


def save_price_list(work: Work, price_list: PriceList) -> PriceList:
    """Add a price list, or write it over the one with its id.

    :raises InvalidInputError: all problems of all fields.
    :raises PriceListCodeTakenError: another list has this code.
    :raises PriceListInUseError: it has prices, and its currency or tax basis would change under them.
    """
    require_write(work)
    wanted = checking.price_list(price_list)
    there = store.lists(work)
    before = next((one for one in there if one.id == wanted.id), None)
    if before == wanted:
        return wanted
    if any(one.code == wanted.code and one.id != wanted.id for one in there):
        raise PriceListCodeTakenError(price_list=wanted.code)
    if before is not None and _means_else(before, wanted) and store.has_prices(work, wanted.id):
        raise PriceListInUseError(price_list=before.code)
    store.save_list(work, wanted, new=before is None)
    work.bump("prices")
    work.did("catalog.save_price_list", Ref("price_list", wanted.id))
    return wanted


def _means_else(before: PriceList, after: PriceList) -> bool:
    """Whether the same amounts would be other prices."""
    return (before.currency, before.includes_tax) != (after.currency, after.includes_tax)


def price_lists(work: Work) -> tuple[PriceList, ...]:
    """All price lists, by code. Needs ``catalog.read``.

    :raises NotAllowedError: the actor may not.
    """
    if not sees_all(work):
        raise NotAllowedError(permission="catalog.read")
    return tuple(store.lists(work))


def list_for(work: Work, currency: str, id_or_code: str | None) -> PriceList:
    """The price list amounts in a currency go to: the named one, else the only one in this currency.

    :raises NotFoundError: there is no list of this id or code.
    :raises WrongListCurrencyError: it is in another currency.
    :raises PriceListMissingError, PriceListAmbiguousError: none is named, and there is none, or several.
    """
    if id_or_code is not None:
        named = required_list(work, id_or_code)
        if named.currency != currency:
            raise WrongListCurrencyError(price_list=named.code, list_currency=named.currency, currency=currency)
        return named
    fitting = [one for one in store.lists(work) if one.currency == currency]
    if not fitting:
        raise PriceListMissingError(currency=currency)
    if len(fitting) > 1:
        raise PriceListAmbiguousError(currency=currency, price_lists=", ".join(one.code for one in fitting))
    return fitting[0]


def required_list(work: Work, id_or_code: str) -> PriceList:
    """The price list of this id or code.

    :raises NotFoundError: there is none.
    """
    found = store.find_list(work, clean(id_or_code, path="list_id", max_length=80))
    if found is None:
        raise NotFoundError(kind="price_list", id=id_or_code)
    return found


def set_prices(work: Work, list_id: PriceListId, prices: Sequence[Price]) -> None:
    """Set prices on a list. Each takes the place of the one with the same variant, quantity and start of its window;
    all other prices stay. Setting what is set already changes nothing.

    :param prices: in the list's currency and tax basis.
    :raises InvalidInputError: all problems of all prices.
    :raises NotFoundError: there is no such list or variant.
    """
    require_write(work)
    if len(prices) > MAX_PRICES:
        raise invalid("too-many", "prices", len(prices), limit=MAX_PRICES)
    wanted = checking.prices(prices, expect_id("price_list", list_id, path="list_id"))
    price_list = required_list(work, list_id)
    tree.share(work)  # an import that runs now sets prices too
    ids = {price.variant_id for price in wanted}
    for unknown in store.unknown_variants(work, ids):
        raise NotFoundError(kind="variant", id=unknown)
    there = set(store.prices_of(work, list_id, ids))
    changed = [price for price in wanted if price not in there]
    if changed:
        store.save_prices(work, changed, price_list.currency)
        _tell(work, "catalog.set_prices", list_id, changed)


def remove_prices(work: Work, list_id: PriceListId, prices: Sequence[Price]) -> None:
    """Remove the prices with these variants, quantities and starts; those that are not there are gone already.

    :raises InvalidInputError: all problems of all prices.
    :raises NotFoundError: there is no such list.
    """
    require_write(work)
    if len(prices) > MAX_PRICES:
        raise invalid("too-many", "prices", len(prices), limit=MAX_PRICES)
    unwanted = checking.prices(prices, expect_id("price_list", list_id, path="list_id"))
    required_list(work, list_id)
    tree.share(work)
    if store.remove_prices(work, unwanted):
        _tell(work, "catalog.remove_prices", list_id, unwanted)


def prices_of(work: Work, list_id: PriceListId, variant_ids: Sequence[VariantId]) -> tuple[Price, ...]:
    """All prices of these variants on a list, also past and future ones. Needs ``catalog.read``.

    :raises NotAllowedError: the actor may not.
    """
    if not sees_all(work):
        raise NotAllowedError(permission="catalog.read")
    expect_id("price_list", list_id, path="list_id")
    ids = [VariantId(expect_id("variant", id, path="variant_ids")) for id in variant_ids]
    return tuple(store.prices_of(work, list_id, ids))


def _tell(work: Work, verb: str, list_id: PriceListId, prices: Sequence[Price]) -> None:
    work.bump("prices")
    work.did(verb, Ref("price_list", list_id))
    for variant_id in sorted({price.variant_id for price in prices}):
        work.announce(PriceChanged(variant_id=variant_id, list_id=list_id, at=work.now))
