"""Give taken money back."""

from typing import Final

from moneyed import Money

from eckit.flows.move_money import locked, look
from eckit.flows.send_operation import send_planned
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.ids import PaymentId, expect_id
from eckit.kernel.retry import again_if_moved
from eckit.kernel.text import clean
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payment
from eckit.payment.model import OperationKind, PaymentResult, StoredOperation

faults.declare("refund.after_plan")

REFUND: Final = "order.refund"


def refund_payment(
    begin: Begin, actor: Actor, payment_id: PaymentId, amount: Money, *, key: str, reason: str
) -> PaymentResult:
    """Refund a part or all of what was captured. Needs ``order.refund``, up to the actor's limit for it.

    Done, pending and unknown refunds together never exceed what was captured.

    :param amount: in the payment's currency, above zero.
    :param key: names this refund: the same key, the same refund, however often it is asked for.
    :param reason: for the audit row, up to 200 characters.
    :raises TooMuchError: more than is left; says how much that is.
    :raises KeyReusedError: the key was used for another amount.
    :raises OperationOpenError: something is under way. :raises PaymentInDoubtError: an outcome is unknown.
    :raises UnsupportedOperationError: this way to pay cannot be refunded, or not in part.
    """
    expect_id("payment", payment_id)
    clean(key, path="key", max_length=150)
    clean(reason, path="reason", max_length=200)
    begin.require_no_transaction("refund_payment")
    placed, current = look(begin, actor, payment_id)
    minor = rules.amount_for(current, OperationKind.REFUND, amount, begin.clock.now())
    actor.require(REFUND, amount_minor=minor, channel=placed.channel_id)
    wish = rules.sketch(current, OperationKind.REFUND, minor, begin.clock.now())
    payment.require_no_objection(begin.plugins, current, wish)
    _plan(begin, actor, payment_id, amount, key, reason)
    faults.hit("refund.after_plan")
    send_planned(begin, order_id=placed.id)
    return rules.result(look(begin, actor, payment_id)[1], begin.clock.now())


@again_if_moved
def _plan(begin: Begin, actor: Actor, payment_id: PaymentId, amount: Money, key: str, reason: str) -> StoredOperation:
    with begin.write(actor) as work:
        placed, current = locked(work, payment_id)
        minor = rules.amount_for(current, OperationKind.REFUND, amount, work.now)
        work.did("payment.refund", placed.ref, reason=reason)
        return payment.plan(work, current, OperationKind.REFUND, minor, f"refund:{key}")
