"""Stock is never sold twice, however many want it, whatever isolation the server defaults to."""

import sys
from collections import Counter
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.acceptance.children import together
from tests.acceptance.rush import Host, rush
from tests.acceptance.trial import Trial

STOCK = 500
BUYERS = 64
PROCESSES = 4
LEVELS = ("read committed", "repeatable read", "serializable")
CASES = [("sqlite", ""), *(("postgres", level) for level in LEVELS)]
SOLD = """
    select coalesce(sum(l.steps), 0) from eckit_order_line l join eckit_order o on o.id = l.order_id
    where l.sku = 'HOT' and o.state = 'placed'
"""
everywhere = pytest.mark.parametrize(("database", "level"), CASES, indirect=["database"])


def _hot(begun: Callable[..., Trial], level: str) -> Trial:
    """A shop with 500 of one thing, on a server whose default isolation this is."""
    made = begun()
    if level:
        engine = sa.create_engine(made.place.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            name = connection.scalar(sa.text("select current_database()"))
            default = f"alter database \"{name}\" set default_transaction_isolation = '{level}'"
            connection.exec_driver_sql(default)
        engine.dispose()
        made.shop.database.close()  # connections opened before have the old default
    made.goods("HOT", 1000, STOCK)
    return made


def _sold(trial: Trial, outcomes: "Counter[str]") -> int:
    """The units on order lines, by SQL on the rows themselves; printed, so that a reader sees what was asked."""
    with trial.shop.database.reading() as connection:
        total = int(connection.exec_driver_sql(SOLD).scalar_one())
    sys.stdout.write(f"{SOLD}  → {total}; outcomes: {dict(outcomes)}\n")
    return total


@everywhere
def test_64_threads_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str) -> None:
    """STK-01, STK-03: 500 in stock, 64 buyers until told 'sold out': 500 sold, 64 refusals, no other answer."""
    hot = _hot(begun, level)

    outcomes = rush(hot.shop, "HOT", buyers=BUYERS, stock=STOCK)

    assert {"sold": STOCK, "out-of-stock": BUYERS} == dict(outcomes)
    assert STOCK == _sold(hot, outcomes)
    assert [] == hot.audit()


@everywhere
def test_4_processes_of_16_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str) -> None:
    """The same across processes: nothing rests on a lock in memory."""
    hot = _hot(begun, level)

    outcomes = _in_processes(hot)

    assert {"sold": STOCK, "out-of-stock": BUYERS} == dict(outcomes)
    assert STOCK == _sold(hot, outcomes)
    assert [] == hot.audit()


def _in_processes(trial: Trial) -> "Counter[str]":
    buyers, stock = str(BUYERS // PROCESSES), str(STOCK)
    return together([("tests.acceptance.rush", trial.place.to_json(), "HOT", buyers, stock)] * PROCESSES)


@pytest.mark.parametrize(("database", "level"), CASES[1:], indirect=["database"])
def test_joined_buyers_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str) -> None:
    """In transactions of a host at its server's level: 500 sold; the host is told 'busy' and sends the whole again."""
    hot = _hot(begun, level)
    host = Host(hot.shop, hot.place.url)

    outcomes = rush(hot.shop, "HOT", buyers=BUYERS, stock=STOCK, confirm=host.confirm)
    host.engine.dispose()

    sys.stdout.write(f"told busy: {host.busy} times\n")
    assert {"sold": STOCK, "out-of-stock": BUYERS} == dict(outcomes)
    assert STOCK == _sold(hot, outcomes)
    assert [] == hot.audit()
