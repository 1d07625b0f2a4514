"""The one comparison behind every check: what eckit booked against what the provider's own ledger says."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from eckit.payment import rules
from eckit.payment.model import OpState, Payment
from eckit.testing.payments.harness import LedgerEntry

_Books: TypeAlias = "Counter[tuple[str, int, str]]"
"""Kind, amount in minor units and currency of movements, and how many there are."""

_UNDECIDED = frozenset({OpState.IN_DOUBT, OpState.NEEDS_HUMAN})


def differences(payments: Iterable[Payment], ledger: Sequence[LedgerEntry]) -> list[str]:
    """What eckit and the provider do not agree on, one sentence per payment; none if all is well.

    They may disagree only on a payment that is marked as in doubt or as needing a person: that one is not forgotten.
    Money under a reference that eckit does not know is always a difference.
    """
    theirs: defaultdict[str, _Books] = defaultdict(Counter)
    for entry in ledger:
        theirs[entry.payment][entry.kind, entry.amount_minor, entry.currency] += 1
    found = []
    for payment in payments:
        books = theirs.pop(payment.begin_reference, Counter())
        if _ours(payment) != books and not is_undecided(payment):
            found.append(f"{payment.begin_reference}: eckit has {_told(_ours(payment))}, they have {_told(books)}")
    found += [f"{reference}: eckit knows nothing of {_told(books)}" for reference, books in theirs.items()]
    return found


def is_undecided(payment: Payment) -> bool:
    """Whether the payment says by itself that something is not known."""
    return any(operation.state in _UNDECIDED for operation in payment.operations)


def unowned(payments: Iterable[Payment]) -> list[str]:
    """Operations that have no outcome and that nobody will look at again."""
    return [
        f"{operation.reference} is {operation.state.value} and comes up never"
        for payment in payments
        for operation in payment.operations
        if rules.is_open(operation) and operation.state is not OpState.NEEDS_HUMAN and operation.check_at is None
        if operation is not rules.beginning(payment) or operation.state is not OpState.PLANNED
    ]


def _ours(payment: Payment) -> _Books:
    moved = [one for one in payment.movements if one.kind in _MOVED]
    return Counter((one.kind, one.amount_minor, one.currency) for one in moved)


_MOVED = frozenset({"authorize", "capture", "void", "refund", "capture_reversed"})
"""Movements of money; the others tell what became of them."""


def _told(books: _Books) -> str:
    words = [f"{kind} {amount} {currency} ×{count}" for (kind, amount, currency), count in sorted(books.items())]
    return ", ".join(words) or "nothing"
