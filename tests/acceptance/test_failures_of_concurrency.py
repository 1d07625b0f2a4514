"""Known failures under concurrency, tried on a whole shop: victims, held locks, high isolation, dead workers."""

import datetime as dt
import functools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import sqlalchemy as sa

from eckit import BusyError, CouponExhaustedError
from eckit.cli import working
from eckit.kernel import retry
from eckit.kernel.idempotency import Key
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.hearing import announced, count
from tests.acceptance.rush import Host
from tests.acceptance.trial import Filled, Trial, open_shop
from tests.cart.support import raised, together

ROOT: Final = Path(__file__).parents[2]

WRITTEN: Final = (
    "cart", "order", "placement", "order_line", "charge", "payment", "operation", "coupon",
    "promotion_customer", "redemption", "level", "hold", "idempotency", "history", "outbox",
)  # fmt: skip
"""Tables that placing an order with a code and a key writes to."""

ERRORS: Final = {"40P01": "deadlock", "40001": "serialization", "55P03": "lock timeout"}


# -- victims ----------------------------------------------------------------------------------------------------------


def _ready(trial: Trial) -> Filled:
    """A cart with a code that is limited in total and per customer."""
    return trial.cart(("TEA-50", 1), code="HELLO")


def _place(ready: Filled) -> Any:
    key = Key(scope="place_order", value=ready.cart.id)
    return ready.shop.place_order(ready.buyer, ready.cart.id, agreed=ready.quote.ref, key=key)


def _explode(trial: Trial, table: str, state: str, times: int) -> None:
    """Let the next ``times`` statements that write to a table fail as the database does."""
    body = f"""
        create or replace function boom() returns trigger language plpgsql as $$
        begin
            if nextval('boom_count') <= {times} then raise exception 'boom' using errcode = '{state}'; end if;
            return null;
        end $$
    """
    with trial.shop.database.writing() as connection:
        for statement in (
            "drop sequence if exists boom_count",
            "create sequence boom_count",
            body,
            f"create trigger boom before insert or update on eckit_{table} for each statement execute function boom()",
        ):
            connection.exec_driver_sql(statement)


