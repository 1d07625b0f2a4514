"""What a careless plugin does on the network instead of leaving it to the shop's client."""

import http.client
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from eckit.kernel.http import MaybeSentError
from eckit_sandbox.client import NotSentError, Transport

Answer = tuple[int, Mapping[str, str], bytes]
TOO_LONG_S = 30.0


class CarelessTransport:
    """The good transport, with a switch for what may go wrong on the way.

    :param is_on: whether a fault is on.
    """

    def __init__(self, good: Transport, is_on: Callable[[str], bool]) -> None:
        self._good = good
        self._is_on = is_on

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Answer:
        request = (method, headers, content, timeout)
        if url.startswith("https:") and self._is_on("H.unverified_tls"):
            return _send(url, *request)
        try:
            status, given, body = self._good.request(method, url, headers, content, timeout)
        except MaybeSentError as error:
            if error.reason == "timeout" and self._is_on("H.waits_for_ever"):
                threading.Event().wait(TOO_LONG_S)
            raise
        place = given.get("location", "")
        if 300 <= status < 400 and place and self._is_on("H.follows_redirects"):
            return _send(place, *request)
        return status, given, body


def _send(url: str, method: str, headers: Mapping[str, str], content: bytes | None, timeout: float) -> Answer:
    """By the standard library, with no question asked about certificates."""
    parts = urlsplit(url)
    connection: Any = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NotSentError("connect") from error
        connection.request(method, parts.path, content, dict(headers))
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()
