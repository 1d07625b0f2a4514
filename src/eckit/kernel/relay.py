"""The relay: from the outbox to those who want to hear, after the commit, at least once, each subscriber apart.

It leases a batch (commit), sends with no transaction open, and marks (commit). A subscriber that fails hears the
event again later, and the others are not told twice. After :data:`TRIES` tries the event is parked with the reasons;
one that fails again and again never stands in front of others. A subscriber that fails at everything rests, longer each
time, and after a day is disabled until somebody enables it, which also sends what it missed.

A crash between sending and marking sends again: the event's id stays the same, so whoever hears may drop what it knows.
``seq`` orders the events of one subject; workers side by side may deliver out of order.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

import attrs
import sqlalchemy as sa

from eckit.kernel import delivery, faults, history, outbox
from eckit.kernel.actors import Actor
from eckit.kernel.delivery import EVERYBODY, Health, Mark, Waiting
from eckit.kernel.errors import NotFoundError, PluginError
from eckit.kernel.events import Envelope, Event, delivering
from eckit.kernel.host_hooks import SubscriberDisabled
from eckit.kernel.minting import mint, mint_token
from eckit.kernel.plugins import ConversationTimeoutError
from eckit.kernel.refs import Ref
from eckit.kernel.work import Begin

faults.declare("relay.after_lease", "relay.after_send", "relay.before_mark")

Subscriber: TypeAlias = Callable[[Envelope], None]
"""A part of the core that hears every event."""

TRIES: Final = 8
LEASE: Final = dt.timedelta(minutes=5)
CHECKPOINT_S: Final = 60.0
"""A worker marks what it has done and renews its lease at least so often, between two events."""

_BACKOFF: Final = tuple(
    dt.timedelta(seconds=seconds) for seconds in (10, 60, 600, 3600, 6 * 3600, 24 * 3600, 24 * 3600)
)
_TROUBLED_AFTER: Final = dt.timedelta(minutes=10)
_TROUBLED_FAILURES: Final = 5
_REST: Final = (dt.timedelta(minutes=1), dt.timedelta(hours=1))
_DISABLED_AFTER: Final = dt.timedelta(hours=24)
_HANGS: Final = 3
_RELAY: Final = Actor.system("relay")


@attrs.define(kw_only=True)
class RelayReport:
    """What one run of the relay did.

    :ivar done: events that everybody has heard.
    :ivar waiting: events somebody has still to hear; they are tried again later.
    :ivar parked: events moved aside in this run.
    :ivar disabled: subscribers that were disabled in this run.
    """

    done: int = 0
    waiting: int = 0
    parked: int = 0
    disabled: tuple[str, ...] = ()


def relay(
    begin: Begin,
    *,
    batch: int = 100,
    subscribers: Mapping[str, Subscriber] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> RelayReport:
    """Deliver everything that is due now, a batch at a time.

    :param subscribers: parts of the core that hear every event, by a name that stays; besides the plugins' hooks.
    :param stop: asked between two events; when it says yes, what has not been sent is given back.
    :raises WorkOpenError: a transaction is open here.
    """
    begin.require_no_transaction("relay")
    report = RelayReport()
    due_by = begin.clock.now()
    while not stop():
        run = _Run(begin, subscribers or {}, stop, report)
        if not run.take(due_by, batch):
            break
        run.deliver()
    return report


class _Run:
    """One batch: leased, sent, marked."""

    def __init__(
        self, begin: Begin, subscribers: Mapping[str, Subscriber], stop: Callable[[], bool], report: RelayReport
    ) -> None:
        self.begin, self.subscribers, self.stop, self.report = begin, subscribers, stop, report
        self.lease = mint_token()
        self.rows: list[sa.Row[Any]] = []
        self.health: dict[str, Health] = {}
        self.changed: set[str] = set()
        self.hangs: dict[str, int] = {}
        self.marks: list[Mark] = []

    def take(self, due_by: dt.datetime, batch: int) -> bool:
        """Whether there is anything to deliver."""
        with self.begin.upkeep() as connection:
            until = self.begin.clock.now() + LEASE
            self.rows = delivery.lease(connection, lease=self.lease, due_by=due_by, until=until, batch=batch)
            self.health = delivery.unwell(connection)
        faults.hit("relay.after_lease")
        return bool(self.rows)

    def deliver(self) -> None:
        """Send each event, and mark: at the end, and in between if it takes long."""
        left = self.rows
        checked = time.monotonic()
        while left and not self.stop():
            row, *left = left
            self.marks.append(self._delivered(row))
            faults.hit("relay.after_send")
            if left and time.monotonic() - checked > CHECKPOINT_S:
                left = self._checkpoint(left)
                checked = time.monotonic()
        self._checkpoint([])
        if left:
            with self.begin.upkeep() as connection:
                now = self.begin.clock.now()
                delivery.give_back(connection, lease=self.lease, ids=[row.id for row in left], now=now)

    def _checkpoint(self, left: list[sa.Row[Any]]) -> list[sa.Row[Any]]:
        """Mark what was sent and hold on to the rest; those of it that are still ours."""
        faults.hit("relay.before_mark")
        now = self.begin.clock.now()
        newly = self._newly_disabled(now)
        changed = [self.health[name] for name in sorted(self.changed)]
        with self.begin.upkeep() as connection:
            delivery.mark(connection, self.marks, lease=self.lease)
            delivery.note_health(connection, changed)
            _announce_disabled(connection, newly, now)
            ours = delivery.extend(connection, lease=self.lease, ids=[row.id for row in left], until=now + LEASE)
        self.report.disabled += tuple(health.name for health in newly)
        for mark in self.marks:
            self.report.done += mark.state == "done"
            self.report.waiting += mark.state == "pending"
            self.report.parked += mark.state == "parked"
        self.marks, self.changed = [], set()
        return [row for row in left if row.id in ours]

    # -- one event ---------------------------------------------------------------------------------------------------

    def _delivered(self, row: sa.Row[Any]) -> Mark:
        """Send one event to those who have not heard it, and tell what became of it."""
        now = self.begin.clock.now()
        if row.tries > TRIES:  # taken so often, and no worker lived to tell
            return self._parked(row, {EVERYBODY: f"not delivered in {TRIES} tries"})
        try:
            envelope = outbox.envelope(row, self.begin.shop_id)
        except Exception as error:  # noqa: BLE001 -- a body this version cannot read must not stop the others
            return self._parked(row, {EVERYBODY: f"cannot be read: {type(error).__name__}"})
        if envelope is None:
            return self._parked(row, {EVERYBODY: f"there is no event {row.name}"})
        waiting: dict[str, str] = {}
        retry_at: list[dt.datetime] = []
        tried = False
        for name, send in self._targets(envelope, row.waiting):
            health = self.health.get(name)
            if health is not None and health.disabled_at is not None:
                waiting[name] = "disabled"
            elif health is not None and health.rests_until is not None and health.rests_until > now:
                waiting[name] = f"resting: {health.reason}"
                retry_at.append(health.rests_until)
            elif (reason := self._sent(name, envelope, send)) is not None:
                waiting[name], tried = reason, True
                retry_at.append(now + _BACKOFF[min(row.tries, len(_BACKOFF)) - 1])
        if not waiting:
            return Mark(id=row.id, state="done", tries=row.tries, due_at=now)
        if not retry_at or (tried and row.tries >= TRIES):
            return self._parked(row, waiting)
        tries = row.tries if tried else row.tries - 1
        return Mark(id=row.id, state="pending", tries=tries, due_at=min(retry_at), waiting=waiting)

    @staticmethod
    def _parked(row: sa.Row[Any], waiting: Waiting) -> Mark:
        return Mark(id=row.id, state="parked", tries=row.tries, due_at=row.due_at, waiting=waiting)

    def _targets(self, envelope: Envelope, waiting: Waiting | None) -> Iterator[tuple[str, Callable[[], object]]]:
        """Who is to hear it: everybody known now, or those who have not yet."""
        known = dict(self._known(envelope))
        for name in sorted(known if waiting is None else waiting):
            yield name, known.get(name, _nobody)

    def _known(self, envelope: Envelope) -> Iterator[tuple[str, Callable[[], object]]]:
        for name, subscriber in self.subscribers.items():
            yield name, partial(subscriber, envelope)
        plugins, facts = self.begin.plugins, {"event": envelope.event, "shop": getattr(self.begin, "shop", None)}
        for hook in hooks_of(envelope.event):
            for implementation in plugins.implementations(hook):
                yield f"{implementation.plugin}:{hook}", partial(plugins.tell, hook, implementation, facts)

    def _sent(self, name: str, envelope: Envelope, send: Callable[[], object]) -> str | None:
        """Send to one subscriber; why it failed, if it did. Of what it raised only the kind is kept."""
        reason: str | None = None
        try:
            with delivering(envelope):
                send()
        except ConversationTimeoutError:
            reason = "took too long"
        except PluginError as error:
            reason = error.reason
        except Exception as error:  # noqa: BLE001 -- one subscriber's failure is never another's
            reason = type(error).__name__
        self._note(name, reason)
        return reason

    # -- how subscribers are -----------------------------------------------------------------------------------------

    def _note(self, name: str, reason: str | None) -> None:
        health = self.health.get(name)
        if reason is None:
            self.hangs.pop(name, None)
            if health is not None:
                self.health[name] = attrs.evolve(health, failures=0, rests_until=None, disabled_at=None)
                self.changed.add(name)
            return
        now = self.begin.clock.now()
        if health is None or not health.failures:
            health = Health(name=name, failing_since=now)
        health = attrs.evolve(health, failures=health.failures + 1, reason=reason[:80])
        self.hangs[name] = self.hangs.get(name, 0) + 1 if reason == "took too long" else 0
        troubled = health.failures >= _TROUBLED_FAILURES and now - health.failing_since >= _TROUBLED_AFTER
        if troubled or self.hangs[name] >= _HANGS:
            health.rests_until = now + _rest(health.failures)
        self.health[name] = health
        self.changed.add(name)

    def _newly_disabled(self, now: dt.datetime) -> list[Health]:
        """Those whose resting has not helped for a day."""
        found = []
        for name in sorted(self.changed):
            health = self.health[name]
            long = now - health.failing_since >= _DISABLED_AFTER
            if health.failures >= _TROUBLED_FAILURES and long and health.disabled_at is None:
                health.disabled_at = now
                found.append(health)
        return found


def _rest(failures: int) -> dt.timedelta:
    shortest, longest = _REST
    doublings: int = min(max(failures - _TROUBLED_FAILURES, 0), 10)
    return min(shortest * (1 << doublings), longest)


def _nobody() -> None:
    raise PluginError(reason="there is no such subscriber")


def hooks_of(event: Event) -> tuple[str, ...]:
    """The hooks that hear an event: its own, and ``payment_changed`` for every event of a payment."""
    general = ("payment_changed",) if event.name.startswith("payment.") else ()
    return (event.hook, *general)


def _announce_disabled(connection: sa.Connection, disabled: list[Health], now: dt.datetime) -> None:
    if not disabled:
        return
    correlation = mint("event")
    deeds = [history.Deed("relay.disable", (Ref("subscriber", health.name),), health.reason) for health in disabled]
    history.store(connection, deeds, now=now, by=str(_RELAY), on_behalf_of=None, correlation=correlation)
    events = [SubscriberDisabled(subscriber=health.name, failures=health.failures) for health in disabled]
    outbox.store(
        connection, events, now=now, by=str(_RELAY), on_behalf_of=None, correlation=correlation, causation=None
    )


# --- by hand ---------------------------------------------------------------------------------------------------------


def replay(begin: Begin, actor: Actor, *, event_id: str | None = None, subscriber: str | None = None) -> int:
    """Send events again: one, whatever its state, or all that are parked; how many. Needs ``relay.replay``.

    :param subscriber: also to this one if it has heard the event; of all that are parked, those that wait for it.
        Without it, to those who have not heard the event, or to everybody if all have.
    :raises NotFoundError: there is no such event.
    """
    actor.require("relay.replay")
    with begin.write(actor) as work:
        if event_id is None:
            rows = [(row.id, row.waiting) for row in delivery.parked(work.connection)]
            if subscriber is not None:
                rows = [(id_, waiting) for id_, waiting in rows if waiting and {subscriber, EVERYBODY} & set(waiting)]
        else:
            found = sa.select(outbox.outbox.c.id, outbox.outbox.c.waiting).where(outbox.outbox.c.id == event_id)
            rows = [(row.id, row.waiting) for row in work.execute(found)]
            if not rows:
                raise NotFoundError(kind="event", id=event_id)
            if subscriber is not None:
                rows = [(id_, {**(waiting or {}), subscriber: "replayed"}) for id_, waiting in rows]
        delivery.send_again(work.connection, rows, now=work.now)
        work.did("relay.replay", *(Ref("event", id_) for id_, _ in rows))
    return len(rows)


def enable(begin: Begin, actor: Actor, name: str) -> int:
    """Call a subscriber again, or with the name of a plugin all its hooks, and send what was parked for it; how many
    events. Needs ``relay.replay``.

    :raises NotFoundError: nobody of this name has failed.
    """
    actor.require("relay.replay")
    with begin.write(actor) as work:
        names = [known for known in delivery.unwell(work.connection) if known == name or known.startswith(f"{name}:")]
        if not names:
            raise NotFoundError(kind="subscriber", id=name)
        work.execute(sa.delete(delivery.subscriber).where(delivery.subscriber.c.name.in_(names)))
        rows = [
            (row.id, row.waiting) for row in delivery.parked(work.connection) if set(names) & set(row.waiting or ())
        ]
        delivery.send_again(work.connection, rows, now=work.now)
        work.did("relay.enable", *(Ref("subscriber", known) for known in names))
    return len(rows)
