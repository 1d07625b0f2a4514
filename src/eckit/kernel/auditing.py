"""The auditor: invariants as queries over live data. It reads, never repairs, and names what it found."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

MOST = 1000
"""Violations reported of one check; more of the same tell nothing new."""


@attrs.frozen(kw_only=True)
class Violation:
    """A row that breaks an invariant.

    :ivar row: the row's key, its parts joined by ``/``.
    :ivar detail: what is wrong, in numbers and ids; never personal data or a secret.
    """

    invariant: str
    table: str
    row: str
    detail: str = ""


@attrs.frozen(kw_only=True)
class Check:
    """One invariant over one table.

    :ivar invariant: a short name that stays: ``reserved-within-on-hand``.
    :ivar clause: the promise it checks, in words.
    :ivar run: finds the violations, in the snapshot of the connection.
    """

    invariant: str
    clause: str
    table: str
    run: Callable[[sa.Connection], Iterable[Violation]]


def query(invariant: str, clause: str, table: str, select: sa.Select[*tuple[Any, ...]]) -> Check:
    """A check that is one query: it selects the rows that break the invariant, their key first and the detail last.

    Of a single column it is the key, and there is no detail.
    """

    def run(connection: sa.Connection) -> Iterable[Violation]:
        for row in connection.execute(select):
            *parts, last = row
            key, detail = ("/".join(map(str, parts)), str(last)) if parts else (str(last), "")
            yield Violation(invariant=invariant, table=table, row=key, detail=detail)

    return Check(invariant=invariant, clause=clause, table=table, run=run)


def run(
    connection: sa.Connection, checks: Sequence[Check], progress: Callable[[str], object] | None = None
) -> list[Violation]:
    """Run the checks in turn, on one connection and so in one snapshot.

    :param progress: told the name of each invariant before it is checked.
    """
    found: list[Violation] = []
    for check in checks:
        if progress is not None:
            progress(check.invariant)
        found.extend(itertools.islice(check.run(connection), MOST))
    return found
