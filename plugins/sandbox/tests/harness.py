"""The sandbox as the conformance kit drives it."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from eckit import CardToken, RawRequest, Secret
from eckit.kernel.ids import MethodCode
from eckit.testing.payments import Harness, LedgerEntry, NotApplicable, Settings
from eckit.testing.payments.listeners import Mailbox
from eckit_sandbox.process import SandboxProcess
from eckit_sandbox.provider.notices import SIGNATURE, sign

_TOKENS = {
    "approve": "tok_ok",
    "decline": "tok_declined_insufficient_funds",
    "challenge": "tok_challenge",
    "pending": "tok_pending_ok",
    "insufficient_funds": "tok_declined_insufficient_funds",
    "expired_card": "tok_declined_expired_card",
    "do_not_honor": "tok_declined_do_not_honor",
    "lost_card": "tok_declined_lost_card",
    "fraud": "tok_declined_fraud",
}
_WISHES = {
    "over_capture": "over_capture_allowed",
    "over_refund": "over_refund_allowed",
    "refund_async": "refund_async(done)",
    "refund_fails": "refund_async(failed)",
}
_MUTATIONS = {
    "amount": "wrong_amount",
    "currency": "wrong_currency",
    "account": "wrong_account",
    "mode": "wrong_mode",
    "stale": "stale",
    "other_secret": "missign",
    "reserialized": "reserialized",
    "unsigned": "unsigned",
}


class SandboxHarness(Harness):
    """One provider process for all checks."""

    method = MethodCode("sandbox.card")
    plugins = ("eckit_sandbox:plugin",)
    declines: ClassVar[Mapping[str, str]] = {
        code: code for code in ("insufficient_funds", "expired_card", "do_not_honor", "lost_card", "fraud")
    }
    notice_time_limit = dt.timedelta(minutes=5)

    def start(self, directory: Path) -> None:
        self._mailbox = Mailbox()
        self._process = SandboxProcess(directory, self._mailbox.url, notify_attempts=1)
        self._process.start()

    def stop(self) -> None:
        self._process.stop()
        self._mailbox.close()
        assert "Traceback" not in (self._process.directory / "provider.log").read_text(encoding="utf-8")

    def reset(self) -> None:
        self._process.reset()
        self._mailbox.kept.clear()

    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._process.port

    def set_clock(self, now: dt.datetime) -> None:
        self._process.set_clock(now, running=False)

    def settings(self, base_url: str, *, hasty: bool = False) -> Settings:
        return {"sandbox": {**self._process.settings(), "base_url": base_url, "timeout": 1 if hasty else 5}}

    def other_mode(self, base_url: str) -> Settings:
        return {"sandbox": {**self.settings(base_url)["sandbox"], "mode": "live"}}

    def instrument(self, behavior: str) -> CardToken:
        if behavior not in _TOKENS:
            raise NotApplicable(f"no token for {behavior}")
        return CardToken(token=Secret(_TOKENS[behavior]))

    def buyer(self, action: str, reference: str) -> None:
        match action:
            case "approve":
                self._process.approve(reference)
            case "deny":
                self._process.deny(reference)
            case "expire":
                self._process.expire(reference)
            case "resolve":
                self._process.resolve(reference)
            case _:
                raise NotApplicable(f"nobody can {action}")

    def provider_ledger(self, reference: str | None = None) -> tuple[LedgerEntry, ...]:
        return tuple(
            LedgerEntry(payment=one.payment, kind=one.kind, amount_minor=one.amount, currency=one.currency)
            for one in self._process.ledger(reference)
        )

    def notices(self, reference: str) -> tuple[RawRequest, ...]:
        assert self._process.wait_for_notices()
        return tuple(one for one in self._mailbox.kept if _event(one)["payment"]["reference"] == reference)

    def deliver(self, notice: RawRequest, mutation: str) -> RawRequest:
        event_id = _event(notice)["event_id"]
        self._process.deliver(events=[event_id], mutation=_MUTATIONS[mutation] if mutation else None)
        return self._mailbox.kept.pop()

    def batch(self, notices: Sequence[RawRequest], broken: int) -> RawRequest:
        events = [_event(one)["event_id"] for one in notices]
        self._process.deliver(events=events, batch=True, broken=broken + 1)
        return self._mailbox.kept.pop()

    def signed(self, body: bytes) -> RawRequest:
        now = dt.datetime.fromisoformat(self._process.state()["now"])
        signature = sign(self._process.secret, int(now.timestamp()), body)
        headers = {"content-type": "application/json", SIGNATURE.lower(): signature}
        return RawRequest(body=body, headers=headers, remote_ip="127.0.0.1")

    def provider(self, wish: str) -> None:
        if wish not in _WISHES:
            raise NotApplicable(f"the provider cannot {wish}")
        self._process.script({"do": _WISHES[wish]})

    def reset_wishes(self) -> None:
        self._process.clear()

    def office(self, reference: str, kind: str, amount_minor: int) -> None:
        self._process.office(reference, kind, None if kind == "void" else amount_minor)


def _event(notice: RawRequest) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(notice.body)
    return event
