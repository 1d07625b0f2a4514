"""Telling the shop: signed notices, sent after each change until they are acknowledged, or misbehaving on purpose."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from eckit_sandbox.provider.clock import ProviderClock
from eckit_sandbox.provider.ledger import Ledger, Notice
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.script import Manners
from eckit_sandbox.provider.timers import Timers

SIGNATURE: Final = "Sandbox-Signature"
SENDERS: Final = 4
TIMEOUT: Final = 5.0


def sign(secret: str, at: int, body: bytes) -> str:
    """Return the header's value: ``t=<unix seconds>,v1=<hex HMAC-SHA256 over "t.body">``."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


class Policy(NamedTuple):
    """How often a notice is tried, and the pause before the second try, doubled before each further one."""

    attempts: int = 6
    backoff: float = 0.2


class Sending(NamedTuple):
    """One try: which notice, and in which way it is spoiled (``""`` for not at all)."""

    event_id: str
    mutation: str = ""
    age: float = 0.0
    retried: bool = True


def _event(body: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    event = json.loads(body)
    change(event)
    return json.dumps(event, separators=(",", ":")).encode()


def _other_amount(event: dict[str, Any]) -> None:
    payment = event["payment"]
    payment["amount"] += 1
    for movement in payment["movements"]:
        movement["amount"] += 1


def _other_currency(event: dict[str, Any]) -> None:
    other = "EUR" if event["payment"]["currency"] == "USD" else "USD"
    for part in (event["payment"], *event["payment"]["movements"]):
        part["currency"] = other


def _other_mode(event: dict[str, Any]) -> None:
    event["mode"] = event["payment"]["mode"] = "live" if event["mode"] == "test" else "test"


def _other_account(event: dict[str, Any]) -> None:
    event["account"] = event["payment"]["account"] = "someone-else"


SPOILED: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "wrong_amount": _other_amount,
    "wrong_currency": _other_currency,
    "wrong_mode": _other_mode,
    "wrong_account": _other_account,
}
"""Mutations that are signed correctly but tell something untrue."""

MUTATIONS: Final = ("missign", "unsigned", "reserialized", "stale", *SPOILED)


def _unreadable(event: dict[str, Any]) -> None:
    event["payment"]["movements"] = "\ufffd"


