"""What happened: facts announced in a transaction and sent after it committed."""

import contextvars
import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import attrs
import cattrs

from eckit.kernel.ids import EventId, ShopId
from eckit.kernel.refs import Ref

_CODEC = cattrs.Converter()
_CODEC.register_unstructure_hook(Ref, str)
_CODEC.register_structure_hook(Ref, lambda text, _: Ref.parse(text))
_CODEC.register_unstructure_hook(dt.datetime, lambda at: at.isoformat())
_CODEC.register_structure_hook(dt.datetime, lambda text, _: dt.datetime.fromisoformat(text))

EVENTS: dict[str, type["Event"]] = {}
"""Every event there is, by name; filled as classes are defined."""


@attrs.frozen(kw_only=True)
class Event:
    """Base of all events: ids, codes, amounts and steps only; no personal data, no secret, no free text.

    A subclass sets ``name`` (``capability.past_participle``) and gives its ``subject``. New optional fields keep the
    version; anything else is a new version.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        if cls.name:
            EVENTS[cls.name] = cls

    @property
    def subject(self) -> Ref:
        """What it happened to; ``seq`` orders the events of one subject."""
        raise NotImplementedError

    @property
    def hook(self) -> str:
        """The hook that hears it: ``order.placed`` is heard by ``order_placed``."""
        return self.name.replace(".", "_")

    def payload(self) -> dict[str, Any]:
        """As it is stored."""
        body: dict[str, Any] = _CODEC.unstructure(self)
        return body

    @classmethod
    def of(cls, payload: dict[str, Any]) -> Self:
        """Rebuilt from what was stored; keys of a later version are left out."""
        return _CODEC.structure(payload, cls)


@attrs.frozen(kw_only=True)
class Envelope:
    """An event as the outbox holds it, with where, when and by whom."""

    id: EventId
    shop: ShopId
    event: Event
    seq: int
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    by: str
    on_behalf_of: str | None
    correlation: str
    causation: str | None


_delivering: contextvars.ContextVar[Envelope | None] = contextvars.ContextVar("eckit_delivering", default=None)


def current_envelope() -> Envelope | None:
    """The envelope of the event that is being delivered here; if the event comes again, its id is the same."""
    return _delivering.get()


@contextmanager
def delivering(envelope: Envelope) -> Iterator[None]:
    """What is done inside is caused by this event."""
    token = _delivering.set(envelope)
    try:
        yield
    finally:
        _delivering.reset(token)
