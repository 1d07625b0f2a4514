"""The invariants of payment's own tables, as queries."""

from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, query
from eckit.payment.rules import ENDED, KINDS, MOVES
from eckit.payment.store import application, movement, notice, operation, operation_step, payment, task

_HISTORY: Final = "histories contain only declared transitions"
_SUMS: Final = "refunds ≤ captures ≤ authorizations per payment"
_APPLIED: Final = "an order's paid sum equals the applications to it, applications ≤ captures per payment"
_AS_CONFIRMED: Final = "the amount charged is the amount confirmed"
_ENTRIES: Final = "provider movements are single entries that never change"
_CURRENCIES: Final = "amounts of two currencies never meet"
_NOTICES: Final = "each acknowledged notice is stored and applied at most once"


# -- parts ------------------------------------------------------------------------------------------------------------


def _sum(kind: str, *conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """The sum of a payment's movements of a kind, in its own currency."""
    found = sa.select(sa.func.coalesce(sa.func.sum(movement.c.amount_minor), 0)).where(
        movement.c.payment_id == payment.c.id,
        movement.c.kind == kind,
        movement.c.currency == payment.c.currency,
        *conditions,
    )
    return found.correlate(payment).scalar_subquery()


def _told(*kinds: str) -> sa.ColumnElement[bool]:
    """Whether a person was told: a provider's facts are recorded even where they break a rule of ours."""
    told = sa.select(task.c.kind).where(task.c.payment_id == payment.c.id, task.c.kind.in_(kinds))
    return told.correlate(payment).exists()


_authorized, _voided = _sum("authorize"), _sum("void")
_any_captured = _sum("capture")
_captured = _sum("capture", movement.c.finality == "final")
_given_back = _sum("refund") - _sum("refund_failed")
_applied = (
    sa.select(sa.func.coalesce(sa.func.sum(application.c.amount_minor), 0))
    .where(application.c.payment_id == payment.c.id)
    .correlate(payment)
    .scalar_subquery()
)
_authorizations = (
    sa.select(sa.func.count())
    .where(movement.c.payment_id == payment.c.id, movement.c.kind == "authorize")
    .correlate(payment)
    .scalar_subquery()
)
_step = operation_step.c.before + ">" + operation_step.c.move + ">" + operation_step.c.after
_declared: Final = [f"{before.value}>{by.value}>{after.value}" for (before, by), after in MOVES.items()]
_earlier = operation_step.alias("earlier")
_last_state = (
    sa.select(operation_step.c.after)
    .where(operation_step.c.operation_id == operation.c.id)
    .order_by(operation_step.c.seq.desc())
    .limit(1)
    .correlate(operation)
    .scalar_subquery()
)
_ended: Final = [state.value for state in ENDED]
_is_under_way = (
    sa.select(operation.c.id)
    .where(operation.c.payment_id == payment.c.id, operation.c.state.not_in(_ended))
    .correlate(payment)
    .exists()
)
_other = payment.alias("other")


def _payments(detail: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(payment.c.id, sa.literal(detail)).where(*conditions)


def _operations(detail: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(operation.c.id, sa.literal(detail)).where(*conditions)


def _moved(kind: str, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """What the movements of a kind come to, in a group of movements."""
    counts = sa.and_(movement.c.kind == kind, *conditions)
    return sa.func.sum(sa.case((counts, movement.c.amount_minor), else_=0)).label(f"{kind}_{len(conditions)}")


_by_reference = (
    sa.select(
        movement.c.payment_id,
        movement.c.reference,
        _moved("authorize"),
        _moved("capture"),
        _moved("capture", movement.c.finality == "final"),
        _moved("void"),
        _moved("refund"),
    )
    .group_by(movement.c.payment_id, movement.c.reference)
    .subquery()
)
_own = _by_reference.c
# what is final takes the place of what was provisional
_own_capture = sa.case((_own.capture_1 > 0, _own.capture_1), else_=_own.capture_0)
_own_beginning = sa.case((_own.authorize_0 > 0, _own.authorize_0), else_=_own_capture)
_came_to = sa.func.coalesce(
    sa.case(
        (operation.c.kind == "begin", _own_beginning),
        (operation.c.kind == "capture", _own_capture),
        (operation.c.kind == "void", _own.void_0),
        else_=_own.refund_0,
    ),
    0,
)


def _of_another_currency(table: sa.Table) -> sa.Select[Any]:
    """Rows of a payment in a currency that is not its own."""
    return (
        sa.select(table.c.id, table.c.currency + ", the payment in " + payment.c.currency)
        .join_from(table, payment, payment.c.id == table.c.payment_id)
        .where(table.c.currency != payment.c.currency)
    )


_action = sa.type_coerce(operation.c.action, sa.Text)
# money that comes by itself, by a voucher or a bank transfer, may be more than was asked for
_waits_for_funds = sa.and_(_action.is_not(None), _action.not_like('%"kind":"redirect"%'))
_is_its_amount = sa.or_(
    _came_to == operation.c.amount_minor, sa.and_(_waits_for_funds, _came_to > operation.c.amount_minor)
)
_TOLD_OF_AMOUNTS: Final = ("misfit", "over_captured", "overpaid", "underpaid", "refund_failed")
"""Tasks that tell a person of another amount than was asked for."""


def _twice(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[str, str]:
    """Rows of a table of which there are several with the same values here, named by the first of them."""
    several = sa.literal("one of several of the same ") + columns[-1]
    return (
        sa.select(sa.cast(sa.func.min(table.c.id), sa.String), several).group_by(*columns).having(sa.func.count() > 1)
    )


# -- checks -----------------------------------------------------------------------------------------------------------

CHECKS: Final[tuple[Check, ...]] = (
    query(
        "refunds-within-captures",
        _SUMS,
        payment.name,
        _payments("more was refunded than captured", _given_back > _captured, ~_told("misfit")),
    ),
    query(
        "captures-within-authorizations",
        _SUMS,
        payment.name,
        _payments(
            "more was captured and voided than authorized",
            _authorized > 0,
            _captured + _voided > _authorized,
            ~_told("over_captured", "misfit"),
        ),
    ),
    query(
        "voids-within-authorizations",
        _SUMS,
        payment.name,
        _payments("more was voided than authorized", _voided > _authorized, ~_told("misfit")),
    ),
    query(
        "applications-within-captures",
        _APPLIED,
        payment.name,
        _payments("applied to the order is not what was captured and kept", sa.or_(_applied < 0, _applied > _captured)),
    ),
    query(
        "applications-to-its-order",
        _APPLIED,
        application.name,
        sa.select(application.c.id, application.c.order_id)
        .join_from(application, payment, payment.c.id == application.c.payment_id)
        .where(application.c.order_id != payment.c.order_id),
    ),
    query("application-in-its-currency", _CURRENCIES, application.name, _of_another_currency(application)),
    query(
        "movement-in-its-currency",
        _CURRENCIES,
        movement.name,
        _of_another_currency(movement).where(~_told("misfit")),
    ),
    query(
        "one-attempt-one-charge",
        "one attempt, at most one charge",
        payment.name,
        _payments("authorized more than once", _authorizations > 1, ~_told("misfit")),
    ),
    query(
        "one-charge-one-attempt",
        "one charge, one attempt",
        payment.name,
        sa.select(payment.c.id, _other.c.id)
        .join_from(
            payment,
            _other,
            sa.and_(
                payment.c.method == _other.c.method,
                payment.c.account == _other.c.account,
                payment.c.mode == _other.c.mode,
                payment.c.provider_ref == _other.c.provider_ref,
                payment.c.id < _other.c.id,
            ),
        )
        .where(payment.c.provider_ref.is_not(None)),
    ),
    query(
        "charged-as-confirmed",
        _AS_CONFIRMED,
        payment.name,
        _payments(
            "authorized is not what was agreed",
            _authorized > 0,
            _authorized != payment.c.amount_minor,
            ~_told("misfit"),
        ),
    ),
    query(
        "asked-as-agreed",
        _AS_CONFIRMED,
        operation.name,
        sa.select(operation.c.id, sa.literal("asks for another amount than the payment is to bring"))
        .join_from(operation, payment, payment.c.id == operation.c.payment_id)
        .where(operation.c.kind == "begin", operation.c.amount_minor != payment.c.amount_minor),
    ),
    query(
        "movement-is-its-payments",
        _ENTRIES,
        movement.name,
        sa.select(movement.c.id, sa.literal("unknown kind, or not of its payment's account or mode"))
        .join_from(movement, payment, payment.c.id == movement.c.payment_id)
        .where(
            sa.or_(
                movement.c.kind.not_in(sorted(KINDS)),
                movement.c.gateway != payment.c.method,
                movement.c.account != payment.c.account,
                movement.c.mode != payment.c.mode,
            )
        ),
    ),
    query(
        "movement-is-one-entry",
        _ENTRIES,
        movement.name,
        _twice(movement, movement.c.gateway, movement.c.account, movement.c.mode, movement.c.movement_ref),
    ),
    query(
        "steps-are-declared",
        _HISTORY,
        operation_step.name,
        sa.select(operation_step.c.operation_id, _step).where(_step.not_in(_declared)),
    ),
    query(
        "steps-follow-each-other",
        _HISTORY,
        operation_step.name,
        sa.select(operation_step.c.operation_id, operation_step.c.before)
        .outerjoin_from(
            operation_step,
            _earlier,
            sa.and_(
                _earlier.c.operation_id == operation_step.c.operation_id, _earlier.c.seq == operation_step.c.seq - 1
            ),
        )
        .where(sa.func.coalesce(_earlier.c.after, "planned") != operation_step.c.before),
    ),
    query(
        "steps-lead-to-the-state",
        _HISTORY,
        operation.name,
        sa.select(operation.c.id, operation.c.state).where(
            sa.func.coalesce(_last_state, "planned") != operation.c.state
        ),
    ),
    query(
        "ended-is-ended",
        _HISTORY,
        operation.name,
        _operations(
            "ended, and still looked at; or not ended, and dated as ended",
            operation.c.state.in_(_ended) == sa.or_(operation.c.ended_at.is_(None), operation.c.check_at.is_not(None)),
            sa.or_(operation.c.state.in_(_ended), operation.c.ended_at.is_not(None)),
        ),
    ),
    query(
        "nothing-without-an-owner",
        _HISTORY,
        operation.name,
        _operations(
            "open, and recovery will never look at it",
            operation.c.state.not_in([*_ended, "needs_human"]),
            operation.c.check_at.is_(None),
            sa.not_(sa.and_(operation.c.kind == "begin", operation.c.state == "planned")),
        ),
    ),
    query(
        "success-is-its-movements",
        f"{_ENTRIES}; {_AS_CONFIRMED}",
        operation.name,
        sa.select(operation.c.id, sa.literal("its movements come to ") + sa.cast(_came_to, sa.String))
        .join_from(operation, payment, payment.c.id == operation.c.payment_id)
        .outerjoin(
            _by_reference,
            sa.and_(_own.payment_id == operation.c.payment_id, _own.reference == operation.c.reference),
        )
        .where(operation.c.state == "succeeded", ~_is_its_amount, ~_told(*_TOLD_OF_AMOUNTS)),
    ),
    query(
        "one-operation-of-a-key",
        "one key, one outcome",
        operation.name,
        _twice(operation, operation.c.payment_id, operation.c.key).where(operation.c.key.is_not(None)),
    ),
    query(
        "applied-notice-has-its-payment",
        _NOTICES,
        notice.name,
        sa.select(notice.c.id, notice.c.begin_reference)
        .outerjoin_from(notice, payment, payment.c.begin_reference == notice.c.begin_reference)
        .where(notice.c.state == "applied", sa.or_(payment.c.id.is_(None), notice.c.ended_at.is_(None))),
    ),
    query(
        "what-left-is-paid",
        "goods that have left are paid, or a person was told",
        payment.name,
        _payments(
            "earned more than is taken or reserved, and nobody is at it",
            payment.c.earned_minor > _any_captured,
            payment.c.earned_minor > _authorized - _voided,
            ~_is_under_way,
            ~_told("uncaptured", "not_sent", "misfit", "underpaid", "over_captured"),
        ),
    ),
    query("one-notice-of-an-event", _NOTICES, notice.name, _twice(notice, notice.c.gateway, notice.c.event_key)),
)
"""Every invariant that the tables of payment can violate."""
