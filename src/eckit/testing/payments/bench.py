"""The bench a gateway is checked on: a real shop, a fixed clock, the proxy, and the provider behind it."""

import datetime as dt
import functools
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from moneyed import Money

from eckit.defaults.allocation import plugin as allocation
from eckit.defaults.order_numbers import plugin as order_numbers
from eckit.flows.ask_gateway import Io
from eckit.kernel.clock import FixedClock
from eckit.kernel.database import DatabaseSettings
from eckit.kernel.http import GuardedClient
from eckit.kernel.ids import MethodCode, OrderId, PaymentId
from eckit.kernel.money import exponent, from_minor
from eckit.kernel.settings import HttpSettings, ShopSettings
from eckit.order.model import Order
from eckit.payment import hooks as payment_hooks, rules, store as payment_store
from eckit.payment.model import (
    Capabilities,
    Gateway,
    OperationKind,
    OpState,
    Payment,
    PaymentResult,
    PaymentState,
    RawRequest,
    StoredOperation,
    Task,
)
from eckit.shop import Shop
from eckit.testing.payments import seeding
from eckit.testing.payments.comparing import differences, unowned
from eckit.testing.payments.harness import Games, Harness, NotApplicable, Settings
from eckit.testing.payments.plugin import ConformancePlugin
from eckit.testing.payments.proxy import Proxy, Request
from eckit.testing.payments.seeding import STAFF

if TYPE_CHECKING:
    from eckit.testing.payments.nursery import Nursery

START: Final = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
CURRENCIES: Final = ("JPY", "USD", "KWD")
"""One for each number of decimals there is: 0, 2, 3."""

RETURN_URL: Final = "https://shop.example/return"
_SECONDS_A_ROUND: Final = 3_600


