"""What currency refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import RefusedError


@attrs.define(kw_only=True, eq=False)
class RateUnavailableError(RefusedError):
    """No rate is known for the pair at that instant; unknown is never 1."""

    code: ClassVar[str] = "rate-unavailable"
    base: str = ""
    quote: str = ""
