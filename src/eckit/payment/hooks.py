"""What payment asks plugins. Money itself is never moved by a hook: hooks register gateways, object, and observe."""

from typing import Any, Final

import attrs

from eckit.kernel.errors import ObjectedError, Objection, PluginError, RefusedError
from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.ids import MethodCode
from eckit.kernel.plugins import Plugins
from eckit.order.model import Order
from eckit.payment.model import (
    GIVE_BACK,
    REVIVE,
    Gateway,
    LateMoney,
    Payment,
    PaymentApplied,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDeclined,
    PaymentEvent,
    PaymentInDoubt,
    PaymentNeedsHuman,
    PaymentRefunded,
    PaymentVoided,
    StoredOperation,
)
from eckit.pricing.model import FeeRule
from eckit.promotion.model import Draft

GATEWAYS: Final = "payment.gateways"


@hookspec()
def register_payment_gateways(settings: Any) -> tuple[Gateway, ...]:  # type: ignore[empty-body]
    """Supply ways to pay, once at start.

    :param settings: the plugin's own settings.
    :return: gateways, each with an id of its own such as ``"sandbox.card"``. Two plugins with one id stop the start.

    Example::

        @hookimpl
        def register_payment_gateways(settings):
            return (CardGateway(settings.base_url, settings.secret),)
    """


@hookspec(failure=CLOSED, may_refuse=False)
def check_payment_method(draft: Draft, method: MethodCode) -> tuple[Objection, ...]:  # type: ignore[empty-body]
    """Object to offering a way to pay for this draft, once per method and pricing.

    Whatever it raises leaves the method out as an objection does, and the draft is priced: with what it says, if that
    is a refusal.

    :param draft: the quote so far; there is no order yet.
    :return: objections, which leave the method out and are shown with it; ``()`` for none.

    Example::

        @hookimpl
        def check_payment_method(draft, method):
            too_much = method == "offline.cod" and draft.goods_minor > 300_000
            return (Objection(code="cod-limit", label="Up to ¥300,000"),) if too_much else ()
    """


@hookspec(failure=CLOSED, may_refuse=False)
def propose_payment_fees(draft: Draft, method: MethodCode) -> tuple[FeeRule, ...]:  # type: ignore[empty-body]
    """Propose what paying this way costs the buyer: the only place that charges for cash on delivery and the like.

    A plugin that fails or refuses leaves the method out, and the draft is priced.

    :return: fee tables; which tier counts depends on what is left to pay and is solved by the core. ``()`` for none.

    Example::

        @hookimpl
        def propose_payment_fees(draft, method):
            if method != "offline.cod":
                return ()
            tiers = (FeeTier(up_to_minor=10_000, fee_minor=330), FeeTier(up_to_minor=None, fee_minor=440))
            return (FeeRule(code="cod", label=Text.of("Cash on delivery", ja="代引手数料"), tiers=tiers),)
    """


@hookspec(failure=CLOSED)
def check_payment_operation(  # type: ignore[empty-body]
    payment: Payment, operation: StoredOperation
) -> tuple[Objection, ...]:
    """Object to moving money, before an operation that somebody asks for is planned or sent; no transaction is open.

    Not asked where money is given back that the order does not want: that is owed.

    :param operation: as it would be; of a new one, ``id`` and ``reference`` are still empty.
    :return: objections; any of them stops it.

    Example::

        @hookimpl
        def check_payment_operation(payment, operation):
            big = operation.kind.value == "refund" and operation.amount_minor > 1_000_000
            return (Objection(code="ask-the-owner", label="Ask the owner first."),) if big else ()
    """


@hookspec(firstresult=True, failure=CLOSED, may_refuse=False)
def choose_late_money(order: Order, payment: Payment) -> str | None:
    """Choose what becomes of money that came for a canceled order. Asked inside a transaction: be quick.

    The money is booked in any case: a plugin that fails or refuses leaves the choice to a person.

    :return: ``"give_back"``; ``"revive"`` to keep it and open a task for a person, who places the order anew; None to
        leave the choice to the next. Nobody chooses: it is given back.

    Example::

        @hookimpl
        def choose_late_money(order, payment):
            return "revive" if order.reason == "unpaid" else None
    """


