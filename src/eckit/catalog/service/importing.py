"""Importing files of products: check everything, then write everything, or nothing."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs

from eckit.catalog import hooks
from eckit.catalog.errors import ImportRefusedError, WrongListCurrencyError
from eckit.catalog.model import (
    CatalogImported,
    Category,
    ImportReport,
    ImportRow,
    Measures,
    PriceList,
    Product,
    ProductState,
    RowProblem,
    Variant,
)
from eckit.catalog.rules import import_rows, reading, tree as tree_rules
from eckit.catalog.service.access import require_write
from eckit.catalog.service.categories import ensure
from eckit.catalog.service.prices import required_list
from eckit.catalog.store import importing as store, rows as stored, staging, tree
from eckit.kernel.ids import CategoryId, PriceListId, ProductId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text
from eckit.kernel.work import Work

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many rows have been written."""

Paths: TypeAlias = tuple[tuple[str, ...], ...]
"""Ways through the category tree, by names."""

_PORTION: Final = 10_000
_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_COUNTED: Final = 4  # digits of an id that count; 60 random bits are left, the same for one file
_quoted: Final = json.encoder.encode_basestring
_JSON: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))  # as canonical does


def import_products(
    work: Work,
    rows: Sequence[ImportRow],
    *,
    list_id: PriceListId,
    problems: Sequence[RowProblem] = (),
    keep_good: bool = False,
    publish: bool = True,
    locale: str = "en",
    progress: Progress | None = None,
) -> ImportReport:
    """Write rows of a file to the catalog: new products and variants are added, others changed where they differ.

    Products are found by handle, variants by SKU. What the file does not say stays; so do texts in other languages,
    categories, and prices by quantity or window. Imported again, the same file changes nothing and tells nobody.
    Announces one ``catalog.imported``.

    :param rows: from anywhere; each is checked.
    :param list_id: where the prices go; of the rows' currency, and in the basis that list has.
    :param problems: what was wrong with other rows of the file.
    :param keep_good: import the good rows and report the others; otherwise any problem refuses the file as a whole.
    :param publish: whether new products are seen by buyers where the file does not say.
    :param locale: in which categories that are new get their names.
    :param progress: called after each portion.
    :return: what was done; ``stock`` has the opening stock of variants that are new.
    :raises ImportRefusedError: there are problems, and not ``keep_good``; with all of them, and nothing was changed.
    :raises WrongListCurrencyError: the rows are in another currency than the list.
    :raises NotFoundError: there is no such list.
    :raises PluginError: a plugin asked by ``check_publishable`` failed; names it.
    """
    good, found = import_rows.checked(rows, problems)
    return import_read(
        work,
        good,
        list_id=list_id,
        problems=found,
        keep_good=keep_good,
        publish=publish,
        locale=locale,
        progress=progress,
    )


def import_read(
    work: Work,
    rows: Sequence[ImportRow],
    *,
    list_id: PriceListId,
    problems: Sequence[RowProblem] = (),
    keep_good: bool = False,
    publish: bool = True,
    locale: str = "en",
    progress: Progress | None = None,
) -> ImportReport:
    """:func:`import_products` for rows of :func:`eckit.catalog.rules.read_csv`, checked already; for flows."""
    require_write(work)
    price_list = _list_of(work, list_id, rows)
    tree.lock(work)
    staging.open_stage(work)
    sets = _stage(work, rows)
    there = store.find(work)
    found = [*problems, *_problems(work, rows, publish=publish)]
    report = import_rows.report_of(rows, found)
    if report.problems and not keep_good:
        staging.close_stage(work)
        raise ImportRefusedError(report=report)
    bad = {problem.line for problem in report.problems if not problem.file}
    good = [row for row in rows if row.line not in bad]
    if len(good) < len(rows):  # found bad in the catalog: stage the others anew
        sets = _stage(work, good)
        there = store.find(work)
    if there:
        _keep_other_languages(work)
    new = [good[index] for index in store.new_rows(work)]
    _stage_categories(work, sets, locale)
    written = _write(work, len(good), price_list, publish=publish, there=there, progress=progress)
    staging.close_stage(work)
    report = attrs.evolve(
        report,
        products=written.products,
        variants=written.variants,
        prices=written.prices,
        stock={row.sku: row.stock for row in new if row.stock},
    )
    _tell(work, report, price_list, written)
    return report


