"""The kit's proxy does to requests what it says."""

import contextlib
import http.client
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import attrs
import pytest

from eckit.testing.payments import mishaps
from eckit.testing.payments.listeners import Mailbox, Trap
from eckit.testing.payments.proxy import Fault, Proxy, Request


class Provider:
    """Answers everything with its own words, and counts."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bytes]] = []
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                provider.heard.append((self.command, self.path, body))
                text = f'{{"answer": "{len(provider.heard)}"}}'.encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST  # noqa: N815 -- the standard library's name

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture
def proxy(provider: Provider) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", provider.server.server_port)) as running:
        yield running


def ask(proxy: Proxy, method: str = "POST", path: str = "/v1/payments", body: bytes = b"hello") -> tuple[int, bytes]:
    """One request, as a gateway's client sends it."""
    connection = http.client.HTTPConnection(*proxy.url.removeprefix("http://").split(":"), timeout=5)  # type: ignore[arg-type]
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_requests_pass_through_unchanged(proxy: Proxy, provider: Provider) -> None:
    """Without a mishap the provider hears what was sent, and its answer arrives; both are noted."""
    assert (201, b'{"answer": "1"}') == ask(proxy, path="/v1/payments?a=b", body="日本".encode())
    assert [("POST", "/v1/payments?a=b", "日本".encode())] == provider.heard
    assert 1 == proxy.count() == proxy.connections
    assert "日本" in proxy.seen[0].text()


def test_chunked_requests_pass_through(proxy: Proxy, provider: Provider) -> None:
    """A client that does not know the length beforehand is understood."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
    connection.request("POST", "/", iter([b"one ", b"two"]), encode_chunked=True)
    assert 201 == connection.getresponse().status
    connection.close()
    assert b"one two" == provider.heard[0][2]


@pytest.mark.parametrize(
    ("mishap", "acted"),
    [(mishaps.ResetUnread(), 0), (mishaps.DropAnswer(), 1), (mishaps.Hang(0.1), 1), (mishaps.Hang(30), 1)],
    ids=repr,
)
def test_answer_never_comes(proxy: Proxy, provider: Provider, mishap: Fault, acted: int) -> None:
    """The line breaks or stays silent; the provider has acted or not, as the mishap says."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.5)
    with proxy.meddling(mishap):
        connection.request("POST", "/", b"x")
        with pytest.raises((ConnectionError, TimeoutError, http.client.HTTPException)):
            connection.getresponse()
        connection.close()
    assert acted == len(provider.heard)


@pytest.mark.parametrize(
    ("mishap", "acted", "status", "part"),
    [
        (mishaps.status(503), 1, 503, b"upstream error"),
        (mishaps.status(500, acted=False), 0, 500, b"upstream error"),
        (mishaps.html(502), 1, 502, b"<html>"),
        (mishaps.empty(), 1, 200, b""),
        (mishaps.Truncated(), 1, 201, b'{"answe'),
        (mishaps.wrong_charset(), 1, 201, '{"answer"'.encode("utf-16")),
        (mishaps.rate_limited(7), 0, 429, b"rate_limited"),
        (mishaps.redirect("http://127.0.0.1:1/"), 0, 307, b""),
        (mishaps.Twice(), 2, 201, b'"2"'),
        (mishaps.Changed(change=lambda reply: attrs.evolve(reply, status=418)), 1, 418, b'"1"'),
    ],
    ids=lambda value: type(value).__name__ if callable(value) else "",
)
def test_another_answer_arrives(
    proxy: Proxy, provider: Provider, mishap: Fault, acted: int, status: int, part: bytes
) -> None:
    """The gateway reads what the mishap says, and the provider has acted as often."""
    with proxy.meddling(mishap):
        answered, body = ask(proxy)
    assert (status, acted) == (answered, len(provider.heard))
    assert part in body if part else body == b""
    assert 201 == ask(proxy)[0]


