"""Cells of an import file to values, strictly: what cannot be read is a problem that names column and value.

Numbers and codes are folded (full-width digits count as digits); texts stay as they are.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final, TypeAlias

from eckit.catalog.rules import checking
from eckit.catalog.rules.slugs import MAX_HANDLE, PATH_MARK, category_code, slug
from eckit.kernel.errors import invalid
from eckit.kernel.money import exponent, parse_amount
from eckit.kernel.text import clean

Cell: TypeAlias = Callable[[str, str], object]
"""Reads a cell; the second argument is the column, as the file names it."""

MANY_MARK: Final = "|"
"""Between several values of one cell: category paths, trade item numbers."""

_HANDLE: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")  # the usual ones
_DIGITS: Final = re.compile(r"[0-9]+")
_YES: Final = frozenset({"yes", "true", "1", "公開"})
_NO: Final = frozenset({"no", "false", "0", "非公開"})
_FORMULA_MADE_INERT: Final = re.compile(r"'+[=+\-@\t\r\n\x00＝＋－＠]")


def text(cell: str, path: str, max_length: int, *, multiline: bool = False) -> str:
    """A text as it was given, in NFC.

    :raises InvalidInputError: as :func:`eckit.kernel.text.clean`.
    """
    if cell.isascii() and cell.isprintable() and len(cell) <= max_length:
        return cell
    return clean(cell, path=path, max_length=max_length, multiline=multiline)


def unneutralized(cell: str) -> str:
    """A text cell as it was before the export made it inert: one apostrophe less where it stands before a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA_MADE_INERT.match(cell) else cell


def folded(cell: str) -> str:
    """A cell that holds a number or a code: half width, without space around it.

    One with a ``²``, ``½`` or ``①`` stays as it is and is no number then: half width, ``5²`` would be 52.
    """
    if cell.isascii() or any(unicodedata.category(character) == "No" for character in cell):
        return cell.strip()
    return unicodedata.normalize("NFKC", cell).strip()


def whole(cell: str, path: str, low: int, high: int) -> int | None:
    """A whole number without sign or separators; None for an empty cell.

    :raises InvalidInputError: ``not-a-whole-number``, ``number-out-of-range``.
    """
    digits = folded(cell)
    if not digits:
        return None
    if not _DIGITS.fullmatch(digits) or len(digits) > 15:
        raise invalid("not-a-whole-number", path, cell)
    return checking.whole(int(digits), path, low, high)


def stock(cell: str, path: str) -> int | None:
    """How many units there are."""
    return whole(cell, path, 0, checking.MAX_STEPS)


def millimeters(cell: str, path: str) -> int | None:
    """A length."""
    return whole(cell, path, 1, checking.MAX_MM)


def grams(cell: str, path: str) -> int | None:
    """A weight."""
    return whole(cell, path, 1, checking.MAX_GRAMS)


def yes_or_no(cell: str, path: str) -> bool | None:
    """A switch; None for an empty cell.

    :raises InvalidInputError: ``not-yes-or-no``.
    """
    word = folded(cell).casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if word:
        raise invalid("not-yes-or-no", path, cell)
    return None


def sku(cell: str, path: str) -> str:
    """A SKU in its normal form."""
    if cell.isascii() and cell.isprintable() and 0 < len(stripped := cell.strip()) <= checking.MAX_SKU:
        return stripped
    return checking.sku(cell, path)


def handle(cell: str, path: str) -> str:
    """A handle, made of what the cell says.

    :raises InvalidInputError: ``missing``, ``too-long``, ``unexpected-character`` when there is no letter or digit.
    """
    if len(cell) <= MAX_HANDLE and _HANDLE.fullmatch(cell):
        return cell
    given = clean(folded(cell), path=path, max_length=MAX_HANDLE)
    if not given:
        raise invalid("missing", path, cell)
    made = slug(given)
    if not made:
        raise invalid("unexpected-character", path, cell, suggestion="morning-sencha")
    return made


def amounts(*, minor_units: bool) -> Callable[[str, str, str], int | None]:
    """A reader of amounts: cell, column and currency to minor units, None for an empty cell.

    It raises ``negative-amount``, and as :func:`eckit.kernel.money.parse_amount`.
    """

    def read(cell: str, path: str, currency: str) -> int | None:
        decimals = 0 if minor_units else exponent(currency)
        if cell.isascii() and len(cell) <= 12:  # the usual forms, which can be read in one way only
            units, point, fraction = cell.partition(".")
            if units.isdigit() and not point:
                return int(units + "0" * decimals)
            if units.isdigit() and decimals and len(fraction) == decimals and fraction.isdigit():
                return int(units + fraction)
        given = folded(cell)
        if not given:
            return None
        if given.startswith("-") and _DIGITS.search(given):
            raise invalid("negative-amount", path, cell, limit=0)
        return parse_amount(given, currency, minor_units=minor_units, path=path)

    return read


def paths(cell: str, path: str) -> tuple[tuple[str, ...], ...]:
    """Category paths: names from a root down joined by ``>``, several paths joined by ``|``.

    :raises InvalidInputError: ``not-a-category-path`` where a name is empty or has no letter or digit, ``too-long``.
    """
    given = clean(cell, path=path, max_length=10 * checking.MAX_NAME)
    return tuple(_names(one, path) for one in given.split(MANY_MARK) if one.strip())


def _names(one: str, path: str) -> tuple[str, ...]:
    names = tuple(clean(name.strip(), path=path, max_length=checking.MAX_NAME) for name in one.split(PATH_MARK))
    if not all(slug(name) for name in names):
        raise invalid("not-a-category-path", path, one)
    checking.category_word(category_code(names), path)
    return names


def gtins(cell: str, path: str) -> tuple[str, ...]:
    """Trade item numbers."""
    if cell.isascii() and cell.isdigit() and 8 <= len(cell) <= 14:
        return (cell,)
    numbers = [number.strip() for number in folded(cell).replace("-", "").split(MANY_MARK)]
    return tuple(checking.gtin(number, path) for number in numbers if number)


def tax_class(cell: str, path: str) -> str | None:
    """A tax class; None for an empty cell."""
    word = folded(cell)
    return checking.code(word, path) if word else None


def hs_code(cell: str, path: str) -> str | None:
    """A customs tariff number with or without dots; None for an empty cell."""
    number = folded(cell).replace(".", "")
    return checking.hs_code(number, path) if number else None


def country(cell: str, path: str) -> str | None:
    """A country code; None for an empty cell."""
    word = folded(cell).upper()
    return checking.country(word, path) if word else None


def currency(cell: str, path: str) -> str | None:
    """A currency code; None for an empty cell.

    :raises InvalidInputError: ``unknown-currency``.
    """
    word = folded(cell).upper()
    return checking.currency(word, path) if word else None
