"""Work: one transaction, who asks for it, and everything that happens with its commit.

``Begin`` begins them. A Work of a shop of its own commits and rolls back; one joined to a host's connection uses a
savepoint and leaves the transaction to the host.
"""

import contextlib
import contextvars
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol, TypeVar

import attrs
import sqlalchemy as sa

from eckit.kernel import faults, history, idempotency, outbox, stamps
from eckit.kernel.actors import Actor
from eckit.kernel.clock import Clock
from eckit.kernel.database import explained
from eckit.kernel.errors import RefusedError
from eckit.kernel.events import Event, current_envelope
from eckit.kernel.idempotency import Key
from eckit.kernel.ids import ShopId, VariantId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.own import Own
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.tables import PREFIX

T = TypeVar("T")
_open: contextvars.ContextVar[tuple["Work", ...]] = contextvars.ContextVar("eckit_open_works", default=())


@attrs.define(kw_only=True, eq=False)
class WorkOpenError(RefusedError):
    """A transaction is open here, of eckit's or the host's, where none may be: no lock is held across the network."""

    code: ClassVar[str] = "work-open"
    what: str = ""


@attrs.define(kw_only=True, eq=False)
class ReadOnlyError(RefusedError):
    """A Work begun for reading was asked to write."""

    code: ClassVar[str] = "read-only"


class Transactions(Protocol):
    """Where connections with an open transaction come from: an engine, or a host's connection."""

    dialect: str

    def reading(self) -> "contextlib.AbstractContextManager[sa.Connection]": ...

    def writing(self) -> "contextlib.AbstractContextManager[sa.Connection]": ...


class Work:
    """One transaction. Public: hosts and plugins get it from ``shop.read(actor)`` and ``shop.write(actor)``.

    :ivar actor: who asks; stored as ``by`` on all that is written.
    :ivar now: the instant of this Work, the same for all it does.
    :ivar own: for plugins: statements on their own tables, in this transaction.
    :ivar trail: name of the flow whose fault points lie between the writing statements of this Work.
    """

    def __init__(self, begin: "Begin", connection: sa.Connection, actor: Actor, *, writes: bool) -> None:
        self.begin = begin
        self.connection = connection
        self.actor = actor
        self.writes = writes
        self.now: dt.datetime = begin.clock.now()
        self.plugins: Plugins = begin.plugins
        self.shop_id: ShopId = begin.shop_id
        self.own = Own(self)
        cause = current_envelope()
        self.correlation: str = mint("event") if cause is None else cause.correlation
        self.causation: str | None = None if cause is None else cause.id
        self.reply: Any = None
        self.trail: str | None = None
        self._events: list[Event] = []
        self._deeds: list[history.Deed] = []
        self._bumps: set[str] = set()
        self._wrote = False
        self._joined = not begin.retries

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.begin.transactions.dialect

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a statement of a core store.

        :raises ReadOnlyError: it writes and this Work is for reading.
        """
        if not getattr(statement, "is_dml", False):
            return self.connection.execute(statement, parameters)
        if not self.writes:
            raise ReadOnlyError()
        self._wrote = True
        result = self.connection.execute(statement, parameters)
        table = statement.table.name  # type: ignore[attr-defined]
        try:
            self._passed(table.removeprefix(PREFIX), core=table.startswith(PREFIX))
        except BaseException:
            result.close()  # with rows still to be fetched, SQLite commits nothing more on this connection
            raise
        return result

    def _passed(self, what: str, *, core: bool = True) -> None:
        """The fault point after a writing statement: ``<trail>.after_<table>``; of a plugin's table, where declared."""
        if self.trail is None:
            return
        point = f"{self.trail}.after_{what}"
        if core or point in faults.declared():
            faults.hit(point)

    def variant_of(self, sku_or_id: str) -> VariantId:
        """The variant of a SKU or a variant id; a bare Work knows ids only.

        :raises InvalidInputError: neither.
        """
        return VariantId(expect_id("variant", sku_or_id))

    def announce(self, event: Event) -> None:
        """Put an event into the outbox with this commit."""
        self._events.append(event)

    def did(self, verb: str, *subjects: Ref, reason: str = "") -> None:
        """Note for the audit row what is being done to what."""
        self._deeds.append(history.Deed(verb, subjects, reason))

    def has_done(self, verb: str, subject: Ref) -> bool:
        """Whether this Work did this to that: what a guest has just made is the guest's own until the commit."""
        return any(deed.verb == verb and subject in deed.subjects for deed in self._deeds)

    def bump(self, *names: str) -> None:
        """Raise version stamps with this commit: what rested on them is asked anew."""
        self._bumps.update(names)

    def has_bumped(self, name: str) -> bool:
        """Whether this Work raises a stamp: until it commits, what rests on that stamp is only its own to see."""
        return name in self._bumps

    def require(self, expected: Mapping[str, int]) -> None:
        """Insist in one read that no stamp moved.

        :raises MovedError: one did.
        """
        stamps.compare(self.connection, expected)

    def stamps(self, names: Iterable[str]) -> dict[str, int]:
        """The current version of each stamp, in one read."""
        wanted = set(names)
        for around in _open.get() if self._joined else ():
            if around is not self and around._joined and around.begin.shop_id == self.shop_id:
                # On the host's one connection this Work sees what that one has changed and not yet flushed. Under the
                # old numbers it would be cached for everybody, and outlive a rollback.
                stamps.raise_all(around.connection, around._bumps & wanted)
        return stamps.read(self.connection, wanted)

    def _flush(self) -> None:
        """Stamps, audit rows and events, each in one statement, last in the transaction."""
        by, behalf = str(self.actor), self.actor.on_behalf_of
        if self.writes and (self._wrote or self._events or self._bumps) and not self._deeds:
            self._deeds.append(history.Deed("write"))
        if (self._deeds or self._events or self._bumps) and not self.writes:
            raise ReadOnlyError()
        if self._bumps:
            stamps.raise_all(self.connection, self._bumps)
            self._passed("stamp")
        history.store(
            self.connection, self._deeds, now=self.now, by=by, on_behalf_of=behalf, correlation=self.correlation
        )
        self._passed("history")
        outbox.store(
            self.connection,
            self._events,
            now=self.now,
            by=by,
            on_behalf_of=behalf,
            correlation=self.correlation,
            causation=self.causation,
        )
        self._passed("outbox")


