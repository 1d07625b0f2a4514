"""A proxy between a gateway and its provider that fails the way networks and providers do.

It speaks HTTP/1.1 on 127.0.0.1 and forwards each request to the provider, unless it was told to meddle::

    with Proxy(("127.0.0.1", 4242)) as proxy:
        ...  # the gateway's settings name proxy.url
        with proxy.meddling(mishaps.DropAnswer()):
            ...  # the provider acts, and the gateway never hears of it

It works with any client library, for it needs nothing but an address to stand at. What passed through is in
``proxy.seen``, so that a check can count what was sent and search it for what must not leave.
"""

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Final, Protocol, Self

import attrs

LARGEST_REQUEST: Final = 2_000_000
PATIENCE_S: Final = 10.0
"""How long the proxy itself waits for either side."""


@attrs.frozen(kw_only=True)
class Request:
    """A request as the gateway sent it; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(hash=False)
    body: bytes

    def text(self) -> str:
        """Everything of it, for searching."""
        lines = [f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join((*lines, self.body.decode("utf-8", "replace")))


@attrs.frozen(kw_only=True)
class Reply:
    """An answer of the provider, or one made up in its place."""

    status: int
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    body: bytes = b""


class Exchange:
    """One request on its way: a fault decides whether it is forwarded and what is answered."""

    def __init__(self, proxy: "Proxy", request: Request, gateway: socket.socket) -> None:
        self.request = request
        self._proxy = proxy
        self._gateway = gateway

    def forward(self) -> Reply:
        """Let the provider act; its whole answer."""
        return self._proxy.ask_provider(self.request)

    def answer(self, reply: Reply, *, cut_at: int | None = None) -> None:
        """Send an answer and close in good order.

        :param cut_at: send no more of the body than this, although its length was announced.
        """
        left_out = {"content-length", "transfer-encoding", "connection", "keep-alive"}
        headers = {name: value for name, value in reply.headers.items() if name.lower() not in left_out}
        headers |= {"Content-Length": str(len(reply.body)), "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        reason = http.client.responses.get(reply.status, "Unknown")
        text = f"HTTP/1.1 {reply.status} {reason}\r\n{head}\r\n".encode("latin-1")
        self._gateway.sendall(text + reply.body[:cut_at])

    def reset(self) -> None:
        """End the connection at once; the gateway's next read fails."""
        reset(self._gateway)

    def wait_for_gateway(self, seconds: float) -> None:
        """Say nothing until the gateway has given up, or so long."""
        self._gateway.settimeout(seconds)
        with contextlib.suppress(OSError):
            self._gateway.recv(1)


class Fault(Protocol):
    """Something that happens to one request instead of being forwarded and answered."""

    def __call__(self, exchange: Exchange) -> None: ...


# --- the proxy -------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Order:
    """What is to happen to which requests."""

    fault: Fault
    wanted: Callable[[Request], bool]
    left: list[int]  # how often still; one number, changed under the proxy's lock


