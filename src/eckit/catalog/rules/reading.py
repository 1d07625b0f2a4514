"""Files of products, categories and stock to rows, with every problem by line and column. Pure: no database."""

from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from eckit.catalog.model import ImportRow, RowProblem
from eckit.catalog.rules import cells, checking
from eckit.catalog.rules.decoding import decoded
from eckit.catalog.rules.import_rows import consistent, pair
from eckit.catalog.rules.layouts import IGNORED, Layout, recognized
from eckit.catalog.rules.records import Records, check_size, fits, problems_at
from eckit.catalog.rules.rows import RowReader
from eckit.catalog.rules.slugs import MAX_HANDLE, slug
from eckit.kernel.errors import InvalidInputError, invalid
from eckit.kernel.ids import Sku
from eckit.kernel.text import Text

INVENTORY: Final = "inventory"
"""The file of a problem that is in the file of stock."""

_PRODUCTS: Final = (frozenset({"sku", "id"}), frozenset({"title"}), frozenset({"price"}))
_INVENTORY: Final = (frozenset({"sku", "id"}), frozenset({"stock"}))
_CATEGORIES: Final = (frozenset({"path"}), frozenset({"title"}))


def read_csv(
    data: bytes,
    *,
    currency: str | None = None,
    minor_units: bool = False,
    columns: Sequence[str] | None = None,
    locale: str = "en",
) -> tuple[list[ImportRow], list[RowProblem]]:
    """Read a file of products: the good rows, and what is wrong with the others (or worth a note).

    Read are UTF-8, UTF-16 and cp932; commas, tabs or semicolons; eckit's own columns, common names of them in English
    and Japanese, and django-oscar's book files, which have no header. Amounts are in ``currency`` or the one the file
    names (``price_jpy``, a column ``currency``), in decimal notation unless ``minor_units``.

    :param columns: names of the columns, for a file without a header.
    :param locale: of texts whose column does not say (``title``, not ``title_ja``).
    :raises UnreadableFileError: the bytes are no text; names the position.
    :raises UnknownLayoutError: neither a header nor a known file without one.
    :raises CurrencyMissingError: neither the file nor the caller names a currency.
    :raises CurrencyAmbiguousError: the file has prices in several, and the caller names none.
    :raises FileTooLargeError: over 256 MiB or a million rows.
    """
    check_size(data)
    if currency is not None:
        checking.currency(currency, "currency")
    Text({locale: ""})  # refuses what is no locale
    text = decoded(data)
    layout = recognized(text, _PRODUCTS, columns)
    problems = _of_header(layout)
    reader = RowReader(layout, currency=currency, minor_units=minor_units, locale=locale, problems=problems)
    if any(not problem.note for problem in problems):
        return [], problems
    width = len(layout.columns)
    rows = []
    for line, record in Records(text, layout.delimiter, layout.header_rows, problems):
        if fits(line, record, width, problems):
            row = reader.row(line, record)
            if row is not None:
                rows.append(row)
    rows = consistent(rows, problems)
    return _with_handles(rows, problems), sorted(problems, key=lambda problem: problem.line)


def _of_header(layout: Layout) -> list[RowProblem]:
    """Columns that are there twice, which is a problem, and columns that are not known, which is a note."""
    problems = []
    seen: set[tuple[str, str]] = set()
    for column in layout.columns:
        if column.field is None and slug(column.name) not in {slug(name) for name in IGNORED}:
            problems.append(RowProblem(line=1, path=column.name, code="unknown-column", value=column.name, note=True))
        elif column.field is not None and (column.field, column.variety) in seen:
            problems.append(RowProblem(line=1, path=column.name, code="column-twice", value=column.name))
        else:
            seen.add((column.field or column.name, column.variety))
    return problems


# --- handles ---------------------------------------------------------------------------------------------------------


def _with_handles(rows: list[ImportRow], problems: list[RowProblem]) -> list[ImportRow]:
    """Rows whose file names no handles get one each, made from the title; where two would be alike, with the SKU."""
    if not rows or rows[0].handle_given:
        return rows
    taken: set[str] = set()
    made = []
    for row in rows:
        handle = slug(str(row.title)) or slug(row.sku)
        if handle in taken:
            handle = handle_with_sku(handle, row.sku)
        if not handle or handle in taken:
            problems.append(RowProblem(line=row.line, path="title", code="no-handle", value=str(row.title)[:80]))
            continue
        taken.add(handle)
        made.append(attrs.evolve(row, handle=handle))
    return made


