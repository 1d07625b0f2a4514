"""Named fault points: places where a test can make the program fail, wait, meet another thread, or die.

A module names its points once and passes through them::

    faults.declare("place_order.after_hold", "place_order.before_commit")
    ...
    faults.hit("place_order.after_hold")

Nothing happens there, at the price of one comparison, until a test arms it::

    with faults.armed({"place_order.after_hold": faults.fail(OSError("disk gone"))}) as watch:
        ...
    assert watch.count("place_order.after_hold") == 1

A child process is armed by its environment: ``ECKIT_FAULTS="place_order.after_hold=kill@2"`` kills it at the second
hit. Several are separated by commas; the actions are ``kill``, ``fail`` and ``delay:<seconds>``.
``ECKIT_FAULTS_LOG=<file>`` appends the name of every point passed, for finding points that no test reaches.
"""

import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

Action: TypeAlias = Callable[[], object]
"""What happens at an armed point; whatever it raises is raised there."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class UndeclaredFaultError(LookupError):
    """No module declares a fault point of this name: a typing error, or a module that was not imported."""


class FaultError(Exception):
    """What the action ``fail`` raises when it is given nothing else."""


# --- points ----------------------------------------------------------------------------------------------------------

_declared: dict[str, str] = {}


def declare(*names: str) -> None:
    """Name the fault points of the calling module, once, at its top.

    :raises ValueError: not like ``place_order.after_hold``, or another module's.
    """
    module = sys._getframe(1).f_globals.get("__name__", "")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"fault points are named like place_order.after_hold, not {name!r}")
        if _declared.setdefault(name, module) != module:
            raise ValueError(f"fault point {name!r} is declared by {_declared[name]} and by {module}")


def declared() -> frozenset[str]:
    """Every point of the modules imported so far."""
    return frozenset(_declared)


def hit(name: str) -> None:
    """Pass through a fault point.

    :raises UndeclaredFaultError: something is armed or logged, and nobody declares this name.
    """
    if _watches:
        _pass_through(name)


def _pass_through(name: str) -> None:
    if name not in _declared:
        raise UndeclaredFaultError(name)
    due = [watch for watch in _watches if watch._note(name)]  # all of them first: an action may not come back
    for watch in due:
        watch._act(name)


# --- arming ----------------------------------------------------------------------------------------------------------


class Watch:
    """What is armed, and what was passed since."""

    def __init__(self, actions: Mapping[str, Action], *, after: Mapping[str, int], log: Path | None = None) -> None:
        self._actions = dict(actions)
        self._after = dict(after)
        self._log = log
        self._lock = threading.Lock()
        self._passed: Counter[str] = Counter()

    def count(self, name: str) -> int:
        """How often a point was passed, in all threads."""
        return self._passed[name]

    def passed(self) -> frozenset[str]:
        """The points passed at least once."""
        return frozenset(self._passed)

    def _note(self, name: str) -> bool:
        """Count one pass; whether there is something to do now."""
        with self._lock:
            self._passed[name] += 1
            nth = self._passed[name]
        if self._log is not None:
            _append(self._log, name)
        return name in self._actions and nth > self._after.get(name, 0)

    def _act(self, name: str) -> None:
        self._actions[name]()


_watches: tuple[Watch, ...] = ()
_arming: Final = threading.Lock()


@contextmanager
def armed(actions: Mapping[str, Action], *, after: int = 0) -> Iterator[Watch]:
    """Arm fault points in this process, all threads of it, for as long as the ``with`` lasts.

    ``armed({})`` only counts what is passed.

    :param after: let this many hits of each point through before it acts.
    :raises UndeclaredFaultError: nobody declares a point of this name.
    """
    for name in actions:
        if name not in _declared:
            raise UndeclaredFaultError(name)
    watch = Watch(actions, after=dict.fromkeys(actions, after))
    _add(watch)
    try:
        yield watch
    finally:
        _remove(watch)


def _add(watch: Watch) -> None:
    global _watches  # noqa: PLW0603 -- one module variable is what makes an unarmed hit() nearly free
    with _arming:
        _watches = (*_watches, watch)


def _remove(watch: Watch) -> None:
    global _watches  # noqa: PLW0603
    with _arming:
        _watches = tuple(other for other in _watches if other is not watch)


# --- actions ---------------------------------------------------------------------------------------------------------


def fail(error: BaseException | type[BaseException] = FaultError) -> Action:
    """Raise this."""

    def act() -> NoReturn:
        raise error

    return act


def delay(seconds: float) -> Action:
    """Wait this long."""
    return lambda: time.sleep(seconds)


def meet(barrier: threading.Barrier, timeout: float = 10.0) -> Action:
    """Wait until all parties of a barrier are here; ``BrokenBarrierError`` after the time-out, so no test hangs."""
    return lambda: barrier.wait(timeout)


def kill() -> Action:
    """End this process at once, as a power cut would: no cleaning up, no flushing."""
    return lambda: os.kill(os.getpid(), signal.SIGKILL)


def call(function: Callable[[], object]) -> Action:
    """Call this."""
    return function


# --- arming a child process ------------------------------------------------------------------------------------------

_ORDER: Final = re.compile(
    r"(?P<name>[a-z0-9_.]+)=(?P<action>kill|fail|delay:(?P<seconds>[0-9]+(\.[0-9]+)?))(@(?P<nth>[1-9][0-9]*))?"
)


def arm_from(environment: Mapping[str, str]) -> Watch | None:
    """Arm what ``ECKIT_FAULTS`` and ``ECKIT_FAULTS_LOG`` of an environment ask for, until the process ends.

    Names are not checked here, for their modules are not imported yet; :func:`unknown` tells.

    :raises ValueError: ``ECKIT_FAULTS`` is not a list of ``name=action`` or ``name=action@nth``.
    """
    orders, log = environment.get("ECKIT_FAULTS", ""), environment.get("ECKIT_FAULTS_LOG", "")
    if not orders and not log:
        return None
    actions: dict[str, Action] = {}
    after: dict[str, int] = {}
    for order in filter(None, orders.split(",")):
        match = _ORDER.fullmatch(order.strip())
        if match is None:
            raise ValueError(f"ECKIT_FAULTS: {order!r} is not like place_order.after_hold=kill@2")
        actions[match["name"]] = _named_action(match)
        after[match["name"]] = int(match["nth"] or 1) - 1
    watch = Watch(actions, after=after, log=Path(log) if log else None)
    _add(watch)
    return watch


def _named_action(match: re.Match[str]) -> Action:
    if match["action"] == "kill":
        return kill()
    return delay(float(match["seconds"])) if match["seconds"] else fail()


def unknown() -> frozenset[str]:
    """Names that are armed and that no module imported so far declares."""
    return frozenset(name for watch in _watches for name in watch._actions) - declared()


def _append(path: Path, name: str) -> None:
    # One write to a file opened for appending: lines of several processes stay whole, and are there before a kill.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, f"{name}\n".encode())
    finally:
        os.close(handle)


arm_from(os.environ)
