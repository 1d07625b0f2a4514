"""Exporting products as a file."""

from collections.abc import Iterator

from eckit.catalog.model import PriceList
from eckit.catalog.rules import writing
from eckit.catalog.service.access import sees_all
from eckit.catalog.service.prices import required_list
from eckit.catalog.store import exporting as store
from eckit.kernel.errors import MovedError, NotAllowedError
from eckit.kernel.ids import PriceListId
from eckit.kernel.work import Work


def export_products(work: Work, *, list_id: PriceListId | str) -> Iterator[bytes]:
    """All variants with the prices of a list as a CSV file in UTF-8 that :func:`import_products` reads back.

    One row per variant, by product and position; each is there once and as it is in one state of the catalog, whatever
    is changed meanwhile. Text cells are made inert for spreadsheets. Not in the file: stock, sale units, prices by
    quantity or window. Needs ``catalog.read``. Read it to its end while the Work is open.

    :param list_id: id or code.
    :raises NotAllowedError: the actor may not.
    :raises NotFoundError: there is no such list.
    :raises MovedError: in a Work that writes, a text in a language was added that the header does not have.
    """
    if not sees_all(work):
        raise NotAllowedError(permission="catalog.read")
    return _portions(work, required_list(work, list_id))


def _portions(work: Work, price_list: PriceList) -> Iterator[bytes]:
    locales, currencies = store.varieties(work)
    yield writing.lines([writing.header(locales, price_list.currency, currencies)])
    for portion in store.everything(work, price_list.id):
        for one in portion:
            said = {*one.product.title.locales(), *one.product.description.locales(), *one.variant.option.locales()}
            if not said <= set(locales) or not {one.variant.cost_currency} <= {None, *currencies}:
                raise MovedError(what="catalog")
        yield writing.lines(
            writing.record(
                one.product,
                one.variant,
                locales=locales,
                category_codes=one.category_codes,
                price_minor=one.price_minor,
                list_currency=price_list.currency,
                cost_currencies=currencies,
            )
            for one in portion
        )
