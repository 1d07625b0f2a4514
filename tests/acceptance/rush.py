"""Many buyers of one thing, in threads of this process or of a child's."""

import collections
import functools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from eckit import Actor, BusyError, EckitError, OutOfStockError, mint
from eckit.kernel.clock import FixedClock
from eckit.kernel.ids import CartId
from eckit.kernel.minting import mint_token
from eckit.shop import Shop
from tests.acceptance.trial import Place, filled, open_shop


def carts(shop: Shop, sku: str, count: int) -> "collections.deque[tuple[CartId, Actor]]":
    """Carts with one of the thing in each, ready to be ordered: one is filled by its buyer, the others are copies."""
    first = filled(shop, [(sku, 1)]).cart
    ready: collections.deque[tuple[CartId, Actor]] = collections.deque()
    with shop.database.writing() as connection:
        row = connection.exec_driver_sql(f"select * from eckit_cart where id = '{first.id}'").mappings().one()
        ids = [group["id"] for group in json.loads(row["body"])["groups"]]
        ids += [line["id"] for line in json.loads(row["body"])["lines"]]
        copies = []
        for _ in range(count):
            body = row["body"]
            for old in ids:
                body = body.replace(old, mint("group" if old.startswith("grp") else "line"))
            copies.append({**row, "id": mint("cart"), "token": mint_token(), "body": body})
            ready.append((CartId(copies[-1]["id"]), Actor.guest(copies[-1]["token"])))
        columns = ", ".join(row)
        names = ", ".join(f":{name}" for name in row)
        connection.execute(sa.text(f"insert into eckit_cart ({columns}) values ({names})"), copies)
    return ready


Confirm = Callable[[CartId, Actor], None]


def buy(confirm: Confirm, ready: "collections.deque[tuple[CartId, Actor]]", outcomes: "Counter[str]") -> None:
    """Buy one again and again until told 'sold out'; the carts end as well, so that a bug cannot run for ever."""
    while True:
        try:
            cart, buyer = ready.popleft()
        except IndexError:
            outcomes["no cart left"] += 1
            return
        try:
            confirm(cart, buyer)
            outcomes["sold"] += 1
        except OutOfStockError:
            outcomes["out-of-stock"] += 1
            return
        except EckitError as error:
            outcomes[f"{error.code}: {error}"] += 1
            return
        except Exception as error:  # noqa: BLE001 - the point is that there are none
            outcomes[repr(error)] += 1
            return


def _confirm(shop: Shop, cart: CartId, buyer: Actor) -> None:
    quote = shop.price_cart(buyer, cart)
    shop.place_order(buyer, cart, agreed=quote.ref)


class Host:
    """A host program with transactions of its own, at whatever isolation its server defaults to."""

    def __init__(self, shop: Shop, url: str) -> None:
        self.engine = sa.create_engine(url, pool_size=64)
        self.shop = shop
        self.busy = 0

    def confirm(self, cart: CartId, buyer: Actor) -> None:
        """One purchase in the host's transaction; when told to, the host sends the whole again after a random while."""
        for attempt in range(400):
            if attempt:  # all 64 at once would only push each other out: at "serializable" one in 64 gets through
                time.sleep(random.uniform(0, min(5.0, 0.02 * 1.5**attempt)))
            with self.engine.connect() as connection:
                transaction = connection.begin()
                joined = self.shop.join(connection)
                try:
                    _confirm(joined, cart, buyer)
                    transaction.commit()
                    return
                except BusyError:
                    self.busy += 1
                    transaction.rollback()
                except sa.exc.DBAPIError as error:  # the host's own COMMIT may fail as well at its level
                    if getattr(error.orig, "sqlstate", None) not in {"40001", "40P01"}:
                        raise
                    self.busy += 1
                    transaction.rollback()
        raise BusyError(what="host")


def rush(shop: Shop, sku: str, *, buyers: int, stock: int, confirm: Confirm | None = None) -> "Counter[str]":
    """``buyers`` threads at once; what each purchase came to, counted."""
    ready = carts(shop, sku, stock + buyers)
    confirm = confirm or functools.partial(_confirm, shop)
    outcomes: Counter[str] = Counter()
    start = threading.Barrier(buyers)

    def one() -> None:
        start.wait()
        buy(confirm, ready, outcomes)

    run([threading.Thread(target=one) for _ in range(buyers)])
    return outcomes


def run(threads: list[threading.Thread]) -> None:
    """Start and join."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rush_in_child(ready: Callable[[], object], place: str, sku: str, buyers: int, stock: int) -> "Counter[str]":
    """What a child does: opens the shop, fills carts, waits for the others, then rushes."""
    where = Place.of(place)
    shop = open_shop(where, clock=FixedClock(where.now) if where.now else None)
    filled_carts = carts(shop, sku, stock + buyers)
    outcomes: Counter[str] = Counter()
    confirm = functools.partial(_confirm, shop)
    ready()
    run([threading.Thread(target=buy, args=(confirm, filled_carts, outcomes)) for _ in range(buyers)])
    shop.close()
    return outcomes
