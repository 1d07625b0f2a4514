"""How promotions are found, combined and answered: facts in, decision out.

The algorithm, as ``docs/explanation/promotions.md`` tells it:

1. Candidates of a phase are the active promotions whose window, channel and code fit and that ask for something the cart has.
2. All are judged and asked on the same draft, so that no order of asking matters.
3. Of one combination class only the one that gives most is kept.
4. An exclusive promotion stands alone: the best of them and all the others together are compared, the better for the buyer
   wins; if equal, the others.
5. What is kept is applied by priority, then code; no target falls below zero.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from eckit.kernel.errors import PluginError
from eckit.kernel.ids import ChannelId, PromotionId
from eckit.kernel.money import to_minor
from eckit.promotion.model import (
    ORDER,
    SHIPPING,
    Action,
    Adjustment,
    CodeAnswer,
    CodeStatus,
    Condition,
    Coupon,
    Draft,
    Matched,
    Promotion,
)

ANY = "cart"
PHASES = (10, 20, 30)


@attrs.frozen(eq=False)
class Entry:
    """A promotion made ready: its plugins found, its settings read."""

    promotion: Promotion
    condition: Condition
    condition_settings: Any
    condition_plugin: str
    action: Action
    action_settings: Any
    action_plugin: str


@attrs.frozen(eq=False)
class Book:
    """All active promotions of a shop, indexed by phase and by what they ask for, so that a thousand cost like ten.

    :ivar by_coupon: promotions that only a code opens.
    :ivar broken: promotions that cannot be judged, with the reason: a plugin is gone or its settings do not read.
    """

    automatic: Mapping[tuple[int, str], tuple[Entry, ...]]
    by_coupon: Mapping[PromotionId, Entry]
    broken: Mapping[PromotionId, str]
    count: int


def index(entries: Iterable[Entry], broken: Mapping[PromotionId, str]) -> Book:
    """Order entries by phase and key."""
    automatic: defaultdict[tuple[int, str], list[Entry]] = defaultdict(list)
    by_coupon: dict[PromotionId, Entry] = {}
    count = 0
    for entry in entries:
        count += 1
        if entry.promotion.by_coupon:
            by_coupon[entry.promotion.id] = entry
            continue
        for key in entry.condition.keys(entry.condition_settings) or (ANY,):
            automatic[entry.action.phase, key].append(entry)
    found = {key: tuple(entries) for key, entries in automatic.items()}
    return Book(automatic=found, by_coupon=by_coupon, broken=broken, count=count)


def keys_of(draft: Draft) -> Iterator[str]:
    """Everything a cart offers to ask for."""
    seen = {ANY}
    for line in draft.lines:
        seen.add(f"sku:{line.sku}")
        seen.add(f"variant:{line.variant_id}")
        seen.update(f"category:{code}" for code in line.category_codes)
    return iter(sorted(seen))


def candidates(book: Book, coupons: Mapping[str, Coupon], draft: Draft, phase: int) -> list[tuple[Entry, str | None]]:
    """Promotions of a phase worth judging, each with the code that opens it."""
    found: dict[PromotionId, tuple[Entry, str | None]] = {}
    for key in keys_of(draft):
        for entry in book.automatic.get((phase, key), ()):
            found[entry.promotion.id] = (entry, None)
    for code, coupon in sorted(coupons.items()):
        opened = book.by_coupon.get(coupon.promotion_id)
        if opened is not None and opened.action.phase == phase:
            found.setdefault(opened.promotion.id, (opened, code))
    fitting = [pair for pair in found.values() if fits(pair[0].promotion, draft.channel_id, draft.at)]
    return sorted(fitting, key=lambda pair: (pair[0].promotion.priority, pair[0].promotion.code))


def fits(promotion: Promotion, channel: ChannelId, at: dt.datetime) -> bool:
    """Whether it is in force here and now."""
    return (
        promotion.active
        and promotion.window.covers(at)
        and (not promotion.channel_ids or channel in promotion.channel_ids)
    )


@attrs.frozen(eq=False)
class Offer:
    """What one promotion would give: its adjustments, and how much that is at most."""

    promotion: Promotion
    plugin: str
    coupon: str | None
    adjustments: tuple[Adjustment, ...]
    benefit: int


def offer(entry: Entry, coupon: str | None, proposed: Sequence[Adjustment], draft: Draft) -> Offer:
    """A promotion's adjustments, checked and completed.

    :raises PluginError: a wrong currency or target.
    """
    promotion, plugin = entry.promotion, entry.action_plugin
    complete = tuple(
        attrs.evolve(
            one,
            code=one.code or promotion.code,
            label=one.label or promotion.title,
            priority=promotion.priority,
            phase=entry.action.phase,
            promotion_id=promotion.id,
            coupon=coupon,
            plugin=plugin,
        )
        for one in proposed
    )
    require_sound(plugin, complete, draft)
    return Offer(promotion, plugin, coupon, complete, -sum(to_minor(one.amount) for one in complete))


def require_sound(plugin: str, proposed: Sequence[Adjustment], draft: Draft) -> None:
    """Insist that adjustments are in the draft's currency and for something it has.

    :raises PluginError: names the plugin.
    """
    targets = {ORDER, SHIPPING, *(line.id for line in draft.lines)}
    for one in proposed:
        if one.amount.currency.code != draft.currency:
            raise PluginError(
                plugin=plugin, hook="propose_adjustments", reason=f"answered in {one.amount.currency.code}"
            )
        if one.target not in targets:
            raise PluginError(plugin=plugin, hook="propose_adjustments", reason=f"unknown target {one.target}")
        to_minor(one.amount)


def combine(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Which offers apply together; see the algorithm above."""
    giving = [one for one in offers if one.adjustments]
    best: dict[str, Offer] = {}
    for one in giving:
        name = one.promotion.combine
        if name and (name not in best or _rank(one) < _rank(best[name])):
            best[name] = one
    kept = [one for one in giving if not one.promotion.combine or best[one.promotion.combine] is one]
    alone = [one for one in kept if one.promotion.exclusive]
    together = [one for one in kept if not one.promotion.exclusive]
    if alone:
        champion = min(alone, key=_rank)
        if champion.benefit > sum(one.benefit for one in together):
            together = [champion]
    return tuple(sorted(together, key=lambda one: (one.promotion.priority, one.promotion.code)))


