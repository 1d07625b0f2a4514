"""H. Safety: modes, transport, threads, a plugin that is gone, a provider that is busy."""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock

from eckit.kernel.errors import EckitError
from eckit.kernel.money import to_minor
from eckit.payment.errors import GatewayMissingError, UnknownMethodError
from eckit.payment.model import Authorized, Captured, NotSent, OperationKind, OpState, Payment, VerifiedNotice
from eckit.shop import Shop
from eckit.testing.payments import mishaps
from eckit.testing.payments.acts import acts
from eckit.testing.payments.asking import Direct
from eckit.testing.payments.bench import RETURN_URL, SECURED, Bench, expect, gateway_of
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.listeners import Trap
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

CROWD: Final = 50
_WAIT: Final = 30
_UNSETTLED: Final = frozenset({OpState.IN_DOUBT, OpState.PLANNED})


@check("H")
def c65_many_threads_share_one_gateway(bench: Bench) -> None:
    """Fifty payments at once on one gateway object: each answer is about its own payment."""
    base = bench.harness.amount_minor
    crowd = [Direct(bench, minor=base + number) for number in range(CROWD)]
    outcomes: dict[str, object] = {}
    gate = threading.Barrier(CROWD)

    def one(direct: Direct) -> None:
        gate.wait(10)
        try:
            outcomes[direct.reference] = direct.begin()
        except Exception as error:  # noqa: BLE001 -- handed to the check
            outcomes[direct.reference] = error

    threads = [threading.Thread(target=one, args=(direct,)) for direct in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    booked = {entry.payment: entry.amount_minor for entry in bench.harness.provider_ledger()}
    for direct in crowd:
        outcome, minor = outcomes.get(direct.reference), to_minor(direct.money)
        expect(isinstance(outcome, Authorized | Captured), f"one of {CROWD} at once came to {outcome!r:.120}")
        expect(getattr(outcome, "money", None) == direct.money, "one payment got the answer of another")
        expect(booked.get(direct.reference) == minor, f"{minor} became {booked.get(direct.reference)} at the provider")


@check("H")
def c66_test_and_live_never_meet(bench: Bench) -> None:
    """In test mode nothing goes to the live service or anywhere but the provider's address; a payment begun in one
    mode is not touched in the other, and a notice of one mode is not believed in the other."""
    with _visits() as visited:
        for act in acts(bench):
            act.do(act.prepared())
    strangers = visited - {"127.0.0.1", bench.harness.address()[0]}
    expect(not strangers, f"in {bench.capabilities.mode} mode it goes to {sorted(strangers)}")
    try:
        other = bench.compose(bench.harness.other_mode(bench.proxy.url))
    except NotApplicable:
        return
    declared = gateway_of(other, bench.method).capabilities()
    expect(declared.mode != bench.capabilities.mode, f"set to the other mode, it declares {declared.mode}")
    for act in acts(bench):
        payment = act.prepared()
        with bench.silence():
            _expect_missing(other, act.kind, payment)
            other.chase()
    told = gateway_of(other, bench.method).open_webhook(bench.notices(bench.paid())[-1], bench.clock.now())
    modes = {one.snapshot.mode for one in told if isinstance(one, VerifiedNotice)} if isinstance(told, tuple) else set()
    expect(declared.mode not in modes, f"in {declared.mode} mode it takes a notice of {bench.capabilities.mode} mode")


def _expect_missing(shop: Shop, kind: OperationKind, payment: Payment) -> None:
    flows: dict[OperationKind, Callable[[], object]] = {
        OperationKind.BEGIN: lambda: shop.take_payment(STAFF, payment.order_id, return_url=RETURN_URL),
        OperationKind.CAPTURE: lambda: shop.capture_payment(STAFF, payment.id),
        OperationKind.VOID: lambda: shop.void_payment(STAFF, payment.id),
        OperationKind.REFUND: lambda: shop.refund_payment(
            STAFF, payment.id, payment.amount, key="other", reason="conformance"
        ),
    }
    try:
        flows[kind]()
    except (GatewayMissingError, UnknownMethodError):
        return
    except EckitError as error:
        expect(False, f"{kind.value} without its gateway raises {error.code}")
    expect(False, f"{kind.value} goes on without its gateway")


@contextmanager
def _visits() -> Iterator[set[str]]:
    """Every address that is connected to, and every name that is looked up, within the block."""
    visited: set[str] = set()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def note_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            visited.add(str(address[0]))
        connect(self, address)

    def note_name(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        visited.add(host.decode() if isinstance(host, bytes) else str(host))
        return look_up(host, port, *arguments, **options)

    with mock.patch.object(socket.socket, "connect", note_connect), mock.patch.object(socket, "getaddrinfo", note_name):
        yield visited


@check("H")
def c67_the_way_there_is_safe(bench: Bench) -> None:
    """Certificates are verified, redirects are not followed, and no request waits for ever."""
    for code in (302, 307, 308):
        with Trap() as trap:
            order, shop = bench.order(), bench.compose(more=trap.host)
            elsewhere = mishaps.redirect(f"{trap.url}/elsewhere", code)
            with bench.proxy.meddling(elsewhere, wanted=bench.harness.is_moving):
                bench.pay(order, shop=shop)
            expect(trap.visitors == 0, f"a redirect with {code} was followed")
        state = bench.operation(bench.payment(order)).state
        expect(state in _UNSETTLED, f"a redirect with {code} left the operation {state.value}")
    with Trap(tls=True) as trap:
        order, shop = bench.order(), bench.compose(bench.harness.settings(trap.url), more=trap.host)
        bench.pay(order, shop=shop)
        expect(not trap.heard, "something was said to a server whose certificate nobody signed")
    state = bench.operation(bench.payment(order)).state
    expect(state in _UNSETTLED, f"a certificate nobody signed left the operation {state.value}")
    _no_endless_waiting(bench)


def _no_endless_waiting(bench: Bench) -> None:
    hasty = Direct(bench, shop=bench.hasty_shop())
    with bench.proxy.meddling(mishaps.Hang()):
        hasty.within_limit(hasty.begin)
    with bench.proxy.meddling(mishaps.Hang()):
        hasty.within_limit(hasty.query)


@check("H")
def c68_payments_outlive_their_plugin(bench: Bench) -> None:
    """Without its plugin a payment stays readable, operations answer that the gateway is missing, a notice is neither
    lost nor believed, and recovery goes on; with the plugin again, so does the payment."""
    prepared = [(act.kind, act.prepared()) for act in acts(bench)]
    open_one = bench.order()
    with bench.proxy.meddling(mishaps.DropAnswer(), wanted=bench.harness.is_moving):
        bench.pay(open_one)
    payment = bench.payment(open_one)
    notice = bench.notices(payment)[-1]
    bench.hand_in(notice, apply=False)
    without = bench.compose({}, plugins=())
    with bench.silence():
        with without.read(STAFF) as work:
            expect(work.payment.find(payment.id) == payment, "the payment reads differently without its plugin")
        for kind, one in prepared:
            _expect_missing(without, kind, one)
        status = without.receive_notice(bench.method, notice).status
        expect(status >= 500, f"a notice for a plugin that is gone is answered with {status}: nobody sends it again")
        report = without.chase()
        expect(not report.failed, "recovery stumbles without the plugin")
        bench.pass_time(dt.timedelta(minutes=10))
        without.chase()
    expect(len(bench.notice_states()) == 1, "the stored notice was lost")
    bench.pass_time(dt.timedelta(hours=6))
    bench.settle(payment)
    expect(bench.state(payment) in SECURED, f"with its plugin again, it is {bench.state(payment).value}")


@check("H")
def c69_a_busy_provider_is_asked_later(bench: Bench) -> None:
    """429 means that nothing was sent and when to come again; it is no decline, and the same operation succeeds
    later."""
    direct = Direct(bench)
    with bench.proxy.meddling(mishaps.rate_limited(_WAIT)):
        outcome = direct.begin()
    expect(isinstance(outcome, NotSent), f"429 became {type(outcome).__name__}")
    wait = getattr(outcome, "retry_after", None)
    expect(wait == dt.timedelta(seconds=_WAIT), f"the provider asked for {_WAIT} s and the gateway says {wait}")
    for act in acts(bench):
        payment = act.prepared()
        with bench.proxy.meddling(mishaps.rate_limited(_WAIT), wanted=bench.harness.is_moving):
            act.do(payment)
        operation = act.now(payment)
        expect(operation.state is OpState.PLANNED, f"{act.kind.value} with 429 is {operation.state.value}")
        if act.kind is OperationKind.BEGIN:
            act.do(payment)
        else:
            with bench.no_moves():
                bench.chase(dt.timedelta(seconds=_WAIT / 2))
        bench.settle(payment)
        later = act.now(payment)
        same = later.reference == operation.reference and later.state is OpState.SUCCEEDED
        expect(same, f"{act.kind.value} after 429 is {later.state.value}")
