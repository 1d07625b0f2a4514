"""Running checks: a workshop with the provider, the proxy and template databases, shared by all of them."""

import contextlib
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import attrs

from eckit.kernel.errors import CompositionError
from eckit.kernel.ids import OrderId
from eckit.testing.payments import seeding
from eckit.testing.payments.bench import Bench
from eckit.testing.payments.harness import Games, Harness, NotApplicable
from eckit.testing.payments.nursery import Nursery
from eckit.testing.payments.proxy import Proxy
from eckit.testing.payments.registry import Check, all_checks

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_APPLICABLE: Final = "not applicable"
BLOCKED: Final = "blocked"
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- a disk in memory, where there is one


PLACED: Final = 24
"""Orders in the template database, so that most checks need not place one."""


class BlockedError(AssertionError):
    """No shop can be composed with the gateway, so that there is nothing to check."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a check: passed, failed, not applicable or blocked, and why."""

    verdict: str
    why: str = ""
    seconds: float = 0.0


class Workshop:
    """Where checks are run; a context manager that starts the harness and stops it.

    :param games: how C70 is played.
    """

    def __init__(self, harness: Harness, games: Games | None = None) -> None:
        self.harness = harness
        self.games = games or Games()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            place = tempfile.mkdtemp(prefix="eckit-kit-", dir=_MEMORY if _MEMORY.is_dir() else None)
            stack.callback(shutil.rmtree, place, ignore_errors=True)
            self.place = Path(place)
            self.harness.start(self.place / "provider")
            stack.callback(self.harness.stop)
            self.proxy = stack.enter_context(Proxy(self.harness.address()))
            self.nursery = Nursery()
            stack.callback(self.nursery.close)
            self._placed: tuple[OrderId, ...] = ()
            self._databases = 0
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, check: Check, url: str | None = None) -> None:
        """Run one check, and the comparison of the books that ends each.

        :param url: an empty database with eckit's tables; a new SQLite file if none is given.
        :raises AssertionError: a rule does not hold. :raises NotApplicable: there is nothing to check.
        :raises BlockedError: no shop can be composed with the gateway.
        """
        with self.bench(url) as bench:
            check.run(bench)
            bench.require_same_books()

    @contextlib.contextmanager
    def bench(self, url: str | None = None) -> Iterator[Bench]:
        """A new bench, with a provider that has forgotten everything.

        :raises BlockedError: no shop can be composed with the gateway.
        """
        self.harness.reset()
        self.proxy.forget()
        try:
            where, seeded = (url, None) if url else self._copy()
            bench = Bench(self.harness, self.proxy, where, nursery=self.nursery, seeded=seeded, games=self.games)
        except CompositionError as error:
            raise BlockedError(error.text("en")) from error
        try:
            yield bench
        finally:
            bench.close()

    def _copy(self) -> tuple[str, tuple[OrderId, ...]]:
        """A SQLite database with the checks' goods in it, and orders that wait to be paid."""
        template = self.place / "template"
        if not self._placed:
            bench = Bench(self.harness, self.proxy, seeding.empty_sqlite(template))
            self._placed = tuple(bench.order().id for _ in range(PLACED))
            bench.close()
        self._databases += 1
        url = seeding.copy_sqlite(template / "shop.sqlite", self.place / f"shop-{self._databases}.sqlite")
        return url, self._placed


def run_checks(
    harness: Harness, *, only: Iterable[str] | None = None, workshop: Workshop | None = None
) -> dict[str, Outcome]:
    """Run checks on SQLite without pytest; what came of each, by its id.

    :param only: ids (``C21``); all of them without it.
    :param workshop: one that is open already; a new one is opened and closed otherwise.
    """
    wanted = None if only is None else set(only)
    chosen = [one for one in all_checks() if wanted is None or one.id in wanted]
    with contextlib.ExitStack() as stack:
        place = workshop or stack.enter_context(Workshop(harness))
        return {one.id: _outcome(place, one) for one in chosen}


def _outcome(workshop: Workshop, check: Check) -> Outcome:
    started = time.monotonic()

    def came_to(verdict: str, why: str = "") -> Outcome:
        return Outcome(verdict=verdict, why=why, seconds=time.monotonic() - started)

    try:
        workshop.run(check)
    except NotApplicable as reason:
        return came_to(NOT_APPLICABLE, str(reason))
    except BlockedError as error:
        return came_to(BLOCKED, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever a gateway does to a check is the check's failure
        where = "".join(traceback.format_exception(error)[-6:])
        return came_to(FAILED, f"{type(error).__name__}: {error}\n{where}")
    return came_to(PASSED)