def test_body_is_cut_short_of_its_length(proxy: Proxy) -> None:
    """The other kind of half an answer: the client knows that something is missing."""
    with proxy.meddling(mishaps.Truncated(announced=True)), pytest.raises(http.client.IncompleteRead):
        ask(proxy)


def test_nobody_listens_for_a_while(proxy: Proxy, provider: Provider) -> None:
    """Connections are refused within the block, and the address stays the same."""
    with proxy.refusing(), pytest.raises(ConnectionRefusedError):
        ask(proxy)
    assert 201 == ask(proxy)[0]
    assert 1 == len(provider.heard)


def test_mishap_meets_only_what_is_wanted(proxy: Proxy, provider: Provider) -> None:
    """By kind of request and by number; the innermost block comes first."""

    def is_post(request: Request) -> bool:
        return request.method == "POST"

    with (
        proxy.meddling(mishaps.status(500), wanted=is_post),
        proxy.meddling(mishaps.status(503), wanted=is_post, times=1),
    ):
        assert [201, 503, 500, 201] == [ask(proxy, method)[0] for method in ("GET", "POST", "POST", "GET")]
    assert 201 == ask(proxy)[0]
    proxy.forget()
    assert (0, 0) == (proxy.count(), proxy.connections)


def test_provider_that_is_gone_breaks_the_line(proxy: Proxy, provider: Provider) -> None:
    """No answer is made up in the provider's place."""
    provider.close()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask(proxy)


def test_late_answer_comes_late(proxy: Proxy, provider: Provider) -> None:
    """The provider acts at once; its answer takes the time it was told to."""
    acted: list[float] = []
    with proxy.meddling(mishaps.Late(0.2)):
        started = time.monotonic()
        asking = threading.Thread(target=lambda: ask(proxy))
        asking.start()
        while not provider.heard and time.monotonic() < started + 5:
            time.sleep(0.005)
        acted.append(time.monotonic() - started)
        asking.join()
    assert acted[0] < 0.2 <= time.monotonic() - started


def test_connections_are_counted_before_they_are_accepted(proxy: Proxy) -> None:
    """Who comes and goes at once counts as soon as the count is asked for; the asking does not count."""
    for expected in range(1, 20):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5).close()
        assert expected == proxy.count_connections()


def test_nobody_listens_and_nobody_is_counted(proxy: Proxy) -> None:
    """A proxy that refuses connections can be asked as well."""
    with proxy.refusing():
        assert 0 == proxy.count_connections()


def test_trap_notes_who_comes() -> None:
    """A visit counts, whatever is said."""
    with Trap() as trap:
        with socket.create_connection(("127.0.0.1", int(trap.host.rpartition(":")[2])), timeout=5) as visitor:
            visitor.sendall(b"knock")
            with pytest.raises(ConnectionError):
                assert visitor.recv(1) == b"x"
        assert (1, b"knock") == (trap.visitors, trap.heard)


def test_nobody_signed_the_traps_certificate() -> None:
    """A client that verifies does not get as far as saying anything; one that does not is heard."""
    with Trap(tls=True) as trap:
        port = int(trap.host.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as line,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(line, server_hostname="127.0.0.1")
        assert b"" == trap.heard
        careless = ssl.create_default_context()
        careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as line,
            careless.wrap_socket(line) as wrapped,
        ):
            wrapped.sendall(b"secret")
            with contextlib.suppress(OSError):  # however the line ends
                wrapped.recv(1)
        assert b"secret" == trap.heard


def test_mailbox_keeps_notices_as_they_came() -> None:
    """Raw bytes, headers in lower case, the sender's address."""
    mailbox = Mailbox()
    try:
        port = int(mailbox.url.rpartition(":")[2].partition("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/notices", b'{"a":  1}', {"X-Signature": "AbC"})
        assert 200 == connection.getresponse().status
        connection.close()
        [notice] = mailbox.kept
        assert (b'{"a":  1}', "AbC", "127.0.0.1") == (notice.body, notice.headers["x-signature"], notice.remote_ip)
    finally:
        mailbox.close()
