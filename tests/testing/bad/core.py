"""The core with its faults: what it must never do, for the checks that no gateway alone can fail.

Each fault is a wrapper around one function of eckit's. All of them are there from the first shop that is composed with
the bad plugin until :func:`restore`, in the processes that the kit starts too, and do nothing unless switched on; like
the gateway's faults they note that their place was passed.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any, Final

import attrs
import sqlalchemy as sa

from eckit.flows.settle_payment import Settled
from eckit.kernel.actors import Actor
from eckit.kernel.work import Work
from eckit.payment import rules, store
from eckit.payment.model import OperationKind, OpState, Payment
from tests.testing.bad.switched import BadSettings, Reached

Wrapper = Callable[..., Any]

_reached = Reached(BadSettings())
_good: Final[dict[tuple[Any, str], Any]] = {}


def use(settings: BadSettings) -> None:
    """Switch the fault of these settings on, and any other off."""
    global _reached  # noqa: PLW0603 -- one core, one switch
    _reached = Reached(settings)
    for place, wrapper in _FAULTS.items():
        module, _, name = place.rpartition(".")
        target = importlib.import_module(module)
        if (target, name) not in _good:
            good = _good[target, name] = getattr(target, name)
            setattr(target, name, functools.wraps(good)(functools.partial(wrapper, good)))


def restore() -> None:
    """The good core again."""
    for (target, name), good in _good.items():
        setattr(target, name, good)
    _good.clear()


def _is(fault: str) -> bool:
    return _reached.is_on(fault)


# -- the faults -------------------------------------------------------------------------------------------------------


def _mark_sent(good: Wrapper, work: Any, payment_id: Any, operation_id: Any) -> Any:
    """Who comes second sends as well."""
    marked = good(work, payment_id, operation_id)
    if marked is not None or not _is("B.core_lets_everybody_send"):
        return marked
    payment = store.load(work, payment_id)
    sent = [one for one in payment.operations if (one.id, one.state) == (operation_id, OpState.SENT)] if payment else []
    return (payment, sent[0]) if sent else None


def _add(good: Wrapper, work: Work, payment: Payment, kind: OperationKind, *arguments: Any, **facts: Any) -> Any:
    """Another operation is planned beside one that is on its way or in doubt, and the database does not mind."""
    if _sees_nothing_open(payment, kind):
        work.connection.execute(sa.text("drop index if exists uq_eckit_operation_open"))
        ended = [attrs.evolve(one, state=OpState.SUCCEEDED) for one in payment.operations]
        payment = attrs.evolve(payment, operations=tuple(ended))
    return good(work, payment, kind, *arguments, **facts)


def _sees_nothing_open(payment: Payment, kind: OperationKind) -> bool:
    capture, void = OperationKind.CAPTURE, OperationKind.VOID
    on_its_way = {one.kind for one in payment.operations if one.state is OpState.SENT}
    if any(one.state is OpState.IN_DOUBT for one in payment.operations):
        return _is("C.core_acts_while_in_doubt")
    if kind is capture and on_its_way == {capture}:
        return _is("B.core_captures_beside_a_capture")
    return on_its_way | {kind} == {capture, void} and bool(on_its_way) and _is("B.core_captures_beside_a_void")


def _left_for(good: Wrapper, payment: Payment, kind: OperationKind, now: Any) -> Any:
    """What was released can be captured."""
    total = rules.sums_of(payment)
    if kind is OperationKind.CAPTURE and total.voided and _is("B.core_captures_after_a_void"):
        return total.authorized - total.captured
    return good(payment, kind, now)


def _require_going_on(good: Wrapper, work: Any, placed: Any) -> None:
    """Nor does the block that lies on such an order keep anybody from it."""
    if not _is("B.core_captures_after_a_void"):
        good(work, placed)


def _reservation_over(good: Wrapper, begin: Any, now: Any) -> Any:
    """Reserved once is reserved for ever."""
    return good(begin, now) and not _is("B.core_reservations_never_end")


def _look_at(good: Wrapper, begin: Any, payment_id: Any, operation_id: Any) -> Any:
    """What was sent and never answered, or waits for a buyer, is nobody's business."""
    with begin.read(Actor.system("bad core")) as work:
        payment = store.load(work, payment_id)
    states = {one.state for one in payment.operations if one.id == operation_id} if payment else set()
    sent = OpState.SENT in states and _is("B.core_forgets_what_it_sent")
    waits = OpState.WAITING_BUYER in states and _is("D.core_waits_to_be_told")
    return () if sent or waits else good(begin, payment_id, operation_id)


def _cancel_unpaid(good: Wrapper, begin: Any, settled: Settled) -> None:
    """An attempt that failed takes the order with it, whoever has paid meanwhile."""
    failed = rules.beginning(settled.payment).state is OpState.FAILED
    if failed and _is("D.core_failure_cancels_the_order"):
        settled = attrs.evolve(settled, unpaid=True)
    good(begin, settled)


def _postpone(good: Wrapper, work: Any, leased: Any, reason: str) -> None:
    """A notice that came before its payment is given up at once."""
    if leased.payment is None and _is("D.core_drops_early_notices"):
        store.end_notice(work, leased.notice.id, "unmatched", reason)
        return
    good(work, leased, reason)


def _was_used(good: Wrapper, work: Any, gateway: Any) -> Any:
    """A gateway that is gone was never there."""
    return good(work, gateway) and not _is("H.core_forgets_lost_gateways")


_FAULTS: Final[dict[str, Wrapper]] = {
    "eckit.payment.service.mark_sent": _mark_sent,
    "eckit.payment.service.planning.add": _add,
    "eckit.payment.rules.planning.left_for": _left_for,
    "eckit.flows.move_money.require_going_on": _require_going_on,
    "eckit.payment.rules.planning.reservation_over": _reservation_over,
    "eckit.flows.chase._look_at": _look_at,
    "eckit.flows.receive_notice.cancel_unpaid": _cancel_unpaid,
    "eckit.payment.service.postpone": _postpone,
    "eckit.payment.service.was_used": _was_used,
}
"""Where the core is wrapped: module and name as its callers look it up."""
