"""An attempt that came to nothing is closed at its provider, and what that did is looked up at once."""

from eckit.flows.ask_gateway import ask_closing, ask_query
from eckit.flows.settle_payment import Settled, settle_payment
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payment
from eckit.payment.model import Expired, OpState, Payment, QueryFailed, Snapshot, StoredOperation, Voided

faults.declare("close_attempt.after_provider")


def close_attempt(begin: Begin, current: Payment, operation: StoredOperation, by: Actor) -> Settled:
    """Have the provider close what an operation began. Only a confirmed void ends it.

    The buyer may have paid a moment before, and then the void has released that money. So the provider is asked once
    more what there was, and both movements are booked. Where that cannot be seen yet, the attempt stays in doubt until
    recovery sees it; one that was in doubt already is taken as closed.
    """
    outcome, is_seen = ask_closing(begin, current, operation), True
    faults.hit("close_attempt.after_provider")
    if isinstance(outcome, Voided | Expired):
        seen = ask_query(begin, current)
        if isinstance(seen, Snapshot):
            settle_payment(begin, current.id, operation.id, seen, by)
        elif isinstance(seen, QueryFailed):
            is_seen = _is_final(seen, operation)
    return settle_payment(begin, current.id, operation.id, payment.Closing(outcome=outcome, is_seen=is_seen), by)


def _is_final(failed: QueryFailed, operation: StoredOperation) -> bool:
    """Whether the provider's word must do, because asking brings nothing."""
    return failed.cause == rules.UNSUPPORTED_QUERY or operation.state is OpState.IN_DOUBT
