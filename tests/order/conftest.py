"""A shop's transactions for orders, on both databases."""

import datetime as dt
from typing import Any

import attrs
import pytest

from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.ids import OrderId
from eckit.kernel.work import Begin
from eckit.order import Order, service as order
from eckit.pricing.model import Quote
from eckit.testing.begin import START
from tests.cart.support import begin_on
from tests.order.quotes import make_quote

SYSTEM = Actor.system("test")
STAFF = Actor.staff("sato", "order.read", "order.write")


@attrs.frozen
class Orders:
    """Begins Works, and places orders."""

    begin: Begin
    clock: FixedClock
    url: str

    def place(self, quote: Quote | None = None, actor: Actor = SYSTEM, **more: Any) -> Order:
        """Place a quote, by default a new one; to be paid within a day."""
        with self.begin.write(actor) as work:
            return order.place(work, quote or make_quote(), **{"pay_by": work.now + dt.timedelta(days=1)} | more)

    def get(self, it: Order | OrderId, actor: Actor = SYSTEM) -> Order:
        """The order as it is now."""
        with self.begin.read(actor) as work:
            return order.get(work, it.id if isinstance(it, Order) else it).order

    def with_plugins(self, *plugins: object) -> "Orders":
        """The same database with other plugins."""
        return Orders(begin_on(self.url, plugins, clock=self.clock), self.clock, self.url)


@pytest.fixture
def orders(migrated_url: str) -> Orders:
    """On both databases."""
    clock = FixedClock(START)
    return Orders(begin_on(migrated_url, clock=clock), clock, migrated_url)
