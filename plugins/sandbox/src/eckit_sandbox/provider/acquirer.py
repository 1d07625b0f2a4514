"""The provider's business: what a begin, capture, void or refund does, each reference at most once."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from eckit_sandbox.provider.accounts import Sums, is_expired, snapshot, sums
from eckit_sandbox.provider.clock import ProviderClock, written
from eckit_sandbox.provider.ledger import Ledger, Movement, Notice, Operation, Payment
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.script import TOKEN_STEPS, Manners

DECLINES: Final = ("insufficient_funds", "expired_card", "do_not_honor", "lost_card", "fraud")
CHALLENGE_TIME: Final = dt.timedelta(minutes=15)
AUTHORIZATION_TIME: Final = dt.timedelta(days=7)


class Wish(NamedTuple):
    """A request to begin a payment, already checked for its form. ``amount`` is in minor units."""

    account: str
    reference: str
    amount: int
    currency: str
    token: str
    capture: bool
    return_url: str | None
    metadata: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """What must be the same when the reference is the same; the token itself is not kept."""
        return _fingerprint(self.amount, self.currency, self.capture, self.token)


class Act(NamedTuple):
    """A request for a capture, void or refund. A void has the amount 0: it releases what is left."""

    account: str
    payment: str
    kind: str
    reference: str
    amount: int

    @property
    def fingerprint(self) -> str:
        """What must be the same when the reference is the same."""
        return _fingerprint(self.payment, self.kind, self.amount)


class Done(NamedTuple):
    """What came of a request: the answer's body, whether it is news, the notice to send, what is still to be judged."""

    body: dict[str, Any]
    is_new: bool
    notice: Notice | None
    pending: str | None = None


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def judge(token: str) -> tuple[str, str]:
    """Return the first state of a payment with this token, and the verdict that follows: ``ok`` or a decline code."""
    name = token.removeprefix("tok_")
    known = {
        "ok": ("approved", "ok"),
        "challenge": ("challenge", "ok"),
        "challenge_fails": ("challenge", "authentication_failed"),
        "pending_ok": ("pending", "ok"),
        "pending_fails": ("pending", "do_not_honor"),
        **{f"declined_{code}": ("declined", code) for code in DECLINES},
        **dict.fromkeys(TOKEN_STEPS, ("approved", "ok")),
    }
    if name not in known:
        raise RefusalError(422, "unknown_token", f"there are the tokens tok_ + {', '.join(known)}", field="token")
    return known[name]


