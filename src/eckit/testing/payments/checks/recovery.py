"""C. In doubt: how it ends, what may not be done meanwhile, and who waits for whom."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from eckit.kernel import outbox
from eckit.kernel.errors import EckitError
from eckit.kernel.ids import OrderId
from eckit.kernel.money import from_minor
from eckit.kernel.refs import Ref
from eckit.order.model import Order, OrderState
from eckit.payment.model import OpState, Payment, PaymentNeedsHuman, PaymentResult
from eckit.stock import service as stock
from eckit.testing.payments import mishaps, proxy
from eckit.testing.payments.acts import acts
from eckit.testing.payments.bench import SECURED, Bench, expect
from eckit.testing.payments.checks.doubt import in_doubt
from eckit.testing.payments.plugin import SECOND_METHOD
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import PAY_WITHIN, STAFF

_A_MOMENT: Final = dt.timedelta(seconds=10)


@check("C")
def c25_a_query_ends_the_doubt(bench: Bench) -> None:
    """A query that finds the operation books it once; "no such payment" ends the doubt when it is old enough to be
    believed, and not before."""
    for act in acts(bench):
        payment = in_doubt(bench, act)
        bench.settle(payment)
        state = act.now(payment).state
        expect(state is OpState.SUCCEEDED, f"{act.kind.value} was found and is {state.value}")
        rows = len(bench.again(payment).movements)
        bench.chase(_A_MOMENT)
        expect(len(bench.again(payment).movements) == rows, f"{act.kind.value} was booked again")
        bench.require_same_books()
    believed_after = bench.capabilities.not_found_after
    if believed_after is None:
        return
    order = bench.order()
    with bench.proxy.meddling(mishaps.ResetUnread(), wanted=bench.harness.is_moving):
        bench.pay(order)
    payment = bench.payment(order)
    if believed_after > _A_MOMENT:
        bench.chase(_A_MOMENT)
        early = bench.operation(payment).state
        expect(early is OpState.IN_DOUBT, f"too early to be believed, and it is {early.value}")
    bench.chase(believed_after)
    late = bench.operation(payment).state
    expect(late is OpState.PLANNED, f"the provider knows nothing of it, and it is {late.value}")
    result = bench.pay(order)
    expect(result.status.state in SECURED, f"it could not be paid afterwards: {result.status.state.value}")


@check("C")
def c26_doubt_nobody_can_end_reaches_a_person(bench: Bench) -> None:
    """While the provider cannot be asked, it stays in doubt; at the horizon a person is told, and an event is
    sent."""
    payment = in_doubt(bench, next(acts(bench)))
    with bench.proxy.meddling(mishaps.status(503, acted=False), wanted=bench.is_question):
        horizon = bench.capabilities.horizon
        reached = bench.chase_until(lambda: _state(bench, payment) is not OpState.IN_DOUBT, horizon / 2)
        expect(not reached, f"nobody could tell, and it is {_state(bench, payment).value}")
        bench.chase_until(lambda: _state(bench, payment) is not OpState.IN_DOUBT, horizon)
    expect(_state(bench, payment) is OpState.NEEDS_HUMAN, f"at the horizon it is {_state(bench, payment).value}")
    expect(any(task.kind == "in_doubt" for task in bench.tasks(payment)), "no task was opened")
    expect(PaymentNeedsHuman.name in _events(bench), "no event tells of it")


def _state(bench: Bench, payment: Payment) -> OpState:
    return bench.operation(payment).state


def _events(bench: Bench) -> set[str]:
    with bench.shop.read(STAFF) as work:
        names = outbox.outbox.select().with_only_columns(outbox.outbox.c.name)
        return set(work.execute(names).scalars())


@check("C")
def c27_doubt_blocks_other_money(bench: Bench) -> None:
    """While an operation is in doubt no capture, refund, void or second way to pay is begun, and the sums stay as
    they are."""
    for act in acts(bench):
        payment = in_doubt(bench, act)
        before = bench.again(payment).movements
        with bench.no_moves():
            _try_everything(bench, payment)
        expect(bench.again(payment).movements == before, f"{act.kind.value} in doubt: the sums changed")
        expect(bench.operation(payment, act.kind).state is OpState.IN_DOUBT, f"{act.kind.value}: no longer in doubt")
        attempts = bench.attempts(payment.order_id)
        expect(len(attempts) == 1, f"{act.kind.value} in doubt: a second attempt was begun")


def _try_everything(bench: Bench, payment: Payment) -> None:
    shop, one = bench.shop, from_minor(1, payment.currency)
    instrument = bench.harness.instrument("approve")
    attempts: dict[str, Callable[[], PaymentResult]] = {
        "capture": lambda: shop.capture_payment(STAFF, payment.id, one),
        "void": lambda: shop.void_payment(STAFF, payment.id),
        "refund": lambda: shop.refund_payment(STAFF, payment.id, one, key="other", reason="conformance"),
        "second way": lambda: shop.take_payment(STAFF, payment.order_id, method=SECOND_METHOD),
    }
    for what, attempt in attempts.items():
        try:
            attempt()
        except EckitError:
            continue
        expect(what == "second way", f"{what} is possible while something is in doubt")
    shop.take_payment(STAFF, payment.order_id, instrument=instrument)


@check("C")
def c28_pending_that_never_ends_is_taken_over(bench: Bench) -> None:
    """What the provider is working on is asked about; after the declared time recovery takes over, as with anything
    in doubt; and when it is decided at last, that is booked."""
    order = bench.order()
    bench.pay(order, "pending")
    payment = bench.payment(order)
    expect(_state(bench, payment) is OpState.WAITING_PROVIDER, f"pending is {_state(bench, payment).value}")
    longest = bench.capabilities.max_pending
    bench.chase_until(lambda: _state(bench, payment) is not OpState.WAITING_PROVIDER, longest * 2)
    expect(_state(bench, payment) is OpState.IN_DOUBT, f"for too long, and it is {_state(bench, payment).value}")
    expect(bench.operation(payment).check_at is not None, "nobody looks at it any more")
    with bench.no_moves():
        bench.chase(longest)
    bench.harness.buyer("resolve", payment.begin_reference)
    bench.settle(payment)
    expect(bench.state(payment) in SECURED, f"decided at last, it is {bench.state(payment).value}")


@check("C")
def c29_an_abandoned_attempt_ends_once(bench: Bench) -> None:
    """A buyer who never comes back: the attempt expires, the order lapses once and gives its goods back once; not
    while anything is in doubt; and money that comes later is late money, which is not kept in silence."""
    doubtful = in_doubt(bench, next(acts(bench)))
    order = bench.order()
    bench.pay(order, "challenge")
    abandoned = bench.payment(order)
    expect(_state(bench, abandoned) is OpState.WAITING_BUYER, f"a challenge is {_state(bench, abandoned).value}")
    with bench.proxy.meddling(mishaps.status(503, acted=False), wanted=_about(doubtful)):
        bench.chase_until(lambda: _state(bench, abandoned) is OpState.EXPIRED, bench.capabilities.action_ttl * 3)
        ended = _state(bench, abandoned)
        expect(ended in {OpState.EXPIRED, OpState.FAILED}, f"its time is over, and the attempt is {ended.value}")
        bench.pass_time(PAY_WITHIN)
        lapsed = bench.shop.lapse_orders()
        expect(order.id in lapsed, "the order of the abandoned attempt did not lapse")
        expect(doubtful.order_id not in lapsed, "an order lapsed whose payment is in doubt")
        expect(not bench.shop.lapse_orders(), "the order lapsed twice")
        expect(not _held(bench, order.id), "a lapsed order still holds its goods")
        expect(_held(bench, doubtful.order_id), "an order in doubt lost its goods")
    _late_money(bench)


def _about(payment: Payment) -> Callable[[proxy.Request], bool]:
    return lambda request: payment.begin_reference in request.text()


def _held(bench: Bench, order_id: OrderId) -> int:
    with bench.shop.read(STAFF) as work:
        return sum(one.steps for one in stock.held(work, Ref("order", order_id)))


def _late_money(bench: Bench) -> None:
    """The provider's clock is behind: the buyer approves after the shop has given up."""
    order = bench.order()
    bench.pay(order, "challenge")
    payment = bench.payment(order)
    then = bench.clock.now()
    bench.chase_until(lambda: _ended(bench, payment), bench.capabilities.action_ttl * 3)
    _lapse(bench, order)
    bench.harness.set_clock(then)
    bench.harness.buyer("approve", payment.begin_reference)
    bench.harness.set_clock(bench.clock.now())
    status_code = bench.hand_in(bench.harness.deliver(bench.notices(payment)[-1], ""))
    expect(status_code < 300, f"the notice of late money was answered with {status_code}")
    bench.settle(payment)
    status = bench.again(payment)
    expect(any(one.late for one in status.operations), "late money is not told apart")
    expect(bench.order_now(order).state is OrderState.CANCELED, "late money revived the order by itself")
    kinds = {one.kind for one in bench.again(payment).movements}
    back = {"void", "refund"} & kinds or bench.tasks(payment)
    expect(back, f"late money is kept: {sorted(kinds)}, {bench.state(payment).value}")


def _ended(bench: Bench, payment: Payment) -> bool:
    return _state(bench, payment) in {OpState.EXPIRED, OpState.FAILED}


def _lapse(bench: Bench, order: Order) -> None:
    bench.pass_time(PAY_WITHIN)
    bench.shop.lapse_orders()
    expect(bench.order_now(order).state is OrderState.CANCELED, "the order did not lapse")
