"""Outgoing HTTP that cannot be turned against the host, and that always knows whether a request may have left.

Addresses of providers and of merchants' webhooks come from settings, so a request may be aimed at the machines behind
the firewall. The client goes only where :mod:`eckit.kernel.addresses` lets it, over verified TLS. A name is resolved
once, every address it has is checked, and the connection goes to a checked address (the name stays in ``Host`` and in
the TLS handshake), so a second answer of the name server redirects nothing. Redirects are answers, never followed.
Proxy settings of the environment are not used.

A failure is one of two: :class:`NotSentError` (nothing of the request left, so it may be sent again) or
:class:`MaybeSentError` (it may have arrived: look it up). In doubt it is the second. Errors name the host and the
cause, never the path, headers or bodies. Needs the extra ``http``.
"""

import json
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import attrs

from eckit.kernel.addresses import BlockedAddressError, Door, Resolve, Target, resolve_host
from eckit.kernel.errors import invalid
from eckit.kernel.secrets import Secret

if TYPE_CHECKING:
    import httpcore2
    import httpx2

# --- what may go wrong -----------------------------------------------------------------------------------------------


class NotSentError(Exception):
    """Nothing of the request left this machine: sending it again does nothing twice. The cause is in ``__cause__``.

    :ivar host: where it should have gone.
    :ivar reason: ``blocked``, ``dns``, ``connect``, ``tls``, ``timeout`` or ``request`` (it could not be written down).
    """

    def __init__(self, host: str, reason: str, detail: str = "") -> None:
        super().__init__(host, reason, detail)
        self.host, self.reason, self.detail = host, reason, detail

    def __str__(self) -> str:
        return f"nothing was sent to {self.host or 'this address'}: {self.detail or self.reason}"


class BlockedError(NotSentError):
    """The address is one this client does not go to."""

    def __init__(self, host: str, detail: str) -> None:
        super().__init__(host, "blocked", detail)


class MaybeSentError(Exception):
    """The request may have arrived, and no usable answer came back. The cause is in ``__cause__``.

    :ivar reason: ``timeout``, ``connection``, ``answer`` (not HTTP, cut short) or ``too-large``.
    :ivar status: the answer's status, where one was read before it went wrong.
    """

    def __init__(self, host: str, reason: str, detail: str = "", status: int | None = None) -> None:
        super().__init__(host, reason, detail, status)
        self.host, self.reason, self.detail, self.status = host, reason, detail, status

    def __str__(self) -> str:
        return f"{self.host} may have received the request, but gave no usable answer: {self.detail or self.reason}"


# --- what is set and what comes back ---------------------------------------------------------------------------------


