"""What eckit would ask the gateway, and what it gives it to ask with."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from moneyed import Money

from eckit import (
    Begin,
    CardToken,
    Query,
    Secret,
)
from eckit.kernel.http import GuardedClient, Timeouts


class Io:
    """What the core gives a gateway, over its own guarded client."""

    def __init__(self, *allowed: str) -> None:
        self._client = GuardedClient(allow_hosts=allowed)
        self.sent = 0
        self.logged: list[str] = []

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        reply = self._client.send(
            method,
            url,
            headers=headers,
            content=content or None,
            timeout=Timeouts(connect=timeout_s, read=timeout_s, write=timeout_s, total=timeout_s),
            about_to_send=self.about_to_send,
        )
        return reply.status, dict(reply.headers), reply.body

    def about_to_send(self) -> None:
        self.sent += 1

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 5, 1, tzinfo=dt.UTC)

    def log(self, text: str) -> None:
        self.logged.append(text)


def revealed(secret: Secret | None) -> str:
    assert secret is not None
    return secret.reveal()


def facts(reference: str, money: Money | None = None, **more: Any) -> dict[str, Any]:
    known = {"payment_id": "pay_1", "seq": 1, "begin_reference": "s-1", "provider_ref": None}
    return known | {"reference": reference, "money": Money(1200, "JPY") if money is None else money} | more


def begin(token: str = "tok_ok", **more: Any) -> Begin:
    return Begin(**facts("s-1", instrument=CardToken(token=Secret(token)), **more))


QUERY = Query(payment_id="pay_1", begin_reference="s-1", provider_ref=None, currency="JPY")  # type: ignore[arg-type]


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
