"""A payment provider inside the process: its own ledger, its own idea of what went wrong, signed notices."""

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import attrs
from moneyed import Money

from eckit.kernel.clock import Clock
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import MethodCode
from eckit.kernel.money import from_minor, to_minor
from eckit.kernel.structuring import structure, unstructure
from eckit.kernel.text import Text
from eckit.payment.model import (
    Ack,
    ActionRequired,
    Authorized,
    Begin,
    Capabilities,
    Capture,
    Captured,
    Declined,
    ForgedNotice,
    GatewayIo,
    InDoubt,
    NoSuchPayment,
    NotSent,
    Opened,
    Outcome,
    Pending,
    Query,
    QueryFailed,
    RawRequest,
    Redirect,
    Refund,
    Refunded,
    RefundPending,
    Resume,
    Snapshot,
    SnapshotMovement,
    UnauthenticatedNotice,
    VerifiedNotice,
    Void,
    Voided,
    Voucher,
)

SECRET: Final = b"a secret of the fake provider's"
METHOD: Final = MethodCode("fake.card")

CAPABILITIES: Final = Capabilities(
    currencies={"JPY": (1, 9_999_999), "USD": (50, 99_999_999)},
    flows=frozenset({"authorize"}),
    capture="multiple",
    refund="multiple",
    void=True,
    not_found_after=dt.timedelta(minutes=5),
    webhook="mac",
    ack=Ack(status=200, body=b"ok"),
    timeout_s=2.0,
)


@attrs.frozen(kw_only=True)
class Entry:
    """One movement in the provider's ledger."""

    kind: str
    minor: int
    currency: str
    ref: str
    reference: str
    at: dt.datetime
    finality: str = "final"


