"""Placing an order of three lines, alone: eckit beside A and B, at one worker and at four."""

import statistics
from typing import Any

from benchmarks.databases import Databases
from benchmarks.floors import make_tables
from benchmarks.recording import Step, recorded
from benchmarks.results import Result, ratio
from benchmarks.shelf import goods, ready
from benchmarks.workers import Took, teams
from eckit import Actor
from eckit.shop import Shop
from tests.acceptance.trial import Place, Trial, open_shop

LINES = 3
GOODS = 40
TARGETS = {"sqlite": {"B": (4.0, 6.0), "A": (10.0, None)}, "postgres": {"B": (2.0, 3.0), "A": (8.0, None)}}


def run(databases: Databases, *, workers: int, rounds: int, orders: int) -> list[Result]:
    """``orders`` per round of each subject, alternated."""
    kind = databases.kind
    origin, items, skus = _prepared(databases, (rounds + 1) * orders)
    steps = _recorded(databases, origin, items)
    bare = databases.new()
    make_tables(bare, skus, 10**9)
    ours, again = databases.copy(origin), databases.copy(origin)
    orders_of_floor = [(f"o{number}", skus[number % (GOODS - LINES) :][:LINES]) for number in range(len(items))]
    work: dict[str, list[Any]] = {"eckit": items, "B": steps, "A": orders_of_floor}
    wanted = [("eckit", ours, {"place": _place(ours)}), ("B", again, {}), ("A", bare, {})]
    took: dict[str, list[Took]] = {name: [] for name in work}
    with teams(wanted, workers) as made:
        for number in range(rounds + 1):  # the first one warms up
            share = slice(number * orders, (number + 1) * orders)
            for team in made:
                took[team.kind].append(team.run(work[team.kind][share]))
    took = {name: found[1:] for name, found in took.items()}
    scenario = f"place_order {kind} {workers} worker{'s' if workers > 1 else ''}"
    facts = _facts(took, orders, steps)
    return [
        ratio(
            scenario,
            f"time / {floor}",
            [one.wall for one in took["eckit"]],
            [one.wall for one in took[floor]],
            target=target,
            bar=bar,
            facts=facts,
        )
        for floor, (target, bar) in TARGETS[kind].items()
    ] + [
        ratio(scenario, "CPU / B", [one.cpu for one in took["eckit"]], [one.cpu for one in took["B"]], facts={}),
    ]


def plugins(databases: Databases, *, count: int, rounds: int, orders: int) -> list[Result]:
    """The same with plugins that implement every hook of the operation and say nothing."""
    origin, items, _ = _prepared(databases, 2 * (rounds + 1) * orders)
    url = databases.copy(origin)
    wanted = [("eckit", url, {"place": _place(url)}), ("eckit+", url, {"place": _place(url), "plugins": count})]
    took: dict[str, list[Took]] = {"eckit": [], "eckit+": []}
    with teams(wanted, 1) as made:
        for number in range(rounds + 1):
            for half, team in enumerate(made):
                start = (2 * number + half) * orders
                took[team.kind].append(team.run(items[start : start + orders]))
    with_, without = ([one.client for one in took[name][1:]] for name in ("eckit+", "eckit"))
    wall = [[one.wall for one in took[name][1:]] for name in ("eckit+", "eckit")]
    more_ms = (statistics.median(with_) - statistics.median(without)) / orders * 1000
    scenario = f"{count} silent plugins, {databases.kind}"
    return [
        ratio(scenario, "time / no plugin", *wall, target=1.25, facts={"more_client_cpu_ms": round(more_ms, 3)}),
        Result(scenario=scenario, measure="client CPU more, ms", value=round(more_ms, 3), target=0.5),
    ]


def _prepared(databases: Databases, count: int) -> tuple[str, list[Any], list[str]]:
    origin = databases.new()
    trial = Trial.begun(origin)
    variants = goods(trial, GOODS)
    items = [
        (cart, token, quote.digest, quote.priced_at) for cart, token, quote in ready(trial, variants, LINES, count)
    ]
    trial.shop.close()
    return origin, items, sorted(variants)


def _place(url: str) -> str:
    from tests.acceptance.trial import NOBODY, START

    return Place(url=url, sandbox=NOBODY, allow=(), now=START).to_json()


def _recorded(databases: Databases, origin: str, items: list[Any]) -> list[list[Step]]:
    """What eckit sends for each order, as it is sent once all is warm."""
    url = databases.copy(origin)
    shop = open_shop(Place.of(_place(url)))
    found = []
    for number, item in enumerate(items):
        if not number:  # what is loaded once per process is no part of an order
            shop.price_cart(Actor.guest(item[1]), item[0])
        found.append(_one(shop, item))
    shop.close()
    return found


def _one(shop: Shop, item: tuple[Any, ...]) -> list[Step]:
    from eckit import QuoteRef

    steps: list[Step] = []
    cart, token, digest, at = item
    with recorded(shop, steps):
        shop.place_order(Actor.guest(token), cart, agreed=QuoteRef(digest=digest, priced_at=at))
    return steps


def _facts(took: dict[str, list[Took]], orders: int, steps: list[list[Step]]) -> dict[str, Any]:
    facts: dict[str, Any] = {"statements": sum(step[0] == "execute" for step in steps[-1]), "orders": orders}
    for name, found in took.items():
        facts[name] = {
            "best_per_s": round(orders / min(one.wall for one in found), 1),
            "client_cpu_ms": round(statistics.median(one.client for one in found) / orders * 1000, 3),
            "server_cpu_ms": round(statistics.median(one.server for one in found) / orders * 1000, 3),
        }
    return facts
