"""Verbs of orders: load, ask, decide, save, announce."""

from typing import Any

from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import declared
from eckit.order import hooks
from eckit.order.service.blocking import lift_block, place_block
from eckit.order.service.changing import (
    cancel,
    cancel_units,
    close,
    confirm,
    earned,
    lapsable,
    link,
    lock,
    may_lapse,
    note_shipped,
    placement,
)
from eckit.order.service.placing import check, earlier, place
from eckit.order.service.viewing import by_token, export_orders, get, links, list_orders, save_facet

SPECS = declared(hooks, "order")


def collect(plugins: Any) -> None:
    """Nothing is registered with orders."""


class Desk(desk.Desk):
    """``work.order``. Placing, confirming, canceling and shipping concern money and stock too: they are flows."""

    get = verb(get)
    by_token = verb(by_token)
    list_orders = verb(list_orders)
    export_orders = verb(export_orders)
    links = verb(links)
    link = verb(link)
    save_facet = verb(save_facet)
    place_block = verb(place_block)
    lift_block = verb(lift_block)
    close = verb(close)


__all__ = [
    "SPECS",
    "Desk",
    "by_token",
    "cancel",
    "cancel_units",
    "check",
    "close",
    "collect",
    "confirm",
    "earlier",
    "earned",
    "export_orders",
    "get",
    "lapsable",
    "lift_block",
    "link",
    "links",
    "list_orders",
    "lock",
    "may_lapse",
    "note_shipped",
    "place",
    "place_block",
    "placement",
    "save_facet",
]
