"""Prove the invariants on live data."""

from collections.abc import Callable

from eckit.cart import audit as cart
from eckit.kernel.actors import Actor
from eckit.kernel.auditing import Check, Violation, run
from eckit.kernel.work import Begin
from eckit.payment import audit as payment

CHECKS: tuple[Check, ...] = tuple(
    check
    for part in (cart, payment)
    for check in part.CHECKS
)
"""Every invariant that data can violate, as queries."""


def audit_shop(begin: Begin, actor: Actor, *, progress: Callable[[int, int], None] | None = None) -> list[Violation]:
    """Run every check in one snapshot; each violation names its invariant, table and row. Needs ``shop.audit``."""
    actor.require("shop.audit")
    with begin.read(actor) as work:
        return run(work.connection, CHECKS, progress=progress)
