"""What follows for the order when a payment has changed: it is confirmed, money is applied, or given back."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

import attrs

from eckit.kernel.ids import PaymentId
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
from eckit.payment.rules.change import Change
from eckit.payment.rules.learning import EXPIRED, UNSENDABLE
from eckit.payment.rules.moves import GIVE_BACK_KEY, RETURN_KEY
from eckit.payment.rules.planning import left_for, supports
from eckit.payment.rules.status import reservation_over, status_of
from eckit.payment.rules.sums import (
    REFUND_FAILED,
    VOID,
    attributed,
    held,
    lost,
    refundable,
    reserved,
    sums_of,
    taken,
)

TRIES: Final = 3
"""After so many refusals of the provider a person gives the money back."""


@attrs.frozen(kw_only=True)
class Follow:
    """What follows.

    :ivar confirm: the first due is secured: the order counts from now on.
    :ivar waits: it counts on money that was only promised, or whose provisional notice was taken back: goods stay.
    :ivar funded: all of the payment's money is there now.
    :ivar released: the money an order counted on was released, and nothing is there in its place: goods stay.
    :ivar came: money that has newly come, in minor units.
    :ivar late: it came for an order that does not wait for it, or that another payment covers already.
    :ivar unwanted: the payment's money is to be given back.
    :ivar overpaid: what came beyond what was asked, in minor units.
    :ivar uncaptured: the capture that was refused: what is still to leave must wait for a person.
    :ivar unpaid: an order that counts on a voucher or transfer will not be paid: it is to be canceled.
    """

    confirm: bool = False
    waits: bool = False
    funded: bool = False
    released: bool = False
    came: int = 0
    late: bool = False
    unwanted: bool = False
    overpaid: int = 0
    uncaptured: StoredOperation | None = None
    unpaid: bool = False


def follow(order: Order, change: Change, others: Sequence[Payment], now: dt.datetime) -> Follow:
    """What a change of a payment means for its order.

    :param others: the order's other payments.
    """
    before, after = change.before, change.payment
    alive = order.state is not OrderState.CANCELED
    refused = change.moved_to(OpState.FAILED)
    came = max(0, held(after) - held(before))
    covered = sum(counted_on(other, now) for other in others if not is_given_back(other))
    surplus = alive and came > 0 and not held(before) and covered >= order.current_total_minor > 0
    unwanted = not alive or surplus or is_given_back(after)
    confirm = not unwanted and order.confirmed_at is None and secured(after, now)
    was_there, is_there = (counted_on(one, now) >= one.amount_minor for one in (before, after))
    return Follow(
        confirm=confirm,
        waits=not unwanted and not is_there and promised(after) and (confirm or was_there),
        funded=not unwanted and is_there and not was_there,
        released=alive
        and order.confirmed_at is not None
        and not covered
        and counted_on(before, now) > 0
        and not counted_on(after, now)
        and any(one.kind == VOID for one in change.movements),
        came=came,
        late=came > 0 and unwanted,
        unwanted=unwanted,
        overpaid=0 if unwanted else max(0, sums_of(after).captured_final - after.amount_minor),
        uncaptured=None if unwanted else next((one for one in refused if one.kind is OperationKind.CAPTURE), None),
        unpaid=alive
        and _slip_ran_out(change)
        and not any(held(one) or not is_over(one, now) for one in (after, *others)),
    )


def _slip_ran_out(change: Change) -> bool:
    begin = beginning(change.payment)
    ran_out = begin.state is OpState.EXPIRED or (begin.state is OpState.FAILED and begin.cause == EXPIRED)
    return ran_out and begin.state is not beginning(change.before).state and waits_for_funds(begin.action)


def counted_on(payment: Payment, now: dt.datetime) -> int:
    """Money a payment holds for its order and can still deliver, in minor units."""
    return taken(payment) + (0 if reservation_over(beginning(payment), now) else reserved(payment))


def expected(payment: Payment, now: dt.datetime) -> int:
    """What of its order a payment can pay: what it took and can still take or, while the buyer or the provider is still
    at it, all it is to bring. What was refunded or charged back had been paid.
    """
    begin = beginning(payment)
    if is_given_back(payment) or is_over(payment, now):
        return paid_for(payment)
    if moves.is_open(begin) and begin.state is not OpState.PLANNED:
        return payment.amount_minor
    can_be_taken = 0 if reservation_over(begin, now) else reserved(payment)
    return can_be_taken + sums_of(payment).captured


def paid_for(payment: Payment) -> int:
    """What a payment took of what its order has earned, in minor units; nobody is asked for it again."""
    return min(payment.earned_minor, sums_of(payment).captured)


def secured(payment: Payment, now: dt.datetime) -> bool:
    """Whether its amount can be counted on: authorized, captured, or promised by a voucher or bank details handed out.

    Sending the buyer to a page of the provider's secures nothing.
    """
    succeeded = beginning(payment).state is OpState.SUCCEEDED
    return promised(payment) or (succeeded and counted_on(payment, now) >= payment.amount_minor)


def promised(payment: Payment) -> bool:
    """Whether its money is to come by a voucher or a transfer whose details were handed out."""
    begin = beginning(payment)
    return begin.state is OpState.WAITING_BUYER and waits_for_funds(begin.action)


def beginning(payment: Payment) -> StoredOperation:
    """The operation a payment began with."""
    return next(one for one in payment.operations if one.kind is OperationKind.BEGIN)


def is_given_back(payment: Payment) -> bool:
    """Whether it was decided before that this payment's money is to be given back, by the core or by a person."""
    asked = any((operation.key or "").startswith(GIVE_BACK_KEY) for operation in payment.operations)
    return asked or payment.keep_minor == 0


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