class Begin:
    """How a shop's Works begin: its transactions, plugins, clock and name. Flows get it as their first argument.

    :ivar shop: the shop it belongs to, as plugins get it with events.
    """

    def __init__(
        self,
        *,
        transactions: Transactions,
        plugins: Plugins,
        clock: Clock,
        shop_id: ShopId,
        settings: Any = None,
        work: type[Work] = Work,
    ) -> None:
        self.transactions = transactions
        self.plugins = plugins
        self.clock = clock
        self.shop_id = shop_id
        self.settings = settings
        self.shop: Any = None
        self._work = work

    @property
    def retries(self) -> bool:
        """Whether a flow may start again after a conflict: only who owns the transaction can."""
        return True

    def require_no_transaction(self, what: str) -> None:
        """Insist that neither a Work nor a host's transaction is open here.

        :raises WorkOpenError: one is.
        """
        if any(work.begin.shop_id == self.shop_id for work in _open.get()):
            raise WorkOpenError(what=what)

    def converse(
        self, plugin: str, what: str, function: Callable[..., T], *args: Any, limit_s: float | None = None
    ) -> T:
        """A call to a plugin that may use the network; the only way to make one.

        :raises WorkOpenError: a transaction is open here: no lock is held across the network.
        :raises ConversationTimeoutError: cut off at the hard limit; what it was doing may have happened.
        :raises PluginError: it raised; the cause is in ``__cause__``.
        """
        self.require_no_transaction(f"{plugin}.{what}")
        return self.plugins.converse(plugin, what, function, *args, limit_s=limit_s)

    @contextmanager
    def read(self, actor: Actor) -> Iterator[Work]:
        """A Work that sees one state of the database and may not write."""
        with self._translated(), self.transactions.reading() as connection:
            work = self._work(self, connection, actor, writes=False)
            with _entered(work):
                yield work
                work._flush()  # nothing, or ReadOnlyError: an event announced here would be lost without a word

    @contextmanager
    def write(self, actor: Actor, key: Key | None = None, *, trail: str | None = None) -> Iterator[Work]:
        """A Work that commits at the end, or rolls back on an exception.

        :param key: claimed first; ``work.reply`` is stored under it with the commit.
        :param trail: see :class:`Work`.
        :raises BusyError: the database could not serialise it with others; send the whole again.
        :raises KeyDoneError: the key was used before.
        """
        if any(work.writes and work.begin.shop_id == self.shop_id for work in _open.get()):
            raise WorkOpenError(what="write")
        with self._translated(), self.transactions.writing() as connection:
            work = self._work(self, connection, actor, writes=True)
            work.trail = trail
            with _entered(work):
                if key is not None:
                    idempotency.claim(connection, key, actor.identity, work.now)
                    work._passed("claim")
                yield work
                if key is not None:
                    idempotency.finish(connection, key, actor.identity, work.now, work.reply)
                    work._passed("idempotency")
                work._flush()

    @contextmanager
    def upkeep(self) -> Iterator[sa.Connection]:
        """A transaction of the machinery's own: leases and marks, which no actor asks for and no audit row tells of.

        :raises BusyError: the database could not serialise it with others.
        :raises WorkOpenError: a Work that writes is open here.
        """
        if any(work.writes and work.begin.shop_id == self.shop_id for work in _open.get()):
            raise WorkOpenError(what="upkeep")
        with self._translated(), self.transactions.writing() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Database errors leave as ours, COMMIT included."""
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise explained(error) from error


@contextmanager
def _entered(work: Work) -> Iterator[None]:
    token = _open.set((*_open.get(), work))
    try:
        yield
    finally:
        _open.reset(token)


def current_work() -> Work | None:
    """The innermost Work open in this context, if any."""
    works = _open.get()
    return works[-1] if works else None
