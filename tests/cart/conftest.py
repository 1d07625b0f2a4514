"""A shop's transactions and a guest's cart, on both databases."""

import attrs
import pytest

from eckit.cart import Cart, service as cart
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.ids import ChannelId, CustomerId, MarketId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.testing.begin import START
from tests.cart.support import begin_on

CHANNEL, MARKET = ChannelId(mint("channel")), MarketId(mint("market"))


@attrs.frozen
class Carts:
    """Begins Works, and makes carts with whoever they belong to."""

    begin: Begin
    clock: FixedClock
    url: str

    def guest(self) -> tuple[Cart, Actor]:
        """A cart and the guest who holds its token."""
        with self.begin.write(Actor.guest()) as work:
            made = cart.create(work, channel=CHANNEL, market=MARKET)
        return made, Actor.guest(made.token)

    def buyer(self) -> tuple[Cart, Actor]:
        """A cart and the customer whose it is."""
        actor = Actor.buyer(CustomerId(mint("customer")))
        with self.begin.write(actor) as work:
            return cart.create(work, channel=CHANNEL, market=MARKET), actor

    def add(self, actor: Actor, it: Cart, steps: int = 1, variant: VariantId | None = None, **more: object) -> Cart:
        """Add steps of a variant, by default of a new one."""
        with self.begin.write(actor) as work:
            return cart.add(work, it.id, variant or new_variant(), steps, **more)

    def get(self, actor: Actor, it: Cart) -> Cart:
        """The cart as it is now."""
        with self.begin.read(actor) as work:
            return cart.get(work, it.id)


def new_variant() -> VariantId:
    """An id of a variant."""
    return VariantId(mint("variant"))


@pytest.fixture
def carts(migrated_url: str) -> Carts:
    """On both databases."""
    clock = FixedClock(START)
    return Carts(begin_on(migrated_url, clock=clock), clock, migrated_url)
