"""How payments stand, for staff with ``payment.read``; buyers see theirs through their orders."""

from typing import Final

from eckit.kernel.errors import NotFoundError, invalid
from eckit.kernel.ids import OrderId, PaymentId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work
from eckit.payment import store
from eckit.payment.model import Notice, OpState, Payment, StoredOperation, Task

READ: Final = "payment.read"
WRITE: Final = "payment.write"
MAX_PAGE: Final = 200
NOTICE_STATES: Final = ("received", "waiting", "applied", "quarantined", "unmatched")


def _limit(limit: object) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise invalid("wrong-page-size", "limit", limit, limit=f"1…{MAX_PAGE}")
    return limit


def find(work: Work, payment_id: PaymentId) -> Payment:
    """A payment with its operations and movements. Needs ``payment.read``.

    :raises NotFoundError: there is none.
    """
    work.actor.require_everywhere(READ)
    found = store.load(work, PaymentId(expect_id("payment", payment_id)))
    if found is None:
        raise NotFoundError(kind="payment", id=payment_id)
    return found


def for_order(work: Work, order_id: OrderId) -> tuple[Payment, ...]:
    """All attempts to pay an order, the oldest first. Needs ``payment.read``."""
    work.actor.require_everywhere(READ)
    return store.for_order(work, OrderId(expect_id("order", order_id)))


def order_of(work: Work, payment_id: PaymentId) -> OrderId:
    """The order a payment is for. For flows, which then ask whether the order is the actor's to see.

    :raises NotFoundError: there is no such payment.
    """
    found = store.order_of(work, PaymentId(expect_id("payment", payment_id)))
    if found is None:
        raise NotFoundError(kind="payment", id=payment_id)
    return found


def in_doubt(work: Work, *, after: str = "", limit: int = 50) -> tuple[StoredOperation, ...]:
    """Operations whose outcome is unknown, by id; ``in_doubt_at`` says since when. Needs ``payment.read``.

    :param after: the last id of the page before.
    """
    work.actor.require_everywhere(READ)
    if after:
        expect_id("operation", after, path="after")
    return store.operations_in(work, (OpState.IN_DOUBT, OpState.NEEDS_HUMAN), after=after, limit=_limit(limit))


def tasks(work: Work, *, limit: int = 50) -> tuple[Task, ...]:
    """What only a person can do, the oldest first. Needs ``payment.read``."""
    work.actor.require_everywhere(READ)
    return store.open_tasks(work, limit=_limit(limit))


def close_task(work: Work, payment_id: PaymentId, kind: str, about: str = "", *, reason: str) -> None:
    """A person has done it. Needs ``payment.write``.

    :param reason: what was done, for the audit row.
    :raises NotFoundError: no such task is open.
    """
    work.actor.require_everywhere(WRITE)
    clean(reason, path="reason", max_length=200)
    kind = clean(kind, path="kind", max_length=80)
    about = clean(about, path="about", max_length=200)
    if not store.close_task(work, PaymentId(expect_id("payment", payment_id)), kind, about):
        raise NotFoundError(kind="task", id=f"{payment_id}/{kind}")
    work.did("payment.close_task", Ref("payment", payment_id), reason=reason)


def notices(work: Work, *, state: str = "unmatched", limit: int = 50) -> tuple[Notice, ...]:
    """Stored notices in a state, the newest first. Needs ``payment.read``.

    :param state: received, waiting, applied, quarantined or unmatched.
    """
    work.actor.require_everywhere(READ)
    if state not in NOTICE_STATES:
        raise invalid("payment-notice-state", "state", state, limit=", ".join(NOTICE_STATES))
    return store.notice_rows(work, (state,), limit=_limit(limit))
