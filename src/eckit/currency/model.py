"""Exchange rates as evidence: what the rate was, who said so, when, and how it was rounded."""

import datetime as dt
from decimal import Decimal
from typing import Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class Rate:
    """One whole unit of ``base`` is worth ``rate`` whole units of ``quote``.

    :ivar spread: fraction the shop adds for its risk; already in ``rate``.
    :ivar at: the instant the source gives for it; ``valid_until`` is exclusive.
    """

    base: str
    quote: str
    rate: Decimal
    source: str
    at: dt.datetime
    valid_until: dt.datetime | None = None
    spread: Decimal = Decimal(0)


@runtime_checkable
class RateSource(Protocol):
    """Gives dated rates. May use the network: asked outside transactions only; what it says is kept as evidence."""

    @property
    def code(self) -> str:
        """Names it in stored rates."""
        ...

    def rate(self, base: str, quote: str, at: dt.datetime) -> Rate | None:
        """The rate in force at an instant, or None: unknown is never 1."""
        ...