def give_back(
    payment: Payment, capabilities: Capabilities | None, now: dt.datetime, *, keep_minor: int = 0
) -> tuple[GiveBack, ...]:
    """The next steps of giving back what a payment holds, in turn; none while one is under way, or nothing is left.

    :param capabilities: None if its gateway is not there any more: then a person does it.
    :param keep_minor: what the order still wants of it. What is reserved is kept while less than that was taken.
    """
    if any(moves.blocks(operation) for operation in payment.operations):
        return ()
    begin = beginning(payment)
    free = reserved(payment) if sums_of(payment).captured >= keep_minor else 0
    wishes = (
        (OperationKind.VOID, 0 if reservation_over(begin, now) else free),
        (OperationKind.REFUND, min(refundable(payment), max(0, taken(payment) - keep_minor))),
    )
    prefix = RETURN_KEY if keep_minor else GIVE_BACK_KEY
    return tuple(_step_back(payment, kind, amount, capabilities, prefix) for kind, amount in wishes if amount)


def _step_back(
    payment: Payment, kind: OperationKind, amount_minor: int, capabilities: Capabilities | None, prefix: str
) -> GiveBack:
    tried = [one for one in payment.operations if one.kind is kind and _came_to_nothing(payment, one)]
    refusals = sum((one.key or "").startswith(prefix) for one in tried)
    task = ""
    if capabilities is None:
        task = "the gateway is not there any more"
    elif not supports(payment, kind, amount_minor, capabilities):
        task = "the gateway cannot do it"
    elif refusals >= TRIES:
        task = "the provider refused it again and again"
    key = f"{prefix}{kind.value}-{len(payment.operations)}"
    return GiveBack(kind=kind, amount_minor=amount_minor, task=task, key=key)


def _came_to_nothing(payment: Payment, operation: StoredOperation) -> bool:
    """Whether the provider refused it, at once or, of a refund, later on; or it could not be sent."""
    return (
        operation.state is OpState.FAILED
        or _could_not_be_sent(operation)
        or bool(attributed(payment.movements, operation, REFUND_FAILED))
    )


def _could_not_be_sent(operation: StoredOperation) -> bool:
    return operation.state is OpState.CANCELED and operation.cause == UNSENDABLE


def earned_shares(payments: Sequence[Payment], earned_minor: int, now: dt.datetime) -> dict[PaymentId, int]:
    """How much of what an order has earned falls on each of its payments, the oldest first.

    What one took for goods that left stays its own, also where that was refunded. One whose reservation is over bears
    what it has captured. What none can bear falls on the newest, where it shows.
    """
    standing = [one for one in payments if not is_given_back(one) and not is_over(one, now)]
    bearing = [one for one in standing if held(one) or sums_of(one).captured]
    bearing = bearing or list(payments[-1:])  # goods have left, and nothing is there to pay them
    shares: dict[PaymentId, int] = {}
    for payment in payments:
        shares[payment.id] = min(earned_minor, paid_for(payment))
        earned_minor -= shares[payment.id]
    for payment in bearing:
        over = reservation_over(beginning(payment), now)
        most = sums_of(payment).captured if over else payment.amount_minor
        more = min(earned_minor, max(0, most - shares[payment.id]))
        shares[payment.id] += more
        earned_minor -= more
    if bearing and earned_minor:
        shares[bearing[-1].id] += earned_minor
    return shares


