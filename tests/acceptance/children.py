"""Child processes: forked from one that has everything imported, begun together, asked for their counts."""

import contextlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[2]
LIMIT_S: Final = 240
_processes: Final = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["tests.acceptance.rush", "tests.acceptance.confirming", "tests.acceptance.receiving"]
)

Work = Callable[..., "Counter[str]"]
"""What a child does: its first argument is called when all is prepared, and returns when all children are ready."""


def together(work: Work, arguments: Sequence[tuple[Any, ...]]) -> "Counter[str]":
    """Run ``work`` in a child for each of the arguments; let them go when all are ready; their counts, added up."""
    start, counts = _processes.Barrier(len(arguments)), _processes.Queue()
    total: Counter[str] = Counter()
    with _started([(_count, (start, counts, work, one)) for one in arguments]) as children:
        for _ in children:
            total.update(counts.get(timeout=LIMIT_S))
    return total


def ended(work: Callable[..., None], *arguments: Any) -> int:
    """How a child that did this ended: 0, or minus the signal that killed it."""
    with _started([(work, arguments)]) as (child,):
        child.join(LIMIT_S)
        assert child.exitcode is not None, f"a child has not ended after {LIMIT_S} s"
        return child.exitcode


def _count(start: Any, counts: Any, work: Work, arguments: tuple[Any, ...]) -> None:
    counts.put(work(lambda: start.wait(LIMIT_S), *arguments))


@contextlib.contextmanager
def _started(tasks: Sequence[tuple[Callable[..., None], tuple[Any, ...]]]) -> Iterator[list[BaseProcess]]:
    children: list[BaseProcess] = [_processes.Process(target=work, args=given) for work, given in tasks]
    try:
        for child in children:
            child.start()
        yield children
    finally:
        for child in children:
            child.join(5)
            child.kill()
            child.join()