def _positive(instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not 0 < value < float("inf"):
        raise invalid("timeout-out-of-range", f"timeout.{attribute.name}", value, limit=0)


@attrs.frozen(kw_only=True)
class Timeouts:
    """Seconds, all above zero: until connected, between two pieces read, until a piece is written, and for everything.

    The time of the name server counts into ``total`` but cannot be cut short by it.
    """

    connect: float = attrs.field(default=5.0, validator=_positive)
    read: float = attrs.field(default=30.0, validator=_positive)
    write: float = attrs.field(default=10.0, validator=_positive)
    total: float = attrs.field(default=60.0, validator=_positive)


@attrs.frozen(kw_only=True)
class Reply:
    """What came back, whatever its status; a redirect too.

    :ivar headers: names in lower case, in the order they came.
    :ivar body: decoded from its content encoding.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def header(self, name: str) -> str:
        """A header's first value, or ``""``."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def text(self, encoding: str | None = None) -> str:
        """The body as text, in the given encoding, else its ``charset``, else UTF-8; what cannot be read becomes �."""
        _, _, charset = self.header("content-type").lower().partition("charset=")
        name = encoding or charset.split(";")[0].strip(" \"'") or "utf-8"
        # Providers that say Shift_JIS send Windows' superset of it.
        name = "cp932" if name in {"shift_jis", "shift-jis", "sjis", "x-sjis"} else name
        try:
            return self.body.decode(name, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, with numbers that have a point as ``Decimal``: an amount never passes through a float.

        :raises ValueError: not JSON (``NaN`` and ``Infinity`` are not).
        """
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except RecursionError:
            raise ValueError("JSON nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# --- the client ------------------------------------------------------------------------------------------------------

_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "accept-encoding"})


class GuardedClient:
    """Sends single requests, each over a connection of its own. Safe to use from several threads.

    :param allow_hosts: ``host`` or ``host:port`` that may be private, use another port, and plain ``http``.
    :param max_response_bytes: a longer answer, also after decompression, is a :class:`MaybeSentError`.
    :param ssl_context: for a certificate authority of one's own; it must verify certificates and host names.
    :raises InvalidInputError: ``not-a-host`` in the allow-list, ``tls-not-verified``.
    :raises ModuleNotFoundError: the extra ``http`` is not installed.
    """

    def __init__(
        self,
        allow_hosts: Iterable[str] = frozenset(),
        timeout: Timeouts | None = None,
        *,
        max_response_bytes: int = 5_000_000,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve = resolve_host,
        user_agent: str = "eckit",
    ) -> None:
        self._httpx, self._core = _libraries()
        self._door = Door(allow_hosts, resolve)
        self._timeout = timeout or Timeouts()
        self._max_response_bytes = max_response_bytes
        self._ssl_context = ssl_context or self._httpx.create_ssl_context(trust_env=False)
        if self._ssl_context.verify_mode != ssl.CERT_REQUIRED or not self._ssl_context.check_hostname:
            raise invalid("tls-not-verified", "ssl_context", "ssl_context")
        self._user_agent = user_agent

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | Secret] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        timeout: Timeouts | None = None,
        about_to_send: Callable[[], object] | None = None,
    ) -> Reply:
        """Send a request and wait for the whole answer, whatever its status.

        :param content: the body as it is; or ``form`` fields, or ``json``.
        :param about_to_send: called once, when the connection stands and nothing of the request has left. What it
            raises comes out unchanged, and nothing is sent.
        :raises BlockedError: the address is not one to go to.
        :raises NotSentError: nothing left.
        :raises MaybeSentError: it may have arrived.
        :raises InvalidInputError: ``reserved-header``: the client writes that one itself.
        """
        lines = self._headers(headers or {})
        request = self._written(method, url, params, lines, content=content, data=form, json=json)
        limits = timeout or self._timeout
        deadline = time.monotonic() + limits.total
        target, addresses = self._way(request.url)
        line = _Line(self._core, target, addresses, deadline, about_to_send)
        try:
            return self._exchange(request, target, line, limits)
        except (NotSentError, MaybeSentError):
            raise
        except Exception as error:  # sorted by what has left, whatever it is
            if error is line.objection:
                raise
            raise line.failure(error) from (line.tls_failure or error)

    def _headers(self, given: Mapping[str, str | Secret]) -> dict[str, str]:
        lines = {"user-agent": self._user_agent, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
        for name, value in given.items():
            if name.lower() in _OURS:
                raise invalid("reserved-header", "headers", name)
            lines[name.lower()] = value.reveal() if isinstance(value, Secret) else value
        return lines

    def _written(
        self, method: str, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str], **body: Any
    ) -> "httpx2.Request":
        if not url.isprintable() or "\\" in url or " " in url:
            raise BlockedError("", "the address has characters that no address has")
        try:
            full_url = self._httpx.URL(url).copy_merge_params(params or {})
            request: httpx2.Request = self._httpx.Request(method, full_url, headers=headers, **body)
        except (self._httpx.InvalidURL, ValueError, TypeError) as error:
            raise NotSentError("", "request", f"the request cannot be written: {type(error).__name__}") from error
        return request

    def _way(self, url: "httpx2.URL") -> tuple[Target, Sequence[str]]:
        try:
            target = self._door.target(url.scheme, url.raw_host.decode("ascii"), url.port, user=bool(url.userinfo))
            return target, self._door.addresses(target)
        except BlockedAddressError as error:
            raise BlockedError(error.host, error.detail) from error
        except (OSError, UnicodeError) as error:
            raise NotSentError(url.host, "dns", "the name has no address") from error

    def _exchange(self, request: "httpx2.Request", target: Target, line: "_Line", limits: Timeouts) -> Reply:
        core = self._core
        url = core.URL(scheme=target.scheme, host=target.host, port=target.port, target=request.url.raw_path)
        timeouts = {"connect": limits.connect, "read": limits.read, "write": limits.write, "pool": limits.connect}
        backend = cast("httpcore2.NetworkBackend", line)
        with core.ConnectionPool(self._ssl_context, network_backend=backend, max_keepalive_connections=0) as pool:
            answer = pool.handle_request(
                core.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.read(),
                    extensions={"timeout": timeouts},
                )
            )
            line.status = answer.status
            try:
                body = self._read(answer.iter_stream(), line)
            finally:
                answer.close()
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers)
        encoding = dict(headers).get("content-encoding", "").strip().lower()
        return Reply(status=answer.status, headers=headers, body=self._decoded(body, encoding, line))

    def _read(self, pieces: Iterable[bytes], line: "_Line") -> bytes:
        body = bytearray()
        for piece in pieces:
            body += piece
            if len(body) > self._max_response_bytes:
                raise line.unusable("too-large", "the answer is too long")
        return bytes(body)

    def _decoded(self, body: bytes, encoding: str, line: "_Line") -> bytes:
        """Undo an encoding that was not asked for, without letting a small answer grow without limit."""
        if encoding in {"", "identity"} or not body:
            return body
        if encoding not in {"gzip", "x-gzip", "deflate"}:
            raise line.unusable("answer", "the answer has an unknown encoding")
        inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, by their headers
        try:
            plain = inflate.decompress(body, self._max_response_bytes + 1)
        except zlib.error as error:
            raise line.unusable("answer", "the answer cannot be decompressed") from error
        if len(plain) > self._max_response_bytes:
            raise line.unusable("too-large", "the answer is too long")
        if not inflate.eof or inflate.unused_data:
            raise line.unusable("answer", "the answer was cut short")
        return plain


def _libraries() -> tuple[Any, Any]:
    try:
        import httpcore2
        import httpx2
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("outgoing HTTP needs the extra 'http': eckit-commerce[http]") from error
    return httpx2, httpcore2


# --- one connection --------------------------------------------------------------------------------------------------


class _Line:
    """The network of one request: connects to checked addresses only, keeps the deadline, knows what has left."""

    def __init__(
        self,
        core: Any,
        target: Target,
        addresses: Sequence[str],
        deadline: float,
        about_to_send: Callable[[], object] | None,
    ) -> None:
        self.core = core
        self.target = target
        self.status: int | None = None
        self.objection: BaseException | None = None
        self.tls_failure: BaseException | None = None
        self._addresses = addresses
        self._deadline = deadline
        self._about_to_send = about_to_send
        self._may_have_left = False

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> "_Stream":
        """Connect to the first checked address that answers, whatever name is asked for."""
        last: Exception = self.core.ConnectError("no address")
        for address in self._addresses:
            try:
                left = self.left(timeout, self.core.ConnectTimeout)
                return _Stream(self, self.core.SyncBackend().connect_tcp(address, port, timeout=left, **options))
            except (self.core.ConnectError, self.core.ConnectTimeout) as error:
                last = error
        raise last

    def leave(self) -> None:
        """The request is about to leave: tell, once."""
        if self._may_have_left:
            return
        if self._about_to_send is not None:
            try:
                self._about_to_send()
            except BaseException as error:
                self.objection = error
                raise
        self._may_have_left = True

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """Seconds a step may take: its own limit or what is left of the whole."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise late("the time for the whole request is over")
        return remaining if timeout is None else min(timeout, remaining)

    def failure(self, error: Exception) -> NotSentError | MaybeSentError:
        """What an error means for one who wants to send again."""
        late = isinstance(error, self.core.TimeoutException)
        if self._may_have_left:
            broken = "answer" if isinstance(error, self.core.ProtocolError) else "connection"
            return self.unusable("timeout" if late else broken, type(error).__name__)
        if self.tls_failure is not None:
            return NotSentError(self.target.host, "tls", str(self.tls_failure))
        reason = "connect" if isinstance(error, self.core.ConnectError) else "request"
        return NotSentError(self.target.host, "timeout" if late else reason, type(error).__name__)

    def unusable(self, reason: str, detail: str) -> MaybeSentError:
        """It was sent, and what came back is of no use."""
        return MaybeSentError(self.target.host, reason, detail, self.status)


class _Stream:
    """A connection of a :class:`_Line`."""

    def __init__(self, line: _Line, stream: "httpcore2.NetworkStream") -> None:
        self._line = line
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._line.left(timeout, self._line.core.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._line.left(timeout, self._line.core.WriteTimeout)
        self._line.leave()
        self._stream.write(buffer, left)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        left = self._line.left(timeout, self._line.core.ConnectTimeout)
        try:
            return _Stream(self._line, self._stream.start_tls(ssl_context, server_hostname, left))
        except self._line.core.ConnectError as error:
            self._line.tls_failure = error.__cause__ or error  # noted here: the pool drops causes
            raise

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
