"""A. Declaration: what a gateway says about itself is complete, steady and true."""

import datetime as dt
import pickle
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
from moneyed import CURRENCIES as ALL_CURRENCIES, Money

from eckit.kernel.errors import CompositionError, EckitError
from eckit.kernel.money import from_minor
from eckit.payment.model import (
    Authorized,
    Capabilities,
    Captured,
    Captures,
    OperationKind,
    PaymentState,
    Refunds,
    Rejected,
    Snapshot,
    Unsupported,
    Voids,
)
from eckit.testing.payments.acts import declared_kinds
from eckit.testing.payments.asking import Direct
from eckit.testing.payments.bench import Bench, decimals, expect
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

_PLAIN: Final = (str, int, float, bytes, dt.timedelta, type(None))
_PARTS: Final = {"none", "full", "partial", "multiple"}
_IDEMPOTENCY: Final = {"key", "reference", "none"}
_WEBHOOKS: Final = {"mac", "signature", "address+query", "none"}
_NOT_SENT: Final = (Rejected, Unsupported)
NO_SUCH_SETTING: Final = "no_such_setting"


@check("A")
def c01_capabilities_are_complete_and_stable(bench: Bench) -> None:
    """Capabilities are complete, plain values, and the same whenever they are asked for; the gateway has the id it is
    registered under; settings that it does not know are refused."""
    declared = bench.gateway.capabilities()
    flaws = list(_flaws(declared))
    expect(not flaws, f"capabilities: {'; '.join(flaws)}")
    expect(pickle.loads(pickle.dumps(declared)) == declared, "capabilities do not survive pickling")  # noqa: S301
    bench.paid()
    bench.pass_time(dt.timedelta(days=1))
    expect(bench.gateway.capabilities() == declared, "capabilities changed while the shop was running")
    another = bench.compose()
    expect(another.plugins.thing("payment.gateways", bench.method) is not None, "another shop has no such gateway")
    expect(bench.gateway.capabilities() == declared, "capabilities changed when a second shop was composed")
    settings = bench.harness.settings(bench.proxy.url)
    for name, table in settings.items():
        try:
            bench.compose({**settings, name: {**table, NO_SUCH_SETTING: 1}})
        except CompositionError as error:
            named = any(NO_SUCH_SETTING in problem.path for problem in error.problems)
            expect(named, f"the refusal of an unknown setting of {name} does not name it")
        else:
            expect(False, f"plugin {name} takes settings that it does not know")


def _flaws(declared: Capabilities) -> Iterator[str]:
    yield from (f"{name} is not a plain value" for name in _not_plain(declared))
    if not declared.currencies:
        yield "no currency"
    for currency, (least, most) in declared.currencies.items():
        if currency not in ALL_CURRENCIES or not 0 < least <= most:
            yield f"limits of {currency}"
    if not declared.flows or not declared.flows <= {"authorize", "sale"}:
        yield f"flows {sorted(declared.flows)}"
    if not {declared.capture, declared.refund} <= _PARTS:
        yield f"capture {declared.capture}, refund {declared.refund}"
    if declared.webhook not in _WEBHOOKS:
        yield f"webhook {declared.webhook}"
    if not 200 <= declared.ack.status < 300:
        yield f"ack {declared.ack.status}"
    if declared.mode not in {"test", "live"} or not declared.account:
        yield "mode is neither test nor live, or there is no account"
    abilities = {"begin", *(kind.value for kind in declared_kinds(declared))}
    if not abilities <= set(declared.idempotency) or not set(declared.idempotency.values()) <= _IDEMPOTENCY:
        yield "idempotency is not declared for each operation as key, reference or none"
    if declared.not_found_after is not None and declared.not_found_after.total_seconds() < declared.timeout_s:
        yield "not_found_after is shorter than a request may take"
    spans = (declared.action_ttl, declared.max_pending, declared.horizon, declared.auth_ttl or dt.timedelta(1))
    if min(spans) <= dt.timedelta(0) or declared.timeout_s <= 0:
        yield "a span of time is not above zero"


def _not_plain(value: object, name: str = "") -> Iterator[str]:
    kind: Any = type(value)
    if attrs.has(kind):
        for field in attrs.fields(kind):
            yield from _not_plain(getattr(value, field.name), f"{name}.{field.name}".strip("."))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _not_plain(key, name)
            yield from _not_plain(inner, name)
    elif isinstance(value, tuple | frozenset):
        for inner in value:
            yield from _not_plain(inner, name)
    elif not isinstance(value, _PLAIN):
        yield name


@check("A")
def c03_what_is_declared_works_and_the_rest_is_refused(bench: Bench) -> None:
    """Every declared operation has its method and moves what it says; everything not declared is refused as
    unsupported, without any traffic."""
    _works(bench)
    _is_refused(bench)


