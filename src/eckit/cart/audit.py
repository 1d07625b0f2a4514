"""The invariants of carts, as queries."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from eckit.cart.rules import MAX_CODES, MAX_LINES, MAX_STEPS
from eckit.cart.store import cart
from eckit.kernel.auditing import Check, Violation, query

_WHOLE: Final = "cart-is-whole"


def _whole(connection: sa.Connection) -> Iterator[Violation]:
    for row in connection.execute(sa.select(cart.c.id, cart.c.body)):
        for detail in _broken(row.body):
            yield Violation(invariant=_WHOLE, table=cart.name, row=row.id, detail=detail)


def _broken(body: Mapping[str, Any]) -> Iterator[str]:
    lines, groups = body["lines"], {group["id"] for group in body["groups"]}
    if len({line["id"] for line in lines}) != len(lines):
        yield "two lines have one id"
    if len(lines) > MAX_LINES or len(body["codes"]) > MAX_CODES:
        yield f"{len(lines)} lines, {len(body['codes'])} codes: over the limit"
    for line in lines:
        if not 1 <= line["steps"] <= MAX_STEPS:
            yield f"line {line['id']} has {line['steps']} steps"
        if line["group_id"] not in groups:
            yield f"line {line['id']} is in no group of the cart"


_target = cart.alias("target")

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        invariant=_WHOLE,
        clause="no negative total, line or quantity",
        table=cart.name,
        run=_whole,
    ),
    query(
        "cart-token-is-real",
        "no actor reaches another's data",
        cart.name,
        sa.select(cart.c.id, sa.literal("its token is blank or short")).where(sa.func.length(cart.c.token) < 22),
    ),
    query(
        "taken-cart-has-its-order",
        "histories contain only declared transitions",
        cart.name,
        sa.select(cart.c.id, cart.c.state).where((cart.c.state == "taken") != cart.c.order_id.is_not(None)),
    ),
    query(
        "one-cart-of-an-order",
        "one cart version, at most one order that has not lapsed",
        cart.name,
        sa.select(cart.c.order_id, sa.func.min(cart.c.id))
        .where(cart.c.order_id.is_not(None))
        .group_by(cart.c.order_id)
        .having(sa.func.count() > 1),
    ),
    query(
        "merged-into-a-cart",
        "histories contain only declared transitions",
        cart.name,
        sa.select(cart.c.id, cart.c.merged_into)
        .outerjoin_from(cart, _target, _target.c.id == cart.c.merged_into)
        .where(cart.c.merged_into.is_not(None), _target.c.id.is_(None) | (_target.c.id == cart.c.id)),
    ),
)
"""Every invariant that the table of carts can violate."""
