"""Goods come and go: counted once, never below zero, promises served first; and many buyers at once."""

import threading
import time
from statistics import quantiles

import pytest
import sqlalchemy as sa
from moneyed import Money

from eckit.kernel.actors import Actor
from eckit.kernel.errors import BusyError, InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.ids import LineId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.stock import NotHeldError, OutOfStockError, Wanted, audit, service as stock
from eckit.stock.store import movement
from tests.cart.support import statements_of, together
from tests.planting import broken
from tests.stock.conftest import STAFF, Warehouse, want


@again_if_moved
def _hold(begin: Begin, *wanted: Wanted) -> Ref:
    owner = Ref("order", mint("order"))
    with begin.write(Actor.guest()) as work:
        stock.hold(work, owner, wanted, until=None)
    return owner


def _shipment() -> Ref:
    return Ref("shipment", mint("shipment"))


# -- many buyers ------------------------------------------------------------------------------------------------------


def test_a_flash_sale_sells_what_there_is_and_lets_others_buy(warehouse: Warehouse) -> None:
    """STK-16, of holds alone: 52 buyers on 16 threads want 10 of item A, while 8 buy item B: exactly 10 and 8 promises;
    whoever comes too late is told so, and nobody waits for the pool.
    """
    hot, calm = warehouse.variant(10), warehouse.variant(100)
    calm_times: list[float] = []
    outcomes: list[str] = []
    queue = threading.Semaphore(16)

    def buy(variant: VariantId, times: list[float] | None = None) -> None:
        with queue:
            started = time.monotonic()
            try:
                _hold(warehouse.begin, want(variant))
                outcomes.append("held" if variant == hot else "calm")
            except OutOfStockError:
                outcomes.append("sold out")
            except BusyError:
                outcomes.append("busy")
            if times is not None:
                times.append(time.monotonic() - started)

    threads = [threading.Thread(target=buy, args=(hot,)) for _ in range(60)]
    threads[::8] = [threading.Thread(target=buy, args=(calm, calm_times)) for _ in threads[::8]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    assert {"calm": 8, "held": 10, "sold out": 42} == counts
    assert ((10, 10, 0, 0), (100, 8, 0, 0)) == (warehouse.level(hot), warehouse.level(calm))
    assert quantiles(calm_times, n=20)[-1] < 5
    assert [] == broken(warehouse.begin, audit.CHECKS)


def test_buyers_shippers_counters_and_tills_at_once_leave_the_books_right(warehouse: Warehouse) -> None:
    """Everything that moves a counter, on four threads each: whatever the outcome of each, every sum holds."""
    tea = warehouse.variant(30)
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 5, at="tokyo")

    def buy_and_give_back() -> None:
        owner = _hold(warehouse.begin, want(tea, 3))
        with warehouse.begin.write(STAFF) as work:
            stock.release(work, owner)

    def buy_and_ship() -> None:
        line = LineId(mint("line"))
        owner = _hold(warehouse.begin, want(tea, 2, line))
        with warehouse.begin.write(STAFF) as work:
            stock.ship(work, owner, [(line, 2)], cause=_shipment())

    def sell_elsewhere() -> None:
        with warehouse.begin.write(STAFF) as work:
            stock.note_sold(work, tea, 4, at="tokyo", cause=Ref("till", "receipt"))

    def receive() -> None:
        with warehouse.begin.write(STAFF) as work:
            stock.receive(work, tea, 2, at="tokyo")

    together(*[buy_and_give_back, buy_and_ship, sell_elsewhere, receive] * 4)
    assert [] == broken(warehouse.begin, audit.CHECKS)


# -- goods come -------------------------------------------------------------------------------------------------------


def test_many_variants_come_in_a_fixed_number_of_statements(warehouse: Warehouse) -> None:
    """Two and two hundred cost the same; the movements have one cause."""
    costs, cause = [], Ref("import", "spring")
    for count in (2, 200):
        goods = {VariantId(mint("variant")): 5 for _ in range(count)}
        with statements_of(warehouse.begin, warehouse.url) as asked, warehouse.begin.write(STAFF) as work:
            moves = stock.receive_many(work, goods, at="tokyo", cause=cause)
        assert {cause} == {move.cause for move in moves}
        costs.append(len(asked))
        with warehouse.begin.read(STAFF) as work:
            assert dict.fromkeys(goods, 5) == stock.availability(work, list(goods))
    assert costs[0] == costs[1]


