"""Payments are planned with their orders, kept, and looked at by those who may."""

import attrs
import pytest

from eckit.kernel import faults
from eckit.kernel.actors import Actor, Scope
from eckit.kernel.database import ConstraintError
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.idempotency import KeyReusedError
from eckit.kernel.ids import OperationId, PaymentId
from eckit.kernel.minting import mint
from eckit.order import service as order
from eckit.payment import (
    AmountNotAcceptedError,
    RequestChangedError,
    UnknownMethodError,
    service as payment,
    store,
)
from eckit.payment.model import OperationKind, OpState
from eckit.payment.rules import beginning
from tests.cart.support import statements_of
from tests.order.quotes import Wish, make_quote
from tests.payment.fakes import METHOD
from tests.payment.made import operation
from tests.payment.support import SYSTEM, Payments

DESK = Actor.staff("sato", "payment.read", "payment.write")


def test_a_payment_is_planned_with_its_order(payments: Payments) -> None:
    """Amount, reference and account are final before anything is sent."""
    placed = payments.place(amount=1_234)
    one = payments.one(placed)
    assert (1_234, "JPY", METHOD, "test", placed.cart_id) == (
        one.amount_minor,
        one.currency,
        one.method,
        one.mode,
        one.cart_id,
    )
    begin = beginning(one)
    assert (OpState.PLANNED, one.begin_reference, 1_234) == (begin.state, begin.reference, begin.amount_minor)
    assert [] == payments.audit()


def test_planning_costs_two_statements(payments: Payments) -> None:
    """A payment and its operation, in the transaction of the order."""
    quote = attrs.evolve(make_quote(), method=METHOD)
    with payments.begin.write(SYSTEM) as work:
        placed = order.place(work, quote, pay_by=None)
    with statements_of(payments.begin, payments.url) as statements, payments.begin.write(SYSTEM) as work:
        payment.intend(work, placed, quote)
    assert 2 == sum("eckit_payment" in text or "eckit_operation" in text for text in statements)


def test_an_order_that_costs_nothing_has_no_payment(payments: Payments) -> None:
    """Nothing is due, nothing is planned."""
    placed = payments.place(make_quote([Wish(unit_minor=0)], shipping_minor=(0,)))
    assert () == payments.all(placed)


def test_a_method_that_does_not_fit_stops_the_order(payments: Payments) -> None:
    """Unknown, or not for this amount: the whole transaction is rolled back."""
    for quote, error in (
        (make_quote([Wish(unit_minor=10_000_000)]), AmountNotAcceptedError),
        (make_quote(currency="EUR"), AmountNotAcceptedError),
    ):
        with pytest.raises(error):
            payments.place(quote)
    with pytest.raises(UnknownMethodError):
        payments.place(method="fake.unknown")
    with payments.begin.read(SYSTEM) as work:
        assert [] == work.execute(store.payment.select()).all()


def test_the_database_allows_one_open_operation(payments: Payments) -> None:
    """Whatever the program believes: a second open operation of a payment cannot be inserted."""
    one = payments.one(payments.place())
    second = attrs.evolve(operation("capture", "planned", 2), id=OperationId(mint("operation")), payment_id=one.id)
    with pytest.raises(ConstraintError), payments.begin.write(SYSTEM) as work:
        store.add_operation(work, second)


def test_a_reference_stands_for_one_request(payments: Payments) -> None:
    """The amount was changed under a reference: it is not sent."""
    placed = payments.place()
    one = payments.one(placed)
    with payments.begin.write(SYSTEM) as work:
        work.execute(store.operation.update().values(amount_minor=999))
    with pytest.raises(RequestChangedError), payments.begin.write(SYSTEM) as work:
        payment.mark_sent(work, one.id, beginning(one).id)


def test_one_key_is_one_operation(payments: Payments) -> None:
    """The same key again gives the same operation; for another amount it is refused."""
    placed = payments.place()
    payments.take(placed)
    with payments.begin.write(SYSTEM) as work:
        one = payment.order_payments(work, placed, lock=True)[0]
        first = payment.plan(work, one, OperationKind.CAPTURE, 400, "k")
    with payments.begin.write(SYSTEM) as work:
        one = payment.order_payments(work, placed, lock=True)[0]
        assert first.id == payment.plan(work, one, OperationKind.CAPTURE, 400, "k").id
        with pytest.raises(KeyReusedError):
            payment.plan(work, one, OperationKind.CAPTURE, 401, "k")


