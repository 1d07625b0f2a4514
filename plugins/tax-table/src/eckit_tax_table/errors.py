"""What the plugin refuses."""

from typing import ClassVar

import attrs

from eckit import RefusedError


@attrs.define(kw_only=True, eq=False)
class NoTaxRateError(RefusedError):
    """The table has no rate for this class, there and then. It is not taken for 0 %.

    :ivar at: the instant asked about, ISO 8601.
    """

    code: ClassVar[str] = "no-tax-rate"
    tax_class: str
    country: str
    region: str = ""
    at: str
