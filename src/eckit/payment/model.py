"""Money moves: payments, their operations and movements; what gateways are asked and what they answer."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import attrs
from moneyed import Money

from eckit.kernel.cards import contains_card
from eckit.kernel.errors import Problem, invalid
from eckit.kernel.events import Event
from eckit.kernel.ids import CartId, MethodCode, MovementId, NoticeId, OperationId, OrderId, PaymentId
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import Secret
from eckit.kernel.text import Text
from eckit.kernel.texts import say

# -- what is asked of a gateway -------------------------------------------------------------------------------------


class OperationKind(enum.Enum):
    """What is done to a payment."""

    BEGIN = "begin"
    RESUME = "resume"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


@attrs.frozen(kw_only=True)
class CardToken:
    """A one-time token of the provider's own page; never a card number, never stored.

    :raises InvalidInputError: ``card-number``: the text contains one.
    """

    token: Secret = attrs.field()

    @token.validator
    def _no_card(self, _: Any, value: Secret) -> None:
        if contains_card(value.reveal()):
            raise invalid("card-number", "instrument.token", "[removed]")


@attrs.frozen(kw_only=True)
class StoredInstrument:
    """An instrument kept at the provider, by its reference there."""

    reference: str


Instrument = CardToken | StoredInstrument


@attrs.frozen(kw_only=True)
class Browser:
    """What the buyer's browser said, as some schemes need it; handed through, not stored."""

    accept: str = ""
    user_agent: str = ""
    ip: str = ""


@attrs.frozen(kw_only=True)
class Buyer:
    """Who pays, as far as the gateway declared that it needs it."""

    name: str = ""
    kana: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""


@attrs.frozen(kw_only=True)
class KnownMovement:
    """A movement known so far, as told to a gateway."""

    kind: str
    amount: Money
    movement_ref: str


@attrs.frozen(kw_only=True)
class Operation:
    """What every operation carries.

    :ivar reference: our final reference for it, chosen before sending, kept over every repetition.
    :ivar money: what is to be moved.
    :ivar previous: movements known so far.
    """

    payment_id: PaymentId
    seq: int
    reference: str
    begin_reference: str
    provider_ref: str | None
    money: Money
    previous: tuple[KnownMovement, ...] = ()
    deadline: dt.datetime | None = None
    locale: str = "en"


@attrs.frozen(kw_only=True)
class Begin(Operation):
    """Authorize, or sell, or issue a voucher.

    :ivar capture: take the money at once instead of reserving it.
    """

    instrument: Instrument | None = None
    buyer: Buyer = Buyer()
    return_url: str | None = None
    browser: Browser | None = None
    capture: bool = False


@attrs.frozen(kw_only=True)
class Resume(Operation):
    """The buyer came back; ``parameters`` are hints only."""

    parameters: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Capture(Operation):
    """Take reserved money."""


@attrs.frozen(kw_only=True)
class Void(Operation):
    """Release reserved money."""


@attrs.frozen(kw_only=True)
class Refund(Operation):
    """Give taken money back."""


@attrs.frozen(kw_only=True)
class Query:
    """What is there? Asked by our references."""

    payment_id: PaymentId
    begin_reference: str
    provider_ref: str | None
    currency: str


# -- what gateways answer (closed sum type) ---------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Authorized:
    """Money is reserved."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime
    expires_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Captured:
    """Money is taken; ``finality`` is provisional or final."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime
    finality: str = "final"


@attrs.frozen(kw_only=True)
class Voided:
    """Reserved money is released."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Refunded:
    """Taken money is given back."""

    money: Money
    movement_ref: str
    provider_ref: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class RefundPending:
    """The provider is giving it back; not done yet."""

    money: Money
    movement_ref: str
    provider_ref: str
    arrives_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Redirect:
    """Send the buyer's browser there."""

    url: str
    method: str = "GET"
    fields: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Voucher:
    """Numbers to pay with at a store, until a deadline."""

    numbers: tuple[tuple[str, str], ...]
    url: str | None
    stores: tuple[str, ...]
    deadline: dt.datetime


