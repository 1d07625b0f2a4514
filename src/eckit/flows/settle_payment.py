"""News about money is booked, and what follows for the order happens with it: the one way, whoever brings the news."""

from typing import Final

import attrs

from eckit.flows.plan_shipments import plan_shipments
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.ids import MethodCode, NoticeId, OperationId, OrderId, PaymentId
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin, Work
from eckit.order import service as order
from eckit.order.model import Order, OrderState
from eckit.payment import rules, service as payment
from eckit.payment.model import OperationKind, OpState, Payment
from eckit.payment.service import AnyNews

faults.declare(
    "take_payment.before_commit",
    "capture.before_commit",
    "void.before_commit",
    "refund.before_commit",
    "notice.before_apply",
    "notice.before_commit",
)

_FLOW_OF: Final = {
    OperationKind.BEGIN: "take_payment",
    OperationKind.RESUME: "take_payment",
    OperationKind.CAPTURE: "capture",
    OperationKind.VOID: "void",
    OperationKind.REFUND: "refund",
}

FUNDS: Final = "funds"
"""Kind of the block that keeps goods until promised money has come. Staff who trust the buyer lift it."""


@attrs.frozen(kw_only=True)
class Settled:
    """A payment after news was applied.

    :ivar unpaid: its order counted on a slip that ran out: it is to be canceled.
    """

    payment: Payment
    order_id: OrderId
    unpaid: bool = False

    def state_of(self, operation_id: OperationId) -> OpState:
        """The state of one of its operations."""
        return next(one.state for one in self.payment.operations if one.id == operation_id)


def provider(method: MethodCode, asked_by: Actor | None = None) -> Actor:
    """Who brings news from outside: a provider, asked by somebody or by itself."""
    behalf = str(asked_by) if asked_by is not None else None
    return Actor(kind="channel", id=method, on_behalf_of=behalf, permissions=frozenset({"*"}))


@again_if_moved
def settle_payment(
    begin: Begin,
    payment_id: PaymentId,
    operation_id: OperationId | None,
    news: AnyNews,
    by: Actor,
    *,
    notice: NoticeId | None = None,
) -> Settled:
    """Apply an answer, a snapshot or the lack of one, in one transaction with all that follows.

    The order is locked, then its payments. The first money secured confirms the order and plans its shipments; where it
    is only promised, by a voucher or bank details, a block keeps the goods until it has come. Captured money is
    applied to it; money for an order that does not want it is planned to be given back. The same news a second time
    changes nothing. What was planned is sent by the caller, after the commit.

    :param operation_id: what the news is about; None for a notice.
    :param notice: the stored notice that brings it: applied at most once.
    """
    with begin.write(by) as work:
        placed = order.lock(work, payment.order_of(work, payment_id))
        attempts = payment.order_payments(work, placed, lock=True)
        current = next(one for one in attempts if one.id == payment_id)
        faults.hit("notice.before_apply")
        if not payment.claim(work, notice):
            return Settled(payment=current, order_id=placed.id)
        wanted = placed.state is not OrderState.CANCELED
        change = payment.learn(work, current, news, operation_id=operation_id, wanted=wanted)
        payment.set_aside(work, notice, change.misfits)
        follows = payment.follow(work, placed, change, [one for one in attempts if one.id != payment_id])
        _follow(work, placed, follows)
        faults.hit(f"{_FLOW_OF[_kind(current, operation_id)]}.before_commit")
        faults.hit("notice.before_commit")
    return Settled(payment=change.payment, order_id=placed.id, unpaid=follows.unpaid)


def _kind(current: Payment, operation_id: OperationId | None) -> OperationKind:
    return next((one.kind for one in current.operations if one.id == operation_id), OperationKind.BEGIN)


def _follow(work: Work, placed: Order, follows: rules.Follow) -> None:
    """What a payment's change means for the order itself."""
    if follows.confirm:
        placed = order.confirm(work, placed)
        plan_shipments(work, placed)
    if follows.waits:
        order.place_block(work, placed, FUNDS, reason="the money has not come yet")
    if follows.released and not placed.unlifted(FUNDS):
        order.place_block(work, placed, FUNDS, reason="the money was released")
    if follows.funded:
        _let_go(work, placed)
    if follows.uncaptured:
        block_for_payment(work, placed)


def _let_go(work: Work, placed: Order) -> None:
    """The money an order waited for is there."""
    for block in placed.unlifted(FUNDS):
        order.lift_block(work, block.id)


def block_for_payment(work: Work, placed: Order) -> None:
    """What is still to leave waits for a person; one block is enough."""
    if not placed.unlifted("payment"):
        order.place_block(work, placed, "payment", reason="a capture was refused")
