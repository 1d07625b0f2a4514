"""Verbs of shipping."""

from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import declared
from eckit.kernel.plugins import Plugins
from eckit.shipping import hooks
from eckit.shipping.service.options import CARRIERS, options, parcels
from eckit.shipping.service.shipments import (
    MANAGE,
    READ,
    cancel_for,
    deliver,
    for_order,
    hand_over,
    make_ready,
    parcels_of,
    plan,
    set_number,
    shipments,
    to_leave,
    track,
    waiting,
)

__all__ = [
    "CARRIERS",
    "MANAGE",
    "READ",
    "SPECS",
    "Desk",
    "cancel_for",
    "collect",
    "deliver",
    "for_order",
    "hand_over",
    "make_ready",
    "options",
    "parcels",
    "parcels_of",
    "plan",
    "set_number",
    "shipments",
    "to_leave",
    "track",
    "waiting",
]

SPECS = declared(hooks, "shipping")


def collect(plugins: Plugins) -> None:
    """Ask once for carriers."""
    plugins.collect("register_carriers", CARRIERS, code=lambda carrier: carrier.code)


class Desk(desk.Desk):
    """``work.shipping``."""

    shipments = verb(shipments)
    set_number = verb(set_number)
    track = verb(track)
    waiting = verb(waiting)
