"""Send what happened to those who want to hear it, after it committed."""

from eckit.kernel.relay import RelayReport, relay
from eckit.kernel.work import Begin


def relay_events(begin: Begin, *, limit: int = 100) -> RelayReport:
    """Deliver up to ``limit`` events of the outbox to every plugin that implements their hook, each apart.

    At least once, with a stable event id; a subscriber that fails is retried and then parked, without holding up others.
    """
    return relay(begin, batch=limit)
