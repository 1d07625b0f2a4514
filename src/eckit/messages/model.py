"""What people are told: mails, built from current state when they are sent."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import attrs

from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import EventId, MailId
from eckit.kernel.refs import Ref


class MailState(enum.Enum):
    """waiting: to be sent. sent: the transport took it. given_up: parked with its last failure."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@attrs.frozen(kw_only=True)
class Mail:
    """A mail to send: kind and about what; no personal data: address and language are looked up when it is sent.

    :ivar about: an order.
    :ivar queued_at: when its event was heard; the mail bears this date, however often it is tried.
    :ivar facts: what of its event the mail tells, as :class:`MessageWish` gave it.
    """

    id: MailId
    kind: str
    about: Ref
    event_id: EventId
    state: MailState
    tries: int = 0
    due_at: dt.datetime
    queued_at: dt.datetime
    last_failure: str = ""
    facts: Mapping[str, str | int] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Rendered:
    """A mail ready for a transport. Header values contain no control characters.

    :ivar message_id: stable, made of the event's id: a repeated mail can be recognized as such.
    :ivar written_at: what its ``Date`` says; the same in a repeated mail, so that the whole of it is.
    :ivar sender: address it comes from; ``sender_name``: the name beside it. ``to``: the one address it goes to.
    """

    message_id: str
    written_at: dt.datetime
    sender: str
    sender_name: str = ""
    to: str
    subject: str
    text: str
    html: str
    locale: str
    headers: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Template:
    """A mail template: Jinja 2 texts for subject, text part and HTML part, by kind and locale."""

    kind: str
    locale: str
    subject: str
    text: str
    html: str


@attrs.frozen(kw_only=True)
class MessageWish:
    """A mail to be sent because of an event: which kind, about what (an order's Ref).

    :ivar facts: codes, ids and amounts of the event that the mail tells, shown to its template as ``event``; no
        personal data. ``amount_minor`` and ``currency`` together become ``event.amount``.
    """

    kind: str
    about: Ref
    facts: Mapping[str, str | int] = attrs.field(converter=frozen_map, factory=dict, hash=False)


@runtime_checkable
class Transport(Protocol):
    """Takes mails. May use the network: called through the call layer, with no transaction open."""

    @property
    def code(self) -> str:
        """Names it among the transports of a shop."""
        ...

    def send(self, mail: Rendered) -> None:
        """Hand it over, or raise."""
        ...
