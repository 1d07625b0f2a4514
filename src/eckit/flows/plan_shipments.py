"""What goes from where to whom, once an order is confirmed."""

from eckit.kernel.work import Work
from eckit.order import service as order
from eckit.order.model import Order
from eckit.shipping import service as shipping
from eckit.shipping.model import Shipment
from eckit.stock import service as stock


def plan_shipments(work: Work, placed: Order) -> tuple[Shipment, ...]:
    """Plan the shipments of an order inside the transaction that confirms it; an order that has some keeps them."""
    placement = order.placement(work, placed.id)
    return shipping.plan(work, placed, placement.groups, stock.allocations(work, placed.ref))
