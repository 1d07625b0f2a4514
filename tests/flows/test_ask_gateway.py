"""What a gateway may use, and what its silence means."""

import http.server
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest

from eckit.flows.ask_gateway import Io, TooLateToSendError
from eckit.kernel.clock import FixedClock
from eckit.kernel.http import GuardedClient, NotSentError
from eckit.payment import GatewayIo
from eckit.payment.model import Outcome
from eckit.payment.rules import beginning
from eckit.testing.begin import START
from tests.payment.fakes import CAPABILITIES, FakeGateway
from tests.payment.support import Payments, make_payments, without_shipments


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers 200, or closes the connection without a word."""

    seen: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).seen.append(body)
        if b"drop" in body:
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    Provider.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


def io_to(*hosts: str) -> Io:
    client = GuardedClient(hosts)
    return Io(lambda: client, FixedClock(START), lambda text: text)


def test_it_is_what_gateways_are_promised() -> None:
    """The io of the core has everything the protocol names."""
    assert isinstance(io_to(), GatewayIo)
    assert START == io_to().now()


def test_bytes_that_leave_are_marked(server: Any) -> None:
    """Sent through the guarded client: marked by itself; answered with status, headers, body."""
    host = f"127.0.0.1:{server.server_address[1]}"
    io = io_to(host)
    status, headers, body = io.request("POST", f"http://{host}/", headers={}, content=b"x", timeout_s=5)
    assert (200, "2", b"ok") == (status, headers["content-length"], body)
    assert io.close()


def test_what_is_not_allowed_to_leave_is_not_marked(server: Any) -> None:
    """A private address that is not on the list: refused before anything is sent."""
    host = f"127.0.0.1:{server.server_address[1]}"
    io = io_to()
    with pytest.raises(NotSentError):
        io.request("POST", f"http://{host}/", headers={}, content=b"x", timeout_s=5)
    assert not io.close()
    assert [] == Provider.seen


def test_a_closed_io_sends_nothing(server: Any) -> None:
    """Once the core has stopped waiting, a thread that is left over cannot send."""
    host = f"127.0.0.1:{server.server_address[1]}"
    io = io_to(host)
    assert not io.close()
    with pytest.raises(TooLateToSendError):
        io.request("POST", f"http://{host}/", headers={}, content=b"x", timeout_s=5)
    assert [] == Provider.seen


# -- through a whole call ---------------------------------------------------------------------------------------------


class OverHttp(FakeGateway):
    """A gateway that talks to a server."""

    url = ""
    body = b"charge"
    headers: Mapping[str, str] = {}

    def begin(self, io: GatewayIo, op: Any) -> Outcome:
        io.log("card 4111 1111 1111 1111 \x1b[31m")
        io.request("POST", self.url, headers=self.headers, content=self.body, timeout_s=5)
        return self.book_begin(op)


@attrs.frozen
class _Http:
    allow: tuple[str, ...]


@attrs.frozen
class _Settings:
    http: _Http


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch, server: Any) -> Payments:
    without_shipments(monkeypatch)
    made = make_payments(migrated_url, gateways=lambda clock: (OverHttp(clock, CAPABILITIES),))
    host = f"127.0.0.1:{server.server_address[1]}"
    made.gateway.url = f"http://{host}/"  # type: ignore[attr-defined]
    made.begin.settings = _Settings(_Http((host,)))
    return made


def test_a_charge_over_http(shop: Payments, caplog: pytest.LogCaptureFixture) -> None:
    """Allowed by the shop's settings; what is logged is scrubbed."""
    with caplog.at_level("INFO", "eckit.payment.gateway"):
        assert "authorized" == shop.take(shop.place()).status.state.value
    assert [b"charge"] == Provider.seen
    assert "4111" not in caplog.text
    assert "\x1b" not in caplog.text


def test_a_dropped_connection_is_in_doubt(shop: Payments) -> None:
    """Sent, and no answer."""
    shop.gateway.body = b"drop"  # type: ignore[attr-defined]
    assert shop.take(shop.place()).status.in_doubt


def test_a_refused_connection_is_not_sent(shop: Payments, server: Any) -> None:
    """Nobody listens: nothing left, and the same attempt can be sent again."""
    url = shop.gateway.url  # type: ignore[attr-defined]
    shop.gateway.url = "http://127.0.0.1:9/"  # type: ignore[attr-defined]
    shop.begin.settings = _Settings(_Http(("127.0.0.1",)))
    placed = shop.place()
    assert ("new", False) == ((status := shop.take(placed).status).state.value, status.in_doubt)
    shop.gateway.url = url  # type: ignore[attr-defined]
    assert "authorized" == shop.take(placed).status.state.value
    assert 1 == len({beginning(one).reference for one in shop.all(placed)})


def test_a_host_that_is_not_allowed_is_not_reached(shop: Payments) -> None:
    """The list is empty by default."""
    shop.begin.settings = None
    assert "new" == shop.take(shop.place()).status.state.value
    assert [] == Provider.seen
