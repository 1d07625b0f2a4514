"""Goods leave: stock falls, the parcel is a fact, and the money for what has left is taken."""

from collections.abc import Mapping

from eckit.flows.send_operation import send_planned
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.ids import LineId, OrderId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.payment import service as payment
from eckit.shipping import service as shipping
from eckit.shipping.model import Parcel
from eckit.stock import service as stock

faults.declare("ship_order.after_hand_over")


def ship_order(
    begin: Begin,
    actor: Actor,
    order_id: OrderId,
    *,
    number: str,
    carrier: str | None = None,
    lines: Mapping[LineId, int] | None = None,
    weight_grams: int | None = None,
) -> tuple[Parcel, ...]:
    """Hand over what is ready of an order, or so many steps of some lines: one parcel per shipment.

    The capture of what has left is planned in the same transaction and sent after it. A capture that fails never undoes
    the hand-over: it opens a task and blocks what is still to leave. Needs ``shipping.write`` and
    ``order.read``.

    :param number: tracking number; of several parcels the first has it, the others get theirs by
        ``work.shipping.set_number``.
    :raises NotReadyToShipError: says what is against it.
    :raises NotHeldError: promised goods are not there yet.
    :raises TrackingNumberTakenError: the number is another parcel's.
    """
    expect_id("order", order_id)
    begin.require_no_transaction("ship_order")
    parcels = _hand_over(begin, actor, order_id, number, carrier, lines, weight_grams)
    faults.hit("ship_order.after_hand_over")
    send_planned(begin, order_id=order_id)
    return parcels


@again_if_moved
def _hand_over(
    begin: Begin,
    actor: Actor,
    order_id: OrderId,
    number: str,
    carrier: str | None,
    lines: Mapping[LineId, int] | None,
    weight_grams: int | None,
) -> tuple[Parcel, ...]:
    with begin.write(actor) as work:
        placed = order.lock(work, order_id)
        parcels: list[Parcel] = []
        left: list[tuple[LineId, int]] = []
        for shipment, going in shipping.to_leave(work, placed, lines):
            steps = [(line.line_id, line.steps) for line in going]
            if shipment.location_id is not None:  # what is counted is planned from where it is held
                cause = Ref("shipment", shipment.id)
                stock.ship(work, placed.ref, steps, cause=cause, location_id=shipment.location_id)
            text = number if not parcels else ""
            parcels.append(
                shipping.hand_over(work, shipment, going, number=text, carrier=carrier, weight_grams=weight_grams)
            )
            left += steps
        placed = order.note_shipped(work, placed, left)
        payment.plan_capture(work, order_id, order.earned(work, placed))
        return tuple(parcels)
