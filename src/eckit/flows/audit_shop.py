"""Prove the invariants on live data."""

from collections.abc import Callable
from typing import Final

from eckit.cart import audit as cart
from eckit.catalog import audit as catalog
from eckit.channel import audit as channel
from eckit.currency import audit as currency
from eckit.customer import audit as customer
from eckit.flows import audit_across
from eckit.kernel import audit_checks as kernel
from eckit.kernel.actors import Actor
from eckit.kernel.auditing import Check, Violation, run
from eckit.kernel.plugins import Plugins
from eckit.kernel.work import Begin
from eckit.messages import audit as messages
from eckit.order import audit as order
from eckit.payment import audit as payment
from eckit.promotion import audit as promotion
from eckit.shipping import audit as shipping
from eckit.stock import audit as stock

_PARTS: Final = (
    kernel,
    channel,
    catalog,
    customer,
    currency,
    promotion,
    cart,
    order,
    payment,
    stock,
    shipping,
    messages,
    audit_across,
)
_EVERYWHERE: Final = "*"
"""Table of checks that look at every table of the core; :func:`kernel.sensitive` looks at plugins' tables as well."""


def checks(plugins: Plugins, settings: object = None) -> tuple[Check, ...]:
    """Every invariant that the data of the core and its plugins can violate.

    :param settings: the shop's; no table may contain a secret of theirs.
    """
    own = tuple(check for part in _PARTS for check in part.CHECKS if check.table != _EVERYWHERE)
    return (*own, *kernel.sensitive(plugins, settings))


def audit_shop(begin: Begin, actor: Actor, *, progress: Callable[[str], object] | None = None) -> list[Violation]:
    """Run every check in one snapshot; each violation names its invariant, table and row. Needs ``shop.audit``.

    :param progress: told the name of each invariant before it is checked.
    """
    actor.require("shop.audit")
    with begin.read(actor) as work:
        return run(work.connection, checks(begin.plugins, begin.settings), progress)
