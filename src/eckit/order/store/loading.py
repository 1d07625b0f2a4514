"""Statements that read orders: the row, then what hangs on it, in a fixed number of statements whatever the orders."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import attrs
import sqlalchemy as sa

from eckit.kernel.actors import Actor
from eckit.kernel.ids import BlockId, CartId, OrderId
from eckit.kernel.work import Work
from eckit.order.model import Block, Order, OrderLink, OrderState
from eckit.order.rules import cart_prefix, is_token
from eckit.order.store import rows
from eckit.order.store.tables import amendment, block, order, order_line, order_link, placement

T = TypeVar("T")
_STREAM: Final = 500

_IDS: Final[sa.BindParameter[list[str]]] = sa.bindparam("ids", expanding=True)
_BY_ID: Final = sa.select(order).where(order.c.id == sa.bindparam("id"))
_BY_ID_LOCKED: Final = _BY_ID.with_for_update()
_BY_NUMBER: Final = sa.select(order).where(order.c.number == sa.bindparam("number"))
_BY_TOKEN: Final = sa.select(order).where(order.c.token == sa.bindparam("token"))
_BY_CART: Final = (
    sa.select(order)
    .where(order.c.cart_id == sa.bindparam("cart_id"), order.c.live_cart_key.is_not(None))
    .order_by(order.c.recorded_at.desc(), order.c.id.desc())
    .limit(1)
)
_LINES: Final = sa.select(order_line).where(order_line.c.order_id.in_(_IDS)).order_by(order_line.c.position)
_AMENDMENTS: Final = sa.select(amendment).where(amendment.c.order_id.in_(_IDS)).order_by(amendment.c.seq)
_BLOCKS: Final = sa.select(block).where(block.c.order_id.in_(_IDS)).order_by(block.c.id)
_PLACEMENT: Final = sa.select(placement.c.body).where(placement.c.order_id == sa.bindparam("id"))
_BLOCK: Final = sa.select(block).where(block.c.id == sa.bindparam("id"))
_LINKS: Final = (
    sa.select(order_link)
    .where((order_link.c.from_id == sa.bindparam("id")) | (order_link.c.to_id == sa.bindparam("id")))
    .order_by(order_link.c.from_id, order_link.c.to_id, order_link.c.kind)
)
_TAKEN: Final = sa.select(order.c.id, order.c.number, order.c.token, order.c.live_cart_key).where(
    (order.c.number == sa.bindparam("number"))
    | (order.c.token == sa.bindparam("token"))
    | (order.c.live_cart_key == sa.bindparam("live"))
)
_LAPSABLE: Final = (
    sa.select(order.c.id)
    .where(
        order.c.state == OrderState.PLACED.value,
        order.c.pay_by <= sa.bindparam("now", type_=order.c.pay_by.type),
        order.c.confirmed_at.is_(None),
    )
    .order_by(order.c.pay_by, order.c.id)
    .limit(sa.bindparam("limit"))
)


@attrs.frozen(kw_only=True)
class Found:
    """An order's row: the order comes with what hangs on it when it is asked for."""

    row: sa.Row[Any]

    @property
    def openers(self) -> frozenset[str]:
        """Digests of the tokens it was placed with."""
        return frozenset(self.row.openers)

    @property
    def bare(self) -> Order:
        """The order without lines, amendments and blocks: enough to decide who may see it."""
        return rows.order_of(self.row, {}, {}, {})


def by_id(work: Work, order_id: OrderId, *, lock: bool = False) -> Found | None:
    """The order of this id, perhaps locked until the end of the transaction."""
    return _found(work.execute(_BY_ID_LOCKED if lock else _BY_ID, {"id": order_id}))


def by_number(work: Work, number: str) -> Found | None:
    """The order of exactly this number."""
    return _found(work.execute(_BY_NUMBER, {"number": number}))


def by_token(work: Work, token: str) -> Found | None:
    """The order of exactly this token."""
    return _found(work.execute(_BY_TOKEN, {"token": token}))


def by_cart(work: Work, cart_id: CartId) -> Found | None:
    """The latest order of a cart that has not lapsed."""
    found = _found(work.execute(_BY_CART, {"cart_id": cart_id}))
    return found if found is not None and found.row.live_cart_key.startswith(cart_prefix(cart_id)) else None


def _found(result: sa.CursorResult[Any]) -> Found | None:
    row = result.one_or_none()
    return None if row is None else Found(row=row)


def whole(work: Work, *found: Found) -> tuple[Order, ...]:
    """The orders with their lines, amendments and blocks: three statements."""
    ids = {"ids": [one.row.id for one in found]}
    if not found:
        return ()
    lines = _by_order(work.execute(_LINES, ids), rows.line_of)
    amendments = _by_order(work.execute(_AMENDMENTS, ids), rows.amendment_of)
    blocks = _by_order(work.execute(_BLOCKS, ids), rows.block_of)
    return tuple(rows.order_of(one.row, lines, amendments, blocks) for one in found)