def _rank(one: Offer) -> tuple[int, int, str]:
    return -one.benefit, one.promotion.priority, one.promotion.code


def answers(
    book: Book,
    coupons: Mapping[str, Coupon],
    draft: Draft,
    phase: int,
    met: frozenset[PromotionId],
    applied: frozenset[PromotionId],
) -> tuple[CodeAnswer, ...]:
    """What became of each code in this phase; codes that open nothing are answered in the first."""
    found: list[CodeAnswer] = []
    for code in sorted(draft.codes):
        coupon = coupons.get(code)
        entry = book.by_coupon.get(coupon.promotion_id) if coupon else None
        if coupon is None or entry is None or not fits(entry.promotion, draft.channel_id, draft.at):
            if phase == PHASES[0]:
                found.append(CodeAnswer(code=code, status=CodeStatus.NOT_VALID))
            continue
        if entry.action.phase != phase:
            continue
        found.append(CodeAnswer(code=code, status=_status(coupon, met, applied), promotion_id=coupon.promotion_id))
    return tuple(found)


def _status(coupon: Coupon, met: frozenset[PromotionId], applied: frozenset[PromotionId]) -> CodeStatus:
    if coupon.promotion_id in applied:
        return CodeStatus.APPLIED
    if coupon.limit_total is not None and coupon.used >= coupon.limit_total:
        return CodeStatus.EXHAUSTED
    return CodeStatus.BEATEN if coupon.promotion_id in met else CodeStatus.NOT_YET


def usable(coupons: Mapping[str, Coupon]) -> dict[str, Coupon]:
    """Codes that have a use left."""
    return {
        code: coupon
        for code, coupon in coupons.items()
        if coupon.limit_total is None or coupon.used < coupon.limit_total
    }


def matched(verdicts: Sequence[Matched], count: int, plugin: str) -> Sequence[Matched]:
    """The verdicts of a batch, one for each rule.

    :raises PluginError: it gave fewer or more, or something else.
    """
    if len(verdicts) != count or not all(isinstance(verdict, Matched) for verdict in verdicts):
        raise PluginError(plugin=plugin, hook="judge", reason="one verdict per rule is needed")
    return verdicts
