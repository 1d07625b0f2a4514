"""A person found out what became of an operation that recovery had given up on."""

from typing import Final

from eckit.flows.move_money import look
from eckit.flows.send_operation import send_planned
from eckit.flows.settle_payment import settle_payment
from eckit.kernel.actors import Actor
from eckit.kernel.errors import NotFoundError
from eckit.kernel.ids import OperationId, PaymentId, expect_id
from eckit.kernel.text import clean
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payment
from eckit.payment.errors import NotWaitingForEvidenceError
from eckit.payment.model import OpState, PaymentResult

RESOLVE: Final = "payment.resolve"


def resolve_payment(
    begin: Begin,
    actor: Actor,
    payment_id: PaymentId,
    operation_id: OperationId,
    *,
    happened: bool,
    reason: str,
) -> PaymentResult:
    """Record a person's evidence; what follows is as if the provider had said so. Needs ``payment.resolve``.

    :param happened: whether the operation took place at the provider, with its whole amount.
    :param reason: how that is known, up to 100 characters.
    :raises NotFoundError: no such payment or operation for this actor.
    :raises NotWaitingForEvidenceError: recovery has not given up on it.
    """
    expect_id("payment", payment_id)
    expect_id("operation", operation_id)
    cause = clean(reason, path="reason", max_length=100)
    begin.require_no_transaction("resolve_payment")
    placed, current = look(begin, actor, payment_id)
    actor.require(RESOLVE, channel=placed.channel_id)
    operation = next((one for one in current.operations if one.id == operation_id), None)
    if operation is None:
        raise NotFoundError(kind="operation", id=operation_id)
    if operation.state is not OpState.NEEDS_HUMAN:
        raise NotWaitingForEvidenceError(state=operation.state.value)
    by = Actor(kind=actor.kind, id=actor.id, permissions=frozenset({"*"}))
    settle_payment(begin, payment_id, operation_id, payment.Evidence(happened=happened, cause=cause), by)
    send_planned(begin, order_id=placed.id)
    return rules.result(look(begin, actor, payment_id)[1], begin.clock.now())