@hookspec()
def payment_authorized(event: PaymentAuthorized, shop: Any) -> None:
    """Money is reserved. After the commit; at least once."""


@hookspec()
def payment_captured(event: PaymentCaptured, shop: Any) -> None:
    """Money is taken. After the commit; at least once."""


@hookspec()
def payment_voided(event: PaymentVoided, shop: Any) -> None:
    """Reserved money is released. After the commit; at least once."""


@hookspec()
def payment_refunded(event: PaymentRefunded, shop: Any) -> None:
    """Money is given back. After the commit; at least once."""


@hookspec()
def payment_declined(event: PaymentDeclined, shop: Any) -> None:
    """The provider said no. After the commit; at least once."""


@hookspec()
def payment_in_doubt(event: PaymentInDoubt, shop: Any) -> None:
    """It may have happened; recovery is asking. After the commit; at least once."""


@hookspec()
def payment_needs_human(event: PaymentNeedsHuman, shop: Any) -> None:
    """Recovery gave up; a person must find evidence. After the commit; at least once."""


@hookspec()
def payment_applied(event: PaymentApplied, shop: Any) -> None:
    """Money was applied to its order, or taken off it again (negative). After the commit; at least once."""


@hookspec()
def payment_late(event: LateMoney, shop: Any) -> None:
    """Money came for an order that does not wait for it. After the commit; at least once."""


@hookspec()
def payment_changed(event: PaymentEvent, shop: Any) -> None:
    """Any of the events of payment. After the commit; at least once."""


# -- typed callers ----------------------------------------------------------------------------------------------------


def ask_method(plugins: Plugins, draft: Draft, method: MethodCode) -> tuple[Objection, ...]:
    """All objections to a method; a plugin that fails or refuses counts as one that objects."""
    try:
        answers = plugins.call.check_payment_method(draft=draft, method=method)
    except PluginError as error:
        return _objections_of(error)
    return tuple(
        attrs.evolve(objection, plugin=answer.plugin) for answer in answers.given for objection in answer.value
    )


def _objections_of(error: PluginError) -> tuple[Objection, ...]:
    """What a plugin says against a method by failing; one that refuses says why."""
    match error.__cause__:
        case ObjectedError(objections=objections) if objections:
            return tuple(attrs.evolve(objection, plugin=error.plugin) for objection in objections)
        case RefusedError() as refused:
            return (Objection(code=refused.code, label=refused.text("en"), plugin=error.plugin),)
    return (Objection(code="payment-plugin-failed", plugin=error.plugin),)


def ask_fees(plugins: Plugins, draft: Draft, method: MethodCode) -> tuple[FeeRule, ...]:
    """The fees of a method, by code.

    :raises PluginError: a plugin failed; nothing can be priced with this method.
    """
    answers = plugins.call.propose_payment_fees(draft=draft, method=method)
    fees = [attrs.evolve(fee, plugin=answer.plugin) for answer in answers.given for fee in answer.value]
    return tuple(sorted(fees, key=lambda fee: (fee.code, fee.plugin)))


def ask_operation(plugins: Plugins, payment: Payment, operation: StoredOperation) -> tuple[Objection, ...]:
    """All objections to an operation; a plugin that fails counts as one that objects."""
    try:
        answers = plugins.call.check_payment_operation(payment=payment, operation=operation)
    except PluginError as error:
        return (Objection(code="payment-plugin-failed", plugin=error.plugin),)
    return tuple(
        attrs.evolve(objection, plugin=answer.plugin) for answer in answers.given for objection in answer.value
    )


def ask_late_money(plugins: Plugins, order: Order, payment: Payment) -> str | None:
    """The choice for late money, ``give_back`` if nobody makes one.

    :return: None if a plugin failed, refused or chose something unknown: then a person decides, for the money must be
        booked.
    """
    try:
        answers = plugins.call.choose_late_money(order=order, payment=payment)
    except PluginError:
        return None
    choice = next(iter(answers), GIVE_BACK)
    return choice if choice in {GIVE_BACK, REVIVE} else None