def _works(bench: Bench) -> None:
    declared, kinds = bench.capabilities, declared_kinds(bench.capabilities)
    payment = bench.paid()
    if OperationKind.VOID in kinds and bench.reserves:
        bench.shop.void_payment(STAFF, payment.id)
        expect(bench.state(payment) is PaymentState.VOIDED, f"a void came to {bench.state(payment).value}")
    if OperationKind.REFUND in kinds:
        taken = bench.captured()
        bench.shop.refund_payment(STAFF, taken.id, taken.amount, key="all", reason="conformance")
        expect(bench.state(taken) is PaymentState.REFUNDED, f"a refund came to {bench.state(taken).value}")
    for flow, kind in (("authorize", Authorized), ("sale", Captured)):
        if flow in declared.flows:
            direct = Direct(bench)
            outcome = direct.begin(capture=flow == "sale")
            expect(isinstance(outcome, kind), f"{flow} is declared and came to {type(outcome).__name__}")
            wanted = [("authorize" if flow == "authorize" else "capture", bench.harness.amount_minor)]
            expect(direct.moved() == wanted, f"{flow} moved {direct.moved()}")
            found = direct.query()
            told = [(one.kind, one.money) for one in found.movements] if isinstance(found, Snapshot) else found
            expect(told == [(wanted[0][0], direct.money)], f"the query after {flow} tells {told}")


def _is_refused(bench: Bench) -> None:
    declared = bench.capabilities
    gateway = bench.gateway
    protocols = {OperationKind.CAPTURE: Captures, OperationKind.VOID: Voids, OperationKind.REFUND: Refunds}
    for kind in protocols.keys() - set(declared_kinds(declared)):
        payment = bench.paid()
        with bench.silence():
            _expect_unsupported(bench, payment.id, kind)
            if isinstance(gateway, protocols[kind]):
                outcome = Direct(bench).later(kind)
                expect(isinstance(outcome, Unsupported), f"{kind.value} is not declared and answers {outcome}")
    for flow in {"authorize", "sale"} - declared.flows:
        with bench.silence():
            outcome = Direct(bench).begin(capture=flow == "sale")
            expect(isinstance(outcome, _NOT_SENT), f"{flow} is not declared and came to {type(outcome).__name__}")


def _expect_unsupported(bench: Bench, payment_id: Any, kind: OperationKind) -> None:
    flows = {
        OperationKind.CAPTURE: lambda: bench.shop.capture_payment(STAFF, payment_id),
        OperationKind.VOID: lambda: bench.shop.void_payment(STAFF, payment_id),
        OperationKind.REFUND: lambda: bench.shop.refund_payment(
            STAFF, payment_id, bench.money(), key="none", reason="conformance"
        ),
    }
    try:
        flows[kind]()
    except EckitError:
        return
    expect(False, f"{kind.value} is not declared and the shop does it")


@check("A")
def c04_amounts_beyond_the_bounds_are_not_sent(bench: Bench) -> None:
    """The least and the most that is declared are taken; anything beyond, zero and less are refused before anything
    is sent, by the shop and by the gateway itself."""
    currency = bench.harness.currency
    least, most = bench.capabilities.currencies[currency]
    for minor in (least, most):
        order = bench.order(minor)
        bench.pay(order)
        payment = bench.payment(order)
        expect(payment.movements and payment.movements[0].amount_minor == minor, f"{minor} is declared and not taken")
    with bench.silence():
        for minor in (most + 1, *([least - 1] if least > 1 else [])):
            try:
                bench.pay(bench.order(minor))
            except EckitError:
                continue
            expect(False, f"the shop takes {minor} {currency}")
        for minor in (0, -1, -most, least - 1, most + 1):
            outcome = Direct(bench, minor=minor).begin()
            expect(isinstance(outcome, _NOT_SENT), f"{minor} {currency} came to {type(outcome).__name__}")
        for kind in declared_kinds(bench.capabilities):
            if kind is OperationKind.VOID:
                continue
            for minor in (0, -1):
                outcome = Direct(bench).later(kind, minor)
                expect(isinstance(outcome, _NOT_SENT), f"{kind.value} of {minor} came to {type(outcome).__name__}")


@check("A")
def c05_amounts_arrive_as_they_are(bench: Bench) -> None:
    """¥1 is 1 at the provider; currencies with no, two and three decimals arrive exactly; a currency that is not
    declared is refused before anything is sent."""
    declared = bench.capabilities.currencies
    for currency in bench.currencies:
        if currency not in declared:
            continue
        least, most = declared[currency]
        for minor in {least, min(most, max(least, 123_456)), min(most, max(least, 100))}:
            payment = bench.paid(minor, currency)
            entries = bench.harness.provider_ledger(payment.begin_reference)
            booked = [(one.amount_minor, one.currency) for one in entries]
            places = decimals(currency)
            expect(booked == [(minor, currency)], f"{minor} of {currency} ({places} decimals) became {booked}")
    other = next((code for code in _OTHERS if code not in declared), None)
    if other is not None:
        direct = Direct(bench)
        wish = attrs.evolve(direct.begin_op(), money=_other_money(other))
        with bench.silence():
            outcome = direct.send(wish)
        expect(isinstance(outcome, _NOT_SENT), f"{other} is not declared and came to {type(outcome).__name__}")


_OTHERS: Final = ("CHF", "CLF", "ISK", "MRU", "TND", "VND", "XAF", "ZWG")


def _other_money(currency: str) -> Money:
    return from_minor(1_000, currency)
