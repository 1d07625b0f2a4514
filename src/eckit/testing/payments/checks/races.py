"""B. Once only: real processes race for one payment, and are killed in the middle of it."""

import datetime as dt
from collections import Counter

from eckit.payment.model import OperationKind, OpState, Payment, PaymentState
from eckit.testing.payments.acts import Act, acts
from eckit.testing.payments.bench import SETTLED, Bench, expect
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.mishaps import Late
from eckit.testing.payments.nursery import KILLED, Ended, Job, capturing, refunding, taking, voiding
from eckit.testing.payments.registry import check

_POINTS = {
    OperationKind.BEGIN: ("take_payment.after_tx1", "take_payment.after_tx2"),
    OperationKind.CAPTURE: ("capture.after_plan", "capture.after_sent"),
    OperationKind.VOID: ("void.after_plan", "void.after_sent"),
    OperationKind.REFUND: ("refund.after_plan", "refund.after_sent"),
}


def _moved(bench: Bench, payment: Payment) -> Counter[str]:
    return Counter(entry.kind for entry in bench.harness.provider_ledger(payment.begin_reference))


@check("B", slow=True)
def c12_two_processes_capture_once(bench: Bench) -> None:
    """Two processes that capture the same reservation at the same instant take the money once, even if the provider
    would take it twice."""
    if bench.capabilities.capture == "none" or not bench.reserves:
        return
    payment = bench.paid()
    _allow_too_much(bench, "over_capture")
    ended = _raced(bench, capturing(payment), capturing(payment))
    bench.settle(payment)
    expect(_moved(bench, payment)["capture"] == 1, f"{_moved(bench, payment)['capture']} captures at the provider")
    expect(bench.state(payment) is PaymentState.PAID, f"it is {bench.state(payment).value}; the processes: {ended}")


@check("B", slow=True)
def c13_refunds_never_exceed_what_was_captured(bench: Bench) -> None:
    """Two processes that each refund everything give it back once, even if the provider would give it back twice; a
    second refund afterwards is refused."""
    if bench.capabilities.refund == "none":
        return
    payment = bench.captured()
    _allow_too_much(bench, "over_refund")
    whole = payment.amount_minor
    ended = _raced(bench, refunding(payment, whole, "one"), refunding(payment, whole, "two"))
    bench.settle(payment)
    refunds = [one for one in bench.harness.provider_ledger(payment.begin_reference) if one.kind == "refund"]
    given = sum(one.amount_minor for one in refunds)
    expect(given == whole, f"{given} of {whole} was given back; the processes: {ended}")
    [later] = bench.nursery.run(bench, refunding(payment, 1, "three"))
    expect(later.error == "payment-too-much", f"one more refund came to {later}")
    expect(bench.state(payment) is PaymentState.REFUNDED, f"it is {bench.state(payment).value}")


def _allow_too_much(bench: Bench, wish: str) -> None:
    try:
        bench.harness.provider(wish)
    except NotApplicable:
        return  # the provider guards itself: then it must be the shop's guard or its own that holds


def _raced(bench: Bench, *jobs: Job) -> list[Ended]:
    """Run jobs at the same instant; the provider answers late, so that each finds the others under way."""
    with bench.proxy.meddling(Late(), wanted=bench.harness.is_moving):
        return bench.nursery.run(bench, *jobs)


@check("B", slow=True)
def c16_a_killed_process_loses_no_money(bench: Bench) -> None:
    """A process is killed before sending, after noting it, after the provider's answer, and before the outcome is
    committed; recovery comes to the same books each time, and moves nothing twice."""
    for act in acts(bench):
        name = _POINTS[act.kind][0].partition(".")[0]
        for point in (*_POINTS[act.kind], f"{name}.after_provider", f"{name}.before_commit"):
            _killed_at(bench, act, point)


def _killed_at(bench: Bench, act: Act, point: str) -> None:
    payment = act.prepared()
    before = _moved(bench, payment)
    [ended] = bench.nursery.run(bench, _job(bench, act, payment, f"{point}=kill"))
    expect(ended.code == KILLED, f"{point} was not reached: {ended}")
    _pay_again_if_free(bench, act, payment)
    expect(bench.chase_until(lambda: _is_settled(bench, payment), dt.timedelta(hours=2)), f"{point}: never settled")
    _pay_again_if_free(bench, act, payment)
    moved = _moved(bench, payment) - before
    expect(sum(moved.values()) == 1, f"killed at {point}: the provider moved {dict(moved)}")
    bench.require_same_books()


def _job(bench: Bench, act: Act, payment: Payment, faults: str) -> Job:
    match act.kind:
        case OperationKind.BEGIN:
            return taking(bench.order_now(payment.order_id), bench.harness.instrument("approve"), faults)
        case OperationKind.CAPTURE:
            return capturing(payment, faults)
        case OperationKind.VOID:
            return voiding(payment, faults)
        case _:
            return refunding(payment, payment.amount_minor, "all", faults)


def _is_settled(bench: Bench, payment: Payment) -> bool:
    """Whether nothing is on its way: a planned beginning waits for its buyer, and for nobody else."""
    waits_for_buyer = {(OperationKind.BEGIN, OpState.PLANNED)}
    return all(
        one.state in SETTLED or (one.kind, one.state) in waits_for_buyer for one in bench.again(payment).operations
    )


def _pay_again_if_free(bench: Bench, act: Act, payment: Payment) -> None:
    """The buyer tries again where nothing had been sent."""
    if act.kind is OperationKind.BEGIN and bench.operation(payment).state is OpState.PLANNED:
        act.do(payment)


@check("B", slow=True)
def c17_of_capture_and_void_one_wins(bench: Bench) -> None:
    """A capture and a void of one reservation at the same instant: exactly one happens, even if the provider would do
    both."""
    declared = bench.capabilities
    if declared.capture == "none" or not declared.void or not bench.reserves:
        return
    _allow_too_much(bench, "over_capture")
    for _ in range(3):
        payment = bench.paid()
        ended = _raced(bench, capturing(payment), voiding(payment))
        bench.settle(payment)
        moved = _moved(bench, payment)
        expect(moved["capture"] + moved["void"] == 1, f"the provider moved {dict(moved)}; the processes: {ended}")
        wins = PaymentState.PAID if moved["capture"] else PaymentState.VOIDED
        expect(bench.state(payment) is wins, f"it is {bench.state(payment).value}")
