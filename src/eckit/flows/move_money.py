"""Capture and void: reserved money is taken, or released; an attempt that came to nothing is closed."""

import datetime as dt
from typing import Final

from moneyed import Money

from eckit.flows.close_attempt import close_attempt
from eckit.flows.send_operation import send_planned
from eckit.flows.settle_payment import provider
from eckit.kernel import faults
from eckit.kernel.actors import Actor, owns
from eckit.kernel.errors import NotFoundError
from eckit.kernel.ids import PaymentId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin, Work
from eckit.order import rules as order_rules, service as order
from eckit.order.model import Order, OrderState
from eckit.payment import rules, service as payment
from eckit.payment.errors import NotPayableError, UnsupportedOperationError
from eckit.payment.model import OperationKind, OpState, Payment, PaymentResult, StoredOperation

faults.declare("capture.after_plan", "void.after_plan")

CAPTURE: Final = "payment.capture"
VOID: Final = "payment.void"


def capture_payment(
    begin: Begin, actor: Actor, payment_id: PaymentId, amount: Money | None = None, *, key: str | None = None
) -> PaymentResult:
    """Take reserved money now. Needs ``payment.capture``, with a limit where the actor has one.

    :param amount: a part of it, in the payment's currency; everything that is reserved without it.
    :param key: the same key gives the same capture.
    :raises TooMuchError: more than is reserved; also after a void, or when the reservation is over.
    :raises OrderBlockedError: a block lies on the order.
    :raises NotPayableError: the order was canceled.
    :raises OperationOpenError: something is under way. :raises PaymentInDoubtError: an outcome is unknown.
    """
    expect_id("payment", payment_id)
    begin.require_no_transaction("capture_payment")
    return _move(begin, actor, payment_id, OperationKind.CAPTURE, amount, key and f"capture:{key}")


def void_payment(begin: Begin, actor: Actor, payment_id: PaymentId) -> PaymentResult:
    """Release what is reserved; or close an attempt that has not come to money, so that another way can be tried.

    Releasing needs ``payment.void``. Whoever owns the order may close an attempt that waits for the buyer.

    :raises TooMuchError: nothing is reserved.
    :raises UnsupportedOperationError: the gateway cannot do it: the attempt ends by itself.
    :raises OperationOpenError: something is under way. :raises PaymentInDoubtError: an outcome is unknown.
    """
    expect_id("payment", payment_id)
    begin.require_no_transaction("void_payment")
    placed, current = look(begin, actor, payment_id)
    beginning = rules.beginning(current)
    if beginning.state in (OpState.PLANNED, OpState.WAITING_BUYER):
        if not owns(actor, customer=placed.customer_id, token=placed.token):
            actor.require(VOID, channel=placed.channel_id)
        return _close(begin, actor, current, beginning)
    return _move(begin, actor, payment_id, OperationKind.VOID, None, None)


def _move(
    begin: Begin, actor: Actor, payment_id: PaymentId, kind: OperationKind, amount: Money | None, key: str | None
) -> PaymentResult:
    placed, current = look(begin, actor, payment_id)
    minor = _minor(current, kind, amount, key, begin.clock.now())
    actor.require(f"payment.{kind.value}", amount_minor=minor, channel=placed.channel_id)
    if rules.with_key(current, key) is None:
        payment.require_no_objection(begin.plugins, current, rules.sketch(current, kind, minor, begin.clock.now()))
    _plan(begin, actor, payment_id, kind, amount, key)
    faults.hit(f"{kind.value}.after_plan")
    send_planned(begin, order_id=placed.id)
    return rules.result(look(begin, actor, payment_id)[1], begin.clock.now())


@again_if_moved
def _plan(
    begin: Begin, actor: Actor, payment_id: PaymentId, kind: OperationKind, amount: Money | None, key: str | None
) -> StoredOperation:
    with begin.write(actor) as work:
        placed, current = locked(work, payment_id)
        minor = _minor(current, kind, amount, key, work.now)
        asked_before = rules.with_key(current, key) is not None
        planned = payment.plan(work, current, kind, minor, key)
        if kind is OperationKind.CAPTURE and not asked_before:
            require_going_on(work, placed)  # after the sums: what cannot be taken at all is said first
        return planned


def _minor(current: Payment, kind: OperationKind, amount: Money | None, key: str | None, now: dt.datetime) -> int:
    """How much is to be moved; without an amount what an earlier request with the same key moved, else all there is."""
    earlier = rules.with_key(current, key)
    return earlier.amount_minor if earlier and amount is None else rules.amount_for(current, kind, amount, now)


def require_going_on(work: Work, placed: Order) -> None:
    """Insist that money may be captured for an order.

    :raises NotPayableError: it was canceled. :raises OrderBlockedError: a block lies on it.
    """
    if placed.state is OrderState.CANCELED:
        raise NotPayableError(state=placed.state.value)
    order_rules.require_unblocked(placed, work.now)


def look(begin: Begin, actor: Actor, payment_id: PaymentId) -> tuple[Order, Payment]:
    """A payment and its order, if the order is the actor's to see.

    :raises NotFoundError: there is none, or it is not for this actor: the two are not told apart.
    """
    with begin.read(actor) as work:
        try:
            placed = order.get(work, payment.order_of(work, payment_id)).order
        except NotFoundError:
            raise NotFoundError(kind="payment", id=payment_id) from None
        attempts = payment.order_payments(work, placed)
        return placed, next(one for one in attempts if one.id == payment_id)


def locked(work: Work, payment_id: PaymentId) -> tuple[Order, Payment]:
    """A payment and its order, both locked, the order first."""
    placed = order.lock(work, payment.order_of(work, payment_id))
    attempts = payment.order_payments(work, placed, lock=True)
    return placed, next(one for one in attempts if one.id == payment_id)


# -- closing an attempt -----------------------------------------------------------------------------------------------


def _close(begin: Begin, actor: Actor, current: Payment, beginning: StoredOperation) -> PaymentResult:
    """Close an attempt that has not come to money: one that was never sent is dropped, any other is voided there."""
    if beginning.state is OpState.PLANNED:
        _drop(begin, actor, current.id)
    else:
        found, declared = payment.gateway_of(begin.plugins, current)
        if not declared.void:
            raise UnsupportedOperationError(method=found.code, kind=OperationKind.VOID.value)
        close_attempt(begin, current, beginning, provider(current.method, actor))
    return rules.result(look(begin, actor, current.id)[1], begin.clock.now())


@again_if_moved
def _drop(begin: Begin, actor: Actor, payment_id: PaymentId) -> None:
    with begin.write(actor) as work:
        _, current = locked(work, payment_id)
        payment.abandon(work, current, rules.beginning(current).id, "closed")
