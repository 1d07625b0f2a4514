"""The auditor finds every broken invariant of stock, by name, and nothing where nothing is broken."""

import datetime as dt

import pytest
import sqlalchemy as sa

from eckit.kernel.ids import LineId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.stock import audit, service as stock
from eckit.stock.store import hold, level, movement, shortage
from tests.planting import broken, broken_by
from tests.stock.conftest import STAFF, Warehouse, want

ALL = (hold, movement, shortage, level)


@pytest.fixture
def lived(warehouse: Warehouse) -> Warehouse:
    """A warehouse in which everything happened: held, shipped, given back, expired, short, promised beyond stock."""
    tea, bowl, whisk = warehouse.variant(10), warehouse.variant(1), warehouse.variant(2, at="osaka")
    order, line = Ref("order", mint("order")), LineId(mint("line"))
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, whisk, 5, at="osaka")
    with warehouse.begin.write(STAFF) as work:
        stock.hold(work, order, [want(tea, 4, line), want(bowl), want(whisk, 4)], until=None)
        stock.hold(work, Ref("cart", mint("cart")), [want(tea, 2)], until=work.now + dt.timedelta(minutes=5))
        stock.hold(work, Ref("transfers.transfer", "7"), [want(tea)], until=None)
    with warehouse.begin.write(STAFF) as work:
        stock.ship(work, order, [(line, 3)], cause=Ref("shipment", mint("shipment")))
        stock.note_sold(work, bowl, 1, at="tokyo", cause=Ref("till", "receipt-1"))
        stock.count(work, tea, 6, at="tokyo")
    warehouse.clock.advance(dt.timedelta(minutes=5))
    with warehouse.begin.write(STAFF) as work:
        stock.expire(work)
    return warehouse


def test_what_lived_is_sound(lived: Warehouse) -> None:
    """Nothing is broken by anything the verbs do."""
    assert [] == broken(lived.begin, audit.CHECKS)


def test_each_broken_invariant_is_named(lived: Warehouse) -> None:
    """A row of each kind is broken; its invariant is named, and those that follow from the same number."""
    live, beyond = hold.c.state == "live", hold.c.source == "capacity"
    order = hold.c.owner.like("order:%")
    sold = movement.c.kind == "sell"
    plantings: dict[str, sa.Executable] = {
        "counters-in-bounds": sa.update(level).values(cap=-1),
        "movements-make-on-hand": sa.update(movement).where(sold).values(steps=movement.c.steps - 1),
        "holds-make-reserved": sa.delete(hold).where(live, sa.not_(beyond)),
        "holds-make-promised": sa.update(hold).where(live, beyond).values(steps=hold.c.steps + 1),
        "shortages-make-short": sa.update(shortage).values(closed_at=shortage.c.opened_at),
        "movement-has-one-cause": sa.update(movement).values(cause="nobody"),
        "sold-goods-leave": sa.update(movement).where(sold).values(steps=1),
        "hold-has-its-owner": sa.update(hold).where(live).values(owner="someone"),
        "hold-ends-once": sa.update(hold).where(live).values(ended_at=hold.c.held_at),
        "hold-of-an-order-has-no-end": sa.update(hold).where(live, order).values(until=hold.c.held_at),
        "hold-is-of-something": sa.update(hold).values(source="thin air"),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(lived.begin, audit.CHECKS, ALL, planting), invariant
    assert [] == broken(lived.begin, audit.CHECKS)


def test_rows_without_a_counter_are_found_too(lived: Warehouse) -> None:
    """A movement, hold or shortage at a place nobody counts is not overlooked."""
    found = broken_by(lived.begin, audit.CHECKS, ALL, sa.delete(level))
    assert {"movements-make-on-hand", "holds-make-reserved", "holds-make-promised", "shortages-make-short"} <= found


@pytest.mark.parametrize("owner", ["order:ord_x", "cart:", "transfer:7", f"order:{mint('cart')}"])
def test_an_owner_of_an_unknown_kind_is_named(lived: Warehouse, owner: str) -> None:
    """The core's kinds have the core's ids; a plugin's kind has the plugin's name in it."""
    planting = sa.update(hold).where(hold.c.state == "live").values(owner=owner)
    assert {"hold-has-its-owner"} <= broken_by(lived.begin, audit.CHECKS, ALL, planting)
