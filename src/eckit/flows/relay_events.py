"""Send what happened to those who want to hear it, after it committed."""

import functools

from eckit.flows.send_mails import queue_mails
from eckit.kernel.doors import expect_limit
from eckit.kernel.relay import RelayReport, relay
from eckit.kernel.work import Begin

MAILS = "eckit-mails"
"""The core's own subscriber: it queues mails."""


def relay_events(begin: Begin, *, limit: int = 100) -> RelayReport:
    """Deliver up to ``limit`` events of the outbox to the core's mails and to every plugin that implements their hook.

    At least once, with a stable event id, each subscriber apart; one that fails is retried and then parked, without
    holding up others.

    :param limit: 1 to 10,000.
    """
    expect_limit(limit)
    return relay(begin, batch=limit, subscribers={MAILS: functools.partial(queue_mails, begin)})