@attrs.frozen(kw_only=True)
class BankInstructions:
    """Where to transfer, under which reference, until when."""

    account: str
    payer_reference: str
    deadline: dt.datetime


@attrs.frozen(kw_only=True)
class ActionRequired:
    """The buyer must act."""

    action: Redirect | Voucher | BankInstructions
    provider_ref: str
    expires_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Pending:
    """The provider is working on it."""

    reason: str
    provider_ref: str | None = None
    check_after: dt.timedelta | None = None


@attrs.frozen(kw_only=True)
class Declined:
    """A definite no; no money moved.

    :ivar code: of the standard list: insufficient_funds, expired_card, do_not_honor, lost_card, fraud,
        authentication_failed, other. :ivar retry: same, other, never.
    """

    code: str
    raw_code: str = ""
    retry: str = "other"


@attrs.frozen(kw_only=True)
class Rejected:
    """Not sent, or refused as malformed: our fault."""

    problems: tuple[Problem, ...]


@attrs.frozen(kw_only=True)
class NotSent:
    """Certainly nothing left: safe to send again with the same reference."""

    cause: str
    retry_after: dt.timedelta | None = None


@attrs.frozen(kw_only=True)
class InDoubt:
    """It may have happened."""

    cause: str
    cancel_by: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class Expired:
    """The attempt is closed without money."""

    at: dt.datetime


@attrs.frozen(kw_only=True)
class Unsupported:
    """Not declared in the capabilities; the core answers this itself."""

    what: str


Outcome = (
    Authorized
    | Captured
    | Voided
    | Refunded
    | RefundPending
    | ActionRequired
    | Pending
    | Declined
    | Rejected
    | NotSent
    | InDoubt
    | Expired
    | Unsupported
)


@attrs.frozen(kw_only=True)
class SnapshotMovement:
    """A movement as the provider tells it.

    :ivar kind: authorize, capture, void, refund, refund_failed, capture_reversed, dispute, dispute_won, dispute_lost.
    :ivar movement_ref: the provider's id of it, or built from facts that differ per movement.
    :ivar reference: our operation's reference, where the provider keeps it.
    """

    kind: str
    money: Money
    movement_ref: str
    at: dt.datetime
    reference: str = ""
    finality: str = "final"


@attrs.frozen(kw_only=True)
class Snapshot:
    """The provider's view of one payment.

    :ivar status: authorized, captured, voided, declined, expired, waiting_buyer, waiting_provider; a word for people
        and for operations that move nothing: amounts come from the movements only.
    :ivar account, mode: must equal those of the attempt.
    """

    begin_reference: str
    provider_ref: str
    status: str
    movements: tuple[SnapshotMovement, ...] = ()
    decline: Declined | None = None
    account: str = ""
    mode: str = ""
    deadline: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class NoSuchPayment:
    """The provider does not know it (yet)."""


@attrs.frozen(kw_only=True)
class QueryFailed:
    """The question itself failed; nothing is known."""

    cause: str


# -- notices ----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class RawRequest:
    """A notice as it came: raw bytes, headers with lower-case names, the sender's address as the host knows it."""

    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    remote_ip: str = ""


@attrs.frozen(kw_only=True)
class VerifiedNotice:
    """Its signature holds: the snapshot can be applied.

    :ivar event_key: the provider's id of the event, by which copies are known; empty: a digest of the body is used.
    """

    event_key: str
    snapshot: Snapshot
    sent_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class UnauthenticatedNotice:
    """An unsigned scheme: reason enough to query, nothing more. ``event_key`` as in :class:`VerifiedNotice`."""

    event_key: str
    begin_reference: str


@attrs.frozen(kw_only=True)
class ForgedNotice:
    """Signature missing or wrong, or malformed; nothing of it is believed or stored."""

    why: str


Opened = tuple[VerifiedNotice | UnauthenticatedNotice, ...] | ForgedNotice


@attrs.frozen(kw_only=True)
class Ack:
    """What to answer the provider: HTTP status and body."""

    status: int
    body: bytes = b""


