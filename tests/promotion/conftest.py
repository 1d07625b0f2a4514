"""Promotions without a shop: conditions and actions that do as they are told, drafts and books as plain facts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import ChannelId, CustomerId, LineId, MarketId, OrderId, PromotionId, Sku, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.money import from_minor
from eckit.kernel.plugins import Plugins
from eckit.kernel.retry import again_if_moved
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.promotion import (
    ORDER,
    Adjustment,
    Coupon,
    Draft,
    DraftLine,
    Matched,
    Promotion,
    RuleRef,
    Use,
    rules,
    service as promotion,
)
from eckit.testing.begin import START, make_begin

STAFF = Actor.staff("ito", "promotion.write")
WEB, MALL = ChannelId(mint("channel")), ChannelId(mint("channel"))


@attrs.frozen(kw_only=True)
class When:
    """Settings of the condition: met by a cart of at least so much that has the SKU, if one is named."""

    sku: str = ""
    least: int = 0


@attrs.frozen
class Has:
    """The condition ``has``; counts its batches."""

    code: str = "has"
    settings: type = When
    batches: list[int] = attrs.field(factory=list)

    def keys(self, rule: When) -> tuple[str, ...]:
        return (f"sku:{rule.sku}",) if rule.sku else ("cart",)

    def judge(self, draft: Draft, rules: Sequence[When]) -> Sequence[Matched]:
        self.batches.append(len(rules))
        lines = tuple(line.id for line in draft.lines)
        found = []
        for rule in rules:
            mine = tuple(line.id for line in draft.lines if line.sku == rule.sku) if rule.sku else lines
            found.append(Matched(met=bool(mine) and draft.goods_minor >= rule.least, lines=mine))
        return found


@attrs.frozen(kw_only=True)
class Gives:
    """Settings of the actions: so much off, of a target."""

    minor: int = 0
    percent: int = 0
    target: str = ORDER


@attrs.frozen
class Off:
    """An action of a phase: an amount off its target, or a percentage off each matched line."""

    code: str
    phase: int
    settings: type = Gives
    batches: list[int] = attrs.field(factory=list)

    def propose(self, draft: Draft, rules: Sequence[tuple[Gives, Matched]]) -> Sequence[tuple[Adjustment, ...]]:
        self.batches.append(len(rules))
        return [tuple(self._of(draft, rule, matched)) for rule, matched in rules]

    def _of(self, draft: Draft, rule: Gives, matched: Matched) -> list[Adjustment]:
        if rule.percent:
            amounts = {line.id: line.amount_minor * rule.percent // 100 for line in draft.lines}
            return [_off(amounts[line], line, draft.currency) for line in matched.lines if amounts[line]]
        return [_off(rule.minor, rule.target, draft.currency)]


def _off(minor: int, target: str, currency: str) -> Adjustment:
    return Adjustment(code="", label="", amount=from_minor(-minor, currency), target=target)


@attrs.frozen
class Kinds:
    """The plugin that brings them."""

    has: Has = attrs.field(factory=Has)
    line_off: Off = attrs.field(factory=lambda: Off("line_off", 10))
    order_off: Off = attrs.field(factory=lambda: Off("order_off", 20))
    shipping_off: Off = attrs.field(factory=lambda: Off("shipping_off", 30))
    proposes: Callable[[Draft], tuple[Adjustment, ...]] = lambda draft: ()
    name: str = "kinds"
    version: str = "1"
    eckit_interface: Mapping[str, int] = attrs.field(factory=lambda: {"promotion": 1})

    @hookimpl
    def register_promotion_conditions(self) -> tuple[Any, ...]:
        return (self.has,)

    @hookimpl
    def register_promotion_actions(self) -> tuple[Any, ...]:
        return self.line_off, self.order_off, self.shipping_off

    @hookimpl
    def propose_adjustments(self, draft: Draft) -> tuple[Adjustment, ...]:
        return self.proposes(draft)


def a_promotion(code: str = "summer", action: str = "order_off", **others: Any) -> Promotion:
    """500 off the order for any cart, unless told otherwise: ``minor``, ``percent``, ``target``, ``sku``, ``least``."""
    gives = {name: others.pop(name) for name in ("minor", "percent", "target") if name in others} or {"minor": 500}
    when = {name: others.pop(name) for name in ("sku", "least") if name in others}
    values: dict[str, Any] = {
        "id": PromotionId(mint("promotion")),
        "code": code,
        "title": Text.of(code),
        "condition": RuleRef(code="has", settings=when),
        "action": RuleRef(code=action, settings=gives),
    }
    return Promotion(**{**values, **others})


def a_draft(*amounts: int, **others: Any) -> Draft:
    """A line of SKU-1, SKU-2 … for each amount."""
    lines = tuple(
        DraftLine(
            id=LineId(f"lin_{number:026d}"),
            variant_id=VariantId(f"var_{number:026d}"),
            sku=Sku(f"SKU-{number}"),
            category_codes=frozenset({"tea"}),
            tax_class="standard",
            steps=1,
            unit_minor=amount,
            amount_minor=amount,
        )
        for number, amount in enumerate(amounts or (1000,), start=1)
    )
    values: dict[str, Any] = {
        "currency": "JPY",
        "prices_include_tax": True,
        "channel_id": WEB,
        "market_id": MarketId("mkt_" + "0" * 26),
        "at": START,
        "lines": lines,
        "goods_minor": sum(amounts or (1000,)),
    }
    return Draft(**{**values, **others})


def composed(kinds: Any = None) -> Plugins:
    """The plugin alone."""
    return compose_plugins(promotion.SPECS, [kinds or Kinds()], collect=[promotion.collect])


def book_of(plugins: Plugins, *promotions: Promotion) -> rules.Book:
    """The book of these promotions, as it is loaded."""
    return rules.index([promotion.ready(plugins, one) for one in promotions], {})


def given(adjustments: Sequence[Adjustment]) -> list[tuple[str, str, Money]]:
    """Code, target and amount of each."""
    return [(one.code, one.target, one.amount) for one in adjustments]


@attrs.frozen
class Store:
    """Begins Works on a database."""

    begin: Begin
    clock: FixedClock
    url: str

    def save(self, one: Promotion, *coupons: str, **limits: Any) -> Promotion:
        """A promotion with codes for all channels."""
        with self.begin.write(STAFF) as work:
            return promotion.save(work, one, [Coupon(code=code, promotion_id=one.id, **limits) for code in coupons])

    def redeem(self, *uses: Use, customer_key: str | None = None, channel: ChannelId = WEB) -> OrderId:
        """As placing an order does: limits are read before the transaction."""
        return _redeem(self.begin, uses, customer_key, channel)

    def release(self, order_id: OrderId) -> None:
        """As canceling an order does."""
        with self.begin.write(Actor.guest()) as work:
            promotion.release(work, order_id)

    def uses(self, one: Promotion) -> int:
        """Orders that use it."""
        with self.begin.read(STAFF) as work:
            return promotion.uses(work, one.id)


@again_if_moved
def _redeem(begin: Begin, uses: Sequence[Use], customer_key: str | None, channel: ChannelId) -> OrderId:
    order_id = OrderId(mint("order"))
    with begin.read(Actor.guest()) as work:
        limits = promotion.limits(work, [use.promotion_id for use in uses])
    with begin.write(Actor.guest()) as work:
        promotion.redeem(
            work, order_id, uses, channel_id=channel, customer_key=customer_key, currency="JPY", limits=limits
        )
    return order_id


def use(one: Promotion, coupon: str | None = None, amount: int = 500) -> Use:
    """A use of a promotion."""
    return Use(promotion_id=one.id, coupon=coupon, amount_minor=amount)


def key_of(customer_id: CustomerId | None = None, email: str = "") -> str | None:
    """Who a limit per customer counts."""
    return promotion.customer_key(customer_id, email)


@pytest.fixture
def store(migrated_url: str) -> Store:
    """On both databases."""
    clock = FixedClock(START)
    return Store(make_begin(migrated_url, plugins=[Kinds()], clock=clock), clock, migrated_url)
