"""What was agreed: a sealed placement and its amendments (a cancellation is one)."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
from moneyed import Money

from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import (
    AmendmentId,
    BlockId,
    CartId,
    ChannelId,
    CustomerId,
    GroupId,
    LineId,
    MarketId,
    OrderId,
    PartyId,
    SellerId,
    Sku,
    VariantId,
)
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text
from eckit.pricing.model import Charge, Due, QuoteGroup, Share, TraceEntry


class OrderState(enum.Enum):
    """All else (paid, shipped …) is projected from facts; confirmed is a fact, not a state."""

    PLACED = "placed"
    CANCELED = "canceled"
    CLOSED = "closed"


class OrderMove(enum.Enum):
    """What moves an order."""

    CANCEL = "cancel"
    CLOSE = "close"


@attrs.frozen(kw_only=True)
class OrderLine:
    """A line as agreed. ``total_minor`` has its shares of all reductions; ``ordered_steps`` never changes."""

    id: LineId
    order_id: OrderId
    group_id: GroupId
    seller_id: SellerId
    variant_id: VariantId | None
    sku: Sku
    title: Text
    option: Text
    steps: int
    unit_minor: int
    goods_minor: int
    total_minor: int
    tax_class: str
    supply: str
    canceled_steps: int = 0
    shipped_steps: int = 0
    returned_steps: int = 0
    parent_id: LineId | None = None

    @property
    def open_steps(self) -> int:
        """Steps still to be shipped."""
        return self.steps - self.canceled_steps - self.shipped_steps


@attrs.frozen(kw_only=True)
class Placement:
    """The sealed record: everything of the quote, parties by reference only. ``digest`` is over its canonical JSON.

    :ivar body: the canonical document; ``groups``, ``shares``, ``trace`` and ``dues`` are read from it.
    :ivar touches: SHA-256 of where each visit came from; the touches are personal data and stay with the cart.
    :ivar refs: what the host named the cart by.
    """

    order_id: OrderId
    body: Mapping[str, Any] = attrs.field(converter=frozen_map, hash=False, repr=False)
    digest: str
    groups: tuple[QuoteGroup, ...]
    charges: tuple[Charge, ...]
    shares: tuple[Share, ...]
    trace: tuple[TraceEntry, ...]
    dues: tuple[Due, ...]
    touches: tuple[str, ...] = ()
    refs: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class LineDelta:
    """Steps added to or taken from a line by an amendment."""

    line_id: LineId
    steps: int


@attrs.frozen(kw_only=True)
class Amendment:
    """One change of a placed order; append-only, each linked to the one before by digest.

    :ivar kind: cancel_units, correct_party …; open vocabulary.
    :ivar amount_minor: change of the order's total.
    """

    id: AmendmentId
    order_id: OrderId
    seq: int
    kind: str
    state: str
    deltas: tuple[LineDelta, ...] = ()
    amount_minor: int = 0
    reason: str = ""
    by: str = ""
    at: dt.datetime
    body: Mapping[str, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    previous_digest: str = ""
    digest: str = ""


@attrs.frozen(kw_only=True)
class Block:
    """A reason why an order may not go on; shipping and capture ask for live ones."""

    id: BlockId
    order_id: OrderId
    kind: str
    reason: str = ""
    group_id: GroupId | None = None
    until: dt.datetime | None = None
    placed_by: str = ""
    placed_at: dt.datetime
    lifted_by: str | None = None
    lifted_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class OrderLink:
    """How two orders belong together: split_from, replaces, exchange_for …; open vocabulary."""

    from_id: OrderId
    to_id: OrderId
    kind: str


@attrs.frozen(kw_only=True)
class Order:
    """An order as it stands now: its placement, folded with its amendments.

    :ivar number: shown to people; from the channel's series, unique in the shop.
    :ivar token: opens the order for whoever holds it.
    :ivar placed_at: when the buyer agreed. ``confirmed_at``: when the first due was secured; set once.
    :ivar total_minor: as placed; ``current_total_minor``: after amendments.
    """

    id: OrderId
    number: str
    token: str = attrs.field(repr=False)
    channel_id: ChannelId
    market_id: MarketId
    origin: str
    cart_id: CartId | None
    cart_version: int | None
    customer_id: CustomerId | None
    buyer: PartyId | None
    bill_to: PartyId | None
    currency: str
    locale: str
    basis: str
    state: OrderState
    reason: str = ""
    placed_at: dt.datetime
    recorded_at: dt.datetime
    confirmed_at: dt.datetime | None = None
    pay_by: dt.datetime | None = None
    version: int = 1
    total_minor: int
    current_total_minor: int
    digest: str
    lines: tuple[OrderLine, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def total(self) -> Money:
        """What was agreed to pay, tax included, after amendments."""
        return from_minor(self.current_total_minor, self.currency)

    @property
    def ref(self) -> Ref:
        """As other capabilities name it."""
        return Ref("order", self.id)

    def unlifted(self, kind: str) -> tuple[Block, ...]:
        """The blocks of a kind that nobody has lifted."""
        return tuple(block for block in self.blocks if block.kind == kind and block.lifted_at is None)


@attrs.frozen(kw_only=True)
class OrderView:
    """An order for people: with its placement, for the actor who may see it."""

    order: Order
    placement: Placement
    facets: Mapping[type, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False, eq=False, repr=False)

    def facet(self, kind: type) -> Any:
        """The plugin's extra facts of this kind, or None."""
        return self.facets.get(kind)


@attrs.frozen(kw_only=True)
class _OrderEvent(Event):
    order_id: OrderId

    @property
    def subject(self) -> Ref:
        """The order."""
        return Ref("order", self.order_id)


@attrs.frozen(kw_only=True)
class OrderPlaced(_OrderEvent):
    """A buyer agreed; the money is not secured yet."""

    name: ClassVar[str] = "order.placed"
    number: str
    channel_id: ChannelId
    total_minor: int
    currency: str


@attrs.frozen(kw_only=True)
class OrderConfirmed(_OrderEvent):
    """The first due is secured; from now on the order counts."""

    name: ClassVar[str] = "order.confirmed"
    number: str
    total_minor: int
    currency: str


@attrs.frozen(kw_only=True)
class OrderCanceled(_OrderEvent):
    """The whole order was canceled; ``reason`` ``lapsed`` and ``unpaid`` mean its money never came."""

    name: ClassVar[str] = "order.canceled"
    reason: str
    was_confirmed: bool


@attrs.frozen(kw_only=True)
class OrderAmended(_OrderEvent):
    """An amendment was accepted."""

    name: ClassVar[str] = "order.amended"
    amendment_id: AmendmentId
    kind: str


@attrs.frozen(kw_only=True)
class OrderClosed(_OrderEvent):
    """Nothing is left to do for it."""

    name: ClassVar[str] = "order.closed"


@attrs.frozen(kw_only=True)
class OrderBlocked(_OrderEvent):
    """It may not go on for now."""

    name: ClassVar[str] = "order.blocked"
    kind: str


@attrs.frozen(kw_only=True)
class OrderUnblocked(_OrderEvent):
    """A block was lifted."""

    name: ClassVar[str] = "order.unblocked"
    kind: str