def test_giving_up_waits_for_money_on_its_way(payments: Payments) -> None:
    """A planned attempt is dropped; one in doubt keeps the order from lapsing."""
    from tests.payment.fakes import fail_after

    idle, doubtful = payments.place(), payments.place()
    payments.gateway.script["begin"].append(fail_after)
    payments.take(doubtful)
    with payments.begin.write(SYSTEM) as work:
        assert payment.give_up(work, idle.id)
        assert not payment.give_up(work, doubtful.id)
    assert (["begin canceled"], ["begin in_doubt"]) == (payments.states(idle), payments.states(doubtful))
    assert [] == payments.audit()


# -- the desk ---------------------------------------------------------------------------------------------------------


def test_staff_see_payments_and_nobody_else(payments: Payments) -> None:
    """Needs ``payment.read``, in all channels: a payment does not know its channel."""
    placed = payments.place()
    one = payments.one(placed)
    here = Actor.staff("ito", "payment.read", scope=Scope(channels=frozenset({placed.channel_id})))
    for actor in (payments.buyer(placed), Actor.guest(), Actor.staff("mori"), here):
        with payments.begin.read(actor) as work:
            for look in (payment.find, payment.for_order):
                with pytest.raises(NotAllowedError):
                    look(work, one.id)  # type: ignore[operator]
    with payments.begin.read(DESK) as work:
        desk = payment.Desk(work)
        assert (one, (one,)) == (desk.find(one.id), desk.for_order(placed.id))
        with pytest.raises(NotFoundError):
            desk.find(PaymentId(mint("payment")))
        with pytest.raises(InvalidInputError):
            desk.find(placed.id)  # type: ignore[arg-type]


def test_what_is_in_doubt_is_listed(payments: Payments) -> None:
    """With since when, page by page."""
    from tests.payment.fakes import fail_after

    for _ in range(3):
        placed = payments.place()
        payments.gateway.script["begin"].append(fail_after)
        payments.take(placed)
    with payments.begin.read(DESK) as work:
        first = payment.in_doubt(work, limit=2)
        rest = payment.in_doubt(work, after=first[-1].id, limit=2)
        assert (2, 1) == (len(first), len(rest))
        assert {payments.clock.now()} == {one.in_doubt_at for one in (*first, *rest)}
        with pytest.raises(InvalidInputError):
            payment.in_doubt(work, limit=201)


def test_a_task_is_closed_once_with_its_reason(payments: Payments) -> None:
    """Who closed it and why is in the audit row."""
    from tests.payment.fakes import DECLINED, answer

    placed = payments.place()
    payments.take(placed)
    payments.gateway.script["capture"].append(answer(DECLINED))
    payments.capture(payments.one(placed))
    [task] = payments.tasks()
    with payments.begin.write(DESK) as work:
        payment.close_task(work, task.payment_id, task.kind, task.about, reason="captured by hand")
    assert () == payments.tasks()
    with pytest.raises(NotFoundError), payments.begin.write(DESK) as work:
        payment.close_task(work, task.payment_id, task.kind, task.about, reason="again")


def test_the_desk_shows_verbs_of_people_only(payments: Payments) -> None:
    """What moves money is a flow; the desk looks and closes tasks."""
    shown = {name for name in vars(payment.Desk) if not name.startswith("_")}
    assert {"find", "for_order", "in_doubt", "tasks", "close_task", "notices"} == shown
    assert shown <= set(payment.__all__)


def test_every_fault_point_is_declared() -> None:
    """Those the design names for moving money."""
    wanted = {
        *(f"take_payment.{name}" for name in ("after_tx1", "after_tx2", "after_provider", "before_commit")),
        *(
            f"{flow}.{name}"
            for flow in ("capture", "void", "refund")
            for name in ("after_plan", "after_sent", "after_provider", "before_commit")
        ),
        *("receive_notice.after_store", "notice.before_apply", "notice.before_commit"),
    }
    assert wanted <= faults.declared()
