"""One running provider: its parts, and how a request of the shop passes through script, books, notices and answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from eckit_sandbox.provider.acquirer import Acquirer, Act, Done, Wish, no_such_payment
from eckit_sandbox.provider.clock import ProviderClock
from eckit_sandbox.provider.faults import RESET, Answer, StoredErrors, answer_json, spoil
from eckit_sandbox.provider.ledger import Ledger, Operation
from eckit_sandbox.provider.notices import Notices, Policy
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.script import Manners, Script
from eckit_sandbox.provider.timers import Timers


class Settings(NamedTuple):
    """What a provider is started with. ``pending_seconds`` None: pending things wait for ``/control/resolve``."""

    ledger: Path
    accounts: tuple[str, ...]
    mode: str
    api_key: str
    notify_secret: str
    notify_url: str | None
    pending_seconds: float | None
    policy: Policy


class Provider:
    """Everything behind the HTTP server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.base_url = ""
        self.stopping = threading.Event()
        self.clock = ProviderClock()
        self.ledger = Ledger(settings.ledger)
        self.script = Script()
        self.stored = StoredErrors()
        self.timers = Timers()
        self.notices = Notices(self.ledger, self.clock, self.timers, settings.notify_secret, settings.policy)
        self.acquirer = Acquirer(self.ledger, self.clock, settings.mode, lambda: self.base_url)

    def open(self, base_url: str) -> None:
        """Begin to work: take up pending verdicts and notices that an earlier run left behind."""
        self.base_url = base_url
        for payment in self.ledger.waiting_payments():
            self._judge_later(payment.id)
        for operation in self.ledger.waiting_operations():
            self._judge_later(operation)
        self.notices.aim(self.settings.notify_url)

    def close(self) -> None:
        """Stop; requests that hang are let go."""
        self.stopping.set()
        self.timers.stop()
        self.ledger.close()

    def reset(self) -> None:
        """Forget everything that happened or was set, as after a start on a new file with the same secrets."""
        self.notices.reset()
        self.ledger.wipe()
        self.script.clear()
        self.stored.clear()
        self.clock.set(None)
        self.notices.aim(self.settings.notify_url)

    # --- requests of the shop ----------------------------------------------------------------------------------

    def begin(self, wish: Wish, manners: Manners) -> Answer:
        """Begin a payment."""

        def work() -> Answer:
            done = self.acquirer.begin(wish)
            self._announce(done, manners)
            return _made(done)

        return self._serve("begin", wish.account, wish.reference, manners, work)

    def act(self, act: Act, manners: Manners) -> Answer:
        """Capture, void or refund."""

        def work() -> Answer:
            done = self.acquirer.act(act, manners)
            waits = self.ledger.operation(act.account, act.reference) if done.pending else None
            self._announce(done, manners, waits)
            return _made(done)

        return self._serve(act.kind, act.account, act.reference, manners, work)

    def look(self, account: str, reference: str, manners: Manners) -> Answer:
        """Answer a query."""
        look = self.acquirer.look
        return self._serve("query", account, reference, manners, lambda: answer_json(200, look(account, reference)))

    def _serve(
        self, operation: str, account: str, reference: str, manners: Manners, work: Callable[[], Answer]
    ) -> Answer:
        if late := manners.get("delay"):
            self.stopping.wait(late.number)
        if manners.get("refuse_before"):
            return RESET
        if limit := manners.get("rate_limit"):
            error = RefusalError(429, "rate_limited", "too many requests")
            return answer_json(429, error.body(), ("Retry-After", f"{limit.number:.0f}"))
        if stored := self.stored.replay(operation, account, reference):
            return stored
        try:
            answer = work()
        except RefusalError as refusal:
            answer = answer_json(refusal.status, refusal.body())
        if store := manners.get("stored_5xx"):
            self.stored.store(operation, account, reference, store.number)
            return self.stored.error()
        return spoil(answer, manners, operation)

    # --- what goes on by itself --------------------------------------------------------------------------------

    def _announce(self, done: Done, manners: Manners, waits: Operation | None = None) -> None:
        if done.notice is not None:
            self.notices.post(done.notice, manners)
        if done.pending is not None:
            self._judge_later(waits or done.pending)

    def _judge_later(self, subject: Operation | str) -> None:
        if self.settings.pending_seconds is not None:

            def judge() -> None:
                with suppress(KeyError):  # forgotten meanwhile by a reset
                    self._judge(subject)

            self.timers.after(self.settings.pending_seconds, judge)

    def _judge(self, subject: Operation | str) -> Done:
        done = self.acquirer.resolve(subject) if isinstance(subject, str) else self.acquirer.settle(subject)
        payment = done.body.get("payment", done.body)
        reference = payment["reference"] if isinstance(subject, str) else subject.reference
        self.told(done, "resolve", payment["account"], payment["reference"], reference)
        return done

    def resolve(self, account: str, reference: str) -> Done:
        """Speak the verdict on a pending payment or a pending refund now."""
        if operation := self.ledger.operation(account, reference):
            return self._judge(operation)
        if payment := self.ledger.payment(account, reference):
            return self._judge(payment.id)
        raise no_such_payment()

    def decide(self, secret: str, *, approve: bool) -> Done:
        """Take the buyer's decision on a challenge."""
        done = self.acquirer.decide(secret, approve=approve)
        self.told(done, "challenge", done.body["account"], done.body["reference"], done.body["reference"])
        return done

    def told(self, done: Done, operation: str, account: str, payment: str, reference: str) -> None:
        """Send the notice of a change that no request of the shop caused."""
        if done.notice is not None:
            self.notices.post(done.notice, self.script.take(operation, account, payment, reference))


def _made(done: Done) -> Answer:
    replayed = () if done.is_new else (("Sandbox-Replayed", "true"),)
    return answer_json(201 if done.is_new else 200, done.body, *replayed)
