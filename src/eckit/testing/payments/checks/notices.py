"""D. Notices: stored once, applied once, in any order, early, late or never."""

import datetime as dt
import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

import sqlalchemy as sa

from eckit.kernel import faults, outbox
from eckit.kernel.money import from_minor
from eckit.order.model import OrderConfirmed
from eckit.payment import store
from eckit.payment.model import OperationKind, OpState, Payment, PaymentState, RawRequest
from eckit.testing.payments.acts import acts, declared_kinds
from eckit.testing.payments.asking import Direct
from eckit.testing.payments.bench import SECURED, SETTLED, Bench, expect
from eckit.testing.payments.checks.doubt import in_doubt
from eckit.testing.payments.checks.once import at_once
from eckit.testing.payments.registry import check
from eckit.testing.payments.seeding import STAFF

ACK_LIMIT_S: Final = 2.0
_SLOW_S: Final = 0.5
PARKED_FOR: Final = dt.timedelta(hours=72)


def require_accepted(bench: Bench, notice: RawRequest, *, apply: bool = True) -> None:
    """Insist that a notice is acknowledged as declared."""
    status = bench.hand_in(notice, apply=apply)
    declared = bench.capabilities.ack.status
    expect(status == declared, f"a good notice is answered with {status} instead of {declared}")


@check("D")
def c30_a_notice_is_stored_and_acknowledged_at_once(bench: Bench) -> None:
    """A valid notice is acknowledged with the declared status and body within two seconds, however slow its handling
    is; opening it asks nobody anything."""
    payment = bench.paid()
    notice = bench.notices(payment)[-1]
    with bench.silence():
        bench.gateway.open_webhook(notice, bench.clock.now())
        started = time.monotonic()
        ack = bench.shop.receive_notice(bench.method, notice)
        took = time.monotonic() - started
    expect(ack == bench.capabilities.ack, f"it is answered with {ack}")
    expect(took < ACK_LIMIT_S, f"it is answered after {took:.1f} s")
    other = bench.notices(bench.paid())[-1]
    with faults.armed({"notice.before_apply": faults.delay(_SLOW_S)}):
        slow = threading.Thread(target=bench.shop.apply_notices)
        slow.start()
        started = time.monotonic()
        require_accepted(bench, other, apply=False)
        took = time.monotonic() - started
        slow.join()
    expect(took < ACK_LIMIT_S, f"while another is handled, it is answered after {took:.1f} s")
    bench.shop.apply_notices()
    expect(set(bench.notice_states()) == {"applied"}, f"the notices are {bench.notice_states()}")


@check("D")
def c32_one_movement_is_one_row(bench: Bench) -> None:
    """A notice that comes five times at once is applied once; the same movement told by answer, notice and query is
    one row; two movements of one amount are two rows."""
    payment = bench.paid()
    notice = bench.notices(payment)[-1]
    failed = [one for one in at_once(*[lambda: _handed_in(bench, notice)] * 5) if isinstance(one, Exception)]
    expect(not failed, f"the same notice at once: {failed}")
    bench.shop.apply_notices()
    expect(bench.notice_states() == ["applied"], f"a notice that came five times is {bench.notice_states()}")
    _expect_one_row(bench, payment, "answer and notices")
    asked = in_doubt(bench, next(acts(bench)))
    bench.settle(asked)
    for told in bench.notices(asked):
        require_accepted(bench, told)
    _expect_one_row(bench, asked, "query and notices")
    told_first = in_doubt(bench, next(acts(bench)))
    require_accepted(bench, bench.notices(told_first)[-1])
    bench.settle(told_first)
    _expect_one_row(bench, told_first, "notice and query")
    if bench.capabilities.capture == "multiple" and bench.reserves:
        _equal_amounts(bench)


def _handed_in(bench: Bench, notice: RawRequest) -> int:
    return bench.hand_in(notice)


def _expect_one_row(bench: Bench, payment: Payment, what: str) -> None:
    rows = len(bench.again(payment).movements)
    expect(rows == 1, f"{what} told of one movement, and {rows} are booked")