def kept_shares(payments: Sequence[Payment], wanted_minor: int, now: dt.datetime) -> dict[PaymentId, int]:
    """How much of what an order still wants is kept of each of its payments: the oldest first, and what only waits for
    its buyer last. Of a payment that is to bring nothing, what comes after all is kept up to what the order wants.
    """
    keeps, left_minor = {}, wanted_minor
    for payment in sorted(payments, key=lambda one: moves.is_open(beginning(one))):
        can_pay = expected(payment, now)
        mine = min(left_minor, can_pay)
        keeps[payment.id] = 0 if is_given_back(payment) else mine if can_pay else wanted_minor
        left_minor -= mine
    return keeps


def capture_due(payment: Payment, capabilities: Capabilities, now: dt.datetime) -> int:
    """What is to be captured now, in minor units: what was earned and is not captured yet.

    Nothing while an operation is open, or after the provider refused a capture: then a person decides. A gateway that
    takes only one capture waits until all that is reserved has been earned, or all that the order still wants.
    """
    captures = [one for one in payment.operations if one.kind is OperationKind.CAPTURE]
    if any(moves.blocks(one) for one in payment.operations) or (captures and _is_a_persons(captures[-1])):
        return 0
    left = left_for(payment, OperationKind.CAPTURE, now)
    due = min(payment.earned_minor - sums_of(payment).captured, left)
    if due <= 0 or not supports(payment, OperationKind.CAPTURE, due, capabilities):
        return 0
    return due if capabilities.capture == "multiple" or due == left or earned_all(payment) else 0


def _is_a_persons(capture: StoredOperation) -> bool:
    """Whether a person was asked to see to a capture: the provider refused it, or it could not be sent."""
    return capture.state is OpState.FAILED or _could_not_be_sent(capture)


def earned_all(payment: Payment) -> bool:
    """Whether nothing more will be earned of it, because its order wants no more than what has left."""
    return payment.keep_minor is not None and payment.earned_minor >= payment.keep_minor


def uncapturable(payment: Payment, capabilities: Capabilities | None, now: dt.datetime) -> tuple[int, str]:
    """What was earned and cannot be captured, in minor units, and why; nothing while that may still change by itself.

    :param capabilities: None if its gateway is not there any more.
    """
    missing = payment.earned_minor - sums_of(payment).captured
    under_way = [one for one in payment.operations if moves.blocks(one)]
    if missing <= 0 or (under_way and unsent(payment) is None):
        return 0, ""
    left = left_for(payment, OperationKind.CAPTURE, now)
    if missing > left:
        over = reservation_over(beginning(payment), now)
        return missing - left, "the authorization is over" if over else "nothing is reserved for it"
    if capabilities is None:
        return missing, "the gateway is not there any more"
    final = earned_all(payment) or sums_of(payment).captured > 0
    if final and not supports(payment, OperationKind.CAPTURE, missing, capabilities):
        return missing, "the gateway cannot capture this part"
    return 0, ""


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
    """The attempt that stands in the way of a new one: open, in doubt or successful; the newest of several."""
    standing = [payment for payment in payments if not is_over(payment, now)]
    return max(standing, key=lambda one: (not is_given_back(one), one.created_at, one.id), default=None)


def is_over(payment: Payment, now: dt.datetime) -> bool:
    """Whether an attempt has definitely failed, expired, or been called off, so that another may be begun."""
    if any(moves.is_open(operation) for operation in payment.operations):
        return False
    return status_of(payment, now).state in _OVER and not counted_on(payment, now)


def in_question(payment: Payment) -> StoredOperation:
    """The operation a look at the provider is about: the one that has not ended, else the beginning."""
    return next((one for one in payment.operations if moves.is_open(one)), beginning(payment))


def unsent(payment: Payment) -> StoredOperation | None:
    """The beginning that was planned and never sent, if it is that."""
    begin = beginning(payment)
    return begin if begin.state is OpState.PLANNED else None


def may_be_given_up(payment: Payment) -> bool:
    """Whether nothing of it is under way or in doubt: what is planned can be dropped."""
    return all(one.state is OpState.PLANNED or not moves.blocks(one) for one in payment.operations)
