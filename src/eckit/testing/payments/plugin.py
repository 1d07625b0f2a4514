"""What a shop needs besides the gateway to be checked: a tax engine that takes nothing, and a second way to pay."""

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import MethodCode
from eckit.kernel.text import Text
from eckit.payment.model import (
    Begin,
    Capabilities,
    ForgedNotice,
    Gateway,
    GatewayIo,
    NoSuchPayment,
    Opened,
    Outcome,
    Query,
    QueryFailed,
    RawRequest,
    Rejected,
    Snapshot,
)
from eckit.tax.model import TaxEngine, TaxLine, TaxRequest

SECOND_METHOD: Final = MethodCode("conformance.second")


class NoTax:
    """Nothing is taxed, so that a total is exactly what a check asks for."""

    code = "conformance"

    def load(self, own: Any, at: dt.datetime) -> None:
        """No tables."""

    def answer(self, facts: None, request: TaxRequest) -> tuple[TaxLine, ...]:
        """Rate zero for each."""
        return tuple(
            TaxLine(key=item.key, code="none", rate=Decimal(0), label=Text.of("No tax"), scheme="outside")
            for item in request.items
        )


class SecondGateway:
    """Another way to pay, for checks that must not get so far as to use it. It never sends anything."""

    id = SECOND_METHOD
    label = Text.of("Second way", ja="二つ目の支払方法")

    def __init__(self, currencies: tuple[str, ...]) -> None:
        self._currencies = currencies
        self.begun = 0

    def capabilities(self) -> Capabilities:
        """Takes any amount of the checks' currencies."""
        limits = dict.fromkeys(self._currencies, (1, 10**12))
        return Capabilities(currencies=limits, flows=frozenset({"sale"}), capture="none")

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        """Refuses, and counts that it was asked."""
        self.begun += 1
        return Rejected(problems=())

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        """Knows nothing."""
        return NoSuchPayment()

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened:
        """Believes nothing."""
        return ForgedNotice(why="this way to pay has no notices")


class ConformancePlugin:
    """The kit's own plugin."""

    name = "conformance"
    version = "1"
    eckit_interface: Final = {"payment": 1, "tax": 1}

    def __init__(self, currencies: tuple[str, ...]) -> None:
        self.second = SecondGateway(currencies)

    @hookimpl
    def register_tax_engines(self, settings: None) -> tuple[TaxEngine, ...]:
        """The engine that takes nothing."""
        return (NoTax(),)

    @hookimpl
    def register_payment_gateways(self, settings: None) -> tuple[Gateway, ...]:
        """The second way to pay."""
        return (self.second,)