class Notices:
    """Sends notices on a few threads, those of one payment in turn, and never inside a transaction."""

    def __init__(self, ledger: Ledger, clock: ProviderClock, timers: Timers, secret: str, policy: Policy) -> None:
        self._ledger = ledger
        self._clock = clock
        self._timers = timers
        self._secret = secret
        self._policy = policy
        self._lock = threading.Lock()
        self._held: list[str] = []
        self._url: str | None = None
        self._queues: list[queue.SimpleQueue[Sending]] = [queue.SimpleQueue() for _ in range(SENDERS)]
        for number, line in enumerate(self._queues):
            threading.Thread(target=self._send_all, args=(line,), name=f"notices-{number}", daemon=True).start()

    def reset(self) -> None:
        """Aim nowhere and hold nothing."""
        with self._lock:
            self._held.clear()
        self._url = None

    @property
    def url(self) -> str | None:
        """Where notices go; None keeps them waiting."""
        return self._url

    def aim(self, url: str | None) -> None:
        """Send notices to ``url`` (this machine only) from now on, those still waiting included."""
        if url is not None and not is_local(url):
            raise RefusalError(
                422, "not_local", "notices go to this machine only (127.0.0.0/8, ::1, localhost)", field="url"
            )
        self._url = url
        self.resume()

    def resume(self) -> None:
        """Take up what was left waiting."""
        if self._url is not None:
            for notice in self._ledger.notices(state="waiting"):
                self._line(notice).put(Sending(notice.event_id))

    # --- what becomes of a new notice --------------------------------------------------------------------------

    def post(self, notice: Notice, manners: Manners) -> None:
        """Send a new notice as the manners demand; returns at once unless it must arrive before the answer."""
        if manners.get("notice_drop"):
            self._ledger.mark_notice(notice.event_id, "dropped")
            return
        if self._url is None:
            return
        if manners.get("notice_reorder"):
            self._hold(notice)
            return
        sending = self._spoiled(notice, manners)
        line = self._line(notice)
        if manners.get("notice_before_answer"):
            self.deliver(sending)
        elif late := manners.get("notice_delay"):
            self._timers.after(late.number, lambda: line.put(sending))
        else:
            line.put(sending)
        double = manners.get("notice_duplicate")
        for _ in range(int(double.number) - 1 if double else 0):
            line.put(sending._replace(retried=False))
        self._release(line)

    def _spoiled(self, notice: Notice, manners: Manners) -> Sending:
        for mutation in MUTATIONS:
            if step := manners.get(f"notice_{mutation}"):
                return Sending(notice.event_id, mutation, step.number)
        return Sending(notice.event_id)

    def _hold(self, notice: Notice) -> None:
        self._ledger.mark_notice(notice.event_id, "held")
        with self._lock:
            self._held.append(notice.event_id)

    def _release(self, line: queue.SimpleQueue[Sending]) -> None:
        """Let go what was held until a newer notice: it follows that one on the same thread."""
        with self._lock:
            held, self._held = self._held, []
        for event_id in held:
            self._ledger.mark_notice(event_id, "waiting")
            line.put(Sending(event_id))

    def _line(self, notice: Notice) -> queue.SimpleQueue[Sending]:
        return self._queues[int(hashlib.sha256(notice.payment_id.encode()).hexdigest(), 16) % SENDERS]

    # --- sending -----------------------------------------------------------------------------------------------

    def _send_all(self, line: queue.SimpleQueue[Sending]) -> None:
        while True:
            sending = line.get()
            try:
                notice = self._ledger.notice(sending.event_id)
                if notice is None or (sending.retried and notice.state != "waiting"):
                    continue  # delivered meanwhile by hand, dropped, or forgotten
                if self._url is not None:
                    self.deliver(sending)
            except RefusalError:
                continue  # forgotten, or aimed nowhere, at this very moment
            except sqlite3.ProgrammingError:
                return  # the ledger is closed: the provider ends

    def deliver(self, sending: Sending) -> int | None:
        """Try once, now; return the status of the shop's answer, or None if there was none."""
        notice = self._ledger.notice(sending.event_id)
        if notice is None:
            raise RefusalError(404, "no_such_event", "there is no such event", field="events")
        if self._url is None:
            raise RefusalError(409, "nowhere", "no notify URL is set")
        body, headers = self._dress(notice, sending)
        status = _post(self._url, body, headers)
        arrived = status is not None and 200 <= status < 300
        gives_up = notice.state == "waiting" and notice.attempts + 1 >= self._policy.attempts
        state = "delivered" if arrived else "given_up" if gives_up else notice.state
        self._ledger.mark_notice(notice.event_id, state, attempted=True, status=status)
        if sending.retried and state == "waiting":
            pause = self._policy.backoff * 2**notice.attempts
            self._timers.after(pause, lambda: self._line(notice).put(sending))
        return status

    def push(self, notices: list[Notice], broken: int | None = None) -> int | None:
        """Tell several events in one request, now; return the status of the shop's answer.

        :param broken: the place, from 0, of one whose payment is spoiled so that it cannot be read.
        """
        if self._url is None:
            raise RefusalError(409, "nowhere", "no notify URL is set")
        events = [json.loads(notice.body) for notice in notices]
        if broken is not None:
            _unreadable(events[broken])
        body = json.dumps({"events": events}, separators=(",", ":")).encode()
        signature = sign(self._secret, int(self._clock.now().timestamp()), body)
        status = _post(self._url, body, {"Content-Type": "application/json", SIGNATURE: signature})
        arrived = status is not None and 200 <= status < 300
        for notice in notices:
            state = "delivered" if arrived else notice.state
            self._ledger.mark_notice(notice.event_id, state, attempted=True, status=status)
        return status

    def _dress(self, notice: Notice, sending: Sending) -> tuple[bytes, dict[str, str]]:
        at = int(self._clock.now().timestamp() - (sending.age or 86400 if sending.mutation == "stale" else 0))
        body = notice.body.encode()
        if change := SPOILED.get(sending.mutation):
            body = _event(body, change)
        secret = "not-the-secret" if sending.mutation == "missign" else self._secret
        headers = {"Content-Type": "application/json"}
        if sending.mutation != "unsigned":
            headers[SIGNATURE] = sign(secret, at, body)
        if sending.mutation == "reserialized":  # the same JSON, other bytes than those that were signed
            body = json.dumps(json.loads(body), indent=1).encode()
        return body, headers

    def wait(self, seconds: float) -> bool:
        """Wait until no notice is waiting to be sent; say whether that was reached in time."""
        deadline = time.monotonic() + seconds
        while waiting := bool(self._ledger.notices(state="waiting")):
            if time.monotonic() >= deadline:
                break
            time.sleep(0.01)
        return not waiting


def is_local(url: str) -> bool:
    """Say whether a URL points to this machine without asking a name server."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _post(url: str, body: bytes, headers: dict[str, str]) -> int | None:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        path = parts.path or "/"
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, body, headers)
        response = connection.getresponse()
        response.read(65536)
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
