"""What people are told: mails, built from current state when they are sent."""

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import attrs

from eckit.kernel.ids import EventId, MailId
from eckit.kernel.refs import Ref


class MailState(enum.Enum):
    """waiting: to be sent. sent: the transport took it. given_up: parked with its last failure."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@attrs.frozen(kw_only=True)
class Mail:
    """A mail to send: kind, about what, in which language; no personal data: the address is looked up when sending.

    :ivar message_id: stable, made of the event's id: a repeated mail can be recognized as such.
    """

    id: MailId
    kind: str
    subject_ref: Ref
    event_id: EventId
    locale: str
    state: MailState
    tries: int = 0
    due_at: dt.datetime
    last_failure: str = ""


@attrs.frozen(kw_only=True)
class Rendered:
    """A mail ready for a transport. Header values contain no control characters."""

    message_id: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    locale: str
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Template:
    """A mail template: Jinja 2 texts for subject, text part and HTML part, by kind and locale."""

    kind: str
    locale: str
    subject: str
    text: str
    html: str


@runtime_checkable
class Transport(Protocol):
    """Takes mails. May use the network: called through the call layer, with no transaction open."""

    code: str

    def send(self, mail: Rendered) -> None:
        """Hand it over, or raise."""
        ...


@attrs.frozen(kw_only=True)
class MailData:
    """Plain data a template sees: nested dicts, lists, text; no objects."""

    values: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
