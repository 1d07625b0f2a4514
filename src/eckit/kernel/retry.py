"""Flows start again from the top when something moved under them, a bounded number of times."""

import functools
import random
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from eckit.kernel.errors import BusyError, ConflictError, MovedError
from eckit.kernel.work import Begin

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 40
"""How often a flow is tried before its last conflict reaches the caller as BusyError."""


def again_if_moved(flow: Callable[Concatenate[Begin, P], R]) -> Callable[Concatenate[Begin, P], R]:
    """Run the whole flow again after :class:`MovedError` or :class:`BusyError`.

    Each of them means: rolled back, nothing was changed. A flow joined to a host's transaction is never run again,
    since only the owner of that transaction can: it raises :class:`BusyError` for the host to handle.

    :raises BusyError: it still conflicted after :data:`TRIES` tries.
    """

    @functools.wraps(flow)
    def retried(begin: Begin, /, *args: P.args, **kwargs: P.kwargs) -> R:
        conflict: ConflictError | None = None
        for attempt in range(TRIES if begin.retries else 1):
            if attempt:
                time.sleep(random.uniform(0, min(0.25, 0.002 * 1.5**attempt)))  # noqa: S311 - jitter, not a secret
            try:
                return flow(begin, *args, **kwargs)
            except (MovedError, BusyError) as error:
                conflict = error
        raise BusyError(what=conflict.what if conflict else "") from conflict

    return retried
