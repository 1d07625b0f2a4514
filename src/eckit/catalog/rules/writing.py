"""Products as a CSV file that the import reads back: by the csv module, never by joining text."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from eckit.catalog.model import Product, ProductState, Variant
from eckit.catalog.rules.cells import MANY_MARK
from eckit.kernel.money import from_minor
from eckit.kernel.text import neutralize_cell

_WOULD_BE_UNDONE: Final = re.compile(r"'+[=+\-@\t\r\n\x00＝＋－＠]")


def header(locales: Sequence[str], list_currency: str, cost_currencies: Sequence[str]) -> list[str]:
    """The names of the columns; texts have one per locale, costs one per currency."""
    texts = [f"{field}_{locale}" for field in ("title", "description") for locale in locales]
    options = [f"option_{locale}" for locale in locales]
    costs = [f"cost_{currency.lower()}" for currency in cost_currencies]
    measures = ["length_mm", "width_mm", "height_mm", "weight_grams"]
    return [
        *("handle", *texts, "category", "sku", *options, f"price_{list_currency.lower()}", *costs),
        *("tax_class", *measures, "gtin", "hs_code", "origin", "published"),
    ]


def record(
    product: Product,
    variant: Variant,
    *,
    locales: Sequence[str],
    category_codes: Iterable[str],
    price_minor: int | None,
    list_currency: str,
    cost_currencies: Sequence[str],
) -> list[str]:
    """The cells of one variant. Texts are made inert; numbers stay numbers."""
    titles, descriptions, options = (text.as_dict() for text in (product.title, product.description, variant.option))
    measures = variant.measures
    sizes = (measures.length_mm, measures.width_mm, measures.height_mm, measures.weight_grams)
    return [
        _inert(product.handle),
        *(_inert(texts.get(locale, "")) for texts in (titles, descriptions) for locale in locales),
        _inert(MANY_MARK.join(sorted(category_codes))),
        _inert(variant.sku),
        *(_inert(options.get(locale, "")) for locale in locales),
        _amount(price_minor, list_currency),
        *(
            _amount(variant.cost_minor if variant.cost_currency == currency else None, currency)
            for currency in cost_currencies
        ),
        _inert(variant.tax_class),
        *("" if size is None else str(size) for size in sizes),
        MANY_MARK.join(variant.gtins),
        variant.hs_code or "",
        variant.origin or "",
        "yes" if product.state == ProductState.PUBLISHED else "no",
    ]


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula, and that the import reads back as it was."""
    return f"'{text}" if _WOULD_BE_UNDONE.match(text) else neutralize_cell(text)


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else f"{from_minor(minor, currency).amount:f}"


def lines(records: Iterable[Sequence[str]]) -> bytes:
    """Records as bytes of a UTF-8 file; quoted where they have to be."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows(records)
    return buffer.getvalue().encode("utf-8")
