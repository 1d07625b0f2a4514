"""What tests of payments and of the flows that move money share."""

import datetime as dt
import threading
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from eckit.flows import settle_payment as settling, take_payment as taking
from eckit.flows.chase import chase
from eckit.flows.move_money import capture_payment, void_payment
from eckit.flows.receive_notice import apply_notices, receive_notice
from eckit.flows.refund_payment import refund_payment
from eckit.flows.send_operation import send_planned
from eckit.flows.take_payment import resume_payment, take_payment
from eckit.kernel.actors import Actor
from eckit.kernel.auditing import Violation
from eckit.kernel.clock import FixedClock
from eckit.kernel.ids import OrderId
from eckit.kernel.money import from_minor
from eckit.kernel.work import Begin
from eckit.order import Order, service as order
from eckit.payment import ChaseReport, Payment, PaymentResult, service as payment
from eckit.payment.audit import CHECKS
from eckit.payment.model import Capabilities, RawRequest, Sums, Task
from eckit.payment.rules import sums_of
from eckit.pricing.model import Quote
from eckit.testing.begin import START, make_begin
from tests.order.quotes import Wish, make_quote
from tests.payment.fakes import CAPABILITIES, METHOD, FakeGateway, FakeProvider, Ledger

SYSTEM = Actor.system("test")
STAFF = Actor.staff(
    "sato",
    "order.read",
    "order.write",
    "order.refund",
    "payment.read",
    "payment.write",
    "payment.take",
    "payment.capture",
    "payment.void",
    "payment.resolve",
)


