"""A shop's transactions with one warehouse and one shop counter."""

import attrs
import pytest

from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.ids import LocationId, Sku, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.stock import Location, Wanted, service as stock
from eckit.testing.begin import START, make_begin

STAFF = Actor.system("test")


@attrs.frozen
class Warehouse:
    """Begins Works on a database with the locations ``tokyo`` and ``osaka``."""

    begin: Begin
    clock: FixedClock
    url: str

    def variant(self, on_hand: int = 0, at: str = "tokyo") -> VariantId:
        """A variant with so many steps on hand."""
        variant = VariantId(mint("variant"))
        if on_hand:
            with self.begin.write(STAFF) as work:
                stock.receive(work, variant, on_hand, at=at)
        return variant

    def level(self, variant: VariantId) -> tuple[int, int, int, int]:
        """On hand, reserved, promised, short: summed over the locations."""
        with self.begin.read(STAFF) as work:
            levels = stock.levels(work, variant)
        return (
            sum(level.on_hand for level in levels),
            sum(level.reserved for level in levels),
            sum(level.promised for level in levels),
            sum(level.short for level in levels),
        )


def want(variant: VariantId, steps: int = 1, line: str | None = None) -> Wanted:
    """Steps of a variant, for a line."""
    return Wanted(line_id=line, variant_id=variant, sku=Sku(variant[-6:]), steps=steps)  # type: ignore[arg-type]


@pytest.fixture
def warehouse(migrated_url: str) -> Warehouse:
    """On both databases."""
    clock = FixedClock(START)
    begin = make_begin(migrated_url, clock=clock)
    with begin.write(STAFF) as work:
        for position, code in enumerate(("tokyo", "osaka")):
            location = Location(id=LocationId(mint("location")), code=code, position=position)
            stock.save_location(work, location)
    return Warehouse(begin, clock, migrated_url)
