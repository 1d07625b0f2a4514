"""What providers send by themselves, exactly as it came, and what a gateway makes of it."""

import datetime as dt
from collections.abc import Mapping

import attrs

from eckit.kernel.doors import AS_SENT
from eckit.kernel.freezing import frozen_map
from eckit.payment.model.answers import Snapshot


@attrs.frozen(kw_only=True)
class RawRequest:
    """A notice as it came: raw bytes, headers with lower-case names, the sender's address as the host knows it."""

    body: bytes
    headers: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False, metadata=AS_SENT)
    remote_ip: str = ""


@attrs.frozen(kw_only=True)
class VerifiedNotice:
    """Its signature holds: the snapshot can be applied.

    :ivar event_key: the provider's id of the event, by which copies are known; empty: a digest of the body is used.
    """

    event_key: str
    snapshot: Snapshot
    sent_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class UnauthenticatedNotice:
    """An unsigned scheme: reason enough to query, nothing more. ``event_key`` as in :class:`VerifiedNotice`."""

    event_key: str
    begin_reference: str


@attrs.frozen(kw_only=True)
class ForgedNotice:
    """Signature missing or wrong, or malformed; nothing of it is believed or stored."""

    why: str


Opened = tuple[VerifiedNotice | UnauthenticatedNotice, ...] | ForgedNotice


@attrs.frozen(kw_only=True)
class Ack:
    """What to answer the provider: HTTP status and body."""

    status: int
    body: bytes = b""
