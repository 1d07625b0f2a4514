"""Invariants between capabilities, as queries: an order, its money, its goods and its codes say the same.

A flow reaches no store, so the tables are taken from the metadata that all stores declare theirs in.
"""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

# What a capability's audit reads is declared by importing it.
import eckit.cart.audit
import eckit.catalog.audit
import eckit.customer.audit
import eckit.messages.audit
import eckit.order.audit
import eckit.payment.audit
import eckit.promotion.audit
import eckit.shipping.audit
import eckit.stock.audit  # noqa: F401
from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.idempotency import idempotency
from eckit.kernel.outbox import outbox
from eckit.kernel.tables import PREFIX, SCHEMA, metadata
from eckit.order import rules as order_rules
from eckit.payment.rules import ENDED, asked_now
from eckit.stock.rules import UNCOUNTED_KINDS

_DUES: Final = "Σ payments asked for = dues = total − credit applied"
_PAID: Final = "an order's paid sum equals the applications to it, applications ≤ captures per payment"
_AS_CONFIRMED: Final = "the amount charged is the amount confirmed"
_CURRENCY: Final = "amounts of two currencies never meet"
_OWNER: Final = "each hold belongs to a live registered owner or has expired"
_RESERVED: Final = "reserved ≤ on hand + open shortages"
_STEPS: Final = "per line: canceled + shipped ≤ ordered, returned ≤ shipped"
_CAUSE: Final = "movements = on hand, each with one cause"
_LIMITS: Final = "redemptions ≤ limits"
_ONE_ORDER: Final = "one cart version, at most one order that has not lapsed"
_ONE_OUTCOME: Final = "one key, one outcome"
_HISTORY: Final = "histories contain only declared transitions"
_DELIVERED: Final = "each committed event is delivered at least once"
_PERSONAL: Final = "personal data is outside the record"


_AT_ONCE: Final = dt.timedelta(minutes=5)
"""A transaction dates what it writes when it begins, by the clock of its machine, and may then wait for others."""


def _table(name: str) -> sa.Table:
    return metadata.tables[f"{SCHEMA}.{PREFIX}{name}"]


_order, _line, _charge, _placement, _amendment = map(
    _table, ("order", "order_line", "charge", "placement", "amendment")
)
_payment, _operation, _money, _application, _task = map(
    _table, ("payment", "operation", "movement", "application", "task")
)
_hold, _goods = _table("hold"), _table("stock_movement")
_shipment, _shipped = _table("shipment"), _table("shipment_line")
_promotion, _redemption = _table("promotion"), _table("redemption")
_cart, _mail, _variant = _table("cart"), _table("mail"), _table("variant")
_customer, _party = _table("customer"), _table("party")


# -- parts ------------------------------------------------------------------------------------------------------------


def _text(*parts: Any) -> sa.ColumnElement[str]:
    whole: sa.ColumnElement[str] = sa.literal("")
    for part in parts:
        whole = whole + (part if isinstance(part, str) else sa.cast(part, sa.String))
    return whole


def _sum(column: sa.Column[int], *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*conditions).scalar_subquery()


def _moved(*kinds: str) -> sa.ScalarSelect[int]:
    """What a payment's movements of some kinds come to; of captures those that are final."""
    final = sa.or_(_money.c.kind != "capture", _money.c.finality == "final")
    return _sum(_money.c.amount_minor, _money.c.payment_id == _payment.c.id, _money.c.kind.in_(kinds), final)


