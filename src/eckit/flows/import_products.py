"""Import a file of products: what can be bought, at which price, and how many there are to begin with."""

import hashlib
from collections.abc import Sequence

from eckit.catalog import rules, service as catalog
from eckit.catalog.model import ImportReport, ImportRow, RowProblem
from eckit.kernel.actors import Actor
from eckit.kernel.conforming import conforms
from eckit.kernel.errors import NotFoundError, PluginError
from eckit.kernel.refs import Ref
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin, Work
from eckit.stock import service as stock

LIMIT_OF_IMPORTERS_S = 300.0


@again_if_moved
def import_products(
    begin: Begin,
    actor: Actor,
    data: bytes,
    *,
    currency: str | None = None,
    minor_units: bool = False,
    inventory: bytes | None = None,
    keep_good: bool = False,
    at: str = "main",
    progress: catalog.Progress | None = None,
    price_list: str | None = None,
    importer: str | None = None,
    locale: str = "en",
) -> ImportReport:
    """Read a file of products and write it to the catalog; new variants get the stock that the file states.

    All or nothing, in one transaction; the same file again changes nothing, also when two import it at once. Stock is
    received for variants that are new only: what has come and gone since is not the file's to know.

    :param data: the file; see :func:`eckit.catalog.rules.read_csv` for what is read.
    :param currency: of its amounts, ISO 4217, where the file does not say.
    :param minor_units: its amounts count cents instead of euros.
    :param inventory: a second file with the stock, ``product_id,quantity``; what is missing from it is sold out.
    :param keep_good: import the rows that have no problem; otherwise any problem refuses the whole.
    :param at: code of the location that gets the stock.
    :param progress: told how many of how many rows have been written.
    :param price_list: id or code of the list that gets the prices, in whose tax basis they are; by default the only one
        in the currency.
    :param importer: code of a plugin's reader of files; by default the core reads.
    :param locale: of texts whose column does not say, and of the names of categories.
    :raises ImportRefusedError: rows have problems; with every one by line, column, value. Nothing was changed.
    :raises CurrencyMissingError, CurrencyAmbiguousError: which currency the prices are in is not said.
    :raises UnreadableFileError, UnknownLayoutError, FileTooLargeError: the file as a whole cannot be read.
    :raises PriceListMissingError, PriceListAmbiguousError, WrongListCurrencyError: the prices have no list to go to.
    :raises NotFoundError: no such price list, location or importer.
    :raises NotAllowedError: needs ``catalog.write``, and ``stock.write`` where there is stock.
    """
    actor.require("catalog.write")
    rows, problems = _read(begin, data, currency, minor_units=minor_units, importer=importer, locale=locale)
    if inventory is not None:
        stated, of_inventory = rules.read_inventory(inventory)
        rows, notes = rules.with_inventory(rows, stated)
        problems = [*problems, *of_inventory, *notes]
    if not rows:
        return rules.nothing_to_import(problems, keep_good=keep_good)
    with begin.write(actor) as work:
        prices = catalog.list_for(work, rows[0].currency, price_list)
        write = catalog.import_read if importer is None else catalog.import_products
        report = write(
            work, rows, list_id=prices.id, problems=problems, keep_good=keep_good, locale=locale, progress=progress
        )
        _receive(work, report, at=at, cause=Ref("import", hashlib.sha256(data).hexdigest()[:32]))
    if report.products or report.variants or report.prices:
        with begin.write(actor) as work:
            catalog.analyze(work)
    return report


def _read(
    begin: Begin, data: bytes, currency: str | None, *, minor_units: bool, importer: str | None, locale: str
) -> tuple[Sequence[ImportRow], Sequence[RowProblem]]:
    if importer is None:
        return rules.read_csv(data, currency=currency, minor_units=minor_units, locale=locale)
    registered = begin.plugins.thing("catalog.importers", importer)
    if registered is None:
        raise NotFoundError(kind="importer", id=importer)
    found: object = begin.converse(
        registered.plugin, "import", registered.thing.read, data, currency, limit_s=LIMIT_OF_IMPORTERS_S
    )
    if not conforms(found, tuple[tuple[ImportRow, ...], tuple[RowProblem, ...]]):
        raise PluginError(plugin=registered.plugin, hook="import", reason=f"answered {type(found).__name__}")
    return found  # type: ignore[return-value]


def _receive(work: Work, report: ImportReport, *, at: str, cause: Ref) -> None:
    """Opening stock of new variants."""
    if report.stock:
        ids = catalog.variant_ids(work, report.stock)
        units = {ids[sku]: count for sku, count in report.stock.items()}
        stock.receive_many(work, units, at=at, cause=cause)
