"""The buyer has it."""

from eckit.kernel.actors import Actor
from eckit.kernel.ids import OrderId, ParcelId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.order.model import Order
from eckit.shipping import rules as shipping_rules, service as shipping


@again_if_moved
def record_delivery(begin: Begin, actor: Actor, order_id: OrderId, *, parcel_id: ParcelId | None = None) -> Order:
    """Note that a parcel, or everything handed over of an order, has arrived; recording it again changes nothing.

    When nothing is left to arrive or to leave, the order is closed. Needs ``shipping.write``.
    """
    expect_id("order", order_id)
    with begin.write(actor) as work:
        placed = order.lock(work, order_id)
        shipping.deliver(work, order_id, parcel_id=parcel_id)
        if shipping_rules.all_delivered(shipping.for_order(work, order_id)):
            return order.close(work, placed)
        return placed
