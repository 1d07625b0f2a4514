"""What can be measured: eckit, and its floors, each doing one item at a time."""

from typing import Any, Protocol

from benchmarks.floors import Floor
from benchmarks.recording import Replay


class Subject(Protocol):
    """Does items."""

    def do(self, item: Any) -> None: ...

    def close(self) -> None: ...


class Again:
    """Sends the statements of an order again."""

    def __init__(self, url: str) -> None:
        self._replay = Replay(url)

    def do(self, item: Any) -> None:
        self._replay.send(item)

    def close(self) -> None:
        self._replay.close()


class Bare:
    """Places an order with the seven statements: (id, SKUs)."""

    def __init__(self, url: str) -> None:
        self._floor = Floor(url)

    def do(self, item: tuple[str, list[str]]) -> None:
        if not self._floor.place(*item):
            raise AssertionError("the floor is out of stock")

    def close(self) -> None:
        self._floor.close()


def subject(kind: str, url: str, options: dict[str, Any]) -> Subject:
    """The subject of a kind."""
    if kind.startswith("eckit"):
        from benchmarks.ours import Eckit  # the floors' processes start without it

        return Eckit(**options)
    return Again(url) if kind == "B" else Bare(url)
