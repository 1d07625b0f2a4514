"""The sheet a cart is priced on: integers in one currency and basis, filled in stage by stage.

Hooks see it as a frozen :class:`Draft`. What has become final (charges, shares, trace) is made once, where it arises.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import attrs

from eckit.catalog.model import Offer
from eckit.channel.model import Channel, LegalEntity, Market
from eckit.currency.model import Rate
from eckit.customer.model import TaxPlace
from eckit.kernel.ids import (
    CartId,
    ChargeId,
    CustomerId,
    GroupId,
    LineId,
    MethodCode,
    OptionCode,
    PartyId,
    VariantId,
)
from eckit.pricing.model import Charge, OpenItem, Share, TraceEntry
from eckit.promotion.model import Draft, DraftLine

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
CORE: Final = "eckit"


class WantedLine(Protocol):
    """What pricing needs of a cart's line."""

    @property
    def id(self) -> LineId: ...
    @property
    def variant_id(self) -> VariantId: ...
    @property
    def steps(self) -> int: ...
    @property
    def group_id(self) -> GroupId: ...
    @property
    def choices(self) -> Mapping[str, str]: ...


class WantedGroup(Protocol):
    """What pricing needs of a cart's delivery group."""

    @property
    def id(self) -> GroupId: ...
    @property
    def mode(self) -> str: ...
    @property
    def destination(self) -> PartyId | None: ...
    @property
    def tax_place(self) -> TaxPlace | None: ...
    @property
    def option(self) -> OptionCode | None: ...
    @property
    def sender(self) -> PartyId | None: ...
    @property
    def wanted_date(self) -> dt.date | None: ...
    @property
    def wanted_slot(self) -> str: ...


@attrs.frozen(kw_only=True)
class Terms:
    """Under which a cart is priced.

    :ivar at: the instant whose prices, promotions and rates count.
    :ivar home: where goods are taken to go while their address is open, or is in a country not sold to.
    :ivar codes: coupon codes entered, folded.
    :ivar versions: plugin name → version, for the trace.
    :ivar rates: currency → its rate in the market's, of those in which something is priced that has no other price.
    """

    cart_id: CartId
    cart_version: int
    channel: Channel
    market: Market
    legal_entity: LegalEntity
    at: dt.datetime
    home: TaxPlace
    locale: str = "en"
    customer_id: CustomerId | None = None
    customer_groups: frozenset[str] = frozenset()
    buyer: PartyId | None = None
    codes: tuple[str, ...] = ()
    method: MethodCode | None = None
    versions: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    facets: Mapping[type, Any] = attrs.field(factory=dict, hash=False, repr=False)
    rates: Mapping[str, Rate] = attrs.field(factory=dict, hash=False)


class LineRow:
    """A line while it is priced. ``left`` is what it costs after the reductions so far."""

    __slots__ = (
        "draft", "goods", "group_id", "id", "left", "list_minor", "offer", "place", "steps", "target",
        "unit_minor", "wanted",
    )  # fmt: skip

    def __init__(self, wanted: WantedLine, offer: Offer, place: TaxPlace) -> None:
        self.wanted = wanted
        self.offer = offer
        self.place = place
        self.id = wanted.id
        self.group_id = wanted.group_id
        self.steps = wanted.steps
        self.target = f"line:{wanted.id}"
        self.list_minor = self.unit_minor = self.goods = self.left = 0
        self.draft: DraftLine | None = None


class ExtraRow:
    """A shipping charge or fee while it is priced: taxed by a class of its own, reduced by shipping promotions."""

    __slots__ = ("group_id", "id", "left", "place", "tax_class")

    def __init__(self, id: ChargeId, group_id: GroupId | None, left: int, tax_class: str, place: TaxPlace) -> None:
        self.id = id
        self.group_id = group_id
        self.left = left
        self.tax_class = tax_class
        self.place = place