class Bench:
    """One check's world. Everything in it is new but the provider's process, which has forgotten what was before.

    :param seeded: ordinary orders that were placed already, if the database has been seeded with the goods.
    :param games: how C70 is played.

    :ivar harness: the author's. ``proxy``: between gateway and provider. ``clock``: the shop's, standing still.
    :ivar url: of the database. ``shop``: composed of the gateway's plugins and the kit's own.
    :ivar apart: references of payments that the check makes without the shop and compares by itself.
    """

    def __init__(
        self,
        harness: Harness,
        proxy: Proxy,
        url: str,
        *,
        nursery: "Nursery | None" = None,
        seeded: Sequence[OrderId] | None = None,
        games: Games | None = None,
    ) -> None:
        self.harness = harness
        self.games = games or Games()
        self._nursery = nursery
        self._waiting = list(seeded or ())
        self.proxy = proxy
        self.url = url
        self.clock = FixedClock(START)
        self.method = harness.method
        self.currencies = tuple(dict.fromkeys((harness.currency, *CURRENCIES)))
        self.apart: set[str] = set()
        self._prices: dict[str, int] = {}
        self._opened: list[Shop] = []
        harness.set_clock(START)
        self.shop = self.compose()
        if seeded is None:
            seeding.seed(self.shop, self.currencies)

    def close(self) -> None:
        """Give the database back."""
        for shop in self._opened:
            shop.close()

    # -- the shop ----------------------------------------------------------------------------------------------------

    def compose(
        self, settings: Settings | None = None, *, plugins: Sequence[Any] | None = None, more: str = ""
    ) -> Shop:
        """A shop on the bench's database; closed with the bench.

        :param settings: of the gateway's plugins, if not those that lead to the proxy. ``plugins``: in their place.
        :param more: one more host that may be reached.
        """
        given = self.harness.settings(self.proxy.url) if settings is None else settings
        loaded = load(self.harness.plugins) if plugins is None else list(plugins)
        allow = (self.proxy.host, *filter(None, [more]))
        shop = compose(self.url, given, loaded, self.clock, self.currencies, allow=allow)
        shop.plugins.cached("eckit", "payment.http", 0, functools.partial(_client, allow))  # made once, not per shop
        self._opened.append(shop)
        return shop

    @property
    def nursery(self) -> "Nursery":
        """Makes processes of their own on this bench's database."""
        if not hasattr(os, "fork"):
            raise NotApplicable("processes that race and are killed need POSIX")
        if self._nursery is None:
            raise CheckFailedError("this bench has no processes")
        return self._nursery

    @property
    def gateway(self) -> Gateway:
        """The gateway object the shop has."""
        return gateway_of(self.shop, self.method)

    @functools.cached_property
    def capabilities(self) -> Capabilities:
        """What it declares."""
        return self.gateway.capabilities()

    def io(self, shop: Shop | None = None) -> "RecordingIo":
        """What a gateway is given to reach its provider with, for calls without the core between."""
        return RecordingIo((shop or self.shop).settings.http.allow, self.clock)

    def money(self, minor: int | None = None, currency: str | None = None) -> Money:
        """An amount; the harness's ordinary one if none is given."""
        return from_minor(self.harness.amount_minor if minor is None else minor, currency or self.harness.currency)

    def pass_time(self, by: dt.timedelta) -> None:
        """Time passes, for shop and provider."""
        self.harness.set_clock(self.clock.advance(by))

    # -- orders and payments -----------------------------------------------------------------------------------------

    def order(self, minor: int | None = None, currency: str | None = None, method: MethodCode | None = None) -> Order:
        """A placed order that costs exactly this, with its payment planned."""
        money = self.money(minor, currency)
        code = money.currency.code
        amount = self.harness.amount_minor if minor is None else minor
        ordinary = (amount, code) == (self.harness.amount_minor, self.harness.currency) and method is None
        if ordinary and self._waiting and self.clock.now() == START:
            return self.order_now(self._waiting.pop())
        if self._prices.get(code) != amount:
            seeding.price(self.shop, self.currencies, money)
            self._prices[code] = amount
        cart_id = seeding.fill_cart(self.shop, self.currencies, code, method or self.method)
        quote = self.shop.price_cart(STAFF, cart_id)
        return self.shop.place_order(STAFF, cart_id, agreed=quote.ref)

    def hasty_shop(self) -> Shop:
        """A shop that does not wait long, for checks in which nobody answers."""
        return self.compose(self.harness.settings(self.proxy.url, hasty=True))

    def pay(self, order: Order, behavior: str = "approve", *, shop: Shop | None = None) -> PaymentResult:
        """Take the payment of an order with a buyer who behaves like this."""
        instrument = self.harness.instrument(behavior)
        return (shop or self.shop).take_payment(STAFF, order.id, instrument=instrument, return_url=RETURN_URL)

    def paid(self, minor: int | None = None, currency: str | None = None) -> Payment:
        """An order whose money is secured: reserved, or taken where the gateway only sells."""
        order = self.order(minor, currency)
        result = self.pay(order)
        expect(result.status.state in SECURED, f"an ordinary payment came to {result.status}")
        return self.payment(order)

    def captured(self, minor: int | None = None) -> Payment:
        """An order whose money is taken."""
        payment = self.paid(minor)
        if self.reserves:
            self.shop.capture_payment(STAFF, payment.id)
        payment = self.again(payment)
        expect(self.state(payment) is PaymentState.PAID, f"an ordinary capture came to {self.state(payment)}")
        return payment

    @property
    def reserves(self) -> bool:
        """Whether a payment is reserved first and taken later."""
        return "authorize" in self.capabilities.flows

    def payment(self, order: Order | OrderId) -> Payment:
        """The newest attempt to pay an order."""
        return self.attempts(order)[-1]

    def attempts(self, order: Order | OrderId) -> tuple[Payment, ...]:
        """All attempts to pay an order, the oldest first."""
        with self.shop.read(STAFF) as work:
            return work.payment.for_order(order.id if isinstance(order, Order) else order)

    def again(self, payment: Payment) -> Payment:
        """The payment as it is now."""
        return self.all_again([payment])[0]

    def all_again(self, payments: Sequence[Payment]) -> tuple[Payment, ...]:
        """Payments as they are now."""
        with self.shop.read(STAFF) as work:
            return tuple(work.payment.find(payment.id) for payment in payments)

    def state(self, payment: Payment) -> PaymentState:
        """Its state now."""
        return rules.status_of(self.again(payment), self.clock.now()).state

    def operation(self, payment: Payment, kind: OperationKind = OperationKind.BEGIN) -> StoredOperation:
        """The newest operation of a kind, as it is now."""
        return [one for one in self.again(payment).operations if one.kind is kind][-1]

    def order_now(self, order: Order | OrderId) -> Order:
        """The order as it is now."""
        with self.shop.read(STAFF) as work:
            return work.order.get(order.id if isinstance(order, Order) else order).order

    def all_payments(self) -> tuple[Payment, ...]:
        """Every payment there is, but for those of orders that no check has asked for."""
        table = payment_store.payment
        with self.shop.read(STAFF) as work:
            wanted = table.select().with_only_columns(table.c.id).where(table.c.order_id.not_in(self._waiting))
            return tuple(work.payment.find(PaymentId(found)) for found in work.execute(wanted).scalars())

    def tasks(self, payment: Payment) -> tuple[Task, ...]:
        """What a person has to do about a payment."""
        with self.shop.read(STAFF) as work:
            return tuple(task for task in work.payment.tasks(limit=200) if task.payment_id == payment.id)

    # -- time passes, news comes -------------------------------------------------------------------------------------

    def chase(self, after: dt.timedelta = dt.timedelta(0)) -> None:
        """Let time pass, then run one round of recovery."""
        self.pass_time(after)
        report = self.shop.chase()
        expect(not report.failed, f"recovery stumbled over {report.failed} operations")

    def chase_until(self, done: Callable[[], bool], within: dt.timedelta) -> bool:
        """Run recovery again and again while time passes; whether it came to that."""
        steps = (dt.timedelta(seconds=10), dt.timedelta(seconds=30), dt.timedelta(minutes=2), dt.timedelta(minutes=10))
        until, round_ = self.clock.now() + within, 0
        while not done():
            if self.clock.now() >= until:
                return False
            self.chase(steps[round_] if round_ < len(steps) else dt.timedelta(seconds=_SECONDS_A_ROUND))
            round_ += 1
        return True

    def settle(self, payment: Payment) -> Payment:
        """Let recovery find out what became of a payment."""

        def known() -> bool:
            return all(one.state in SETTLED for one in self.again(payment).operations)

        self.chase_until(known, dt.timedelta(hours=2))
        return self.again(payment)

    def notices(self, payment: Payment) -> tuple[RawRequest, ...]:
        """What the provider has sent about a payment; not delivered yet."""
        return self.harness.notices(payment.begin_reference)

    def hand_in(self, notice: RawRequest, *, apply: bool = True, shop: Shop | None = None) -> int:
        """Deliver a notice; the status it was answered with."""
        to = shop or self.shop
        ack = to.receive_notice(self.method, notice)
        if apply:
            to.apply_notices()
        return ack.status

    def notice_states(self) -> list[str]:
        """The state of every stored notice, the newest first."""
        with self.shop.read(STAFF) as work:
            table = payment_store.notice
            states = table.select().with_only_columns(table.c.state)
            return list(work.execute(states.order_by(table.c.received_at.desc(), table.c.id.desc())).scalars())

    # -- traffic -----------------------------------------------------------------------------------------------------

    def moves(self) -> int:
        """How many requests that may move money reached the proxy."""
        return self.proxy.count(self.harness.is_moving)

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing may be sent within the block, not even a question."""
        before = self.proxy.count_connections()
        yield
        more = self.proxy.count_connections() - before
        expect(not more, f"{more} connections where none may be")

    @contextmanager
    def no_moves(self) -> Iterator[None]:
        """Nothing that may move money may be sent within the block."""
        before = self.moves()
        yield
        expect(self.moves() == before, f"{self.moves() - before} requests that may move money where none may be")

    def is_question(self, request: Request) -> bool:
        """Whether a request only looks."""
        return not self.harness.is_moving(request)

    # -- the end -----------------------------------------------------------------------------------------------------

    def require_same_books(self) -> None:
        """Insist that eckit's movements are the provider's, or that the payment is marked as undecided."""
        payments = self.all_payments()
        ledger = [entry for entry in self.harness.provider_ledger() if entry.payment not in self.apart]
        found = differences(payments, ledger) + unowned(payments)
        expect(not found, "; ".join(found))


SECURED: Final = frozenset({PaymentState.AUTHORIZED, PaymentState.PAID})
SETTLED: Final = frozenset({OpState.SUCCEEDED, OpState.FAILED, OpState.EXPIRED, OpState.CANCELED})


class CheckFailedError(AssertionError):
    """A rule does not hold."""


def expect(holds: object, why: str) -> None:
    """Insist on something; ``assert`` would vanish under ``python -O``.

    :raises CheckFailedError: says what does not hold.
    """
    if not holds:
        raise CheckFailedError(why)


class RecordingIo(Io):
    """The core's own way out, for calls without the core; keeps what was logged."""

    def __init__(self, allow: Sequence[str], clock: FixedClock) -> None:
        self.logged: list[str] = []
        super().__init__(functools.partial(_client, tuple(allow)), clock, str)

    def log(self, text: str) -> None:
        """Keep a line."""
        self.logged.append(text)


