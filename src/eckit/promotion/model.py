"""Promotions: the draft they see, the adjustments they propose, conditions and actions as plugins give them."""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs
from moneyed import Money

from eckit.kernel.clock import Window
from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import ChannelId, CustomerId, LineId, MarketId, OrderId, PromotionId, Sku, VariantId
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text
from eckit.kernel.texts import say

SHIPPING = "shipping"
ORDER = "order"


@attrs.frozen(kw_only=True)
class DraftLine:
    """A line of a draft. Amounts in minor units of the draft's currency and tax basis.

    :ivar amount_minor: for all its steps, after the reductions so far.
    """

    id: LineId
    variant_id: VariantId
    sku: Sku
    category_codes: frozenset[str]
    tax_class: str
    steps: int
    unit_minor: int
    amount_minor: int


@attrs.frozen(kw_only=True)
class Draft:
    """The quote so far, as hooks see it: frozen; changing anything is done by proposing.

    :ivar prices_include_tax: basis of all its amounts.
    :ivar codes: coupon codes entered, folded.
    :ivar shipping_minor: shipping so far; 0 before it is known.
    """

    currency: str
    prices_include_tax: bool
    channel_id: ChannelId
    market_id: MarketId
    at: dt.datetime
    lines: tuple[DraftLine, ...]
    goods_minor: int
    shipping_minor: int = 0
    customer_id: CustomerId | None = None
    customer_groups: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    facets: Mapping[type, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False, eq=False)

    @property
    def goods(self) -> Money:
        """Value of the goods so far."""
        return from_minor(self.goods_minor, self.currency)


@attrs.frozen(kw_only=True)
class Adjustment:
    """A proposed reduction or surcharge; becomes a charge.

    :ivar code: the plugin's own code; with the target, applied at most once.
    :ivar amount: in the draft's currency and basis; negative lowers the price; cut so that no target falls below zero.
    :ivar target: a line id, ``"order"`` (shared over lines by what they cost) or ``"shipping"``.
    :ivar phase: 10 line promotions, 20 order promotions, 30 shipping promotions; within one, by priority and code.
    :ivar funded_by: shop, seller, channel, maker, provider.
    """

    code: str
    label: Text | str
    amount: Money
    target: str = ORDER
    phase: int = 20
    priority: int = 0
    funded_by: str = "shop"
    promotion_id: PromotionId | None = None
    coupon: str | None = None
    inputs: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    plugin: str = ""


@attrs.frozen(kw_only=True)
class RuleRef:
    """A condition or action by its registered code, with its settings as stored."""

    code: str
    settings: Mapping[str, Any] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Promotion:
    """When what is given.

    :ivar by_coupon: only with one of its coupon codes; otherwise automatic.
    :ivar priority: lower numbers first.
    :ivar exclusive: applied alone: it and others are compared, the better for the buyer wins.
    :ivar combine: combination class: of one class only the best applies; empty combines with all.
    :ivar released_on_cancel: whether canceling the whole order gives the use of its code back.
    """

    id: PromotionId
    code: str
    title: Text
    condition: RuleRef
    action: RuleRef
    by_coupon: bool = False
    priority: int = 100
    exclusive: bool = False
    combine: str = ""
    window: Window = Window()
    channel_ids: frozenset[ChannelId] = frozenset()
    limit_total: int | None = None
    limit_per_customer: int | None = None
    released_on_cancel: bool = True
    active: bool = True


@attrs.frozen(kw_only=True)
class Coupon:
    """A code that opens a promotion in one channel (or all). ``code`` is folded."""

    code: str
    promotion_id: PromotionId
    channel_id: ChannelId | None = None
    limit_total: int | None = None
    used: int = 0


class CodeStatus(enum.Enum):
    """Why a code did or did not count."""

    APPLIED = "applied"
    NOT_VALID = "not_valid"
    NOT_YET = "condition_not_met"
    BEATEN = "better_offer_applied"
    EXHAUSTED = "exhausted"


@attrs.frozen(kw_only=True)
class CodeAnswer:
    """What became of one code, as the shop knows it; buyers get :meth:`for_buyer` and :meth:`text`."""

    code: str
    status: CodeStatus
    promotion_id: PromotionId | None = None

    def for_buyer(self) -> "CodeAnswer":
        """The answer without what would help somebody who tries codes: one refusal, whatever the reason."""
        if self.status in (CodeStatus.APPLIED, CodeStatus.BEATEN):
            return self
        return CodeAnswer(code=self.code, status=CodeStatus.NOT_VALID)

    def text(self, locale: str = "en") -> str:
        """A sentence for the buyer; the same for every refusal."""
        return say(f"code.{self.for_buyer().status.value}", locale, code=self.code)


@attrs.frozen(kw_only=True)
class Matched:
    """A condition's verdict: whether it is met, and which lines it is about."""

    met: bool
    lines: tuple[LineId, ...] = ()


@runtime_checkable
class Condition(Protocol):
    """A kind of condition. Judged in batches: all rules of the kind at once, each with its settings object."""

    @property
    def code(self) -> str:
        """What stored promotions name it by."""
        ...

    @property
    def settings(self) -> type:
        """The attrs class of a rule's settings."""
        ...

    def keys(self, rule: Any) -> tuple[str, ...]:
        """What a cart must contain for the rule to be worth judging: ``sku:X``, ``category:Y``, or ``cart`` for any."""
        ...

    def judge(self, draft: Draft, rules: Sequence[Any]) -> Sequence[Matched]:
        """One verdict per rule, in order."""
        ...


@runtime_checkable
class Action(Protocol):
    """A kind of action. Asked in batches, each rule with the lines its condition matched."""

    @property
    def code(self) -> str:
        """What stored promotions name it by."""
        ...

    @property
    def settings(self) -> type:
        """The attrs class of a rule's settings."""
        ...

    @property
    def phase(self) -> int:
        """When it is applied: 10 lines, 20 order, 30 shipping."""
        ...

    def propose(self, draft: Draft, rules: Sequence[tuple[Any, Matched]]) -> Sequence[tuple[Adjustment, ...]]:
        """The adjustments of each rule, in order; where ``code`` and ``label`` are empty the promotion's are used."""
        ...


@attrs.frozen(kw_only=True)
class Use:
    """A promotion an order is about to use: through a code, or by itself."""

    promotion_id: PromotionId
    coupon: str | None
    amount_minor: int


@attrs.frozen(kw_only=True)
class Redemption:
    """A code or limited promotion used by an order."""

    promotion_id: PromotionId
    coupon: str | None
    order_id: OrderId
    customer_key: str | None
    amount_minor: int
    currency: str
    released_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class PromotionChanged(Event):
    """A promotion or its coupons were saved."""

    name: ClassVar[str] = "promotion.changed"
    promotion_id: PromotionId

    @property
    def subject(self) -> Ref:
        """The promotion."""
        return Ref("promotion", self.promotion_id)