class Acquirer:
    """Decides and books. Every method is one transaction and safe to call from many threads."""

    def __init__(self, ledger: Ledger, clock: ProviderClock, mode: str, base_url: Callable[[], str]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._mode = mode
        self._base_url = base_url

    # --- beginning ---------------------------------------------------------------------------------------------

    def begin(self, wish: Wish) -> Done:
        """Begin a payment, or return the one that has this reference already."""
        state, verdict = judge(wish.token)
        with self._ledger.change():
            if known := self._ledger.payment(wish.account, wish.reference):
                _require_same(known.fingerprint, wish.fingerprint)
                return Done(self._view(known), False, None)
            payment = self._open(wish, state, verdict)
            self._ledger.add_payment(payment)
            if state == "approved":
                self._book_approval(payment)
            waits = payment.id if state == "pending" else None
            return Done(self._view(payment), True, self._tell(payment), waits)

    def _open(self, wish: Wish, state: str, verdict: str) -> Payment:
        now = self._clock.now()
        return Payment(
            id=new_id("pay"),
            account=wish.account,
            reference=wish.reference,
            mode=self._mode,
            amount=wish.amount,
            currency=wish.currency,
            capture=int(wish.capture),
            state=state,
            code=verdict if state == "declined" else None,
            verdict=verdict,
            fingerprint=wish.fingerprint,
            challenge=secrets.token_urlsafe(24) if state == "challenge" else None,
            return_url=wish.return_url,
            metadata=json.dumps(wish.metadata),
            created_at=written(now),
            expires_at=self._deadline(state, capture=wish.capture, now=now),
            sequence=1,
        )

    def _deadline(self, state: str, *, capture: bool, now: dt.datetime) -> str | None:
        if state == "challenge":
            return written(now + CHALLENGE_TIME)
        return written(now + AUTHORIZATION_TIME) if state == "approved" and not capture else None

    def _book_approval(self, payment: Payment) -> None:
        kind = "capture" if payment.capture else "authorize"
        self._book(payment, kind, payment.amount, payment.reference)

    # --- waiting for a verdict ---------------------------------------------------------------------------------

    def challenge(self, secret: str) -> tuple[Payment, str]:
        """Return the payment of a challenge page and its present status; 404 if there is none."""
        with self._ledger.change():
            return self._challenged(secret)

    def decide(self, secret: str, *, approve: bool) -> Done:
        """Take the buyer's decision. A second decision changes nothing."""
        with self._ledger.change():
            payment, status = self._challenged(secret)
            if status != "challenge":
                return Done(self._view(payment), False, None)
            return self._speak(payment, payment.verdict if approve else "challenge_denied")

    def _challenged(self, secret: str) -> tuple[Payment, str]:
        payment = self._ledger.payment_by_challenge(secret)
        if payment is None:
            raise RefusalError(404, "no_such_challenge", "there is no such challenge")
        return payment, str(self._view(payment)["status"])

    def resolve(self, payment_id: str) -> Done:
        """Speak the verdict on a pending payment. A second time changes nothing."""
        with self._ledger.change():
            payment = self._ledger.payment_by_id(payment_id)
            if payment.state != "pending":
                return Done(self._view(payment), False, None)
            return self._speak(payment, payment.verdict)

    def _speak(self, payment: Payment, verdict: str) -> Done:
        if verdict == "ok":
            deadline = self._deadline("approved", capture=bool(payment.capture), now=self._clock.now())
            payment = payment._replace(state="approved", expires_at=deadline)
            self._book_approval(payment)
        else:
            payment = payment._replace(state="declined", code=verdict, expires_at=None)
        payment, notice = self._changed(payment)
        return Done(self._view(payment), True, notice)

    def expire(self, account: str, reference: str) -> Done:
        """Let the time of a challenge or a reservation have passed, as of now."""
        with self._ledger.change():
            payment = self._known(account, reference)
            if payment.expires_at is None:
                raise RefusalError(409, "does_not_expire", "this payment has no deadline")
            payment, notice = self._changed(payment._replace(expires_at=self._clock.text()))
            return Done(self._view(payment), True, notice)

    # --- capture, void, refund ---------------------------------------------------------------------------------

    def act(self, act: Act, manners: Manners) -> Done:
        """Capture, void or refund, or return what this reference did already."""
        with self._ledger.change():
            payment = self._known(act.account, act.payment)
            if known := self._ledger.operation(act.account, act.reference):
                _require_same(known.fingerprint, act.fingerprint)
                return Done(self._operated(payment, known), False, None)
            total = self._sums(payment)
            amount = self._allowed(payment, act, total, manners)
            operation = self._operate(payment, act, amount, manners)
            payment = self._after_void(payment, act)
            payment, notice = self._changed(payment)
            waits = operation.id if operation.state == "pending" else None
            return Done(self._operated(payment, operation), True, notice, waits)

    def _allowed(self, payment: Payment, act: Act, total: Sums, manners: Manners) -> int:
        now = self._clock.text()
        unlimited = manners.get("over_capture_allowed") is not None
        if act.kind == "void":
            return _voidable(payment, total, now, unlimited=unlimited)
        if act.kind == "capture":
            return _capturable(payment, act.amount, total, now, unlimited=unlimited)
        return _refundable(act.amount, total, unlimited=manners.get("over_refund_allowed") is not None)

    def _operate(self, payment: Payment, act: Act, amount: int, manners: Manners) -> Operation:
        later = manners.get("refund_async") if act.kind == "refund" else None
        movement = None if later or not amount else self._book(payment, act.kind, amount, act.reference)
        operation = Operation(
            id=new_id("op"),
            account=act.account,
            reference=act.reference,
            payment_id=payment.id,
            kind=act.kind,
            amount=amount,
            fingerprint=act.fingerprint,
            state="pending" if later else "done",
            code=None,
            verdict="account_closed" if later and later.word == "failed" else "ok",
            movement_id=movement,
            at=self._clock.text(),
        )
        self._ledger.add_operation(operation)
        return operation

    @staticmethod
    def _after_void(payment: Payment, act: Act) -> Payment:
        closes = act.kind == "void" and payment.state == "challenge"
        return payment._replace(state="closed", expires_at=None) if closes else payment

    def settle(self, operation: Operation) -> Done:
        """Speak the verdict on a pending refund. A second time changes nothing."""
        with self._ledger.change():
            payment = self._ledger.payment_by_id(operation.payment_id)
            current = self._ledger.operation(operation.account, operation.reference)
            if current is None or current.state != "pending":
                return Done(self._view(payment), False, None)
            if current.verdict == "ok":
                movement = self._book(payment, current.kind, current.amount, current.reference)
                current = current._replace(state="done", movement_id=movement)
            else:
                current = current._replace(state="failed", code=current.verdict)
            self._ledger.save_operation(current)
            payment, notice = self._changed(payment)
            return Done(self._operated(payment, current), True, notice)

    # --- looking -----------------------------------------------------------------------------------------------

    def look(self, account: str, reference: str) -> dict[str, Any]:
        """Return the snapshot of a payment; 404 ``no_such_payment`` if there is none."""
        with self._ledger.change():
            return self._view(self._known(account, reference))

    def _known(self, account: str, reference: str) -> Payment:
        payment = self._ledger.payment(account, reference)
        if payment is None:
            raise no_such_payment()
        return payment

    def _sums(self, payment: Payment) -> Sums:
        return sums(self._ledger.movements(payment.id), self._ledger.operations(payment.id))

    def _view(self, payment: Payment) -> dict[str, Any]:
        movements = self._ledger.movements(payment.id)
        operations = self._ledger.operations(payment.id)
        return snapshot(payment, movements, operations, now=self._clock.text(), base_url=self._base_url())

    def _operated(self, payment: Payment, operation: Operation) -> dict[str, Any]:
        view = self._view(payment)
        mine = next(one for one in view["operations"] if one["reference"] == operation.reference)
        return {"operation": mine, "payment": view}

    # --- writing -----------------------------------------------------------------------------------------------

    def _book(self, payment: Payment, kind: str, amount: int, reference: str) -> str:
        movement = Movement(
            n=0,
            id=new_id("mov"),
            account=payment.account,
            mode=payment.mode,
            payment_id=payment.id,
            payment=payment.reference,
            kind=kind,
            amount=amount,
            currency=payment.currency,
            at=self._clock.text(),
            reference=reference,
            finality="final",
        )
        self._ledger.add_movement(movement)
        return movement.id

    def _changed(self, payment: Payment) -> tuple[Payment, Notice]:
        payment = payment._replace(sequence=payment.sequence + 1)
        self._ledger.save_payment(payment)
        return payment, self._tell(payment)

    def _tell(self, payment: Payment) -> Notice:
        event_id, now = new_id("evt"), self._clock.text()
        event = {
            "event_id": event_id,
            "account": payment.account,
            "mode": payment.mode,
            "created_at": now,
            "sequence": payment.sequence,
            "payment": self._view(payment),
        }
        body = json.dumps(event, separators=(",", ":"))
        notice = Notice(
            0, event_id, payment.account, payment.id, payment.reference, payment.sequence, body, now, "waiting", 0, None
        )
        self._ledger.add_notice(notice)
        return notice


def no_such_payment() -> RefusalError:
    """Return the refusal that says, on the provider's authority, that a payment does not exist."""
    return RefusalError(404, "no_such_payment", "there is no payment with this reference in this account")


_LETTERS: Final = str.maketrans("0123456789", "ghjkmnpqrs")


def new_id(prefix: str) -> str:
    """Return 80 random bits in letters only, so that no id can look like a card number."""
    return f"{prefix}_{secrets.token_hex(10).translate(_LETTERS)}"


def _require_same(known: str, given: str) -> None:
    if known != given:
        raise RefusalError(409, "reference_reused", "this reference was used for another request", field="reference")


def _voidable(payment: Payment, total: Sums, now: str, *, unlimited: bool) -> int:
    if payment.state == "challenge" and not is_expired(payment, now):
        return 0
    _require_approved(payment)
    if not total.reserved and unlimited:
        return total.authorized
    if not total.reserved:
        code = "already_voided" if total.voided else "already_captured"
        raise RefusalError(409, code, "nothing is reserved any more")
    return total.reserved


def _capturable(payment: Payment, amount: int, total: Sums, now: str, *, unlimited: bool) -> int:
    _require_approved(payment)
    if unlimited:
        return amount
    if not total.reserved:
        code = "already_voided" if total.voided else "already_captured"
        raise RefusalError(409, code, "nothing is reserved any more", remaining=0)
    if is_expired(payment, now):
        raise RefusalError(409, "authorization_expired", "the reservation has expired")
    if amount > total.reserved:
        raise _too_large(total.reserved)
    return amount


def _refundable(amount: int, total: Sums, *, unlimited: bool) -> int:
    if not total.captured:
        raise RefusalError(409, "not_captured", "nothing has been captured")
    if unlimited:
        return amount
    if total.refundable <= 0:
        raise RefusalError(409, "already_refunded", "nothing is left to refund", remaining=0)
    if amount > total.refundable:
        raise _too_large(total.refundable)
    return amount


def _too_large(remaining: int) -> RefusalError:
    message = f"at most {remaining} is left"
    return RefusalError(409, "amount_too_large", message, field="amount", remaining=remaining)


def _require_approved(payment: Payment) -> None:
    if payment.state == "closed":
        raise RefusalError(409, "already_voided", "the payment was closed")
    if payment.state != "approved":
        raise RefusalError(409, "not_authorized", "the payment is not authorized")
