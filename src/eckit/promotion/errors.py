"""What promotion refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, RefusedError


@attrs.define(kw_only=True, eq=False)
class CouponExhaustedError(RefusedError):
    """A code or promotion has no use left, in total or for this customer; nothing was placed or charged."""

    code: ClassVar[str] = "coupon-exhausted"
    codes: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The codes as text."""
        return {"codes": ", ".join(self.codes)}


@attrs.define(kw_only=True, eq=False)
class BuyerUnknownError(RefusedError):
    """A promotion is limited per customer, and nobody knows who buys."""

    code: ClassVar[str] = "buyer-unknown"
    codes: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The codes as text."""
        return {"codes": ", ".join(self.codes)}


@attrs.define(kw_only=True, eq=False)
class PromotionCodeTakenError(ConflictError):
    """Another promotion has this code."""

    code: ClassVar[str] = "promotion-code-taken"
    taken: str = ""


@attrs.define(kw_only=True, eq=False)
class CouponTakenError(ConflictError):
    """The code opens another promotion already; nothing was saved."""

    code: ClassVar[str] = "coupon-taken"
    taken: str = ""
