"""What it costs and why: charges, shares, the trace, and the Quote they make."""

import datetime as dt
import enum
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs
from moneyed import Money

from eckit.catalog.model import SaleUnit, Supply
from eckit.channel.model import RoundingPolicy
from eckit.currency.model import Rate
from eckit.customer.model import TaxPlace
from eckit.kernel.errors import Objection
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import (
    CartId,
    ChannelId,
    ChargeId,
    CustomerId,
    GroupId,
    LineId,
    MarketId,
    MethodCode,
    OptionCode,
    PartyId,
    PromotionId,
    SellerId,
    Sku,
    VariantId,
)
from eckit.kernel.money import from_minor
from eckit.kernel.text import Text
from eckit.promotion.model import CodeAnswer


class ChargeKind(enum.StrEnum):
    """What an amount is for: the kinds eckit knows. Others may come from channels and later versions."""

    GOODS = "goods"
    DISCOUNT = "discount"
    SHIPPING = "shipping"
    FEE = "fee"
    TAX = "tax"
    TIP = "tip"
    DEPOSIT = "deposit"
    ROUNDING = "rounding"
    DIFFERENCE = "difference"


@attrs.frozen(kw_only=True)
class TaxFacts:
    """What a tax charge rests on.

    :ivar rate: a fraction. ``base_minor``: what it was computed from, in the quote's basis (gross if tax is included).
    """

    code: str
    rate: Decimal
    base_minor: int
    jurisdiction: str = ""
    scheme: str = "standard"
    engine: str = ""
    registration: str = ""


@attrs.frozen(kw_only=True, slots=False)  # made by the dozen: without slots, half the time
class Charge:
    """One amount of a quote or order, with its roles.

    :ivar target: ``line:<id>``, ``group:<id>`` or ``order``.
    :ivar kind: a :class:`ChargeKind`, or the code of one that this version does not know.
    :ivar amount_minor: signed, what the buyer sees, in the quote's currency and basis.
    :ivar included: already contained in other charges (tax in tax-inclusive markets); not added to the total.
    :ivar funded_by: who bears a reduction. ``earned_by``: who gets an addition. ``remitted_by``: who hands tax to the
        state.
    """

    id: ChargeId
    target: str
    kind: str
    code: str
    label: Text
    amount_minor: int
    tax_class: str | None = None
    included: bool = False
    funded_by: str | None = None
    earned_by: str | None = None
    remitted_by: str | None = None
    tax: TaxFacts | None = None
    plugin: str = "eckit"
    plugin_version: str = ""
    rule: str = ""
    promotion_id: PromotionId | None = None
    coupon: str | None = None
    phase: int = 0


@attrs.frozen
class Share:
    """The part of a charge that falls on one target: ``line:<id>``, or ``charge:<id>`` for tax on shipping etc.

    A charge that has shares has them for all of its amount.
    """

    charge_id: ChargeId
    target: str
    amount_minor: int


@attrs.frozen(kw_only=True, slots=False)  # made by the dozen: without slots, half the time
class TraceEntry:
    """One step of the pricing: which plugin, which rule, from what, what came out, how it was rounded."""

    phase: str
    target: str
    plugin: str
    version: str
    rule: str
    inputs: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    amount_minor: int
    rounding: str = ""


@attrs.frozen(kw_only=True)
class ExplainLine:
    """One step of a price in words.

    :ivar text: a sentence in the locale asked for: which plugin, which rule, from what, how rounded.
    :ivar amount_minor: what the step brought, in the currency of the quote; 0 for one that changed nothing.
    :ivar included: contained in other amounts; the others add up to the total.
    """

    text: str
    amount_minor: int
    included: bool = False


@attrs.frozen(kw_only=True, slots=False)  # made by the dozen: without slots, half the time
class QuoteLine:
    """One line as priced. ``list_minor`` and ``unit_minor`` are per whole unit, before line reductions.

    :ivar goods_minor: unit price × steps, rounded once; ``total_minor``: with its shares of all reductions.
    """

    id: LineId
    group_id: GroupId
    seller_id: SellerId
    variant_id: VariantId
    sku: Sku
    title: Text
    option: Text
    choices: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    steps: int
    unit: SaleUnit
    list_minor: int
    unit_minor: int
    goods_minor: int
    total_minor: int
    tax_class: str
    supply: Supply
    kind: str
    weight_grams: int | None = None
    hs_code: str | None = None
    origin: str | None = None
    cost_minor: int | None = None
    cost_currency: str | None = None


@attrs.frozen(kw_only=True)
class ShippingOffer:
    """A way to deliver a group, priced before shipping promotions; ``amount_minor`` in the quote's basis."""

    option: OptionCode
    label: Text
    amount_minor: int
    tax_class: str = "standard"
    plugin: str = ""
    plugin_version: str = ""
    rule: str = ""
    earliest: dt.date | None = None
    latest: dt.date | None = None


