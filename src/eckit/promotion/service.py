"""Verbs of promotion."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from eckit.kernel import desk
from eckit.kernel.conforming import conforms
from eckit.kernel.desk import verb
from eckit.kernel.errors import InvalidInputError, NotFoundError, PluginError, invalid
from eckit.kernel.hookspecs import declared
from eckit.kernel.ids import ChannelId, CustomerId, OrderId, PromotionId, expect_id
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.structuring import structure
from eckit.kernel.text import fold_code, fold_email
from eckit.kernel.work import Work
from eckit.promotion import hooks, rules, store
from eckit.promotion.errors import (
    BuyerUnknownError,
    CouponExhaustedError,
    CouponTakenError,
    PromotionCodeTakenError,
)
from eckit.promotion.model import (
    SHIPPING,
    Adjustment,
    CodeAnswer,
    Condition,
    Coupon,
    Draft,
    Matched,
    Promotion,
    PromotionChanged,
    RuleRef,
    Use,
)

SPECS = declared(hooks, "promotion")
READ, MANAGE = "promotion.read", "promotion.write"
STAMP = "promotions"
CONDITIONS, ACTIONS = "promotion.conditions", "promotion.actions"
_CHUNK = 1000
"""Codes of one statement: SQLite takes at most 32,766 parameters."""


def collect(plugins: Plugins) -> None:
    """Ask once for conditions and actions."""
    plugins.collect("register_promotion_conditions", CONDITIONS, code=lambda condition: condition.code)
    plugins.collect("register_promotion_actions", ACTIONS, code=lambda action: action.code)


# -- the book ---------------------------------------------------------------------------------------------------------


def save(work: Work, promotion: Promotion, coupons: Sequence[Coupon] = ()) -> Promotion:
    """Add or change a promotion with its codes; uses so far stay. Needs ``promotion.write``.

    A limit set where none was counts the uses so far; those of a limit per customer are counted from then on.

    :raises InvalidInputError: unknown condition or action, settings that do not fit, a code that cannot be one, a limit
        below the uses so far.
    :raises PromotionCodeTakenError: another promotion has its code.
    :raises CouponTakenError: a code opens another promotion already.
    :raises PluginError: its condition failed; names the plugin.
    """
    work.actor.require(MANAGE)
    expect_id("promotion", promotion.id, path="promotion.id")
    fold_code(promotion.code, "promotion.code")
    rules.require_rank(promotion)
    rules.require_limits(promotion)
    ready(work.plugins, promotion)
    codes = rules.folded(coupons, promotion)
    _put(work, promotion)
    for start in range(0, len(codes), _CHUNK):
        _put_coupons(work, codes[start : start + _CHUNK])
    work.bump(STAMP)
    work.did("promotion.save", Ref("promotion", promotion.id))
    work.announce(PromotionChanged(promotion_id=promotion.id))
    return promotion


def _put(work: Work, promotion: Promotion) -> None:
    if store.id_of_code(work, promotion.code) not in (None, promotion.id):
        raise PromotionCodeTakenError(what="promotion", taken=promotion.code)
    before = store.lock(work, promotion.id)
    used = before.used if before else 0
    if before is not None and before.limit_total is None and promotion.limit_total is not None:
        used = store.count_uses(work, promotion.id)
    if promotion.limit_total is not None and used > promotion.limit_total:
        raise invalid("below-uses", "promotion.limit_total", promotion.limit_total, limit=used)
    store.put(work, promotion, used)


def _put_coupons(work: Work, coupons: Sequence[Coupon]) -> None:
    """In a fixed number of statements, and two more for each code that gets its first limit by this."""
    before = store.lock_coupons(work, [one.code for one in coupons])
    rows = []
    for one in coupons:
        there = before.get((one.code, one.channel_id or ""))
        used = there.used if there else 0
        if there is not None and there.promotion_id != one.promotion_id:
            raise CouponTakenError(what="coupon", taken=one.code)
        if there is not None and there.limit_total is None and one.limit_total is not None:
            used = store.take_uses(work, one)
        if one.limit_total is not None and used > one.limit_total:
            raise invalid("below-uses", f"coupons[{one.code}].limit_total", one.limit_total, limit=used)
        rows.append(attrs.evolve(one, used=used))
    store.put_coupons(work, rows)


def book(work: Work, *, stamp: int | None = None) -> rules.Book:
    """All active promotions, made ready and indexed; read once per change.

    :param stamp: the version of the stamp ``promotions``, where the caller has read it.
    """
    if work.has_bumped(STAMP):
        return _load(work)
    version = work.stamps([STAMP])[STAMP] if stamp is None else stamp
    return work.plugins.cached("eckit", STAMP, version, lambda: _load(work))


def _load(work: Work) -> rules.Book:
    entries: list[rules.Entry] = []
    broken: dict[PromotionId, str] = {}
    for promotion in store.active(work):
        try:
            entries.append(ready(work.plugins, promotion))
        except InvalidInputError as error:
            broken[promotion.id] = f"{promotion.code}: {error.text()}"
    return rules.index(entries, broken)


def ready(plugins: Plugins, promotion: Promotion) -> rules.Entry:
    """A promotion with its condition and action found and their settings read.

    :raises InvalidInputError: an unknown condition or action, or settings that do not fit.
    :raises PluginError: the condition failed.
    """
    condition, condition_settings, condition_plugin = _part(plugins, CONDITIONS, promotion.condition, "condition")
    action, action_settings, action_plugin = _part(plugins, ACTIONS, promotion.action, "action")
    return rules.Entry(
        promotion=promotion,
        condition=condition,
        condition_settings=condition_settings,
        condition_plugin=condition_plugin,
        action=action,
        action_settings=action_settings,
        action_plugin=action_plugin,
        keys=_keys(plugins, condition_plugin, condition, condition_settings),
    )


def _keys(plugins: Plugins, plugin: str, condition: Condition, settings: Any) -> tuple[str, ...]:
    keys = plugins.guarded(plugin, "keys", condition.keys, settings)
    if not conforms(keys, tuple[str, ...]):
        raise PluginError(plugin=plugin, hook="keys", reason=f"answered {type(keys).__name__}")
    return keys


def _part(plugins: Plugins, kind: str, ref: RuleRef, path: str) -> tuple[Any, Any, str]:
    entry = plugins.thing(kind, ref.code)
    if entry is None:
        known = ", ".join(thing.code for thing in plugins.things(kind))
        raise invalid("unknown-code", f"promotion.{path}.code", ref.code, limit=known)
    settings = structure(entry.thing.settings, dict(ref.settings), f"promotion.{path}.settings")
    return entry.thing, settings, entry.plugin


# -- asking -----------------------------------------------------------------------------------------------------------


def coupons(work: Work, codes: Iterable[str], channel_id: ChannelId) -> dict[str, Coupon]:
    """What entered codes open in a channel; one statement, none without codes."""
    wanted = [fold_code(code, "code") for code in codes]
    return store.coupons(work, wanted, channel_id) if wanted else {}


def apply(
    plugins: Plugins, book: rules.Book, coupons: Mapping[str, Coupon], draft: Draft, phase: int
) -> tuple[tuple[Adjustment, ...], tuple[CodeAnswer, ...]]:
    """The adjustments of one phase (10 lines, 20 order, 30 shipping), in the order they are to be applied.

    Only promotions that ask for something in the cart are judged, all of one kind at once.

    :raises PluginError: a condition, action or ``propose_adjustments`` failed or answered nonsense; or a promotion that
        a code opens cannot be judged because its plugin is gone.
    """
    for code, coupon in coupons.items():
        if coupon.promotion_id in book.broken and code in draft.codes:
            raise PluginError(plugin="promotion", hook="judge", reason=book.broken[coupon.promotion_id])
    found = rules.candidates(book, rules.usable(coupons), draft, phase)
    room = rules.Room.of(draft)
    offers, met = _offers(plugins, found, draft, room)
    kept = rules.combine(offers, room)
    adjustments = [one for offer in kept for one in offer.adjustments]
    if phase != rules.PHASES[0]:
        adjustments += _proposed(plugins, draft, room, phase)
    applied = {offer.promotion.id: offer.coupon for offer in kept}
    return tuple(adjustments), rules.answers(book, coupons, draft, phase, met, applied)


def _offers(
    plugins: Plugins, found: Sequence[tuple[rules.Entry, str | None]], draft: Draft, room: rules.Room
) -> tuple[list[rules.Offer], frozenset[PromotionId]]:
    verdicts = _in_batches(
        found,
        kind=lambda entry: (entry.condition_plugin, entry.condition.code),
        ask=lambda batch: _verdicts(plugins, draft, room, batch),
    )
    met = [(pair, verdict) for pair, verdict in zip(found, verdicts, strict=True) if verdict.met]
    verdict_of = {entry.promotion.id: verdict for (entry, _), verdict in met}
    proposed = _in_batches(
        [pair for pair, _ in met],
        kind=lambda entry: (entry.action_plugin, entry.action.code),
        ask=lambda batch: _proposals(plugins, draft, batch, verdict_of),
    )
    offers = [
        rules.offer(entry, coupon, adjustments, room)
        for ((entry, coupon), _), adjustments in zip(met, proposed, strict=True)
    ]
    return offers, frozenset(verdict_of)


def _verdicts(plugins: Plugins, draft: Draft, room: rules.Room, batch: Sequence[rules.Entry]) -> Sequence[Matched]:
    condition, plugin = batch[0].condition, batch[0].condition_plugin
    asked = tuple(entry.condition_settings for entry in batch)
    answer = plugins.guarded(plugin, "judge", condition.judge, draft, asked)
    return rules.matched(answer, len(batch), plugin, room)


def _proposals(
    plugins: Plugins, draft: Draft, batch: Sequence[rules.Entry], verdict_of: Mapping[PromotionId, Matched]
) -> Sequence[tuple[Adjustment, ...]]:
    action, plugin = batch[0].action, batch[0].action_plugin
    asked = tuple((entry.action_settings, verdict_of[entry.promotion.id]) for entry in batch)
    answer = plugins.guarded(plugin, "propose", action.propose, draft, asked)
    return rules.proposed(answer, len(batch), plugin)


def _in_batches(
    found: Sequence[tuple[rules.Entry, str | None]],
    *,
    kind: Callable[[rules.Entry], tuple[str, str]],
    ask: Callable[[Sequence[rules.Entry]], Sequence[Any]],
) -> list[Any]:
    """Ask once per kind, give the answers back in the order of ``found``."""
    batches: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (entry, _) in enumerate(found):
        batches[kind(entry)].append(number)
    answers: list[Any] = [None] * len(found)
    for numbers in batches.values():
        for number, answer in zip(numbers, ask([found[number][0] for number in numbers]), strict=True):
            answers[number] = answer
    return answers


def _proposed(plugins: Plugins, draft: Draft, room: rules.Room, phase: int) -> list[Adjustment]:
    """What ``propose_adjustments`` gives for this phase's targets, by phase, priority and code."""
    shipping = phase == rules.PHASES[-1]
    found: list[Adjustment] = []
    for answer in hooks.ask_adjustments(plugins, draft):
        rules.require_sound(answer.plugin, answer.value, room)
        found += [_by(one, answer.plugin) for one in answer.value if (one.target == SHIPPING) == shipping]
    return sorted(found, key=lambda one: (one.phase, one.priority, one.code))