@attrs.define
class Payments:
    """A shop with a fake gateway: places orders, moves money, looks."""

    begin: Begin
    clock: FixedClock
    gateway: FakeGateway
    url: str
    plugins: tuple[Any, ...] = ()

    @property
    def ledger(self) -> Ledger:
        return self.gateway.ledger

    def place(self, quote: Quote | None = None, *, amount: int = 1_000, method: str = METHOD) -> Order:
        """A placed order with its payment planned."""
        quote = quote or make_quote([Wish(unit_minor=amount)], shipping_minor=(0,))
        quote = attrs.evolve(quote, method=method)
        with self.begin.write(SYSTEM) as work:
            placed = order.place(work, quote, pay_by=work.now + dt.timedelta(days=1))
            payment.intend(work, placed, quote)
        return placed

    def buyer(self, placed: Order) -> Actor:
        """Whoever holds the order's token."""
        return Actor.guest(placed.token)

    def take(self, placed: Order, **more: Any) -> PaymentResult:
        return take_payment(self.begin, self.buyer(placed), placed.id, **more)

    def resume(self, placed: Order, **parameters: str) -> PaymentResult:
        return resume_payment(self.begin, self.buyer(placed), placed.id, parameters)

    def capture(self, one: Payment, minor: int | None = None, **more: Any) -> PaymentResult:
        amount = None if minor is None else from_minor(minor, one.currency)
        return capture_payment(self.begin, STAFF, one.id, amount, **more)

    def void(self, one: Payment, actor: Actor = STAFF) -> PaymentResult:
        return void_payment(self.begin, actor, one.id)

    def refund(self, one: Payment, minor: int, key: str = "r1", actor: Actor = STAFF) -> PaymentResult:
        return refund_payment(self.begin, actor, one.id, from_minor(minor, one.currency), key=key, reason="returned")

    def receive(self, raw: RawRequest, method: str = METHOD) -> int:
        return receive_notice(self.begin, method, raw).status

    def apply(self) -> int:
        return apply_notices(self.begin)

    def tell(self, raw: RawRequest) -> int:
        """Receive a notice and apply it."""
        status = self.receive(raw)
        self.apply()
        return status

    def chase(self) -> ChaseReport:
        return chase(self.begin)

    def chase_for(self, span: dt.timedelta, every: dt.timedelta = dt.timedelta(minutes=10)) -> None:
        """Let time pass, with rounds of recovery."""
        end = self.clock.now() + span
        while self.clock.now() < end:
            self.clock.advance(every)
            self.chase()

    def leave(self, placed: Order, earned: int, *, send: bool = True) -> None:
        """Goods of this worth have left by now; with ``send=False`` the process dies before it takes their money."""
        with self.begin.write(SYSTEM) as work:
            order.lock(work, placed.id)
            payment.plan_capture(work, placed.id, earned)
        if send:
            self.send(placed)

    def cancel_rest(self, placed: Order) -> None:
        """What has not left is canceled: the money for it comes back, as the flow does it."""
        self.plan_without_the_rest(placed)
        self.send(placed)

    def plan_without_the_rest(self, placed: Order) -> None:
        """The first half of it."""
        with self.begin.write(SYSTEM) as work:
            order.lock(work, placed.id)
            payment.plan_give_back(work, placed.id, reason="sold_out")

    def send(self, placed: Order) -> None:
        """Send what is planned."""
        send_planned(self.begin, order_id=placed.id)

    def all(self, placed: Order) -> tuple[Payment, ...]:
        with self.begin.read(SYSTEM) as work:
            return payment.for_order(work, placed.id)

    def one(self, placed: Order) -> Payment:
        """The newest attempt."""
        return self.all(placed)[-1]

    def sums(self, placed: Order) -> Sums:
        return sums_of(self.one(placed))

    def order(self, placed: Order) -> Order:
        with self.begin.read(SYSTEM) as work:
            return order.get(work, placed.id).order

    def cancel(self, placed: Order, reason: str = "canceled") -> None:
        """Cancel an order with its money, as the flow does, without stock."""
        with self.begin.write(SYSTEM) as work:
            locked = order.lock(work, placed.id)
            payment.plan_give_back(work, placed.id, reason=reason)
            order.cancel(work, locked, reason=reason)

    def tasks(self) -> tuple[Task, ...]:
        with self.begin.read(SYSTEM) as work:
            return payment.tasks(work)

    def tasks_open(self) -> list[tuple[str, int]]:
        """Kind and amount of what people have to do."""
        return sorted((task.kind, task.amount_minor) for task in self.tasks())

    def task_kinds(self) -> list[str]:
        return sorted(task.kind for task in self.tasks())

    def audit(self) -> list[Violation]:
        """What the tables of payment violate."""
        with self.begin.read(SYSTEM) as work:
            return [violation for check in CHECKS for violation in check.run(work.connection)]

    def events(self, placed: Order | None = None) -> list[str]:
        """The names of all payment events, in the order they were stored."""
        from eckit.kernel.outbox import outbox

        with self.begin.read(SYSTEM) as work:
            rows = work.execute(outbox.select().order_by(outbox.c.recorded_at, outbox.c.subject, outbox.c.seq))
            return [row.name for row in rows if row.name.startswith("payment.")]

    def states(self, placed: Order) -> list[str]:
        """Kind and state of the operations of the newest attempt."""
        return [f"{one.kind.value} {one.state.value}" for one in self.one(placed).operations]


def make_payments(
    url: str,
    capabilities: Capabilities = CAPABILITIES,
    *,
    plugins: Iterable[Any] = (),
    gateways: Callable[[FixedClock], tuple[FakeGateway, ...]] | None = None,
) -> Payments:
    """A shop at this database, with these plugins besides the provider."""
    clock = FixedClock(START)
    made = gateways(clock) if gateways else (FakeGateway(clock, capabilities),)
    all_plugins = (FakeProvider(*made), *plugins)
    begin = make_begin(url, plugins=all_plugins, clock=clock)
    return Payments(begin, clock, made[0], url, all_plugins)


def together(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each call gives or raises, all started at one moment in threads of their own."""
    listed = list(calls)
    barrier = threading.Barrier(len(listed))
    results: list[Any] = [None] * len(listed)

    def run(index: int) -> None:
        barrier.wait(10)
        try:
            results[index] = listed[index]()
        except Exception as error:  # noqa: BLE001 - what a call raises is its result here
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(listed))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def order_id(placed: Order) -> OrderId:
    return placed.id


def without_shipments(monkeypatch: Any) -> None:
    """Orders of these tests have no stock: what confirming plans for the warehouse is another test's."""
    monkeypatch.setattr(settling, "plan_shipments", lambda work, placed: ())
    monkeypatch.setattr(taking, "plan_shipments", lambda work, placed: ())
