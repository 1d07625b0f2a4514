"""Prove the invariants on live data."""

from collections.abc import Callable

from eckit.cart import audit as cart
from eckit.catalog import audit as catalog
from eckit.channel import audit as channel
from eckit.customer import audit as customer
from eckit.kernel import audit_checks as kernel
from eckit.kernel.actors import Actor
from eckit.kernel.auditing import Check, Violation, run
from eckit.kernel.work import Begin
from eckit.order import audit as order
from eckit.payment import audit as payment
from eckit.promotion import audit as promotion
from eckit.shipping import audit as shipping
from eckit.stock import audit as stock

CHECKS: tuple[Check, ...] = tuple(
    check
    for part in (kernel, channel, catalog, customer, promotion, cart, order, payment, stock, shipping)
    for check in part.CHECKS
)
"""Every invariant that data can violate, as queries."""


def audit_shop(begin: Begin, actor: Actor, *, progress: Callable[[str], None] | None = None) -> list[Violation]:
    """Run every check in one snapshot; each violation names its invariant, table and row. Needs ``shop.audit``."""
    actor.require("shop.audit")
    with begin.read(actor) as work:
        return run(work.connection, CHECKS, progress=progress)
