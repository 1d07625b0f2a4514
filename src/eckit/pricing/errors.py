"""What pricing refuses."""

from typing import Any, ClassVar

import attrs

from eckit.kernel.errors import ConflictError, PluginError, RefusedError
from eckit.kernel.money import format_money
from eckit.kernel.texts import say
from eckit.pricing.model import OpenItem, Quote


@attrs.define(kw_only=True, eq=False)
class QuoteChangedError(ConflictError):
    """It costs something else now than what was confirmed. Show ``quote`` and let the buyer decide anew."""

    code: ClassVar[str] = "quote-changed"
    quote: Quote = attrs.field(repr=False)

    def facts(self) -> dict[str, Any]:
        """The new total; the quote itself is on the error."""
        return {"total": self.quote.total}

    def text(self, locale: str = "en") -> str:
        """The new total, written as the locale writes it."""
        return say(f"error.{self.code}", locale, total=format_money(self.quote.total, locale))


@attrs.define(kw_only=True, eq=False)
class NotReadyError(RefusedError):
    """Something is still missing; everything that is stands in ``open``."""

    code: ClassVar[str] = "not-ready"
    open: tuple[OpenItem, ...]

    def text(self, locale: str = "en") -> str:
        """One sentence for each thing that is missing."""
        return " ".join(say(f"open.{item.code}", locale, path=item.path) for item in self.open)


@attrs.define(kw_only=True, eq=False)
class AdjustmentError(PluginError):
    """A plugin proposed an adjustment that cannot be used: another currency, half a yen, a line that is not there."""

    code: ClassVar[str] = "unusable-adjustment"


@attrs.define(kw_only=True, eq=False)
class FeeTableError(PluginError):
    """A plugin's table of fees leaves some amounts without a fee, or is out of order."""

    code: ClassVar[str] = "unusable-fee-table"


@attrs.define(kw_only=True, eq=False)
class DoesNotAddUpError(RefusedError):
    """A quote whose parts do not make its whole. Of our own rules this is a bug; of a channel's figures, a bad file.

    :ivar what: which sum.
    """

    code: ClassVar[str] = "does-not-add-up"
    what: str
    expected: int
    found: int
