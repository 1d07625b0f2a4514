"""The call layer: the only way to a plugin.

Implementations of hooks run inline, each with its own error capture, decimal context and measured time. An overrun is
named and counted and opens that plugin's breaker. Conversations that may use the network run on a worker thread with a
hard limit, and only when no Work is open. Answers come sorted by plugin name, so nothing depends on load order.
"""

import contextvars
import decimal
import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeGuard, TypeVar, cast

import attrs
import sqlalchemy as sa

from eckit.kernel.conforming import checker
from eckit.kernel.errors import EckitError, InvalidInputError, PluginError, Problem, RefusedError
from eckit.kernel.hookspecs import Failure, HookSpec, Kind
from eckit.kernel.text import clean

T = TypeVar("T")
_CONTEXT = decimal.Context(prec=28, rounding=decimal.ROUND_HALF_EVEN)
RESTING = "resting after failures"
_LONGEST_CODE = 80


@attrs.frozen(kw_only=True)
class Limits:
    """What the call layer allows.

    :ivar inline_s: an inline implementation that takes longer counts as an overrun.
    :ivar overruns: so many in a row (or failures) open the plugin's breaker for that hook.
    :ivar rest_s: how long an open breaker leaves the plugin out of DROP hooks, and its objects out of what is offered.
    :ivar conversation_s: hard limit of a conversation on a worker thread.
    """

    inline_s: float = 0.25
    overruns: int = 3
    rest_s: float = 30.0
    conversation_s: float = 20.0


@attrs.frozen(kw_only=True)
class FailureRecord:
    """A plugin's failure that was survived: goes with the result it is missing from."""

    plugin: str
    hook: str
    reason: str


@attrs.frozen
class Answer(Generic[T]):
    """What one plugin said."""

    plugin: str
    value: T


@attrs.frozen
class Answers(Generic[T]):
    """What all plugins said, sorted by plugin name, and who failed."""

    given: tuple[Answer[T], ...] = ()
    failures: tuple[FailureRecord, ...] = ()

    def __iter__(self) -> Iterator[T]:
        return (answer.value for answer in self.given)


