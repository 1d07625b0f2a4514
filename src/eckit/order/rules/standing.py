"""What may happen to an order as it stands, who may see it, and what its numbers look like."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from typing import Final

from eckit.kernel.actors import Actor, owns
from eckit.kernel.errors import invalid
from eckit.kernel.ids import CartId, GroupId, kind_of
from eckit.kernel.text import clean
from eckit.order.errors import NotCancelableError, NotClosableError, OrderBlockedError
from eckit.order.model import Block, Order, OrderState
from eckit.order.rules.folding import LAPSED

MAX_NUMBER: Final = 40
_TOKEN: Final = re.compile(r"[!-~]{1,80}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def may_see(actor: Actor, order: Order, permission: str) -> bool:
    """Whether an order is in the actor's scope: its own, opened by its token, or by permission in its channel."""
    return actor.may(permission, channel=order.channel_id) or owns(actor, customer=order.customer_id, token=order.token)


def opener(token: str) -> str:
    """What is kept of a token the order was placed with: enough to know it again, of no use to open anything."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_token(value: object) -> bool:
    """Whether it has the shape of a token; what has not opens nothing, and no database is asked for it."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def live_key(order: Order) -> str | None:
    """What may exist once among orders that have not lapsed: the version of a cart."""
    if order.cart_id is None or (order.state is OrderState.CANCELED and order.reason == LAPSED):
        return None
    return f"{order.cart_id}:{order.cart_version}"


def cart_prefix(cart_id: CartId) -> str:
    """How the live keys of a cart's versions begin."""
    return f"{cart_id}:"


def may_lapse(order: Order, now: dt.datetime) -> bool:
    """Whether its time to be paid is over, and it never counted."""
    return (
        order.state is OrderState.PLACED
        and order.confirmed_at is None
        and order.pay_by is not None
        and order.pay_by <= now
    )


def cancels_nothing(order: Order) -> bool:
    """Whether there is nothing left to cancel because it was canceled before.

    :raises NotCancelableError: there is nothing left for another reason: everything is shipped, or the order is closed.
    """
    if order.state is OrderState.CANCELED:
        return True
    if order.state is OrderState.CLOSED:
        raise NotCancelableError(order_id=order.id, reason="closed")
    if any(line.open_steps for line in order.lines):
        return False
    if any(line.canceled_steps for line in order.lines):
        return True
    raise NotCancelableError(order_id=order.id, reason="shipped")


def require_done(order: Order) -> None:
    """Insist that nothing is left to ship or cancel.

    :raises NotClosableError: says how many steps are.
    """
    left = sum(line.open_steps for line in order.lines)
    if left:
        raise NotClosableError(order_id=order.id, open_steps=left)


def live_blocks(blocks: Iterable[Block], now: dt.datetime, group_id: GroupId | None = None) -> tuple[Block, ...]:
    """Blocks that count now: not lifted, not over; those of one group only for that group."""
    return tuple(
        block
        for block in blocks
        if block.lifted_at is None
        and (block.until is None or block.until > now)
        and (block.group_id is None or group_id is None or block.group_id == group_id)
    )


def require_unblocked(order: Order, now: dt.datetime, group_id: GroupId | None = None) -> None:
    """Insist that the order (or one of its groups) may go on.

    :raises OrderBlockedError: names the kinds of the blocks.
    """
    live = live_blocks(order.blocks, now, group_id)
    if live:
        raise OrderBlockedError(order_id=order.id, kinds=tuple(sorted({block.kind for block in live})))


def code(text: object, path: str) -> str:
    """A code such as a reason or a kind of block: events carry it, so it is no free text.

    :raises InvalidInputError: ``not-a-code``.
    """
    if not isinstance(text, str) or not _CODE.fullmatch(text):
        raise invalid("not-a-code", path, text, suggestion="lost_parcel")
    return text


def count(value: object, path: str, most: int, code: str) -> int:
    """A whole number from 1 to ``most``.

    :raises InvalidInputError: of this code: a float, a text, true, zero, too many.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise invalid(code, path, value, limit=f"1…{most}")
    return value


def words(value: object) -> str | None:
    """The value, if it is a text that says something."""
    return value if isinstance(value, str) and value.strip() else None


def number(text: object) -> str:
    """An order number, if it can be one: a line of 1 to 40 characters, no blanks around it, and not like an order's id.

    :raises InvalidInputError: it cannot.
    """
    checked = clean(text, path="number", max_length=MAX_NUMBER)  # type: ignore[arg-type] # clean says what is no text
    if not checked or checked != checked.strip() or kind_of(checked) is not None:
        raise invalid("not-an-order-number", "number", text, suggestion="main-0000042")
    return checked
