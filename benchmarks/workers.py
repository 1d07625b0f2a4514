"""Subjects in processes of their own: each gets its share, all start at one word, wall and CPU time come back."""

import contextlib
import gc
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

import attrs

from benchmarks.databases import backend_seconds
from benchmarks.subjects import subject

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["benchmarks.subjects"])  # imported once, not by each process


@attrs.frozen
class Took:
    """What a share took: seconds by the clock, of the workers' CPUs, and of the server's."""

    wall: float
    client: float
    server: float

    @property
    def cpu(self) -> float:
        """Client and server."""
        return self.client + self.server


class Team:
    """So many processes of one subject."""

    def __init__(self, kind: str, url: str, options: dict[str, Any], workers: int) -> None:
        self.kind, self.url = kind, url
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(workers):
            ours, theirs = _PROCESSES.Pipe()
            process = _PROCESSES.Process(target=_serve, args=(theirs, kind, url, options), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def ready(self) -> None:
        """Wait until all are."""
        for pipe in self._pipes:
            _heard(pipe)

    def run(self, items: Sequence[Any]) -> Took:
        """All items, shared out; the clock runs from the word to the last answer."""
        for number, pipe in enumerate(self._pipes):
            pipe.send(list(items[number :: len(self._pipes)]))
        for pipe in self._pipes:
            _heard(pipe)
        server = backend_seconds(self.url)
        started = time.perf_counter()
        for pipe in self._pipes:
            pipe.send("go")
        client = sum(_heard(pipe) for pipe in self._pipes)
        wall = time.perf_counter() - started
        return Took(wall, client, backend_seconds(self.url) - server)

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            with contextlib.suppress(OSError):  # one that has failed has gone already
                pipe.send(None)
        for process in self._processes:
            process.join(20)
            if process.is_alive():
                process.kill()


@contextmanager
def teams(wanted: Sequence[tuple[str, str, dict[str, Any]]], workers: int) -> Iterator[list[Team]]:
    """A team of each kind; one is at work at a time."""
    made: list[Team] = []
    try:
        for kind, url, options in wanted:
            made.append(Team(kind, url, options, workers))
        for team in made:
            team.ready()
        yield made
    finally:
        for team in made:
            team.close()


def _heard(pipe: Connection) -> Any:
    answer = pipe.recv()
    if isinstance(answer, str) and answer.startswith("failed"):
        raise RuntimeError(answer)
    return answer


def _serve(pipe: Connection, kind: str, url: str, options: dict[str, Any]) -> None:
    try:
        at_work = subject(kind, url, options)
        pipe.send("ready")
        while (items := pipe.recv()) is not None:
            gc.collect()
            pipe.send("loaded")
            pipe.recv()
            started = time.process_time()
            for item in items:
                at_work.do(item)
            pipe.send(time.process_time() - started)
        at_work.close()
    except Exception as error:  # noqa: BLE001 -- told to the parent, which raises it
        pipe.send(f"failed: {kind}: {error!r}")
