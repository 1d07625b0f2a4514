"""Reasons why an order may not go on, placed and lifted."""

import datetime as dt

import attrs

from eckit.kernel.clock import utc
from eckit.kernel.errors import MovedError, NotFoundError
from eckit.kernel.ids import BlockId, GroupId, OrderId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work
from eckit.order import rules, store
from eckit.order.model import Block, Order, OrderBlocked, OrderUnblocked
from eckit.order.service.scope import WRITE, locked


def place_block(
    work: Work,
    order: Order | OrderId,
    kind: str,
    *,
    reason: str = "",
    group: GroupId | None = None,
    until: dt.datetime | None = None,
) -> Block:
    """Let an order, or one of its delivery groups, not go on. Shipping and capture ask. Needs ``order.write``.

    :param kind: a code: payment, address, price, fraud, stock, approval …; open vocabulary.
    :param reason: for staff, up to 2,000 characters.
    :param until: when it is over by itself; None: when it is lifted.
    :raises NotFoundError: no such order for this actor, or no such group in it.
    """
    work.actor.require(WRITE)
    rules.code(kind, "kind")
    text = clean(reason, path="reason", max_length=2_000, multiline=True)
    now = locked(work, order, WRITE)
    if group is not None and all(line.group_id != group for line in now.lines):
        raise NotFoundError(kind="group", id=group)
    block = Block(
        id=BlockId(mint("block")),
        order_id=now.id,
        kind=kind,
        reason=text,
        group_id=group,
        until=None if until is None else utc(until, "until"),
        placed_by=str(work.actor),
        placed_at=work.now,
    )
    store.add_block(work, block)
    _touch(work, now)
    work.did("order.place_block", now.ref, Ref("block", block.id))
    work.announce(OrderBlocked(order_id=now.id, kind=kind))
    return block


def lift_block(work: Work, block_id: BlockId) -> Block:
    """Let the order go on. Needs ``order.write``; a second call changes nothing.

    :raises NotFoundError: no such block for this actor.
    """
    work.actor.require(WRITE)
    block = store.find_block(work, BlockId(expect_id("block", block_id)))
    if block is None:
        raise NotFoundError(kind="block", id=block_id)
    now = locked(work, block.order_id, WRITE)
    if not store.lift(work, block.id):
        return next(one for one in now.blocks if one.id == block.id)
    _touch(work, now)
    work.did("order.lift_block", now.ref, Ref("block", block.id))
    work.announce(OrderUnblocked(order_id=now.id, kind=block.kind))
    return attrs.evolve(block, lifted_by=str(work.actor), lifted_at=work.now)


def _touch(work: Work, now: Order) -> None:
    changed = attrs.evolve(now, version=now.version + 1)
    if not store.save(work, changed, was=now.version, live_cart_key=rules.live_key(changed)):
        raise MovedError(what="order")
