"""What becomes of an order after it was placed, on both databases."""

import datetime as dt
from collections import Counter

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel import history, outbox
from eckit.kernel.actors import Actor
from eckit.kernel.database import ConstraintError
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError, NotInTransitionError
from eckit.kernel.ids import CustomerId, GroupId, LineId, OrderId
from eckit.kernel.minting import mint
from eckit.kernel.retry import again_if_moved
from eckit.order import (
    NotCancelableError,
    NotClosableError,
    NotConfirmableError,
    NotOpenError,
    Order,
    OrderBlockedError,
    OrderState,
    rules,
    service as order,
)
from eckit.order.store import tables
from tests.cart.support import raised, together
from tests.order.conftest import STAFF, SYSTEM, Orders
from tests.order.quotes import Wish, make_quote


def events(orders: Orders, it: Order) -> Counter[str]:
    """How often each event of an order was announced."""
    with orders.begin.read(SYSTEM) as work:
        found = work.connection.execute(
            sa.select(outbox.outbox.c.name).where(outbox.outbox.c.subject == f"order:{it.id}")
        )
        return Counter(found.scalars())


def deeds(orders: Orders, verb: str) -> int:
    """How many audit rows say this verb."""
    with orders.begin.read(SYSTEM) as work:
        rows = sa.select(sa.func.count()).select_from(history.history).where(history.history.c.verb == verb)
        return int(work.connection.execute(rows).scalar_one())


def cancel(orders: Orders, it: Order, reason: str = "buyer", actor: Actor = SYSTEM) -> Order:
    @again_if_moved
    def canceling(begin: object) -> Order:
        with orders.begin.write(actor) as work:
            return order.cancel(work, order.lock(work, it.id), reason)

    return canceling(orders.begin)


def ship(orders: Orders, it: Order, *lines: tuple[LineId, int]) -> Order:
    with orders.begin.write(SYSTEM) as work:
        return order.note_shipped(work, it, lines)


# -- confirm ---------------------------------------------------------------------------------------------------------


def test_order_is_confirmed_once_by_five_at_a_moment(orders: Orders) -> None:
    """ORD-14: one instant, one event, one audit row, whoever comes second."""
    placed = orders.place()

    @again_if_moved
    def confirm(begin: object) -> Order:
        with orders.begin.write(SYSTEM) as work:
            return order.confirm(work, placed)

    results = together(*(lambda: confirm(orders.begin) for _ in range(5)))
    assert [] == raised(results)
    assert {orders.clock.now()} == {result.confirmed_at for result in results if isinstance(result, Order)}
    assert 1 == events(orders, placed)["order.confirmed"]
    assert 1 == deeds(orders, "order.confirm")
    orders.clock.advance(dt.timedelta(hours=1))
    with orders.begin.write(SYSTEM) as work:
        again = order.confirm(work, placed.id)
    assert orders.clock.now() - dt.timedelta(hours=1) == again.confirmed_at


def test_canceled_order_is_not_confirmed(orders: Orders) -> None:
    """Money that comes too late is for somebody to decide about, not a confirmation."""
    placed = orders.place()
    cancel(orders, placed, "lapsed")
    with pytest.raises(NotConfirmableError) as refused, orders.begin.write(SYSTEM) as work:
        order.confirm(work, placed)
    assert "lapsed" == refused.value.reason
    with pytest.raises(NotFoundError), orders.begin.write(SYSTEM) as work:
        order.confirm(work, OrderId(mint("order")))


# -- cancel ----------------------------------------------------------------------------------------------------------


def test_order_canceled_from_two_threads_is_canceled_once(orders: Orders) -> None:
    """STK-13: one amendment, one event; the second caller gets the same order back."""
    placed = orders.place(make_quote([Wish(steps=3), Wish()], discount_minor=500, fee_minor=330))
    results = together(*(lambda: cancel(orders, placed) for _ in range(4)))
    assert [] == raised(results)
    now = orders.get(placed)
    assert [now] * 4 == results
    assert (OrderState.CANCELED, "buyer", 0) == (now.state, now.reason, now.current_total_minor)
    assert placed.total_minor == now.total_minor
    assert [(3, 0), (1, 0)] == [(line.canceled_steps, line.open_steps) for line in now.lines]
    [amendment] = now.amendments
    assert (-placed.total_minor, placed.digest) == (amendment.amount_minor, amendment.previous_digest)
    assert Counter({"order.placed": 1, "order.canceled": 1}) == events(orders, placed)
    assert now == cancel(orders, placed, "again")


