"""The worker: everything that happens after somebody's request, again and again until it is stopped."""

import datetime as dt
import signal
import threading

from eckit.cli.printing import say
from eckit.kernel.errors import EckitError
from eckit.kernel.leases import holding
from eckit.shop import Shop

_LEASE = dt.timedelta(minutes=10)
_JOBS = ("relay_events", "send_mails", "apply_notices", "chase", "lapse_orders", "expire_holds")


def round_of(shop: Shop) -> dict[str, object]:
    """Do once what is due; what each job reports. A job that fails does not keep the others from running.

    Jobs that change many rows run on one machine at a time, by a lease that ends by itself.
    """
    reports: dict[str, object] = {}
    for name in _JOBS:
        try:
            with holding(shop.begin, f"job:{name}", _LEASE) as mine:
                reports[name] = getattr(shop, name)() if mine else "another worker has it"
        except EckitError as error:
            reports[name] = error
    return reports


def run(shop: Shop, *, once: bool, every_s: int) -> None:
    """Work until a signal asks to stop; the round in hand is finished first."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while True:
        for name, report in round_of(shop).items():
            if report:
                say(f"{name}: {report}")
        if once or stop.wait(every_s):
            return