def test_goods_that_come_by_the_hundred_serve_promises_too(warehouse: Warehouse) -> None:
    """Back-orders and shortages are settled as with a single receipt; nothing at all is nothing."""
    owed, short = warehouse.variant(), warehouse.variant(1)
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, owed, 3, at="tokyo")
    _hold(warehouse.begin, want(owed, 3), want(short))
    with warehouse.begin.write(STAFF) as work:
        stock.note_sold(work, short, 1, at="tokyo", cause=Ref("till", "receipt-1"))
    assert ((0, 0, 3, 0), (0, 1, 0, 1)) == (warehouse.level(owed), warehouse.level(short))

    with warehouse.begin.write(STAFF) as work:
        stock.receive_many(work, {owed: 4, short: 2}, at="tokyo", cause=Ref("import", "spring"))
        assert () == stock.receive_many(work, {}, at="tokyo", cause=Ref("import", "spring"))

    assert ((4, 3, 0, 0), (2, 1, 0, 0)) == (warehouse.level(owed), warehouse.level(short))
    with pytest.raises(NotFoundError), warehouse.begin.write(STAFF) as work:
        stock.receive_many(work, {owed: 1}, at="atlantis", cause=Ref("import", "spring"))


def test_what_goods_cost_is_kept_with_their_movement(warehouse: Warehouse) -> None:
    """In minor units, with its currency beside it."""
    tea = warehouse.variant()
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 3, at="tokyo", unit_cost=Money("4.20", "EUR"))
    with warehouse.begin.read(STAFF) as work:
        row = work.execute(sa.select(movement.c.unit_cost_minor, movement.c.cost_currency)).one()
    assert (420, "EUR") == tuple(row)


@pytest.mark.parametrize("steps", [0, -1, True, 1.0, "1", 10**9 + 1, None])
def test_only_a_count_is_a_quantity(warehouse: Warehouse, steps: object) -> None:
    """Bool, float, text, nothing, zero and too many are refused by field, everywhere; nothing changes."""
    tea = warehouse.variant(5)
    order, line = Ref("order", mint("order")), LineId(mint("line"))
    with warehouse.begin.write(STAFF) as work:
        for attempt in (
            lambda: stock.receive(work, tea, steps, at="tokyo"),  # type: ignore[arg-type]
            lambda: stock.note_sold(work, tea, steps, at="tokyo", cause=order),  # type: ignore[arg-type]
            lambda: stock.receive_many(work, {tea: steps}, at="tokyo", cause=order),  # type: ignore[dict-item]
            lambda: stock.ship(work, order, [(line, steps)], cause=order),  # type: ignore[list-item]
        ):
            with pytest.raises(InvalidInputError):
                attempt()
    assert (5, 0, 0, 0) == warehouse.level(tea)


# -- goods go ---------------------------------------------------------------------------------------------------------


def test_goods_that_went_elsewhere_cannot_be_shipped(warehouse: Warehouse) -> None:
    """The till sold the last one: a shortage is open, and shipping is refused, not a broken counter."""
    tea, line = warehouse.variant(1), LineId(mint("line"))
    owner = _hold(warehouse.begin, want(tea, 1, line))
    with warehouse.begin.write(STAFF) as work:
        stock.note_sold(work, tea, 1, at="tokyo", cause=Ref("till", "receipt-1"))

    with pytest.raises(NotHeldError), warehouse.begin.write(STAFF) as work:
        stock.ship(work, owner, [(line, 1)], cause=_shipment())
    assert (0, 1, 0, 1) == warehouse.level(tea)
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 1, at="tokyo")
        stock.ship(work, owner, [(line, 1)], cause=_shipment())
    assert (0, 0, 0, 0) == warehouse.level(tea)


def test_a_line_named_twice_ships_the_sum(warehouse: Warehouse) -> None:
    """Never the same held step twice; nothing at all ships nothing."""
    tea, line = warehouse.variant(5), LineId(mint("line"))
    owner = _hold(warehouse.begin, want(tea, 3, line))

    with warehouse.begin.write(STAFF) as work:
        assert () == stock.ship(work, owner, [], cause=_shipment())
        stock.ship(work, owner, [(line, 1), (line, 1)], cause=_shipment())
    assert (3, 1, 0, 0) == warehouse.level(tea)
    with pytest.raises(NotHeldError), warehouse.begin.write(STAFF) as work:
        stock.ship(work, owner, [(line, 1), (line, 1)], cause=_shipment())


