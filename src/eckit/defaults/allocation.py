"""From which location goods come where no plugin knows better: the first that has all of a line, else several."""

from collections import defaultdict
from typing import Final

from eckit.kernel.hookspecs import hookimpl
from eckit.stock import Allocation, Level, Wanted


class FirstLocation:
    """Plugin ``eckit-allocation``."""

    name = "eckit-allocation"
    version = "1"
    eckit_interface: Final = {"stock": 1}

    @hookimpl
    def choose_allocation(self, wanted: tuple[Wanted, ...], levels: tuple[Level, ...]) -> tuple[Allocation, ...]:
        """Locations in the shop's order; what lies there before what may be promised beyond it."""
        shelf: dict[int, int] = {number: level.available for number, level in enumerate(levels)}
        beyond: dict[int, int] = {number: max(0, level.cap - level.promised) for number, level in enumerate(levels)}
        places: defaultdict[str, list[int]] = defaultdict(list)
        for number, level in enumerate(levels):
            places[level.variant_id].append(number)
        chosen: list[Allocation] = []
        for want in wanted:
            mine = places[want.variant_id]
            whole = next((number for number in mine if shelf[number] >= want.steps), None)
            order = mine if whole is None else [whole]
            left = want.steps
            parts: defaultdict[int, int] = defaultdict(int)
            for stock in (shelf, beyond):
                for number in order:
                    part = min(left, stock[number])
                    stock[number] -= part
                    parts[number] += part
                    left -= part
            chosen.extend(
                Allocation(
                    variant_id=want.variant_id,
                    line_id=want.line_id,
                    location_id=levels[number].location_id,
                    steps=steps,
                )
                for number, steps in parts.items()
                if steps
            )
        return tuple(chosen)


plugin = FirstLocation()
