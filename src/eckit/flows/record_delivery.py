"""The buyer has it."""

from typing import Final

from eckit.kernel.actors import Actor
from eckit.kernel.ids import OrderId, ParcelId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.order.model import Order
from eckit.shipping import rules as shipping_rules, service as shipping

_SYSTEM: Final = Actor.system("record_delivery")


def record_delivery(begin: Begin, actor: Actor, order_id: OrderId, *, parcel_id: ParcelId | None = None) -> Order:
    """Note that a parcel, or everything handed over of an order, has arrived; recording it again changes nothing.

    When nothing is left to arrive or to leave, the shop closes the order. Needs ``shipping.write`` and ``order.read``.

    :raises NotFoundError: no such order for this actor, or the parcel is none of its.
    """
    expect_id("order", order_id)
    placed, is_over = _deliver(begin, actor, order_id, parcel_id)
    return _close(begin, order_id) if is_over else placed


@again_if_moved
def _deliver(begin: Begin, actor: Actor, order_id: OrderId, parcel_id: ParcelId | None) -> tuple[Order, bool]:
    with begin.write(actor) as work:
        placed = order.lock(work, order_id)
        shipping.deliver(work, order_id, parcel_id=parcel_id)
        return placed, shipping_rules.is_over(placed, shipping.for_order(work, order_id))


@again_if_moved
def _close(begin: Begin, order_id: OrderId) -> Order:
    with begin.write(_SYSTEM) as work:
        return order.close(work, order_id)
