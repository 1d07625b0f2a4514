"""A shop joined to a host's transactions, for a whole day: inside of them, and while none is open."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import attrs
import psycopg
import pytest
import sqlalchemy as sa

from eckit import Actor, Shop, WorkOpenError
from eckit.kernel.joining import NoHostTransactionError
from tests.acceptance.hearing import count
from tests.acceptance.trial import STAFF, Trial, card, filled


@attrs.define
class Django:
    """A connection as Django keeps one: raw, committing by itself but for atomic blocks; gone between requests."""

    url: str
    autocommit: bool = True
    connection: Any = None
    in_atomic_block: bool = False

    def connect(self) -> None:
        """As before the first query of a request."""
        parsed = sa.make_url(self.url)
        if parsed.get_backend_name() == "sqlite":
            self.connection = sqlite3.connect(
                str(parsed.database), isolation_level=None if self.autocommit else "DEFERRED", timeout=10
            )
        else:
            conninfo = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
            self.connection = psycopg.connect(conninfo, autocommit=self.autocommit)

    def disconnect(self) -> None:
        """As at the end of a request."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """``transaction.atomic()``."""
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.execute("BEGIN")
        else:
            self.connection.autocommit = False
        self.in_atomic_block = True
        try:
            yield
            self.connection.commit()
        except BaseException:
            self.connection.rollback()
            raise
        finally:
            self.in_atomic_block = False
            if not isinstance(self.connection, sqlite3.Connection):
                self.connection.autocommit = True

    def join(self, shop: Shop) -> Shop:
        """As the how-to says, once for each process."""
        return shop.join(lambda: self.connection, in_transaction=lambda: self.in_atomic_block)


@pytest.fixture
def django(trial: Trial) -> Iterator[Django]:
    made = Django(trial.place.url)
    yield made
    made.disconnect()


def test_a_joined_shop_does_a_whole_purchase_inside_and_outside_of_the_hosts_transactions(
    trial: Trial, django: Django
) -> None:
    """DESIGN §7: the order is part of the host's transaction; what uses the network works while none is open."""
    trial.goods("TEA-50", 648, 10)
    joined = django.join(trial.shop)  # before the first connection
    ready = filled(joined, [("TEA-50", 1)])

    django.connect()
    with django.atomic():
        order = joined.place_order(ready.buyer, ready.cart.id, agreed=ready.quote.ref)
        with pytest.raises(WorkOpenError):
            joined.take_payment(ready.buyer, order.id, instrument=card(), return_url="https://shop.example/return")
    buyer = Actor.guest(ready.cart.token, order.token)
    joined.take_payment(buyer, order.id, instrument=card(), return_url="https://shop.example/return")
    assert 1 == len(trial.ledger())

    joined.relay_events()
    joined.apply_notices()
    joined.chase()
    with joined.read(STAFF) as work:
        assert 2 == len(list(work.order.export_orders()))
    _, other = filled(joined, [("TEA-50", 1)]).placed()
    joined.cancel_order(STAFF, other.id, reason="test")
    assert [] == trial.audit()


def test_a_charge_is_not_sent_while_only_the_connection_knows_of_a_transaction(trial: Trial) -> None:
    """CON-12: as with Django's ``AUTOCOMMIT`` off: what the host has written is not committed, and no block is open."""
    trial.goods("TEA-50", 648, 10)
    django = Django(trial.place.url, autocommit=False)
    django.connect()
    joined = django.join(trial.shop)
    ready = filled(joined, [("TEA-50", 1)])
    buyer, order = ready.placed()
    with trial.shop.database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE host_note (text VARCHAR(40))")
    django.connection.execute("INSERT INTO host_note VALUES ('a')")

    with pytest.raises(WorkOpenError):
        joined.take_payment(buyer, order.id, instrument=card(), return_url="https://shop.example/return")
    assert [] == trial.ledger()

    django.connection.commit()
    joined.take_payment(buyer, order.id, instrument=card(), return_url="https://shop.example/return")
    assert 1 == len(trial.ledger())
    django.disconnect()
    assert [] == trial.audit()


def test_orders_are_exported_by_a_connection_that_commits_by_itself(trial: Trial, django: Django) -> None:
    """Without a probe the host's connection is used always: it reads one state, and does not write."""
    trial.goods("TEA-50", 648, 10)
    trial.order(("TEA-50", 1))
    django.connect()
    joined = trial.shop.join(django.connection)
    with joined.read(STAFF) as work:
        assert 2 == len(list(work.order.export_orders()))  # with the line of column names
    with pytest.raises(NoHostTransactionError), joined.write(STAFF):
        raise AssertionError
    assert 1 == count(trial, "select count(*) from eckit_order")
