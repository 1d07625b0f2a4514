"""Orders whose money never came are canceled, and give back what they held."""

from eckit.cart import service as cart
from eckit.kernel.actors import Actor
from eckit.kernel.doors import expect_limit
from eckit.kernel.ids import OrderId
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.payment import service as payment
from eckit.promotion import service as promotion
from eckit.stock import service as stock


def lapse_orders(begin: Begin, *, limit: int = 100) -> tuple[OrderId, ...]:
    """Cancel placed, unconfirmed orders past their ``pay_by``; which ones were.

    Never one with an operation open or in doubt: its money may still come. Canceling is the only release, so it happens
    once; its cart opens again with the next version.

    :param limit: 1 to 10,000.
    """
    expect_limit(limit)
    system = Actor.system("lapse_orders")
    with begin.read(system) as work:
        due = order.lapsable(work, limit=limit)
    return tuple(order_id for order_id in due if _lapse(begin, system, order_id))


@again_if_moved
def _lapse(begin: Begin, actor: Actor, order_id: OrderId) -> bool:
    with begin.write(actor) as work:
        placed = order.lock(work, order_id)
        if not order.may_lapse(work, placed) or not payment.give_up(work, order_id):
            return False
        order.cancel(work, placed, reason="lapsed")
        stock.release(work, placed.ref)
        promotion.release(work, order_id)
        cart.reopen(work, placed.cart_id)
        return True