class Ledger:
    """What really moved at the provider, by the reference a payment began with."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.entries: defaultdict[str, list[Entry]] = defaultdict(list)
        self.words: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self._n = 0

    def move(self, kind: str, begin_reference: str, reference: str, money: Money, **more: Any) -> Entry:
        """Book a movement; the same operation once."""
        with self.lock:
            for entry in self.entries[begin_reference]:
                if entry.kind == kind and entry.reference == reference and kind != "capture_reversed":
                    return entry
            self._n += 1
            entry = Entry(
                kind=kind,
                minor=to_minor(money),
                currency=money.currency.code,
                ref=f"mv_{self._n}",
                reference=reference,
                at=self.clock.now(),
                **more,
            )
            self.entries[begin_reference].append(entry)
            return entry

    def total(self, kind: str, begin_reference: str | None = None) -> int:
        """The sum of a kind, of one payment or all."""
        wanted = self.entries.values() if begin_reference is None else [self.entries.get(begin_reference, [])]
        return sum(entry.minor for entries in wanted for entry in entries if entry.kind == kind)

    def count(self, call: str) -> int:
        """How often a call reached the provider."""
        return sum(what == call for what, _ in self.calls)


Script = Callable[["FakeGateway", GatewayIo, Any, Callable[[], Outcome]], Outcome]
"""What a call does instead: gets the gateway, its io, the request, and the ordinary answer as a function."""


class FakeGateway:
    """A gateway to the ledger. ``script[call]`` holds what the next calls do; without one they work."""

    def __init__(
        self,
        clock: Clock,
        capabilities: Capabilities = CAPABILITIES,
        *,
        id: MethodCode = METHOD,
        ledger: Ledger | None = None,
    ) -> None:
        self.id = id
        self.label = Text.of("Card", ja="カード")
        self.declared = capabilities
        self.ledger = ledger or Ledger(clock)
        self.script: defaultdict[str, deque[Script]] = defaultdict(deque)
        self.tells_references = True
        self.seen: list[Any] = []

    def capabilities(self) -> Capabilities:
        return self.declared

    def _do(self, call: str, io: GatewayIo, op: Any, usual: Callable[[], Any]) -> Any:
        self.seen.append(op)
        if self.script[call]:
            return self.script[call].popleft()(self, io, op, lambda: self._sent(call, io, op, usual))
        return self._sent(call, io, op, usual)

    def _sent(self, call: str, io: GatewayIo, op: Any, usual: Callable[[], Any]) -> Any:
        io.about_to_send()
        with self.ledger.lock:
            self.ledger.calls.append((call, getattr(op, "reference", op.begin_reference)))
        return usual()

    # -- operations --------------------------------------------------------------------------------------------------

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        return self._do("begin", io, op, lambda: self.book_begin(op))

    def book_begin(self, op: Begin, money: Money | None = None) -> Authorized | Captured:
        kind = "capture" if op.capture else "authorize"
        entry = self.ledger.move(kind, op.begin_reference, op.reference, money or op.money)
        made = Captured if op.capture else Authorized
        return made(**_facts(entry, op.begin_reference))

    def resume(self, io: GatewayIo, op: Resume) -> Outcome:
        return self._do("resume", io, op, lambda: self._resumed(op))

    def _resumed(self, op: Resume) -> Outcome:
        for entry in self.ledger.entries[op.begin_reference]:
            if entry.kind == "authorize":
                return Authorized(**_facts(entry, op.begin_reference))
        if self.ledger.words.get(op.begin_reference) == "declined":
            return Declined(code="authentication_failed", raw_code="3DS-N", retry="other")
        return Pending(reason="the buyer has not finished", provider_ref=op.provider_ref)

    def capture(self, io: GatewayIo, op: Capture) -> Outcome:
        return self._do("capture", io, op, lambda: Captured(**self._booked("capture", op)))

    def void(self, io: GatewayIo, op: Void) -> Outcome:
        return self._do("void", io, op, lambda: self._voided(op))

    def _voided(self, op: Void) -> Outcome:
        entries = self.ledger.entries[op.begin_reference]
        if not any(entry.kind == "authorize" for entry in entries):
            self.ledger.words[op.begin_reference] = "voided"
            return Voided(
                money=op.money,
                movement_ref=f"closed-{op.reference}",
                provider_ref=_provider_ref(op.begin_reference),
                at=self.ledger.clock.now(),
            )
        if sum(entry.minor for entry in entries if entry.kind == "capture") >= self.ledger.total(
            "authorize", op.begin_reference
        ):
            return Declined(code="other", raw_code="already captured", retry="never")
        return Voided(**self._booked("void", op))

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        return self._do("refund", io, op, lambda: Refunded(**self._booked("refund", op)))

    def _booked(self, kind: str, op: Any) -> dict[str, Any]:
        return _facts(self.ledger.move(kind, op.begin_reference, op.reference, op.money), op.begin_reference)

    # -- views -------------------------------------------------------------------------------------------------------

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed:
        answer: Snapshot | NoSuchPayment | QueryFailed = self._do("query", io, q, lambda: self.view(q.begin_reference))
        return answer

    def view(self, begin_reference: str) -> Snapshot | NoSuchPayment:
        entries = self.ledger.entries.get(begin_reference, [])
        word = self.ledger.words.get(begin_reference, "")
        if not entries and not word:
            return NoSuchPayment()
        return self.snapshot(begin_reference, entries, word or entries[-1].kind)

    def snapshot(self, begin_reference: str, entries: list[Entry], word: str = "authorized", **more: Any) -> Snapshot:
        return Snapshot(
            **{
                "begin_reference": begin_reference,
                "provider_ref": _provider_ref(begin_reference),
                "status": word,
                "movements": tuple(
                    SnapshotMovement(
                        kind=entry.kind,
                        money=from_minor(entry.minor, entry.currency),
                        movement_ref=entry.ref,
                        at=entry.at,
                        reference=entry.reference if self.tells_references else "",
                        finality=entry.finality,
                    )
                    for entry in entries
                ),
                "account": self.declared.account,
                "mode": self.declared.mode,
                **more,
            }
        )

    # -- notices -----------------------------------------------------------------------------------------------------

    def notice(self, snapshot: Snapshot, event: str = "evt_1", *more: tuple[str, Snapshot]) -> RawRequest:
        """A signed notice of one or several records."""
        records = [(event, snapshot), *more]
        body = json.dumps([{"event": name, "snapshot": unstructure(view)} for name, view in records]).encode()
        return self.signed(body)

    def unsigned(self, begin_reference: str, event: str = "evt_1") -> RawRequest:
        """A notice of an unsigned scheme."""
        return RawRequest(body=json.dumps({"event": event, "reference": begin_reference}).encode())

    def signed(self, body: bytes) -> RawRequest:
        mac = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        return RawRequest(
            body=body, headers={"x-mac": mac, "content-type": "application/json"}, remote_ip="203.0.113.9"
        )

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened:
        if self.declared.webhook == "none":
            told: Mapping[str, str] = json.loads(raw.body)
            return (UnauthenticatedNotice(event_key=told["event"], begin_reference=told["reference"]),)
        mac = hmac.new(SECRET, raw.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(mac.encode(), raw.headers.get("x-mac", "").encode("utf-8", "surrogatepass")):
            return ForgedNotice(why="wrong signature")
        return tuple(
            VerifiedNotice(event_key=one["event"], snapshot=structure(Snapshot, one["snapshot"]))
            for one in json.loads(raw.body)
        )


def _provider_ref(begin_reference: str) -> str:
    return f"pr_{begin_reference}"


def _facts(entry: Entry, begin_reference: str) -> dict[str, Any]:
    return {
        "money": from_minor(entry.minor, entry.currency),
        "movement_ref": entry.ref,
        "provider_ref": _provider_ref(begin_reference),
        "at": entry.at,
    }


# -- scripts ----------------------------------------------------------------------------------------------------------


def answer(outcome: Any) -> Script:
    """Reach the provider and answer this, with nothing booked."""

    def script(gateway: FakeGateway, io: GatewayIo, op: Any, usual: Callable[[], Outcome]) -> Outcome:
        io.about_to_send()
        gateway.ledger.calls.append(("scripted", getattr(op, "reference", "")))
        answered: Outcome = outcome(op) if callable(outcome) else outcome
        return answered

    return script


def fail_before(_gateway: FakeGateway, _io: GatewayIo, _op: Any, _usual: Callable[[], Outcome]) -> Outcome:
    """Break before anything left."""
    raise OSError("no route")


def fail_after(_gateway: FakeGateway, _io: GatewayIo, _op: Any, usual: Callable[[], Outcome]) -> Outcome:
    """It happens, and the answer is lost."""
    usual()
    raise OSError("connection reset")


def lost_on_the_way(_gateway: FakeGateway, io: GatewayIo, _op: Any, _usual: Callable[[], Outcome]) -> Outcome:
    """Bytes leave and never arrive."""
    io.about_to_send()
    raise OSError("connection reset")


def hang(seconds: float) -> Script:
    """It happens, and the answer takes too long."""

    def script(gateway: FakeGateway, io: GatewayIo, op: Any, usual: Callable[[], Outcome]) -> Outcome:
        outcome = usual()
        threading.Event().wait(seconds)
        return outcome

    return script


def hang_before(seconds: float) -> Script:
    """Nothing has left when the core stops waiting; afterwards it is tried all the same."""

    def script(gateway: FakeGateway, io: GatewayIo, op: Any, usual: Callable[[], Outcome]) -> Outcome:
        threading.Event().wait(seconds)
        return usual()

    return script


def redirect(op: Any) -> ActionRequired:
    """Send the buyer's browser away."""
    return ActionRequired(
        action=Redirect(url=f"https://pay.example/{op.begin_reference}"), provider_ref=_provider_ref(op.begin_reference)
    )


def voucher(deadline: dt.datetime) -> Callable[[Any], ActionRequired]:
    """Give the buyer a slip to pay at a store."""

    def made(op: Any) -> ActionRequired:
        slip = Voucher(numbers=(("receipt", "12345-678901"),), url=None, stores=("store",), deadline=deadline)
        return ActionRequired(action=slip, provider_ref=_provider_ref(op.begin_reference))

    return made


DECLINED: Final = Declined(code="insufficient_funds", raw_code="51", retry="other")
PENDING: Final = Pending(reason="under review")
NOT_SENT: Final = NotSent(cause="rate limit", retry_after=dt.timedelta(seconds=5))
IN_DOUBT: Final = InDoubt(cause="502")


def refund_pending(op: Any) -> RefundPending:
    """It will be given back in some days."""
    return RefundPending(
        money=op.money, movement_ref=f"rp-{op.reference}", provider_ref=_provider_ref(op.begin_reference)
    )


class FakeProvider:
    """The plugin that registers fake gateways."""

    name = "fake"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"payment": 1}

    def __init__(self, *gateways: FakeGateway) -> None:
        self.gateways = gateways

    @hookimpl
    def register_payment_gateways(self) -> tuple[FakeGateway, ...]:
        return self.gateways
