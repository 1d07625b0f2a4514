"""B. Once only: sends again what was sent."""

from collections.abc import Callable
from typing import Any

import attrs

from eckit import (
    Begin,
    Capture,
    Captured,
    GatewayIo,
    Refund,
    Refunded,
)
from eckit.payment import Outcome
from eckit_sandbox.client import Client, MaybeSentError, Reply, Transport
from tests.testing.bad.declaration import BadAmounts
from tests.testing.bad.switched import BadSettings


class BadOnce(BadAmounts):
    """Sends again what was sent."""

    def __init__(self, settings: BadSettings) -> None:
        super().__init__(settings)
        self._begun: dict[str, int] = {}

    def begin(self, io: GatewayIo, op: Begin) -> Outcome:
        tries = self._begun[op.reference] = self._begun.get(op.reference, 0) + 1
        if tries > 1 and self._is("B.new_reference_each_time"):
            other = f"{op.reference}-{tries}"
            return super().begin(io, attrs.evolve(op, reference=other, begin_reference=other))
        return super().begin(io, op)

    def capture(self, io: GatewayIo, op: Capture) -> Outcome:
        if self._is("B.captures_without_sending"):
            return Captured(
                money=op.money, movement_ref=f"{op.reference}.c", provider_ref=op.provider_ref or "", at=io.now()
            )
        return super().capture(io, op)

    def refund(self, io: GatewayIo, op: Refund) -> Outcome:
        outcome = super().refund(io, op)
        if isinstance(outcome, Refunded) and self._is("B.refunds_twice"):
            super().refund(io, attrs.evolve(op, reference=f"{op.reference}-again"))
        return outcome

    def _client(self, io: GatewayIo) -> Client | None:
        client = super()._client(io)
        if client is None:
            return None
        client.transport = self._carried(client.transport)
        return _Retrying(client, self)  # type: ignore[return-value]

    def _carried(self, transport: Transport) -> Transport:
        return transport


class _Retrying:
    """A client that tries again by itself, as SDKs do."""

    def __init__(self, client: Client, gateway: BadOnce) -> None:
        self._client = client
        self._gateway = gateway

    def __getattr__(self, name: str) -> Callable[..., Reply]:
        call: Callable[..., Reply] = getattr(self._client, name)

        def tried(*arguments: Any, **options: Any) -> Reply:
            try:
                return call(*arguments, **options)
            except MaybeSentError:
                if name == "query" or not self._gateway._is("B.retries_by_itself"):
                    raise
            return call(*arguments, **options)

        return tried