def test_only_what_was_not_shipped_is_canceled(orders: Orders) -> None:
    """STK-13: after a partial shipment the rest comes back, and the order goes on with what was shipped."""
    placed = orders.place(make_quote([Wish(steps=3, unit_minor=400), Wish(unit_minor=1_000)]))
    first, second = (line.id for line in placed.lines)
    ship(orders, placed, (first, 2))
    now = cancel(orders, placed)
    assert OrderState.PLACED is now.state
    assert [(1, 2), (1, 0)] == [(line.canceled_steps, line.shipped_steps) for line in now.lines]
    assert -(400 + 1_000) == now.amendments[0].amount_minor
    assert placed.total_minor - 1_400 == now.current_total_minor
    assert {first: -1, second: -1} == {delta.line_id: delta.steps for delta in now.amendments[0].deltas}
    assert Counter({"order.placed": 1, "order.amended": 1}) == events(orders, placed)
    assert now == cancel(orders, placed)


def test_shipped_or_closed_order_cannot_be_canceled(orders: Orders) -> None:
    """Nothing is left to cancel: refused, and nothing is written."""
    placed = orders.place()
    shipped = ship(orders, placed, (placed.lines[0].id, 1))
    with pytest.raises(NotCancelableError) as refused:
        cancel(orders, placed)
    assert "shipped" == refused.value.reason
    with orders.begin.write(STAFF) as work:
        order.close(work, shipped)
    with pytest.raises(NotCancelableError) as refused:
        cancel(orders, placed)
    assert "closed" == refused.value.reason
    assert () == orders.get(placed).amendments


def test_reason_is_a_code(orders: Orders) -> None:
    """Events carry it, so it is no free text."""
    placed = orders.place()
    for reason in ("", "Because I say so", "x" * 41, "UPPER", None, "é", "a\nb"):
        with pytest.raises(InvalidInputError):
            cancel(orders, placed, reason)  # type: ignore[arg-type]
    assert placed == orders.get(placed)


def test_units_are_canceled_line_by_line_to_exactly_nothing(orders: Orders) -> None:
    """The stored order follows the fold at every step; the last unit brings the shipping and ends the order."""
    quote = make_quote([Wish(steps=3, unit_minor=333), Wish(steps=2, unit_minor=1)], discount_minor=100, fee_minor=330)
    placed = orders.place(quote)
    first, second = (line.id for line in placed.lines)
    totals = []
    for lines in ([(first, 1)], [(second, 2)], [(first, 1)], [(first, 1)]):
        with orders.begin.write(STAFF) as work:
            now = order.cancel_units(work, placed, lines, "out_of_stock")
        assert now == orders.get(placed)
        totals.append(now.current_total_minor)
    assert sorted(totals, reverse=True) == totals
    assert 0 == totals[-1]
    assert totals[-2] >= 500 + 330
    assert (OrderState.CANCELED, [1, 2, 3, 4]) == (now.state, [amendment.seq for amendment in now.amendments])
    assert Counter({"order.placed": 1, "order.amended": 3, "order.canceled": 1}) == events(orders, placed)


def test_more_units_than_are_open_are_refused(orders: Orders) -> None:
    """Too many, none, of another order, not a number: a typed answer each, and nothing changed."""
    placed = orders.place(make_quote([Wish(steps=2)]))
    line = placed.lines[0].id
    for error, lines in (
        (NotOpenError, [(line, 3)]),
        (NotOpenError, [(line, 1), (line, 2)]),
        (NotOpenError, [(LineId(mint("line")), 1)]),
        (InvalidInputError, []),
        (InvalidInputError, [(line, 0)]),
        (InvalidInputError, [(line, True)]),
        (InvalidInputError, [(line, 1.0)]),
        (InvalidInputError, [(placed.id, 1)]),
    ):
        with pytest.raises(error), orders.begin.write(STAFF) as work:
            order.cancel_units(work, placed, lines, "buyer")
        with pytest.raises(error), orders.begin.write(SYSTEM) as work:
            order.note_shipped(work, placed, lines)
    assert placed == orders.get(placed)


