"""One record of a product file to one :class:`~eckit.catalog.model.ImportRow`."""

from collections.abc import Callable
from typing import Any, Final

from eckit.catalog.errors import CurrencyAmbiguousError, CurrencyMissingError
from eckit.catalog.model import ImportRow, RowProblem
from eckit.catalog.rules import cells, checking
from eckit.catalog.rules.layouts import Column, Layout
from eckit.catalog.rules.records import problems_at
from eckit.catalog.rules.texts import made_of
from eckit.kernel.errors import InvalidInputError, invalid

_PLAIN: Final[dict[str, cells.Cell]] = {
    "stock": cells.stock,
    "length_mm": cells.millimeters,
    "width_mm": cells.millimeters,
    "height_mm": cells.millimeters,
    "weight_grams": cells.grams,
    "gtin": cells.gtins,
    "tax_class": cells.tax_class,
    "hs_code": cells.hs_code,
    "origin": cells.country,
    "published": cells.yes_or_no,
}
_ATTRIBUTE: Final = {"gtin": "gtins"}
_LENGTHS: Final = {"title": checking.MAX_NAME, "option": checking.MAX_NAME, "description": checking.MAX_DESCRIPTION}

_REMEMBERED: Final = 2_000  # different cells of a column: most say the same over and over

Take = Callable[[list[str], dict[str, Any]], None]
"""Reads what it needs of a record into the row's fields; raises InvalidInputError."""


