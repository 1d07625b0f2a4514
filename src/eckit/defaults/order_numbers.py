"""The order numbers of a shop that has no wishes of its own: ``0000042``, in a series of its own ``EC-0000042``."""

import datetime as dt
from typing import ClassVar

from eckit.kernel.hookspecs import hookimpl

MAIN = "main"
"""The series that shows no prefix."""


class OrderNumbers:
    """Numbers by series and count. They tell how many orders a shop has: who minds chooses others."""

    name = "eckit-order-numbers"
    version = "1.0.0"
    eckit_interface: ClassVar[dict[str, int]] = {"order": 1}

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> str:
        """The count in seven digits or more, after the series if it is not the main one."""
        return f"{n:07d}" if series == MAIN else f"{series}-{n:07d}"


plugin = OrderNumbers()
