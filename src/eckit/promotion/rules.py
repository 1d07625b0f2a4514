"""How promotions are found, combined and answered: facts in, decision out.

The algorithm, as ``docs/explanation/promotions.md`` tells it:

1. Candidates of a phase are the active promotions whose window, channel and code fit and that ask for something the
   cart has.
2. All are judged and asked on the same draft, so that no order of asking matters.
3. What a promotion gives is what it takes off the draft, never more than there is.
4. Of one combination class only the one that gives most is kept; if equal, by priority, then code.
5. An exclusive promotion stands alone: the one that gives most and all the others together are compared, the better for
   the buyer wins; if equal, the others.
6. What is kept is applied by priority, then code; no target falls below zero.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from eckit.kernel.doors import expect_within
from eckit.kernel.errors import InvalidInputError, PluginError, invalid
from eckit.kernel.ids import ChannelId, PromotionId
from eckit.kernel.money import to_minor
from eckit.kernel.text import clean, fold_code
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
MAX_LIMIT = 10**9
MAX_PRIORITY = 10**6


@attrs.frozen(eq=False)
class Entry:
    """A promotion made ready: its plugins found, its settings read.

    :ivar keys: what a cart must contain for it to be worth judging.
    """

    promotion: Promotion
    condition: Condition
    condition_settings: Any
    condition_plugin: str
    action: Action
    action_settings: Any
    action_plugin: str
    keys: tuple[str, ...]


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
        for key in entry.keys or (ANY,):
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
    """What one promotion would give by itself: its adjustments, and how much they take off the draft."""

    promotion: Promotion
    plugin: str
    coupon: str | None
    adjustments: tuple[Adjustment, ...]
    benefit: int


@attrs.frozen(eq=False)
class Room:
    """What a draft has that can be taken off, in minor units of its currency."""

    currency: str
    lines: Mapping[str, int]
    goods: int
    shipping: int

    @classmethod
    def of(cls, draft: Draft) -> "Room":
        """Looked up once for all offers of a phase."""
        lines: dict[str, int] = {line.id: line.amount_minor for line in draft.lines}
        return cls(draft.currency, lines, sum(lines.values()), draft.shipping_minor)


def offer(entry: Entry, coupon: str | None, proposed: Sequence[Adjustment], room: Room) -> Offer:
    """A promotion's adjustments, checked and completed.

    :raises PluginError: a wrong currency or target.
    """
    promotion, plugin = entry.promotion, entry.action_plugin
    require_sound(plugin, proposed, room)
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
    return Offer(promotion, plugin, coupon, complete, given([complete], room))


def given(offers: Iterable[Sequence[Adjustment]], room: Room) -> int:
    """What promotions applied in this order take off a draft, in minor units: as pricing will, no target below zero.

    A promotion reaches a target once; a surcharge counts against the buyer.
    """
    goods, shipping, total = room.goods, room.shipping, 0
    off: defaultdict[str, int] = defaultdict(int)
    for adjustments in offers:
        done: set[str] = set()
        for one in adjustments:
            if one.target in done:
                continue
            done.add(one.target)
            wanted = -to_minor(one.amount)
            if one.target == SHIPPING:
                taken = min(wanted, shipping)
                shipping -= taken
            else:
                left = goods if one.target == ORDER else min(goods, room.lines[one.target] - off[one.target])
                taken = min(wanted, left)
                off[one.target] += taken
                goods -= taken
            total += taken
    return total


def require_sound(plugin: str, proposed: Sequence[Adjustment], room: Room) -> None:
    """Insist that adjustments are whole amounts in the draft's currency and for something it has.

    :raises PluginError: names the plugin.
    """
    for one in proposed:
        try:
            to_minor(one.amount)
        except (InvalidInputError, TypeError) as error:
            raise _unsound(plugin, f"{one.code}: no amount in whole units") from error
        if one.amount.currency.code != room.currency:
            raise _unsound(plugin, f"answered in {one.amount.currency.code}")
        if one.target not in room.lines and one.target not in {ORDER, SHIPPING}:
            raise _unsound(plugin, f"unknown target {one.target}")


def _unsound(plugin: str, reason: str) -> PluginError:
    return PluginError(plugin=plugin, hook="propose_adjustments", reason=reason)


def combine(offers: Sequence[Offer], room: Room) -> tuple[Offer, ...]:
    """Which offers apply together; see the algorithm above."""
    giving = sorted((one for one in offers if one.adjustments), key=_turn)
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
        if champion.benefit > given((one.adjustments for one in together), room):
            together = [champion]
    return tuple(together)


def _turn(one: Offer) -> tuple[int, str]:
    return one.promotion.priority, one.promotion.code


def _rank(one: Offer) -> tuple[int, int, str]:
    return -one.benefit, *_turn(one)


def answers(
    book: Book,
    coupons: Mapping[str, Coupon],
    draft: Draft,
    phase: int,
    met: frozenset[PromotionId],
    applied: Mapping[PromotionId, str | None],
) -> tuple[CodeAnswer, ...]:
    """What became of each code in this phase; codes that open nothing are answered in the first.

    :param met: promotions whose condition is met. ``applied``: those that apply, with the code that opened them.
    """
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
        found.append(
            CodeAnswer(code=code, status=_status(code, coupon, met, applied), promotion_id=coupon.promotion_id)
        )
    return tuple(found)


def _status(
    code: str, coupon: Coupon, met: frozenset[PromotionId], applied: Mapping[PromotionId, str | None]
) -> CodeStatus:
    if coupon.promotion_id in applied:
        return CodeStatus.APPLIED if applied[coupon.promotion_id] == code else CodeStatus.BEATEN
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


def matched(verdicts: object, count: int, plugin: str, room: Room) -> Sequence[Matched]:
    """The verdicts of a batch, one for each rule, about lines there are.

    :raises PluginError: it gave fewer or more, or something else.
    """
    given = verdicts if isinstance(verdicts, list | tuple) else ()
    sound = all(isinstance(one, Matched) and all(line in room.lines for line in one.lines) for one in given)
    if sound and len(given) == count:
        return given
    raise PluginError(plugin=plugin, hook="judge", reason="one verdict per rule is needed, about the draft's lines")


def proposed(answers: object, count: int, plugin: str) -> Sequence[tuple[Adjustment, ...]]:
    """The adjustments of a batch, a tuple for each rule.

    :raises PluginError: it gave fewer or more, or something else.
    """
    given = answers if isinstance(answers, list | tuple) else ()
    sound = all(isinstance(part, tuple) and all(isinstance(one, Adjustment) for one in part) for part in given)
    if sound and len(given) == count:
        return given
    raise PluginError(plugin=plugin, hook="propose", reason="one tuple of adjustments per rule is needed")


def require_rank(promotion: Promotion) -> None:
    """Insist that a promotion's place among others can be kept.

    :raises InvalidInputError: names the field.
    """
    expect_within(promotion.priority, -MAX_PRIORITY, MAX_PRIORITY, path="promotion.priority")
    clean(promotion.combine, path="promotion.combine", max_length=80)


def require_limits(promotion: Promotion) -> None:
    """Insist that a promotion's limits are counts of at least one.

    :raises InvalidInputError: names the limit.
    """
    for name in ("limit_total", "limit_per_customer"):
        _require_limit(getattr(promotion, name), f"promotion.{name}")


def _require_limit(limit: object, path: str) -> None:
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise invalid("wrong-quantity", path, limit, limit=f"1…{MAX_LIMIT}")


def folded(coupons: Iterable[Coupon], promotion: Promotion) -> tuple[Coupon, ...]:
    """A promotion's codes as they are compared; how often each was used is not for the caller to say.

    :raises InvalidInputError: one cannot be a code, is there twice, or is another promotion's.
    """
    found: dict[tuple[str, ChannelId | None], Coupon] = {}
    for coupon in coupons:
        if coupon.promotion_id != promotion.id:
            raise invalid("unknown-id", "coupon.promotion_id", coupon.promotion_id)
        code = fold_code(coupon.code, "coupon.code")
        if (code, coupon.channel_id) in found:
            raise invalid("named-twice", "coupon.code", code)
        _require_limit(coupon.limit_total, f"coupons[{code}].limit_total")
        found[code, coupon.channel_id] = attrs.evolve(coupon, code=code, used=0)
    return tuple(found.values())
