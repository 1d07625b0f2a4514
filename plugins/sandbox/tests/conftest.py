"""A real provider in a child process, a client on real sockets, and a shop's notice endpoint that takes everything."""

import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxProcess


class SocketTransport:
    """One request, one connection, nothing clever."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
        try:
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(method, target, content, dict(headers))
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()
        finally:
            connection.close()


class Listener:
    """What a shop would be: it keeps each notice and answers with ``statuses`` in turn, then with 200."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.on_notice: Callable[[dict[str, Any]], None] = lambda event: None
        self._lock = threading.Lock()
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.on_notice(json.loads(body))
                self.send_response(listener.take(dict(self.headers.items()), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.received.append((headers, body))
            return self.statuses.pop(0) if self.statuses else 200

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]

    @property
    def told(self) -> list[str]:
        return [event["payment"]["status"] for event in self.events]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path / "provider", notify_backoff=0.02) as running:
        yield running


@pytest.fixture
def client(provider: SandboxProcess) -> Client:
    return Client(SocketTransport(), provider.base_url, provider.account, provider.api_key, timeout=5)


@pytest.fixture
def shop() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def told_shop(provider: SandboxProcess, shop: Listener) -> Listener:
    """A shop to which the provider sends its notices."""
    provider.notify(shop.url)
    return shop


@pytest.fixture
def exchange(provider: SandboxProcess) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    """Send raw bytes to the provider, with its key unless headers say otherwise."""

    def send(
        method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        known = {"Authorization": f"Bearer {provider.api_key}", "Content-Type": "application/json"}
        status, answered, raw = SocketTransport().request(
            method, provider.base_url + path, known | dict(headers or {}), content, 5
        )
        return status, dict(answered), raw

    return send


@pytest.fixture
def pay(client: Client) -> Callable[..., dict[str, Any]]:
    """Begin a payment of ¥1,200 and return its snapshot; by default the money is only reserved."""

    def begin(reference: str = "order-1", **changes: Any) -> dict[str, Any]:
        wish = {"amount": 1200, "currency": "JPY", "token": "tok_ok", "capture": False}
        return client.begin(reference=reference, **wish | changes).body

    return begin


@pytest.fixture
def moved(provider: SandboxProcess) -> Callable[..., list[tuple[str, int]]]:
    """Return kind and amount of what the provider booked, oldest first."""

    def read(payment: str | None = None) -> list[tuple[str, int]]:
        return [(entry.kind, entry.amount) for entry in provider.ledger(payment)]

    return read