class Proxy:
    """Stands between a gateway and its provider. Safe to use from several threads; a context manager.

    :param provider: host and port of the provider.
    :ivar url: what the gateway's settings name instead of the provider; the same for the proxy's whole life.
    :ivar seen: every request that was read, in the order they came.
    :ivar connections: how many connections were accepted.
    """

    def __init__(self, provider: tuple[str, int]) -> None:
        self.provider = provider
        self.seen: list[Request] = []
        self.connections = 0
        self._orders: list[_Order] = []
        self._knocks: dict[int, threading.Event] = {}
        self._lock = threading.Lock()
        self._listener = _listen(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.host = f"127.0.0.1:{self.port}"
        self._serve(self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        _end(self._listener)

    def forget(self) -> None:
        """Forget what was seen and what was ordered."""
        with self._lock:
            self.seen.clear()
            self._orders.clear()
            self.connections = 0

    @contextlib.contextmanager
    def meddling(
        self, fault: Fault, *, wanted: Callable[[Request], bool] = lambda _: True, times: int = 10**6
    ) -> Iterator[None]:
        """Let something happen to the next ``times`` requests that are ``wanted``, for the length of a block.

        Of several such blocks the innermost comes first.
        """
        order = _Order(fault, wanted, [times])
        with self._lock:
            self._orders.insert(0, order)
        try:
            yield
        finally:
            with self._lock:
                if order in self._orders:
                    self._orders.remove(order)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens: connections are refused."""
        _end(self._listener)
        try:
            yield
        finally:
            self._listener = _listen(("127.0.0.1", self.port))
            self._serve(self._listener)

    def count(self, wanted: Callable[[Request], bool] = lambda _: True) -> int:
        """How many requests of a kind were read."""
        with self._lock:
            return sum(map(wanted, self.seen))

    def count_connections(self) -> int:
        """How many connections were made until now, also those not accepted yet: one more knocks after them."""
        with socket.socket() as knock:
            knock.bind(("127.0.0.1", 0))
            here, arrived = knock.getsockname()[1], threading.Event()
            self._knocks[here] = arrived
            with contextlib.suppress(ConnectionError):  # nobody listens: nothing waits to be accepted
                knock.connect(("127.0.0.1", self.port))
                arrived.wait(PATIENCE_S)
            del self._knocks[here]
        return self.connections

    def ask_provider(self, request: Request) -> Reply:
        """Send a request on, on a connection of its own, and read the whole answer."""
        connection = http.client.HTTPConnection(*self.provider, timeout=PATIENCE_S)
        left_out = {"connection", "content-length", "transfer-encoding"}
        headers = {name: value for name, value in request.headers.items() if name not in left_out}
        try:
            connection.request(request.method, request.target, request.body or None, headers | {"Connection": "close"})
            response = connection.getresponse()
            return Reply(status=response.status, headers=dict(response.getheaders()), body=response.read())
        finally:
            connection.close()

    # -- serving -----------------------------------------------------------------------------------------------------

    def _serve(self, listener: socket.socket) -> None:
        threading.Thread(target=self._accept, args=(listener,), name="eckit-proxy", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                gateway, (_, sender) = listener.accept()
            except OSError:
                return
            if knock := self._knocks.get(sender):
                gateway.close()
                knock.set()
                continue
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._handle, args=(gateway,), name="eckit-proxied", daemon=True).start()

    def _handle(self, gateway: socket.socket) -> None:
        with gateway:
            gateway.settimeout(PATIENCE_S)
            try:
                request = read_request(gateway)
                if request is None:
                    return
                exchange = Exchange(self, request, gateway)
                fault = self._fault_for(request)
                if fault is None:
                    exchange.answer(exchange.forward())
                else:
                    fault(exchange)
            except (OSError, ValueError, http.client.HTTPException):
                reset(gateway)  # one of the two has gone or speaks no HTTP: the other sees a broken line

    def _fault_for(self, request: Request) -> Fault | None:
        with self._lock:
            self.seen.append(request)
            for order in self._orders:
                if order.left[0] > 0 and order.wanted(request):
                    order.left[0] -= 1
                    return order.fault
        return None


# --- sockets ---------------------------------------------------------------------------------------------------------


def _listen(address: tuple[str, int]) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            listener.bind(address)
            listener.listen(128)
        except OSError:
            if time.monotonic() > until:
                listener.close()
                raise
            time.sleep(0.01)
        else:
            return listener


def _end(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
    listener.close()


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side reads an error, not an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_request(connection: socket.socket) -> Request | None:
    """Read one request, with a body of announced length or in chunks; None if the connection ends before.

    :raises OSError: it is none, or too large.
    """
    with connection.makefile("rb") as stream:
        first = stream.readline(65_536).decode("latin-1").split()
        if len(first) != 3:
            return None
        message = http.client.parse_headers(stream)
        headers = {name.lower(): value for name, value in message.items()}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(_chunks(stream))
        else:
            length = int(headers.get("content-length", "0"))
            if length > LARGEST_REQUEST:
                raise OSError("the request is too large")
            body = stream.read(length)
    return Request(method=first[0], target=first[1], headers=headers, body=body)


class _Stream(Protocol):
    def readline(self, limit: int = ..., /) -> bytes: ...

    def read(self, size: int = ..., /) -> bytes: ...


def _chunks(stream: _Stream) -> Iterator[bytes]:
    read = 0
    while size := int(stream.readline(64).split(b";")[0], 16):
        read += size
        if read > LARGEST_REQUEST:
            raise OSError("the request is too large")
        yield stream.read(size)
        stream.readline(64)
    stream.readline(64)
