"""F. Money back: parts add up, to the last unit and no further."""

from collections import Counter
from collections.abc import Callable

from eckit.kernel.errors import RefusedError
from eckit.kernel.money import from_minor
from eckit.payment.model import OperationKind, OpState, Payment, PaymentState
from eckit.testing.payments.bench import Bench, expect
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF


def _capture(bench: Bench, payment: Payment, minor: int) -> None:
    bench.shop.capture_payment(STAFF, payment.id, from_minor(minor, payment.currency))


def _refund(bench: Bench, payment: Payment, minor: int, key: str) -> None:
    money = from_minor(minor, payment.currency)
    bench.shop.refund_payment(STAFF, payment.id, money, key=key, reason="conformance")


def _moved(bench: Bench, payment: Payment) -> list[tuple[str, int]]:
    return [(one.kind, one.amount_minor) for one in bench.harness.provider_ledger(payment.begin_reference)]


def _expect_refusal(bench: Bench, what: str, action: Callable[[], object]) -> None:
    with bench.silence():
        try:
            action()
        except RefusedError:
            return
    expect(False, f"{what} is accepted")


def _parts(whole: int) -> tuple[int, int, int]:
    return whole // 4, whole // 4 + 1, whole - whole // 4 * 2 - 1


@check("F")
def c50_parts_of_a_capture_add_up(bench: Bench) -> None:
    """Captures of parts add up as declared, and not one unit more is taken; what is left can be released."""
    how, whole = bench.capabilities.capture, bench.harness.amount_minor
    if how == "none" or not bench.reserves:
        raise NotApplicable("nothing is captured afterwards")
    payment = bench.paid()
    if how == "full":
        _expect_refusal(bench, "a part of a capture", lambda: _capture(bench, payment, whole // 2))
        _capture(bench, payment, whole)
        expect(bench.state(payment) is PaymentState.PAID, f"it is {bench.state(payment).value}")
        return
    parts = _parts(whole) if how == "multiple" else _parts(whole)[:1]
    for part in parts:
        _capture(bench, payment, part)
    booked = [one for one in _moved(bench, payment) if one[0] == "capture"]
    expect(booked == [("capture", part) for part in parts], f"captures of {parts} were booked as {booked}")
    _expect_refusal(bench, "one unit more than is reserved", lambda: _capture(bench, payment, whole))
    if how == "multiple":
        expect(bench.state(payment) is PaymentState.PAID, f"all parts captured, and it is {bench.state(payment).value}")
        _release_the_rest(bench)


def _release_the_rest(bench: Bench) -> None:
    if not bench.capabilities.void:
        return
    payment = bench.paid()
    part = payment.amount_minor // 3
    _capture(bench, payment, part)
    bench.shop.void_payment(STAFF, payment.id)
    rest = ("void", payment.amount_minor - part)
    expect(_moved(bench, payment)[-1] == rest, f"of the rest was released: {_moved(bench, payment)}")


@check("F")
def c51_parts_of_a_refund_add_up(bench: Bench) -> None:
    """Refunds of parts go to the last unit, and one unit more is refused without any traffic."""
    how = bench.capabilities.refund
    if how == "none":
        raise NotApplicable("nothing is refunded")
    payment = bench.captured()
    whole = payment.amount_minor
    if how == "full":
        _expect_refusal(bench, "a part of a refund", lambda: _refund(bench, payment, whole // 2, "half"))
        _refund(bench, payment, whole, "all")
        return
    parts = (*_parts(whole)[:2], _parts(whole)[2] - 1, 1) if how == "multiple" else _parts(whole)[:1]
    for number, part in enumerate(parts):
        left = whole - sum(parts[:number])
        too_much, key = left + 1, f"too much {number}"
        _expect_refusal(bench, f"{too_much} of {left}", lambda: _refund(bench, payment, too_much, key))  # noqa: B023
        _refund(bench, payment, part, f"part {number}")
    booked = [one for one in _moved(bench, payment) if one[0] == "refund"]
    expect(booked == [("refund", part) for part in parts], f"refunds of {parts} were booked as {booked}")
    if how == "multiple":
        expect(bench.state(payment) is PaymentState.REFUNDED, f"all given back, and it is {bench.state(payment).value}")
        _expect_refusal(bench, "one unit more", lambda: _refund(bench, payment, 1, "one more"))


@check("F")
def c52_a_refund_may_take_its_time(bench: Bench) -> None:
    """A pending refund reserves its amount; done, it is booked; failed, a person is told and the amount can be
    refunded again."""
    if not bench.capabilities.refund_async:
        raise NotApplicable("refunds are done at once")
    for wish, ends in (("refund_async", OpState.SUCCEEDED), ("refund_fails", OpState.FAILED)):
        payment = bench.captured()
        bench.harness.reset_wishes()
        bench.harness.provider(wish)
        _refund(bench, payment, payment.amount_minor, "all")
        refund = bench.operation(payment, OperationKind.REFUND)
        expect(refund.state is OpState.WAITING_PROVIDER, f"{wish}: a pending refund is {refund.state.value}")
        again = _again(bench, payment)
        _expect_refusal(bench, f"{wish}: a second refund while one is pending", again)
        bench.harness.buyer("resolve", refund.reference)
        bench.settle(payment)
        state = bench.operation(payment, OperationKind.REFUND).state
        expect(state is ends, f"{wish}: decided, and it is {state.value}")
        if ends is OpState.FAILED:
            expect(bench.tasks(payment), "a refund failed, and no person is told")
            bench.harness.reset_wishes()
            again()
            expect(bench.state(payment) is PaymentState.REFUNDED, f"tried again, it is {bench.state(payment).value}")


def _again(bench: Bench, payment: Payment) -> Callable[[], None]:
    return lambda: _refund(bench, payment, payment.amount_minor, "again")


@check("F")
def c53_a_void_never_becomes_a_refund_in_silence(bench: Bench) -> None:
    """A void that comes too late fails and moves nothing; money taken meanwhile goes back by a refund of its own, or
    a person is told."""
    declared = bench.capabilities
    if not declared.void or not bench.reserves:
        raise NotApplicable("nothing is voided")
    payment = bench.paid()
    bench.harness.office(payment.begin_reference, "capture", payment.amount_minor)
    bench.shop.void_payment(STAFF, payment.id)
    moved = Counter(kind for kind, _ in _moved(bench, payment))
    expect(not moved["refund"] and not moved["void"], f"a void that came too late moved {dict(moved)}")
    state = bench.operation(payment, OperationKind.VOID).state
    expect(state is not OpState.SUCCEEDED, "a void that released nothing succeeded")
    for notice in bench.notices(payment):
        bench.hand_in(notice)
    bench.settle(payment)
    bench.shop.cancel_order(STAFF, payment.order_id)
    bench.settle(payment)
    given_back = ("refund", payment.amount_minor) in _moved(bench, payment)
    wanted = given_back if declared.refund != "none" else bool(bench.tasks(payment))
    expect(wanted, f"the order was canceled, and its money is kept: {_moved(bench, payment)}")
