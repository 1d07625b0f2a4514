"""A shop's transactions for shipments, carriers that do as they are told, and orders as plain facts."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.customer import TaxPlace
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import Problem
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import GroupId, LineId, LocationId, OptionCode, OrderId
from eckit.kernel.minting import mint
from eckit.kernel.plugins import Plugins
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.order import Block, Order, OrderLine, OrderState
from eckit.pricing.model import QuoteGroup
from eckit.shipping import (
    CarrierSpec,
    Fare,
    FareChange,
    FareRequest,
    Parcel,
    ParcelPlan,
    Refusal,
    Shipment,
    service as shipping,
)
from eckit.testing.begin import START, make_begin

STAFF = Actor.staff("ito", "shipping.read", "shipping.write")
TOKYO, OSAKA = LocationId(mint("location")), LocationId(mint("location"))
JAPAN = TaxPlace(country="JP", region="東京都", postal_prefix="150")

Quote = Callable[[FareRequest], Any]


@attrs.frozen
class Ship:
    """A carrier that answers what it is told."""

    code: str
    answer: Quote = lambda request: ()
    problems: Callable[[FareRequest], Any] = lambda request: ()
    loads: list[int] = attrs.field(factory=list)
    spec: CarrierSpec = CarrierSpec(label=Text.of("Ship"), services=())

    def check(self, request: FareRequest) -> Any:
        return self.problems(request)

    def load(self, own: Any, at: dt.datetime) -> str:
        self.loads.append(1)
        return f"facts of {self.code}"

    def quote(self, facts: str, request: FareRequest) -> Any:
        assert f"facts of {self.code}" == facts
        return self.answer(request)


@attrs.frozen
class Reader:
    """A carrier that knows numbers: twelve digits, the last the others mod 7."""

    code: str = "seven"
    url: Callable[[str], Any] = lambda number: f"https://track.example/{number}"
    spec: CarrierSpec = CarrierSpec(label=Text.of("Seven"), services=())

    def check(self, request: FareRequest) -> tuple[Problem, ...]:
        return ()

    def parse_number(self, text: str) -> str | None:
        digits = text.replace("-", "").replace(" ", "")
        good = len(digits) == 12 and digits.isdigit() and int(digits[:-1]) % 7 == int(digits[-1])
        return digits if good else None

    def tracking_url(self, number: str, locale: str) -> Any:
        return self.url(number)


@attrs.frozen
class Fleet:
    """The plugin of one or several carriers."""

    name: str
    carriers: tuple[Any, ...]
    changes: Callable[[tuple[Any, ...]], tuple[FareChange, ...]] = lambda offers: ()
    version: str = "1.0"
    eckit_interface: Mapping[str, int] = attrs.field(factory=lambda: {"shipping": 1})

    @hookimpl
    def register_carriers(self) -> tuple[Any, ...]:
        return self.carriers

    @hookimpl
    def propose_shipping_changes(self, request: FareRequest, offers: tuple[Any, ...]) -> tuple[FareChange, ...]:
        return self.changes(offers)


def fleet(*carriers: Ship) -> list[Fleet]:
    """A plugin for each carrier, named after it."""
    return [Fleet(f"fleet-{carrier.code}", (carrier,)) for carrier in carriers]


def composed(*plugins: Any) -> Plugins:
    """The plugins alone."""
    return compose_plugins(shipping.SPECS, plugins, collect=[shipping.collect])


def fare(amount: int | Money, service: str = "standard", **others: Any) -> Fare:
    """What a service costs, with tax."""
    total = Money(amount, "JPY") if isinstance(amount, int) else amount
    return Fare(service=service, label=Text.of(service), total=total, **{"tax_included": True, **others})


def refusal(code: str, service: str = "standard") -> Refusal:
    """Why it cannot be had."""
    return Refusal(service=service, code=code, message=Text.of("No.", ja="だめ。"))


def a_request(**others: Any) -> FareRequest:
    """A parcel of 500 g to Tokyo."""
    values: dict[str, Any] = {
        "origin": None,
        "destination": JAPAN,
        "parcels": (ParcelPlan(weight_grams=500),),
        "goods_value": Money(3000, "JPY"),
        "goods_include_tax": True,
        "at": START,
    }
    return FareRequest(**{**values, **others})


def an_order(*steps: int, confirmed: bool = True, blocks: Sequence[str] = (), **others: Any) -> Order:
    """An order of a line for each number of steps, all in one group."""
    order_id, group = OrderId(mint("order")), GroupId(mint("group"))
    lines = tuple(
        OrderLine(
            id=LineId(mint("line")),
            order_id=order_id,
            group_id=group,
            seller_id=mint("seller"),  # type: ignore[arg-type]
            variant_id=mint("variant"),  # type: ignore[arg-type]
            sku=f"SKU-{number}",  # type: ignore[arg-type]
            title=Text.of("Tea", ja="お茶"),
            option=Text.of("50 g"),
            steps=count,
            unit_minor=1000,
            goods_minor=1000 * count,
            total_minor=1000 * count,
            tax_class="standard",
            supply="stock",
        )
        for number, count in enumerate(steps or (1,), start=1)
    )
    values: dict[str, Any] = {
        "id": order_id,
        "number": f"R-{order_id[-6:]}",
        "token": "t" * 43,
        "channel_id": mint("channel"),
        "market_id": mint("market"),
        "origin": "own",
        "cart_id": None,
        "cart_version": None,
        "customer_id": None,
        "buyer": mint("party"),
        "bill_to": None,
        "currency": "JPY",
        "locale": "ja",
        "basis": "rules",
        "state": OrderState.PLACED,
        "placed_at": START,
        "recorded_at": START,
        "confirmed_at": START if confirmed else None,
        "total_minor": 1000,
        "current_total_minor": 1000,
        "digest": "0" * 64,
        "lines": lines,
        "blocks": tuple(
            Block(id=mint("block"), order_id=order_id, kind=kind, placed_at=START)  # type: ignore[arg-type]
            for kind in blocks
        ),
    }
    return Order(**{**values, **others})


def groups_of(order: Order, mode: str = "ship", option: str | None = "seven.standard") -> list[QuoteGroup]:
    """The groups of its lines."""
    return [
        QuoteGroup(
            id=group,
            mode=mode,
            destination=None,
            tax_place=JAPAN,
            option=None if option is None else OptionCode(option),
        )
        for group in sorted({line.group_id for line in order.lines})
    ]


@attrs.frozen
class Dock:
    """Begins Works on a database, and ships orders."""

    begin: Begin
    clock: FixedClock
    url: str

    def plan(
        self, order: Order, places: Mapping[LineId, Sequence[tuple[LocationId, int]]] | None = None
    ) -> tuple[Shipment, ...]:
        """What goes from where; by default all from Tokyo."""
        held = {line.id: [(TOKYO, line.open_steps)] for line in order.lines} if places is None else places
        with self.begin.write(STAFF) as work:
            return shipping.plan(work, order, groups_of(order), held)

    def hand_over(
        self, order: Order, number: str = "", lines: Mapping[LineId, int] | None = None, **others: Any
    ) -> list[Parcel]:
        """Everything that is ready, or these lines: as the flow does."""
        self.clock.advance(dt.timedelta(minutes=1))
        with self.begin.write(STAFF) as work:
            going = shipping.to_leave(work, order, lines)
            return [
                shipping.hand_over(work, one, some, number=number if first else "", **others)
                for first, (one, some) in zip([True] + [False] * len(going), going, strict=False)
            ]

    def deliver(self, order: Order, **others: Any) -> tuple[Shipment, ...]:
        """It has arrived."""
        self.clock.advance(dt.timedelta(days=1))
        with self.begin.write(STAFF) as work:
            return shipping.deliver(work, order.id, **others)

    def states(self, order: Order) -> list[str]:
        """Of its shipments, oldest first."""
        with self.begin.read(STAFF) as work:
            return [one.state.value for one in shipping.for_order(work, order.id)]

    def lines(self, order: Order) -> list[tuple[str, int]]:
        """State and steps of each line of each shipment."""
        with self.begin.read(STAFF) as work:
            found = shipping.for_order(work, order.id)
        return sorted((one.state.value, line.steps) for one in found for line in one.lines)


@pytest.fixture
def dock(migrated_url: str) -> Dock:
    """On both databases, with the carrier that reads numbers."""
    clock = FixedClock(START)
    begin = make_begin(migrated_url, plugins=[Fleet("fleet-seven", (Reader(),))], clock=clock)
    return Dock(begin, clock, migrated_url)
