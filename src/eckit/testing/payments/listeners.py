"""Places to listen at: a trap where no request must arrive, perhaps with a certificate nobody signed; a mailbox."""

import contextlib
import socket
import ssl
import threading
from importlib import resources
from types import TracebackType
from typing import Final, Self

from eckit.payment.model import RawRequest
from eckit.testing.payments.proxy import read_request, reset

_CERTIFICATE: Final = "untrusted.pem"
PATIENCE_S: Final = 5.0


class Trap:
    """Listens on 127.0.0.1 and notes who comes; a context manager.

    :param tls: speak TLS with a certificate for 127.0.0.1 that no authority signed.
    :ivar visitors: how many connections came.
    :ivar heard: bytes that were sent to it, inside TLS if it speaks that.
    """

    def __init__(self, *, tls: bool = False) -> None:
        self.visitors = 0
        self.heard = b""
        self._lock = threading.Lock()
        self._context = _context() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        threading.Thread(target=self._accept, name="eckit-trap", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.visitors += 1
            threading.Thread(target=self._hear, args=(visitor,), name="eckit-trapped", daemon=True).start()

    def _hear(self, visitor: socket.socket) -> None:
        visitor.settimeout(PATIENCE_S)
        with visitor, contextlib.suppress(OSError):
            line = visitor if self._context is None else self._context.wrap_socket(visitor, server_side=True)
            said = line.recv(65_536)
            with self._lock:
                self.heard += said
            reset(line)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with resources.as_file(resources.files("eckit.testing.payments") / _CERTIFICATE) as file:
        context.load_cert_chain(file)
    return context


class Mailbox:
    """Where a provider's notices go during a check: each is kept exactly as it came, and acknowledged.

    :ivar url: what the provider is told as the shop's address for notices.
    :ivar kept: notices, in the order they came.
    """

    def __init__(self) -> None:
        self.kept: list[RawRequest] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/notices"
        threading.Thread(target=self._accept, name="eckit-mailbox", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                provider, address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(provider, address[0]), name="eckit-letter", daemon=True).start()

    def _keep(self, provider: socket.socket, ip: str) -> None:
        provider.settimeout(PATIENCE_S)
        with provider, contextlib.suppress(OSError):
            request = read_request(provider)
            if request is not None:
                self.kept.append(RawRequest(body=request.body, headers=request.headers, remote_ip=ip))
                provider.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
