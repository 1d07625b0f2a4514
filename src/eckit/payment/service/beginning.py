"""Attempts to pay begin: the first with the order, later ones when the earlier have definitely come to nothing."""

from eckit.kernel.ids import MethodCode, OperationId, PaymentId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work
from eckit.order.model import Order, OrderState
from eckit.payment import rules, store
from eckit.payment.errors import AttemptOpenError, NotPayableError, UnknownMethodError
from eckit.payment.model import Payment
from eckit.payment.service.gateways import capabilities
from eckit.payment.service.saving import declared, save
from eckit.pricing.model import Quote


def intend(work: Work, order: Order, quote: Quote) -> Payment | None:
    """Plan the first attempt to pay what is due at once, inside the transaction that places the order: two statements.

    :return: None where nothing is due now.
    :raises UnknownMethodError: the method is not there.
    :raises AmountNotAcceptedError: the method does not take the amount.
    """
    amount_minor = rules.asked_now(quote.dues)
    if not amount_minor:
        return None
    if quote.method is None:
        raise UnknownMethodError(method="")
    return _begin(work, order, quote.method, amount_minor, attempt=1)


def _begin(work: Work, order: Order, method: MethodCode, amount_minor: int, *, attempt: int) -> Payment:
    begun = rules.begun(
        capabilities(work.plugins, method),
        shop=work.shop_id,
        payment_id=PaymentId(mint("payment")),
        operation_id=OperationId(mint("operation")),
        order_id=order.id,
        cart_id=order.cart_id,
        method=method,
        amount_minor=amount_minor,
        currency=order.currency,
        now=work.now,
    )
    store.add_payment(work, begun, attempt=attempt)
    work.did("payment.intend", Ref("payment", begun.id), order.ref)
    return begun


def order_payments(work: Work, order: Order, *, lock: bool = False) -> tuple[Payment, ...]:
    """All attempts to pay an order, the oldest first. The caller has shown that the order is the actor's to see."""
    return store.for_order(work, order.id, lock=lock)


def attempt(work: Work, order: Order, method: MethodCode | None) -> Payment | None:
    """The attempt that is to be paid with: the one that stands, else a new one. The order is locked.

    Another attempt is begun only when the earlier ones have definitely failed, expired or been called off, or when
    their money is given back anyhow; one that was never sent is called off for it. What is asked stays what was agreed,
    or what is left of it after cancellations and what was paid for goods that left: a fee of the first method is not
    computed anew.

    :return: None where nothing is to be paid.
    :raises NotPayableError: the order is canceled.
    :raises AttemptOpenError: an attempt with another method is open.
    """
    payments = store.for_order(work, order.id, lock=True)
    is_live = order.state is not OrderState.CANCELED
    standing = rules.current_attempt([one for one in payments if not (is_live and rules.is_given_back(one))], work.now)
    wanted = method or (payments[-1].method if payments else None)
    agreed = min([order.current_total_minor, *(one.amount_minor for one in payments[:1])])
    asked = max(0, agreed - sum(rules.paid_for(one) for one in payments if rules.is_over(one, work.now)))
    if standing is not None:
        planned = rules.unsent(standing)
        same = (standing.method, standing.amount_minor) == (wanted, asked)
        if planned is None or (same and is_live):
            if not rules.secured(standing, work.now):
                require_same_method(standing, method, work)
            return standing
        save(work, rules.learn_abandoned(standing, planned.id, "another attempt", declared(work, standing), work.now))
    if not is_live:
        raise NotPayableError(state=order.state.value)
    if not asked:
        return None
    if wanted is None:
        raise UnknownMethodError(method="")
    return _begin(work, order, wanted, asked, attempt=len(payments) + 1)


def require_same_method(standing: Payment, method: MethodCode | None, work: Work) -> None:
    """Insist that an attempt that stands is with the wished method.

    :raises AttemptOpenError: it is with another.
    """
    if method is not None and method != standing.method:
        raise AttemptOpenError(method=standing.method, state=rules.status_of(standing, work.now).state.value)
