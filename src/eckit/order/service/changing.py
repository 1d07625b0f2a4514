"""What becomes of an order after it was placed.

Each change locks its row first, so that of two callers one is first and the other finds it done.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import attrs

from eckit.kernel.errors import MovedError, invalid
from eckit.kernel.ids import AmendmentId, LineId, OrderId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.states import move
from eckit.kernel.work import Work
from eckit.order import rules, store
from eckit.order.errors import NotConfirmableError
from eckit.order.model import (
    LineDelta,
    Order,
    OrderAmended,
    OrderCanceled,
    OrderClosed,
    OrderConfirmed,
    OrderLink,
    OrderMove,
    OrderState,
    Placement,
)
from eckit.order.service.scope import READ, WRITE, find, held, locked

_MAX_STEPS: Final = 10**6


def lock(work: Work, order_id: OrderId) -> Order:
    """The order as it is now, locked until the end of the transaction.

    :raises NotFoundError: there is none, or not for this actor (its own, or ``order.read``).
    """
    return locked(work, order_id, READ)


def placement(work: Work, order_id: OrderId) -> Placement:
    """The sealed record of an order that a flow works on; one statement."""
    return rules.placement_of(order_id, store.sealed_text(work, order_id))


def earned(work: Work, order: Order) -> int:
    """What is due for the steps that have left, in minor units, tax included: what may be captured by now.

    A line's part of it is its frozen share; shipping is due with the first step of its group, fees with the very first.
    """
    return rules.earned_minor(order, placement(work, order.id))


def may_lapse(work: Work, order: Order) -> bool:
    """Whether its time to be paid is over, and it never counted."""
    return rules.may_lapse(order, work.now)


def lapsable(work: Work, *, limit: int = 100) -> tuple[OrderId, ...]:
    """Placed, unconfirmed orders past their ``pay_by``, the longest overdue first. Needs ``order.read``.

    Whether one may be given up also depends on its payment: that is the flow's to ask.
    """
    work.actor.require(READ)
    return store.lapsable(work, limit)


# -- for flows ---------------------------------------------------------------------------------------------------------


def confirm(work: Work, order: Order | OrderId) -> Order:
    """The first due is secured: from now on the order counts. Once; a second call changes nothing.

    :raises NotConfirmableError: it was canceled before.
    """
    order_id = order.id if isinstance(order, Order) else OrderId(expect_id("order", order))
    is_first = store.confirm(work, order_id)
    now = held(work, order_id)
    if is_first:
        work.did("order.confirm", now.ref)
        work.announce(
            OrderConfirmed(
                order_id=now.id, number=now.number, total_minor=now.current_total_minor, currency=now.currency
            )
        )
    elif now.confirmed_at is None:
        raise NotConfirmableError(order_id=now.id, reason=now.reason or now.state.value)
    return now


def cancel(work: Work, order: Order | OrderId, reason: str) -> Order:
    """Cancel everything not yet shipped, by one amendment that gives back the frozen shares. Twice is once.

    The order is canceled as a whole if nothing was shipped; otherwise it goes on with what was. Stock, codes and money
    come back by the flow ``cancel_order``. Of its own: a buyer's, a guest's with the token; else ``order.write``.

    :param reason: a code; ``lapsed`` lets the cart version be ordered again.
    :raises NotCancelableError: everything was shipped, or the order is closed.
    :raises NotFoundError: no such order for this actor.
    """
    rules.code(reason, "reason")
    now = locked(work, order, WRITE)
    return now if rules.cancels_nothing(now) else _cancel(work, now, rules.open_deltas(now), reason)


def cancel_units(work: Work, order: Order | OrderId, lines: Sequence[tuple[LineId, int]], reason: str) -> Order:
    """Cancel some steps of some lines, as one amendment. Scope and effect as :func:`cancel`; not idempotent.

    :raises NotOpenError: a line has not so many steps open.
    """
    rules.code(reason, "reason")
    now = locked(work, order, WRITE)
    rules.cancels_nothing(now)
    return _cancel(work, now, rules.wanted_deltas(now, _steps(lines)), reason)


def _steps(lines: Sequence[tuple[LineId, int]]) -> list[tuple[LineId, int]]:
    if not lines:
        raise invalid("missing", "lines", lines)
    for index, (line_id, steps) in enumerate(lines):
        expect_id("line", line_id, path=f"lines[{index}]")
        rules.count(steps, f"lines[{index}].steps", _MAX_STEPS, "wrong-quantity")
    return list(lines)


def _cancel(work: Work, now: Order, deltas: Sequence[LineDelta], reason: str) -> Order:
    amendment = rules.cancellation(
        now,
        rules.given_back(now, placement(work, now.id), deltas),
        deltas,
        amendment_id=AmendmentId(mint("amendment")),
        reason=reason,
        by=str(work.actor),
        at=work.now,
    )
    changed = attrs.evolve(rules.fold(now, [amendment]), version=now.version + 1)
    if not store.shift_steps(work, now.id, "canceled_steps", {delta.line_id: -delta.steps for delta in deltas}):
        raise MovedError(what="order")
    store.add_amendment(work, amendment, now.currency)
    _save(work, now, changed)
    if changed.state is OrderState.CANCELED:
        work.did("order.cancel", now.ref, reason=reason)
        work.announce(OrderCanceled(order_id=now.id, reason=reason, was_confirmed=now.confirmed_at is not None))
    else:
        work.did("order.cancel_units", now.ref, reason=reason)
        work.announce(OrderAmended(order_id=now.id, amendment_id=amendment.id, kind=amendment.kind))
    return changed


def _save(work: Work, was: Order, changed: Order) -> None:
    if not store.save(work, changed, was=was.version, live_cart_key=rules.live_key(changed)):
        raise MovedError(what="order")


def note_shipped(work: Work, order: Order | OrderId, lines: Sequence[tuple[LineId, int]]) -> Order:
    """Steps of lines have left. Called with the shipment that says so, once.

    :raises NotOpenError: a line has not so many steps open.
    """
    now = held(work, order)
    deltas = rules.wanted_deltas(now, _steps(lines), sign=1)
    if not store.shift_steps(work, now.id, "shipped_steps", {delta.line_id: delta.steps for delta in deltas}):
        raise MovedError(what="order")
    shipped = Counter({delta.line_id: delta.steps for delta in deltas})
    changed = attrs.evolve(
        now,
        version=now.version + 1,
        lines=tuple(attrs.evolve(line, shipped_steps=line.shipped_steps + shipped[line.id]) for line in now.lines),
    )
    _save(work, now, changed)
    work.did("order.note_shipped", now.ref)
    return changed


# -- for staff ---------------------------------------------------------------------------------------------------------


def close(work: Work, order: Order | OrderId) -> Order:
    """Nothing is left to do. Needs ``order.write``; a second call changes nothing.

    :raises NotClosableError: steps are neither shipped nor canceled.
    :raises NotInTransitionError: it is canceled.
    """
    work.actor.require(WRITE)
    now = locked(work, order, WRITE)
    if now.state is OrderState.CLOSED:
        return now
    rules.require_done(now)
    changed = attrs.evolve(now, state=move(rules.MOVES, now.state, OrderMove.CLOSE), version=now.version + 1)
    _save(work, now, changed)
    work.did("order.close", now.ref)
    work.announce(OrderClosed(order_id=now.id))
    return changed


def link(work: Work, from_id: OrderId, to_id: OrderId, kind: str) -> OrderLink:
    """Say how two orders belong together: ``replaces``, ``exchange_for`` … Needs ``order.write``.

    :param kind: a code; open vocabulary.
    :raises InvalidInputError: an order linked to itself.
    """
    work.actor.require(WRITE)
    one, other = find(work, from_id, WRITE).bare, find(work, to_id, WRITE).bare
    if one.id == other.id:
        raise invalid("linked-to-itself", "to_id", to_id)
    made = OrderLink(from_id=one.id, to_id=other.id, kind=rules.code(kind, "kind"))
    if store.add_link(work, made):
        work.did("order.link", one.ref, other.ref)
    return made
