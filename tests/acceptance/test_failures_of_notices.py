"""Known failures of what providers tell: too early, too late, in any order, in parts, to the wrong place."""

import datetime as dt
import functools
import itertools
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit import EckitError, NotFoundError
from eckit.flows.take_payment import resume_payment
from eckit.kernel import faults
from eckit.kernel.errors import DatabaseUnavailableError
from eckit.kernel.minting import mint
from eckit.order import Order
from eckit.payment import service as payment
from eckit.payment.model import Notice, NotSent, OperationKind, RawRequest, Snapshot
from eckit.payment.rules import status_of
from eckit.payment.rules.references import reference
from eckit.payment.service import beginning
from eckit.shipping.rules import reasons_against
from tests.payment.fakes import CAPABILITIES, DECLINED, METHOD, answer, redirect, voucher
from tests.payment.support import SYSTEM, Payments, make_payments, together, without_shipments

YEN = 1_000
DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop with one gateway, inside the process."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def _waiting(shop: Payments) -> Order:
    """An order whose buyer is at the provider's page."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    return placed


def _paid(shop: Payments, placed: Order, minor: int = YEN) -> Snapshot:
    """The buyer finishes; what the provider sees."""
    op = next(op for op in shop.gateway.seen if op.begin_reference == shop.one(placed).begin_reference)
    shop.gateway.book_begin(op, Money(minor, "JPY"))
    view = shop.gateway.view(op.begin_reference)
    assert isinstance(view, Snapshot)
    return view


def _stored(shop: Payments, state: str) -> tuple[Notice, ...]:
    with shop.begin.read(SYSTEM) as work:
        return payment.notices(work, state=state)


def _state(shop: Payments, placed: Order) -> str:
    return status_of(shop.one(placed), shop.clock.now()).state.value


# -- too early --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 2, 600])
def test_a_notice_before_its_order_is_applied_when_there_is_one(
    shop: Payments, migrated_url: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """PAY-01: the money is told of before the order is there: acknowledged and kept. The order comes at once, after two
    seconds or after ten minutes, in a process that was started anew: the notice is applied by a round of recovery, and
    a second copy changes nothing.
    """
    payment_id = mint("payment")
    name = reference(CAPABILITIES, shop.begin.shop_id, payment_id, OperationKind.BEGIN, 1)
    shop.ledger.move("authorize", name, name, Money(YEN, "JPY"))
    raw = shop.gateway.notice(shop.gateway.view(name))  # type: ignore[arg-type]
    assert 200 == shop.receive(raw)
    for _ in range(seconds):
        shop.clock.advance(dt.timedelta(seconds=1))
        if seconds < 60 or shop.clock.now().second == 0:
            shop.chase()
    assert (1 if seconds else 0) == len(_stored(shop, "waiting"))  # it waits once it was tried

    again = make_payments(migrated_url, gateways=lambda _: (shop.gateway,))
    again.clock.set(shop.clock.now())
    again.begin.shop_id = shop.begin.shop_id
    monkeypatch.setattr(beginning, "mint", lambda kind: payment_id if kind == "payment" else mint(kind))
    placed = again.place()
    monkeypatch.setattr(beginning, "mint", mint)
    again.gateway.script["begin"].append(answer(redirect))
    again.take(placed)
    assert name == again.one(placed).begin_reference
    again.chase_for(dt.timedelta(hours=1))

    assert "authorized" == _state(again, placed)
    assert again.order(placed).confirmed_at is not None
    before = again.one(placed)
    assert 200 == again.tell(raw)
    assert before == again.one(placed)
    assert (1, 0) == (len(_stored(again, "applied")), len(_stored(again, "waiting")))
    assert [] == again.audit()


# -- many times -------------------------------------------------------------------------------------------------------


def test_twenty_copies_at_once_have_one_effect(shop: Payments) -> None:
    """PAY-02: twenty copies in parallel while three workers apply them, the first of which fails in the middle: all are
    acknowledged, what failed is rolled back with its claim, a later copy works, and there is one effect.
    """
    placed = _waiting(shop)
    raw = shop.gateway.notice(_paid(shop, placed))
    failed: list[int] = []

    def fail_once() -> None:
        if not failed:
            failed.append(1)
            raise ValueError("in the middle")

    with faults.armed({"notice.before_commit": faults.call(fail_once)}):
        results = together([*[functools.partial(shop.receive, raw)] * 20, *[shop.apply] * 3])
        shop.apply()
    assert [200] * 20 == results[:20]
    assert [1] == failed
    assert () == shop.one(placed).movements

    shop.clock.advance(dt.timedelta(minutes=1))
    assert 200 == shop.tell(raw)

    assert 1 == len(shop.one(placed).movements)
    assert 1 == shop.events().count("payment.authorized")
    assert 1 == len(_stored(shop, "applied"))
    assert [] == shop.audit()


# -- in any order -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(("fail", "success", "pending"))), ids="-".join)
def test_the_failure_of_one_attempt_is_not_the_orders(shop: Payments, order: tuple[str, ...]) -> None:
    """PAY-10: the first card is declined, the second works; "failed" of the first, "succeeded" and "pending" of the
    second in every order, each twice: paid in the end, and the failure stays with the first attempt.
    """
    placed = shop.place()
    shop.gateway.script["begin"].extend([answer(DECLINED), answer(redirect)])
    shop.take(placed)
    shop.take(placed)
    first, second = shop.all(placed)
    success = _paid(shop, placed)
    views = {
        "fail": shop.gateway.snapshot(first.begin_reference, [], "declined"),
        "success": success,
        "pending": shop.gateway.snapshot(second.begin_reference, [], "waiting_provider"),
    }

    for what in order:
        assert [200, 200] == [shop.tell(shop.gateway.notice(views[what], what)) for _ in range(2)]

    assert "authorized" == _state(shop, placed)
    assert shop.order(placed).confirmed_at is not None
    one, two = shop.all(placed)
    assert (["failed"], ["succeeded"]) == (
        [op.state.value for op in one.operations],
        [op.state.value for op in two.operations],
    )
    assert 1 == shop.events().count("payment.authorized")
    with shop.begin.read(SYSTEM) as work:
        told = {notice.event_key: notice.begin_reference for notice in payment.notices(work, state="applied")}
    assert first.begin_reference == told["fail"]
    assert [] == shop.audit()


# -- in parts ---------------------------------------------------------------------------------------------------------


def _slip(shop: Payments) -> Order:
    """An order to be paid at a store within three days."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(voucher(shop.clock.now() + 3 * DAY)))
    shop.take(placed)
    return placed


