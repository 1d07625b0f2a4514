"""What the catalog refuses."""

from typing import ClassVar

import attrs

from eckit.catalog.model import ImportReport
from eckit.kernel.errors import ConflictError, ObjectedError, RefusedError
from eckit.kernel.texts import say

_SHOWN_PROBLEMS = 10


@attrs.define(kw_only=True, eq=False)
class ProductChangedError(ConflictError):
    """The product or variant was changed by somebody else since it was loaded."""

    code: ClassVar[str] = "product-changed"
    id: str
    version: int
    found: int


@attrs.define(kw_only=True, eq=False)
class HandleTakenError(RefusedError):
    """Another product has this handle."""

    code: ClassVar[str] = "handle-taken"
    handle: str


@attrs.define(kw_only=True, eq=False)
class SkuTakenError(RefusedError):
    """Another variant has this SKU."""

    code: ClassVar[str] = "sku-taken"
    sku: str


@attrs.define(kw_only=True, eq=False)
class CategoryCodeTakenError(RefusedError):
    """Another category has this code."""

    code: ClassVar[str] = "category-code-taken"
    category: str


@attrs.define(kw_only=True, eq=False)
class CategoryCycleError(RefusedError):
    """The category would stand below itself."""

    code: ClassVar[str] = "category-cycle"
    category: str
    parent: str


@attrs.define(kw_only=True, eq=False)
class PriceListCodeTakenError(RefusedError):
    """Another price list has this code."""

    code: ClassVar[str] = "price-list-code-taken"
    price_list: str


@attrs.define(kw_only=True, eq=False)
class PriceListInUseError(RefusedError):
    """A price list that has prices keeps its currency and tax basis: other amounts would be meant."""

    code: ClassVar[str] = "price-list-in-use"
    price_list: str


@attrs.define(kw_only=True, eq=False)
class WrongListCurrencyError(RefusedError):
    """The amounts are in another currency than the price list they are meant for."""

    code: ClassVar[str] = "wrong-list-currency"
    price_list: str
    list_currency: str
    currency: str


@attrs.define(kw_only=True, eq=False)
class PriceListMissingError(RefusedError):
    """There is no price list in this currency to import to."""

    code: ClassVar[str] = "price-list-missing"
    currency: str


@attrs.define(kw_only=True, eq=False)
class PriceListAmbiguousError(RefusedError):
    """Several price lists are in this currency: the import must name one."""

    code: ClassVar[str] = "price-list-ambiguous"
    currency: str
    price_lists: str


@attrs.define(kw_only=True, eq=False)
class NotPublishableError(ObjectedError):
    """Rules or plugins object to publishing the product; all objections are given."""

    code: ClassVar[str] = "not-publishable"
    id: str


@attrs.define(kw_only=True, eq=False)
class UnreadableFileError(RefusedError):
    """The file is in none of the encodings that are read.

    :ivar position: of the first byte that cannot be read, from 0. ``byte``: it, in hexadecimal.
    """

    code: ClassVar[str] = "unreadable-file"
    position: int
    byte: str


@attrs.define(kw_only=True, eq=False)
class UnknownLayoutError(RefusedError):
    """The first row is neither a header with known columns nor a row of a known file without one."""

    code: ClassVar[str] = "unknown-layout"
    first_row: str


@attrs.define(kw_only=True, eq=False)
class FileTooLargeError(RefusedError):
    """The file is larger, or has more rows, than one import may have."""

    code: ClassVar[str] = "file-too-large"
    found: int
    limit: int


@attrs.define(kw_only=True, eq=False)
class CurrencyMissingError(RefusedError):
    """Neither the file nor the caller says which currency the prices are in."""

    code: ClassVar[str] = "currency-missing"
    path: str


@attrs.define(kw_only=True, eq=False)
class CurrencyAmbiguousError(RefusedError):
    """The file has prices in several currencies, and the caller does not say which to take."""

    code: ClassVar[str] = "currency-ambiguous"
    currencies: str


@attrs.define(kw_only=True, eq=False)
class ImportRefusedError(RefusedError):
    """Rows of the file have problems. Nothing was imported; the report has all of them."""

    code: ClassVar[str] = "import-refused"
    report: ImportReport

    def text(self, locale: str = "en") -> str:
        """How many problems there are, and the first of them."""
        problems = self.report.problems
        head = say("error.import-refused", locale, count=len(problems), rows=self.report.rows)
        return "\n".join([head, *(problem.sentence(locale) for problem in problems[:_SHOWN_PROBLEMS])])