def analyze(work: Work) -> None:
    """Let the database count what an import added, so that pages stay quick; in a transaction after it."""
    require_write(work)
    store.analyze(work)


# --- stage -----------------------------------------------------------------------------------------------------------


def _list_of(work: Work, list_id: PriceListId, rows: Sequence[ImportRow]) -> PriceList:
    price_list = required_list(work, list_id)
    for row in rows:
        if row.currency != price_list.currency:
            raise WrongListCurrencyError(
                price_list=price_list.code, list_currency=price_list.currency, currency=row.currency
            )
    return price_list


def _stage(work: Work, rows: Sequence[ImportRow]) -> dict[Paths, int]:
    """Fill the stage; the categories of each product, numbered as the stage has them."""
    of_product: dict[str, Paths] = {}
    for row in rows:
        known = of_product.setdefault(row.handle, row.categories)
        if known is not row.categories:
            of_product[row.handle] = tuple(dict.fromkeys((*known, *row.categories)))
    sets = {paths: number for number, paths in enumerate(dict.fromkeys(of_product.values()))}
    numbers = {handle: sets[paths] for handle, paths in of_product.items()}
    staging.fill(work, staging.stage, staging.COLUMNS, _staged(rows, numbers))
    staging.count(work)
    return sets


def _staged(rows: Sequence[ImportRow], sets: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """Each row as the stage holds it, in the order of its columns."""
    product_ids: dict[str, str] = {}
    positions: Counter[str] = Counter()
    ids = zip(_ids("product"), _ids("variant"), strict=True)
    for (index, row), (new_id, variant_id) in zip(enumerate(rows), ids, strict=False):
        product_id = product_ids.setdefault(row.handle, new_id)
        positions[row.handle] += 1
        yield (
            index,
            product_id,
            variant_id,
            row.handle,
            row.handle_given,
            row.handle if row.handle_given else reading.handle_with_sku(row.handle, row.sku),
            row.sku,
            _json(row.title),
            None if row.description is None else _json(row.description),
            None if row.option is None else _json(row.option),
            stored.words(row.title),
            row.published,
            None if row.gtins is None else _json_of_numbers(row.gtins),
            row.tax_class,
            row.length_mm,
            row.width_mm,
            row.height_mm,
            row.weight_grams,
            row.hs_code,
            row.origin,
            row.cost_minor,
            row.cost_currency,
            row.price_minor,
            sets[row.handle],
            positions[row.handle],
            product_id is new_id,
        )


def _ids(kind: str) -> Iterator[str]:
    """A million new ids, each after the one before: the products of a file are listed in its order."""
    first = mint(kind)[:-_COUNTED]
    return (first + "".join(ending) for ending in itertools.product(_DIGITS, repeat=_COUNTED))


def _json_of_numbers(numbers: tuple[str, ...]) -> str:
    """As kernel.freezing.canonical, of digits."""
    return '["' + '","'.join(numbers) + '"]' if numbers else "[]"


def _json(text: Text) -> str:
    """As kernel.freezing.canonical, of a text whose languages are sorted already."""
    return "{" + ",".join(f'"{locale}":{_quoted(said)}' for locale, said in text.translations) + "}"


def _stage_categories(work: Work, sets: dict[Paths, int], locale: str) -> None:
    """The categories of each different set of paths, and all above them; missing ones are added to the tree."""
    by_code = {one.code: one for one in tree.categories(work)}
    staged = [
        (number, id, direct)
        for paths, number in sets.items()
        for id, direct in _with_all_above(work, by_code, paths, locale)
    ]
    staging.fill(work, staging.category_set, ("set", "category_id", "direct"), staged)


def _with_all_above(
    work: Work, by_code: dict[str, Category], paths: Paths, locale: str
) -> list[tuple[CategoryId, bool]]:
    direct = {one.id for one in ensure(work, by_code, paths, locale)}
    parents = {one.id: one.parent_id for one in by_code.values()}
    every = {above for id in direct for above in tree_rules.ancestors(parents, id)}
    return [(id, id in direct) for id in sorted(every)]


# --- check -----------------------------------------------------------------------------------------------------------


def _problems(work: Work, rows: Sequence[ImportRow], *, publish: bool) -> list[RowProblem]:
    """What is wrong with good rows of the file in this catalog."""
    found = [
        RowProblem(line=rows[index].line, path=path, code=code, value=value, limit=limit)
        for path, code, value_of, pairs in (
            ("sku", "sku-elsewhere", "sku", store.elsewhere(work)),
            ("handle", "handle-elsewhere", "handle", store.handle_taken(work)),
            ("published", "archived-product", "handle", store.archived(work)),
        )
        for index, limit in pairs
        for value in [getattr(rows[index], value_of)]
    ]
    if hooks.has_opinion_on_publishing(work.plugins):
        found += _objections(work, rows, publish=publish)
    return found


def _objections(work: Work, rows: Sequence[ImportRow], *, publish: bool) -> list[RowProblem]:
    """What plugins hold against products that buyers would see from now on; of each row of such a product."""
    by_product: defaultdict[str, list[ImportRow]] = defaultdict(list)
    for index, product_id in store.to_publish(work, publish=publish):
        by_product[product_id].append(rows[index])
    found = []
    for product_id, of_product in by_product.items():
        product, variants = _as_facts(ProductId(product_id), of_product)
        for objection in hooks.ask_publishable(work.plugins, product, variants):
            found += [
                RowProblem(
                    line=row.line, path=objection.path, code=objection.code, value=row.handle, text=objection.text()
                )
                for row in of_product
            ]
    return found


def _as_facts(product_id: ProductId, rows: list[ImportRow]) -> tuple[Product, tuple[Variant, ...]]:
    first = rows[0]
    product = Product(
        id=product_id,
        handle=first.handle,
        title=first.title,
        description=first.description or Text({}),
        state=ProductState.PUBLISHED.value,
    )
    variants = tuple(
        Variant(
            id=VariantId(mint("variant")),
            product_id=product_id,
            sku=row.sku,
            option=row.option or Text({}),
            gtins=row.gtins or (),
            measures=Measures(
                length_mm=row.length_mm,
                width_mm=row.width_mm,
                height_mm=row.height_mm,
                weight_grams=row.weight_grams,
            ),
            tax_class=row.tax_class or "standard",
            hs_code=row.hs_code,
            origin=row.origin,
            position=position,
        )
        for position, row in enumerate(rows)
    )
    return product, variants


# --- write -----------------------------------------------------------------------------------------------------------


def _keep_other_languages(work: Work) -> None:
    """A text of a file replaces the stored one in the languages it is in; the others stay."""
    changed = []
    for row in store.differing_texts(work):
        merged = {
            "to_title": _merged(row.old_title, row.new_title),
            "to_description": _merged(row.old_description, row.new_description),
            "to_option": _merged(row.old_option, row.new_option),
        }
        if tuple(merged.values()) != (row.new_title, row.new_description, row.new_option):
            title = Text(json.loads(merged["to_title"] or "{}"))
            changed.append({"of_row": row.row, "to_words": stored.words(title), **merged})
    store.set_texts(work, changed)


def _merged(old: str | None, new: str | None) -> str | None:
    """An empty cell says nothing."""
    if old is None or new is None or old == new:
        return new
    return _JSON.encode({**json.loads(old), **json.loads(new)})


def _write(
    work: Work, count: int, price_list: PriceList, *, publish: bool, there: bool, progress: Progress | None
) -> store.Written:
    written = store.Written()
    for start in range(0, count, _PORTION):
        portion = range(start, min(start + _PORTION, count))
        written += store.write(work, portion, price_list, publish=publish, there=there)
        if progress is not None:
            progress(portion.stop, count)
    return written


def _tell(work: Work, report: ImportReport, price_list: PriceList, written: store.Written) -> None:
    if written.products or written.variants or written.categories:
        work.bump("catalog")
    if written.prices:
        work.bump("prices")
    changed = f"{written.products} products, {written.variants} variants, {written.prices} prices"
    work.did("catalog.import_products", Ref("price_list", price_list.id), reason=changed)
    if written != store.Written():
        work.announce(
            CatalogImported(
                list_id=price_list.id,
                rows=report.rows,
                products=written.products,
                variants=written.variants,
                prices=written.prices,
                at=work.now,
            )
        )
