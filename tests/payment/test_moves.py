"""The table of operations, walked completely."""

import itertools

import pytest

from eckit.kernel.errors import NotInTransitionError
from eckit.kernel.states import move, reachable
from eckit.payment.model import OpMove, OpState
from eckit.payment.rules import ENDED, MOVES, UNKNOWN, blocks, is_open, way, way_to_a_person
from tests.payment.made import operation

PAIRS = list(itertools.product(OpState, OpMove))


def test_every_state_can_be_reached() -> None:
    """No state of the table is out of reach of a planned operation."""
    assert frozenset(OpState) == reachable(MOVES, OpState.PLANNED)


@pytest.mark.parametrize(("state", "by"), PAIRS)
def test_what_is_not_listed_is_refused(state: OpState, by: OpMove) -> None:
    """The table is closed: a pair is listed, or moving raises."""
    if (state, by) in MOVES:
        assert MOVES[state, by] is move(MOVES, state, by)
    else:
        with pytest.raises(NotInTransitionError):
            move(MOVES, state, by)


@pytest.mark.parametrize(("state", "by"), PAIRS)
def test_the_way_of_news_uses_listed_moves_only(state: OpState, by: OpMove) -> None:
    """However news arrives, each step it takes stands in the table."""
    here = state
    for step in way(state, by):
        here = move(MOVES, here, step)
    assert here is state or way(state, by)


@pytest.mark.parametrize("state", OpState)
def test_the_way_to_a_person_ends_there_or_nowhere(state: OpState) -> None:
    """An answer that does not fit leads an open operation to a person by listed moves; an ended one stays."""
    here = state
    for step in way_to_a_person(state):
        here = move(MOVES, here, step)
    assert here is (state if state in ENDED else OpState.NEEDS_HUMAN)


@pytest.mark.parametrize("state", [OpState.FAILED, OpState.EXPIRED, OpState.CANCELED])
def test_money_for_what_was_given_up_is_late_money(state: OpState) -> None:
    """Success after the end is late money, and nothing else moves an ended operation."""
    assert (OpMove.LATE_MONEY,) == way(state, OpMove.SUCCEEDED)
    assert () == way(state, OpMove.DECLINED) + way(state, OpMove.NO_ANSWER) + way(state, OpMove.PROVIDER_WORKS)


def test_a_success_is_never_taken_back() -> None:
    """No news moves a succeeded operation: a late failure of the provider's does not undo it."""
    assert [] == [by for by in OpMove if way(OpState.SUCCEEDED, by)]


def test_a_refund_the_provider_accepted_lets_others_go_on() -> None:
    """An accepted refund is open and blocks nothing: its amount is reserved instead."""
    accepted, capture = operation("refund", "waiting_provider"), operation("capture", "waiting_provider")
    assert (True, False) == (is_open(accepted), blocks(accepted))
    assert (True, True) == (is_open(capture), blocks(capture))


def test_in_doubt_and_beyond_block() -> None:
    """Nobody knows what happened: no further operation."""
    assert all(blocks(operation("capture", state.value)) for state in UNKNOWN)