@attrs.frozen(kw_only=True)
class PricedOption:
    """A delivery option with its amount before and after shipping promotions, and why it cannot be had, if so."""

    option: OptionCode
    label: Text
    before_minor: int
    after_minor: int
    earliest: dt.date | None = None
    latest: dt.date | None = None
    reason: str = ""


@attrs.frozen(kw_only=True)
class QuoteGroup:
    """A delivery group: lines that go to one destination.

    :ivar sender: who sends it, if not the buyer. ``wanted_date``: the local day it is wished for.
    """

    id: GroupId
    mode: str
    destination: PartyId | None
    tax_place: TaxPlace | None
    option: OptionCode | None
    sender: PartyId | None = None
    wanted_date: dt.date | None = None
    wanted_slot: str = ""
    options: tuple[PricedOption, ...] = ()
    refusals: tuple[Objection, ...] = ()


@attrs.frozen(kw_only=True)
class MethodOffer:
    """A payment method as offered for this cart, or left out with its reason."""

    method: MethodCode
    label: Text
    offered: bool = True
    reasons: tuple[Objection, ...] = ()


@attrs.frozen(kw_only=True)
class FeeTier:
    """A fee up to a limit of what is left to pay; the last tier has none."""

    up_to_minor: int | None
    fee_minor: int


@attrs.frozen(kw_only=True)
class FeeRule:
    """A fee whose tier depends on what is left to pay (COD, konbini); solved by one function of the core.

    :ivar counts_itself: whether the fee is part of the amount that picks its tier.
    """

    code: str
    label: Text
    tiers: tuple[FeeTier, ...]
    counts_itself: bool = True
    tax_class: str = "standard"
    plugin: str = ""


@attrs.frozen(kw_only=True)
class Due:
    """An amount asked for, and when."""

    seq: int
    amount_minor: int
    when: str = "on_confirm"
    payer: str = "buyer"
    method: MethodCode | None = None


@attrs.frozen(kw_only=True)
class OpenItem:
    """What is still missing before the quote can become an order.

    :ivar code: ``lines``, ``buyer``, ``address``, ``country``, ``option``, ``payment``; of a line ``unavailable``,
        ``no-price``, ``increment``; its text is ``open.<code>``.
    :ivar path: what it is about: ``group:<id>``, ``line:<id>`` or a field.
    :ivar who: who can mend it: buyer or shop.
    """

    code: str
    path: str = ""
    who: str = "buyer"


class QuoteBasis(enum.Enum):
    """Whose price it is."""

    RULES = "rules"
    HONORED = "honored"
    EXTERNAL = "external"


@attrs.frozen(kw_only=True)
class QuoteRef:
    """What a buyer confirmed: the digest, and the instant the quote was priced at."""

    digest: str
    priced_at: dt.datetime


@attrs.frozen(kw_only=True)
class Quote:
    """What a cart costs, why, and what is still missing. Amounts in ``currency``.

    :ivar charges: everything that makes the total; the total is the sum of those not ``included``.
    :ivar stamps: versions of everything the price rested on.
    :ivar digest: covers lines, charges, groups, dues and basis; not texts, instants or plugin versions.
    """

    cart_id: CartId
    cart_version: int
    basis: QuoteBasis
    channel_id: ChannelId
    market_id: MarketId
    customer_id: CustomerId | None
    buyer: PartyId | None
    locale: str
    currency: str
    prices_include_tax: bool
    rounding: RoundingPolicy
    series: str
    priced_at: dt.datetime
    valid_until: dt.datetime
    lines: tuple[QuoteLine, ...]
    groups: tuple[QuoteGroup, ...]
    charges: tuple[Charge, ...]
    shares: tuple[Share, ...]
    trace: tuple[TraceEntry, ...]
    rates: tuple[Rate, ...] = ()
    codes: tuple[CodeAnswer, ...] = ()
    methods: tuple[MethodOffer, ...] = ()
    method: MethodCode | None = None
    open: tuple[OpenItem, ...] = ()
    objections: tuple[Objection, ...] = ()
    failures: tuple[Any, ...] = ()
    total_minor: int
    dues: tuple[Due, ...]
    stamps: Mapping[str, int] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    digest: str = ""

    @property
    def total(self) -> Money:
        """What the order costs, tax included."""
        return from_minor(self.total_minor, self.currency)

    @property
    def tax_minor(self) -> int:
        """All tax, contained or added."""
        return sum(charge.amount_minor for charge in self.charges if charge.kind == ChargeKind.TAX)

    @property
    def ref(self) -> QuoteRef:
        """What the buyer confirms."""
        return QuoteRef(digest=self.digest, priced_at=self.priced_at)

    def of_kind(self, kind: str) -> tuple[Charge, ...]:
        """The charges of one kind."""
        return tuple(charge for charge in self.charges if charge.kind == kind)
