"""An order is its placement folded with its amendments."""

import json

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from eckit.kernel.ids import AmendmentId, LineId, OrderId
from eckit.kernel.minting import mint
from eckit.kernel.states import reachable
from eckit.order import NotCancelableError, NotOpenError, rules
from eckit.order.model import Amendment, LineDelta, Order, OrderState, Placement
from eckit.pricing.model import Quote
from tests.order.quotes import AT, Wish, make_quote
from tests.order.test_refunding import quotes


def placed(quote: Quote) -> tuple[Order, Placement]:
    order = rules.agree(quote, order_id=OrderId(mint("order")), origin="cart", at=AT, pay_by=None)
    order = attrs.evolve(order, number="0000001")
    sealed = rules.seal(rules.document(order, quote))
    return rules.as_placed(json.loads(sealed.text)), rules.placement_of(order.id, sealed.text)


def canceled(order: Order, placement: Placement, wanted: list[tuple[LineId, int]]) -> Amendment:
    deltas = rules.wanted_deltas(order, wanted)
    back = rules.given_back(order, placement, deltas)
    return rules.cancellation(
        order, back, deltas, amendment_id=AmendmentId(mint("amendment")), reason="buyer", by="system", at=AT
    )


@settings(max_examples=60)
@given(quotes(), st.data())
def test_order_canceled_bit_by_bit_ends_at_zero(quote: Quote, data: st.DataObject) -> None:
    """However it is cut: the total falls, never below zero, and the last step makes it a canceled order of nothing."""
    order, placement = placed(quote)
    start = order
    while rules.open_lines(order):
        line = data.draw(st.sampled_from(rules.open_lines(order)))
        amendment = canceled(order, placement, [(line.id, data.draw(st.integers(1, line.open_steps)))])
        before, order = order, rules.fold(order, [amendment])
        assert 0 <= order.current_total_minor <= before.current_total_minor
    assert OrderState.CANCELED is order.state
    assert 0 == order.current_total_minor
    assert order == rules.fold(start, order.amendments)
    assert order == rules.fold(start, reversed(order.amendments))


def test_fold_without_amendments_is_the_placement() -> None:
    """Nothing changes by itself."""
    order, _ = placed(make_quote())
    assert order == rules.fold(order, [])


def test_amendments_that_are_not_accepted_change_nothing() -> None:
    """A proposal is only a proposal."""
    order, placement = placed(make_quote([Wish(steps=2)]))
    amendment = attrs.evolve(canceled(order, placement, [(order.lines[0].id, 1)]), state="proposed")
    assert order == rules.fold(order, [amendment])


def test_unknown_kind_of_amendment_is_readable() -> None:
    """A kind whose plugin is gone still changes the total it says it changes, and no counter."""
    order, _ = placed(make_quote())
    amendment = Amendment(
        id=AmendmentId(mint("amendment")),
        order_id=order.id,
        seq=1,
        kind="settle_measure",
        state=rules.ACCEPTED,
        deltas=(LineDelta(line_id=order.lines[0].id, steps=-1),),
        amount_minor=-50,
        at=AT,
    )
    folded = rules.fold(order, [amendment])
    assert order.total_minor - 50 == folded.current_total_minor
    assert order.lines == folded.lines


def test_amendments_are_linked_by_digest() -> None:
    """Each names the one before, the first the placement; a link that was changed no longer has its digest."""
    order, placement = placed(make_quote([Wish(steps=3)]))
    for _ in range(2):
        order = rules.fold(order, [canceled(order, placement, [(order.lines[0].id, 1)])])
    first, second = order.amendments
    assert placement.digest == first.previous_digest
    assert first.digest == second.previous_digest
    assert [first.digest, second.digest] == [rules.link_digest(first), rules.link_digest(second)]
    assert first.digest != rules.link_digest(attrs.evolve(first, amount_minor=first.amount_minor - 1))


def test_more_than_is_open_cannot_be_canceled() -> None:
    """Named twice counts twice; a line of another order is none of this one's."""
    order, _ = placed(make_quote([Wish(steps=3)]))
    line = order.lines[0].id
    with pytest.raises(NotOpenError) as refused:
        rules.wanted_deltas(order, [(line, 2), (line, 2)])
    assert (line, 4, 3) == (refused.value.line_id, refused.value.wanted, refused.value.open)
    with pytest.raises(NotOpenError):
        rules.wanted_deltas(order, [(LineId(mint("line")), 1)])


def test_every_state_can_be_reached() -> None:
    """The table of an order's states has no state that nothing leads to."""
    assert frozenset(OrderState) == reachable(rules.MOVES, OrderState.PLACED)


def test_nothing_to_cancel_is_told_apart() -> None:
    """Canceled before: nothing to do. Shipped or closed: refused."""
    order, _ = placed(make_quote([Wish(steps=2)]))
    [line] = order.lines
    assert rules.cancels_nothing(attrs.evolve(order, state=OrderState.CANCELED))
    assert not rules.cancels_nothing(attrs.evolve(order, lines=(attrs.evolve(line, shipped_steps=1),)))
    assert rules.cancels_nothing(attrs.evolve(order, lines=(attrs.evolve(line, shipped_steps=1, canceled_steps=1),)))
    for reason, changed in (
        ("shipped", attrs.evolve(order, lines=(attrs.evolve(line, shipped_steps=2),))),
        ("closed", attrs.evolve(order, state=OrderState.CLOSED)),
    ):
        with pytest.raises(NotCancelableError) as refused:
            rules.cancels_nothing(changed)
        assert reason == refused.value.reason
