"""Pricing a cart of fifty lines with 0, 10 and 1,000 promotions: the engine alone, and with its reads."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.databases import Databases
from benchmarks.results import Result, ratio
from benchmarks.shelf import goods
from eckit.flows import price_cart
from tests.acceptance.shelves import promote
from tests.acceptance.trial import Filled, Trial

LINES = 50
PROMOTIONS = (0, 10, 1000)
ENGINE_MS = 1.0
GROWTH = 1.5


def run(databases: Databases, *, rounds: int, repeats: int) -> list[Result]:
    """The median of ``rounds`` means over ``repeats`` pricings."""
    shops = [_shop(databases, count) for count in PROMOTIONS]
    engine: dict[int, list[float]] = {count: [] for count in PROMOTIONS}
    whole: dict[int, list[float]] = {count: [] for count in PROMOTIONS}
    floor: dict[int, list[float]] = {count: [] for count in PROMOTIONS}
    for _ in range(rounds):
        for count, (trial, cart) in zip(PROMOTIONS, shops, strict=True):
            floor[count].append(_mean_ms(_floor(count), repeats))
            engine[count].append(_engine_ms(trial, cart, repeats))
            whole[count].append(_mean_ms(lambda: trial.shop.price_cart(cart.buyer, cart.cart.id), repeats))  # noqa: B023
    for trial, _ in shops:
        trial.shop.close()
    found = []
    for count in PROMOTIONS:
        facts = {"whole_ms": round(statistics.median(whole[count]), 3), "floor_us": round(floor[count][0] * 1000, 1)}
        rounds_ms = tuple(round(one, 3) for one in engine[count])
        value = statistics.median(rounds_ms)
        measure = f"engine ms, {count} promotions"
        scenario = f"price_cart {databases.kind} {LINES} lines"
        found.append(
            Result(scenario=scenario, measure=measure, value=value, target=ENGINE_MS, rounds=rounds_ms, facts=facts)
        )
    growth = ratio(found[0].scenario, "1,000 / 10 promotions", engine[1000], engine[10], target=GROWTH)
    return [*found, growth]


def _shop(databases: Databases, count: int) -> tuple[Trial, Filled]:
    trial = Trial.begun(databases.new())
    skus = sorted(goods(trial, LINES))
    promote(trial, count, skus[:10])
    return trial, trial.cart(*[(sku, 1) for sku in skus])


def _engine_ms(trial: Trial, cart: Filled, repeats: int) -> float:
    """Without its reads: what was read is priced again and again."""
    begin = trial.shop.begin
    with begin.read(cart.buyer) as work:
        facts = price_cart._read(work, cart.cart.id, None)
        return _mean_ms(lambda: price_cart._Pricing(work, facts).run(), repeats)


def _floor(promotions: int) -> Callable[[], Any]:
    """Ints and tuples: fifty lines, promotions found by SKU, one tax."""
    lines = [(f"SKU-{number:05}", 1, 1000) for number in range(LINES)]
    by_sku = {f"SKU-{number:05}": 10 for number in range(min(10, promotions))}
    by_sku |= {f"NO-{number}": 10 for number in range(promotions - 10)}

    def price() -> int:
        total = 0
        for sku, steps, unit in lines:
            amount = steps * unit
            percent = by_sku.get(sku)
            if percent is not None:
                amount -= amount * percent // 100
            total += amount
        return total + (total * 10 + 55) // 110

    return price


def _mean_ms(act: Callable[[], Any], repeats: int) -> float:
    act()
    started = time.perf_counter()
    for _ in range(repeats):
        act()
    return (time.perf_counter() - started) / repeats * 1000
