"""What orders refuse."""

from typing import ClassVar

import attrs

from eckit.kernel.errors import ConflictError, RefusedError
from eckit.kernel.ids import LineId, OrderId


@attrs.define(kw_only=True, eq=False)
class NumberTakenError(ConflictError):
    """Every number that was tried belongs to another order already; ``number`` is the last one tried."""

    code: ClassVar[str] = "order-number-taken"
    number: str
    tries: int


@attrs.define(kw_only=True, eq=False)
class NotCancelableError(RefusedError):
    """Nothing of the order can be canceled any more; ``reason`` is ``shipped`` or ``closed``."""

    code: ClassVar[str] = "not-cancelable"
    order_id: OrderId
    reason: str


@attrs.define(kw_only=True, eq=False)
class NotConfirmableError(RefusedError):
    """The order was canceled before its money was secured; what becomes of the money is another decision."""

    code: ClassVar[str] = "not-confirmable"
    order_id: OrderId
    reason: str


@attrs.define(kw_only=True, eq=False)
class NotClosableError(RefusedError):
    """There is still something to do for the order: ``open_steps`` are neither shipped nor canceled."""

    code: ClassVar[str] = "not-closable"
    order_id: OrderId
    open_steps: int


@attrs.define(kw_only=True, eq=False)
class NotOpenError(RefusedError):
    """More steps of a line are to be shipped or canceled than are open."""

    code: ClassVar[str] = "not-open"
    line_id: LineId
    wanted: int
    open: int


@attrs.define(kw_only=True, eq=False)
class OrderBlockedError(RefusedError):
    """The order may not go on for now; ``kinds`` says why."""

    code: ClassVar[str] = "order-blocked"
    order_id: OrderId
    kinds: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """The kinds as text."""
        return {"order_id": self.order_id, "kinds": ", ".join(self.kinds)}