class RowReader:
    """Reads the records of one file; what it finds wrong is added to ``problems``."""

    def __init__(
        self, layout: Layout, *, currency: str | None, minor_units: bool, locale: str, problems: list[RowProblem]
    ) -> None:
        self._layout = layout
        self._minor_units = minor_units
        self._locale = locale
        self._problems = problems
        self._currency = currency
        self._currency_given = currency is not None
        self._paths: dict[str, tuple[tuple[str, ...], ...]] = {}
        self._takes = self._plan()

    def row(self, line: int, record: list[str]) -> ImportRow | None:
        """The row, or None where a cell is wrong; then every wrong cell has been noted."""
        fields: dict[str, Any] = {"line": line}
        good = True
        for take in self._takes:
            try:
                take(record, fields)
            except InvalidInputError as error:
                self._problems += problems_at(line, error)
                good = False
        return ImportRow(**fields) if good else None

    # --- the plan of a file: one function per field, made once -------------------------------------------------------

    def _plan(self) -> list[Take]:
        takes = [self._identity(), self._text("title", required=True)]
        takes += [self._text(field) for field in ("description", "option") if self._layout.of(field)]
        takes += [self._plain()]
        takes += [self._categories(*found) for found in self._layout.of("category")[:1]]
        takes += [self._price(*self._price_column())]
        takes += [self._cost(*found) for found in self._chosen("cost")]
        return takes

    def _identity(self) -> Take:
        """SKU and handle: ``id`` is both where there is no SKU; a title makes a handle where there is neither."""
        sku, handle, key = (self._layout.of(field)[:1] for field in ("sku", "handle", "id"))
        at_sku, sku_column = (sku or key)[0]
        named = handle or ([] if sku else key)
        inert = self._layout.ours

        def take(record: list[str], fields: dict[str, Any]) -> None:
            code = cells.unneutralized(record[at_sku]) if inert else record[at_sku]
            fields["sku"] = cells.sku(code, sku_column.name)
            if named:
                at, column = named[0]
                fields["handle"] = cells.handle(record[at], column.name)
            else:
                fields["handle"], fields["handle_given"] = "", False

        return take

    def _text(self, field: str, *, required: bool = False) -> Take:
        columns = self._layout.of(field)
        parts = [(at, column.variety or self._locale, column.name) for at, column in columns]
        inert, length, multiline = self._layout.ours, _LENGTHS[field], field == "description"
        last: list[Any] = [None, None]  # rows of one product repeat its texts

        def take(record: list[str], fields: dict[str, Any]) -> None:
            given = [record[at] for at, _, _ in parts]
            if given != last[0]:
                texts = {}
                for cell, (_, locale, name) in zip(given, parts, strict=True):
                    said = cells.unneutralized(cell) if inert else cell
                    if said:
                        texts[locale] = cells.text(said, name, length, multiline=multiline)
                last[:] = given, made_of(texts.items())
            fields[field] = last[1]
            if required and not last[1].translations:
                raise invalid("missing", parts[0][2], "")

        return take

    def _plain(self) -> Take:
        """All columns whose cells mean the same in every file."""
        plain: list[tuple[int, str, str, cells.Cell, dict[str, object]]] = [
            (at, column.name, _ATTRIBUTE.get(column.field, column.field), _PLAIN[column.field], {})
            for at, column in enumerate(self._layout.columns)
            if column.field in _PLAIN
        ]

        def take(record: list[str], fields: dict[str, Any]) -> None:
            for at, name, attribute, read, known in plain:
                cell = record[at]
                if cell in known:
                    fields[attribute] = known[cell]
                    continue
                fields[attribute] = value = read(cell, name)
                if len(known) < _REMEMBERED:
                    known[cell] = value

        return take

    def _categories(self, at: int, column: Column) -> Take:
        known = self._paths

        def take(record: list[str], fields: dict[str, Any]) -> None:
            cell = record[at]
            if cell not in known:
                known[cell] = cells.paths(cell, column.name)
            fields["categories"] = known[cell]

        return take

    # --- money -------------------------------------------------------------------------------------------------------

    def _price_column(self) -> tuple[int, Column]:
        """The column prices are taken from, and the currency of the file.

        :raises CurrencyMissingError: neither the file nor the caller says it.
        :raises CurrencyAmbiguousError: several columns, and the caller does not choose.
        """
        found = self._layout.of("price")
        if self._currency is None:
            named = [column.variety for _, column in found if column.variety]
            if len(named) > 1:
                raise CurrencyAmbiguousError(currencies=", ".join(named))
            if not named and not self._layout.of("currency"):
                raise CurrencyMissingError(path=found[0][1].name)
            self._currency = checking.currency(named[0], found[0][1].name) if named else None
        [chosen] = self._chosen("price")
        if chosen[1].variety and chosen[1].variety != self._currency:
            self._problems.append(_wrong_currency(1, chosen[1].name, chosen[1].variety, self._currency))
        return chosen

    def _chosen(self, field: str) -> list[tuple[int, Column]]:
        """Of several columns of amounts the one in the file's currency, else one that names none; others are noted."""
        found = self._layout.of(field)
        by_currency = {column.variety: (at, column) for at, column in found}
        chosen = [by_currency[name] for name in (self._currency or "", "") if name in by_currency] + found
        for at, column in found:
            if at != chosen[0][0]:
                note = RowProblem(line=1, path=column.name, code="unused-column", value=column.name, note=True)
                self._problems.append(note)
        return chosen[:1]

    def _price(self, at: int, column: Column) -> Take:
        stated = self._layout.of("currency")[:1]
        name, read = column.name, cells.amounts(minor_units=self._minor_units)

        def take(record: list[str], fields: dict[str, Any]) -> None:
            for where, currency_column in stated:
                self._agree(cells.currency(record[where], currency_column.name), currency_column.name)
            if self._currency is None:
                raise invalid("missing", stated[0][1].name, "")
            amount = read(record[at], name, self._currency)
            if amount is None:
                raise invalid("missing", name, record[at])
            fields["price_minor"], fields["currency"] = amount, self._currency

        return take

    def _agree(self, stated: str | None, path: str) -> None:
        """All rows of a file are in one currency: the caller's, else the first row's."""
        if self._currency is None:
            self._currency = stated
        elif stated is not None and stated != self._currency:
            raise invalid("wrong-currency", path, stated, limit=self._currency)

    def _cost(self, at: int, column: Column) -> Take:
        name, read = column.name, cells.amounts(minor_units=self._minor_units)

        def take(record: list[str], fields: dict[str, Any]) -> None:
            currency = column.variety or self._currency
            if currency is None:
                return  # the row has no currency, which is a problem already
            amount = read(record[at], name, currency)
            if amount is not None:
                fields["cost_minor"], fields["cost_currency"] = amount, currency

        return take


def _wrong_currency(line: int, path: str, found: str, wanted: str | None) -> RowProblem:
    return RowProblem(line=line, path=path, code="wrong-currency", value=found, limit=wanted or "")