@functools.lru_cache(maxsize=16)
def _client(allow: tuple[str, ...]) -> GuardedClient:
    return GuardedClient(allow)


# -- composing --------------------------------------------------------------------------------------------------------


def load(names: Sequence[str]) -> list[Any]:
    """Plugin objects by their names, ``module:attribute``."""
    found = []
    for name in names:
        module, _, attribute = name.partition(":")
        found.append(getattr(importlib.import_module(module), attribute))
    return found


def compose(
    url: str,
    settings: Mapping[str, Mapping[str, Any]],
    plugins: Sequence[Any],
    clock: FixedClock,
    currencies: tuple[str, ...],
    *,
    allow: tuple[str, ...],
) -> Shop:
    """A shop of a gateway's plugins, the core's defaults and the kit's own plugin; nothing that is merely installed."""
    shop_settings = ShopSettings(
        shop_id=seeding.SHOP,
        database=DatabaseSettings(url=url, pool_size=4),
        discover=False,
        http=HttpSettings(allow=allow),
        plugins=settings,
    )
    chosen = [ConformancePlugin(currencies), allocation, order_numbers, *plugins]
    return Shop.compose(shop_settings, chosen, discover=False, clock=clock, check=False)


def gateway_of(shop: Shop, method: MethodCode) -> Gateway:
    """The gateway object a shop has under an id."""
    found = shop.plugins.thing(payment_hooks.GATEWAYS, method)
    if found is None:
        raise CheckFailedError(f"no plugin registers the gateway {method}")
    gateway: Gateway = found.thing
    return gateway


def decimals(currency: str) -> int:
    """How many decimals a currency has."""
    return exponent(currency)
