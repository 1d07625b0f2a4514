"""Take the money for an order: one attempt, one charge, whoever asks how often."""

import time
from collections.abc import Mapping
from typing import Final

from eckit.customer import service as customer
from eckit.flows.ask_gateway import ask_query, ask_resume
from eckit.flows.plan_shipments import plan_shipments
from eckit.flows.send_operation import send_operation, send_planned
from eckit.flows.settle_payment import provider, settle_payment
from eckit.kernel import faults
from eckit.kernel.actors import Actor, owns
from eckit.kernel.cards import contains_card
from eckit.kernel.errors import NotFoundError, invalid
from eckit.kernel.ids import MethodCode, OrderId, PaymentId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.text import clean
from eckit.kernel.work import Begin, Work
from eckit.order import service as order
from eckit.order.model import Order
from eckit.payment import rules, service as payment
from eckit.payment.model import Browser, Buyer, Instrument, OpState, Payment, PaymentResult

faults.declare("take_payment.after_tx1")

TAKE: Final = "payment.take"
_MOST_PARAMETERS: Final = 50
_LONGEST_WAIT_S: Final = 30.0
_UNDER_WAY: Final = frozenset({OpState.WAITING_BUYER, OpState.WAITING_PROVIDER, OpState.IN_DOUBT})


def take_payment(
    begin: Begin,
    actor: Actor,
    order_id: OrderId,
    *,
    instrument: Instrument | None = None,
    method: MethodCode | None = None,
    return_url: str | None = None,
    browser: Browser | None = None,
) -> PaymentResult:
    """Take what is due now for an order, or say how that stands: asked twice, it is done once.

    The attempt planned with the order is used; after a definite failure a new one is begun, and never while one is open
    or in doubt. The amount is what was agreed. Needs the order to be the actor's own, or ``payment.take``.

    :param instrument: a one-time token of the provider's page, or an instrument kept there; handed through, not stored.
    :param method: a way to pay; without it, the one chosen with the order or used last.
    :param return_url: where the provider sends the buyer's browser back to.
    :return: status, what the buyer must do next, or why it was declined. A charge whose outcome is unknown is no error:
        its status says so, and recovery finds out.
    :raises NotPayableError: the order was canceled.
    :raises AttemptOpenError: an attempt with another method is open; close it first (``void_payment``).
    :raises ObjectedError: a plugin objects.
    :raises WorkOpenError: a transaction is open here.
    """
    expect_id("order", order_id)
    begin.require_no_transaction("take_payment")
    if return_url is not None:
        clean(return_url, path="return_url", max_length=2_000)
    placed, attempt = _attempt(begin, actor, order_id, method)
    faults.hit("take_payment.after_tx1")
    if attempt is None:
        _confirm_free(begin, order_id)
        return rules.result(None, begin.clock.now())
    planned = rules.unsent(attempt)
    if planned is None:
        return _as_it_stands(begin, actor, attempt.id)
    payment.require_no_objection(begin.plugins, attempt, planned)
    extras = rules.Extras(
        instrument=instrument,
        buyer=_buyer(begin, placed, attempt),
        return_url=return_url,
        browser=browser,
        locale=placed.locale,
        deadline=placed.pay_by,
    )
    settled = send_operation(begin, attempt.id, planned.id, actor, extras)
    if settled is None:
        return _as_it_stands(begin, actor, attempt.id)
    send_planned(begin, order_id=order_id)
    return _result(begin, actor, attempt.id)


@again_if_moved
def _attempt(begin: Begin, actor: Actor, order_id: OrderId, method: MethodCode | None) -> tuple[Order, Payment | None]:
    """The order and the attempt to pay it with; None where nothing is to be paid."""
    with begin.write(actor) as work:
        placed = _own(work, actor, order_id)
        return placed, payment.attempt(work, placed, method)


@again_if_moved
def _confirm_free(begin: Begin, order_id: OrderId) -> None:
    """An order that costs nothing counts right away."""
    with begin.write(Actor.system("take_payment")) as work:
        plan_shipments(work, order.confirm(work, order_id))


def _own(work: Work, actor: Actor, order_id: OrderId) -> Order:
    """The order, locked, if it is the actor's own or the actor may take payments."""
    placed = order.lock(work, order_id)
    if not owns(actor, customer=placed.customer_id, token=placed.token):
        actor.require(TAKE, channel=placed.channel_id)
    return placed