_owner: Final = sa.literal("order:") + _order.c.id
_held: Final = _sum(
    _hold.c.steps,
    _hold.c.owner == sa.literal("order:") + _line.c.order_id,
    _hold.c.line_id == _line.c.id,
    _hold.c.state == "live",
)
_left: Final = ("handed_over", "delivered")
_out: Final = (_shipment.c.id == _shipped.c.shipment_id, _shipment.c.direction == "out")
_of_line: Final = (_shipped.c.order_id == _line.c.order_id, _shipped.c.line_id == _line.c.id)
_gone: Final = _sum(_shipped.c.steps, *_of_line, *_out, _shipment.c.state.in_(_left))
_planned: Final = _sum(_shipped.c.steps, *_of_line, *_out, _shipment.c.state != "canceled")
_open: Final = _line.c.steps - _line.c.canceled_steps - _line.c.shipped_steps
_is_counted: Final = sa.and_(
    _line.c.supply != "unlimited",
    sa.exists().where(_variant.c.id == _line.c.variant_id, _variant.c.kind.not_in(sorted(UNCOUNTED_KINDS))),
)
_kept: Final = _moved("capture") - _moved("capture_reversed", "refund", "dispute_lost") + _moved("refund_failed")
_net: Final = sa.case((_kept < 0, 0), else_=_kept)
_applied: Final = _sum(_application.c.amount_minor, _application.c.payment_id == _payment.c.id)
_goes_on: Final = sa.or_(
    sa.exists().where(
        _operation.c.payment_id == _payment.c.id, _operation.c.state.not_in([state.value for state in ENDED])
    ),
    sa.exists().where(_task.c.payment_id == _payment.c.id),
)
_used: Final = sa.exists().where(
    _hold.c.owner == sa.literal("order:") + _shipped.c.order_id,
    _hold.c.line_id == _shipped.c.line_id,
)
_sold: Final = _sum(_goods.c.steps, _goods.c.cause == sa.literal("shipment:") + _shipment.c.id, _goods.c.kind == "sell")
_carried: Final = _sum(_shipped.c.steps, _shipped.c.shipment_id == _shipment.c.id, _used)
_of_charges: Final = -_sum(
    _charge.c.amount_minor,
    _charge.c.order_id == _redemption.c.order_id,
    _charge.c.promotion_id == _redemption.c.promotion_id,
)
# The reply of a key is canonical JSON, {"order_id":"…"}, and its order was placed in the transaction that claimed it.
_reply: Final = sa.type_coerce(idempotency.c.reply, sa.Text)
_BEFORE_THE_ID: Final = len('{"order_id":"')
_answered: Final = sa.func.substr(
    _reply, _BEFORE_THE_ID + 1, sa.func.length(_reply) - _BEFORE_THE_ID - len('"}'), type_=sa.Text
)
_announced: Final = (
    sa.select(sa.func.count())
    .where(outbox.c.subject == _owner, outbox.c.name == "order.placed")
    .correlate(_order)
    .scalar_subquery()
)


def _asked(connection: sa.Connection) -> Iterator[Violation]:
    """Each attempt asks for what the sealed record says is due at once, a later one for what is left of it."""
    amendments = _amendments(connection)
    attempts = sa.select(_payment, _order.c.total_minor, _placement.c.body).join_from(
        _payment, _order, _order.c.id == _payment.c.order_id
    )
    sealed = attempts.join(_placement, _placement.c.order_id == _order.c.id)
    for row in connection.execute(sealed, execution_options={"yield_per": 500}):
        body = order_rules.read(row.body)
        if body is None:
            continue  # a finding of its own
        due = asked_now(order_rules.quote_of(body).dues)
        left = {due} if row.attempt == 1 and due else _still_due(row, amendments[row.order_id], due)
        if row.amount_minor not in left:
            detail = f"asks for {row.amount_minor}, due were {' or '.join(map(str, sorted(left)))}"
            yield Violation(invariant="asked-is-due", table=_payment.name, row=row.id, detail=detail)


def _amendments(connection: sa.Connection) -> Mapping[str, list[tuple[dt.datetime, int]]]:
    """When and by how much each order was changed that somebody tried to pay."""
    found: defaultdict[str, list[tuple[dt.datetime, int]]] = defaultdict(list)
    select = sa.select(_amendment.c.order_id, _amendment.c.at, _amendment.c.amount_minor).where(
        _amendment.c.state == order_rules.ACCEPTED, _amendment.c.order_id.in_(sa.select(_payment.c.order_id))
    )
    for row in connection.execute(select.order_by(_amendment.c.order_id, _amendment.c.seq)):
        found[row.order_id].append((row.at, row.amount_minor))
    return found


