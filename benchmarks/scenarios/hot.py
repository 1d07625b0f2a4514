"""One thing that everybody wants at once: nothing oversold, and the time until it is sold out."""

import threading
import time

from benchmarks.databases import Databases
from benchmarks.floors import Floor, make_tables
from benchmarks.results import Result, ratio
from tests.acceptance.rush import rush
from tests.acceptance.trial import Trial

_SOLD = "select coalesce(sum(steps), 0) from eckit_order_line where sku = 'HOT'"


def run(databases: Databases, *, buyers: int, stock: int, rounds: int) -> list[Result]:
    """``buyers`` threads until told 'sold out'; each buyer of the floor has a connection of its own."""
    ours, floor, oversold = [], [], 0
    for _ in range(rounds):
        floor.append(_floor_seconds(databases, buyers, stock))
        trial = Trial.begun(databases.new())
        trial.goods("HOT", 1000, stock)
        started = time.perf_counter()
        outcomes = rush(trial.shop, "HOT", buyers=buyers, stock=stock)
        ours.append(time.perf_counter() - started)
        with trial.shop.database.reading() as connection:
            sold = int(connection.exec_driver_sql(_SOLD).scalar_one())
        trial.shop.close()
        oversold = max(oversold, abs(sold - stock), abs(outcomes["sold"] - stock))
    scenario = f"hot SKU {databases.kind} {buyers} buyers"
    facts = {
        "stock": stock,
        "seconds": [round(one, 2) for one in ours],
        "floor_seconds": [round(one, 2) for one in floor],
    }
    return [
        Result(scenario=scenario, measure="sold too many or too few", value=oversold, target=0, bar=0),
        ratio(scenario, "time / A (with pricing)", ours, floor, target=2.0, facts=facts),
    ]


def _floor_seconds(databases: Databases, buyers: int, stock: int) -> float:
    url = databases.new()
    make_tables(url, ["HOT"], stock)
    start, wrong = threading.Barrier(buyers + 1), []

    def buy(number: int) -> None:
        floor = Floor(url)
        start.wait()
        try:
            for order in range(stock + 1):
                if not floor.place(f"o{number}-{order}", ["HOT"]):
                    return
        except Exception as error:  # noqa: BLE001 -- told below
            wrong.append(error)
        finally:
            floor.close()

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(buyers)]
    for thread in threads:
        thread.start()
    start.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return time.perf_counter() - started