def _by_order(result: sa.CursorResult[Any], fact: Callable[[sa.Row[Any]], T]) -> dict[str, list[T]]:
    found: defaultdict[str, list[T]] = defaultdict(list)
    for row in result:
        found[row.order_id].append(fact(row))
    return found


def sealed_text(work: Work, order_id: OrderId) -> str:
    """The sealed record, word for word."""
    return str(work.execute(_PLACEMENT, {"id": order_id}).scalar_one())


def find_block(work: Work, block_id: BlockId) -> Block | None:
    """The block of this id."""
    row = work.execute(_BLOCK, {"id": block_id}).one_or_none()
    return None if row is None else rows.block_of(row)


def links(work: Work, order_id: OrderId) -> tuple[OrderLink, ...]:
    """Every link from or to an order."""
    found = work.execute(_LINKS, {"id": order_id})
    return tuple(OrderLink(from_id=row.from_id, to_id=row.to_id, kind=row.kind) for row in found)


@attrs.frozen(kw_only=True)
class Taken:
    """What of a new order belongs to another one already; ``live`` is the order of the same cart version."""

    number: bool
    token: bool
    live: OrderId | None


def taken(work: Work, number: str, token: str, live: str | None) -> Taken:
    """Why an order could not be inserted."""
    found = work.execute(_TAKEN, {"number": number, "token": token, "live": live}).all()
    return Taken(
        number=any(row.number == number for row in found),
        token=any(row.token == token for row in found),
        live=next((row.id for row in found if live is not None and row.live_cart_key == live), None),
    )


def lapsable(work: Work, limit: int) -> tuple[OrderId, ...]:
    """Placed, unconfirmed orders whose time to be paid is over, the longest overdue first."""
    return tuple(OrderId(row.id) for row in work.execute(_LAPSABLE, {"now": work.now, "limit": limit}))


# -- lists -------------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Wish:
    """Which orders are wanted."""

    state: OrderState | None = None
    confirmed: bool | None = None
    customer_id: str | None = None
    channel_id: str | None = None
    since: dt.datetime | None = None
    before: dt.datetime | None = None


def page(
    work: Work, actor: Actor, permission: str, wish: Wish, after: tuple[dt.datetime, str] | None, limit: int
) -> list[Found]:
    """Up to ``limit`` orders in the actor's scope, the latest first, from after a place in that total order."""
    wanted = _wanted(actor, permission, wish).order_by(order.c.placed_at.desc(), order.c.id.desc()).limit(limit)
    if after is not None:
        at, order_id = after
        wanted = wanted.where(
            sa.tuple_(order.c.placed_at, order.c.id)
            < sa.tuple_(sa.literal(at, order.c.placed_at.type), sa.literal(order_id))
        )
    return [Found(row=row) for row in work.execute(wanted)]


def stream(work: Work, actor: Actor, permission: str, wish: Wish) -> Iterator[Order]:
    """Orders in the actor's scope without what hangs on them, the oldest first: one statement, so one state of the
    database, read little by little."""
    wanted = _wanted(actor, permission, wish).order_by(order.c.placed_at, order.c.id)
    for row in work.execute(wanted.execution_options(yield_per=_STREAM)):
        yield Found(row=row).bare


def _wanted(actor: Actor, permission: str, wish: Wish) -> sa.Select[Any]:
    conditions: Sequence[tuple[object, sa.ColumnElement[bool]]] = (
        (wish.state, order.c.state == (wish.state.value if wish.state else "")),
        (wish.customer_id, order.c.customer_id == wish.customer_id),
        (wish.channel_id, order.c.channel_id == wish.channel_id),
        (wish.since, order.c.placed_at >= sa.literal(wish.since, order.c.placed_at.type)),
        (wish.before, order.c.placed_at < sa.literal(wish.before, order.c.placed_at.type)),
    )
    wanted = sa.select(order).where(_scope(actor, permission))
    for given, condition in conditions:
        if given is not None:
            wanted = wanted.where(condition)
    if wish.confirmed is not None:
        wanted = wanted.where(order.c.confirmed_at.is_not(None) == wish.confirmed)
    return wanted


def _scope(actor: Actor, permission: str) -> sa.ColumnElement[bool]:
    """What :func:`eckit.order.rules.may_see` says of one order, for all of them."""
    own: list[sa.ColumnElement[bool]] = [sa.false()]
    if actor.may(permission):
        channels = actor.scope.channels
        own.append(sa.true() if channels is None else order.c.channel_id.in_(sorted(channels)))
    if actor.customer_id is not None:
        own.append(order.c.customer_id == actor.customer_id)
    tokens = sorted(filter(is_token, actor.tokens))
    if tokens:
        own.append(order.c.token.in_(tokens))
    return sa.or_(*own)