def handle_with_sku(handle: str, sku: str) -> str:
    """A handle told apart from others by the SKU; the same for the same two."""
    ending = f"-{slug(sku)}"
    return f"{handle[: MAX_HANDLE - len(ending)]}{ending}" if len(ending) < MAX_HANDLE else slug(sku)


# --- stock -----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class StockRow:
    """How many units of a SKU a file of stock states, and where."""

    line: int
    column: str
    sku: Sku
    units: int


def read_inventory(data: bytes) -> tuple[list[StockRow], list[RowProblem]]:
    """Read a file of stock, ``product_id,quantity`` or ``sku,stock``: each SKU once, and problems.

    :raises UnreadableFileError, UnknownLayoutError, FileTooLargeError: as :func:`read_csv`.
    """
    check_size(data)
    text = decoded(data)
    layout = recognized(text, _INVENTORY)
    problems = _of_header(layout)
    (at_sku, sku_column), *_ = layout.of("sku") or layout.of("id")
    (at_stock, stock_column), *_ = layout.of("stock")
    found: dict[Sku, StockRow] = {}
    for line, record in Records(text, layout.delimiter, layout.header_rows, problems):
        if not fits(line, record, len(layout.columns), problems):
            continue
        try:
            sku = Sku(cells.sku(record[at_sku], sku_column.name))
            units = cells.stock(record[at_stock], stock_column.name)
            if units is None:
                raise invalid("missing", stock_column.name, "")
        except InvalidInputError as error:
            problems += problems_at(line, error)
            continue
        first = found.setdefault(sku, StockRow(line=line, column=sku_column.name, sku=sku, units=units))
        if first.line != line:
            problems.append(pair(line, first.line, sku_column.name, "duplicate-sku", sku))
    return list(found.values()), [attrs.evolve(problem, file=INVENTORY) for problem in problems]


def with_inventory(
    rows: Iterable[ImportRow], inventory: Iterable[StockRow]
) -> tuple[list[ImportRow], list[RowProblem]]:
    """The rows with the stock of an inventory file, whose SKUs that are not among the rows are noted.

    What is missing from the inventory is there, but sold out.
    """
    stated = {row.sku: row for row in inventory}
    stocked = [attrs.evolve(row, stock=stated[row.sku].units if row.sku in stated else 0) for row in rows]
    known = {row.sku for row in stocked}
    notes = [
        RowProblem(line=row.line, path=row.column, code="not-in-file", value=row.sku, note=True, file=INVENTORY)
        for row in stated.values()
        if row.sku not in known
    ]
    return stocked, notes


# --- categories ------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class CategoryRow:
    """One category as a file states it: the way to it, its names, its place among its siblings."""

    line: int
    path: tuple[str, ...]
    title: Text
    position: int | None


def read_categories(data: bytes, *, locale: str = "en") -> tuple[list[CategoryRow], list[RowProblem]]:
    """Read a file of categories: ``path,title_en,title_ja,position``, where a path is codes joined by ``>``.

    :raises UnreadableFileError, UnknownLayoutError, FileTooLargeError: as :func:`read_csv`.
    """
    check_size(data)
    text = decoded(data)
    layout = recognized(text, _CATEGORIES)
    problems = _of_header(layout)
    rows = []
    for line, record in Records(text, layout.delimiter, layout.header_rows, problems):
        if not fits(line, record, len(layout.columns), problems):
            continue
        try:
            rows.append(_category_row(layout, line, record, locale))
        except InvalidInputError as error:
            problems += problems_at(line, error)
    return rows, problems


def _category_row(layout: Layout, line: int, record: list[str], locale: str) -> CategoryRow:
    (at_path, path_column), *_ = layout.of("path")
    found = cells.paths(record[at_path], path_column.name)
    if len(found) != 1:
        raise invalid("not-a-category-path", path_column.name, record[at_path])
    texts = {
        column.variety or locale: cells.text(record[at], column.name, checking.MAX_NAME)
        for at, column in layout.of("title")
        if record[at]
    }
    if not texts:
        raise invalid("missing", layout.of("title")[0][1].name, "")
    position = [cells.whole(record[at], column.name, 0, 10**6) for at, column in layout.of("position")]
    return CategoryRow(line=line, path=found[0], title=Text(texts), position=position[0] if position else None)
