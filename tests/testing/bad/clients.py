"""Clients that a careless plugin brings along instead of using the shop's."""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from eckit import GatewayIo
from eckit_sandbox.client import NotSentError


class OwnClient:
    """HTTP by the standard library. ``follows_redirects``, ``unverified_tls`` or ``waits_for_ever``."""

    def __init__(self, io: GatewayIo, fault: str) -> None:
        self._io = io
        self._fault = fault

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        status, given, body = self._once(method, url, headers, content, timeout)
        place = given.get("location", "")
        if 300 <= status < 400 and place and self._fault == "follows_redirects":
            status, given, body = self._once(method, place, headers, content, timeout)
        return status, given, body

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        limit = None if self._fault == "waits_for_ever" else timeout
        connection = self._connection(parts.scheme, parts.netloc, limit)
        try:
            try:
                connection.connect()
            except OSError as error:  # nothing was sent: no connection, or no trust in it
                raise NotSentError("connect") from error
            self._io.about_to_send()
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(method, target, content, dict(headers))
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def _connection(self, scheme: str, place: str, timeout: float | None) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(place, timeout=timeout)
        context = ssl.create_default_context()
        if self._fault == "unverified_tls":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(place, timeout=timeout, context=context)
