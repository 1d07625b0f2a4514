"""The invariants of kept rates, as queries."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa

from eckit.currency.model import Rate
from eckit.currency.rules import accepted
from eckit.currency.store import rate
from eckit.kernel.auditing import Check, Violation
from eckit.kernel.errors import EckitError

_USABLE: Final = "kept-rate-is-usable"


def _usable(connection: sa.Connection) -> Iterator[Violation]:
    for row in connection.execute(sa.select(rate)):
        if not _is_usable(row):
            key = f"{row.base}-{row.quote}-{row.source}-{row.at.isoformat()}"
            yield Violation(invariant=_USABLE, table=rate.name, row=key, detail=f"{row.rate} until {row.valid_until}")


def _is_usable(row: Any) -> bool:
    try:
        accepted(
            Rate(
                base=row.base,
                quote=row.quote,
                rate=Decimal(row.rate),
                source=row.source,
                at=row.at,
                valid_until=row.valid_until,
                spread=Decimal(row.spread),
            )
        )
    except (EckitError, InvalidOperation):
        return False
    return True


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        invariant=_USABLE,
        clause="validity windows are half-open instants from the shop's zone",
        table=rate.name,
        run=_usable,
    ),
)
"""Every invariant that the table of rates can violate."""
