"""Decisions about shipments: the state table walked, what goes from where, what leaves and what stays; no database."""

import datetime as dt
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from eckit.kernel.errors import InvalidInputError, NotInTransitionError
from eckit.kernel.ids import GroupId, LineId, ShipmentId
from eckit.kernel.minting import mint
from eckit.kernel.states import move, reachable
from eckit.order import Block, Order, OrderState
from eckit.shipping import (
    NotReadyToShipError,
    Shipment,
    ShipmentLine,
    ShipmentMove,
    ShipmentState,
    Tracking,
    rules,
)
from eckit.testing.begin import START
from tests.shipping.conftest import OSAKA, TOKYO, an_order

S, E = ShipmentState, ShipmentMove


def _shipment(order: Order, *steps: int, state: ShipmentState = S.READY) -> Shipment:
    return Shipment(
        id=ShipmentId(mint("shipment")),
        state=state,
        location_id=TOKYO,
        group_id=order.lines[0].group_id,
        mode="ship",
        option=None,
        lines=tuple(
            ShipmentLine(order_id=order.id, line_id=line.id, steps=count)
            for line, count in zip(order.lines, steps, strict=True)
        ),
        planned_at=START,
    )


# -- states -----------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached_and_the_ends_are_ends() -> None:
    """Nothing leaves delivered or canceled; everything is reached from draft."""
    assert set(S) == reachable(rules.MOVES, S.DRAFT)
    assert {S.DELIVERED, S.CANCELED} == set(S) - {before for before, _ in rules.MOVES}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("event", E)
def test_only_declared_moves_are_made(state: ShipmentState, event: ShipmentMove) -> None:
    """What was handed over cannot be canceled, what was canceled cannot leave, and so on for every pair."""
    allowed = {
        (S.DRAFT, E.MAKE_READY),
        (S.DRAFT, E.BLOCK),
        (S.DRAFT, E.CANCEL),
        (S.BLOCKED, E.MAKE_READY),
        (S.BLOCKED, E.CANCEL),
        (S.READY, E.BLOCK),
        (S.READY, E.HAND_OVER),
        (S.READY, E.CANCEL),
        (S.HANDED_OVER, E.DELIVER),
    }
    if (state, event) in allowed:
        assert move(rules.MOVES, state, event) is not state
    else:
        with pytest.raises(NotInTransitionError):
            move(rules.MOVES, state, event)


# -- planning ---------------------------------------------------------------------------------------------------------


def test_held_goods_go_from_their_location_and_others_from_nowhere() -> None:
    """A shipment for each group and location; what is not counted (services, made to order) goes from none."""
    order = an_order(3, 2, 1)
    tea, bowl, lesson = order.lines
    plans = rules.planned(order, {tea.group_id: "ship"}, {tea.id: [(TOKYO, 2), (OSAKA, 1)], bowl.id: [(TOKYO, 2)]})

    assert {
        (tea.group_id, TOKYO): [(tea.id, 2), (bowl.id, 2)],
        (tea.group_id, OSAKA): [(tea.id, 1)],
        (tea.group_id, None): [(lesson.id, 1)],
    } == {place: [(line.line_id, line.steps) for line in lines] for place, lines in plans.items()}


def test_parts_of_a_line_at_one_location_go_together() -> None:
    """On the shelf and promised beyond it: two holds at one place are one line of one shipment."""
    order = an_order(3)
    [tea] = order.lines
    plans = rules.planned(order, {}, {tea.id: [(TOKYO, 1), (TOKYO, 2)]})
    assert [[3]] == [[line.steps for line in lines] for lines in plans.values()]


def test_nothing_is_planned_for_what_does_not_travel_or_is_not_open() -> None:
    """Groups of mode none; lines that were canceled or have left."""
    order = an_order(3, 2)
    gone = attrs.evolve(order.lines[1], shipped_steps=1, canceled_steps=1)
    assert {} == rules.planned(order, {order.lines[0].group_id: "none"}, {})
    plans = rules.planned(attrs.evolve(order, lines=(order.lines[0], gone)), {}, {})
    assert [[order.lines[0].id]] == [[line.line_id for line in lines] for lines in plans.values()]