def _still_due(attempt: Any, amendments: Sequence[tuple[dt.datetime, int]], due: int) -> set[int]:
    """What may have been left of what was due when an attempt was begun.

    Of an amendment made at nearly the same time nobody can tell by the clock whether it was before.
    """
    surely = [minor for at, minor in amendments if at < attempt.created_at - _AT_ONCE]
    perhaps = [minor for at, minor in amendments[len(surely) :] if at <= attempt.created_at + _AT_ONCE]
    totals = itertools.accumulate(perhaps, initial=attempt.total_minor + sum(surely))
    return {min(due or total, total) for total in totals}


# -- checks -----------------------------------------------------------------------------------------------------------

_MONEY: Final[tuple[Check, ...]] = (
    Check(invariant="asked-is-due", clause=f"{_DUES}; {_AS_CONFIRMED}", table=_payment.name, run=_asked),
    query(
        "payment-is-for-an-order",
        _PAID,
        _payment.name,
        sa.select(_payment.c.id, _payment.c.order_id).where(~sa.exists().where(_order.c.id == _payment.c.order_id)),
    ),
    query(
        "payment-in-the-orders-currency",
        _CURRENCY,
        _payment.name,
        sa.select(_payment.c.id, _text(_payment.c.currency, ", the order in ", _order.c.currency))
        .join_from(_payment, _order, _order.c.id == _payment.c.order_id)
        .where(_order.c.currency != _payment.c.currency),
    ),
    query(
        "what-was-taken-is-applied",
        _PAID,
        _payment.name,
        sa.select(_payment.c.id, _text("kept ", _kept, ", applied ", _applied))
        .join_from(_payment, _order, _order.c.id == _payment.c.order_id)
        .where(_order.c.state != "canceled", _kept <= _payment.c.amount_minor, _net != _applied),
    ),
    query(
        "paid-order-is-confirmed",
        _HISTORY,
        _order.name,
        sa.select(_order.c.id, sa.literal("its money is secured and it does not count")).where(
            _order.c.state == "placed",
            _order.c.confirmed_at.is_(None),
            sa.exists().where(
                _payment.c.order_id == _order.c.id,
                _operation.c.payment_id == _payment.c.id,
                _operation.c.kind == "begin",
                _operation.c.state == "succeeded",
                _moved("authorize", "capture") > _moved("void", "refund"),
            ),
        ),
    ),
    query(
        "money-of-a-canceled-order-goes-back",
        _PAID,
        _payment.name,
        sa.select(_payment.c.id, _text("kept ", _kept))
        .join_from(_payment, _order, _order.c.id == _payment.c.order_id)
        .where(_order.c.state == "canceled", _kept > 0, ~_goes_on),
    ),
)

_GOODS: Final[tuple[Check, ...]] = (
    query(
        "hold-is-of-a-live-order",
        _OWNER,
        _hold.name,
        sa.select(_hold.c.id, _hold.c.owner).where(
            _hold.c.state == "live",
            _hold.c.owner.like("order:%"),
            ~sa.exists().where(_owner == _hold.c.owner, _order.c.state == "placed"),
        ),
    ),
    query(
        "what-is-open-is-held",
        _RESERVED,
        _line.name,
        sa.select(_line.c.order_id, _line.c.id, _text("open ", _open, ", held ", _held))
        .join_from(_line, _order, _order.c.id == _line.c.order_id)
        .where(_order.c.state == "placed", _order.c.cart_id.is_not(None), _is_counted, _held != _open),
    ),
    query(
        "shipped-is-what-left",
        _STEPS,
        _line.name,
        sa.select(_line.c.order_id, _line.c.id, _text("shipped ", _line.c.shipped_steps, ", left ", _gone)).where(
            _line.c.shipped_steps != _gone
        ),
    ),
    query(
        "shipments-are-of-what-was-ordered",
        _STEPS,
        _line.name,
        sa.select(_line.c.order_id, _line.c.id, _text("ordered ", _line.c.steps, ", in shipments ", _planned)).where(
            _planned > _line.c.steps - _line.c.canceled_steps
        ),
    ),
    query(
        "shipment-is-of-an-order",
        _STEPS,
        _shipped.name,
        sa.select(_shipped.c.shipment_id, _shipped.c.line_id, _shipped.c.order_id).where(
            ~sa.exists().where(_line.c.order_id == _shipped.c.order_id, _line.c.id == _shipped.c.line_id)
        ),
    ),
    query(
        "what-left-is-sold",
        _CAUSE,
        _shipment.name,
        sa.select(_shipment.c.id, _text("carries ", _carried, ", stock moved ", _sold)).where(
            _shipment.c.state.in_(_left), _shipment.c.direction == "out", _carried + _sold != 0
        ),
    ),
)