# -- capabilities and protocols ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a gateway declares, and is held to.

    :ivar currencies: currency → (least, most) in minor units.
    :ivar flows: ``authorize`` and/or ``sale``. ``capture``: none, full, partial, multiple. ``refund``: likewise.
    :ivar idempotency: operation → ``key``, ``reference`` or ``none``.
    :ivar not_found_after: age after which "no such payment" is authoritative; None: never.
    :ivar reference_max, reference_chars: what our references must fit.
    :ivar webhook: mac, signature, address+query or none. :ivar ack: how an accepted notice is answered.
    :ivar timeout_s: hard limit of one call. ``max_pending``: how long pending may last.
    """

    currencies: Mapping[str, tuple[int, int]] = attrs.field(hash=False)
    flows: frozenset[str] = frozenset({"authorize"})
    capture: str = "full"
    refund: str = "none"
    refund_async: bool = False
    void: bool = False
    auth_ttl: dt.timedelta | None = None
    action_ttl: dt.timedelta = dt.timedelta(minutes=30)
    idempotency: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    not_found_after: dt.timedelta | None = None
    reference_max: int = 64
    reference_chars: str = "A-Za-z0-9-"
    webhook: str = "none"
    ack: Ack = Ack(status=200)
    buyer_needs: frozenset[str] = frozenset()
    timeout_s: float = 15.0
    max_pending: dt.timedelta = dt.timedelta(hours=1)
    horizon: dt.timedelta = dt.timedelta(hours=72)
    mode: str = "test"
    account: str = "default"


@runtime_checkable
class GatewayIo(Protocol):
    """What a gateway may use: nothing else reaches outside.

    ``request`` sends HTTP through the guarded client and marks by itself that bytes leave; a gateway on a foreign SDK
    calls ``about_to_send`` right before. ``now`` is the shop's clock.
    """

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]: ...

    def about_to_send(self) -> None: ...

    def now(self) -> dt.datetime: ...

    def log(self, text: str) -> None: ...


@runtime_checkable
class Gateway(Protocol):
    """Required of every gateway; family version: payment 1. A protocol adapter: no database, no clock, no own HTTP."""

    id: MethodCode
    label: Text

    def capabilities(self) -> Capabilities: ...

    def begin(self, io: GatewayIo, op: Begin) -> Outcome: ...

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed: ...

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened: ...


@runtime_checkable
class Resumes(Protocol):
    """Can go on after a browser return; safe to call twice."""

    def resume(self, io: GatewayIo, op: Resume) -> Outcome: ...


@runtime_checkable
class Captures(Protocol):
    """Can take reserved money."""

    def capture(self, io: GatewayIo, op: Capture) -> Outcome: ...


@runtime_checkable
class Voids(Protocol):
    """Can release reserved money."""

    def void(self, io: GatewayIo, op: Void) -> Outcome: ...


@runtime_checkable
class Refunds(Protocol):
    """Can give taken money back."""

    def refund(self, io: GatewayIo, op: Refund) -> Outcome: ...


@runtime_checkable
class ChecksConfig(Protocol):
    """Can check its settings offline."""

    def check_config(self) -> tuple[Problem, ...]: ...


@runtime_checkable
class Scrubs(Protocol):
    """Can scrub its own transcripts, on top of the core's scrubbing."""

    def scrub(self, text: str) -> str: ...


# -- what is stored ---------------------------------------------------------------------------------------------------


class OpState(enum.Enum):
    """State of one attempt to do something; the closed table is ``rules.moves.MOVES``."""

    PLANNED = "planned"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    WAITING_BUYER = "waiting_buyer"
    WAITING_PROVIDER = "waiting_provider"
    IN_DOUBT = "in_doubt"
    EXPIRED = "expired"
    CANCELED = "canceled"
    NEEDS_HUMAN = "needs_human"


class OpMove(enum.Enum):
    """What moves an operation."""

    SENDING = "sending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    BUYER_MUST_ACT = "buyer_must_act"
    PROVIDER_WORKS = "provider_works"
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"
    EXPIRED = "expired"
    ABANDONED = "abandoned"
    OVERDUE = "overdue"
    NOT_FOUND = "not_found"
    GIVEN_UP = "given_up"
    LATE_MONEY = "late_money"


