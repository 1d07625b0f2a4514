"""Cancel a whole order: stock, codes and money come back."""

from eckit.flows.send_operation import send_planned
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.ids import OrderId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import rules as order_rules, service as order
from eckit.order.model import Order
from eckit.payment import service as payment
from eckit.promotion import service as promotion
from eckit.shipping import service as shipping
from eckit.stock import service as stock

faults.declare("cancel_order.after_plan")


def cancel_order(begin: Begin, actor: Actor, order_id: OrderId, *, reason: str = "canceled") -> Order:
    """Cancel what has not been shipped; give back held stock and codes; void or refund the money.

    A second call finds it canceled and gives the same order back. The money is planned in the same transaction and sent
    after it; if the provider cannot be reached, recovery goes on with it.

    :param reason: a code, for example ``out_of_stock``.
    :raises NotFoundError: no such order for this actor.
    :raises NotCancelableError: goods have left, or its payment is in doubt.
    """
    expect_id("order", order_id)
    order_rules.code(reason, "reason")
    begin.require_no_transaction("cancel_order")
    canceled = _cancel(begin, actor, order_id, reason)
    faults.hit("cancel_order.after_plan")
    send_planned(begin, order_id=order_id)
    return canceled


@again_if_moved
def _cancel(begin: Begin, actor: Actor, order_id: OrderId, reason: str) -> Order:
    with begin.write(actor) as work:
        placed = order.lock(work, order_id)
        payment.plan_give_back(work, order_id, reason=reason)
        canceled = order.cancel(work, placed, reason=reason)
        shipping.cancel_for(work, order_id)
        stock.release(work, placed.ref)
        promotion.release(work, order_id)
        return canceled
