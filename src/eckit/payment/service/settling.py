"""News is applied to a payment, and what follows for its order is decided: the one way money becomes known."""

import datetime as dt
from collections.abc import Sequence

import attrs

from eckit.kernel.ids import OperationId, OrderId, PaymentId
from eckit.kernel.work import Work
from eckit.order.model import Order, OrderState
from eckit.payment import hooks, rules, store
from eckit.payment.model import (
    GIVE_BACK,
    REVIVE,
    Application,
    Authorized,
    Captured,
    LateMoney,
    NoSuchPayment,
    OpState,
    Outcome,
    Payment,
    PaymentApplied,
    PaymentNeedsHuman,
    QueryFailed,
    Refunded,
    Snapshot,
    StoredOperation,
    Voided,
)
from eckit.payment.service.saving import UNDECIDED, declared, facts_of, open_task, save, settle_up, share_out, step_back

News = Outcome | Snapshot | NoSuchPayment | QueryFailed
"""What may be learned about a payment: an answer, the provider's view, its absence there, or that nobody answered."""


@attrs.frozen(kw_only=True)
class Evidence:
    """News that a person brings: whether an operation that recovery gave up on happened, and how that is known."""

    happened: bool
    cause: str


@attrs.frozen(kw_only=True)
class Closing:
    """News of an attempt that was to be closed: the provider's answer, and whether what it did could be looked at."""

    outcome: Outcome
    is_seen: bool = True


@attrs.frozen(kw_only=True)
class Silence:
    """News of an operation that was sent long ago: nobody wrote down what became of it."""


AnyNews = News | Evidence | Closing | Silence


def learn(
    work: Work,
    payment: Payment,
    news: AnyNews,
    *,
    operation_id: OperationId | None = None,
    wanted: bool = True,
) -> rules.Change:
    """Apply news to a locked payment, write it, and announce what happened.

    :param operation_id: what the news is about; None for a notice.
    :param wanted: whether the order still wants the money.
    """
    change = _learned(work, payment, news, operation_id, wanted=wanted)
    save(work, change)
    return change


def _learned(
    work: Work, payment: Payment, news: AnyNews, operation_id: OperationId | None, *, wanted: bool
) -> rules.Change:
    capabilities, now = declared(work, payment), work.now
    if isinstance(news, Snapshot):
        return _learned_snapshot(work, payment, news, operation_id, wanted=wanted)
    if operation_id is None:
        operation_id = rules.beginning(payment).id
    if isinstance(news, NoSuchPayment):
        return rules.learn_absence(payment, operation_id, capabilities, now, wanted=wanted)
    if isinstance(news, QueryFailed):
        return rules.learn_failed_query(payment, operation_id, news, capabilities, now)
    if isinstance(news, Silence):
        return rules.learn_silence(payment, operation_id, capabilities, now)
    if isinstance(news, Evidence):
        happened, cause = news.happened, news.cause
        return rules.learn_evidence(payment, operation_id, capabilities, now, happened=happened, cause=cause)
    if isinstance(news, Closing):
        return rules.learn_closing(payment, operation_id, news.outcome, capabilities, now, is_seen=news.is_seen)
    taken = store.taken_references(work, payment, _references(news))
    return rules.learn_outcome(payment, operation_id, news, capabilities, now, taken)


def _learned_snapshot(
    work: Work, payment: Payment, snapshot: Snapshot, operation_id: OperationId | None, *, wanted: bool
) -> rules.Change:
    capabilities = declared(work, payment)
    why = rules.misfit(payment, snapshot, signed=False)
    if why is not None:
        about = rules.beginning(payment).id if operation_id is None else operation_id
        open_task(
            work, payment, "misfit", payment.amount_minor, f"the provider's view does not fit: {why}", about=about
        )
        failed = QueryFailed(cause=f"misfit: {why}")
        return rules.learn_failed_query(payment, about, failed, capabilities, work.now)
    return rules.learn_snapshot(
        payment,
        snapshot,
        capabilities,
        work.now,
        asked_for=operation_id,
        wanted=wanted,
        taken=store.taken_references(work, payment, rules.references(snapshot.movements)),
    )


def _references(outcome: Outcome) -> tuple[str, ...]:
    return (outcome.movement_ref,) if isinstance(outcome, Authorized | Captured | Voided | Refunded) else ()


# -- what follows -----------------------------------------------------------------------------------------------------