@attrs.frozen(kw_only=True)
class StoredOperation:
    """One row per attempt to do something.

    :ivar request_hash: SHA-256 of the canonical request; one reference, one request.
    :ivar action: what the buyer must do, as stored, without secrets.
    :ivar check_at: when recovery looks at it next. ``checks``: how often it has, since the state last changed.
    :ivar expires_at: when the buyer's time is over; of a finished authorization, when the reservation ends.
    :ivar in_doubt_at: since when nobody knows.
    :ivar late: its money came after it had been given up.
    :ivar retry: of a decline: same, other, never.
    """

    id: OperationId
    payment_id: PaymentId
    seq: int
    kind: OperationKind
    state: OpState
    reference: str
    amount_minor: int
    request_hash: str
    version: int
    planned_at: dt.datetime
    sent_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    check_at: dt.datetime | None = None
    checks: int = 0
    cause: str = ""
    decline_code: str | None = None
    action: Mapping[str, Any] | None = attrs.field(default=None, hash=False)
    expires_at: dt.datetime | None = None
    late: bool = False
    key: str | None = None
    in_doubt_at: dt.datetime | None = None
    retry: str = ""


@attrs.frozen(kw_only=True)
class StoredMovement:
    """A single entry that never changes; unique by gateway, account, mode and movement_ref."""

    id: MovementId
    payment_id: PaymentId
    kind: str
    amount_minor: int
    currency: str
    gateway: MethodCode
    account: str
    mode: str
    movement_ref: str
    reference: str
    finality: str
    at: dt.datetime
    recorded_at: dt.datetime


@attrs.frozen(kw_only=True)
class Sums:
    """Sums over a payment's movements, in minor units."""

    authorized: int = 0
    captured_provisional: int = 0
    captured_final: int = 0
    voided: int = 0
    refund_pending: int = 0
    refunded: int = 0
    disputed: int = 0

    @property
    def captured(self) -> int:
        """Taken, provisional or final."""
        return self.captured_provisional + self.captured_final


@attrs.frozen(kw_only=True)
class Payment:
    """One attempt to pay; a new attempt is a new Payment. Its status is a function, never stored, never a gate.

    :ivar held_by: who holds the money: shop, seller, channel, provider, carrier.
    :ivar earned_minor: what the shop has earned of it by handing goods over: so much is to be captured.
    """

    id: PaymentId
    order_id: OrderId
    cart_id: CartId | None
    method: MethodCode
    tender: str
    held_by: str
    amount_minor: int
    currency: str
    begin_reference: str
    provider_ref: str | None
    account: str
    mode: str
    version: int
    created_at: dt.datetime
    earned_minor: int = 0
    operations: tuple[StoredOperation, ...] = ()
    movements: tuple[StoredMovement, ...] = ()

    @property
    def amount(self) -> Money:
        """What it is to bring."""
        return from_minor(self.amount_minor, self.currency)


@attrs.frozen(kw_only=True)
class Application:
    """Money of a payment applied to an order; signed."""

    payment_id: PaymentId
    order_id: OrderId
    amount_minor: int
    currency: str
    at: dt.datetime
    by: str


@attrs.frozen(kw_only=True)
class Notice:
    """A stored notice: acknowledged once it is committed, applied at most once."""

    id: NoticeId
    gateway: MethodCode
    event_key: str
    state: str
    verdict: str
    begin_reference: str
    received_at: dt.datetime
    tries: int = 0
    reason: str = ""


@attrs.frozen(kw_only=True)
class Task:
    """Something only a person can do: a refund that failed, money nobody expected. One per payment, kind and ``about``.

    :ivar kind: give_back, overpaid, underpaid, revive, late_money, refund_failed, dispute, misfit, in_doubt, not_sent,
        uncaptured, over_captured.
    :ivar about: what it is about: an operation's id, a movement's reference, or nothing.
    """

    kind: str
    payment_id: PaymentId
    amount_minor: int
    reason: str
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None
    about: str = ""


