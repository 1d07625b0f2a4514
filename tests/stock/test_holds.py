"""Promises: held at once or not at all, never more than there is, each given back once."""

import datetime as dt
import threading

import pytest

from eckit.kernel.errors import ConflictError, NotFoundError
from eckit.kernel.ids import LineId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.stock import LevelMovedError, OutOfStockError, PromisedError, service as stock
from eckit.stock.errors import NotHeldError
from tests.stock.conftest import STAFF, Warehouse, want


def _order() -> Ref:
    return Ref("order", mint("order"))


@again_if_moved
def _hold(begin: Begin, owner: Ref, *wanted: object) -> None:
    with begin.write(STAFF) as work:
        stock.hold(work, owner, wanted, until=None)  # type: ignore[arg-type]


def test_a_hold_reserves_what_is_on_hand(warehouse: Warehouse) -> None:
    """on_hand stays, reserved rises, and what is left can be promised."""
    tea = warehouse.variant(5)

    _hold(warehouse.begin, _order(), want(tea, 2))

    assert (5, 2, 0, 0) == warehouse.level(tea)
    with warehouse.begin.read(STAFF) as work:
        assert {tea: 3} == stock.availability(work, [tea])
        assert {tea: 1} == stock.availability(work, [tea], buffer=2)


def test_a_hold_is_whole_or_not_at_all(warehouse: Warehouse) -> None:
    """One line short: nothing is held of the others, and the error names SKU, wanted and available."""
    tea, bowl = warehouse.variant(5), warehouse.variant(1)

    with pytest.raises(OutOfStockError) as caught:
        _hold(warehouse.begin, _order(), want(tea, 2), want(bowl, 2))

    assert [(bowl[-6:], 2, 1)] == [(item.sku, item.wanted, item.available) for item in caught.value.items]
    assert (5, 0, 0, 0) == warehouse.level(tea)


def test_two_lines_of_one_variant_are_counted_together(warehouse: Warehouse) -> None:
    """STK-07: quantity 3 split 1 + 2 over two destinations holds 3, and never more than there is."""
    tea = warehouse.variant(3)

    with pytest.raises(OutOfStockError):
        _hold(warehouse.begin, _order(), want(tea, 2, "a"), want(tea, 2, "b"))
    _hold(warehouse.begin, _order(), want(tea, 1, "a"), want(tea, 2, "b"))

    assert (3, 3, 0, 0) == warehouse.level(tea)