def follow(work: Work, order: Order, change: rules.Change, others: Sequence[Payment]) -> rules.Follow:
    """Decide and write what a change means for a locked order: money is applied to it, or given back.

    What concerns the order itself (confirming, blocking, canceling) is in the answer, for the flow to do.
    """
    payment = change.payment
    follows = rules.follow(order, change, others, work.now)
    _apply_money(work, payment, unwanted=follows.unwanted)
    if follows.late:
        work.announce(LateMoney(**facts_of(payment, follows.came)))
        _ask_about_late_money(work, order, payment, follows.came)
    if follows.overpaid:
        open_task(work, payment, "overpaid", follows.overpaid, "more came than was asked for")
    if follows.uncaptured:
        why = "the provider refused a capture"
        open_task(work, payment, "uncaptured", follows.uncaptured.amount_minor, why, about=follows.uncaptured.id)
    if follows.unwanted:
        _give_back(work, payment)
    else:
        settle_up(work, _with_its_share(work, payment, others) if follows.came else payment)
    return follows


def _with_its_share(work: Work, payment: Payment, others: Sequence[Payment]) -> Payment:
    """A payment whose money has come bears what its order has earned, if goods left when none was there to bear it."""
    everybody = sorted((*others, payment), key=lambda one: (one.created_at, one.id))
    earned_minor = sum(one.earned_minor for one in everybody)
    return next(one for one in share_out(work, everybody, earned_minor) if one.id == payment.id)


def _apply_money(work: Work, payment: Payment, *, unwanted: bool) -> None:
    if not payment.movements:
        return
    amount_minor = rules.application(payment, store.applied(work, payment.id), unwanted=unwanted)
    if not amount_minor:
        return
    store.add_application(
        work,
        Application(
            payment_id=payment.id,
            order_id=payment.order_id,
            amount_minor=amount_minor,
            currency=payment.currency,
            at=work.now,
            by=str(work.actor),
        ),
    )
    work.announce(PaymentApplied(**facts_of(payment, amount_minor)))


def _ask_about_late_money(work: Work, order: Order, payment: Payment, came: int) -> None:
    """Surplus of a live order always goes back; money for a canceled one as a plugin chooses."""
    if order.state is not OrderState.CANCELED:
        return
    choice = hooks.ask_late_money(work.plugins, order, payment)
    if choice == REVIVE:
        open_task(work, payment, "revive", came, "the money is kept: place the order anew, or give it back")
    elif choice != GIVE_BACK:
        open_task(work, payment, "late_money", came, "no usable choice was made: keep it or give it back")


def _give_back(work: Work, payment: Payment) -> StoredOperation | None:
    if not rules.held(payment) or store.has_open_task(work, payment.id, UNDECIDED):
        return None
    store.set_keep(work, payment.id, 0)
    return step_back(work, payment)


# -- recovery ---------------------------------------------------------------------------------------------------------


def due(work: Work) -> store.Due:
    """What recovery has to do now."""
    return store.due(work)


def lease_operations(
    work: Work, *, for_: dt.timedelta, limit: int, order_id: OrderId | None = None, planned_only: bool = False
) -> tuple[tuple[PaymentId, OperationId], ...]:
    """Take operations that are due, each for one worker only."""
    taken = store.lease_operations(
        work, until=work.now + for_, limit=limit, order_id=order_id, planned_only=planned_only
    )
    if taken:
        work.did("payment.lease", reason=f"{len(taken)} operations")
    return taken


def lease_reservations(work: Work, *, limit: int) -> tuple[OrderId, ...]:
    """Take payments with reserved money; their orders, to see whether they still live."""
    taken = store.lease_reservations(work, limit=limit)
    if taken:
        work.did("payment.lease", reason=f"{len(taken)} reservations")
    return taken


def drop_unsendable(work: Work, payment_id: PaymentId, operation_id: OperationId) -> None:
    """Drop a planned operation that could not be sent for too long, and ask a person. Its order is locked."""
    payment = store.load(work, payment_id, lock=True)
    operation = next(one for one in payment.operations if one.id == operation_id) if payment else None
    if payment is None or operation is None or operation.state is not OpState.PLANNED:
        return
    open_task(work, payment, "not_sent", operation.amount_minor, operation.cause or "not sent", about=operation_id)
    save(work, rules.learn_abandoned(payment, operation_id, rules.UNSENDABLE, declared(work, payment), work.now))
    work.announce(PaymentNeedsHuman(**facts_of(payment, operation.amount_minor)))


def sweep(work: Work, order: Order, payments: Sequence[Payment]) -> tuple[StoredOperation, ...]:
    """See to the money that the payments of a locked order still hold: of a canceled one it is given back, of a live
    one what was earned is captured and what is not kept is given back; where that cannot be done a task says so.
    """
    is_over = order.state is OrderState.CANCELED
    planned = [
        _give_back(work, payment) if is_over or rules.is_given_back(payment) else settle_up(work, payment)
        for payment in payments
    ]
    return tuple(operation for operation in planned if operation is not None)
