"""Tax: what a tax engine is asked and what it answers. The core does the rounding, by the market's named policy."""

import datetime as dt
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import attrs

from eckit.customer.model import TaxPlace
from eckit.kernel.text import Text


@attrs.frozen(kw_only=True)
class Taxable:
    """One amount to be taxed.

    :ivar key: line or charge id; the answer is matched by it.
    :ivar amount_minor: after all reductions, in the request's basis.
    :ivar quantity_steps: steps the amount is for; 1 for fees and shipping.
    """

    key: str
    tax_class: str
    amount_minor: int
    quantity_steps: int
    place: TaxPlace


@attrs.frozen(kw_only=True)
class TaxRequest:
    """All taxable amounts of a quote at once."""

    currency: str
    prices_include_tax: bool
    seller_country: str
    at: dt.datetime
    items: tuple[Taxable, ...]
    customer_tax_ids: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class TaxLine:
    """The answer for one item: its rate, and where the engine computes itself, its amount.

    :ivar key: as asked; each key exactly once.
    :ivar rate: a fraction: ``Decimal("0.10")`` is 10 %.
    :ivar amount: tax in whole units of the currency, where the engine computes it (a remote service); the core
        quantizes it and gives the difference to a line. None: the core computes it from the rate by the policy.
    """

    key: str
    code: str
    rate: Decimal
    label: Text
    jurisdiction: str = ""
    scheme: str = "standard"
    amount: Decimal | None = None


@runtime_checkable
class TaxEngine(Protocol):
    """Says which rate applies to what. Two halves: ``load`` reads its own tables once per stamp, ``answer`` is pure."""

    code: str

    def load(self, own: Any, at: dt.datetime) -> Any:
        """Facts from the plugin's own tables (``own`` reads them); cached until they change. May return None."""
        ...

    def answer(self, facts: Any, request: TaxRequest) -> tuple[TaxLine, ...]:
        """One TaxLine per item."""
        ...