def _calm(trial: Trial, table: str) -> int:
    """Take the trigger away; how often it was passed."""
    with trial.shop.database.writing() as connection:
        connection.exec_driver_sql(f"drop trigger boom on eckit_{table}")
        return int(connection.exec_driver_sql("select nextval('boom_count')").scalar_one()) - 1


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
@pytest.mark.parametrize("state", ERRORS, ids=ERRORS.__getitem__)
def test_a_victim_at_any_write_of_an_order_is_tried_again(trial: Trial, state: str) -> None:
    """CON-03: the database makes placing its victim twice, at each table it writes to in turn: the order is placed all
    the same, once, and nobody sees the error.
    """
    trial.goods("TEA-50", 648, 100)
    trial.coupon("HELLO", total=100, each=100)
    passed = {}
    for table in WRITTEN:
        ready = _ready(trial)
        _explode(trial, table, state, 2)
        order = _place(ready)
        passed[table] = _calm(trial, table)
        assert order.total_minor == ready.quote.total_minor

    assert set() == {table for table, times in passed.items() if times < 3}  # twice a victim, then through
    assert len(passed) == count(trial, "select count(*) from eckit_order")
    assert [] == trial.audit()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_an_eternal_victim_is_told_busy_and_nothing_is_half_done(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-03: always the victim, at the last table written: "busy" after a bounded number of tries, nothing changed."""
    monkeypatch.setattr(retry, "TRIES", 4)
    trial.goods("TEA-50", 648, 5)
    trial.coupon("HELLO", total=5, each=5)
    ready = _ready(trial)
    _explode(trial, "outbox", "40P01", 10**9)
    with trial.shop.database.reading() as connection:
        before = fingerprint(connection)

    with pytest.raises(BusyError):
        _place(ready)

    with trial.shop.database.reading() as connection:
        assert before == fingerprint(connection)
    assert 4 == _calm(trial, "outbox")
    _place(ready)
    assert [] == trial.audit()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_another_program_holds_is_waited_for(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """CON-03: on SQLite another program holds the file's lock, longer than one try waits: the order is placed when it
    lets go; while it never does, "busy" after a bounded number of tries, nothing changed.
    """
    trial.goods("TEA-50", 648, 5)
    trial.coupon("HELLO", total=5, each=5)
    hasty = open_shop(trial.place, clock=trial.clock, wait_ms=20)
    mine = _ready(trial)
    ready = Filled(shop=hasty, cart=mine.cart, buyer=mine.buyer, quote=mine.quote)
    other = sa.create_engine(trial.place.url, connect_args={"isolation_level": None})
    monkeypatch.setattr(retry, "TRIES", 4)
    with other.connect() as holder:
        holder.exec_driver_sql("begin immediate")
        before = fingerprint(holder)
        with pytest.raises(BusyError):
            _place(ready)
        assert before == fingerprint(holder)
        monkeypatch.undo()
        results = together(functools.partial(_place, ready), functools.partial(_let_go, holder))
    other.dispose()
    hasty.close()

    assert [] == raised(results)
    assert 1 == count(trial, "select count(*) from eckit_order")
    assert [] == trial.audit()


def _let_go(holder: sa.Connection) -> None:
    time.sleep(0.3)
    holder.exec_driver_sql("rollback")


# -- high isolation ---------------------------------------------------------------------------------------------------


@pytest.fixture
def confirm(trial: Trial, database: str) -> Iterator[Callable[[Filled], None]]:
    """How an order is confirmed: on PostgreSQL in transactions of a host at SERIALIZABLE, on SQLite by the shop."""
    if database == "sqlite":
        yield lambda one: one.placed() and None
        return
    host = Host(trial.shop, trial.place.url)
    host.engine = sa.create_engine(trial.place.url, pool_size=16, isolation_level="SERIALIZABLE")

    def joined(one: Filled) -> None:
        """As the host does: what is joined is told busy, and sent again as a whole."""
        host.confirm(one.cart.id, one.buyer)

    yield joined
    host.engine.dispose()


def test_code_stock_and_number_at_the_highest_isolation(trial: Trial, confirm: Callable[[Filled], None]) -> None:
    """CON-05: eight buyers at once in transactions at SERIALIZABLE want the same code, good for three, the same goods
    and the next number: all are served in the end, three at the lower price, no other error comes through, not even
    from COMMIT.
    """
    tea = trial.goods("TEA-50", 648, 8)
    trial.coupon("HELLO", total=3)
    ready = [_ready(trial) for _ in range(8)]

    results = together(*(functools.partial(_until_sold, trial, confirm, one) for one in ready))

    assert [] == raised(results)
    assert 8 == count(trial, "select count(distinct number) from eckit_order")
    assert 3 == count(trial, "select count(*) from eckit_redemption")
    assert 3 == count(trial, "select used from eckit_coupon")
    assert (8, 8) == trial.level(tea)
    assert [] == trial.audit()


def _until_sold(trial: Trial, confirm: Callable[[Filled], None], one: Filled) -> None:
    """Confirm; when the code was used up meanwhile, confirm the price without it."""
    try:
        confirm(one)
    except CouponExhaustedError:
        with trial.shop.write(one.buyer) as work:
            work.cart.remove_code(one.cart.id, "HELLO")
        quote = trial.shop.price_cart(one.buyer, one.cart.id)
        confirm(Filled(shop=one.shop, cart=one.cart, buyer=one.buyer, quote=quote))


# -- dead workers -----------------------------------------------------------------------------------------------------

_HOLD_AND_WAIT = """
import sys, time
from eckit.cli.working import _LEASE
from eckit.kernel.leases import holding
from tests.acceptance.trial import Place, open_shop
shop = open_shop(Place.of(sys.argv[1]))
with holding(shop.begin, "job:lapse_orders", _LEASE) as mine:
    print("held" if mine else "not held", flush=True)
    time.sleep(60)
"""


def test_a_sweeper_that_was_killed_is_replaced_when_its_lease_is_over(trial: Trial) -> None:
    """CON-08: a worker is killed -9 while it sweeps: four others that start together leave the job alone until its
    lease is over, and then it is done once; a clock that jumps ahead by a year does not stop it.
    """
    trial.goods("TEA-50", 648, 5)
    _, order = trial.order(("TEA-50", 1))
    trial.pass_time(dt.timedelta(hours=25))
    _hold_and_die(trial)

    early = together(*[functools.partial(working.round_of, trial.shop)] * 4)
    assert [working.ELSEWHERE] * 4 == [report["lapse_orders"] for report in early]  # type: ignore[index]
    trial.pass_time(dt.timedelta(minutes=11))
    late = together(*[functools.partial(working.round_of, trial.shop)] * 4)

    assert [] == raised(late)
    lapsed = [report["lapse_orders"] for report in late]  # type: ignore[index]
    assert [(order.id,)] == [ids for ids in lapsed if ids not in (working.ELSEWHERE, ())]
    assert 1 == announced(trial, "order.canceled", f"order:{order.id}")
    trial.pass_time(dt.timedelta(days=365))
    assert () == working.round_of(trial.shop)["lapse_orders"]
    assert [] == trial.audit()


def _hold_and_die(trial: Trial) -> None:
    place = attrs.evolve(trial.place, now=trial.clock.now())
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD_AND_WAIT, place.to_json()], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout is not None
    assert "held\n" == child.stdout.readline()
    child.kill()
    child.communicate()
    assert -signal.SIGKILL == child.returncode
