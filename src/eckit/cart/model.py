"""What is wanted: lines, where they go, codes, wishes. A cart costs nothing; a Quote says what it would."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import ClassVar

import attrs

from eckit.customer.model import TaxPlace
from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import (
    CartId,
    ChannelId,
    CustomerId,
    GroupId,
    LineId,
    MarketId,
    MethodCode,
    OptionCode,
    PartyId,
    VariantId,
)
from eckit.kernel.refs import Ref


class CartState(enum.Enum):
    """open: may change. taken: an order was made of it. abandoned: expired or merged into another."""

    OPEN = "open"
    TAKEN = "taken"
    ABANDONED = "abandoned"


class CartEvent(enum.Enum):
    """What moves a cart."""

    PLACED = "placed"
    REOPENED = "reopened"
    EXPIRED = "expired"
    MERGED = "merged"


@attrs.frozen(kw_only=True)
class CartLine:
    """So many steps of a variant; ``id`` is kept through quote, order, parcel and return."""

    id: LineId
    variant_id: VariantId
    steps: int
    group_id: GroupId
    choices: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    note: str = ""
    parent_id: LineId | None = None


@attrs.frozen(kw_only=True)
class CartGroup:
    """Lines that go to one destination, and how."""

    id: GroupId
    mode: str = "ship"
    destination: PartyId | None = None
    sender: PartyId | None = None
    tax_place: TaxPlace | None = None
    option: OptionCode | None = None
    wanted_date: dt.date | None = None
    wanted_slot: str = ""


@attrs.frozen(kw_only=True)
class Touch:
    """Where a visit came from; personal data; write-only for agents. The placement seals a digest of it, no more."""

    at: dt.datetime
    visit_id: str
    position: str = "other"
    source: str = ""
    medium: str = ""
    campaign: str = ""
    referrer_host: str = ""
    landing_path: str = ""


@attrs.frozen(kw_only=True)
class Cart:
    """A cart. ``token`` opens it for whoever holds it; after placement it grants a pointer only.

    :ivar version: raised by every change; a quote is of one version.
    """

    id: CartId
    version: int
    state: CartState
    channel_id: ChannelId
    market_id: MarketId
    locale: str
    token: str = attrs.field(repr=False)
    customer_id: CustomerId | None = None
    buyer: PartyId | None = None
    lines: tuple[CartLine, ...] = ()
    groups: tuple[CartGroup, ...] = ()
    codes: tuple[str, ...] = ()
    method: MethodCode | None = None
    touches: tuple[Touch, ...] = ()
    client_refs: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    expires_at: dt.datetime
    merged_into: CartId | None = None

    def line(self, line_id: LineId) -> CartLine | None:
        """The line of this id."""
        return next((line for line in self.lines if line.id == line_id), None)


@attrs.frozen(kw_only=True)
class CartChanged(Event):
    """A cart changed."""

    name: ClassVar[str] = "cart.changed"
    cart_id: CartId
    cart_version: int

    @property
    def subject(self) -> Ref:
        """The cart."""
        return Ref("cart", self.cart_id)
