"""Statements that write orders. Each says in its answer whether it did anything: correctness rests on that."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from eckit.kernel.ids import BlockId, LineId, OrderId
from eckit.kernel.stamps import upsert
from eckit.kernel.work import Work
from eckit.order.model import Amendment, Block, Order, OrderLink, OrderState
from eckit.order.rules import Seal
from eckit.order.store import rows
from eckit.order.store.tables import (
    amendment,
    block,
    charge,
    number_counter,
    number_sequence,
    order,
    order_line,
    order_link,
    placement,
)
from eckit.pricing.model import Charge

_COUNTER: Final = "order"
_NEXT: Final = sa.select(number_sequence.next_value())
_COUNT: Final = (
    sqlite.insert(number_counter)
    .values(name=_COUNTER, n=1)
    .on_conflict_do_update(index_elements=["name"], set_={"n": number_counter.c.n + 1})
    .returning(number_counter.c.n)
)
_ADD: Final = {
    "postgresql": postgresql.insert(order).on_conflict_do_nothing().returning(order.c.id),
    "sqlite": sqlite.insert(order).on_conflict_do_nothing().returning(order.c.id),
}
_ADD_PLACEMENT: Final = sa.insert(placement)
# With RETURNING, many rows are one statement at the server, and compiled once whatever their number.
_ADD_LINES: Final = sa.insert(order_line).returning(order_line.c.id)
_ADD_CHARGES: Final = sa.insert(charge).returning(charge.c.id)
_SAVE: Final = (
    sa.update(order)
    .where(order.c.id == sa.bindparam("its_id"), order.c.version == sa.bindparam("was"))
    .values(
        {
            name: sa.bindparam(name, type_=order.c[name].type)
            for name in (
                "live_cart_key",
                "state",
                "reason",
                "confirmed_at",
                "pay_by",
                "version",
                "current_total_minor",
            )
        }
    )
)


def next_number(work: Work) -> int:
    """The next number of the shop: never one that was given before, whoever rolls back."""
    return int(work.execute(_NEXT if work.dialect == "postgresql" else _COUNT).scalar_one())


def add(work: Work, new: Order, openers: Iterable[str]) -> bool:
    """Insert a new order; False if its number, token or cart version is another order's already."""
    return work.execute(_ADD[work.dialect], rows.order_row(new, openers)).one_or_none() is not None


def add_rest(work: Work, new: Order, sealed: Seal, charges: Sequence[Charge]) -> None:
    """Insert the sealed record, the lines and the charges: a statement each, whatever their number."""
    work.execute(_ADD_PLACEMENT, {"order_id": new.id, "body": sealed.text, "digest": sealed.digest})
    work.execute(_ADD_LINES, rows.line_rows(new)).all()
    if charges:
        work.execute(_ADD_CHARGES, rows.charge_rows(new, charges)).all()


def save(work: Work, changed: Order, *, was: int, live_cart_key: str | None) -> bool:
    """Write back what of an order's own row can change; False if its version is not the one that was read."""
    values: Mapping[str, Any] = {
        "its_id": changed.id,
        "was": was,
        "live_cart_key": live_cart_key,
        "state": changed.state.value,
        "reason": changed.reason,
        "confirmed_at": changed.confirmed_at,
        "pay_by": changed.pay_by,
        "version": changed.version,
        "current_total_minor": changed.current_total_minor,
    }
    return work.execute(_SAVE, values).rowcount == 1


def confirm(work: Work, order_id: OrderId) -> bool:
    """Note that the first due is secured; False if that was noted before, or the order is no longer placed."""
    confirmed = (
        sa.update(order)
        .where(order.c.id == order_id, order.c.confirmed_at.is_(None), order.c.state == OrderState.PLACED.value)
        .values(confirmed_at=work.now, version=order.c.version + 1)
    )
    return work.execute(confirmed).rowcount == 1


def shift_steps(work: Work, order_id: OrderId, counter: str, steps: Mapping[LineId, int]) -> bool:
    """Raise a counter of several lines, in one statement; False if one of them has not so many steps open."""
    more = sa.case(dict(steps), value=order_line.c.id, else_=0)
    shifted = (
        sa.update(order_line)
        .where(
            order_line.c.order_id == order_id,
            order_line.c.id.in_(sorted(steps)),
            order_line.c.canceled_steps + order_line.c.shipped_steps + more <= order_line.c.steps,
        )
        .values({counter: order_line.c[counter] + more})
    )
    return work.execute(shifted).rowcount == len(steps)


def add_amendment(work: Work, new: Amendment, currency: str) -> None:
    """Append an amendment."""
    work.execute(sa.insert(amendment), rows.amendment_row(new, currency))


def add_block(work: Work, new: Block) -> None:
    """Insert a block."""
    work.execute(sa.insert(block), rows.block_row(new))


def lift(work: Work, block_id: BlockId) -> bool:
    """Note that a block is lifted; False if it was lifted before."""
    lifted = (
        sa.update(block)
        .where(block.c.id == block_id, block.c.lifted_at.is_(None))
        .values(lifted_by=str(work.actor), lifted_at=work.now)
    )
    return work.execute(lifted).rowcount == 1


def add_link(work: Work, link: OrderLink) -> bool:
    """Link two orders; False if they were linked so before."""
    row = {"from_id": link.from_id, "to_id": link.to_id, "kind": link.kind}
    insert = upsert(work.connection, order_link).values(row).on_conflict_do_nothing().returning(order_link.c.kind)
    return work.execute(insert).one_or_none() is not None