def _pay(shop: Payments, placed: Order, minor: int, event: str, currency: str = "JPY") -> int:
    name = shop.one(placed).begin_reference
    shop.ledger.move("capture", name, f"till-{event}", Money(minor, currency))
    return shop.tell(shop.gateway.notice(shop.gateway.view(name), event))  # type: ignore[arg-type]


def test_nothing_leaves_before_all_is_paid(shop: Payments) -> None:
    """PAY-13: a transfer is promised and the order counts: its goods stay. They stay when 999 of 1,000 have come, and
    may leave with the last yen.
    """
    placed = _slip(shop)
    assert ("blocked: funds",) == _against(shop, placed)
    _pay(shop, placed, 999, "1")
    assert ("partially_paid", ("blocked: funds",)) == (_state(shop, placed), _against(shop, placed))
    _pay(shop, placed, 1, "2")

    assert ("paid", ()) == (_state(shop, placed), _against(shop, placed))
    assert [] == shop.audit()


def test_money_taken_back_keeps_the_goods_again(shop: Payments) -> None:
    """PAY-13: paid provisionally at a store, so the goods may leave; taken back, so they stay; paid, so they may."""
    placed = _slip(shop)
    name = shop.one(placed).begin_reference
    seen = [_against(shop, placed)]
    for event, kind in (("1", "capture"), ("2", "capture_reversed"), ("3", "capture")):
        finality = "provisional" if event == "1" else "final"
        till = "till-3" if event == "3" else "till-1"
        shop.ledger.move(kind, name, till, Money(YEN, "JPY"), finality=finality)
        shop.tell(shop.gateway.notice(shop.gateway.view(name), event))  # type: ignore[arg-type]
        seen.append(_against(shop, placed))

    assert [("blocked: funds",), (), ("blocked: funds",), ()] == seen
    assert [] == shop.audit()


def _against(shop: Payments, placed: Order) -> tuple[str, ...]:
    """What is against its goods' leaving."""
    return reasons_against(shop.order(placed), shop.clock.now())


def test_two_parts_around_a_cancellation_both_go_back(shop: Payments) -> None:
    """PAY-13: 400 came, the order is canceled, 600 come: all 1,000 are given back, once."""
    placed = _slip(shop)
    _pay(shop, placed, 400, "1")
    shop.cancel(placed)
    shop.chase()
    _pay(shop, placed, 600, "2")
    for _ in range(3):
        shop.chase_for(dt.timedelta(hours=1))

    assert (YEN, YEN) == (shop.ledger.total("capture"), shop.ledger.total("refund"))
    assert "canceled" == shop.order(placed).state.value
    assert [] == shop.audit()


def test_a_transfer_in_another_currency_pays_nothing(shop: Payments) -> None:
    """PAY-13: 1,000 dollars for 1,000 yen: set aside for a person, nothing is paid by it."""
    placed = _slip(shop)
    assert 200 == _pay(shop, placed, YEN, "1", currency="USD")

    assert ("currency", ()) == (_stored(shop, "quarantined")[0].reason, shop.one(placed).movements)
    assert ("awaiting_funds", ["misfit"]) == (_state(shop, placed), shop.task_kinds())


