"""Whether rows that are to be imported are well formed and go together, wherever they come from."""

from collections.abc import Sequence
from typing import Final

import attrs

from eckit.catalog.errors import ImportRefusedError
from eckit.catalog.model import ImportReport, ImportRow, RowProblem
from eckit.catalog.rules import checking
from eckit.catalog.rules.checking import Gather
from eckit.catalog.rules.records import problems_at
from eckit.catalog.rules.slugs import category_code, slug
from eckit.kernel.errors import InvalidInputError, invalid
from eckit.kernel.text import clean

_NUMBERS: Final = (
    ("stock", 0, checking.MAX_STEPS),
    ("length_mm", 1, checking.MAX_MM),
    ("width_mm", 1, checking.MAX_MM),
    ("height_mm", 1, checking.MAX_MM),
    ("weight_grams", 1, checking.MAX_GRAMS),
)
_CODES: Final = (
    ("tax_class", checking.code),
    ("hs_code", checking.hs_code),
    ("origin", checking.country),
    ("cost_currency", checking.currency),
)


def checked(rows: Sequence[ImportRow], problems: Sequence[RowProblem]) -> tuple[list[ImportRow], list[RowProblem]]:
    """The rows that are well formed and do not contradict each other, and all problems."""
    found = list(problems)
    good = []
    for row in rows:
        try:
            good.append(_checked(row))
        except InvalidInputError as error:
            found += problems_at(row.line, error)
    return consistent(good, found), found


def _checked(row: ImportRow) -> ImportRow:
    gather = Gather()
    sku = gather.take(checking.sku, row.sku)
    gather.take(checking.handle, row.handle)
    gather.take(checking.names, row.title, "title", required=True)
    if row.description is not None:
        gather.take(checking.description, row.description)
    if row.option is not None:
        gather.take(checking.names, row.option, "option")
    gather.take(checking.amount, row.price_minor, "price")
    gather.take(checking.currency, row.currency, "currency")
    if (row.cost_minor is None) != (row.cost_currency is None):
        gather.problems += invalid("cost-without-currency", "cost", row.cost_minor).problems
    elif row.cost_minor is not None:
        gather.take(checking.amount, row.cost_minor, "cost")
    for name, low, high in _NUMBERS:
        if getattr(row, name) is not None:
            gather.take(checking.whole, getattr(row, name), name, low, high)
    for name, check in _CODES:
        if getattr(row, name) is not None:
            gather.take(check, getattr(row, name), name)
    for number in row.gtins or ():
        gather.take(checking.gtin, number)
    for path in row.categories:
        _check_path(gather, path)
    gather.done()
    return attrs.evolve(row, sku=sku)


def _check_path(gather: Gather, path: tuple[str, ...]) -> None:
    if not path or not all(slug(name) for name in path):
        gather.problems += invalid("not-a-category-path", "category", path).problems
        return
    for name in path:
        gather.take(clean, name, path="category", max_length=checking.MAX_NAME)
    gather.take(checking.category_word, category_code(path), "category")


def report_of(rows: Sequence[ImportRow], found: Sequence[RowProblem]) -> ImportReport:
    """What has been read, before anything is written: ``rows`` counts the bad ones too, problems are sorted by line."""
    refused = tuple(sorted((one for one in found if not one.note), key=lambda one: (one.file, one.line)))
    bad = {one.line for one in refused if not one.file} - {row.line for row in rows}
    notes = tuple(one for one in found if one.note)
    return ImportReport(rows=len(rows) + len(bad), products=0, variants=0, problems=refused, notes=notes)


def nothing_to_import(found: Sequence[RowProblem], *, keep_good: bool) -> ImportReport:
    """What is said of a file without a good row.

    :raises ImportRefusedError: its rows have problems, and good ones were not all that was asked for.
    """
    report = report_of((), found)
    if report.problems and not keep_good:
        raise ImportRefusedError(report=report)
    return report


def consistent(rows: Sequence[ImportRow], problems: list[RowProblem]) -> list[ImportRow]:
    """The rows that do not contradict each other: each SKU once, the same texts in all rows of a product."""
    first_sku: dict[str, int] = {}
    leaders: dict[str, ImportRow] = {}
    bad: set[int] = set()
    for row in rows:
        earlier = first_sku.setdefault(row.sku, row.line)
        if earlier != row.line:
            # which of the two is right only the shop knows, so neither is good
            if earlier not in bad:
                problems.append(pair(earlier, row.line, "sku", "duplicate-sku", row.sku))
            problems.append(pair(row.line, earlier, "sku", "duplicate-sku", row.sku))
            bad |= {earlier, row.line}
        if row.handle_given:
            leader = leaders.setdefault(row.handle, row)
            if leader is not row and (found := _contradiction(leader, row)):
                problems.append(pair(row.line, leader.line, found, "columns-differ", row.handle))
                bad.add(row.line)
    return [row for row in rows if row.line not in bad] if bad else list(rows)


def pair(line: int, other: int, path: str, code: str, value: str) -> RowProblem:
    """A problem of two rows together, at one of them."""
    return RowProblem(line=line, path=path, code=code, value=value, other_line=other)


def _contradiction(leader: ImportRow, row: ImportRow) -> str | None:
    for field in ("title", "description", "published"):
        first, second = getattr(leader, field), getattr(row, field)
        if first is not second and first != second:
            return field
    return None
