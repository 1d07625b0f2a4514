"""Outgoing requests go only where they may, and every failure says whether something may have left."""

import contextlib
import gzip
import json
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eckit.kernel.addresses import is_public
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.http import BlockedError, GuardedClient, MaybeSentError, NotSentError, Reply, Timeouts
from eckit.kernel.secrets import Secret

CERTIFICATES = Path(__file__).parent / "certificates"
PATIENCE = Timeouts(connect=5, read=5, write=5, total=10)


def nothing_resolves(host: str, port: int) -> Sequence[str]:
    """A resolver that must not be asked."""
    raise AssertionError(f"{host}:{port} was looked up")


def resolving(**names: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """A resolver of these names; ``_`` in a keyword stands for a point."""
    known = {name.replace("_", "."): addresses for name, addresses in names.items()}

    def resolve(host: str, port: int) -> Sequence[str]:
        if host not in known:
            raise socket.gaierror(f"{host} is unknown")
        return known[host]

    return resolve


# --- where it may go -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1", "192.88.99.1",
        "::", "::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "3fff::1", "100::1", "5f00::1", "4000::1", "", "localhost", "1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    """INJ-11: private, loopback, link-local, shared, reserved, multicast, unspecified, and IPv4 dressed as IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_addresses_that_are_public(address: str) -> None:
    """Providers live there."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
        "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://0.0.0.0/",
        "https://[::1]/", "https://[fc00::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/", "https://localhost/", "https://LOCALHOST./", "https://ip6-localhost/",
    ],
)  # fmt: skip
def test_requests_to_the_inside_are_blocked(url: str) -> None:
    """INJ-11: in every notation the machine's own resolver understands; nothing is sent."""
    told: list[str] = []
    with pytest.raises(NotSentError) as error:
        GuardedClient().send("POST", url, about_to_send=lambda: told.append(url))
    assert error.value.reason in {"blocked", "dns", "request"}
    assert [] == told


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://example.com:22/", "https://example.com:8443/", "file:///etc/passwd",
        "gopher://example.com/", "ftp://example.com/", "https://user@example.com/", "https://user:pw@example.com/",
        "https://example.com@127.0.0.1/", "https://@@example.com/", "//example.com/", "example.com", "https:///x", "",
        "https://example.com\\@evil.example/", "\\\\evil.example/", " https://example.com/", "https://exa mple.com/",
        "https://example.com/\r\nHost: evil", "https://example.com/\x00", "javascript:alert(1)", "data:text/plain,x",
        "https://exa%6dple.com/", "https://[::1%25eth0]/", "https://example..com/", "https://[not-an-address]/",
        "https://example.com:99999/", "https://example.com:abc/",
    ],
)  # fmt: skip
def test_addresses_of_a_wrong_form_are_refused_unresolved(url: str) -> None:
    """INJ-11: other schemes, ports and user names, and whatever parsers disagree about; no name is even looked up."""
    with pytest.raises(NotSentError) as error:
        GuardedClient(resolve=nothing_resolves).send("GET", url)
    assert error.value.reason in {"blocked", "request"}


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"], ["127.0.0.1"]]
)
def test_name_that_has_an_inside_address_is_blocked(addresses: list[str]) -> None:
    """One private address among public ones spoils the name: no chance which one is taken."""
    with pytest.raises(BlockedError, match="not on the public internet"):
        GuardedClient(resolve=resolving(evil_example=addresses)).send("GET", "https://evil.example/?token=abc")


@pytest.mark.parametrize(
    "entry", ["", ":80", "host:", "host:0", "host:99999", "host:http", "http://host", "a b", "*", "h/x", "u@h"]
)
def test_allow_list_takes_hosts_only(entry: str) -> None:
    """A mistake in it is found at the start."""
    with pytest.raises(InvalidInputError) as error:
        GuardedClient(allow_hosts={entry})
    assert [("not-a-host", "allow_hosts")] == [(problem.code, problem.path) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/", False),
        ("127.0.0.1", "http://127.0.0.1:8081/", True),
        ("Localhost:8080", "http://LOCALHOST.:8080/", True),
        ("[::1]:8080", "http://[::1]:8080/", True),
        ("::1", "http://[::1]:8080/", True),
        ("[::1]:8080", "http://[::1]:80/", False),
        ("example.com", "http://example.com/", True),
        ("example.com", "http://evil-example.com/", False),
        ("example.com", "http://sub.example.com/", False),
        ("127.0.0.1:8080", "http://user@127.0.0.1:8080/", False),
        ("127.0.0.1:8080", "gopher://127.0.0.1:8080/", False),
    ],
)
def test_allow_list_opens_exactly_what_it_names(entry: str, url: str, allowed: bool) -> None:
    """Host by host, port by port; schemes and user names stay refused."""
    looked_up: list[str] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        raise socket.gaierror

    with pytest.raises(NotSentError) as error:
        GuardedClient(allow_hosts={entry}, resolve=resolve).send("GET", url)
    assert allowed is bool(looked_up)
    assert ("dns" if allowed else "blocked") == error.value.reason


