"""A tiny web server for the demo: the provider's notices come in by HTTP, as they would in a host's own program."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from eckit.kernel.ids import MethodCode
from eckit.payment.model import RawRequest
from eckit.shop import Shop

_LIMIT: Final = 1_000_000


class NoticeServer:
    """Listens on loopback; answers 503 until it is given a shop."""

    def __init__(self) -> None:
        self.shop: Shop | None = None
        self.received = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where the provider sends notices: ``/notices/<gateway>``."""
        return f"http://127.0.0.1:{self._server.server_port}/notices/sandbox.card"

    @contextmanager
    def serving(self) -> Iterator["NoticeServer"]:
        """Serve on a thread until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, name="notices", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(timeout=5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _LIMIT))
                headers = {name.lower(): value for name, value in self.headers.items()}
                raw = RawRequest(body=body, headers=headers, remote_ip=self.client_address[0])
                status, answer = outer.answer(self.path.rpartition("/")[2], raw)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Silent: the demo prints what matters."""

        return Handler

    def answer(self, gateway: str, raw: RawRequest) -> tuple[int, bytes]:
        """Status and body for the provider."""
        if self.shop is None:
            return 503, b""
        self.received += 1
        ack = self.shop.receive_notice(MethodCode(gateway), raw)
        return ack.status, ack.body
