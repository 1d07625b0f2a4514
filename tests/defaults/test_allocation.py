"""From which location goods come where no plugin knows better: whole where possible, never more than there is."""

from collections import Counter
from typing import Any

from hypothesis import given, strategies as st

from eckit.defaults import allocation
from eckit.kernel.ids import LineId, LocationId, Sku, VariantId
from eckit.stock import Allocation, Level, Wanted, rules

TEA = VariantId("var_" + "1" * 26)


def _level(place: str, on_hand: int, **others: int) -> Level:
    counters = {"reserved": 0, "promised": 0, "cap": 0, "short": 0, "version": 1, **others}
    return Level(variant_id=TEA, location_id=LocationId(place), on_hand=on_hand, **counters)


def _want(steps: int, line: str = "a") -> Wanted:
    return Wanted(line_id=LineId(line), variant_id=TEA, sku=Sku("TEA"), steps=steps)


def _chosen(wanted: tuple[Wanted, ...], *levels: Level) -> list[tuple[str, str, int]]:
    chosen = allocation.plugin.choose_allocation(wanted, levels)
    return [(str(part.line_id), part.location_id, part.steps) for part in chosen]


def test_the_first_location_that_has_all_of_a_line_gives_it() -> None:
    """One parcel rather than two: Osaka has all, though Tokyo comes first."""
    assert [("a", "osaka", 3)] == _chosen((_want(3),), _level("tokyo", 2), _level("osaka", 3))
    assert [("a", "tokyo", 2)] == _chosen((_want(2),), _level("tokyo", 2), _level("osaka", 3))


def test_a_line_that_no_location_has_whole_comes_from_several() -> None:
    """In the shop's order, what lies there before what may be promised beyond it."""
    levels = _level("tokyo", 2, cap=5), _level("osaka", 3)
    assert [("a", "tokyo", 2), ("a", "osaka", 2)] == _chosen((_want(4),), *levels)
    assert [("a", "tokyo", 4), ("a", "osaka", 3)] == _chosen((_want(7),), *levels)


def test_lines_of_one_variant_do_not_take_the_same_steps() -> None:
    """What the first line took is gone for the second."""
    assert [("a", "tokyo", 2), ("b", "osaka", 2)] == _chosen(
        (_want(2, "a"), _want(2, "b")), _level("tokyo", 3), _level("osaka", 2)
    )


_counts = st.integers(0, 6)


@given(
    st.lists(st.tuples(_counts, _counts, _counts, _counts), min_size=1, max_size=4),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
)
def test_whatever_there_is_enough_of_is_covered(places: list[tuple[int, int, int, int]], steps: list[int]) -> None:
    """The choice passes the core's own check and fits the counters it saw."""
    levels = tuple(
        _level(f"place-{number}", on_hand, reserved=min(reserved, on_hand), cap=cap, promised=min(promised, cap))
        for number, (on_hand, reserved, cap, promised) in enumerate(places)
    )
    wanted = tuple(_want(count, f"line-{number}") for number, count in enumerate(steps))
    enough = not rules.short_items(wanted, levels, 0)
    chosen: tuple[Allocation, ...] = allocation.plugin.choose_allocation(wanted, levels) if enough else ()
    booked: Any = rules.bookings(chosen, levels) if enough else ()

    if enough:
        rules.covered("eckit-allocation", wanted, chosen, levels)
    assert booked is not None
    given_steps: Counter[str] = Counter()
    for part in chosen:
        given_steps[str(part.line_id)] += part.steps
    assert (Counter({str(want.line_id): want.steps for want in wanted}) if enough else Counter()) == given_steps
