"""A gateway asked directly, without the core between: what it answers by itself."""

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

import attrs

from eckit.kernel.http import NotSentError
from eckit.kernel.ids import PaymentId
from eckit.kernel.minting import mint
from eckit.kernel.money import from_minor
from eckit.payment import rules
from eckit.payment.model import (
    Begin,
    Browser,
    Buyer,
    Capture,
    Captures,
    Gateway,
    GatewayIo,
    Instrument,
    KnownMovement,
    NoSuchPayment,
    Operation,
    OperationKind,
    Outcome,
    Payment,
    Query,
    QueryFailed,
    Refund,
    Refunds,
    Resume,
    Resumes,
    Snapshot,
    Void,
    Voids,
)
from eckit.shop import Shop
from eckit.testing.payments.bench import RETURN_URL, Bench, RecordingIo, expect, gateway_of
from eckit.testing.payments.proxy import Request
from eckit.testing.payments.seeding import SHOP

T = TypeVar("T")
Op = TypeVar("Op", bound=Operation)

_CLASSES: Mapping[OperationKind, type[Operation]] = {
    OperationKind.CAPTURE: Capture,
    OperationKind.VOID: Void,
    OperationKind.REFUND: Refund,
}
BUYER = Buyer(
    name="検査 花子", kana="ケンサ ハナコ", email="hanako.kensa@example.com", phone="+81312345678", country="JP"
)


class Direct:
    """One payment at the provider that the core does not take part in; the bench leaves it out of its comparison.

    :param of: a payment of the shop's that is acted on behind its back; that one is compared.
    :param shop: whose gateway is asked, if not the bench's.
    :ivar reference: of its beginning. ``logged``: what the gateway wrote to the log.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        minor: int | None = None,
        currency: str | None = None,
        of: Payment | None = None,
        shop: Shop | None = None,
    ) -> None:
        self.bench = bench
        self.gateway: Gateway = gateway_of(shop or bench.shop, bench.method)
        self.capabilities = bench.capabilities if shop is None else self.gateway.capabilities()
        self.money = bench.money(minor, currency) if of is None else of.amount
        self.payment_id = PaymentId(mint("payment")) if of is None else of.id
        self.reference = rules.reference(self.capabilities, SHOP, self.payment_id, OperationKind.BEGIN, 1)
        self.provider_ref: str | None = None
        self.known: tuple[KnownMovement, ...] = ()
        self.io = bench.io(shop)
        if of is None:
            bench.apart.add(self.reference)

    @property
    def logged(self) -> list[str]:
        """What the gateway wrote to the log."""
        return self.io.logged

    def begin_op(
        self, behavior: str = "approve", *, capture: bool | None = None, instrument: Instrument | None = None
    ) -> Begin:
        """What the core would ask to begin with."""
        sale = not self.bench.reserves
        return Begin(
            payment_id=self.payment_id,
            seq=1,
            reference=self.reference,
            begin_reference=self.reference,
            provider_ref=None,
            money=self.money,
            instrument=instrument or self.bench.harness.instrument(behavior),
            buyer=BUYER,
            return_url=RETURN_URL,
            browser=Browser(accept="text/html", user_agent="Mozilla/5.0", ip="192.0.2.1"),
            capture=sale if capture is None else capture,
        )

    def later_op(self, kind: OperationKind, minor: int | None = None, seq: int = 2) -> Operation:
        """What the core would ask for afterwards."""
        money = self.money if minor is None else from_minor(minor, self.money.currency.code)
        return _CLASSES[kind](
            payment_id=self.payment_id,
            seq=seq,
            reference=rules.reference(self.capabilities, SHOP, self.payment_id, kind, seq),
            begin_reference=self.reference,
            provider_ref=self.provider_ref,
            money=money,
            previous=self.known,
        )

    def begin(self, behavior: str = "approve", *, capture: bool | None = None) -> Outcome:
        """Begin."""
        return self.send(self.begin_op(behavior, capture=capture))

    def later(self, kind: OperationKind, minor: int | None = None, seq: int = 2) -> Outcome:
        """Capture, void or refund."""
        return self.send(self.later_op(kind, minor, seq))

    def send(self, op: Operation, io: GatewayIo | None = None) -> Outcome:
        """Ask the gateway for an operation; what it tells of the payment is kept for the next one."""
        outcome = ask(self.gateway, io or self.io, op)
        given = getattr(outcome, "provider_ref", None)
        if isinstance(op, Begin) and given:
            self.provider_ref = given
        money, movement_ref = getattr(outcome, "money", None), getattr(outcome, "movement_ref", None)
        if money is not None and movement_ref is not None:
            kind = type(outcome).__name__.lower()
            self.known += (KnownMovement(kind=kind, amount=money, movement_ref=movement_ref),)
        return outcome

    def query(self) -> Snapshot | NoSuchPayment | QueryFailed:
        """Look it up."""
        return self.gateway.query(self.io, self.query_of())

    def query_of(self) -> Query:
        """What the core would ask to look it up."""
        return Query(
            payment_id=self.payment_id,
            begin_reference=self.reference,
            provider_ref=self.provider_ref,
            currency=self.money.currency.code,
        )

    def within_limit(self, call: Callable[[], T]) -> T:
        """What a call brings, within the time the gateway declares and a little more.

        :raises CheckFailedError: it still waits.
        """
        limit_s = self.capabilities.timeout_s * 1.5 + 1
        brought: list[T] = []
        raised: list[Exception] = []

        def wait() -> None:
            try:
                brought.append(call())
            except Exception as error:  # noqa: BLE001 -- handed to the check
                raised.append(error)

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        waiting.join(limit_s)
        expect(brought or raised, f"it still waits after {limit_s:g} s")
        expect(brought, f"nobody answered, and it raised {raised!r:.100}")
        return brought[0]

    def moved(self) -> list[tuple[str, int]]:
        """What the provider booked for it: kind and minor units, oldest first."""
        return [(one.kind, one.amount_minor) for one in self.bench.harness.provider_ledger(self.reference)]


def ask(gateway: Gateway, io: GatewayIo, op: Operation) -> Outcome:
    """Ask a gateway for an operation that it has a method for."""
    match op:
        case Begin():
            return gateway.begin(io, op)
        case Capture() if isinstance(gateway, Captures):
            return gateway.capture(io, op)
        case Void() if isinstance(gateway, Voids):
            return gateway.void(io, op)
        case Refund() if isinstance(gateway, Refunds):
            return gateway.refund(io, op)
        case Resume() if isinstance(gateway, Resumes):
            return gateway.resume(io, op)
    expect(False, f"the gateway has no method for {type(op).__name__}")
    raise AssertionError


def renamed(op: Op, reference: str) -> Op:
    """The same operation under another reference, and nothing else changed."""
    return attrs.evolve(op, reference=reference, begin_reference=reference)


class CapturingIo(RecordingIo):
    """Sends nothing and keeps what would have been sent."""

    def __init__(self, bench: Bench) -> None:
        super().__init__((), bench.clock)
        self.requests: list[Request] = []

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Keep it; nobody is there.

        :raises NotSentError: always.
        """
        lowered = {name.lower(): str(value) for name, value in headers.items()}
        self.requests.append(Request(method=method, target=url, headers=lowered, body=content))
        raise NotSentError("conformance", "connect", "the kit sends nothing here")
