"""Goods travel: fares and options, shipments as planned, parcels as sent."""

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs
from moneyed import Money

from eckit.customer.model import TaxPlace
from eckit.kernel.errors import Problem
from eckit.kernel.events import Event
from eckit.kernel.ids import GroupId, LineId, LocationId, OptionCode, OrderId, ParcelId, ShipmentId
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text


@attrs.frozen(kw_only=True)
class ParcelItem:
    """Steps of one thing to pack, with the measures of one whole unit where known."""

    sku: str
    steps: int
    weight_grams: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None


@attrs.frozen(kw_only=True)
class ParcelPlan:
    """A parcel as planned from the goods: outer size where known, and weight."""

    weight_grams: int
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    steps: int = 1


@attrs.frozen(kw_only=True)
class FareRequest:
    """What a carrier is asked.

    :ivar goods_value: after line and order promotions, in the quote's basis (``goods_include_tax``).
    """

    origin: TaxPlace | None
    destination: TaxPlace
    parcels: tuple[ParcelPlan, ...]
    goods_value: Money
    goods_include_tax: bool
    at: dt.datetime


@attrs.frozen(kw_only=True)
class FarePart:
    """A part of a fare: base, cool, island, oversize, duty, discount."""

    kind: str
    label: Text
    amount: Money


@attrs.frozen(kw_only=True)
class Fare:
    """What one service costs the buyer for the request; ``parts`` add up to ``total``.

    :ivar table: id of the fare table it rests on, with its date; kept on the order.
    """

    service: str
    label: Text
    total: Money
    tax_included: bool
    tax_class: str = "standard"
    parts: tuple[FarePart, ...] = ()
    earliest: dt.date | None = None
    latest: dt.date | None = None
    table: str = ""


@attrs.frozen(kw_only=True)
class Refusal:
    """Why a service cannot be had: ``too_heavy``, ``no_tariff``, ``excluded_place`` …"""

    service: str
    code: str
    message: Text
    path: str = ""


@attrs.frozen(kw_only=True)
class ServiceSpec:
    """A service as declared: what it can do."""

    code: str
    label: Text
    kind: str = "parcel"
    max_weight_grams: int | None = None
    countries: frozenset[str] = frozenset()
    tracked: bool = True


@attrs.frozen(kw_only=True)
class CarrierSpec:
    """A carrier as declared."""

    label: Text
    services: tuple[ServiceSpec, ...]


@runtime_checkable
class Carrier(Protocol):
    """Required of every carrier; family version: shipping 1. Pure: no I/O."""

    @property
    def code(self) -> str:
        """Names it in options, ``<code>.<service>``, and parcels."""
        ...

    @property
    def spec(self) -> CarrierSpec:
        """What it declares of itself."""
        ...

    def check(self, request: FareRequest) -> tuple[Problem, ...]:
        """What is wrong with the request for this carrier; empty if nothing."""
        ...


@runtime_checkable
class QuotesFares(Protocol):
    """Knows fares. ``load`` reads the plugin's own tables; ``quote`` is pure and never raises for "can't"."""

    def load(self, own: Any, at: dt.datetime) -> Any:
        """Facts from the plugin's own tables, cached until they change; may be None.

        :param at: the instant of the request that needs them first. Others use them for other instants: what is dated
            is loaded with its dates, and ``quote`` looks at ``request.at``.
        """
        ...

    def quote(self, facts: Any, request: FareRequest) -> Sequence[Fare | Refusal]:
        """A fare or a refusal for each service."""
        ...


@runtime_checkable
class ReadsNumbers(Protocol):
    """Knows tracking numbers."""

    def parse_number(self, text: str) -> str | None:
        """The number in its normal form, or None if it is none."""
        ...

    def tracking_url(self, number: str, locale: str) -> str | None:
        """The page a buyer can follow it on (https), or None."""
        ...


@attrs.frozen(kw_only=True)
class FareChange:
    """A proposal to hide or reprice a fare, with its reason."""

    option: OptionCode
    hide: bool = False
    total: Money | None = None
    reason: str = ""


class ShipmentState(enum.Enum):
    """Planned to delivered; waves and labels come between ready and handed over."""

    DRAFT = "draft"
    BLOCKED = "blocked"
    READY = "ready"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    CANCELED = "canceled"


class ShipmentMove(enum.Enum):
    """What moves a shipment."""

    BLOCK = "block"
    MAKE_READY = "make_ready"
    HAND_OVER = "hand_over"
    DELIVER = "deliver"
    CANCEL = "cancel"


@attrs.frozen(kw_only=True)
class ShipmentLine:
    """Steps of an order's line in a shipment; a shipment may carry lines of several orders."""

    order_id: OrderId
    line_id: LineId
    steps: int


@attrs.frozen(kw_only=True)
class Shipment:
    """What is planned to go from one location to one destination."""

    id: ShipmentId
    state: ShipmentState
    location_id: LocationId | None
    group_id: GroupId | None
    mode: str
    option: OptionCode | None
    lines: tuple[ShipmentLine, ...]
    direction: str = "out"
    purpose: str = "sale"
    reason: str = ""
    version: int = 1
    planned_at: dt.datetime
    handed_over_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Parcel:
    """An actual box, with its number."""

    id: ParcelId
    shipment_id: ShipmentId
    number: str
    carrier: str
    weight_grams: int | None = None
    tracking_url: str | None = None


@attrs.frozen(kw_only=True)
class Tracking:
    """Something that happened to a parcel, stored once by the carrier's event key."""

    parcel_id: ParcelId
    key: str
    status: str
    at: dt.datetime
    words: str = ""


@attrs.frozen(kw_only=True)
class ShipmentReady(Event):
    """A shipment may be picked."""

    name: ClassVar[str] = "shipment.ready"
    shipment_id: ShipmentId
    order_ids: tuple[OrderId, ...]

    @property
    def subject(self) -> Ref:
        """The shipment."""
        return Ref("shipment", self.shipment_id)


@attrs.frozen(kw_only=True)
class _ParcelEvent(Event):
    parcel_id: ParcelId
    shipment_id: ShipmentId
    order_ids: tuple[OrderId, ...]

    @property
    def subject(self) -> Ref:
        """The parcel."""
        return Ref("parcel", self.parcel_id)


@attrs.frozen(kw_only=True)
class ParcelHandedOver(_ParcelEvent):
    """The carrier has it."""

    name: ClassVar[str] = "parcel.handed_over"


@attrs.frozen(kw_only=True)
class ParcelTracked(_ParcelEvent):
    """The carrier reported something."""

    name: ClassVar[str] = "parcel.tracked"
    status: str


@attrs.frozen(kw_only=True)
class ParcelDelivered(_ParcelEvent):
    """The buyer has it."""

    name: ClassVar[str] = "parcel.delivered"
