"""What follows for the order when a payment has changed: it is confirmed, money is applied, or given back."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import attrs

from eckit.order.model import Order, OrderState
from eckit.payment.model import (
    Capabilities,
    OperationKind,
    OpState,
    Payment,
    PaymentState,
    StoredOperation,
)
from eckit.payment.rules import moves
from eckit.payment.rules.actions import waits_for_funds
from eckit.payment.rules.planning import supports
from eckit.payment.rules.status import reservation_over, status_of
from eckit.payment.rules.sums import held, lost, refundable, reserved, sums_of, taken

GIVE_BACK_KEY: Final = "give-back:"
"""Keys of operations that give back what the order does not want begin with this."""

TRIES: Final = 3
"""After so many refusals of the provider a person gives the money back."""


@attrs.frozen(kw_only=True)
class Follow:
    """What follows.

    :ivar confirm: the first due is secured: the order counts from now on.
    :ivar came: money that has newly come, in minor units.
    :ivar late: it came for an order that does not wait for it, or that another payment covers already.
    :ivar unwanted: the payment's money is to be given back.
    :ivar overpaid: what came beyond what was asked, in minor units.
    """

    confirm: bool = False
    came: int = 0
    late: bool = False
    unwanted: bool = False
    overpaid: int = 0


def follow(order: Order, before: Payment, after: Payment, others: Sequence[Payment], now: dt.datetime) -> Follow:
    """What a change of a payment means for its order.

    :param others: the order's other payments.
    """
    alive = order.state is not OrderState.CANCELED
    came = max(0, held(after) - held(before))
    covered = sum(held(other) for other in others if not is_given_back(other))
    surplus = alive and came > 0 and not held(before) and covered >= order.current_total_minor > 0
    unwanted = not alive or surplus or is_given_back(after)
    return Follow(
        confirm=not unwanted and order.confirmed_at is None and secured(after, now),
        came=came,
        late=came > 0 and unwanted,
        unwanted=unwanted,
        overpaid=0 if unwanted else max(0, sums_of(after).captured_final - after.amount_minor),
    )


def secured(payment: Payment, now: dt.datetime) -> bool:
    """Whether its amount can be counted on: authorized, captured, or promised by a voucher or bank details handed out.

    Sending the buyer to a page of the provider's secures nothing.
    """
    begin = beginning(payment)
    promised = begin.state is OpState.WAITING_BUYER and waits_for_funds(begin.action)
    arrived = begin.state is OpState.SUCCEEDED and held(payment) >= payment.amount_minor
    return promised or (arrived and not reservation_over(begin, now))


def beginning(payment: Payment) -> StoredOperation:
    """The operation a payment began with."""
    return next(one for one in payment.operations if one.kind is OperationKind.BEGIN)


def is_given_back(payment: Payment) -> bool:
    """Whether it was decided before that this payment's money is to be given back."""
    return any((operation.key or "").startswith(GIVE_BACK_KEY) for operation in payment.operations)


def application(payment: Payment, applied: int, *, unwanted: bool) -> int:
    """What is to be applied to the order now, signed, in minor units.

    Applied money follows final captures less what went back. Money nobody wants is not applied; what had been applied
    before stays so until it is refunded. More than was asked is not applied.
    """
    total = sums_of(payment)
    net = max(0, total.captured_final - total.refunded - lost(payment))
    return (min(net, applied) if unwanted else min(net, payment.amount_minor)) - applied


@attrs.frozen(kw_only=True)
class GiveBack:
    """How unwanted money goes back: an operation to plan, or a task where the provider cannot do it."""

    kind: OperationKind
    amount_minor: int
    task: str = ""
    key: str = ""


def give_back(payment: Payment, capabilities: Capabilities | None, now: dt.datetime) -> GiveBack | None:
    """The next step of giving back everything a payment holds; None while one is under way, or when nothing is left.

    :param capabilities: None if its gateway is not there any more: then a person does it.
    """
    if any(moves.blocks(operation) for operation in payment.operations):
        return None
    begin = beginning(payment)
    wishes = (
        (OperationKind.VOID, 0 if reservation_over(begin, now) else reserved(payment)),
        (OperationKind.REFUND, refundable(payment)),
    )
    for kind, amount_minor in wishes:
        if amount_minor:
            return _step_back(payment, kind, amount_minor, capabilities)
    return None


def _step_back(payment: Payment, kind: OperationKind, amount_minor: int, capabilities: Capabilities | None) -> GiveBack:
    tried = [one for one in payment.operations if one.kind is kind and one.state is OpState.FAILED and one.key]
    refusals = sum((one.key or "").startswith(GIVE_BACK_KEY) for one in tried)
    task = ""
    if capabilities is None:
        task = "the gateway is not there any more"
    elif not supports(payment, kind, amount_minor, capabilities):
        task = "the gateway cannot do it"
    elif refusals >= TRIES:
        task = "the provider refused it again and again"
    key = f"{GIVE_BACK_KEY}{kind.value}-{refusals + 1}-{len(payment.operations)}"
    return GiveBack(kind=kind, amount_minor=amount_minor, task=task, key=key)


# -- attempts ---------------------------------------------------------------------------------------------------------

_OVER: Final = frozenset(
    {
        PaymentState.DECLINED,
        PaymentState.EXPIRED,
        PaymentState.CANCELED,
        PaymentState.VOIDED,
        PaymentState.AUTH_EXPIRED,
        PaymentState.REFUNDED,
        PaymentState.CHARGED_BACK,
    }
)


def current_attempt(payments: Sequence[Payment], now: dt.datetime) -> Payment | None:
    """The attempt that stands in the way of a new one: open, in doubt or successful. The newest, if there are several."""
    standing = [payment for payment in payments if not is_over(payment, now)]
    return max(standing, key=lambda one: (not is_given_back(one), one.created_at, one.id), default=None)


def is_over(payment: Payment, now: dt.datetime) -> bool:
    """Whether an attempt has definitely failed, expired, or been called off, so that another may be begun."""
    if any(moves.is_open(operation) for operation in payment.operations):
        return False
    return status_of(payment, now).state in _OVER and not taken(payment)


def unsent(payment: Payment) -> StoredOperation | None:
    """The beginning that was planned and never sent, if it is that."""
    begin = beginning(payment)
    return begin if begin.state is OpState.PLANNED else None


def may_be_given_up(payment: Payment) -> bool:
    """Whether nothing of it is under way or in doubt: what is planned can be dropped."""
    return all(one.state is OpState.PLANNED or not moves.blocks(one) for one in payment.operations)
