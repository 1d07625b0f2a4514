"""Checks that are one query each."""

from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, query
from eckit.kernel.history import history
from eckit.order.rules import ACCEPTED, LAPSED
from eckit.order.store.tables import amendment, block, charge, order, order_line, placement

ADDS_UP: Final = (
    "order total = Σ charges not contained in another, Σ net + Σ tax by rate = the same, the same number in quote, "
    "order, documents and exports"
)
_STEPS: Final = "per line: canceled + shipped ≤ ordered, returned ≤ shipped"
_HISTORY: Final = "histories contain only declared transitions"
_ONE_ORDER: Final = "one cart version, at most one order that has not lapsed"


def _text(*parts: Any) -> sa.ColumnElement[str]:
    """A detail put together in the database."""
    whole: sa.ColumnElement[str] = sa.literal("")
    for part in parts:
        whole = whole + (part if isinstance(part, str) else sa.cast(part, sa.String))
    return whole


def _sum_of(column: sa.Column[int], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """The sum of a column over an order's rows; 0 without any."""
    own = column.table.c.order_id == order.c.id
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(own, *conditions).scalar_subquery()


_charged = _sum_of(charge.c.amount_minor, charge.c.included.is_(False))
_amended = _sum_of(amendment.c.amount_minor, amendment.c.state == ACCEPTED)
_ordered, _canceled = _sum_of(order_line.c.steps), _sum_of(order_line.c.canceled_steps)
_live = sa.case(
    (order.c.reason == LAPSED, None), else_=order.c.cart_id + ":" + sa.cast(order.c.cart_version, sa.String)
)


def _of_another_currency(table: sa.Table) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(table.c.order_id, table.c.id, _text(table.c.currency, ", the order in ", order.c.currency))
        .join_from(table, order, order.c.id == table.c.order_id)
        .where(table.c.currency != order.c.currency)
    )


def _twice(column: sa.Column[Any]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(sa.func.min(order.c.id), _text(column.name, " of several"))
        .group_by(column)
        .having(sa.func.count() > 1)
    )


def _history(verb: str, expected: sa.ColumnElement[int]) -> sa.Select[*tuple[Any, ...]]:
    """Orders of which the audit rows do not say this verb as often as expected."""
    # Audit rows hold their subjects as canonical JSON: of one subject there is only one text.
    subjects = sa.type_coerce(history.c.subjects, sa.Text)
    deeds = (
        sa.select(subjects.label("subjects"), sa.func.count().label("deeds"))
        .where(history.c.verb == verb)
        .group_by(subjects)
        .subquery()
    )
    found = sa.func.coalesce(deeds.c.deeds, 0)
    own = sa.literal('["order:') + order.c.id + sa.literal('"]')
    return (
        sa.select(order.c.id, _text(verb, " × ", found, ", expected ", expected))
        .outerjoin_from(order, deeds, deeds.c.subjects == own)
        .where(found != expected)
    )


