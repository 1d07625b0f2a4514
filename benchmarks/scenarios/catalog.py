"""A file of many products imported, and pages of the catalog that comes of it."""

import io
import random
import time
from typing import Any

from benchmarks.databases import Databases, driver
from benchmarks.recording import EXECUTE, Replay, Step, recorded
from benchmarks.results import Result, ratio
from eckit import Actor
from tests.acceptance.trial import STAFF, Trial

PAGE = 24
TABLES = """
create table f_product (handle varchar(60) primary key, title text not null, category varchar(40) not null);
create table f_price (sku varchar(60) primary key, amount bigint not null);
create table f_stock (sku varchar(60) primary key, on_hand bigint not null);
create index f_product_listing on f_product (category, handle);
"""
FLOOR_PAGE = """
select p.handle, p.title, a.amount, s.on_hand from f_product p
join f_price a on a.sku = p.handle join f_stock s on s.sku = p.handle
where p.category = ? and p.handle > ? order by p.handle limit 24
"""


def run(databases: Databases, *, products: int, rounds: int, pages: int) -> list[Result]:
    """Import once beside the floor's COPY and upsert (SQLite: executemany), then turn random pages."""
    floor_url = databases.new()
    floor_s = _floor_import(floor_url, products)
    trial = Trial.begun(databases.new())
    data = _file(products)
    started = time.perf_counter()
    trial.shop.import_products(STAFF, data, currency="JPY")
    ours_s = time.perf_counter() - started
    scenario = f"import {databases.kind} {products} products"
    facts = {"per_s": round(products / ours_s), "floor_per_s": round(products / floor_s)}
    found = [ratio(scenario, "time / COPY + upsert", [ours_s], [floor_s], target=3.0, facts=facts)]
    found += _listing(trial, floor_url, products, rounds, pages)
    trial.shop.close()
    return found


def _listing(trial: Trial, floor_url: str, products: int, rounds: int, pages: int) -> list[Result]:
    dice = random.Random(1)
    places = _places(trial, dice, pages)
    steps: list[list[Step]] = []
    for place in places:
        steps.append([])
        with recorded(trial.shop, steps[-1]):
            _page(trial, place)
    replay, bare = Replay(trial.place.url), driver(floor_url)
    query = FLOOR_PAGE if floor_url.startswith("sqlite") else FLOOR_PAGE.replace("?", "%s")
    ours, again, floor = [], [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: [_page(trial, place) for place in places]))
        again.append(_seconds(lambda: [replay.send(one) for one in steps]))
        wanted = [(f"c{dice.randrange(100)}", f"p{dice.randrange(products):07}") for _ in places]
        floor.append(_seconds(lambda: [bare.execute(query, one).fetchall() for one in wanted]))  # noqa: B023
        bare.commit()
    replay.close()
    bare.close()
    statements = sum(step[0] == EXECUTE for step in steps[0])
    facts = {"per_s": round(pages / min(ours)), "floor_per_s": round(pages / min(floor)), "statements": statements}
    scenario = f"listing of {PAGE} among {products}, {'sqlite' if trial.place.url.startswith('sqlite') else 'postgres'}"
    return [
        ratio(scenario, "time / bare page", ours, floor, target=4.0, facts=facts),
        ratio(scenario, "time / B", ours, again),
    ]


def _places(trial: Trial, dice: random.Random, count: int) -> list[tuple[str, str | None]]:
    """Random categories, at their first pages and at later ones."""
    found: list[tuple[str, str | None]] = []
    while len(found) < count:
        category, after = f"c{dice.randrange(100)}", None
        for _ in range(dice.randrange(4)):
            with trial.shop.read(Actor.guest()) as work:
                page = work.catalog.list_products(list_id="main", category=category, after=after, limit=PAGE)
            if page.after is None:
                break
            after = page.after
        found.append((category, after))
    return found


def _page(trial: Trial, place: tuple[str, str | None]) -> Any:
    with trial.shop.read(Actor.guest()) as work:
        return work.catalog.list_products(list_id="main", category=place[0], after=place[1], limit=PAGE)


def _file(products: int) -> bytes:
    head = "handle,title_en,category,sku,price_jpy,tax_class,stock,published\n"
    rows = (
        f"p{n:07},Product {n},c{n % 100},SKU-{n:07},{100 + n % 900},standard,{n % 50},yes\n" for n in range(products)
    )
    return (head + "".join(rows)).encode()


def _floor_import(url: str, products: int) -> float:
    connection = driver(url)
    for statement in filter(str.strip, TABLES.split(";")):
        connection.execute(statement)
    connection.commit()
    rows = [(f"p{n:07}", f"Product {n}", f"c{n % 100}", 100 + n % 900, n % 50) for n in range(products)]
    started = time.perf_counter()
    (_floor_sqlite if url.startswith("sqlite") else _floor_copy)(connection, rows)
    connection.commit()
    took = time.perf_counter() - started
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    return took


def _floor_copy(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    columns = "handle varchar(60), title text, category varchar(40), amount bigint, on_hand bigint"
    connection.execute(f"create temp table staging ({columns}) on commit drop")
    text = io.StringIO()
    for row in rows:
        text.write("\t".join(map(str, row)) + "\n")
    with connection.cursor().copy("copy staging from stdin") as copy:
        copy.write(text.getvalue())
    upserts = {"f_product": ("handle", "title, category"), "f_price": ("sku", "amount"), "f_stock": ("sku", "on_hand")}
    for table, (key, values) in upserts.items():
        changes = ", ".join(f"{name} = excluded.{name}" for name in values.split(", "))
        connection.execute(
            f"insert into {table} ({key}, {values}) select handle, {values} from staging"
            f" on conflict ({key}) do update set {changes}"
        )


def _floor_sqlite(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    upsert = "insert into {} values ({}) on conflict do update set {}"
    statements = (
        (upsert.format("f_product", "?, ?, ?", "title = excluded.title"), [row[:3] for row in rows]),
        (upsert.format("f_price", "?, ?", "amount = excluded.amount"), [(row[0], row[3]) for row in rows]),
        (upsert.format("f_stock", "?, ?", "on_hand = excluded.on_hand"), [(row[0], row[4]) for row in rows]),
    )
    for statement, values in statements:
        connection.executemany(statement, values)


def _seconds(act: Any) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
