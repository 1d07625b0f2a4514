"""Verbs of the cart. Every change locks the row, raises the version and extends the cart's life."""

from typing import Any

from eckit.cart.service.carts import adopt, create, expire, forget_touches, get, merge, placed, reopen, take
from eckit.cart.service.lines import add, set_lines, set_steps, split_line
from eckit.cart.service.wishes import (
    add_code,
    add_group,
    note_touch,
    remove_code,
    remove_group,
    set_buyer,
    set_destination,
    set_method,
    set_option,
    set_refs,
    set_sender,
    set_wanted,
)
from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import HookSpec

SPECS: list[HookSpec] = []
"""A cart asks plugins nothing."""


def collect(plugins: Any) -> None:
    """Nothing is registered with carts."""


class Desk(desk.Desk):
    """``work.cart``. Taking and reopening belong to the flows that place and lapse orders."""

    create = verb(create)
    get = verb(get)
    placed = verb(placed)
    add = verb(add)
    set_lines = verb(set_lines)
    set_steps = verb(set_steps)
    split_line = verb(split_line)
    add_group = verb(add_group)
    remove_group = verb(remove_group)
    set_destination = verb(set_destination)
    set_sender = verb(set_sender)
    set_option = verb(set_option)
    set_wanted = verb(set_wanted)
    set_method = verb(set_method)
    set_buyer = verb(set_buyer)
    add_code = verb(add_code)
    remove_code = verb(remove_code)
    set_refs = verb(set_refs)
    note_touch = verb(note_touch)
    merge = verb(merge)
    adopt = verb(adopt)
    expire = verb(expire)


__all__ = [
    "SPECS",
    "Desk",
    "add",
    "add_code",
    "add_group",
    "adopt",
    "collect",
    "create",
    "expire",
    "forget_touches",
    "get",
    "merge",
    "note_touch",
    "placed",
    "remove_code",
    "remove_group",
    "reopen",
    "set_buyer",
    "set_destination",
    "set_lines",
    "set_method",
    "set_option",
    "set_refs",
    "set_sender",
    "set_steps",
    "set_wanted",
    "split_line",
    "take",
]
