"""Stock is never sold twice, however many want it, whatever isolation the server defaults to."""

import sys
from collections import Counter
from collections.abc import Callable

import attrs
import pytest
import sqlalchemy as sa

from tests.acceptance.children import together
from tests.acceptance.rush import Host, rush, rush_in_child
from tests.acceptance.trial import Trial

PROCESSES = 4
LEVELS = ("read committed", "repeatable read", "serializable")
CASES = [("sqlite", ""), *(("postgres", level) for level in LEVELS)]


@attrs.frozen
class Crowd:
    """How many want how much."""

    buyers: int
    stock: int


WHOLE = Crowd(buyers=64, stock=500)
FEW = Crowd(buyers=16, stock=40)
SOLD = """
    select coalesce(sum(l.steps), 0) from eckit_order_line l join eckit_order o on o.id = l.order_id
    where l.sku = 'HOT' and o.state = 'placed'
"""


def _cases(cases: list[tuple[str, str]], *, whole: tuple[tuple[str, str], ...] = ()) -> pytest.MarkDecorator:
    """Every case with the whole crowd in the soak; every day the whole crowd for those, a few for the others."""
    names = ("database", "level", "crowd")
    soak = [pytest.param(*case, WHOLE, marks=() if case in whole else pytest.mark.soak) for case in cases]
    daily = [pytest.param(*case, FEW) for case in cases if case not in whole]
    ids = [f"{database}-{level}-{crowd.buyers}" for database, level, crowd in (one.values for one in (*soak, *daily))]
    return pytest.mark.parametrize(names, [*soak, *daily], ids=ids, indirect=["database"])


def _hot(begun: Callable[..., Trial], level: str, stock: int) -> Trial:
    """A shop with so much of one thing, on a server whose default isolation this is."""
    made = begun()
    if level:
        engine = sa.create_engine(made.place.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            name = connection.scalar(sa.text("select current_database()"))
            default = f"alter database \"{name}\" set default_transaction_isolation = '{level}'"
            connection.exec_driver_sql(default)
        engine.dispose()
        made.shop.database.close()  # connections opened before have the old default
    made.goods("HOT", 1000, stock)
    return made


def _sold(trial: Trial, outcomes: "Counter[str]") -> int:
    """The units on order lines, by SQL on the rows themselves; printed, so that a reader sees what was asked."""
    with trial.shop.database.reading() as connection:
        total = int(connection.exec_driver_sql(SOLD).scalar_one())
    sys.stdout.write(f"{SOLD}  → {total}; outcomes: {dict(outcomes)}\n")
    return total


def _prove(trial: Trial, crowd: Crowd, outcomes: "Counter[str]") -> None:
    """All there was is sold, each buyer was refused once, there was no other answer, and the books agree."""
    assert {"sold": crowd.stock, "out-of-stock": crowd.buyers} == dict(outcomes)
    assert crowd.stock == _sold(trial, outcomes)
    assert [] == trial.audit()


@_cases(CASES, whole=(("sqlite", ""), ("postgres", "read committed")))
def test_threads_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str, crowd: Crowd) -> None:
    """STK-01, STK-03: 500 in stock, 64 buyers until told 'sold out': 500 sold, 64 refusals, no other answer."""
    hot = _hot(begun, level, crowd.stock)

    outcomes = rush(hot.shop, "HOT", buyers=crowd.buyers, stock=crowd.stock)

    _prove(hot, crowd, outcomes)


@_cases(CASES)
def test_4_processes_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str, crowd: Crowd) -> None:
    """The same across processes: nothing rests on a lock in memory."""
    hot = _hot(begun, level, crowd.stock)

    one = (hot.place.to_json(), "HOT", crowd.buyers // PROCESSES, crowd.stock)
    outcomes = together(rush_in_child, [one] * PROCESSES)

    _prove(hot, crowd, outcomes)


@_cases(CASES[1:])
def test_joined_buyers_sell_exactly_what_there_is(begun: Callable[..., Trial], level: str, crowd: Crowd) -> None:
    """In transactions of a host at its server's level: 500 sold; the host is told 'busy' and sends the whole again."""
    hot = _hot(begun, level, crowd.stock)
    host = Host(hot.shop, hot.place.url)

    outcomes = rush(hot.shop, "HOT", buyers=crowd.buyers, stock=crowd.stock, confirm=host.confirm)
    host.engine.dispose()

    sys.stdout.write(f"told busy: {host.busy} times\n")
    _prove(hot, crowd, outcomes)