@attrs.frozen(kw_only=True)
class Implementation:
    """One plugin's function for one hook, bound at start."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Registered(Generic[T]):
    """A thing a plugin registered under a code."""

    plugin: str
    code: str
    thing: T


@attrs.define
class Track:
    """How a plugin has behaved at one hook; read by ``eckit plugins`` and health pages."""

    calls: int = 0
    overruns: int = 0
    failures: int = 0
    in_a_row: int = 0
    worst_s: float = 0.0
    rests_until: float = 0.0


@attrs.frozen(kw_only=True)
class PluginInfo:
    """A plugin as it was composed."""

    name: str
    version: str
    plugin: Any
    interface: Mapping[str, int]
    settings: Any = None
    tables: frozenset[sa.Table] = frozenset()
    hooks: tuple[str, ...] = ()


@attrs.define(kw_only=True, eq=False)
class ConversationTimeoutError(EckitError):
    """A conversation was cut off at its hard limit; what it was doing may have happened."""

    code: ClassVar[str] = "conversation-timeout"
    plugin: str = ""
    what: str = ""
    limit_s: float = 0.0


class Call:
    """``plugins.call.<hook>(**facts) -> Answers``; typed Any, so only the typed caller beside a spec uses it."""

    def __init__(self, plugins: "Plugins") -> None:
        self._plugins = plugins

    def __getattr__(self, hook: str) -> Callable[..., Answers[Any]]:
        spec = self._plugins.specs[hook]
        asked = self._plugins.ask if spec.kind is not Kind.CHOOSE else self._plugins.choose

        def call(**facts: Any) -> Answers[Any]:
            return asked(spec, facts)

        object.__setattr__(self, hook, call)
        return call


class Plugins:
    """All plugins of one shop, composed once; made by :mod:`eckit.kernel.composing`.

    :ivar problems: what was wrong with plugins that were left out; empty for a strict composition.
    :ivar disabled: plugins left out, by the settings or for their problems.
    """

    def __init__(
        self,
        *,
        infos: Iterable[PluginInfo],
        specs: Iterable[HookSpec],
        implementations: Mapping[str, Sequence[Implementation]],
        limits: Limits | None = None,
        problems: tuple[Problem, ...] = (),
        disabled: tuple[str, ...] = (),
    ) -> None:
        self.problems = problems
        self.disabled = disabled
        self.infos: dict[str, PluginInfo] = {info.name: info for info in sorted(infos, key=lambda info: info.name)}
        self.specs: dict[str, HookSpec] = {spec.name: spec for spec in specs}
        self._implementations = {name: tuple(found) for name, found in implementations.items()}
        self.limits = limits or Limits()
        self.call: Any = Call(self)
        self.registered: dict[str, dict[str, Registered[Any]]] = {}
        self.tracks: defaultdict[tuple[str, str], Track] = defaultdict(Track)
        self._owners = {table.key: info.name for info in self.infos.values() for table in info.tables}
        self._checks = {spec.name: checker(spec.answer) for spec in self.specs.values()}
        self._facts: dict[tuple[str, str], tuple[int, Any]] = {}
        self._facts_lock = threading.Lock()

    # -- hooks ---------------------------------------------------------------------------------------------------

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """Who implements a hook, in the order of their names (``choose_``: of their rank)."""
        return self._implementations.get(hook, ())

    def ask(self, spec: HookSpec, facts: Mapping[str, Any]) -> Answers[Any]:
        """Ask every plugin; a failure of a CLOSED hook ends the operation.

        :raises PluginError: names the plugin that failed a CLOSED hook.
        """
        found = self._implementations.get(spec.name)
        if not found:
            return Answers()
        given: list[Answer[Any]] = []
        failures: list[FailureRecord] = []
        for implementation in found:
            try:
                given.append(Answer(implementation.plugin, self.run(spec, implementation, facts)))
            except PluginError as error:
                if spec.failure is Failure.CLOSED:
                    raise
                failures.append(FailureRecord(plugin=error.plugin, hook=spec.name, reason=error.reason))
        return Answers(tuple(given), tuple(failures))

    def choose(self, spec: HookSpec, facts: Mapping[str, Any]) -> Answers[Any]:
        """Ask in rank order until one answers something but None.

        :raises PluginError: names the plugin that failed.
        """
        for implementation in self._implementations.get(spec.name, ()):
            value = self.run(spec, implementation, facts)
            if value is not None:
                return Answers((Answer(implementation.plugin, value),))
        return Answers()

    def run(self, spec: HookSpec, implementation: Implementation, facts: Mapping[str, Any]) -> Any:
        """One implementation, guarded and measured.

        :raises PluginError: it raised, answered another type, or its breaker is open.
        :raises RefusedError: it refused on purpose, with an error of eckit's; only where the operation may be refused.
        """
        plugin, hook, heard = implementation.plugin, spec.name, spec.kind is Kind.HAPPENED
        track = self.tracks[plugin, hook]
        if spec.failure is Failure.DROP and not heard and track.rests_until > time.monotonic():
            raise PluginError(plugin=plugin, hook=hook, reason=RESTING)
        saved, started, failed = decimal.getcontext(), time.monotonic(), True
        decimal.setcontext(_CONTEXT.copy())
        try:
            value = implementation.function(**{name: facts[name] for name in implementation.arguments})
            failed = not (heard or self._checks[hook](value))  # what a listener returns is nobody's business
        except (Exception, SystemExit) as error:
            if isinstance(error, RefusedError) and spec.may_refuse:
                failed = False
                raise
            raise PluginError(plugin=plugin, hook=hook, reason=type(error).__name__) from error
        finally:
            decimal.setcontext(saved)
            self._note(track, started, failed=failed, limit_s=self.limits.inline_s)
        if failed:
            raise PluginError(plugin=plugin, hook=hook, reason=f"answered {type(value).__name__}")
        return value

    def guarded(
        self, plugin: str, what: str, function: Callable[..., T], *args: Any, failure: Failure = Failure.CLOSED
    ) -> T:
        """An inline call of an object a plugin registered (``answer``, ``quote``, ``judge``), guarded and measured.

        It may not use the network: that is a conversation. The caller checks what comes back.

        :param failure: ``DROP`` where the caller leaves out what fails: it rests while its breaker is open.
        :raises PluginError: it raised, the cause is in ``__cause__``; or it rests.
        """
        track, started, failed = self.tracks[plugin, what], time.monotonic(), True
        if failure is Failure.DROP and track.rests_until > started:
            raise PluginError(plugin=plugin, hook=what, reason=RESTING)
        try:
            with decimal.localcontext(_CONTEXT):
                value = function(*args)
            failed = False
        except (Exception, SystemExit) as error:
            raise PluginError(plugin=plugin, hook=what, reason=type(error).__name__) from error
        finally:
            self._note(track, started, failed=failed, limit_s=self.limits.inline_s)
        return value

    def _note(self, track: Track, started: float, *, failed: bool, limit_s: float) -> None:
        """Count a call. Not locked: two threads may lose a count, which no decision about data rests on."""
        took = time.monotonic() - started
        late = took > limit_s
        track.calls += 1
        if took > track.worst_s:
            track.worst_s = took
        if not (late or failed):
            track.in_a_row = 0
            return
        track.overruns += late
        track.failures += failed
        track.in_a_row += 1
        if track.in_a_row >= self.limits.overruns:
            track.rests_until = started + took + self.limits.rest_s

    def tell(self, hook: str, implementation: Implementation, facts: Mapping[str, Any]) -> None:
        """Let one implementation of a past-tense hook know, on a worker thread with the limit of a conversation: it may
        send what it heard to others. What it returns is nobody's business.

        :raises ConversationTimeoutError: cut off at the limit.
        :raises PluginError: it raised; the cause is in ``__cause__``.
        """
        heard = functools.partial(implementation.function, **{name: facts[name] for name in implementation.arguments})
        self.converse(implementation.plugin, hook, heard)

    # -- conversations -------------------------------------------------------------------------------------------

    def converse(
        self, plugin: str, what: str, function: Callable[..., T], *args: Any, limit_s: float | None = None
    ) -> T:
        """Run a call that may use the network, on a worker thread with a hard limit. Use ``begin.converse``, which also
        makes sure that no transaction is open.

        :raises ConversationTimeoutError: cut off at the limit; the thread is left to end by itself.
        :raises PluginError: it raised; the cause is in ``__cause__``.
        """
        limit = self.limits.conversation_s if limit_s is None else limit_s
        track, started, failed = self.tracks[plugin, what], time.monotonic(), True
        talk: _Talk[T] = _Talk(contextvars.copy_context(), function, args)
        # One thread for each, and none that the interpreter waits for at its end: a pool would be starved by plugins
        # that hang, and would keep the process from ending.
        threading.Thread(target=talk.run, name=f"eckit-{plugin}-{what}", daemon=True).start()
        try:
            if not talk.over.wait(limit):
                raise ConversationTimeoutError(plugin=plugin, what=what, limit_s=limit)
            if talk.error is not None:
                raise PluginError(plugin=plugin, hook=what, reason=type(talk.error).__name__) from talk.error
            failed = False
            return cast("T", talk.value)
        finally:
            self._note(track, started, failed=failed, limit_s=limit)

    # -- things registered ---------------------------------------------------------------------------------------

    def collect(self, hook: str, kind: str, code: Callable[[Any], str]) -> dict[str, Registered[Any]]:
        """Ask a ``register_`` hook once and keep what it gives under ``kind``, by code.

        :raises PluginError: two plugins claim one code (both are named), or one failed, or its thing has no code.
        """
        found: dict[str, Registered[Any]] = {}
        spec = self.specs[hook]
        for implementation in self.implementations(hook):
            settings = self.infos[implementation.plugin].settings
            things = self.run(spec, implementation, {"settings": settings})
            for thing in things:
                name: object = self.guarded(implementation.plugin, hook, code, thing)
                if not _is_code(name):
                    raise PluginError(plugin=implementation.plugin, hook=hook, reason=f"{name!r:.40} is no code")
                if name in found:
                    raise PluginError(
                        plugin=f"{found[name].plugin}, {implementation.plugin}",
                        hook=hook,
                        reason=f"both claim {name}",
                    )
                found[name] = Registered(plugin=implementation.plugin, code=name, thing=thing)
        self.registered[kind] = found
        return found

    def thing(self, kind: str, code: str) -> Registered[Any] | None:
        """What is registered under a code, or None: its plugin may be gone."""
        return self.registered.get(kind, {}).get(code)

    def things(self, kind: str) -> tuple[Registered[Any], ...]:
        """Everything registered of a kind, sorted by code."""
        return tuple(entry for _, entry in sorted(self.registered.get(kind, {}).items()))

    def table_owner(self, table: sa.Table) -> str | None:
        """The plugin whose table it is, or None."""
        return self._owners.get(table.key)

    # -- facts a plugin loads once per stamp ----------------------------------------------------------------------

    def cached(self, name: str, what: str, stamp: int, load: Callable[[], T]) -> T:
        """Facts that rest on one stamp: loaded once per version of it, shared by all threads."""
        with self._facts_lock:
            held = self._facts.get((name, what))
        if held is not None and held[0] == stamp:
            value: T = held[1]
            return value
        loaded = load()
        with self._facts_lock:
            self._facts[name, what] = (stamp, loaded)
        return loaded

    def close(self) -> None:
        """Forget what was loaded for plugins."""
        with self._facts_lock:
            self._facts.clear()


def _is_code(name: object) -> TypeGuard[str]:
    """Whether it can be a code: a column of the tables holds it, and two spellings of it are not one code."""
    try:
        return isinstance(name, str) and name != "" and clean(name, path="code", max_length=_LONGEST_CODE) == name
    except InvalidInputError:
        return False


class _Talk(Generic[T]):
    """A conversation on its own thread."""

    def __init__(self, context: contextvars.Context, function: Callable[..., T], args: tuple[Any, ...]) -> None:
        self.over = threading.Event()
        self.value: T | None = None
        self.error: BaseException | None = None
        self._context, self._function, self._args = context, function, args

    def run(self) -> None:
        try:
            self.value = self._context.run(self._guarded)
        except BaseException as error:  # noqa: BLE001 -- handed to the thread that waits
            self.error = error
        finally:
            self.over.set()

    def _guarded(self) -> T:
        with decimal.localcontext(_CONTEXT):
            return self._function(*self._args)
