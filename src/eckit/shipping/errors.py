"""What shipping refuses."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, RefusedError


@attrs.define(kw_only=True, eq=False)
class NotReadyToShipError(RefusedError):
    """The goods may not leave; ``reasons`` says why: not confirmed, blocked, canceled, nothing left to ship."""

    code: ClassVar[str] = "not-ready-to-ship"
    reasons: tuple[str, ...] = ()

    def facts(self) -> dict[str, object]:
        """The reasons as text."""
        return {"reasons": ", ".join(self.reasons)}


@attrs.define(kw_only=True, eq=False)
class TrackingNumberTakenError(ConflictError):
    """The tracking number belongs to another parcel of this carrier already."""

    code: ClassVar[str] = "tracking-number-taken"
    number: str = ""


@attrs.define(kw_only=True, eq=False)
class NumberRefusedError(RefusedError):
    """The carrier knows no such numbers: a digit is wrong or missing."""

    code: ClassVar[str] = "number-refused"
    number: str = ""
    carrier: str = ""
