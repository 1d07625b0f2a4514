"""What a database was really asked, transaction by transaction: on PostgreSQL by the server's log, on SQLite by its own
trace."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.shop import Shop
from eckit.testing.statement_log import logged_statements

_ENDS = ("COMMIT", "ROLLBACK")
_CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK TO")


@attrs.define
class Transaction:
    """The statements of one transaction, its control apart."""

    writes: bool
    statements: list[str] = attrs.field(factory=list)


@attrs.define
class Asked:
    """All that was asked in a block.

    :ivar outside: what was asked in no transaction, such as whether a connection is alive.
    """

    transactions: list[Transaction] = attrs.field(factory=list)
    outside: list[str] = attrs.field(factory=list)

    @property
    def statements(self) -> list[str]:
        """Of all transactions."""
        return [one for transaction in self.transactions for one in transaction.statements]

    @property
    def written(self) -> list[str]:
        """Of the transactions that may write."""
        return [one for transaction in self.transactions if transaction.writes for one in transaction.statements]

    @property
    def changes(self) -> list[str]:
        """Those that change rows, wherever they stand."""
        return [one for one in self.statements if one.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]

    def _add(self, log: Iterable[str]) -> None:
        open_ = None
        for text in log:
            word = text.lstrip().upper()
            if word.startswith("BEGIN"):
                open_ = Transaction(writes="IMMEDIATE" in word or "READ COMMITTED" in word)
                self.transactions.append(open_)
            elif word.startswith(_ENDS) and not word.startswith(_CONTROL):
                open_ = None
            elif open_ is None:
                self.outside.append(text)
            elif not word.startswith(_CONTROL):
                open_.statements.append(text)


@contextmanager
def asked(shop: Shop, url: str) -> Iterator[Asked]:
    """What this thread asks within the block; complete when it ends."""
    found = Asked()
    if url.startswith("sqlite"):
        log: list[str] = []
        with _traced(shop, log):
            yield found
    else:
        with logged_statements(url) as log:
            yield found
    found._add(log)


@contextmanager
def _traced(shop: Shop, log: list[str]) -> Iterator[None]:
    traced: list[Any] = []

    def trace(raw: Any, *_: object) -> None:
        raw.set_trace_callback(log.append)
        traced.append(raw)

    sa.event.listen(shop.database.engine, "checkout", trace)
    try:
        yield
    finally:
        sa.event.remove(shop.database.engine, "checkout", trace)
        for raw in traced:
            raw.set_trace_callback(None)


def hook_calls(shop: Shop) -> int:
    """How often any plugin was called so far: its hooks, and the things it registered."""
    return sum(track.calls for track in shop.plugins.tracks.values())


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """For who reads the test's output."""
    lines = [head, *rows]
    widths = [max(len(str(row[column])) for row in lines) for column in range(len(head))]
    text = "\n".join(
        "  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)) for row in lines
    )
    sys.stdout.write(f"\n{title}\n{text}\n")