def _by(one: Adjustment, plugin: str) -> Adjustment:
    return attrs.evolve(one, plugin=plugin)


# -- uses -------------------------------------------------------------------------------------------------------------


def customer_key(customer_id: CustomerId | None, email: str) -> str | None:
    """Who a limit per customer counts: the account, else the mailbox as a digest; None if nobody is known."""
    if customer_id:
        return customer_id
    if not email:
        return None
    return f"email:{hashlib.sha256(fold_email(email, 'email').encode()).hexdigest()}"


def redeem(
    work: Work,
    order_id: OrderId,
    uses: Sequence[Use],
    *,
    channel_id: ChannelId,
    customer_key: str | None,
    currency: str,
    limits: Mapping[PromotionId, tuple[int | None, int | None]],
) -> None:
    """Claim a use of everything an order rests on, all or none; at most four statements.

    :param limits: as :func:`limits` read them before the transaction.
    :raises CouponExhaustedError: one has no use left.
    :raises BuyerUnknownError: one is limited per customer and nobody knows who buys.
    """
    if not uses:
        return
    codes = {use.promotion_id: use.coupon or use.promotion_id for use in uses}
    totals = {one for one in codes if limits.get(one, (None, None))[0] is not None}
    each = {one: cap for one in codes if (cap := limits.get(one, (None, None))[1]) is not None}
    if each and not customer_key:
        raise BuyerUnknownError(codes=tuple(codes[one] for one in sorted(each)))
    with_code = {use.coupon for use in uses if use.coupon}
    channels = store.count_coupons(work, with_code, channel_id) if with_code else {}
    spent: list[str] = []
    if totals:
        spent = [codes[one] for one in sorted(totals - store.count_promotions(work, totals))]
    if each and customer_key and not spent:
        spent = [codes[one] for one in sorted(each.keys() - store.count_customer(work, each, customer_key))]
    if not spent:
        keys = dict.fromkeys(each, customer_key)
        kept = store.add_redemptions(work, order_id, uses, channels, channel_id, keys, currency)
        spent = [codes[use.promotion_id] for use in uses if use.promotion_id not in kept]
    if spent:
        raise CouponExhaustedError(codes=tuple(sorted(spent)))
    work.did("promotion.redeem", Ref("order", order_id))


