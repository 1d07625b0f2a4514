"""What tax refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import PluginError


@attrs.define(kw_only=True, eq=False)
class TaxUnavailableError(PluginError):
    """No complete and believable answer about tax could be had, so nothing is priced: silence is not zero.

    :ivar engine: code of the tax engine that was asked; ``""`` when the market has none.
    :ivar reason: what is wrong, for people who run the shop; the cause is in ``__cause__``.
    """

    code: ClassVar[str] = "tax-unavailable"
    engine: str = ""
