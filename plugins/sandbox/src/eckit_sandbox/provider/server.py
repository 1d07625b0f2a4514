"""The HTTP side: one thread per connection, JSON in and out, and faults that are visible on the wire."""

from __future__ import annotations

import hmac
import json
import re
import socket
import socketserver
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from eckit_sandbox.provider import control
from eckit_sandbox.provider.accounts import ledger_view
from eckit_sandbox.provider.acquirer import Act, Wish
from eckit_sandbox.provider.bodies import ACCOUNT, REFERENCE, TOKEN, Fields, parse_json, refuse_card_number
from eckit_sandbox.provider.clock import read_instant, written
from eckit_sandbox.provider.desk import Provider
from eckit_sandbox.provider.faults import Answer, answer_json
from eckit_sandbox.provider.pages import challenge_page
from eckit_sandbox.provider.refusals import RefusalError
from eckit_sandbox.provider.script import Manners

BODY_LIMIT: Final = 65_536
IDLE: Final = 60.0
_PAYMENT = re.compile(r"/v1/payments/([^/]+)")
_ACT = re.compile(r"/v1/payments/([^/]+)/(captures|voids|refunds)")
_CHALLENGE = re.compile(r"/challenge/([A-Za-z0-9_\-]{10,64})")
_KINDS: Final = {"captures": "capture", "voids": "void", "refunds": "refund"}
_LINGER_RESET: Final = struct.pack("ii", 1, 0)


class ProviderServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1 only."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, provider: Provider, port: int) -> None:
        self.provider = provider
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, which the base class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong, except that a client went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    server_version = "eckit-sandbox"
    sys_version = ""
    timeout = IDLE
    disable_nagle_algorithm = True
    wbufsize = 65_536
    logged = 0
    server: ProviderServer

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet; requests are logged in the ledger."""

    def do_GET(self) -> None:
        """Serve a GET."""
        self._handle()

    def do_POST(self) -> None:
        """Serve a POST."""
        self._handle()

    def _handle(self) -> None:
        self.logged = 0
        try:
            answer = self._route()
        except RefusalError as refusal:
            close = refusal.status in (411, 413)
            answer = answer_json(refusal.status, refusal.body())._replace(close=close)
        if self.logged:
            self.server.provider.ledger.answer_request(self.logged, answer.status or None, answer.ending)
        self._send(answer)

    # --- finding the way ---------------------------------------------------------------------------------------

    def _route(self) -> Answer:
        raw = self._body()
        refuse_card_number(unquote(self.path))
        url = urlsplit(self.path)
        if match := _CHALLENGE.fullmatch(url.path):
            return self._challenge(match[1], raw)
        self._require_key()
        if self.command == "GET":
            return self._get(url.path, _query(url.query))
        if not self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json":
            raise RefusalError(415, "not_json", "send application/json")
        return self._post(url.path, parse_json(raw))

    def _get(self, path: str, query: dict[str, str]) -> Answer:
        provider = self.server.provider
        if match := _PAYMENT.fullmatch(path):
            return self._look(_reference(match[1]), self._account(query.get("account")))
        match path:
            case "/v1/ledger":
                return self._ledger(query)
            case "/v1/requests":
                return answer_json(200, {"requests": provider.ledger.requests()})
            case "/control/state":
                return control.state(provider)
        raise _no_such_path()

    def _post(self, path: str, body: Any) -> Answer:
        if path == "/v1/payments":
            return self._begin(body)
        if match := _ACT.fullmatch(path):
            return self._act(_reference(match[1]), _KINDS[match[2]], body)
        if command := control.COMMANDS.get(path):
            return command(self.server.provider, body)
        raise _no_such_path()

    # --- the shop's requests -----------------------------------------------------------------------------------

    def _begin(self, body: Any) -> Answer:
        fields = Fields(body)
        wish = Wish(
            account=self._account(fields.raw("account")),
            reference=fields.text("reference", REFERENCE),
            amount=fields.amount(),
            currency=fields.currency(),
            token=fields.text("token", TOKEN),
            capture=fields.flag("capture"),
            return_url=fields.url("return_url"),
            metadata=fields.labels("metadata"),
        )
        fields.close()
        manners = self._meet("begin", wish.account, wish.reference, wish.reference, wish.token, body)
        return self.server.provider.begin(wish, manners)

    def _act(self, payment: str, kind: str, body: Any) -> Answer:
        fields = Fields(body)
        account = self._account(fields.raw("account"))
        reference = fields.text("reference", REFERENCE)
        amount = 0 if kind == "void" else fields.amount()
        fields.close()
        manners = self._meet(kind, account, payment, reference, "", body)
        return self.server.provider.act(Act(account, payment, kind, reference, amount), manners)

    def _look(self, reference: str, account: str) -> Answer:
        manners = self._meet("query", account, reference, reference, "", None)
        return self.server.provider.look(account, reference, manners)

    def _meet(self, operation: str, account: str, payment: str, reference: str, token: str, body: Any) -> Manners:
        """Look up the script and log the request, scrubbed of its token."""
        provider = self.server.provider
        manners = provider.script.take(operation, account, payment, reference, token)
        scrubbed = None if body is None else _scrubbed(body)
        path = urlsplit(self.path).path
        self.logged = provider.ledger.add_request(
            provider.clock.text(),
            self.command,
            path,
            operation,
            account,
            payment,
            reference,
            scrubbed,
            manners.text,
        )
        return manners

    def _ledger(self, query: dict[str, str]) -> Answer:
        account = self._account(query["account"]) if "account" in query else None
        try:
            since = written(read_instant(query["since"])) if "since" in query else ""
            until = written(read_instant(query["until"])) if "until" in query else "~"
        except ValueError:
            raise RefusalError(422, "invalid", "since and until are instants with an offset") from None
        movements = self.server.provider.ledger.all_movements(account, since, until)
        return answer_json(200, {"movements": [ledger_view(movement) for movement in movements]})

    # --- the buyer's requests ----------------------------------------------------------------------------------

    def _challenge(self, secret: str, raw: bytes) -> Answer:
        provider = self.server.provider
        if self.command == "POST":
            provider.decide(secret, approve=_decision(raw) == "approve")
        payment, status = provider.acquirer.challenge(secret)
        if self.command == "POST" and payment.return_url:
            mark = "&" if urlsplit(payment.return_url).query else "?"
            # a hint for the browser only: it says which payment to ask about, not how it went
            location = payment.return_url + mark + urlencode({"payment": payment.reference})
            return Answer(303, b"", "text/plain", (("Location", location),))
        return Answer(200, challenge_page(payment, status), "text/html; charset=utf-8")

    # --- reading and writing -----------------------------------------------------------------------------------

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding"):
            raise RefusalError(411, "length_required", "send a Content-Length")
        text = self.headers.get("Content-Length")
        if text is None:
            if self.command == "POST":
                raise RefusalError(411, "length_required", "send a Content-Length")
            return b""
        if not (text.isascii() and text.isdigit()) or len(text) > 12:
            raise RefusalError(411, "length_required", "Content-Length must be a number")
        if int(text) > BODY_LIMIT:
            raise RefusalError(413, "too_large", f"a body has at most {BODY_LIMIT} bytes", maximum=BODY_LIMIT)
        raw = self.rfile.read(int(text))
        if len(raw) < int(text):
            raise ConnectionAbortedError("the client left in the middle of a body")
        return raw

    def _require_key(self) -> None:
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, b"Bearer " + self.server.provider.settings.api_key.encode()):
            raise RefusalError(401, "unauthorized", "send the API key as a bearer token")

    def _account(self, name: Any) -> str:
        if not isinstance(name, str) or not ACCOUNT.fullmatch(name):
            raise RefusalError(422, "missing", "account is missing", field="account")
        if name not in self.server.provider.settings.accounts:
            raise RefusalError(403, "unknown_account", "there is no such account", field="account")
        return name

    def _send(self, answer: Answer) -> None:
        if answer.ending == "hung":
            self.server.provider.stopping.wait(answer.seconds)
        if answer.ending in ("hung", "reset"):
            self._reset()
            return
        self._write(answer)
        if answer.close:
            self._drain()

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.close or answer.ending == "truncated":
            self.send_header("Connection", "close")
            self.close_connection = True
        body = answer.body[: len(answer.body) // 2] if answer.ending == "truncated" else answer.body
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The ``Date`` of answers, by the provider's own clock."""
        now = self.server.provider.clock.now().timestamp()
        return super().date_time_string(now if timestamp is None else timestamp)

    def _reset(self) -> None:
        """Close so that the client sees a reset connection, not an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        self.rfile.close()
        self.wfile.close()
        self.connection.close()
        raise ConnectionResetError("on purpose")

    def _drain(self) -> None:
        """Read a refused body for a moment, so that the refusal arrives before the connection is closed."""
        self.connection.settimeout(0.5)
        try:
            for _ in range(256):
                if not self.rfile.read1(65_536):
                    break
        except OSError:
            self.close_connection = True


def _no_such_path() -> RefusalError:
    return RefusalError(404, "no_such_path", "there is nothing here")


def _reference(text: str) -> str:
    reference = unquote(text)
    if not REFERENCE.fullmatch(reference):
        raise RefusalError(422, "invalid", "the reference in the path is not of the right form", field="reference")
    return reference


def _query(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, max_num_fields=20).items()}


def _decision(raw: bytes) -> str:
    values = parse_qs(raw.decode("ascii", "replace"), max_num_fields=5).get("decision", [""])
    if values[-1] not in ("approve", "deny"):
        raise RefusalError(422, "invalid", "decision must be approve or deny", field="decision")
    return values[-1]


def _scrubbed(body: dict[str, Any]) -> str:
    return json.dumps({**body, "token": "tok_***"} if "token" in body else body, ensure_ascii=False)
