"""D. Notices: forged, altered, misdirected, malformed."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

import attrs

from eckit.kernel import faults
from eckit.payment.model import ForgedNotice, OpState, Payment, RawRequest
from eckit.testing.payments import mishaps
from eckit.testing.payments.acts import acts
from eckit.testing.payments.bench import SECURED, Bench, expect
from eckit.testing.payments.checks.doubt import in_doubt
from eckit.testing.payments.checks.notices import require_accepted
from eckit.testing.payments.harness import NotApplicable
from eckit.testing.payments.registry import check

_SIGNED: Final = frozenset({"mac", "signature"})
_MAC: Final = re.compile(r"[0-9a-f]{32,}")
_COMPARING: Final = frozenset({"compare_digest", "_compare_digest", "verify"})
_UNDECIDED: Final = frozenset({OpState.IN_DOUBT, OpState.NEEDS_HUMAN})


def _expect_refused(bench: Bench, notice: RawRequest, what: str) -> None:
    known = len(bench.notice_states())
    with bench.silence():
        status = bench.hand_in(notice)
    expect(400 <= status < 600, f"{what}: answered with {status}")
    expect(len(bench.notice_states()) == known, f"{what}: it was stored")


@check("D")
def c31_signatures_are_of_the_raw_bytes(bench: Bench) -> None:
    """The signature is checked over the bytes as they came, and compared in constant time: the same content written
    anew, a changed byte, a missing header, another key, and a MAC in upper case where that is not declared, are
    refused."""
    if bench.capabilities.webhook not in _SIGNED:
        raise NotApplicable("notices are not signed")
    payment = in_doubt(bench, next(acts(bench)))
    notice = bench.notices(payment)[-1]
    for what, altered in _altered(bench, notice):
        _expect_refused(bench, altered, what)
    expect(bench.operation(payment).state is OpState.IN_DOUBT, "an altered notice was believed")
    wrong = bench.harness.deliver(notice, "other_secret")
    expect(_compares_in_constant_time(bench, wrong), "the signature is not compared in constant time")
    require_accepted(bench, notice)
    expect(bench.state(payment) in SECURED, "the unaltered notice was not applied")


def _altered(bench: Bench, notice: RawRequest) -> Iterator[tuple[str, RawRequest]]:
    harness, body = bench.harness, notice.body
    yield "the same content in other bytes", harness.deliver(notice, "reserialized")
    yield "signed with another key", harness.deliver(notice, "other_secret")
    yield "no signature", harness.deliver(notice, "unsigned")
    for place in (0, len(body) // 2, len(body) - 1):
        changed = bytes([body[place] ^ 1])
        yield f"byte {place} changed", attrs.evolve(notice, body=body[:place] + changed + body[place + 1 :])
    yield "a space more at the end", attrs.evolve(notice, body=body + b" ")
    plain = {name: value for name, value in notice.headers.items() if name in {"content-type", "content-length"}}
    yield "all other headers missing", attrs.evolve(notice, headers=plain)
    loud = {name: _MAC.sub(lambda mac: mac[0].upper(), value) for name, value in notice.headers.items()}
    if loud != notice.headers and not harness.upper_case_mac:
        yield "the MAC in upper case", attrs.evolve(notice, headers=loud)


def _compares_in_constant_time(bench: Bench, wrong: RawRequest) -> bool:
    """Whether a function for that purpose is called, whoever imported it from where."""
    called: set[str] = set()

    def note(_: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            called.add(getattr(function, "__name__", ""))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        bench.gateway.open_webhook(wrong, bench.clock.now())
    finally:
        sys.setprofile(before)
    return bool(called & _COMPARING)


@check("D")
def c37_notices_that_do_not_fit_are_set_aside(bench: Bench) -> None:
    """A signed notice with another amount, currency, merchant account or mode does not make the payment paid: it is
    refused or set aside."""
    for mutation in ("amount", "currency", "account", "mode"):
        payment = in_doubt(bench, next(acts(bench)))
        bench.hand_in(bench.harness.deliver(bench.notices(payment)[-1], mutation))
        state = bench.operation(payment).state
        expect(state in _UNDECIDED, f"with another {mutation} it is {state.value}")
        expect(bench.order_now(payment.order_id).confirmed_at is None, f"another {mutation} confirmed the order")
        expect("applied" not in bench.notice_states(), f"a notice with another {mutation} was applied")
        if mutation != "amount":
            expect(not bench.again(payment).movements, f"a notice with another {mutation} was booked")
            bench.settle(payment)


@check("D")
def c39_unsigned_words_are_not_believed(bench: Bench) -> None:
    """What is not signed is at most a reason to ask: a made-up "paid" books nothing, and is refused from a stranger's
    address or where notices are signed."""
    order = bench.order()
    bench.pay(order, "challenge")
    payment = bench.payment(order)
    paid = bench.paid()
    genuine = bench.notices(paid)[-1]
    forged = attrs.evolve(
        genuine, body=genuine.body.replace(paid.begin_reference.encode(), payment.begin_reference.encode())
    )
    expect(forged.body != genuine.body, "a notice does not name its payment")
    if bench.capabilities.webhook in _SIGNED:
        _expect_refused(bench, forged, "a made-up notice")
        _expect_refused(bench, bench.harness.deliver(genuine, "unsigned"), "an unsigned notice")
    else:
        asked = bench.proxy.count(bench.is_question)
        bench.hand_in(forged)
        expect(bench.proxy.count(bench.is_question) > asked, "an unsigned notice is believed or ignored: nobody asked")
    if bench.capabilities.webhook == "address+query":
        _expect_refused(bench, attrs.evolve(forged, remote_ip="203.0.113.9"), "from a stranger's address")
    state = bench.operation(payment).state
    expect(state is OpState.WAITING_BUYER, f"a made-up notice left the payment {state.value}")
    expect(not bench.again(payment).movements, "a made-up notice was booked")


@check("D")
def c40_one_broken_notice_does_not_stop_the_others(bench: Bench) -> None:
    """Of several notices handed in together one is broken and one cannot be applied at first: the others are applied,
    and that one later; and where one push tells several notices, a broken record in it is kept like the others, and
    the others are applied while it waits."""
    _in_several_pushes(bench)
    _in_one_push(bench)


def _in_several_pushes(bench: Bench) -> None:
    payments = [in_doubt(bench, next(acts(bench))) for _ in range(3)]
    notices = [bench.notices(payment)[-1] for payment in payments]
    notices.insert(1, attrs.evolve(notices[0], body=notices[0].body[:-2]))
    failures = _once(RuntimeError("the kit's own"))
    for notice in notices:
        bench.hand_in(notice, apply=False)
    with faults.armed({"notice.before_commit": failures}):
        bench.shop.apply_notices()
    applied = [payment for payment in payments if bench.state(payment) in SECURED]
    expect(len(applied) == len(payments) - 1, f"{len(applied)} of {len(payments)} were applied, and one failed")
    bench.chase_until(lambda: _all_secured(bench, payments), bench.capabilities.horizon)
    expect(_all_secured(bench, payments), "what could not be applied at first never was")


def _in_one_push(bench: Bench) -> None:
    """While nobody can be asked, the good records are enough by themselves."""
    payments = [in_doubt(bench, next(acts(bench))) for _ in range(3)]
    told = [bench.notices(payment)[-1] for payment in payments]
    try:
        push = bench.harness.batch(told, broken=1)
    except NotApplicable:
        return
    known = len(bench.notice_states())
    require_accepted(bench, push, apply=False)
    kept = len(bench.notice_states()) - known
    expect(kept == len(payments), f"of {len(payments)} records in one push {kept} were kept")
    with bench.proxy.meddling(mishaps.status(503, acted=False), wanted=bench.is_question):
        bench.shop.apply_notices()
    secured = [bench.state(payment) in SECURED for payment in payments]
    expect(secured == [True, False, True], f"one record of three is broken; these payments are secured: {secured}")
    bench.chase_until(lambda: _all_secured(bench, payments), bench.capabilities.horizon)
    expect(_all_secured(bench, payments), "the payment of a broken record never came to rest")


def _all_secured(bench: Bench, payments: list[Payment]) -> bool:
    return all(bench.state(payment) in SECURED for payment in payments)


def _once(error: Exception) -> faults.Action:
    """Fail the first time only."""
    left, lock = [error], threading.Lock()

    def act() -> None:
        with lock:
            if left:
                raise left.pop()

    return act


@check("D")
def c42_hostile_notices_are_refused_cleanly(bench: Bench) -> None:
    """Ten megabytes, deep nesting, bytes that are no text, control characters and foreign letters in headers, and
    signed nonsense are refused: nothing is stored, nothing raised."""
    payment = in_doubt(bench, next(acts(bench)))
    good = bench.notices(payment)[-1]
    for what, hostile in _hostile(good):
        _expect_clean_refusal(bench, hostile, what)
    for what, body in _nonsense():
        try:
            signed = bench.harness.signed(body)
        except NotApplicable:
            break
        _expect_clean_refusal(bench, signed, f"{what}, signed")
    expect(bench.operation(payment).state is OpState.IN_DOUBT, "a hostile notice changed a payment")


def _hostile(good: RawRequest) -> Iterator[tuple[str, RawRequest]]:
    yield "ten megabytes", attrs.evolve(good, body=b"x" * 10_000_000)
    for what, body in _nonsense():
        yield what, attrs.evolve(good, body=body)
    for what, text in (
        ("a new line in a header", "t=1\r\nX-Other: 1"),
        ("foreign letters in a header", "署名=検査"),
        ("a lone surrogate in a header", "v1=\udcff"),
        ("an empty header", ""),
        ("a long header", "v1=" + "f" * 100_000),
    ):
        yield what, attrs.evolve(good, headers={name: text for name in good.headers if name != "content-type"})


def _nonsense() -> Iterator[tuple[str, bytes]]:
    yield "no body", b""
    yield "deep nesting", b"[" * 100_000
    yield "deep nesting of objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    yield "bytes that are no text", b"\xff\xfe\x00\xd8" * 10
    yield "a number", b"17"
    yield "a list", b"[1, 2, 3]"
    yield "an object of nothing", b"{}"
    yield "nothing where text belongs", json.dumps(dict.fromkeys(_NAMES)).encode()
    yield "numbers that are none", b'{"amount": NaN, "event_id": Infinity}'


_NAMES: Final = ("id", "event_id", "type", "data", "payment", "status", "order_id", "orderId", "merchantPaymentId")


def _expect_clean_refusal(bench: Bench, notice: RawRequest, what: str) -> None:
    known = len(bench.notice_states())
    try:
        opened: object = bench.gateway.open_webhook(notice, bench.clock.now())
        status = bench.shop.receive_notice(bench.method, notice).status
    except Exception as error:  # noqa: BLE001 -- that is what must not happen
        opened, status = error, 0
    expect(isinstance(opened, ForgedNotice), f"{what}: opened as {type(opened).__name__}")
    expect(400 <= status < 500, f"{what}: answered with {status}")
    expect(len(bench.notice_states()) == known, f"{what}: it was stored")
