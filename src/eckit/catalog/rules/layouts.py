"""Which column of a file is what: by its header, or by its shape where a known file has no header."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import attrs

from eckit.catalog.errors import UnknownLayoutError

DELIMITERS: Final = (",", "\t", ";")

# fmt: off
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "id":           ("id", "product_id"),
    "handle":       ("handle", "slug"),
    "sku":          ("sku", "variant_sku", "product_code", "item_code", "商品コード", "商品番号", "品番"),
    "title":        ("title", "name", "product_name", "商品名"),
    "description":  ("description", "body", "商品説明", "説明"),
    "option":       ("option", "variant", "バリエーション"),
    "category":     ("category", "category_path", "カテゴリ", "カテゴリー"),
    "price":        ("price", "価格", "販売価格"),
    "currency":     ("currency", "通貨"),
    "cost":         ("cost", "unit_cost", "原価", "仕入値"),
    "stock":        ("stock", "quantity", "num_in_stock", "在庫", "在庫数", "数量"),
    "gtin":         ("gtin", "upc", "ean", "jan", "isbn", "barcode", "jan_code", "janコード"),
    "tax_class":    ("tax_class", "税区分"),
    "length_mm":    ("length_mm",),
    "width_mm":     ("width_mm",),
    "height_mm":    ("height_mm",),
    "weight_grams": ("weight_grams",),
    "hs_code":      ("hs_code", "hsコード"),
    "origin":       ("origin", "country_of_origin", "原産国"),
    "published":    ("published", "公開"),
    "path":         ("path",),
    "position":     ("position",),
}
# fmt: on
_FIELDS: Final = {alias: field for field, aliases in _NAMES.items() for alias in aliases}
_LOCALIZED: Final = re.compile(r"(title|name|description|option)_([a-z]{2,3}(?:_[a-z0-9]{2,8})*)")
_MONEY: Final = re.compile(r"(price|cost)_([a-z]{3})")

IGNORED: Final = frozenset({"image_url", "image", "partner", "product_class"})
"""Columns of known files about which the catalog has nothing to say."""

_BOOKS: Final = ("product_class", "category", "upc", "title", "description", "partner", "sku", "price", "stock")
"""What django-oscar's catalog files hold, which have no header."""


@attrs.frozen
class Column:
    """One column of a file.

    :ivar name: as the file says it; problems name it so.
    :ivar field: what it is, of this module; None if that is not known.
    :ivar variety: the locale of a text, the currency of an amount; empty if the name does not say.
    """

    name: str
    field: str | None
    variety: str = ""


@attrs.frozen
class Layout:
    """The columns of a file, in order.

    :ivar header_rows: 1 if the first row names the columns.
    :ivar ours: it is a file as eckit exports it, whose text cells were made inert.
    """

    columns: tuple[Column, ...]
    delimiter: str
    header_rows: int

    @property
    def ours(self) -> bool:
        """A file as eckit exports it."""
        fields = {column.field for column in self.columns}
        return {"handle", "sku"} <= fields and any(
            column.field == "title" and column.variety for column in self.columns
        )

    def of(self, field: str) -> list[tuple[int, Column]]:
        """Where the columns of a field are."""
        return [(index, column) for index, column in enumerate(self.columns) if column.field == field]


def column(name: str) -> Column:
    """What a column of this name holds."""
    key = re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", name).strip().casefold())
    if key in _FIELDS:
        return Column(name, _FIELDS[key])
    localized, money = _LOCALIZED.fullmatch(key), _MONEY.fullmatch(key)
    if localized:
        return Column(name, localized[1].replace("name", "title"), _locale(localized[2]))
    if money:
        return Column(name, money[1], money[2].upper())
    return Column(name, None)


def _locale(tag: str) -> str:
    """``zh_hant`` and ``pt_br`` as locales are written: ``zh-Hant``, ``pt-BR``."""
    language, *rest = tag.split("_")
    cased = [part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part for part in rest]
    return "-".join([language, *cased])


def recognized(text: str, wanted: Sequence[frozenset[str]], columns: Sequence[str] | None = None) -> Layout:
    """The layout of a file: its header, a known file without one, or the given columns.

    :param wanted: groups of fields; a header has at least one of each.
    :param columns: names of the columns of a file without a header.
    :raises UnknownLayoutError: it is none of these.
    """
    rows = {mark: _first_row(text, mark) for mark in DELIMITERS}
    if columns is not None:
        mark = max(DELIMITERS, key=lambda mark: len(rows[mark]))
        given = Layout(tuple(map(column, columns)), mark, 0)
        if not _has_all(given, wanted):
            raise UnknownLayoutError(first_row=", ".join(columns)[:80])
        return given
    for mark, row in rows.items():
        found = Layout(tuple(map(column, row)), mark, 1)
        if _has_all(found, wanted):
            return found
    if _is_book(rows[","]):
        return Layout(tuple(map(column, _BOOKS)), ",", 0)
    raise UnknownLayoutError(first_row=", ".join(rows[","])[:80])


def _has_all(layout: Layout, wanted: Sequence[frozenset[str]]) -> bool:
    return all(any(layout.of(field) for field in group) for group in wanted)


def _first_row(text: str, delimiter: str) -> list[str]:
    # not strict: a header has no quotes to be wrong, and a first row of data is read again later
    first: list[str] = next(csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=delimiter), [])
    return first


def _is_book(row: Sequence[str]) -> bool:
    return len(row) == len(_BOOKS) and re.fullmatch(r"[0-9]+(\.[0-9]+)?", row[7]) is not None and row[8].isdecimal()
