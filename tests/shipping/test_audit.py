"""The auditor finds every broken invariant of shipping, by name, and nothing where nothing is broken."""

import pytest
import sqlalchemy as sa

from eckit.kernel.minting import mint
from eckit.shipping import Tracking, audit, service as shipping
from eckit.shipping.store import parcel, shipment, shipment_line, tracking
from tests.planting import again, broken, broken_by
from tests.shipping.conftest import STAFF, Dock, an_order

ALL = (tracking, parcel, shipment_line, shipment)


@pytest.fixture
def lived(dock: Dock) -> Dock:
    """Shipments in every state, some in parts, tracked."""
    ready, waiting, parts, gone = an_order(1), an_order(1, confirmed=False), an_order(3, 2), an_order(1)
    for order in (ready, waiting, parts, gone):
        dock.plan(order)
    dock.hand_over(parts, lines={parts.lines[0].id: 1})
    [box] = dock.hand_over(gone, "4444-1375-8703")
    with dock.begin.write(STAFF) as work:
        shipping.track(work, Tracking(parcel_id=box.id, key="1", status="in_transit", at=work.now))
    dock.deliver(gone)
    with dock.begin.write(STAFF) as work:
        shipping.cancel_for(work, waiting.id)
    dock.plan(an_order(1, blocks=("fraud",)))
    return dock


def test_what_lived_is_sound(lived: Dock) -> None:
    """Nothing is broken by anything the verbs do."""
    assert [] == broken(lived.begin, audit.CHECKS)


def test_each_broken_invariant_is_named(lived: Dock) -> None:
    """A row of each kind is broken; its invariant is named, and those that follow from the same row."""
    ready, gone = shipment.c.state == "ready", shipment.c.state == "handed_over"
    plantings: dict[str, sa.Executable] = {
        "shipment-state-has-its-instant": sa.update(shipment).where(gone).values(handed_over_at=None),
        "what-left-has-a-parcel": sa.delete(parcel),
        "shipment-carries-lines": sa.delete(shipment_line),
        "blocked-says-why": sa.update(shipment).where(shipment.c.state == "blocked").values(reason=""),
        "shipped-steps-are-counts": sa.update(shipment_line).values(steps=0),
        "line-is-of-one-order": again(shipment_line, order_id=mint("order")),
        "line-is-of-a-shipment": sa.delete(shipment).where(ready),
        "one-parcel-of-a-number": again(parcel, id=mint("parcel")),
        "delivered-is-told-by-each-parcel": sa.delete(tracking).where(tracking.c.status == "delivered"),
        "tracking-status-is-known": sa.update(tracking).values(status="teleported"),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(lived.begin, audit.CHECKS, ALL, planting), invariant
    assert [] == broken(lived.begin, audit.CHECKS)


def test_a_shipment_that_jumped_is_found(lived: Dock) -> None:
    """Delivered without having left; left before it was planned; canceled with a parcel."""
    ready = shipment.c.state == "ready"
    jumped = sa.update(shipment).where(ready).values(state="delivered")
    early = sa.update(shipment).values(delivered_at=shipment.c.planned_at)
    recalled = (
        sa.update(shipment).where(shipment.c.state == "handed_over").values(state="canceled", handed_over_at=None)
    )
    assert {"shipment-state-has-its-instant", "what-left-has-a-parcel"} <= broken_by(
        lived.begin, audit.CHECKS, ALL, jumped
    )
    assert {"shipment-state-has-its-instant"} <= broken_by(lived.begin, audit.CHECKS, ALL, early)
    assert {"what-left-has-a-parcel"} <= broken_by(lived.begin, audit.CHECKS, ALL, recalled)