def _once(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


CHECKS: Final[tuple[Check, ...]] = (
    query(
        "order-total-is-its-charges",
        ADDS_UP,
        order.name,
        sa.select(order.c.id, _text("total ", order.c.total_minor, ", charges ", _charged)).where(
            order.c.total_minor != _charged
        ),
    ),
    query(
        "current-total-is-total-and-amendments",
        ADDS_UP,
        order.name,
        sa.select(order.c.id, _text("total ", order.c.current_total_minor, ", amendments ", _amended)).where(
            order.c.current_total_minor != order.c.total_minor + _amended
        ),
    ),
    query(
        "nothing-is-below-zero",
        "no negative total, line or quantity",
        order_line.name,
        sa.select(order_line.c.order_id, order_line.c.id, _text(order_line.c.steps, " steps")).where(
            (order_line.c.total_minor < 0)
            | (order_line.c.goods_minor < 0)
            | (order_line.c.unit_minor < 0)
            | (order_line.c.steps <= 0)
        ),
    ),
    query(
        "order-is-not-below-zero",
        "no negative total, line or quantity",
        order.name,
        sa.select(order.c.id, _text(order.c.total_minor, " / ", order.c.current_total_minor)).where(
            (order.c.total_minor < 0) | (order.c.current_total_minor < 0)
        ),
    ),
    query(
        "steps-do-not-exceed-what-was-ordered",
        _STEPS,
        order_line.name,
        sa.select(order_line.c.order_id, order_line.c.id, _text(order_line.c.steps, " steps")).where(
            (order_line.c.canceled_steps + order_line.c.shipped_steps > order_line.c.steps)
            | (order_line.c.returned_steps > order_line.c.shipped_steps)
            | (order_line.c.canceled_steps < 0)
            | (order_line.c.shipped_steps < 0)
            | (order_line.c.returned_steps < 0)
        ),
    ),
    query(
        "one-order-of-a-cart-version",
        _ONE_ORDER,
        order.name,
        sa.select(sa.func.min(order.c.id), _text(order.c.cart_id, " version ", order.c.cart_version))
        .where(order.c.cart_id.is_not(None), order.c.reason != LAPSED)
        .group_by(order.c.cart_id, order.c.cart_version)
        .having(sa.func.count() > 1),
    ),
    query(
        "live-key-is-the-cart-version",
        _ONE_ORDER,
        order.name,
        sa.select(order.c.id, sa.func.coalesce(order.c.live_cart_key, "")).where(
            order.c.live_cart_key.is_distinct_from(_live)
        ),
    ),
    query("one-order-of-a-number", "one order, one number", order.name, _twice(order.c.number)),
    query("one-order-of-a-token", "no actor reaches another's data", order.name, _twice(order.c.token)),
    query(
        "token-is-real",
        "no actor reaches another's data",
        order.name,
        sa.select(order.c.id, sa.literal("its token is blank or short")).where(sa.func.length(order.c.token) < 22),
    ),
    *(
        query(
            f"one-currency-of-{table.name.removeprefix('eckit_')}",
            "amounts of two currencies never meet",
            table.name,
            _of_another_currency(table),
        )
        for table in (order_line, charge, amendment)
    ),
    query(
        "order-has-its-record",
        "a placed order differs from its placement record only by amendment rows",
        order.name,
        sa.select(order.c.id, sa.literal("it has no sealed record, or of another digest"))
        .outerjoin_from(order, placement, placement.c.order_id == order.c.id)
        .where(placement.c.digest.is_distinct_from(order.c.digest)),
    ),
    query(
        "canceled-is-all-canceled",
        _HISTORY,
        order.name,
        sa.select(order.c.id, _text(order.c.state, ", canceled ", _canceled, " of ", _ordered)).where(
            (order.c.state == "canceled") != (_canceled == _ordered)
        ),
    ),
    query(
        "lapsed-never-counted",
        _HISTORY,
        order.name,
        sa.select(order.c.id, sa.literal("it lapsed after it was confirmed")).where(
            order.c.reason == LAPSED, order.c.confirmed_at.is_not(None)
        ),
    ),
    query(
        "closed-has-nothing-open",
        _HISTORY,
        order.name,
        sa.select(order.c.id, order_line.c.id, _text(order_line.c.steps, " steps"))
        .join_from(order, order_line, order_line.c.order_id == order.c.id)
        .where(
            order.c.state == "closed", order_line.c.canceled_steps + order_line.c.shipped_steps != order_line.c.steps
        ),
    ),
    query("placed-once", _HISTORY, order.name, _history("order.place", sa.literal(1))),
    query("confirmed-once", _HISTORY, order.name, _history("order.confirm", _once(order.c.confirmed_at.is_not(None)))),
    query("canceled-once", _HISTORY, order.name, _history("order.cancel", _once(order.c.state == "canceled"))),
    query("closed-once", _HISTORY, order.name, _history("order.close", _once(order.c.state == "closed"))),
    query(
        "block-is-lifted-after-it-was-placed",
        _HISTORY,
        block.name,
        sa.select(block.c.id, block.c.kind).where(block.c.lifted_at < block.c.placed_at),
    ),
)
