"""The provider as a child process: started, asked, scripted, stopped and killed from a test or a demo."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import attrs

START_LIMIT = 10.0
"""Seconds after which a provider that has not begun to serve counts as failed."""


class SandboxError(Exception):
    """The provider could not be started, or refused what its remote control asked."""


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One movement as the provider booked it: ``amount`` in minor units; authorize, capture, void or refund."""

    id: str
    account: str
    mode: str
    payment: str
    kind: str
    amount: int
    currency: str
    at: str
    reference: str
    finality: str


class SandboxProcess:
    """A sandbox provider on 127.0.0.1, with everything it keeps in ``directory``.

    As a context manager it is started and stopped. After :meth:`stop` or :meth:`kill`, :meth:`start` brings it back on
    the same ledger, port and secrets. The child ends by itself when this process does.
    """

    def __init__(
        self,
        directory: Path | str,
        notify_url: str | None = None,
        *,
        accounts: Iterable[str] = ("shop",),
        mode: str = "test",
        now: dt.datetime | None = None,
        pending_seconds: float | None = None,
        notify_attempts: int = 6,
        notify_backoff: float = 0.2,
        max_seconds: float = 14_400,
    ) -> None:
        self.directory = Path(directory)
        self.accounts = tuple(accounts)
        self.account = self.accounts[0]
        self.mode = mode
        self.port = 0
        self.ledger_file = self.directory / "ledger.sqlite"
        self._secret_file = self.directory / "secrets.json"
        self._port_file = self.directory / "port"
        self._log_file = self.directory / "provider.log"
        self._options: dict[str, object] = {
            "--notify": notify_url,
            "--mode": mode,
            "--now": now.isoformat() if now else None,
            "--pending-seconds": pending_seconds,
            "--notify-attempts": notify_attempts,
            "--notify-backoff": notify_backoff,
            "--max-seconds": max_seconds,
        }
        self._child: subprocess.Popen[bytes] | None = None

    # --- life --------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the child and wait until it serves; raise :class:`SandboxError` with its last words if it does not."""
        if self._child is not None:
            raise SandboxError("the provider is running already")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._port_file.unlink(missing_ok=True)
        with self._log_file.open("ab") as log:
            self._child = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment()
            )
        deadline = time.monotonic() + START_LIMIT
        while not self._port_file.exists():
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise SandboxError(f"the provider did not start: {self._last_words()}")
            time.sleep(0.005)
        self.port = int(self._port_file.read_text(encoding="ascii"))

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "eckit_sandbox.provider", "--parent", str(os.getpid())]
        command += ["--ledger", str(self.ledger_file), "--secret-file", str(self._secret_file)]
        command += ["--port", str(self.port), "--port-file", str(self._port_file)]
        for name in self.accounts:
            command += ["--account", name]
        for option, value in self._options.items():
            if value is not None:
                command += [option, str(value)]
        return command

    def _last_words(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")[-2000:].strip()

    def stop(self) -> None:
        """End the child in good order; nothing happens if it does not run."""
        if child := self._child:
            child.terminate()
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
            self._gone(child)

    def kill(self) -> None:
        """End the child at once, as ``kill -9`` does; nothing happens if it does not run."""
        if child := self._child:
            child.kill()
            self._gone(child)

    def _gone(self, child: subprocess.Popen[bytes]) -> None:
        child.wait()
        if child.stdin is not None:
            child.stdin.close()
        self._child = None

    def remove(self) -> None:
        """Stop and delete everything it kept."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- facts -------------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether the child lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int:
        """The child's process id."""
        if self._child is None:
            raise SandboxError("the provider is not running")
        return self._child.pid

    @property
    def base_url(self) -> str:
        """Where it is reached; the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_key(self) -> str:
        """What the shop authenticates with."""
        return str(self._secrets()["api_key"])

    @property
    def secret(self) -> str:
        """What notices are signed with."""
        return str(self._secrets()["notify_secret"])

    def settings(self) -> dict[str, str]:
        """What ``[plugins.sandbox]`` of a shop must say to use this provider."""
        return {
            "base_url": self.base_url,
            "api_key": self.api_key,
            "notify_secret": self.secret,
            "account": self.account,
            "mode": self.mode,
        }

    def _secrets(self) -> dict[str, Any]:
        return dict(json.loads(self._secret_file.read_text(encoding="utf-8")))

    def ledger(self, payment: str | None = None) -> tuple[LedgerEntry, ...]:
        """Return the movements, of one payment or all, oldest first, read from the provider's own file.

        It needs no answer of the provider, so it is true even while that hangs or is dead.
        """
        names = [field.name for field in attrs.fields(LedgerEntry)]
        rows = self._read("select * from movements where ? is null or payment = ? order by n", payment, payment)
        return tuple(LedgerEntry(**{name: row[name] for name in names}) for row in rows)

    def _read(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"file:{self.ledger_file}?mode=ro", uri=True, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            return db.execute(sql, values).fetchall()

    # --- remote control ----------------------------------------------------------------------------------------

    def script(self, *rules: Mapping[str, object]) -> None:
        """Add rules of misbehavior, e.g. ``{"match": {"operation": "capture", "nth": 1}, "do": "act_then_reset"}``."""
        self._post("/control/script", list(rules))

    def clear(self) -> None:
        """Forget all rules; the ledger stays."""
        self._post("/control/clear", {})

    def reset(self) -> None:
        """Forget everything that happened or was set, the ledger included: quicker than a new provider."""
        self._post("/control/reset", {})

    def state(self) -> dict[str, Any]:
        """Return what is set, how often each rule fired, and what became of each notice."""
        return self._call("GET", "/control/state", None)

    def requests(self, operation: str | None = None) -> list[dict[str, Any]]:
        """Return what was received, of one kind of operation or all, oldest first, without tokens."""
        log: list[dict[str, Any]] = self._call("GET", "/v1/requests", None)["requests"]
        return [one for one in log if operation in (None, one["operation"])]

    def notify(self, url: str | None) -> None:
        """Send notices to this URL from now on, those waiting included."""
        self._post("/control/notify", {"url": url})

    def set_clock(self, now: dt.datetime | None, *, running: bool = True) -> None:
        """Set the provider's time; ``None`` is the machine's. A restart forgets it."""
        self._post("/control/clock", {"now": now.isoformat() if now else None, "running": running})

    def deliver(self, **options: object) -> list[int | None]:
        """Send notices by hand and return the shop's statuses (None: no answer).

        Options: ``payment`` or ``events`` (ids), ``order`` ("kept", "reversed"), ``copies``, ``parallel``, ``delay``
        (seconds), ``mutation`` (such as "missign"), ``drop``; ``batch`` (all in one request), ``broken`` (the place,
        from 1, of a record in it that cannot be read). Without choice: all that were not delivered.
        """
        return [one["status"] for one in self._post("/control/deliver", options)["deliveries"]]

    def wait_for_notices(self, seconds: float = 5.0) -> bool:
        """Wait until no notice is waiting to be sent; say whether that was reached."""
        return bool(self._post("/control/wait", {"seconds": seconds})["idle"])

    def resolve(self, reference: str, *, account: str | None = None) -> dict[str, Any]:
        """Let the verdict on a pending payment or refund be spoken now."""
        return self._post("/control/resolve", {"reference": reference, "account": account})

    def expire(self, reference: str, *, account: str | None = None) -> dict[str, Any]:
        """Let the time of a challenge or reservation have passed."""
        return self._post("/control/expire", {"reference": reference, "account": account})

    def office(
        self, payment: str, kind: str, amount: int | None = None, *, account: str | None = None
    ) -> dict[str, Any]:
        """Capture, void or refund in the provider's back office, unasked by the shop."""
        order: dict[str, object] = {"payment": payment, "kind": kind, "account": account}
        return self._post("/control/office", order if amount is None else order | {"amount": amount})

    def approve(self, reference: str) -> str | None:
        """Approve a challenge as the buyer's browser does; return where the browser is sent, if anywhere."""
        return self._decide(reference, "approve")

    def deny(self, reference: str) -> str | None:
        """Deny a challenge as the buyer's browser does; return where the browser is sent, if anywhere."""
        return self._decide(reference, "deny")

    def _decide(self, reference: str, decision: str) -> str | None:
        rows = self._read("select challenge from payments where reference = ? and challenge is not null", reference)
        if not rows:
            raise SandboxError(f"{reference}: there is no challenge")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urlencode({"decision": decision}).encode()
        status, headers, _ = self._exchange("POST", f"/challenge/{rows[0]['challenge']}", content, form)
        if status not in (200, 303):
            raise SandboxError(f"{reference}: the challenge answered {status}")
        return headers.get("Location")

    def _post(self, path: str, body: object) -> dict[str, Any]:
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, content: bytes | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        status, _, raw = self._exchange(method, path, content, headers)
        body: dict[str, Any] = json.loads(raw)
        if status >= 400:
            raise SandboxError(f"{path}: {body['error']['code']}: {body['error']['message']}")
        return body

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=3700)
        try:
            connection.request(method, path, content, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()
        finally:
            connection.close()


def _environment() -> dict[str, str]:
    """Return this process's environment in which the child finds the package, installed or not."""
    source = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
