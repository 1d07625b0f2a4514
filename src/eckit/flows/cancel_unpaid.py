"""An order that counted on a voucher or transfer, which ran out unpaid, is canceled."""

import logging

from eckit.flows.cancel_order import cancel_order
from eckit.flows.settle_payment import Settled
from eckit.kernel.actors import Actor
from eckit.kernel.errors import EckitError
from eckit.kernel.work import Begin

_log = logging.getLogger("eckit.payment")


def cancel_unpaid(begin: Begin, settled: Settled) -> None:
    """Cancel the order of a slip that ran out; where that is refused (goods have left) a person decides."""
    if not settled.unpaid:
        return
    try:
        cancel_order(begin, Actor.system("cancel_unpaid"), settled.order_id, reason="unpaid")
    except EckitError:
        _log.exception("order %s is unpaid and could not be canceled", settled.order_id)
