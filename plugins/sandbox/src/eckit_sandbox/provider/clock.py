"""The provider's own time, which a test may set so that it agrees with the shop's fixed clock."""

from __future__ import annotations

import datetime as dt
import threading
import time


class ProviderClock:
    """Aware UTC instants: the machine's time, shifted by :meth:`set` and running on from there, or standing still."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base: dt.datetime | None = None
        self._since = 0.0
        self._running = True

    def set(self, instant: dt.datetime | None, *, running: bool = True) -> None:
        """Let the clock show ``instant`` (aware) from now on; ``None`` returns to the machine's time."""
        if instant is not None and instant.tzinfo is None:
            raise ValueError("instant: needs an offset from UTC")
        with self._lock:
            self._base = None if instant is None else instant.astimezone(dt.UTC)
            self._since = time.monotonic()
            self._running = running

    def now(self) -> dt.datetime:
        """Return the provider's present instant."""
        with self._lock:
            if self._base is None:
                return dt.datetime.fromtimestamp(time.time(), dt.UTC)  # noqa: TID251 -- the provider is a world of its own
            passed = time.monotonic() - self._since if self._running else 0.0
            return self._base + dt.timedelta(seconds=passed)

    def text(self) -> str:
        """Return the present instant as it is written in answers and in the ledger."""
        return written(self.now())


def written(instant: dt.datetime) -> str:
    """Write an instant with microseconds and ``Z``; texts of this form sort like the instants."""
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_instant(text: str) -> dt.datetime:
    """Read an instant with an offset; raise :class:`ValueError` for anything else."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("needs an offset from UTC")
    return instant.astimezone(dt.UTC)