_CODES: Final[tuple[Check, ...]] = (
    query(
        "use-is-of-a-live-order",
        _LIMITS,
        _redemption.name,
        sa.select(_redemption.c.id, _redemption.c.order_id)
        .outerjoin_from(_redemption, _order, _order.c.id == _redemption.c.order_id)
        .outerjoin(_promotion, _promotion.c.id == _redemption.c.promotion_id)
        .where(
            sa.or_(
                _order.c.id.is_(None),
                sa.and_(
                    _promotion.c.released_on_cancel,
                    (_order.c.state == "canceled") != _redemption.c.released_at.is_not(None),
                ),
            )
        ),
    ),
    query(
        "use-in-the-orders-currency",
        _CURRENCY,
        _redemption.name,
        sa.select(_redemption.c.id, _text(_redemption.c.currency, ", the order in ", _order.c.currency))
        .join_from(_redemption, _order, _order.c.id == _redemption.c.order_id)
        .where(_order.c.currency != _redemption.c.currency),
    ),
    query(
        "use-is-what-was-given",
        _LIMITS,
        _redemption.name,
        sa.select(_redemption.c.id, _text("gave ", _redemption.c.amount_minor, ", charged ", _of_charges)).where(
            sa.exists().where(_order.c.id == _redemption.c.order_id), _redemption.c.amount_minor != _of_charges
        ),
    ),
    query(
        "what-was-given-is-a-use",
        _LIMITS,
        _charge.name,
        sa.select(_charge.c.order_id, _charge.c.id, _charge.c.promotion_id)
        .join_from(_charge, _order, _order.c.id == _charge.c.order_id)
        .where(
            _charge.c.promotion_id.is_not(None),
            _order.c.cart_id.is_not(None),
            ~sa.exists().where(
                _redemption.c.order_id == _charge.c.order_id, _redemption.c.promotion_id == _charge.c.promotion_id
            ),
        ),
    ),
)

_AROUND: Final[tuple[Check, ...]] = (
    query(
        "cart-and-order-know-each-other",
        _ONE_ORDER,
        _cart.name,
        sa.select(_cart.c.id, sa.func.coalesce(_cart.c.order_id, _order.c.id))
        .outerjoin_from(_cart, _order, sa.and_(_order.c.cart_id == _cart.c.id, _order.c.reason != "lapsed"))
        .where(_cart.c.order_id.is_distinct_from(_order.c.id)),
    ),
    query(
        "key-gives-its-order",
        _ONE_OUTCOME,
        idempotency.name,
        sa.select(idempotency.c.scope, idempotency.c.key, _answered)
        .outerjoin_from(idempotency, _order, _order.c.id == _answered)
        .where(
            idempotency.c.scope == "place_order",
            idempotency.c.state == "done",
            _order.c.recorded_at.is_distinct_from(idempotency.c.claimed_at),
        ),
    ),
    query(
        "order-was-announced",
        _DELIVERED,
        _order.name,
        sa.select(_order.c.id, _text("order.placed × ", _announced)).where(_announced != 1),
    ),
    query(
        "order-knows-its-people",
        _PERSONAL,
        _order.name,
        sa.select(_order.c.id, sa.literal("its buyer or customer is not there")).where(
            sa.or_(
                sa.and_(_order.c.buyer.is_not(None), ~sa.exists().where(_party.c.id == _order.c.buyer)),
                sa.and_(_order.c.customer_id.is_not(None), ~sa.exists().where(_customer.c.id == _order.c.customer_id)),
            )
        ),
    ),
    query(
        "mail-is-of-an-order",
        _DELIVERED,
        _mail.name,
        sa.select(_mail.c.id, _mail.c.about).where(
            _mail.c.about.like("order:%"), ~sa.exists().where(_owner == _mail.c.about)
        ),
    ),
)

CHECKS: Final[tuple[Check, ...]] = (*_MONEY, *_GOODS, *_CODES, *_AROUND)
"""Every invariant that only the tables of several capabilities together can violate."""
