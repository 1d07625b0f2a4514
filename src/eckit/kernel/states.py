"""State tables: small closed lists of transitions; one function moves."""

import enum
from collections.abc import Iterable, Mapping
from typing import TypeVar

from eckit.kernel.errors import NotInTransitionError

S = TypeVar("S", bound=enum.Enum)
E = TypeVar("E", bound=enum.Enum)


def table(*rows: tuple[S, E, S]) -> Mapping[tuple[S, E], S]:
    """A transition table of rows (from, when, to); the same (from, when) twice is a mistake."""
    moves: dict[tuple[S, E], S] = {}
    for before, event, after in rows:
        if (before, event) in moves:
            raise ValueError(f"two transitions from {before} on {event}")
        moves[before, event] = after
    return moves


def move(moves: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """The state after ``event``; the only way a state changes.

    :raises NotInTransitionError: the table has no such row.
    """
    try:
        return moves[state, event]
    except KeyError:
        raise NotInTransitionError(what=type(state).__name__, state=str(state.value), event=str(event.value)) from None


def reachable(moves: Mapping[tuple[S, E], S], start: S) -> frozenset[S]:
    """Every state that can be reached from ``start``."""
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (before, _), after in moves.items():
            if before is here and after not in seen:
                seen.add(after)
                todo.append(after)
    return frozenset(seen)


def sources(moves: Mapping[tuple[S, E], S], events: Iterable[E]) -> frozenset[S]:
    """The states in which one of ``events`` is possible."""
    wanted = set(events)
    return frozenset(before for before, event in moves if event in wanted)
