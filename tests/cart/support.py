"""What tests of carts and orders share: transactions with the core's order numbers, and threads that start together."""

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from eckit.cart import service as cart
from eckit.defaults import order_numbers
from eckit.kernel.clock import Clock, FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.ids import ShopId
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.testing.begin import START
from eckit.testing.statement_log import logged_statements

T = TypeVar("T")


def begin_on(url: str, plugins: Iterable[Any] = (order_numbers.plugin,), *, clock: Clock | None = None) -> Begin:
    """Works on a database, with the hooks of carts and orders and these plugins."""
    database = Database(DatabaseSettings(url=url))
    begin = Begin(
        transactions=database,
        plugins=compose_plugins([*cart.SPECS, *order.SPECS], plugins),
        clock=clock or FixedClock(START),
        shop_id=ShopId(mint("shop")),
    )
    weakref.finalize(begin, database.close)
    return begin


def together(*calls: Callable[[], T]) -> list[T | BaseException]:
    """What each call gives or raises, all started at one moment in threads of their own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T | BaseException:
        barrier.wait(10)
        try:
            return call()
        except BaseException as error:  # noqa: BLE001 - what a call raises is its result here
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def raised(results: Sequence[object]) -> list[BaseException]:
    """Those of the results that were raised."""
    return [result for result in results if isinstance(result, BaseException)]


@contextmanager
def statements_of(begin: Begin, url: str) -> Iterator[list[str]]:
    """The statements about eckit's tables that the database is sent in the block: an executemany of fifty is fifty.

    The list is filled when the block ends.
    """
    transactions = begin.transactions
    assert isinstance(transactions, Database)
    found: list[str] = []
    if transactions.dialect == "postgresql":
        with logged_statements(url) as logged:
            yield found
        found += [statement for statement in logged if "eckit_" in statement]
        return
    traced: list[str] = []
    pool = transactions.engine.pool

    def trace(raw: Any, _record: Any, _proxy: Any) -> None:
        raw.set_trace_callback(traced.append)

    sa.event.listen(pool, "checkout", trace)
    try:
        yield found
    finally:
        sa.event.remove(pool, "checkout", trace)
        with transactions.engine.connect() as connection:
            connection.connection.dbapi_connection.set_trace_callback(None)  # type: ignore[union-attr]
    found += [statement for statement in traced if "eckit_" in statement]