class PaymentState(enum.Enum):
    """What a payment's operations and movements amount to; computed, never stored."""

    NEW = "new"
    AWAITING_BUYER = "awaiting_buyer"
    AWAITING_FUNDS = "awaiting_funds"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    AUTH_EXPIRED = "auth_expired"
    PARTIALLY_CAPTURED = "partially_captured"
    PAID_PROVISIONAL = "paid_provisional"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    LATE_PAID = "late_paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    CHARGED_BACK = "charged_back"
    VOIDED = "voided"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELED = "canceled"


@attrs.frozen(kw_only=True)
class PaymentStatus:
    """A payment's state and what lies over it.

    :ivar in_doubt: an operation's outcome is unknown: no new money operation is possible, the sums stay as they are.
    :ivar needs_human: recovery gave up on it; a person must find evidence.
    :ivar late: its money came after it had been given up.
    """

    state: PaymentState
    in_doubt: bool = False
    needs_human: bool = False
    refund_pending: bool = False
    refund_failed: bool = False
    late: bool = False


@attrs.frozen(kw_only=True)
class PaymentResult:
    """How a payment stands, for who asked: what the buyer must do next, or why it was declined.

    :ivar payment: None where nothing is to be paid.
    :ivar action: where to send the buyer, or what to pay with.
    :ivar decline: the newest definite no; its text for buyers is ``decline.<code>``.
    """

    payment: Payment | None
    status: PaymentStatus
    action: Redirect | Voucher | BankInstructions | None = None
    decline: Declined | None = None

    def text(self, locale: str = "en") -> str:
        """What to tell the buyer where it did not simply work: why it was declined, or that it is being checked."""
        if self.status.in_doubt or self.status.needs_human:
            return say("payment.in_doubt", locale)
        return say(f"decline.{self.decline.code}", locale) if self.decline is not None else ""


@attrs.frozen(kw_only=True)
class ChaseReport:
    """What one round of recovery did.

    :ivar sent: planned operations sent. ``asked``: operations looked up at their provider.
    :ivar settled: operations that ended. ``in_doubt``: still unknown. ``needs_human``: given up on.
    :ivar failed: operations this round stumbled over; they come up again.
    """

    sent: int = 0
    asked: int = 0
    settled: int = 0
    in_doubt: int = 0
    needs_human: int = 0
    released: int = 0
    failed: int = 0
    notices: int = 0


# -- events -----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class PaymentEvent(Event):
    """Base of payment events; ``payment_changed`` hears them all."""

    payment_id: PaymentId
    order_id: OrderId
    amount_minor: int
    currency: str

    @property
    def subject(self) -> Ref:
        """The payment."""
        return Ref("payment", self.payment_id)


@attrs.frozen(kw_only=True)
class PaymentAuthorized(PaymentEvent):
    """Money is reserved."""

    name: ClassVar[str] = "payment.authorized"


@attrs.frozen(kw_only=True)
class PaymentCaptured(PaymentEvent):
    """Money is taken."""

    name: ClassVar[str] = "payment.captured"


@attrs.frozen(kw_only=True)
class PaymentVoided(PaymentEvent):
    """Reserved money is released."""

    name: ClassVar[str] = "payment.voided"


@attrs.frozen(kw_only=True)
class PaymentRefunded(PaymentEvent):
    """Money is given back."""

    name: ClassVar[str] = "payment.refunded"


@attrs.frozen(kw_only=True)
class PaymentDeclined(PaymentEvent):
    """The provider said no."""

    name: ClassVar[str] = "payment.declined"
    decline_code: str


@attrs.frozen(kw_only=True)
class PaymentInDoubt(PaymentEvent):
    """It may have happened; recovery is asking."""

    name: ClassVar[str] = "payment.in_doubt"


@attrs.frozen(kw_only=True)
class PaymentNeedsHuman(PaymentEvent):
    """Recovery gave up; a person must find evidence."""

    name: ClassVar[str] = "payment.needs_human"


@attrs.frozen(kw_only=True)
class PaymentApplied(PaymentEvent):
    """Money of a payment was applied to its order."""

    name: ClassVar[str] = "payment.applied"


@attrs.frozen(kw_only=True)
class LateMoney(PaymentEvent):
    """Money arrived for an order that no longer waits for it."""

    name: ClassVar[str] = "payment.late"


GIVE_BACK = "give_back"
REVIVE = "revive"
