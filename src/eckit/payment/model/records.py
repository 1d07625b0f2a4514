"""What is stored: payments, their operations and movements, and what is computed from them."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any

import attrs
from moneyed import Money

from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import CartId, MethodCode, MovementId, NoticeId, OperationId, OrderId, PaymentId
from eckit.kernel.money import from_minor
from eckit.kernel.texts import say
from eckit.payment.model.answers import BankInstructions, Declined, Redirect, Voucher
from eckit.payment.model.asking import OperationKind


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
    action: Mapping[str, Any] | None = attrs.field(
        converter=attrs.converters.optional(frozen_map), default=None, hash=False
    )
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
    :ivar keep_minor: how much of it its order still wants, once something was canceled; the rest is given back.
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
    keep_minor: int | None = None
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