@pytest.mark.parametrize(
    ("order", "reasons"),
    [
        (an_order(), ()),
        (an_order(confirmed=False), ("not confirmed",)),
        (an_order(state=OrderState.CANCELED), ("canceled",)),
        (an_order(blocks=("fraud", "address")), ("blocked: fraud", "blocked: address")),
        (an_order(confirmed=False, blocks=("fraud",)), ("not confirmed", "blocked: fraud")),
    ],
)
def test_an_orders_goods_wait_for_every_reason(order: Order, reasons: tuple[str, ...]) -> None:
    """All reasons are told, not the first; a lifted block is none."""
    assert reasons == rules.reasons_against(order, START)
    lifted = attrs.evolve(order, blocks=tuple(attrs.evolve(block, lifted_at=START) for block in order.blocks))
    assert not [reason for reason in rules.reasons_against(lifted, START) if reason.startswith("blocked")]


def test_a_block_holds_back_its_group_and_its_time_only() -> None:
    """One of another group, or one whose time is over, is no reason."""
    order = an_order(1)
    [line] = order.lines
    block = Block(
        id=mint("block"),  # type: ignore[arg-type]
        order_id=order.id,
        kind="address",
        group_id=line.group_id,
        placed_at=START,
        until=START + dt.timedelta(days=1),
    )
    blocked = attrs.evolve(order, blocks=(block,))
    other = GroupId(mint("group"))
    assert ("blocked: address",) == rules.reasons_against(blocked, START, line.group_id)
    assert ("blocked: address",) == rules.reasons_against(blocked, START)
    assert () == rules.reasons_against(blocked, START, other)
    assert () == rules.reasons_against(blocked, START + dt.timedelta(days=1))


# -- leaving ----------------------------------------------------------------------------------------------------------


def test_everything_that_is_ready_leaves_unless_told_otherwise() -> None:
    """Blocked and canceled shipments stay."""
    order = an_order(3)
    ready, blocked = _shipment(order, 2), _shipment(order, 1, state=S.BLOCKED)
    assert [(ready, list(ready.lines))] == rules.leaving([blocked, ready], None)
    with pytest.raises(NotReadyToShipError):
        rules.leaving([blocked], None)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 25))
def test_steps_wanted_leave_from_the_shipments_in_turn(parts: list[int], wanted: int) -> None:
    """Exactly as many as wanted; more than is ready is refused; what leaves and what stays is the whole."""
    order = an_order(sum(parts))
    line = order.lines[0].id
    shipments = [_shipment(order, part) for part in parts]
    if wanted > sum(parts):
        with pytest.raises(NotReadyToShipError):
            rules.leaving(shipments, {line: wanted})
        return
    going = rules.leaving(shipments, {line: wanted})
    assert wanted == sum(some.steps for _, lines in going for some in lines)
    for shipment, lines in going:
        stays = rules.staying(shipment, lines)
        assert shipment.lines[0].steps == sum(some.steps for some in (*lines, *stays))


@pytest.mark.parametrize(
    "lines", [{}, {LineId(mint("line")): 0}, {LineId(mint("line")): -1}, {LineId(mint("line")): True}]
)
def test_only_counts_of_lines_can_leave(lines: Any) -> None:
    """Nothing, zero and less than nothing are no shipment; None is everything."""
    with pytest.raises(InvalidInputError):
        rules.counts(lines)
    with pytest.raises(InvalidInputError):
        rules.counts({LineId(mint("order")): 1})
    assert rules.counts(None) is None


# -- what carriers say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "teleported"),
        ("key", ""),
        ("key", "x" * 201),
        ("words", "x" * 501),
        ("at", START.replace(tzinfo=None)),
    ],
)
def test_a_report_that_cannot_be_is_refused(field: str, value: Any) -> None:
    """An unknown status is ``unknown`` with the carrier's own words, never a word of the carrier's."""
    report = Tracking(parcel_id=mint("parcel"), key="1", status="unknown", at=START, words="お届け先ご不在")  # type: ignore[arg-type]
    assert report == rules.accepted(report)
    with pytest.raises(InvalidInputError):
        rules.accepted(attrs.evolve(report, **{field: value}))


@pytest.mark.parametrize(
    "url",
    [
        "http://track.example/1",
        "javascript:alert(1)",
        "//evil.example",
        "https://track.example/ x",
        "https://trаck.example",
        "https://track.example/\n",
        "https://" + "x" * 500,
        None,
        7,
    ],
)
def test_only_a_plain_https_address_is_linked(url: Any) -> None:
    """INJ-19: what a carrier's plugin gives for mails is an https address in ASCII, or no link."""
    assert not rules.is_link(url)
    assert rules.is_link("https://track.example/123?lang=ja")