def test_shipping_and_canceling_at_once_never_exceed_what_was_ordered(orders: Orders) -> None:
    """Two at a moment about one line: each step leaves or is canceled, never both."""
    for _ in range(5):
        placed = orders.place(make_quote([Wish(steps=3)]))
        together(
            lambda placed=placed: ship(orders, placed, (placed.lines[0].id, 2)),
            lambda placed=placed: cancel(orders, placed),
        )
        [line] = orders.get(placed).lines
        assert 3 == line.canceled_steps + line.shipped_steps
        assert line.shipped_steps in {0, 2}


def test_database_itself_refuses_more_than_was_ordered(orders: Orders) -> None:
    """The counters are held by constraints, whatever a program does."""
    placed = orders.place()
    for values in (
        {"canceled_steps": 2},
        {"shipped_steps": 1, "canceled_steps": 1},
        {"returned_steps": 1},
        {"canceled_steps": -1},
        {"total_minor": -1},
    ):
        with pytest.raises(ConstraintError), orders.begin.write(SYSTEM) as work:
            work.execute(sa.update(tables.order_line).where(tables.order_line.c.order_id == placed.id).values(values))
    for values in ({"current_total_minor": -1}, {"number": ""}, {"state": "paid"}, {"state": "canceled"}):
        with pytest.raises(ConstraintError), orders.begin.write(SYSTEM) as work:
            work.execute(sa.update(tables.order).where(tables.order.c.id == placed.id).values(values))


def test_buyer_cancels_the_own_order_and_staff_needs_the_permission(orders: Orders) -> None:
    """Own: customer, or guest with the token. Others: as if there were no such order."""
    customer = CustomerId(mint("customer"))
    for actor, allowed in (
        (Actor.buyer(customer), True),
        (Actor.staff("s", "order.read"), False),
        (Actor.staff("s", "order.read", "order.write"), True),
        (Actor.buyer(CustomerId(mint("customer"))), False),
        (Actor.guest("x"), False),
    ):
        placed = orders.place(make_quote(customer=customer))
        if allowed:
            assert OrderState.CANCELED is cancel(orders, placed, actor=actor).state
        else:
            with pytest.raises(NotFoundError):
                cancel(orders, placed, actor=actor)
            assert OrderState.PLACED is orders.get(placed).state
    mine = orders.place()
    assert str(Actor.guest(mine.token)) == cancel(orders, mine, actor=Actor.guest(mine.token)).amendments[0].by


# -- lapse -----------------------------------------------------------------------------------------------------------


def test_unpaid_orders_are_due_when_their_time_is_over(orders: Orders) -> None:
    """Placed, unconfirmed, past pay_by: the longest overdue first; confirmed, canceled, undated ones never."""
    early = orders.place(pay_by=orders.clock.now() + dt.timedelta(hours=1))
    late = orders.place(pay_by=orders.clock.now() + dt.timedelta(hours=2))
    never = orders.place(pay_by=None)
    paid, gone = (orders.place(pay_by=orders.clock.now() + dt.timedelta(hours=1)) for _ in range(2))
    with orders.begin.write(SYSTEM) as work:
        order.confirm(work, paid)
        order.cancel(work, gone, "buyer")

    def due(limit: int = 100) -> tuple[OrderId, ...]:
        with orders.begin.read(SYSTEM) as work:
            found = order.lapsable(work, limit=limit)
            assert all(order.may_lapse(work, order.get(work, one).order) for one in found)
            assert not order.may_lapse(work, order.get(work, never.id).order)
            return found

    assert () == due()
    orders.clock.advance(dt.timedelta(hours=1))
    assert (early.id,) == due()
    orders.clock.advance(dt.timedelta(hours=1))
    assert (early.id, late.id) == due()
    assert (early.id,) == due(limit=1)
    with pytest.raises(NotAllowedError), orders.begin.read(Actor.guest()) as work:
        order.lapsable(work)


# -- blocks, links, closing ------------------------------------------------------------------------------------------