def limits(work: Work, ids: Iterable[PromotionId]) -> dict[PromotionId, tuple[int | None, int | None]]:
    """Promotion → its limits in total and per customer; one statement, none without ids."""
    wanted = list(ids)
    return store.limits(work, wanted) if wanted else {}


def release(work: Work, order_id: OrderId) -> None:
    """Give back what an order used, once, where its promotions allow it."""
    released = store.end_redemptions(work, order_id, work.now)
    if released:
        store.uncount(work, released)
        work.did("promotion.release", Ref("order", order_id))


def get(work: Work, promotion_id: PromotionId) -> Promotion:
    """One promotion, active or not. Needs ``promotion.read``.

    :raises NotFoundError: there is none, or not for this actor.
    """
    expect_id("promotion", promotion_id)
    found = store.get(work, promotion_id) if _may_read(work) else None
    if found is None:
        raise NotFoundError(kind="promotion", id=promotion_id)
    return found


def uses(work: Work, promotion_id: PromotionId) -> int:
    """How many orders use a promotion now; those that were canceled and gave it back are not counted.

    :raises NotFoundError: as :func:`get`.
    """
    return store.count_uses(work, get(work, promotion_id).id)


def _may_read(work: Work) -> bool:
    return work.actor.may(READ) or work.actor.may(MANAGE)


class Desk(desk.Desk):
    """``work.promotion``; what a code opens is asked by pricing a cart, so that nobody tries codes one by one."""

    save = verb(save)
    get = verb(get)
    uses = verb(uses)
