"""C. In doubt: what is certain, what is not, and what must not be called a decline."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from eckit.payment.model import InDoubt, NotSent, OperationKind, OpState, Payment
from eckit.testing.payments import mishaps
from eckit.testing.payments.acts import Act, acts
from eckit.testing.payments.asking import Direct
from eckit.testing.payments.bench import Bench, expect
from eckit.testing.payments.mishaps import DropAnswer, Hang, Truncated
from eckit.testing.payments.proxy import Fault
from eckit.testing.payments.registry import check

NOWHERE: Final = "payments.invalid"


@check("C")
def c20_a_refused_connection_sends_nothing(bench: Bench) -> None:
    """A refused connection and a name without an address mean that nothing was sent; the same operation succeeds
    later under the same reference."""
    for act in acts(bench):
        payment = act.prepared()
        with bench.proxy.refusing(), bench.no_moves():
            act.do(payment)
        _sent_later(bench, act, payment)
    elsewhere = bench.compose(bench.harness.settings(f"http://{NOWHERE}:8080"), more=f"{NOWHERE}:8080")
    order = bench.order()
    with _no_address(), bench.no_moves():
        bench.pay(order, shop=elsewhere)
    state = bench.operation(bench.payment(order)).state
    expect(state is OpState.PLANNED, f"a name without an address left the operation {state.value}")
    bench.pay(order)


def _sent_later(bench: Bench, act: Act, payment: Payment) -> None:
    operation = act.now(payment)
    what = f"{act.kind.value} over a refused connection"
    expect(operation.state is OpState.PLANNED, f"{what} is {operation.state.value}, and nothing was sent")
    if act.kind is OperationKind.BEGIN:
        act.do(payment)
    bench.settle(payment)
    later = act.now(payment)
    expect(later.state is OpState.SUCCEEDED, f"{what} is {later.state.value} later")
    expect(later.reference == operation.reference, f"{what} has another reference later")


@contextmanager
def _no_address() -> Iterator[None]:
    """One name has no address; all others have theirs."""
    real = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        if host in (NOWHERE, NOWHERE.encode()):
            raise socket.gaierror(socket.EAI_NONAME, "the kit has no such name")
        return real(host, *arguments, **options)

    with mock.patch.object(socket, "getaddrinfo", look_up):
        yield


def _doubtful(bench: Bench, act: Act, fault: Fault, what: str) -> Payment:
    """Do it with a fault on the way; insist that the outcome is unknown, not a decline, and that it was sent once."""
    payment = act.prepared()
    before, moved = bench.moves(), len(bench.harness.provider_ledger(payment.begin_reference))
    with bench.proxy.meddling(fault, wanted=bench.harness.is_moving):
        act.do(payment)
    operation = act.now(payment)
    state = f"{operation.state.value} ({operation.cause})"
    expect(operation.state is OpState.IN_DOUBT, f"{act.kind.value}, {what}: {state}")
    expect(bench.moves() == before + 1, f"{act.kind.value}, {what}: sent {bench.moves() - before} times")
    acted = len(bench.harness.provider_ledger(payment.begin_reference)) - moved
    expect(acted == 1, f"{act.kind.value}, {what}: the provider moved {acted} times")
    return payment


@check("C")
def c21_a_dropped_answer_is_in_doubt(bench: Bench) -> None:
    """The provider acts and its answer is lost or does not come: the operation is in doubt, not declined, and its row
    is still there."""
    for act in acts(bench):
        _doubtful(bench, act, DropAnswer(), "the answer was dropped")
    hasty = Direct(bench, shop=bench.hasty_shop())
    with bench.proxy.meddling(Hang(), wanted=bench.harness.is_moving):
        outcome = hasty.within_limit(hasty.begin)
    expect(isinstance(outcome, InDoubt), f"no answer came, and that is {type(outcome).__name__}")
    expect(len(hasty.moved()) == 1, f"no answer came, and the provider moved {len(hasty.moved())} times")


@check("C")
def c22_what_is_in_doubt_is_not_sent_again(bench: Bench) -> None:
    """After a lost answer nothing is sent again by itself, whoever looks; and when it may be sent again, it is under
    the same reference."""
    for act in acts(bench):
        payment = _doubtful(bench, act, DropAnswer(), "the answer was dropped")
        reference = act.now(payment).reference
        with bench.no_moves():
            for _ in range(2):
                bench.chase()
            if act.kind is OperationKind.BEGIN:
                act.do(payment)
            bench.settle(payment)
        expect(act.now(payment).reference == reference, f"{act.kind.value}: the reference changed")
    if bench.capabilities.not_found_after is None:
        return
    order = bench.order()
    with bench.proxy.meddling(mishaps.ResetUnread(), wanted=bench.harness.is_moving):
        bench.pay(order)
    lost = bench.operation(bench.payment(order))
    bench.chase(bench.capabilities.not_found_after)
    bench.pay(order)
    again = bench.operation(bench.payment(order))
    expect(again.reference == lost.reference, "what never arrived was sent again under another reference")
    expect(again.state is OpState.SUCCEEDED, f"what never arrived is {again.state.value} when sent again")


@check("C")
def c23_server_errors_are_in_doubt(bench: Bench) -> None:
    """500, 502 and 503 are in doubt; and the same error replayed for the same reference does not become a decline."""
    for act in acts(bench):
        for code in (500, 502, 503):
            _doubtful(bench, act, mishaps.status(code), f"{code}")
    direct = Direct(bench)
    with bench.proxy.meddling(mishaps.status(500), wanted=bench.harness.is_moving, times=1):
        direct.begin()
    with bench.proxy.meddling(mishaps.status(500, acted=False), wanted=bench.harness.is_moving):
        again = direct.begin()
    expect(isinstance(again, InDoubt | NotSent), f"a replayed error became {type(again).__name__}")


@check("C")
def c24_unreadable_answers_are_in_doubt(bench: Bench) -> None:
    """Half an answer, a page for people, other bytes than the header says and an empty body are in doubt."""
    for act in acts(bench):
        for what, fault in _unreadable():
            _doubtful(bench, act, fault, what)


def _unreadable() -> tuple[tuple[str, Fault], ...]:
    return (
        ("half a body", Truncated()),
        ("half of the announced body", Truncated(announced=True)),
        ("a page of HTML", mishaps.html()),
        ("another charset", mishaps.wrong_charset()),
        ("an empty body", mishaps.empty()),
    )


def in_doubt(bench: Bench, act: Act) -> Payment:
    """A payment whose operation came to nothing anybody knows; for other checks."""
    return _doubtful(bench, act, DropAnswer(), "the answer was dropped")