class Sheet:
    """A cart while it is priced."""

    def __init__(self, terms: Terms, groups: Sequence[WantedGroup]) -> None:
        self.terms = terms
        self.currency = terms.market.currency
        self.includes_tax = terms.market.prices_include_tax
        self.groups = {group.id: group for group in groups}
        self.lines: list[LineRow] = []
        self.by_id: dict[str, LineRow] = {}
        self.shipping: list[ExtraRow] = []
        self.fees: list[ExtraRow] = []
        self.charges: list[Charge] = []
        self.shares: list[Share] = []
        self.trace: list[TraceEntry] = []
        self.open: list[OpenItem] = []
        self.applied: set[tuple[str, str]] = set()
        self.rates: dict[str, Rate] = {}
        self.added_tax = 0
        self._codes = frozenset(terms.codes)
        self._draft_lines: tuple[DraftLine, ...] | None = None
        self.version = terms.versions.get(CORE, "")
        # Ids follow from the cart's version, so that the same cart gives the same charges, here and when it is placed.
        seed = hashlib.sha256(f"{terms.cart_id}:{terms.cart_version}".encode()).digest()
        number = int.from_bytes(seed[:16]) >> 3
        self._prefix = "chg_" + "".join([ALPHABET[number >> shift & 31] for shift in range(120, 5, -5)])
        self._count = 0

    def next_id(self) -> ChargeId:
        """The id of the next charge."""
        n = self._count
        self._count = n + 1
        return ChargeId(f"{self._prefix}{ALPHABET[n >> 10]}{ALPHABET[n >> 5 & 31]}{ALPHABET[n & 31]}")

    def place_of(self, group_id: GroupId | None) -> TaxPlace:
        """Where a group goes, or home while that is open.

        A country that the market does not sell to counts as open: nobody need know fares and rates of it.
        """
        group = self.groups.get(group_id) if group_id is not None else None
        place = None if group is None else group.tax_place
        return place if place is not None and self.sells_to(place) else self.terms.home

    def sells_to(self, place: TaxPlace) -> bool:
        """Whether the market sells there; one that names no country sells everywhere."""
        countries = self.terms.market.countries
        return not countries or place.country in countries

    def reduce_line(self, row: LineRow, by: int) -> None:
        """Change what a line costs; negative lowers it."""
        row.left += by
        row.draft = None
        self._draft_lines = None

    @property
    def goods_left(self) -> int:
        """What the goods cost after the reductions so far."""
        return sum([row.left for row in self.lines])

    @property
    def shipping_left(self) -> int:
        """What shipping costs after the reductions so far."""
        return sum([row.left for row in self.shipping])

    @property
    def total(self) -> int:
        """What everything costs so far, tax included once it is known."""
        return self.goods_left + self.shipping_left + sum([row.left for row in self.fees]) + self.added_tax

    def note(
        self,
        phase: str,
        target: str,
        rule: str,
        amount: int,
        inputs: Mapping[str, str],
        *,
        plugin: str = CORE,
        rounding: str = "",
    ) -> None:
        """Leave a trace entry."""
        version = self.version if plugin is CORE else self.terms.versions.get(plugin, "")
        self.trace.append(
            TraceEntry(
                phase=phase,
                target=target,
                plugin=plugin,
                version=version,
                rule=rule,
                inputs=inputs,
                amount_minor=amount,
                rounding=rounding,
            )
        )

    def missing(self, code: str, path: str, *, who: str = "buyer") -> None:
        """Note that something is missing before this can be ordered; the same thing once."""
        item = OpenItem(code=code, path=path, who=who)
        if item not in self.open:
            self.open.append(item)

    def draft(self, *, shipping_minor: int | None = None) -> Draft:
        """The sheet as hooks see it.

        :param shipping_minor: shipping as it would be, to see what an option not taken would cost.
        """
        terms, lines = self.terms, self._draft_lines
        if lines is None or len(lines) != len(self.lines):
            self._draft_lines = lines = tuple([row.draft or _draft_line(row) for row in self.lines])
        return Draft(
            currency=self.currency,
            prices_include_tax=self.includes_tax,
            channel_id=terms.channel.id,
            market_id=terms.market.id,
            at=terms.at,
            lines=lines,
            goods_minor=self.goods_left,
            shipping_minor=self.shipping_left if shipping_minor is None else shipping_minor,
            customer_id=terms.customer_id,
            customer_groups=terms.customer_groups,
            codes=self._codes,
            facets=terms.facets,
        )


def _draft_line(row: LineRow) -> DraftLine:
    """The line's frozen form, kept until its amount changes."""
    variant = row.offer.variant
    row.draft = draft = DraftLine(
        id=row.id,
        variant_id=variant.id,
        sku=variant.sku,
        category_codes=row.offer.category_codes,
        tax_class=variant.tax_class,
        steps=row.steps,
        unit_minor=row.unit_minor,
        amount_minor=row.left,
    )
    return draft


def start(terms: Terms, groups: Sequence[WantedGroup]) -> Sheet:
    """An empty sheet for a cart's groups."""
    return Sheet(terms, groups)
