"""Goods are held, allocated, counted: locations, levels, holds, movements, shortages."""

import datetime as dt
import enum
from typing import ClassVar

import attrs

from eckit.kernel.events import Event
from eckit.kernel.ids import HoldId, LineId, LocationId, PartyId, ShortageId, Sku, StockMovementId, VariantId
from eckit.kernel.refs import Ref


@attrs.frozen(kw_only=True)
class Location:
    """Where goods are: warehouse, shop, transit, supplier, external.

    :ivar code: readable, unique in the shop; verbs take it as ``at=``.
    :ivar sellable: whether what lies there may be promised to buyers.
    """

    id: LocationId
    code: str
    kind: str = "warehouse"
    name: str = ""
    party_id: PartyId | None = None
    owner: str = "ours"
    sellable: bool = True
    position: int = 0


@attrs.frozen(kw_only=True)
class Level:
    """The counters of one variant at one location.

    :ivar reserved: steps of holds on what is there. ``promised``: steps of holds beyond stock, at most ``cap``.
    :ivar short: steps of open shortages.
    """

    variant_id: VariantId
    location_id: LocationId
    on_hand: int
    reserved: int
    promised: int
    cap: int
    short: int
    version: int

    @property
    def available(self) -> int:
        """Steps that can be promised from what is there; never negative."""
        return max(0, self.on_hand - self.reserved)


class HoldState(enum.Enum):
    """live: promised. used: it left as goods. released: given back."""

    LIVE = "live"
    USED = "used"
    RELEASED = "released"


@attrs.frozen(kw_only=True)
class Hold:
    """Units promised to a cart, an order, an intake, a transfer; with a location it is an allocation.

    :ivar owner: a name, not a join. ``until``: None once its order is placed: the order owns it.
    :ivar source: on_hand or capacity (beyond stock).
    """

    id: HoldId
    owner: Ref
    variant_id: VariantId
    location_id: LocationId
    line_id: LineId | None
    steps: int
    source: str
    until: dt.datetime | None
    state: HoldState = HoldState.LIVE


@attrs.frozen(kw_only=True)
class Wanted:
    """Steps of a variant that somebody wants held.

    :ivar unlimited: nothing is counted for it (digital goods, services).
    """

    line_id: LineId | None
    variant_id: VariantId
    sku: Sku
    steps: int
    unlimited: bool = False


@attrs.frozen(kw_only=True)
class Allocation:
    """Where the steps of a wanted line are to come from; what ``choose_allocation`` answers."""

    variant_id: VariantId
    line_id: LineId | None
    location_id: LocationId
    steps: int


@attrs.frozen(kw_only=True)
class Movement:
    """Goods came or went. Append-only; sums to on_hand; each with one cause.

    :ivar kind: receive, sell, return, count, scrap, transfer, found; open vocabulary.
    """

    id: StockMovementId
    variant_id: VariantId
    location_id: LocationId
    steps: int
    kind: str
    cause: Ref
    unit_cost_minor: int | None = None
    cost_currency: str | None = None
    at: dt.datetime
    by: str


@attrs.frozen(kw_only=True)
class Shortage:
    """A recorded fact left less than is reserved: somebody's promise has no goods."""

    id: ShortageId
    variant_id: VariantId
    location_id: LocationId
    steps: int
    cause: Ref
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class StockChanged(Event):
    """Counters of a variant at a location changed by a movement."""

    name: ClassVar[str] = "stock.changed"
    variant_id: VariantId
    location_id: LocationId
    steps: int
    kind: str

    @property
    def subject(self) -> Ref:
        """The variant."""
        return Ref("variant", self.variant_id)


@attrs.frozen(kw_only=True)
class StockShort(Event):
    """A shortage was opened."""

    name: ClassVar[str] = "stock.short"
    shortage_id: ShortageId
    variant_id: VariantId
    location_id: LocationId
    steps: int

    @property
    def subject(self) -> Ref:
        """The variant."""
        return Ref("variant", self.variant_id)