# -- what is answered -------------------------------------------------------------------------------------------------


def _bug(shop: Payments, raw: RawRequest) -> list[int]:
    with faults.armed({"notice.before_apply": faults.fail()}):
        return [shop.tell(raw)]


def _database_down(shop: Payments, raw: RawRequest) -> list[int]:
    def away(*_: Any) -> int:
        raise DatabaseUnavailableError(what="test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(payment, "keep", away)
        return [shop.receive(raw)]


MATRIX: dict[str, tuple[Callable[[Payments, RawRequest], list[int]], list[int], int]] = {
    "bad signature": (lambda shop, raw: [shop.tell(attrs.evolve(raw, body=raw.body + b" "))], [400], 0),
    "handler bug": (_bug, [200], 1),
    "database down": (_database_down, [503], 0),
    "duplicate": (lambda shop, raw: [shop.tell(raw), shop.tell(raw)], [200, 200], 1),
}
"""What happens → what is done, the answers, and how many notices are stored afterwards."""


@pytest.mark.parametrize("case", MATRIX)
def test_what_a_provider_is_answered(shop: Payments, case: str) -> None:
    """PAY-21: 4xx only for what can never be accepted, 503 for what is not stored, 2xx for all that is; whatever went
    wrong, the same notice sent once more pays the order.
    """
    does, answers, kept = MATRIX[case]
    placed = _waiting(shop)
    raw = shop.gateway.notice(_paid(shop, placed))

    assert answers == does(shop, raw)

    stored = sum(len(_stored(shop, state)) for state in ("waiting", "applied", "quarantined", "unmatched"))
    assert kept == stored
    shop.clock.advance(dt.timedelta(minutes=1))
    assert 200 == shop.tell(raw)
    assert shop.order(placed).confirmed_at is not None
    assert 1 == len(shop.one(placed).movements)


@pytest.mark.parametrize("case", ["unknown event type", "unknown target"])
def test_what_is_not_understood_is_kept(shop: Payments, case: str) -> None:
    """PAY-21: an event of a type nobody knows, or about a payment nobody knows, is acknowledged and kept; nothing
    becomes of it, and the money that is told later pays the order.
    """
    placed = _waiting(shop)
    name = shop.one(placed).begin_reference if case == "unknown event type" else "nobody"
    raw = shop.gateway.notice(shop.gateway.snapshot(name, [], "celebrated"), "odd")

    assert 200 == shop.tell(raw)

    assert (None, ()) == (shop.order(placed).confirmed_at, shop.one(placed).movements)
    assert 1 == sum(len(_stored(shop, state)) for state in ("waiting", "applied", "quarantined"))
    assert 200 == shop.tell(shop.gateway.notice(_paid(shop, placed), "paid"))
    assert shop.order(placed).confirmed_at is not None


# -- reservations nobody needs ----------------------------------------------------------------------------------------


def test_a_void_that_fails_twice_happens_once(shop: Payments) -> None:
    """PAY-23: the order is gone, the provider cannot be reached twice, then the void works: the money is released once,
    and whoever comes back in the meantime cannot order with it.
    """
    placed = shop.place()
    shop.take(placed)
    shop.gateway.script["void"].extend([answer(NotSent(cause="down"))] * 2)
    shop.cancel(placed)
    shop.chase_for(dt.timedelta(hours=3))

    assert (YEN, 1) == (shop.ledger.total("void"), shop.ledger.count("void"))
    assert "voided" == _state(shop, placed)
    with pytest.raises(EckitError):
        shop.take(placed)
    assert [] == [*shop.tasks(), *shop.audit()]


# -- what a browser brings --------------------------------------------------------------------------------------------


def test_a_return_names_no_other_attempt(shop: Payments) -> None:
    """PAY-25: success claimed with another order's ids, five times over, changes nothing; who holds another order's
    token is told that there is none; after a decline "success" is still a decline.
    """
    mine, other = _waiting(shop), _waiting(shop)
    _paid(shop, other)
    theirs = shop.one(other)

    for _ in range(5):
        result = shop.resume(mine, status="success", payment=theirs.id, reference=theirs.begin_reference)
        assert "processing" == result.status.state.value
    assert (None, ()) == (shop.order(mine).confirmed_at, shop.one(mine).movements)
    with pytest.raises(NotFoundError) as caught:
        resume_payment(shop.begin, shop.buyer(other), mine.id, {"status": "success"})
    assert mine.number not in repr(caught.value)

    shop.ledger.words[shop.one(mine).begin_reference] = "declined"
    for _ in range(2):
        assert "declined" == shop.resume(mine, status="success").status.state.value
    assert shop.order(mine).confirmed_at is None
    assert [METHOD] == list({one.method for one in shop.all(mine)})