def _equal_amounts(bench: Bench) -> None:
    payment = bench.paid()
    half = from_minor(payment.amount_minor // 2, payment.currency)
    for _ in range(2):
        bench.shop.capture_payment(STAFF, payment.id, half)
    for notice in bench.notices(payment):
        require_accepted(bench, notice)
    booked = Counter((one.kind, one.amount_minor) for one in bench.again(payment).movements)
    expect(booked["capture", payment.amount_minor // 2] == 2, f"two captures of one amount are booked as {booked}")


_Books: TypeAlias = tuple[PaymentState, tuple[tuple[str, int], ...]]


@check("D")
def c33_the_order_of_notices_does_not_matter(bench: Bench) -> None:
    """Notices of an authorization, a capture and a refund come to the same state and the same movements in every
    order."""
    seen: dict[_Books, tuple[int, ...]] = {}
    wanted = 1 + len({OperationKind.CAPTURE, OperationKind.REFUND} & set(declared_kinds(bench.capabilities)))
    for order in itertools.permutations(range(wanted)):
        payment = bench.payment(bench.order())
        notices = _acted_behind(bench, payment)
        expect(len(notices) >= wanted, f"{len(notices)} notices tell of {wanted} changes")
        for place in order:
            require_accepted(bench, notices[place - wanted])
        seen.setdefault(_books(bench, payment), order)
    told = {" ".join(map(str, order)): state.value for (state, _), order in seen.items()}
    expect(len(seen) == 1, f"the result depends on the order of notices: {told}")


def _acted_behind(bench: Bench, payment: Payment) -> Sequence[RawRequest]:
    """Begin, capture and refund by another process, whose shop heard nothing of it."""
    direct = Direct(bench, of=payment)
    direct.begin()
    kinds = declared_kinds(bench.capabilities)
    for seq, kind in enumerate((OperationKind.CAPTURE, OperationKind.REFUND), start=2):
        if kind in kinds:
            direct.later(kind, seq=seq)
    return bench.notices(payment)


def _books(bench: Bench, payment: Payment) -> _Books:
    movements = sorted((one.kind, one.amount_minor) for one in bench.again(payment).movements)
    return bench.state(payment), tuple(movements)


@check("D")
def c34_notice_and_answer_complete_once(bench: Bench) -> None:
    """A notice that comes before our own answer is written down, and one that comes together with the buyer's
    browser, complete the payment once."""
    order = bench.order()
    planned = bench.payment(order)

    def overtake() -> None:
        for notice in bench.notices(planned):
            require_accepted(bench, notice)

    with faults.armed({"take_payment.after_provider": faults.call(overtake)}) as watch:
        result = bench.pay(order)
    expect(watch.count("take_payment.after_provider") == 1, "the payment was not sent once")
    expect(result.status.state in SECURED, f"a notice was faster, and it is {result.status.state.value}")
    _expect_one_row(bench, planned, "a notice before the answer")
    challenged = bench.order()
    bench.pay(challenged, "challenge")
    payment = bench.payment(challenged)
    bench.harness.buyer("approve", payment.begin_reference)
    notice = bench.notices(payment)[-1]
    calls = (lambda: bench.shop.resume_payment(STAFF, challenged.id), lambda: _handed_in(bench, notice))
    failed = [one for one in at_once(*calls) if isinstance(one, Exception)]
    expect(not failed, f"browser and notice at once: {failed}")
    bench.settle(payment)
    _expect_one_row(bench, payment, "browser and notice")
    expect(bench.state(payment) in SECURED, f"it is {bench.state(payment).value}")
    confirmed = _announced(bench, OrderConfirmed.name)
    expect(confirmed == 2, f"two orders were confirmed {confirmed} times")


def _announced(bench: Bench, name: str) -> int:
    table = outbox.outbox
    with bench.shop.read(STAFF) as work:
        query = sa.select(sa.func.count()).select_from(table).where(table.c.name == name)
        return int(work.execute(query).scalar_one())


@check("D")
def c35_late_failure_of_an_old_attempt_changes_nothing(bench: Bench) -> None:
    """The notice of an earlier attempt's failure does not touch a newer attempt that succeeded."""
    order = bench.order()
    bench.pay(order, "challenge")
    old = bench.payment(order)
    bench.harness.buyer("deny", old.begin_reference)
    result = bench.shop.resume_payment(STAFF, order.id)
    expect(result.status.state is PaymentState.DECLINED, f"a denied attempt is {result.status.state.value}")
    bench.pay(order)
    new = bench.payment(order)
    expect(new.id != old.id and bench.state(new) in SECURED, "a second attempt was not possible")
    before = bench.again(new)
    for notice in bench.notices(old):
        require_accepted(bench, notice)
    expect(bench.again(new) == before, "the old attempt's failure changed the new attempt")
    expect(bench.state(old) is PaymentState.DECLINED, f"the old attempt is {bench.state(old).value}")
    expect(bench.order_now(order).confirmed_at is not None, "the order is not confirmed any more")


@check("D")
def c36_a_notice_before_its_payment_is_kept(bench: Bench) -> None:
    """A notice about a payment that is not known yet is acknowledged and applied when it is; one whose payment never
    appears is kept for a person."""
    payment = in_doubt(bench, next(acts(bench)))
    stranger = bench.paid()
    _call(bench, payment, f"{payment.begin_reference}x")
    _call(bench, stranger, f"{stranger.begin_reference}x")
    for one in (payment, stranger):
        require_accepted(bench, bench.notices(one)[-1])
    expect(set(bench.notice_states()) == {"waiting"}, f"notices of unknown payments are {bench.notice_states()}")
    _call(bench, payment, payment.begin_reference)
    bench.pass_time(dt.timedelta(minutes=1))
    bench.shop.apply_notices()
    expect(bench.state(payment) in SECURED, f"now that it is known, it is {bench.state(payment).value}")
    deadline = bench.clock.now() + PARKED_FOR * 1.5
    while "waiting" in bench.notice_states() and bench.clock.now() < deadline:
        bench.pass_time(dt.timedelta(hours=6))
        bench.shop.apply_notices()
    expect(sorted(bench.notice_states()) == ["applied", "unmatched"], f"at last they are {bench.notice_states()}")
    _call(bench, stranger, stranger.begin_reference)


def _call(bench: Bench, payment: Payment, reference: str) -> None:
    """Let a payment have another name, as if it had not been committed yet."""
    table = store.payment
    with bench.shop.begin.upkeep() as connection:
        connection.execute(sa.update(table).where(table.c.id == payment.id).values(begin_reference=reference))


@check("D")
def c38_old_notices_change_nothing(bench: Bench) -> None:
    """A notice that is delivered again, at once or a day later, changes nothing; where the scheme has a time, a
    notice that is too old is refused."""
    payment = bench.captured()
    notices = bench.notices(payment)
    for notice in notices:
        require_accepted(bench, notice)
    before = bench.again(payment)
    for later in (dt.timedelta(0), dt.timedelta(hours=24)):
        bench.pass_time(later)
        for notice in notices:
            bench.hand_in(notice)
        expect(bench.again(payment) == before, f"delivered again after {later}, it changed something")
    limit = bench.harness.notice_time_limit
    if limit is None:
        return
    fresh = bench.notices(bench.paid())[-1]
    known = len(bench.notice_states())
    stale = bench.harness.deliver(fresh, "stale")
    status = bench.hand_in(stale)
    expect(status >= 400 and len(bench.notice_states()) == known, f"a stale notice is answered with {status}")


@check("D")
def c41_polling_alone_gets_there(bench: Bench) -> None:
    """If every notice is lost, recovery comes to the same final state by asking."""
    order = bench.order()
    bench.pay(order, "challenge")
    payment = bench.payment(order)
    bench.harness.buyer("approve", payment.begin_reference)
    reached = bench.chase_until(lambda: bench.state(payment) in SECURED, bench.capabilities.action_ttl * 3)
    expect(reached, f"the buyer approved, and without a notice it is {bench.state(payment).value}")
    expect(bench.order_now(order).confirmed_at is not None, "the order was not confirmed")
    for act in acts(bench):
        polled = in_doubt(bench, act)
        bench.settle(polled)
        state = act.now(polled).state
        expect(state in SETTLED and state is OpState.SUCCEEDED, f"{act.kind.value} is {state.value}")
    if bench.capabilities.refund_async:
        taken = bench.captured()
        bench.harness.provider("refund_async")
        bench.shop.refund_payment(STAFF, taken.id, taken.amount, key="all", reason="conformance")
        refund = bench.operation(taken, OperationKind.REFUND)
        bench.harness.buyer("resolve", refund.reference)
        bench.settle(taken)
        expect(bench.state(taken) is PaymentState.REFUNDED, f"the refund is {bench.state(taken).value}")