def test_the_last_unit_goes_to_one_of_eight_buyers(warehouse: Warehouse) -> None:
    """STK-01: on_hand 1, eight threads at a barrier: one hold, seven refusals, no other error."""
    bowl = warehouse.variant(1)
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def buy() -> None:
        barrier.wait()
        try:
            _hold(warehouse.begin, _order(), want(bowl))
            outcomes.append("held")
        except OutOfStockError:
            outcomes.append("sold out")

    threads = [threading.Thread(target=buy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["held"] + ["sold out"] * 7 == sorted(outcomes)
    assert (1, 1, 0, 0) == warehouse.level(bowl)


def test_carts_in_opposite_order_do_not_deadlock(warehouse: Warehouse) -> None:
    """STK-05, of holds alone: (A, B) against (B, A), 50 rounds each: every hold is made, no caller sees a deadlock."""
    a, b = warehouse.variant(200), warehouse.variant(200)
    failures: list[BaseException] = []

    def buy(first: str, second: str) -> None:
        try:
            for _ in range(50):
                _hold(warehouse.begin, _order(), want(first), want(second))  # type: ignore[arg-type]
        except ConflictError as error:
            failures.append(error)

    threads = [threading.Thread(target=buy, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failures
    assert ((200, 100, 0, 0), (200, 100, 0, 0)) == (warehouse.level(a), warehouse.level(b))


def test_a_release_gives_back_once(warehouse: Warehouse) -> None:
    """STK-13: a second release finds nothing and changes nothing."""
    tea, order = warehouse.variant(5), _order()
    _hold(warehouse.begin, order, want(tea, 2))

    for expected in (1, 0):
        with warehouse.begin.write(STAFF) as work:
            assert expected == len(stock.release(work, order))

    assert (5, 0, 0, 0) == warehouse.level(tea)


def test_a_hold_with_an_end_expires(warehouse: Warehouse) -> None:
    """STK-08: what a crash left behind is given back when its time is over, not a moment before."""
    tea = warehouse.variant(5)
    until = warehouse.clock.now() + dt.timedelta(minutes=10)
    with warehouse.begin.write(STAFF) as work:
        stock.hold(work, Ref("cart", mint("cart")), [want(tea, 2)], until=until)

    warehouse.clock.advance(dt.timedelta(minutes=9))
    with warehouse.begin.write(STAFF) as work:
        assert () == stock.expire(work)
    warehouse.clock.advance(dt.timedelta(minutes=1))
    with warehouse.begin.write(STAFF) as work:
        assert 1 == len(stock.expire(work))

    assert (5, 0, 0, 0) == warehouse.level(tea)


def test_shipping_uses_holds_up(warehouse: Warehouse) -> None:
    """Goods leave: on_hand and reserved fall together, by as much as was shipped; more than is held is refused."""
    tea, order, line = warehouse.variant(5), _order(), LineId(mint("line"))
    _hold(warehouse.begin, order, want(tea, 3, line))

    with warehouse.begin.write(STAFF) as work:
        stock.ship(work, order, [(line, 2)], cause=Ref("shipment", mint("shipment")))

    assert (3, 1, 0, 0) == warehouse.level(tea)
    with pytest.raises(NotHeldError), warehouse.begin.write(STAFF) as work:
        stock.ship(work, order, [(line, 2)], cause=Ref("shipment", mint("shipment")))
    assert (3, 1, 0, 0) == warehouse.level(tea)


def test_backorders_are_capped_and_served_first(warehouse: Warehouse) -> None:
    """Beyond stock no more than the cap is promised; goods that come serve the oldest promise first."""
    tea = warehouse.variant(1)
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 2, at="tokyo")

    with pytest.raises(OutOfStockError):
        _hold(warehouse.begin, _order(), want(tea, 4))
    _hold(warehouse.begin, _order(), want(tea, 3))
    assert (1, 1, 2, 0) == warehouse.level(tea)

    with pytest.raises(PromisedError), warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 1, at="tokyo")
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 5, at="tokyo")

    assert (6, 3, 0, 0) == warehouse.level(tea)


def test_a_place_that_owes_does_not_hide_another(warehouse: Warehouse) -> None:
    """STK-12: A owes 3, B has 5: five can be promised, six cannot, and A cannot stop owing by a setting."""
    tea = warehouse.variant(5, at="osaka")
    with warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 3, at="tokyo")
    _hold(warehouse.begin, _order(), want(tea, 8))
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 5, at="osaka")

    with warehouse.begin.read(STAFF) as work:
        assert {tea: 5} == stock.availability(work, [tea])
    with pytest.raises(OutOfStockError):
        _hold(warehouse.begin, _order(), want(tea, 6))
    with pytest.raises(PromisedError), warehouse.begin.write(STAFF) as work:
        stock.allow_backorder(work, tea, 0, at="tokyo")
    _hold(warehouse.begin, _order(), want(tea, 5))


def test_a_sale_elsewhere_is_recorded_and_opens_a_shortage(warehouse: Warehouse) -> None:
    """The till sold what the web had promised: recorded, with a shortage; goods that come close it."""
    tea = warehouse.variant(1)
    _hold(warehouse.begin, _order(), want(tea))

    with warehouse.begin.write(STAFF) as work:
        stock.note_sold(work, tea, 2, at="tokyo", cause=Ref("till", "receipt-1"))
    assert (0, 1, 0, 1) == warehouse.level(tea)

    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 1, at="tokyo")
    assert (1, 1, 0, 0) == warehouse.level(tea)


def test_a_count_against_an_old_version_is_a_conflict(warehouse: Warehouse) -> None:
    """STK-17: the form showed 10, three were sold since; saving 12 is refused with the current number."""
    tea = warehouse.variant(10)
    with warehouse.begin.read(STAFF) as work:
        seen = stock.levels(work, tea)[0].version
    with warehouse.begin.write(STAFF) as work:
        stock.note_sold(work, tea, 3, at="tokyo", cause=Ref("till", "receipt-1"))

    with pytest.raises(LevelMovedError) as caught, warehouse.begin.write(STAFF) as work:
        stock.count(work, tea, 12, at="tokyo", expect_version=seen)
    assert 7 == caught.value.on_hand
    with warehouse.begin.write(STAFF) as work:
        stock.receive(work, tea, 2, at="tokyo")

    assert (9, 0, 0, 0) == warehouse.level(tea)


def test_ten_threads_make_one_row(warehouse: Warehouse) -> None:
    """STK-10: ten threads receive a new variant at once: one row, and every unit is in it."""
    tea = warehouse.variant()
    barrier = threading.Barrier(10)

    def come() -> None:
        barrier.wait()
        with warehouse.begin.write(STAFF) as work:
            stock.receive(work, tea, 1, at="tokyo")

    threads = [threading.Thread(target=come) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with warehouse.begin.read(STAFF) as work:
        assert [10] == [level.on_hand for level in stock.levels(work, tea)]


def test_an_unknown_place_is_not_found(warehouse: Warehouse) -> None:
    """Goods cannot come to a place that does not exist."""
    with pytest.raises(NotFoundError), warehouse.begin.write(STAFF) as work:
        stock.receive(work, mint("variant"), 1, at="atlantis")
