"""A capability's verbs as a host sees them: ``work.stock.receive(…)``."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from eckit.kernel.doors import checked
from eckit.kernel.work import Work

P = ParamSpec("P")
R = TypeVar("R")


class Desk:
    """Base of all desks: holds the Work its verbs act in."""

    def __init__(self, work: Work) -> None:
        self._work = work


def verb(function: Callable[Concatenate[Work, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The method of a desk that calls ``function`` with the desk's Work: same signature without ``work``.

    Its arguments pass a door, see :mod:`eckit.kernel.doors`.
    """
    behind = checked(function)

    @functools.wraps(function)
    def method(self: Desk, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return behind(self._work, *args, **kwargs)

    return method
