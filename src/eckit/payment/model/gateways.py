"""What a gateway declares and is held to, and the small protocols that are its abilities."""

import datetime as dt
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import attrs

from eckit.kernel.errors import Problem
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import MethodCode
from eckit.kernel.text import Text
from eckit.payment.model.answers import NoSuchPayment, Outcome, QueryFailed, Snapshot
from eckit.payment.model.asking import Begin, Capture, Query, Refund, Resume, Void
from eckit.payment.model.notices import Ack, Opened, RawRequest


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a gateway declares, and is held to. Checked when the shop is composed; spans are of 0 to 366 days.

    :ivar currencies: currency → (least, most) in minor units.
    :ivar flows: ``authorize`` and/or ``sale``. ``capture``: none, full, partial, multiple. ``refund``: likewise.
    :ivar idempotency: operation → ``key``, ``reference`` or ``none``.
    :ivar not_found_after: age after which "no such payment" is authoritative; None: never.
    :ivar reference_max, reference_chars: what our references must fit.
    :ivar webhook: mac, signature, address+query or none. :ivar ack: how an accepted notice is answered.
    :ivar timeout_s: hard limit of one call. ``max_pending``: how long pending may last.
    """

    currencies: Mapping[str, tuple[int, int]] = attrs.field(converter=frozen_map, hash=False)
    flows: frozenset[str] = frozenset({"authorize"})
    capture: str = "full"
    refund: str = "none"
    refund_async: bool = False
    void: bool = False
    auth_ttl: dt.timedelta | None = None
    action_ttl: dt.timedelta = dt.timedelta(minutes=30)
    idempotency: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    not_found_after: dt.timedelta | None = None
    reference_max: int = 64
    reference_chars: str = "A-Za-z0-9-"
    webhook: str = "none"
    ack: Ack = Ack(status=200)
    buyer_needs: frozenset[str] = frozenset()
    timeout_s: float = 15.0
    max_pending: dt.timedelta = dt.timedelta(hours=1)
    horizon: dt.timedelta = dt.timedelta(hours=72)
    mode: str = "test"
    account: str = "default"


@runtime_checkable
class GatewayIo(Protocol):
    """What a gateway may use: nothing else reaches outside.

    ``request`` sends HTTP through the guarded client and marks by itself that bytes leave; a gateway on a foreign SDK
    calls ``about_to_send`` right before. ``now`` is the shop's clock.
    """

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]: ...

    def about_to_send(self) -> None: ...

    def now(self) -> dt.datetime: ...

    def log(self, text: str) -> None: ...


@runtime_checkable
class Gateway(Protocol):
    """Required of every gateway; family version: payment 1. A protocol adapter: no database, no clock, no own HTTP."""

    id: MethodCode
    label: Text

    def capabilities(self) -> Capabilities: ...

    def begin(self, io: GatewayIo, op: Begin) -> Outcome: ...

    def query(self, io: GatewayIo, q: Query) -> Snapshot | NoSuchPayment | QueryFailed: ...

    def open_webhook(self, raw: RawRequest, now: dt.datetime) -> Opened: ...


@runtime_checkable
class Resumes(Protocol):
    """Can go on after a browser return; safe to call twice."""

    def resume(self, io: GatewayIo, op: Resume) -> Outcome: ...


@runtime_checkable
class Captures(Protocol):
    """Can take reserved money."""

    def capture(self, io: GatewayIo, op: Capture) -> Outcome: ...


@runtime_checkable
class Voids(Protocol):
    """Can release reserved money."""

    def void(self, io: GatewayIo, op: Void) -> Outcome: ...


@runtime_checkable
class Refunds(Protocol):
    """Can give taken money back."""

    def refund(self, io: GatewayIo, op: Refund) -> Outcome: ...


@runtime_checkable
class ChecksConfig(Protocol):
    """Can check its settings offline."""

    def check_config(self) -> tuple[Problem, ...]: ...


@runtime_checkable
class Scrubs(Protocol):
    """Can scrub its own transcripts, on top of the core's scrubbing."""

    def scrub(self, text: str) -> str: ...
