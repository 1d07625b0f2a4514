"""The provider's HTTP dialect and nothing else: no retry, no state, no opinion on what an answer means for the shop."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import attrs

NOT_SENT: Final = (ConnectionRefusedError, socket.gaierror)
"""What a transport raises before a connection exists, so that no byte of the request can have left."""


class Transport(Protocol):
    """What carries requests. It must not repeat one, not follow redirects and always observe ``timeout`` (seconds)."""

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; raise anything if there is no complete answer."""


class NotSentError(Exception):
    """Surely nothing was sent: it is safe to send the same request again. A transport may raise this itself."""


class MaybeSentError(Exception):
    """The request may have arrived and there is no usable answer: look it up, never resend blindly.

    ``status`` is that of the answer if there was one.
    """

    def __init__(self, cause: str, status: int | None = None) -> None:
        super().__init__(cause)
        self.status = status


@attrs.frozen(kw_only=True)
class Reply:
    """A well-formed answer with a status below 500. ``retry_after`` is in seconds."""

    status: int
    body: dict[str, Any] = attrs.field(repr=False)
    retry_after: int | None = None

    @property
    def error(self) -> str | None:
        """The provider's error code, if this answer is a refusal."""
        error = self.body.get("error")
        return str(error.get("code")) if isinstance(error, dict) else None


class Client:
    """One account at the provider."""

    def __init__(
        self, transport: Transport, base_url: str, account: str, api_key: str, *, timeout: float = 10.0
    ) -> None:
        self.transport = transport
        self._base_url = base_url.rstrip("/")
        self._account = account
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<Client of {self._account} at {self._base_url}>"

    def begin(
        self,
        *,
        reference: str,
        amount: int,
        currency: str,
        token: str,
        capture: bool,
        return_url: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Reply:
        """Begin a payment of ``amount`` minor units; the body of the reply is the payment's snapshot."""
        body: dict[str, object] = {
            "reference": reference,
            "amount": amount,
            "currency": currency,
            "token": token,
            "capture": capture,
            "return_url": return_url,
            "metadata": dict(metadata or {}),
        }
        return self._send("POST", "/v1/payments", body)

    def capture(self, payment: str, *, reference: str, amount: int) -> Reply:
        """Capture a part or all; the body of the reply has ``operation`` and ``payment``."""
        return self._send("POST", f"{_path(payment)}/captures", {"reference": reference, "amount": amount})

    def void(self, payment: str, *, reference: str) -> Reply:
        """Release what is still reserved, or close a challenge; the reply is as for :meth:`capture`."""
        return self._send("POST", f"{_path(payment)}/voids", {"reference": reference})

    def refund(self, payment: str, *, reference: str, amount: int) -> Reply:
        """Give back a part or all; the reply is as for :meth:`capture`."""
        return self._send("POST", f"{_path(payment)}/refunds", {"reference": reference, "amount": amount})

    def query(self, payment: str) -> Reply:
        """Ask for the snapshot of a payment; a reply with the error ``no_such_payment`` says there is none."""
        return self._send("GET", f"{_path(payment)}?{urlencode({'account': self._account})}", None)

    def ledger(self, *, since: str | None = None, until: str | None = None) -> Reply:
        """Ask for the movements of the account in a half-open span of instants (texts with an offset)."""
        wanted = {"account": self._account, "since": since, "until": until}
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return self._send("GET", f"/v1/ledger?{query}", None)

    def _send(self, method: str, path: str, body: dict[str, object] | None) -> Reply:
        content = None if body is None else json.dumps({"account": self._account, **body}).encode()
        try:
            status, headers, raw = self.transport.request(
                method, self._base_url + path, self._headers, content, self._timeout
            )
        except NotSentError:
            raise
        except Exception as failure:
            cause = type(failure).__name__
            if _never_left(failure):
                raise NotSentError(cause) from failure
            raise MaybeSentError(cause) from failure
        return _reply(status, {name.lower(): value for name, value in headers.items()}, raw)


def _path(payment: str) -> str:
    return f"/v1/payments/{quote(payment, safe='')}"


def _never_left(failure: BaseException) -> bool:
    """Say whether every failure of the chain that concerns the network is one from before the connection."""
    network = [one for one in _chain(failure) if isinstance(one, OSError)]
    return bool(network) and all(isinstance(one, NOT_SENT) for one in network)


def _chain(failure: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while failure is not None and failure not in chain:
        chain.append(failure)
        failure = failure.__cause__ or failure.__context__
    return chain


def _reply(status: int, headers: Mapping[str, str], raw: bytes) -> Reply:
    if not (200 <= status < 300 or 400 <= status < 500):
        raise MaybeSentError(f"status {status}", status)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise MaybeSentError("the answer is not JSON", status)
    try:
        body = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MaybeSentError("the answer cannot be read", status) from None
    if not isinstance(body, dict):
        raise MaybeSentError("the answer is not an object", status)
    wait = headers.get("retry-after", "")
    return Reply(status=status, body=body, retry_after=int(wait) if wait.isascii() and wait.isdigit() else None)
