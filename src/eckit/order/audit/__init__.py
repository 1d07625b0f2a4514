"""The invariants of orders: what is one query, and what reads the sealed records."""

from typing import Final

from eckit.kernel.auditing import Check
from eckit.order.audit import documents, queries

CHECKS: Final[tuple[Check, ...]] = (*queries.CHECKS, *documents.CHECKS)
"""Every invariant that the tables of orders can violate."""
