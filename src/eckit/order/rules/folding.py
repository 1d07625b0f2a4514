"""What an order is now: its placement folded with its amendments; and how a new amendment is made."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from eckit.kernel.freezing import canonical
from eckit.kernel.ids import AmendmentId, LineId
from eckit.kernel.states import move, table
from eckit.order.errors import NotOpenError
from eckit.order.model import Amendment, LineDelta, Order, OrderLine, OrderMove, OrderState, Placement
from eckit.order.rules.refunding import Bought, GivenBack, Pools, earned, pools, refund_share
from eckit.order.rules.sealing import digest_of

CANCEL_UNITS: Final = "cancel_units"
RETURN: Final = "return"
ACCEPTED: Final = "accepted"
LAPSED: Final = "lapsed"
"""The reason of an order whose payment was given up before it counted."""

# fmt: off
MOVES = table(
    # from               when                to
    (OrderState.PLACED,  OrderMove.CANCEL,   OrderState.CANCELED),
    (OrderState.PLACED,  OrderMove.CLOSE,    OrderState.CLOSED),
)
# fmt: on


def fold(placed: Order, amendments: Iterable[Amendment]) -> Order:
    """The order as it stands after its accepted amendments. Pure; one of an unknown kind only changes the total.

    :param placed: the order as it was placed. What was shipped is told by shipments, not by amendments, and is kept.
    """
    order = placed
    for amendment in sorted(amendments, key=lambda one: one.seq):
        if amendment.state == ACCEPTED:
            order = _applied(order, amendment)
    return order


def _applied(order: Order, amendment: Amendment) -> Order:
    counter = {CANCEL_UNITS: "canceled_steps", RETURN: "returned_steps"}.get(amendment.kind)
    steps: Counter[LineId] = Counter()
    for delta in amendment.deltas if counter else ():
        steps[delta.line_id] -= delta.steps
    lines = tuple(
        attrs.evolve(line, **{counter: getattr(line, counter) + steps[line.id]})
        if counter is not None and line.id in steps
        else line
        for line in order.lines
    )
    amended = attrs.evolve(
        order,
        lines=lines,
        current_total_minor=order.current_total_minor + amendment.amount_minor,
        amendments=(*order.amendments, amendment),
    )
    if amendment.kind == CANCEL_UNITS and order.state is OrderState.PLACED and is_gone(amended):
        state = move(MOVES, order.state, OrderMove.CANCEL)
        return attrs.evolve(amended, state=state, reason=amendment.reason)
    return amended


def is_gone(order: Order) -> bool:
    """Whether every step of every line is canceled."""
    return all(line.canceled_steps == line.steps for line in order.lines)


def open_deltas(order: Order) -> tuple[LineDelta, ...]:
    """What canceling all that is still open takes away."""
    return tuple(LineDelta(line_id=line.id, steps=-line.open_steps) for line in order.lines if line.open_steps)


def wanted_deltas(order: Order, wanted: Sequence[tuple[LineId, int]], sign: int = -1) -> tuple[LineDelta, ...]:
    """Steps of lines as deltas, if so many are open.

    :raises NotOpenError: names the line; also if it is none of this order's.
    """
    steps: Counter[LineId] = Counter()
    for line_id, count in wanted:
        steps[line_id] += count
    open_steps = {line.id: line.open_steps for line in order.lines}
    for line_id, count in steps.items():
        if count > open_steps.get(line_id, 0):
            raise NotOpenError(line_id=line_id, wanted=count, open=open_steps.get(line_id, 0))
    return tuple(LineDelta(line_id=line_id, steps=sign * count) for line_id, count in steps.items())


def given_back(order: Order, placement: Placement, deltas: Sequence[LineDelta]) -> GivenBack:
    """What is given back for steps that go: their frozen shares, and with the last step of a group its shipping."""
    before = {line.id: line.canceled_steps + line.returned_steps for line in order.lines}
    after = dict(before)
    for delta in deltas:
        after[delta.line_id] -= delta.steps
    return refund_share(pools_of(order, placement), before, after)


def pools_of(order: Order, placement: Placement) -> Pools:
    """Where every unit of an order's total lies."""
    bought = [Bought(id=line.id, group_id=line.group_id, steps=line.steps) for line in order.lines]
    return pools(bought, placement.charges, placement.shares)


def earned_minor(order: Order, placement: Placement) -> int:
    """What is due for the steps that have left, tax included."""
    return earned(pools_of(order, placement), {line.id: line.shipped_steps for line in order.lines})


def cancellation(
    order: Order,
    back: GivenBack,
    deltas: Sequence[LineDelta],
    *,
    amendment_id: AmendmentId,
    reason: str,
    by: str,
    at: dt.datetime,
) -> Amendment:
    """The amendment that cancels these steps, linked to the one before by digest."""
    last = order.amendments[-1] if order.amendments else None
    amendment = Amendment(
        id=amendment_id,
        order_id=order.id,
        seq=last.seq + 1 if last else 1,
        kind=CANCEL_UNITS,
        state=ACCEPTED,
        deltas=tuple(deltas),
        amount_minor=-back.amount_minor,
        reason=reason,
        by=by,
        at=at,
        body={
            "charges": {charge: -amount for charge, amount in sorted(back.by_charge.items())},
            "pools": {pool: -amount for pool, amount in sorted(back.by_pool.items())},
        },
        previous_digest=last.digest if last else order.digest,
    )
    return attrs.evolve(amendment, digest=link_digest(amendment))


def link_digest(amendment: Amendment) -> str:
    """SHA-256 over an amendment and the digest of the link before it: the placement's for the first."""
    return digest_of(canonical(_linked(amendment)))


def _linked(amendment: Amendment) -> Mapping[str, Any]:
    return {
        "id": amendment.id,
        "order_id": amendment.order_id,
        "seq": amendment.seq,
        "kind": amendment.kind,
        "state": amendment.state,
        "deltas": [[delta.line_id, delta.steps] for delta in amendment.deltas],
        "amount_minor": amendment.amount_minor,
        "reason": amendment.reason,
        "by": amendment.by,
        "at": amendment.at.isoformat(),
        "body": amendment.body,
        "previous_digest": amendment.previous_digest,
    }


def open_lines(order: Order) -> tuple[OrderLine, ...]:
    """Lines with steps still to be shipped."""
    return tuple(line for line in order.lines if line.open_steps)
