"""The invariants of payment's own tables, as queries."""

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, Violation, query
from eckit.kernel.cards import contains_card
from eckit.payment.rules import ENDED, KINDS, MOVES
from eckit.payment.store import application, movement, notice, operation, operation_step, payment, task

_HISTORY: Final = "histories contain only declared transitions"
_SUMS: Final = "refunds ≤ captures ≤ authorizations per payment"
_APPLIED: Final = "an order's paid sum equals the applications to it, applications ≤ captures per payment"
_ONE_CHARGE: Final = "one attempt, at most one charge; one charge, one attempt"
_NO_CARD: Final = "no card number, secret or token in any table, log, exception, mail or export"


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
_other = payment.alias("other")


def _payments(detail: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(payment.c.id, sa.literal(detail)).where(*conditions)


def _operations(detail: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(operation.c.id, sa.literal(detail)).where(*conditions)


def _own_movement(*kinds: str) -> sa.ColumnElement[bool]:
    """Whether an operation has a movement of its own, of these kinds."""
    own = sa.select(movement.c.id).where(
        movement.c.payment_id == operation.c.payment_id,
        movement.c.reference == operation.c.reference,
        movement.c.kind.in_(kinds),
    )
    return own.correlate(operation).exists()


def _cards(connection: sa.Connection) -> Iterator[Violation]:
    for table, key, *columns in (
        (notice, notice.c.id, notice.c.body, notice.c.reason),
        (operation, operation.c.id, operation.c.cause, operation.c.key),
        (movement, movement.c.id, movement.c.movement_ref, movement.c.reference),
        (task, task.c.payment_id, task.c.reason, task.c.about),
    ):
        for row in connection.execute(sa.select(key, *columns)):
            if any(contains_card(value) for value in row[1:]):
                yield Violation(invariant="no-card-number", table=table.name, row=row[0], detail="a card number")


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
        sa.select(application.c.id, sa.literal("applied to another order, or in another currency"))
        .join_from(application, payment, payment.c.id == application.c.payment_id)
        .where(sa.or_(application.c.order_id != payment.c.order_id, application.c.currency != payment.c.currency)),
    ),
    query(
        "one-attempt-one-charge",
        _ONE_CHARGE,
        payment.name,
        _payments("authorized more than once", _authorizations > 1, ~_told("misfit")),
    ),
    query(
        "one-charge-one-attempt",
        _ONE_CHARGE,
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
        "the amount charged is the amount confirmed",
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
        "the amount charged is the amount confirmed",
        operation.name,
        sa.select(operation.c.id, sa.literal("asks for another amount than the payment is to bring"))
        .join_from(operation, payment, payment.c.id == operation.c.payment_id)
        .where(operation.c.kind == "begin", operation.c.amount_minor != payment.c.amount_minor),
    ),
    query(
        "movement-is-its-payments",
        "provider movements are single entries that never change",
        movement.name,
        sa.select(movement.c.id, sa.literal("unknown kind, or not of its payment's account, mode or currency"))
        .join_from(movement, payment, payment.c.id == movement.c.payment_id)
        .where(
            sa.or_(
                movement.c.kind.not_in(sorted(KINDS)),
                movement.c.gateway != payment.c.method,
                movement.c.account != payment.c.account,
                movement.c.mode != payment.c.mode,
                sa.and_(movement.c.currency != payment.c.currency, ~_told("misfit")),
            )
        ),
    ),
    query(
        "movement-is-one-entry",
        "provider movements are single entries that never change",
        movement.name,
        sa.select(sa.func.min(movement.c.id), sa.literal("the same movement twice"))
        .group_by(movement.c.gateway, movement.c.account, movement.c.mode, movement.c.movement_ref)
        .having(sa.func.count() > 1),
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
        "each committed event is delivered at least once",
        operation.name,
        _operations(
            "open, and recovery will never look at it",
            operation.c.state.not_in([*_ended, "needs_human"]),
            operation.c.check_at.is_(None),
            sa.not_(sa.and_(operation.c.kind == "begin", operation.c.state == "planned")),
        ),
    ),
    query(
        "success-has-its-movement",
        "one attempt, at most one charge; one charge, one attempt",
        operation.name,
        _operations(
            "succeeded without a movement of its own",
            operation.c.state == "succeeded",
            sa.or_(
                sa.and_(operation.c.kind == "capture", ~_own_movement("capture")),
                sa.and_(operation.c.kind == "void", ~_own_movement("void")),
                sa.and_(operation.c.kind == "refund", ~_own_movement("refund", "refund_failed")),
                sa.and_(operation.c.kind == "begin", ~_own_movement("authorize", "capture")),
            ),
        ),
    ),
    query(
        "applied-notice-has-its-payment",
        "each acknowledged notice is stored and applied at most once",
        notice.name,
        sa.select(notice.c.id, notice.c.begin_reference)
        .outerjoin_from(notice, payment, payment.c.begin_reference == notice.c.begin_reference)
        .where(notice.c.state == "applied", sa.or_(payment.c.id.is_(None), notice.c.ended_at.is_(None))),
    ),
    Check(invariant="no-card-number", clause=_NO_CARD, table=notice.name, run=_cards),
)
"""Every invariant that the tables of payment can violate."""
