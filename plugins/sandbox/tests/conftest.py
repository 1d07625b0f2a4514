"""A real provider in a child process, a client on real sockets, and a shop's notice endpoint that takes everything."""

import datetime as dt
import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxProcess

if TYPE_CHECKING:  # the provider's own tests load nothing of eckit
    from eckit_sandbox.gateway import SandboxCard
    from eckit_sandbox.settings import SandboxSettings
    from plugins.sandbox.tests.asking import Io


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


class ListenerServer(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


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

        self._server = ListenerServer(("127.0.0.1", 0), Handler)
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


@pytest.fixture(scope="session")
def one_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("provider"), notify_backoff=0.02) as running:
        yield running
    assert "Traceback" not in (running.directory / "provider.log").read_text(encoding="utf-8")


@pytest.fixture
def provider(one_provider: SandboxProcess) -> SandboxProcess:
    """A provider that remembers nothing; it is started again if a test ended it."""
    if not one_provider.is_running:
        one_provider.kill()
        one_provider.start()
    one_provider.reset()
    return one_provider


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


@pytest.fixture
def settings(provider: SandboxProcess) -> "SandboxSettings":
    from eckit import Secret
    from eckit_sandbox.settings import SandboxSettings

    known = provider.settings()
    secrets = {name: Secret(known.pop(name)) for name in ("api_key", "notify_secret")}
    return SandboxSettings(**known, **secrets, timeout=dt.timedelta(seconds=2))  # type: ignore[arg-type]


@pytest.fixture
def gateway(settings: "SandboxSettings") -> "SandboxCard":
    from eckit_sandbox.gateway import SandboxCard

    return SandboxCard(settings)


@pytest.fixture
def io(provider: SandboxProcess) -> "Io":
    from plugins.sandbox.tests.asking import Io

    return Io(f"127.0.0.1:{provider.port}")