def _buyer(begin: Begin, placed: Order, attempt: Payment) -> Buyer:
    """Who pays, as far as the gateway says that it needs it."""
    needs = payment.gateway_of(begin.plugins, attempt)[1].buyer_needs
    if not needs or placed.buyer is None:
        return Buyer()
    with begin.read(Actor.system("take_payment")) as work:
        party = customer.party(work, placed.buyer)
    known = {
        "name": party.name,
        "kana": party.kana,
        "email": party.email or "",
        "phone": next(iter(party.phones), ""),
        "country": party.address.country if party.address else "",
    }
    return Buyer(**{name: value for name, value in known.items() if name in needs})


# -- how it stands ----------------------------------------------------------------------------------------------------


def _as_it_stands(begin: Begin, actor: Actor, payment_id: PaymentId) -> PaymentResult:
    """How an attempt stands that somebody else sends or has sent; waits a while for an answer that is on its way."""
    found = _result(begin, actor, payment_id)
    current = found.payment
    if current is None:
        return found
    limit_s = min(_LONGEST_WAIT_S, payment.timeout_of(begin.plugins, current))
    until, pause = time.monotonic() + limit_s, 0.02
    while current is not None and _answer_is_coming(begin, current) and time.monotonic() < until:
        time.sleep(pause)
        pause = min(0.5, pause * 1.5)
        found = _result(begin, actor, payment_id)
        current = found.payment
    return found


def _answer_is_coming(begin: Begin, current: Payment) -> bool:
    operation = rules.beginning(current)
    if operation.state is not OpState.SENT or operation.check_at is None:
        return False
    return begin.clock.now() < operation.check_at


def _result(begin: Begin, actor: Actor, payment_id: PaymentId) -> PaymentResult:
    with begin.read(actor) as work:
        placed = order.get(work, payment.order_of(work, payment_id)).order
        attempts = payment.order_payments(work, placed)
        current = next(one for one in attempts if one.id == payment_id)
        return rules.result(current, work.now)


def find_payment(begin: Begin, actor: Actor, order_id: OrderId) -> PaymentResult | None:
    """How the payment of an order stands, for whoever may see the order; None before there is any.

    :raises NotFoundError: no such order for this actor.
    """
    expect_id("order", order_id)
    with begin.read(actor) as work:
        placed = order.get(work, order_id).order
        attempts = payment.order_payments(work, placed)
        current = rules.current_attempt(attempts, work.now) or rules.newest(attempts)
        return None if current is None else rules.result(current, work.now)


# -- the buyer comes back ---------------------------------------------------------------------------------------------


def resume_payment(
    begin: Begin, actor: Actor, order_id: OrderId, parameters: Mapping[str, str] | None = None
) -> PaymentResult:
    """The buyer's browser came back from the provider: find out how the attempt went.

    What the browser brings is a hint and nothing more: the gateway asks its provider, or is queried. May be called as
    often as the page is loaded.

    :param parameters: of the address the browser came back to.
    :raises NotFoundError: no such order for this actor, or nothing was begun for it.
    """
    expect_id("order", order_id)
    begin.require_no_transaction("resume_payment")
    hints = _hints(parameters or {})
    with begin.read(actor) as work:
        placed = order.get(work, order_id).order
        attempts = payment.order_payments(work, placed)
        attempt = rules.current_attempt(attempts, work.now) or rules.newest(attempts)
    if attempt is None:
        raise NotFoundError(kind="payment", id=order_id)
    operation = rules.beginning(attempt)
    if operation.state not in _UNDER_WAY:
        return _as_it_stands(begin, actor, attempt.id)
    outcome = None
    if operation.state is OpState.WAITING_BUYER:
        outcome = ask_resume(begin, attempt, operation, hints, placed.locale)
    news = ask_query(begin, attempt) if outcome is None else outcome
    settle_payment(begin, attempt.id, operation.id, news, provider(attempt.method, actor))
    send_planned(begin, order_id=order_id)
    return _result(begin, actor, attempt.id)


def _hints(parameters: Mapping[str, str]) -> dict[str, str]:
    if len(parameters) > _MOST_PARAMETERS:
        raise invalid("payment-too-many", "parameters", len(parameters), limit=_MOST_PARAMETERS)
    hints = {}
    for name, value in parameters.items():
        clean(name, path="parameters", max_length=200)
        hints[name] = clean(value, path="parameters", max_length=4_000, multiline=True)
        if contains_card(value):
            raise invalid("card-number", "parameters", "[removed]")
    return hints
