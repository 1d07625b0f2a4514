"""Doing things later: one thread, one heap of due times."""

from __future__ import annotations

import heapq
import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable


class Timers:
    """Runs small jobs after a number of seconds; jobs run one after the other and must not block."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        threading.Thread(target=self._run, name="timers", daemon=True).start()

    def after(self, seconds: float, job: Callable[[], None]) -> None:
        """Run ``job`` once, ``seconds`` from now."""
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), job))
            self._changed.notify()

    def stop(self) -> None:
        """Forget everything that is not due yet."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                if not self._heap:
                    self._changed.wait()
                elif (wait := self._heap[0][0] - time.monotonic()) > 0:
                    self._changed.wait(wait)
                else:
                    return heapq.heappop(self._heap)[2]
        return None

    def _run(self) -> None:
        while job := self._next():
            try:
                job()
            except Exception:  # noqa: BLE001 -- one failed job must not end the thread; it is reported
                traceback.print_exc(file=sys.stderr)