def test_blocked_order_may_not_go_on_until_the_block_is_lifted(orders: Orders) -> None:
    """A block counts until it is lifted or over; lifting twice is lifting once; both are announced."""
    placed = orders.place(make_quote([Wish(), Wish(group=1)], shipping_minor=(0, 0)))
    first, second = placed.lines[0].group_id, placed.lines[1].group_id
    with orders.begin.write(STAFF) as work:
        fraud = order.place_block(work, placed, "fraud", reason="同じカードで3件")
        order.place_block(work, placed, "address", group=first, until=work.now + dt.timedelta(hours=1))
    now, at = orders.get(placed), orders.clock.now()
    assert ("staff:sato", "同じカードで3件") == (now.blocks[0].placed_by, now.blocks[0].reason)
    for group, kinds in ((None, ("address", "fraud")), (first, ("address", "fraud")), (second, ("fraud",))):
        with pytest.raises(OrderBlockedError) as refused:
            rules.require_unblocked(now, at, group)
        assert kinds == refused.value.kinds
    with orders.begin.write(STAFF) as work:
        lifted = order.lift_block(work, fraud.id)
        assert lifted == order.lift_block(work, fraud.id)
    now = orders.get(placed)
    rules.require_unblocked(now, at, second)
    with pytest.raises(OrderBlockedError):
        rules.require_unblocked(now, at)
    rules.require_unblocked(now, at + dt.timedelta(hours=1))
    assert Counter({"order.placed": 1, "order.blocked": 2, "order.unblocked": 1}) == events(orders, placed)
    assert placed.version + 3 == now.version


def test_blocks_are_for_staff_and_within_the_order(orders: Orders) -> None:
    """A buyer cannot block or unblock, not even the own order; a group must be the order's."""
    placed = orders.place()
    with orders.begin.write(STAFF) as work:
        block = order.place_block(work, placed, "stock")
    guest = Actor.guest(placed.token)
    with pytest.raises(NotAllowedError), orders.begin.write(guest) as work:
        order.place_block(work, placed, "fraud")
    with pytest.raises(NotAllowedError), orders.begin.write(guest) as work:
        order.lift_block(work, block.id)
    with pytest.raises(NotFoundError), orders.begin.write(STAFF) as work:
        order.place_block(work, placed, "fraud", group=GroupId(mint("group")))
    with pytest.raises(NotFoundError), orders.begin.write(STAFF) as work:
        order.lift_block(work, mint("block"))
    with pytest.raises(InvalidInputError), orders.begin.write(STAFF) as work:
        order.place_block(work, placed, "Not a code")


def test_order_is_closed_when_nothing_is_left_to_do(orders: Orders) -> None:
    """Every step shipped or canceled; once; a canceled order is not closed."""
    placed = orders.place(make_quote([Wish(steps=2)]))
    with pytest.raises(NotClosableError) as refused, orders.begin.write(STAFF) as work:
        order.close(work, placed)
    assert 2 == refused.value.open_steps
    ship(orders, placed, (placed.lines[0].id, 2))
    with orders.begin.write(STAFF) as work:
        closed = order.close(work, placed)
        assert closed == order.close(work, placed)
    assert OrderState.CLOSED is orders.get(placed).state
    assert 1 == events(orders, placed)["order.closed"]
    gone = orders.place()
    cancel(orders, gone)
    with pytest.raises(NotInTransitionError), orders.begin.write(STAFF) as work:
        order.close(work, gone)


def test_orders_are_linked_once(orders: Orders) -> None:
    """From one to another, with a kind; seen from both; the same link again is no other."""
    first, second = orders.place(), orders.place()
    with orders.begin.write(STAFF) as work:
        made = order.link(work, second.id, first.id, "replaces")
        assert made == order.link(work, second.id, first.id, "replaces")
    with orders.begin.read(STAFF) as work:
        assert (made,) == order.links(work, first.id) == order.links(work, second.id)
    assert 1 == deeds(orders, "order.link")
    with pytest.raises(InvalidInputError), orders.begin.write(STAFF) as work:
        order.link(work, first.id, first.id, "replaces")
    with pytest.raises(NotFoundError), orders.begin.write(STAFF) as work:
        order.link(work, first.id, OrderId(mint("order")), "replaces")
    with pytest.raises(NotFoundError), orders.begin.read(Actor.guest()) as work:
        order.links(work, first.id)


def test_every_change_raises_the_version(orders: Orders) -> None:
    """So that what was seen before can be told from what is now."""
    placed = orders.place(make_quote([Wish(steps=3)]))
    line, versions = placed.lines[0].id, [placed.version]
    for change in (
        lambda work: order.confirm(work, placed),
        lambda work: order.note_shipped(work, placed, [(line, 1)]),
        lambda work: order.cancel_units(work, placed, [(line, 1)], "buyer"),
        lambda work: order.place_block(work, placed, "stock"),
    ):
        with orders.begin.write(SYSTEM) as work:
            change(work)
        versions.append(orders.get(placed).version)
    assert [1, 2, 3, 4, 5] == versions
    assert attrs.evolve(placed, version=5).digest == orders.get(placed).digest
