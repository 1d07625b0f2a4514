"""What tax refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import PluginError, RefusedError
from eckit.kernel.texts import say


@attrs.define(kw_only=True, eq=False)
class TaxUnavailableError(PluginError):
    """No complete and believable answer about tax could be had, so nothing is priced: silence is not zero.

    :ivar engine: code of the tax engine that was asked; ``""`` when the market has none.
    :ivar reason: what is wrong, for people who run the shop; the cause is in ``__cause__``.
    :ivar refusal: the same as an error, where it is one, so that it can be said in any language.
    """

    code: ClassVar[str] = "tax-unavailable"
    engine: str = ""
    refusal: RefusedError | None = attrs.field(default=None, repr=False)

    def text(self, locale: str = "en") -> str:
        """What happened and what to do; why it was refused is said in the same language."""
        if self.refusal is None:
            return super().text(locale)
        return say(f"error.{self.code}", locale, engine=self.engine, reason=self.refusal.text(locale))