def test_goods_leave_from_where_they_are_said_to(warehouse: Warehouse) -> None:
    """A line held in two places: a parcel from one takes nothing from the other."""
    tea, line = warehouse.variant(2), LineId(mint("line"))
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 1, at="osaka")
    owner = _hold(warehouse.begin, want(tea, 3, line))
    with warehouse.begin.read(STAFF) as work:
        places = {one.code: one.id for one in stock.locations(work)}

    with warehouse.begin.write(STAFF) as work:
        stock.ship(work, owner, [(line, 1)], cause=_shipment(), location_id=places["osaka"])
    with warehouse.begin.read(STAFF) as work:
        counts = {one.location_id: one.on_hand for one in stock.levels(work, tea)}
    assert {places["tokyo"]: 2, places["osaka"]: 0} == counts
    with pytest.raises(NotHeldError) as caught, warehouse.begin.write(STAFF) as work:
        stock.ship(work, owner, [(line, 1)], cause=_shipment(), location_id=places["osaka"])
    assert 0 == caught.value.held


def test_goods_promised_beyond_stock_leave_only_when_they_have_come(warehouse: Warehouse) -> None:
    """One on hand, two promised beyond it: one can be shipped, three after the others came."""
    tea, line = warehouse.variant(1), LineId(mint("line"))
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 2, at="tokyo")
    owner = _hold(warehouse.begin, want(tea, 3, line))

    with pytest.raises(NotHeldError) as caught, warehouse.begin.write(STAFF) as work:
        stock.ship(work, owner, [(line, 3)], cause=_shipment())
    assert (3, 1) == (caught.value.wanted, caught.value.held)
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 2, at="tokyo")
        stock.ship(work, owner, [(line, 3)], cause=_shipment())
    assert (0, 0, 0, 0) == warehouse.level(tea)


def test_a_shelf_emptier_in_the_books_than_in_reality_is_found(warehouse: Warehouse) -> None:
    """Three were sold of one booked: two are found first, so that movements still make what is on hand."""
    tea = warehouse.variant(1)
    with warehouse.begin.write(STAFF) as work:
        stock.note_sold(work, tea, 3, at="tokyo", cause=Ref("till", "receipt-1"))

    with warehouse.begin.read(STAFF) as work:
        rows = work.execute(sa.select(movement.c.kind, movement.c.steps).order_by(movement.c.id)).all()
    assert sorted([("receive", 1), ("found", 2), ("sell", -3)]) == sorted(map(tuple, rows))
    assert (0, 0, 0, 0) == warehouse.level(tea)


def test_what_is_not_counted_is_not_held(warehouse: Warehouse) -> None:
    """Digital goods and services: no level, no hold, never out of stock."""
    file = VariantId(mint("variant"))
    unlimited = Wanted(line_id=None, variant_id=file, sku=file[-6:], steps=10**6, unlimited=True)  # type: ignore[arg-type]
    owner = _hold(warehouse.begin, unlimited)
    with warehouse.begin.read(STAFF) as work:
        assert () == stock.held(work, owner)


# -- who may ----------------------------------------------------------------------------------------------------------


def test_a_desk_lets_staff_only_move_goods_and_promises(warehouse: Warehouse) -> None:
    """Flows promise for any buyer; a guest with ``work.stock`` gives nobody's promise back and ships nothing."""
    tea, line = warehouse.variant(5), LineId(mint("line"))
    owner = _hold(warehouse.begin, want(tea, 2, line))
    with warehouse.begin.write(Actor.guest()) as work:
        desk = stock.Desk(work)
        for attempt in (
            lambda: desk.release(owner),
            lambda: desk.hold(owner, [want(tea)], until=None),
            lambda: desk.expire(),
            lambda: desk.held(owner),
            lambda: desk.allocations(owner),
            lambda: desk.ship(owner, [(line, 1)], cause=_shipment()),
            lambda: desk.receive(tea, 1, at="tokyo"),
            lambda: desk.receive_many({tea: 1}, at="tokyo", cause=owner),
            lambda: desk.count(tea, 1, at="tokyo"),
            lambda: desk.note_sold(tea, 1, at="tokyo", cause=owner),
            lambda: desk.allow_backorder(tea, 1, at="tokyo"),
            lambda: desk.levels(tea),
        ):
            with pytest.raises(NotAllowedError):
                attempt()
        assert {tea: 3} == desk.availability([tea])
    assert (5, 2, 0, 0) == warehouse.level(tea)

    with warehouse.begin.write(Actor.staff("ito", "stock.write")) as work:
        desk = stock.Desk(work)
        assert 1 == len(desk.held(owner))
        desk.ship(owner, [(line, 1)], cause=_shipment())
        desk.release(owner)
    assert (4, 0, 0, 0) == warehouse.level(tea)