# --- a server that answers as told -----------------------------------------------------------------------------------


class Server:
    """Answers each connection with one function over the raw socket, and keeps what it read."""

    def __init__(self, answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.names: list[str] = []
        self._answer = answer
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                if self._context is not None:
                    connection = self._context.wrap_socket(connection, server_side=True)
                request = read_request(connection)
                if request:
                    self.requests.append(request)
                    self._answer(connection)
                connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


def read_request(connection: socket.socket) -> bytes:
    """One request: headers, and as much body as they say."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(body: bytes = b"ok", status: str = "200 OK", headers: str = "") -> Callable[[socket.socket], None]:
    """A whole, well-formed answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
    return lambda connection: connection.sendall(head + body)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers on the loopback and stops them."""
    running: list[Server] = []

    def start(answer: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Server:
        running.append(Server(answer, context))
        return running[-1]

    yield start
    for server in running:
        server.close()


def client(server: Server, **settings: Any) -> GuardedClient:
    """A client that may go to one server."""
    return GuardedClient(allow_hosts={f"127.0.0.1:{server.port}"}, timeout=PATIENCE, **settings)


Serve = Callable[..., Server]


# --- what is sent and what comes back --------------------------------------------------------------------------------


def test_request_arrives_and_answer_comes_back(serve: Serve) -> None:
    """Method, address, parameters, headers (a secret too), a JSON body; MNY-09: numbers come back as decimals."""
    server = serve(answering(b'{"total": 10.10, "n": 1}', headers="X-Request: 7\r\nContent-Type: application/json\r\n"))
    reply = client(server).send(
        "POST",
        f"http://127.0.0.1:{server.port}/orders?a=1",
        params={"b": "2"},
        headers={"Authorization": Secret("Bearer k"), "User-Agent": "acme"},
        json={"名": "茶"},
    )
    assert (200, "7") == (reply.status, reply.header("x-request"))
    assert {"total": Decimal("10.10"), "n": 1} == reply.json()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "post /orders?a=1&b=2 http/1.1" == lines[0]
    assert {f"host: 127.0.0.1:{server.port}", "authorization: bearer k", "user-agent: acme"} <= set(lines)
    assert 1 == sum(line.startswith("user-agent:") for line in lines)
    assert {"名": "茶"} == json.loads(body)


def test_form_and_raw_bodies(serve: Serve) -> None:
    """As providers of every age want them."""
    server = serve(answering())
    sender = client(server)
    url = f"http://127.0.0.1:{server.port}/"
    assert "ok" == sender.send("POST", url, form={"a": "1 2", "b": "茶"}).text()
    assert "ok" == sender.send("PUT", url, content=b"<x/>", headers={"Content-Type": "text/xml"}).text()
    assert b"a=1+2&b=%E8%8C%B6" == server.requests[0].partition(b"\r\n\r\n")[2]
    assert b"<x/>" == server.requests[1].partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirects_are_not_followed(serve: Serve, status: str) -> None:
    """INJ-11: a public host could point inside; the caller sees the answer and decides."""
    inside = serve(answering())
    server = serve(answering(status=status, headers=f"Location: http://127.0.0.1:{inside.port}/\r\n"))
    sender = GuardedClient(allow_hosts={f"127.0.0.1:{server.port}", f"127.0.0.1:{inside.port}"})
    reply = sender.send("GET", f"http://127.0.0.1:{server.port}/")
    assert int(status[:3]) == reply.status
    assert [] == inside.requests


def test_errors_of_the_server_are_answers(serve: Serve) -> None:
    """A 500 says something: it is for the caller to read."""
    server = serve(answering(b"down", status="503 Service Unavailable", headers="Retry-After: 5\r\n"))
    reply = client(server).send("GET", f"http://127.0.0.1:{server.port}/")
    assert (503, "5", "down") == (reply.status, reply.header("Retry-After"), reply.text())


def test_connection_goes_to_the_checked_address(serve: Serve) -> None:
    """No rebinding: the name is looked up once, and what it means later is of no interest; Host keeps the name."""
    server = serve(answering())
    lookups: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        lookups.append((host, port))
        return ["127.0.0.1"] if len(lookups) == 1 else ["169.254.169.254"]

    sender = GuardedClient(allow_hosts={"provider.test"}, resolve=resolve, timeout=PATIENCE)
    assert 200 == sender.send("GET", f"http://provider.test:{server.port}/").status
    assert [("provider.test", server.port)] == lookups
    assert f"host: provider.test:{server.port}".encode() in server.requests[0].lower()


def test_next_address_is_tried_when_one_does_not_answer(serve: Serve) -> None:
    """A provider with several addresses, one of them down."""
    server = serve(answering())
    resolve = resolving(provider_test=["127.0.0.99", "127.0.0.1"])
    sender = GuardedClient(allow_hosts={"provider.test"}, resolve=resolve, timeout=PATIENCE)
    assert 200 == sender.send("GET", f"http://provider.test:{server.port}/").status


def test_proxies_of_the_environment_are_not_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would connect on our behalf to whatever it likes."""
    server, proxy = serve(answering()), serve(answering(b"proxy"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert "ok" == client(server).send("GET", f"http://127.0.0.1:{server.port}/").text()
    assert [] == proxy.requests


def test_one_client_serves_many_threads(serve: Serve) -> None:
    """Each request has a connection of its own."""
    server = serve(answering())
    sender = client(server)
    replies: list[Reply] = []
    url = f"http://127.0.0.1:{server.port}/"
    threads = [threading.Thread(target=lambda: replies.append(sender.send("GET", url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [200] * 8 == [reply.status for reply in replies]


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection", "accept-encoding"])
def test_headers_of_the_connection_are_the_clients(name: str) -> None:
    """A second Host or length would let one request be read as two."""
    with pytest.raises(InvalidInputError) as error:
        GuardedClient(resolve=nothing_resolves).send("GET", "https://example.com/", headers={name: "x"})
    assert [("reserved-header", "headers")] == [(problem.code, problem.path) for problem in error.value.problems]


# --- what has left ---------------------------------------------------------------------------------------------------


def test_caller_is_told_before_anything_leaves(serve: Serve) -> None:
    """Once, when the connection stands and the server has read nothing."""
    server = serve(answering())
    seen: list[int] = []

    def mark() -> None:
        time.sleep(0.05)
        seen.append(len(server.requests))

    client(server).send("POST", f"http://127.0.0.1:{server.port}/", content=b"x" * 300_000, about_to_send=mark)
    assert [0] == seen
    assert 1 == len(server.requests)


def test_caller_may_stop_a_request_at_the_last_moment(serve: Serve) -> None:
    """What it raises comes out as it is, of any type, and the server gets nothing."""
    server = serve(answering())

    class LostRaceError(OSError):
        """As if another worker had sent it."""

    def stop() -> None:
        raise LostRaceError

    with pytest.raises(LostRaceError):
        client(server).send("POST", f"http://127.0.0.1:{server.port}/", content=b"x", about_to_send=stop)
    assert 200 == client(server).send("GET", f"http://127.0.0.1:{server.port}/").status
    assert 1 == len(server.requests)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_refused_connection_is_not_sent() -> None:
    """C20: safe to send again with the same reference; the caller was not told that anything left."""
    port, told = free_port(), []
    with pytest.raises(NotSentError) as error:
        GuardedClient(allow_hosts={"127.0.0.1"}).send(
            "POST", f"http://127.0.0.1:{port}/pay?token=abc", about_to_send=lambda: told.append(1)
        )
    assert ("connect", "127.0.0.1") == (error.value.reason, error.value.host)
    assert error.value.__cause__ is not None
    assert "token" not in str(error.value)
    assert [] == told


@pytest.mark.parametrize("found", [socket.gaierror("no such host"), UnicodeError("label too long"), TimeoutError()])
def test_unknown_name_is_not_sent(found: Exception) -> None:
    """C20: nor is one the resolver cannot cope with, or that has no address."""

    def fails(host: str, port: int) -> Sequence[str]:
        raise found

    def finds_nothing(host: str, port: int) -> Sequence[str]:
        return []

    for resolve in (fails, finds_nothing):
        with pytest.raises(NotSentError) as error:
            GuardedClient(resolve=resolve).send("GET", "https://provider.example/")
        assert "dns" == error.value.reason


def test_request_that_cannot_be_written_is_not_sent(serve: Serve) -> None:
    """INJ-13: a line break in a header would start another one."""
    server = serve(answering())
    for headers in ({"X-Name": "a\r\nX-Evil: 1"}, {"X Name": "a"}, {"X-Name": "a\x00b"}):
        with pytest.raises(NotSentError) as error:
            client(server).send("GET", f"http://127.0.0.1:{server.port}/", headers=headers)
        assert "request" == error.value.reason
    assert [] == server.requests


def reset(connection: socket.socket) -> None:
    """Hang up without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def drip(connection: socket.socket) -> None:
    """Never fall silent, never finish."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        connection.sendall(b"X: y\r\n")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        pytest.param(reset, "connection", None, id="resets"),
        pytest.param(lambda connection: None, "answer", None, id="closes without a word"),
        pytest.param(lambda connection: time.sleep(0.6), "timeout", None, id="hangs"),
        pytest.param(drip, "timeout", None, id="drips"),
        pytest.param(lambda connection: connection.sendall(b"SSH-2.0-x\r\n"), "answer", None, id="is no HTTP server"),
        pytest.param(
            lambda connection: connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf"),
            "answer",
            201,
            id="is cut short",
        ),
    ],
)
def test_failure_after_sending_is_in_doubt(
    serve: Serve, answer: Callable[[socket.socket], None], reason: str, status: int | None
) -> None:
    """The request was read in each case: it may have been carried out, whatever happened to the answer."""
    server, told = serve(answer), []
    start = time.monotonic()
    with pytest.raises(MaybeSentError) as error:
        client(server).send(
            "POST",
            f"http://127.0.0.1:{server.port}/pay?token=abc",
            content=b"secret",
            timeout=Timeouts(connect=5, read=0.3, write=5, total=0.5),
            about_to_send=lambda: told.append(1),
        )
    assert time.monotonic() - start < 2
    assert (reason, status, "127.0.0.1") == (error.value.reason, error.value.status, error.value.host)
    assert [1] == told
    assert 1 == len(server.requests)
    assert "token" not in str(error.value)
    assert "secret" not in str(error.value)


def test_answer_has_a_longest_length(serve: Serve) -> None:
    """INJ-17: by its length, and by what it would decompress to."""
    bomb = gzip.compress(b"0" * 3_000_000)
    assert len(bomb) < 10_000
    too_long = serve(answering(b"x" * 10_001)), serve(answering(bomb, headers="Content-Encoding: gzip\r\n"))
    for server in too_long:
        with pytest.raises(MaybeSentError) as error:
            client(server, max_response_bytes=10_000).send("GET", f"http://127.0.0.1:{server.port}/")
        assert ("too-large", 200) == (error.value.reason, error.value.status)
    for headers, body in (("", b"x" * 10_000), ("Content-Encoding: gzip\r\n", gzip.compress(b"x" * 10_000))):
        server = serve(answering(body, headers=headers))
        got = client(server, max_response_bytes=10_000).send("GET", f"http://127.0.0.1:{server.port}/")
        assert b"x" * 10_000 == got.body


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("gzip", gzip.compress("茶".encode()), "茶"),
        ("x-gzip", gzip.compress(b"tea"), "tea"),
        ("deflate", zlib.compress(b"tea"), "tea"),
        ("identity", b"tea", "tea"),
        ("gzip", b"", ""),
        ("gzip", gzip.compress(b"tea")[:-3], None),
        ("gzip", gzip.compress(b"tea") + b"more", None),
        ("gzip", b"tea", None),
        ("br", b"tea", None),
    ],
)
def test_encodings_that_were_not_asked_for(serve: Serve, encoding: str, body: bytes, text: str | None) -> None:
    """Undone where that is safe; what cannot be read is in doubt."""
    server = serve(answering(body, headers=f"Content-Encoding: {encoding}\r\n"))
    url = f"http://127.0.0.1:{server.port}/"
    if text is not None:
        assert text == client(server).send("GET", url).text()
        return
    with pytest.raises(MaybeSentError) as error:
        client(server).send("GET", url)
    assert "answer" == error.value.reason


# --- TLS -------------------------------------------------------------------------------------------------------------


def server_context(names: list[str | None]) -> ssl.SSLContext:
    """A server's side, with the certificate of shop.test; notes the name each client asks for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "shop_test.cert.pem", CERTIFICATES / "shop_test.key.pem")

    def note(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, own: ssl.SSLContext) -> None:
        names.append(name)

    context.sni_callback = note
    return context


def trusting() -> ssl.SSLContext:
    """A client's side that trusts the test certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATES / "shop_test.cert.pem"))


def test_tls_is_for_the_name_and_not_the_address(serve: Serve) -> None:
    """The connection goes to the checked address; the certificate and the handshake are those of the name."""
    names: list[str | None] = []
    server = serve(answering(), server_context(names))
    sender = GuardedClient(
        allow_hosts={f"shop.test:{server.port}"}, resolve=resolving(shop_test=["127.0.0.1"]), ssl_context=trusting()
    )
    assert "ok" == sender.send("GET", f"https://shop.test:{server.port}/").text()
    assert ["shop.test"] == names
    assert f"host: shop.test:{server.port}".encode() in server.requests[0].lower()


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
def test_certificate_of_another_name_is_refused(serve: Serve, host: str) -> None:
    """Nothing is sent to whoever answered."""
    server, told = serve(answering(), server_context([])), []
    resolve = resolving(**{"other.test": ["127.0.0.1"], "127.0.0.1": ["127.0.0.1"]})
    sender = GuardedClient(allow_hosts={host}, resolve=resolve, ssl_context=trusting(), timeout=PATIENCE)
    with pytest.raises(NotSentError) as error:
        sender.send("POST", f"https://{host}:{server.port}/", about_to_send=lambda: told.append(1))
    assert "tls" == error.value.reason
    assert [] == told
    assert [] == server.requests


def test_unknown_certificate_authority_is_refused(serve: Serve) -> None:
    """Also for hosts on the allow-list: they may be inside, not unverified."""
    server = serve(answering(), server_context([]))
    sender = GuardedClient(allow_hosts={"shop.test"}, resolve=resolving(shop_test=["127.0.0.1"]), timeout=PATIENCE)
    with pytest.raises(NotSentError, match="certificate verify failed") as error:
        sender.send("GET", f"https://shop.test:{server.port}/")
    assert "tls" == error.value.reason


def test_verification_cannot_be_turned_off() -> None:
    """Neither of the certificate nor of the name."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    for context in (unchecked, unverified):
        with pytest.raises(InvalidInputError) as error:
            GuardedClient(ssl_context=context)
        assert "tls-not-verified" == error.value.problems[0].code


# --- replies and settings --------------------------------------------------------------------------------------------


def reply(body: bytes, content_type: str = "") -> Reply:
    """A reply with a body."""
    return Reply(status=200, headers=(("content-type", content_type),), body=body)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("茶".encode(), "", "茶"),
        ("茶".encode(), "text/plain; charset=UTF-8", "茶"),
        ("髙①㈱".encode("cp932"), "text/html; charset=Shift_JIS", "髙①㈱"),
        ("茶".encode("euc-jp"), 'text/plain; charset="EUC-JP"; x=1', "茶"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"tea", "text/plain; charset=klingon", "tea"),
    ],
)
def test_text_of_a_reply(body: bytes, content_type: str, text: str) -> None:
    """ENC-01: what Japanese providers call Shift_JIS is Windows' superset of it."""
    assert text == reply(body, content_type).text()


def test_text_in_an_encoding_the_caller_knows() -> None:
    """Some providers do not say, or say it wrong."""
    assert "茶" == reply("茶".encode("cp932"), "text/plain; charset=utf-8").text("shift_jis")


@pytest.mark.parametrize("body", [b"", b"<html>", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    """One error for the caller to catch."""
    with pytest.raises(ValueError):  # noqa: PT011 -- json's own subclass has many texts
        reply(body).json()


def test_reply_does_not_show_its_body() -> None:
    """INJ-11 and SEC-03: a reply in a log line shows its status."""
    assert "Reply(status=200)" == repr(reply(b"secret", "x"))


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_timeouts_are_always_set(seconds: float) -> None:
    """No limit of zero, and none at all, can be set."""
    for name in ("connect", "read", "write", "total"):
        with pytest.raises(InvalidInputError) as error:
            Timeouts(**{name: seconds})
        assert [("timeout-out-of-range", f"timeout.{name}")] == [(p.code, p.path) for p in error.value.problems]


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is optional; its absence is told in words."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ModuleNotFoundError, match=r"eckit-commerce\[http\]"):
        GuardedClient()
