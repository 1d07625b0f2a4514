"""What is given back when steps of an order are canceled or returned: the frozen shares, by cumulative targets.

Every charge of the placement falls into pools: each line's own, each delivery group's (shipping, with its reductions
and its tax), and the order's (fees). After k of a line's n steps are gone, ``pool × k ÷ n`` of its pool has been given
back, rounded towards zero; what one step more gives back is the difference of two such targets. So a full refund in any
order and any step sizes is exactly the whole. A group's pool comes back with the last step of its lines, the order's
with the last step of all.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from eckit.kernel.ids import ChargeId, GroupId, LineId
from eckit.kernel.money import Rounding, round_ratio, split
from eckit.pricing.model import Charge, ChargeKind, Share

ORDER: Final = "order"


@attrs.frozen(kw_only=True)
class Bought:
    """A line as far as refunds need it."""

    id: LineId
    group_id: GroupId
    steps: int


@attrs.frozen
class Part:
    """The part of a charge that lies in a pool. One ``included`` in other charges is no money of its own."""

    charge_id: ChargeId
    amount_minor: int
    included: bool
    is_goods: bool


@attrs.frozen(kw_only=True)
class Pools:
    """Where every unit of the total lies: ``line:<id>``, ``group:<id>`` or ``order`` → parts of charges."""

    lines: tuple[Bought, ...]
    parts: Mapping[str, tuple[Part, ...]] = attrs.field(hash=False)

    def of(self, key: str) -> tuple[Part, ...]:
        """The parts of a pool."""
        return self.parts.get(key, ())

    def amount_minor(self, key: str) -> int:
        """The money in a pool, in minor units, tax included."""
        return sum(part.amount_minor for part in self.of(key) if not part.included)


@attrs.frozen(kw_only=True)
class GivenBack:
    """What is given back, tax included.

    :ivar amount_minor: positive for money that goes back to the buyer.
    :ivar by_charge: its parts by charge, tax that is contained in other charges among them.
    :ivar by_pool: its parts by line, group or order; these add up to the amount.
    """

    amount_minor: int
    by_charge: Mapping[ChargeId, int] = attrs.field(hash=False)
    by_pool: Mapping[str, int] = attrs.field(hash=False)


def pools(lines: Iterable[Bought], charges: Sequence[Charge], shares: Iterable[Share]) -> Pools:
    """Sort every charge of a placement, with its shares, into pools."""
    bought = tuple(lines)
    spread = _Spread(bought, charges, shares)
    parts: defaultdict[str, list[Part]] = defaultdict(list)
    for charge in charges:
        for key, amount in spread.of(charge):
            parts[key].append(Part(charge.id, amount, charge.included, charge.kind == ChargeKind.GOODS))
    return Pools(lines=bought, parts={key: tuple(found) for key, found in parts.items()})


class _Spread:
    """Follows shares to the pools where they end; a share of another charge lies where that charge does."""

    def __init__(self, lines: Sequence[Bought], charges: Sequence[Charge], shares: Iterable[Share]) -> None:
        self._homes = {f"line:{line.id}" for line in lines} | {f"group:{line.group_id}" for line in lines}
        self._charges = {f"charge:{charge.id}": charge for charge in charges}
        self._shares: defaultdict[ChargeId, list[Share]] = defaultdict(list)
        for share in shares:
            self._shares[share.charge_id].append(share)

    def of(self, charge: Charge, seen: frozenset[ChargeId] = frozenset()) -> list[tuple[str, int]]:
        """The pools of a charge, with the amount in each."""
        found: defaultdict[str, int] = defaultdict(int)
        for share in self._shares.get(charge.id, ()):
            for key, amount in self._of_share(share, seen | {charge.id}):
                found[key] += amount
        left = charge.amount_minor - sum(found.values())
        if left or not found:
            found[self._home(charge.target)] += left
        return list(found.items())

    def _of_share(self, share: Share, seen: frozenset[ChargeId]) -> list[tuple[str, int]]:
        other = self._charges.get(share.target)
        if other is None or other.id in seen:
            return [(self._home(share.target), share.amount_minor)]
        homes = self.of(other, seen)
        weights = [abs(amount) for _, amount in homes]
        amounts = split(share.amount_minor, weights if any(weights) else [1] * len(homes))
        return [(key, amount) for (key, _), amount in zip(homes, amounts, strict=True)]

    def _home(self, target: str) -> str:
        return target if target in self._homes else ORDER


def refund_share(whole: Pools, before: Mapping[LineId, int], after: Mapping[LineId, int]) -> GivenBack:
    """What is given back when the steps that are gone go from ``before`` to ``after``.

    :param before: line → steps canceled or returned so far; a line left out has lost none.
    :param after: the same, after this cancellation or return.
    """
    old, new = _targets(whole, before), _targets(whole, after)
    by_charge: defaultdict[ChargeId, int] = defaultdict(int)
    by_pool: dict[str, int] = {}
    for key, target in new.items():
        for charge_id, amount in target.by_charge.items():
            by_charge[charge_id] += amount - old[key].by_charge.get(charge_id, 0)
        by_pool[key] = target.amount_minor - old[key].amount_minor
    return GivenBack(
        amount_minor=sum(by_pool.values()),
        by_charge={charge_id: amount for charge_id, amount in by_charge.items() if amount},
        by_pool={key: amount for key, amount in by_pool.items() if amount},
    )


def earned(whole: Pools, shipped: Mapping[LineId, int]) -> int:
    """What is due for the steps that have left, in minor units, tax included; what may be captured by then.

    The counterpart of :func:`refund_share`: a line's steps are worth what is not given back if only they stay; a
    group's pool is due with its first step, the order's with the first of all. So once every step is shipped or
    canceled, this is the total after cancellations.

    :param shipped: line → steps that have left; a line left out has none.
    """
    due = 0
    for line in whole.lines:
        amount = whole.amount_minor(f"line:{line.id}")
        due += amount - _reached(amount, line.steps - shipped.get(line.id, 0), line.steps)
    started = {line.group_id for line in whole.lines if shipped.get(line.id, 0)}
    due += sum(whole.amount_minor(f"group:{group}") for group in sorted(started))
    return due + (whole.amount_minor(ORDER) if started else 0)


@attrs.frozen
class _Target:
    amount_minor: int
    by_charge: Mapping[ChargeId, int] = attrs.field(hash=False)


def _targets(whole: Pools, gone: Mapping[LineId, int]) -> dict[str, _Target]:
    """What of each pool has been given back in all, once so many steps are gone."""
    left = [line for line in whole.lines if gone.get(line.id, 0) < line.steps]
    targets = {f"line:{line.id}": _of_line(whole, line, gone.get(line.id, 0)) for line in whole.lines}
    for group in dict.fromkeys(line.group_id for line in whole.lines):
        targets[f"group:{group}"] = _all_or_nothing(
            whole, f"group:{group}", all(line.group_id != group for line in left)
        )
    targets[ORDER] = _all_or_nothing(whole, ORDER, not left)
    return targets


def _of_line(whole: Pools, line: Bought, gone: int) -> _Target:
    key = f"line:{line.id}"
    parts = {part.charge_id: _reached(part.amount_minor, gone, line.steps) for part in whole.of(key)}
    amount = _reached(whole.amount_minor(key), gone, line.steps)
    # Parts are rounded each by itself; what that leaves goes to the goods, so that they add up at every step.
    off = amount - sum(parts[part.charge_id] for part in whole.of(key) if not part.included)
    goods = next((part.charge_id for part in whole.of(key) if part.is_goods), None)
    if off:
        bearer = goods or next(part.charge_id for part in whole.of(key) if not part.included)
        parts[bearer] += off
    return _Target(amount, parts)


def _reached(amount: int, gone: int, steps: int) -> int:
    return round_ratio(amount * min(gone, steps), steps, Rounding.FLOOR)


def _all_or_nothing(whole: Pools, key: str, is_over: bool) -> _Target:
    if not is_over:
        return _Target(0, {})
    return _Target(whole.amount_minor(key), {part.charge_id: part.amount_minor for part in whole.of(key)})
