"""B. Once only: whoever asks how often, money moves once."""

import threading
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from eckit.kernel import faults
from eckit.kernel.errors import EckitError, RefusedError
from eckit.kernel.idempotency import KeyReusedError
from eckit.kernel.money import from_minor
from eckit.payment import rules, store
from eckit.payment.errors import RequestChangedError
from eckit.payment.model import Payment, PaymentResult, PaymentState
from eckit.testing.payments.acts import Act, acts
from eckit.testing.payments.asking import ask
from eckit.testing.payments.bench import RETURN_URL, SECURED, Bench, expect
from eckit.testing.payments.mishaps import Twice
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

CLICKS: Final = 3
_TOGETHER_S: Final = 10.0


@check("B")
def c10_the_same_operation_twice_moves_money_once(bench: Bench) -> None:
    """The same operation called twice, or delivered twice by the network, is one movement at the provider, wherever
    idempotency is declared; asked twice of the shop it is one anyway."""
    for act in acts(bench):
        if bench.capabilities.idempotency.get(act.kind.value) in {"key", "reference"}:
            _called_twice(bench, act)
            _delivered_twice(bench, act)
        _asked_twice(bench, act)


def _called_twice(bench: Bench, act: Act) -> None:
    """By a process that died after sending, then by the shop: under the same reference."""
    payment = act.prepared()
    before = bench.harness.provider_ledger(payment.begin_reference)
    operation = act.planned_next(payment)
    extras = rules.Extras(instrument=bench.harness.instrument("approve"), return_url=RETURN_URL)
    for _ in range(2):
        ask(bench.gateway, bench.io(), rules.request(payment, operation, bench.capabilities, extras))
    act.do(payment)
    _expect_one_more(bench, payment, len(before), f"{act.kind.value} called three times")


def _delivered_twice(bench: Bench, act: Act) -> None:
    payment = act.prepared()
    before = bench.harness.provider_ledger(payment.begin_reference)
    with bench.proxy.meddling(Twice(), wanted=bench.harness.is_moving):
        act.do(payment)
    bench.settle(payment)
    _expect_one_more(bench, payment, len(before), f"{act.kind.value} delivered twice")


def _asked_twice(bench: Bench, act: Act) -> None:
    payment = act.prepared()
    before = bench.harness.provider_ledger(payment.begin_reference)
    for _ in range(2):
        try:
            act.do(payment)
        except EckitError:
            continue
    _expect_one_more(bench, payment, len(before), f"{act.kind.value} asked for twice")


def _expect_one_more(bench: Bench, payment: Payment, before: int, what: str) -> None:
    moved = bench.harness.provider_ledger(payment.begin_reference)[before:]
    expect(len(moved) == 1, f"{what}: {len(moved)} movements at the provider")


@check("B")
def c11_a_double_click_begins_one_payment(bench: Bench) -> None:
    """Several requests to pay one order at the same instant, all of which find it unpaid, make one payment at the
    provider."""
    order = bench.order()
    together = threading.Barrier(CLICKS)
    with faults.armed({"take_payment.after_tx1": faults.call(lambda: together.wait(_TOGETHER_S))}):
        results = at_once(*[lambda: bench.pay(order)] * CLICKS)
    failed = [result for result in results if isinstance(result, Exception)]
    expect(not failed, f"one of the clicks failed: {failed}")
    states = {result.status.state for result in results if isinstance(result, PaymentResult)}
    expect(states <= SECURED, f"the clicks were told {sorted(state.value for state in states)}")
    expect(len(bench.attempts(order)) == 1, f"{len(bench.attempts(order))} attempts were begun")
    expect(bench.moves() == 1, f"{bench.moves()} requests were sent")
    booked = bench.harness.provider_ledger()
    expect(len(booked) == 1, f"{len(booked)} movements at the provider")


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run calls in threads that begin at the same instant; what each gave, or how it failed."""
    gate = threading.Barrier(len(calls))
    results: list[object] = [TimeoutError("it did not end")] * len(calls)

    def one(place: int) -> None:
        gate.wait(10)
        try:
            results[place] = calls[place]()
        except Exception as error:  # noqa: BLE001 -- handed to the check
            results[place] = error

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@check("B")
def c14_nothing_is_captured_after_the_end(bench: Bench) -> None:
    """After a void, and after the reservation is over, a capture is refused without any traffic."""
    declared = bench.capabilities
    if declared.capture == "none" or not bench.reserves:
        return
    if declared.void:
        voided = bench.paid()
        bench.shop.void_payment(STAFF, voided.id)
        _expect_no_capture(bench, voided, "after a void")
    payment = bench.paid()
    ends = bench.operation(payment).expires_at
    if ends is not None:
        bench.pass_time(ends - bench.clock.now())
        _expect_no_capture(bench, payment, "after the reservation is over")
        expect(bench.state(payment) is PaymentState.AUTH_EXPIRED, f"it is {bench.state(payment).value}")


def _expect_no_capture(bench: Bench, payment: Payment, when: str) -> None:
    with bench.silence():
        try:
            bench.shop.capture_payment(STAFF, payment.id)
        except RefusedError:
            return
    expect(False, f"a capture {when} is accepted")


@check("B")
def c15_a_reference_stands_for_one_request(bench: Bench) -> None:
    """A reference or key that was used for one amount is refused for another, without any traffic."""
    order = bench.order()
    table = store.operation
    with bench.shop.begin.upkeep() as connection:
        of_order = table.c.payment_id == bench.payment(order).id
        connection.execute(sa.update(table).where(of_order).values(amount_minor=bench.harness.amount_minor // 2))
    with bench.silence():
        try:
            bench.pay(order)
        except RequestChangedError:
            pass
        else:
            expect(False, "a reference is sent with another amount than it was planned with")
    if bench.capabilities.refund in {"partial", "multiple"}:
        payment = bench.captured()
        part = bench.harness.amount_minor // 4
        _refund(bench, payment, part)
        with bench.silence():
            try:
                _refund(bench, payment, part + 1)
            except KeyReusedError:
                return
        expect(False, "one key refunds two amounts")


def _refund(bench: Bench, payment: Payment, minor: int) -> None:
    money = from_minor(minor, payment.currency)
    bench.shop.refund_payment(STAFF, payment.id, money, key="one", reason="conformance")
