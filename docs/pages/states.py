"""reference/states.md: the state tables, drawn from the code that moves by them."""

import enum
from collections.abc import Iterator, Mapping
from typing import Any

from docs.pages.writing import CAPABILITIES, NOTE, fields_of, modules, prose, table

Moves = Mapping[tuple[Any, Any], Any]


def tables() -> dict[type[enum.Enum], Moves]:
    """State class → its table of transitions, in the order of the river."""
    found: dict[type[enum.Enum], Moves] = {}
    for capability in CAPABILITIES:
        for module in modules(f"eckit.{capability}"):
            for member in vars(module).values():
                if _is_table(member):
                    found.setdefault(type(next(iter(member))[0]), member)
    return found


def _is_table(member: object) -> bool:
    return (
        isinstance(member, dict)
        and bool(member)
        and all(
            isinstance(key, tuple) and len(key) == 2 and all(isinstance(one, enum.Enum) for one in key)
            for key in member
        )
        and all(isinstance(value, enum.Enum) for value in member.values())
    )


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# States\n"
    yield (
        "A stored state changes only by a row of its table; anything else is refused with "
        "[no-such-transition](errors.md#no-such-transition). What is not stored is computed from facts: whether an "
        "order is paid or shipped, and how a payment stands.\n"
    )
    for kind, moves in tables().items():
        yield from _table(kind, moves)
    yield from _computed()


def _table(kind: type[enum.Enum], moves: Moves) -> Iterator[str]:
    yield f"## {kind.__name__}\n"
    yield prose(kind.__doc__ or "") + "\n"
    events = list(dict.fromkeys(event for _, event in moves))
    states = [state for state in kind if any(state in (before, after) for (before, _), after in moves.items())]
    ends = [state for state in states if not any(before is state for before, _ in moves)]
    starts = [state for state in states if not any(after is state for after in moves.values())]
    rows = [(f"**{before.value}**", event.value, f"**{after.value}**") for (before, event), after in moves.items()]
    yield table(("from", "when", "to"), rows) + "\n"
    yield f"Begins as: {_names(starts or list(kind)[:1])}. Ends as: {_names(ends) or 'nothing is final'}.\n"
    if len(events) > 3:
        yield "The same as a grid:\n"
        grid = [
            (f"**{state.value}**", *(moves[state, event].value if (state, event) in moves else "·" for event in events))
            for state in states
            if state not in ends
        ]
        yield table(("", *(event.value for event in events)), grid) + "\n"


def _names(states: list[enum.Enum]) -> str:
    return ", ".join(f"`{state.value}`" for state in states)


def _computed() -> Iterator[str]:
    from eckit.payment.model import PaymentState, PaymentStatus

    yield f"## {PaymentState.__name__}\n"
    yield prose(PaymentState.__doc__ or "") + "\n"
    yield _names(list(PaymentState)) + "\n"
    yield "Over it lie these flags:\n"
    yield (
        table(
            ("flag", "meaning"),
            [(f"`{name}`", said) for name, said in fields_of(PaymentStatus).items() if name != "state"],
        )
        + "\n"
    )
