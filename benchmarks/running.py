"""Runs the scenarios: a table for people, the numbers as JSON, and what stands between them and the targets."""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
from rich.console import Console
from rich.table import Table

from benchmarks.databases import Databases, databases
from benchmarks.results import Result
from benchmarks.scenarios import catalog, hot, placing, pricing

KINDS = ("sqlite", "postgres")


@attrs.frozen(kw_only=True)
class Sizes:
    """How much of everything."""

    rounds: int = 7
    orders: int = 100
    repeats: int = 50
    products: int = 100_000
    pages: int = 200
    buyers: int = 64
    stock: int = 500
    hot_rounds: int = 2


QUICK = Sizes(rounds=5, orders=4, repeats=3, products=500, pages=10, buyers=8, stock=20, hot_rounds=1)


def scenarios(kind: str, sizes: Sizes) -> Iterator[tuple[str, Callable[[Databases], list[Result]]]]:
    """What is measured on a database, by name."""
    for workers in (1,) if kind == "sqlite" else (1, 4):
        yield (
            f"place_order-{workers}",
            lambda made, workers=workers: placing.run(
                made, workers=workers, rounds=sizes.rounds, orders=sizes.orders * (2 if workers > 1 else 1)
            ),
        )
    if kind == "postgres":
        yield "plugins", lambda made: placing.plugins(made, count=20, rounds=sizes.rounds, orders=sizes.orders)
    yield "price_cart", lambda made: pricing.run(made, rounds=sizes.rounds, repeats=sizes.repeats)
    yield "hot", lambda made: hot.run(made, buyers=sizes.buyers, stock=sizes.stock, rounds=sizes.hot_rounds)
    yield (
        "catalog",
        lambda made: catalog.run(made, products=sizes.products, rounds=sizes.rounds, pages=sizes.pages),
    )


def measured(kinds: Sequence[str], sizes: Sizes, only: str, say: Callable[[str], None]) -> list[Result]:
    """All results of a run."""
    found: list[Result] = []
    for kind in kinds:
        with databases(kind) as made:
            for name, run in scenarios(kind, sizes):
                if only not in name:
                    continue
                started = time.perf_counter()
                found += run(made)
                say(f"{kind} {name}: {time.perf_counter() - started:.0f} s")
    return found


def table(results: Sequence[Result]) -> Table:
    """For people."""
    shown = Table("scenario", "measure", "median", "target", "first bar", "", "facts")
    for one in results:
        word = "" if one.met is None else "met" if one.met else "MISSED" if one.failed else "not yet"
        bounds = ["" if bound is None else f"{bound:g}" for bound in (one.target, one.bar)]
        shown.add_row(one.scenario, one.measure, f"{one.value:.3g}", *bounds, word, json.dumps(one.facts))
    return shown


def missing(results: Sequence[Result]) -> list[str]:
    """What stands between this run and the targets."""
    return [
        f"{one.scenario}, {one.measure}: {one.value:.3g} instead of {one.target:g}"
        for one in results
        if one.met is False
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="eckit beside its floors")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it runs, not how fast")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios whose name has this in it")
    parser.add_argument("--database", choices=KINDS, help="on one database only")
    parser.add_argument("--json", type=Path, metavar="PATH", help="where the numbers go")
    parser.add_argument("--strict", action="store_true", help="fail where a first bar is missed")
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 200)
    kinds = [given.database] if given.database else KINDS
    results = measured(kinds, QUICK if given.quick else Sizes(), given.only, console.print)
    console.print(table(results))
    open_ = missing(results)
    console.print("What stands between now and the targets:" if open_ else "All targets are met.")
    for line in open_:
        console.print(f"  {line}")
    if given.json:
        body = {"quick": given.quick, "machine": _machine(), "results": [one.to_json() for one in results]}
        given.json.write_text(json.dumps(body, indent=1) + "\n")
    return 1 if given.strict and any(one.failed for one in results) else 0


def _machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }
