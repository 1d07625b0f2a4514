"""What follows from news about money: late money, surplus, cancellations, slips, disputes; each movement once."""

import datetime as dt
import itertools
from typing import Any, ClassVar

import attrs
import pytest
from moneyed import Money

from eckit.kernel.hookspecs import hookimpl
from eckit.order import Order
from eckit.payment import PaymentInDoubtError
from eckit.payment.model import REVIVE, Payment
from eckit.payment.rules import status_of, sums_of
from tests.payment.fakes import CAPABILITIES, DECLINED, FakeGateway, answer, fail_after, redirect, voucher
from tests.payment.support import Payments, make_payments, without_shipments

DAY = dt.timedelta(days=1)
YEN = 1_000


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def state(shop: Payments, placed: Order) -> str:
    return status_of(shop.one(placed), shop.clock.now()).state.value


def reference(shop: Payments, placed: Order) -> str:
    return shop.one(placed).begin_reference


# -- canceled orders --------------------------------------------------------------------------------------------------


def test_authorized_money_of_a_canceled_order_is_voided_once(shop: Payments) -> None:
    """Canceling plans the void in the same transaction; recovery sends it, once."""
    placed = shop.place()
    shop.take(placed)
    shop.cancel(placed)
    shop.cancel(placed)
    shop.chase()
    shop.chase()
    assert (YEN, 1) == (shop.ledger.total("void"), shop.ledger.count("void"))
    assert "voided" == state(shop, placed)
    assert [] == shop.audit()


def test_captured_money_of_a_canceled_order_is_refunded(shop: Payments) -> None:
    """What was taken is given back, and taken off the order."""
    placed = shop.place()
    shop.take(placed)
    shop.capture(shop.one(placed))
    shop.cancel(placed)
    shop.chase()
    assert (YEN, YEN) == (shop.ledger.total("capture"), shop.ledger.total("refund"))
    assert "refunded" == state(shop, placed)
    assert 2 == shop.events().count("payment.applied")
    assert [] == shop.audit()


def test_an_order_canceled_while_the_provider_is_asked_gets_its_money_back(shop: Payments) -> None:
    """The authorization comes for a canceled order: booked, told as late, voided; the order is never confirmed."""
    placed = shop.place()

    def canceled_meanwhile(gateway: FakeGateway, io: Any, op: Any, usual: Any) -> Any:
        outcome = usual()
        shop.cancel(placed)
        return outcome

    shop.gateway.script["begin"].append(canceled_meanwhile)
    assert "voided" == shop.take(placed).status.state.value
    assert (YEN, YEN) == (shop.ledger.total("authorize"), shop.ledger.total("void"))
    assert shop.order(placed).confirmed_at is None
    assert "payment.late" in shop.events()
    assert [] == shop.audit()


def test_an_order_in_doubt_is_not_canceled(shop: Payments) -> None:
    """Nobody knows whether it was paid: canceling waits for that."""
    placed = shop.place()
    shop.gateway.script["begin"].append(fail_after)
    shop.take(placed)
    with pytest.raises(PaymentInDoubtError):
        shop.cancel(placed)


def test_a_void_that_comes_too_late_becomes_a_refund(shop: Payments) -> None:
    """The provider captured by itself: it refuses the void, which shows when it is asked; the money is refunded."""
    placed = shop.place()
    shop.take(placed)
    shop.ledger.move("capture", reference(shop, placed), "auto", Money(YEN, "JPY"))
    shop.cancel(placed)
    shop.chase()
    assert ["begin succeeded", "void failed", "void failed", "void failed"][:2] == shop.states(placed)[:2]
    shop.tell(shop.gateway.notice(shop.gateway.view(reference(shop, placed))))  # type: ignore[arg-type]
    shop.chase()
    assert (YEN, YEN) == (shop.ledger.total("capture"), shop.ledger.total("refund"))
    assert [] == shop.audit()


def test_money_that_cannot_go_back_is_a_task(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that neither voids nor refunds: a person gives it back."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, void=False, refund="none", flows=frozenset({"sale"})))
    placed = shop.place()
    shop.take(placed)
    shop.cancel(placed)
    assert ["give_back"] == shop.task_kinds()
    assert YEN == shop.tasks()[0].amount_minor


def test_a_provider_that_refuses_again_and_again_is_a_task(shop: Payments) -> None:
    """After three refusals a person takes over; it does not go on for ever."""
    placed = shop.place()
    shop.take(placed)
    shop.gateway.script["void"].extend([answer(DECLINED)] * 9)
    shop.cancel(placed)
    for _ in range(5):
        shop.chase()
    assert (3, ["give_back"]) == (len(shop.states(placed)) - 1, shop.task_kinds())


def test_desk_cancellations_are_swept(shop: Payments) -> None:
    """PAY-23: An order canceled without its money: recovery finds the reservation and releases it, once."""
    from eckit.order import service as order
    from tests.payment.support import SYSTEM

    placed, living = shop.place(), shop.place()
    shop.take(placed)
    shop.take(living)
    with shop.begin.write(SYSTEM) as work:
        order.cancel(work, placed.id, reason="canceled")
    shop.clock.advance(dt.timedelta(minutes=11))
    assert 1 == shop.chase().released
    shop.chase_for(dt.timedelta(hours=3))
    assert (1, YEN) == (shop.ledger.count("void"), shop.ledger.total("void"))
    assert "authorized" == state(shop, living)


# -- late money -------------------------------------------------------------------------------------------------------


def slip(shop: Payments, days: int = 3) -> Order:
    """An order to be paid at a store."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(voucher(shop.clock.now() + days * DAY)))
    shop.take(placed)
    return placed


def pay(shop: Payments, placed: Order, minor: int = YEN, *, event: str = "evt", finality: str = "final") -> int:
    """The provider books money and tells."""
    gateway, name = shop.gateway, reference(shop, placed)
    shop.ledger.move("capture", name, f"till-{event}", Money(minor, "JPY"), finality=finality)
    return shop.tell(gateway.notice(gateway.view(name), event))  # type: ignore[arg-type]


def test_a_slip_is_paid(shop: Payments) -> None:
    """The money comes days later by a notice: paid, applied, the operation ended."""
    placed = slip(shop)
    shop.clock.advance(DAY)
    assert 200 == pay(shop, placed)
    assert ("paid", ["begin succeeded"]) == (state(shop, placed), shop.states(placed))
    assert [] == shop.audit()


def test_a_slip_is_paid_provisionally_reversed_and_paid_again(shop: Payments) -> None:
    """The cycle of convenience stores: nothing is applied before the money is confirmed."""
    placed = slip(shop)
    name = reference(shop, placed)
    pay(shop, placed, event="1", finality="provisional")
    assert ("paid_provisional", 0) == (state(shop, placed), shop.events().count("payment.applied"))
    shop.ledger.move("capture_reversed", name, "till-1", Money(YEN, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(name), "2"))  # type: ignore[arg-type]
    assert "awaiting_funds" == state(shop, placed)
    pay(shop, placed, event="3", finality="provisional")
    assert "paid_provisional" == state(shop, placed)
    pay(shop, placed, event="4")
    assert ("paid", 1) == (state(shop, placed), shop.events().count("payment.applied"))
    assert [] == shop.audit()


def test_a_slip_that_runs_out_cancels_its_order(shop: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody paid until a day after the deadline, and the provider says so: the order is canceled as unpaid."""
    from eckit.flows import cancel_unpaid as canceling

    canceled: list[tuple[str, str]] = []
    monkeypatch.setattr(
        canceling, "cancel_order", lambda begin, actor, order_id, *, reason: canceled.append((order_id, reason))
    )
    placed = slip(shop)
    shop.ledger.words[reference(shop, placed)] = "waiting_buyer"
    shop.chase_for(3.8 * DAY, dt.timedelta(hours=3))
    assert ["begin waiting_buyer"] == shop.states(placed)
    shop.chase_for(dt.timedelta(hours=12), dt.timedelta(hours=1))
    assert ["begin expired"] == shop.states(placed)
    assert [(placed.id, "unpaid")] == canceled


def test_late_money_for_a_canceled_order_is_given_back(shop: Payments) -> None:
    """It was booked, told, refunded; nothing was applied to the order."""
    placed = slip(shop)
    shop.ledger.words[reference(shop, placed)] = "waiting_buyer"
    shop.chase_for(5 * DAY, dt.timedelta(hours=6))
    shop.cancel(placed, reason="unpaid")
    pay(shop, placed)
    shop.chase()
    assert (YEN, YEN) == (shop.ledger.total("capture"), shop.ledger.total("refund"))
    assert 1 == shop.events().count("payment.late")
    assert 0 == shop.events().count("payment.applied")
    assert shop.one(placed).operations[0].late
    assert [] == shop.audit()


class Chooses:
    """A plugin that chooses what becomes of late money."""

    name = "chooses"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"payment": 1}

    def __init__(self, choice: Any) -> None:
        self.choice = choice

    @hookimpl
    def choose_late_money(self, order: Order, payment: Payment) -> str | None:
        if isinstance(self.choice, Exception):
            raise self.choice
        return self.choice  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("choice", "task", "refunded"),
    [
        (REVIVE, "revive", 0),
        ("keep", "late_money", 0),
        (ValueError("broken"), "late_money", 0),
        (None, "", YEN),
        ("give_back", "", YEN),
    ],
)
def test_a_plugin_chooses_what_becomes_of_late_money(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, choice: Any, task: str, refunded: int
) -> None:
    """Given back by default. To keep it opens a task; so does a plugin that fails: the money is booked in any case."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, plugins=(Chooses(choice),))
    placed = slip(shop)
    shop.cancel(placed)
    pay(shop, placed)
    for _ in range(3):
        shop.chase()
    assert (YEN, refunded) == (shop.sums(placed).captured_final, shop.ledger.total("refund"))
    assert [task] == (shop.task_kinds() or [""])


def test_a_success_after_the_attempt_expired_still_pays_the_order(shop: Payments) -> None:
    """The buyer took too long, was given up on, and had paid after all: the living order takes it, marked late."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.ledger.words[reference(shop, placed)] = "waiting_buyer"
    shop.chase_for(dt.timedelta(hours=1))
    assert ["begin expired"] == shop.states(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    shop.tell(shop.gateway.notice(shop.gateway.view(reference(shop, placed))))  # type: ignore[arg-type]
    assert shop.order(placed).confirmed_at is not None
    assert ("authorized", True) == (state(shop, placed), shop.one(placed).operations[0].late)


def test_the_second_of_two_successes_is_given_back(shop: Payments) -> None:
    """The first attempt was given up, the second paid; then the first succeeds after all: it is voided, not kept."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(DECLINED))
    shop.take(placed)
    first = shop.one(placed)
    shop.take(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    shop.tell(shop.gateway.notice(shop.gateway.view(first.begin_reference)))  # type: ignore[arg-type]
    shop.chase()
    one, two = shop.all(placed)
    now = shop.clock.now()
    assert ["voided", "authorized"] == [status_of(one, now).state.value, status_of(two, now).state.value]
    assert [] == shop.audit()


def test_more_than_was_asked_is_a_task(shop: Payments) -> None:
    """Overpaid by 500: the order is paid, the rest is not applied, a person is told."""
    placed = slip(shop)
    pay(shop, placed, YEN + 500)
    assert ("overpaid", ["overpaid"]) == (state(shop, placed), shop.task_kinds())
    assert 500 == shop.tasks()[0].amount_minor
    assert [] == shop.audit()


def test_a_transfer_in_two_parts(shop: Payments) -> None:
    """PAY-13: Less than due is booked and applied, and the rest makes it paid."""
    placed = slip(shop)
    pay(shop, placed, 999, event="1")
    assert ("partially_paid", ["begin waiting_buyer"]) == (state(shop, placed), shop.states(placed))
    pay(shop, placed, 1, event="2")
    assert ("paid", ["begin succeeded"]) == (state(shop, placed), shop.states(placed))
    assert [] == shop.audit()


def test_a_slip_closed_by_the_buyer_does_not_cancel_the_order(shop: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another way to pay is to follow: only a slip that ran out means that nobody will pay."""
    from eckit.flows import cancel_unpaid as canceling

    monkeypatch.setattr(canceling, "cancel_order", lambda *_, **__: pytest.fail("canceled"))
    placed = slip(shop)
    shop.void(shop.one(placed), shop.buyer(placed))
    shop.tell(shop.gateway.notice(shop.gateway.snapshot(reference(shop, placed), [], "voided")))
    shop.chase()
    assert "authorized" == shop.take(placed).status.state.value


def test_a_slip_the_provider_calls_expired_cancels_the_order(shop: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by a notice, before our own deadline."""
    from eckit.flows import cancel_unpaid as canceling

    canceled: list[str] = []
    monkeypatch.setattr(canceling, "cancel_order", lambda begin, actor, order_id, *, reason: canceled.append(reason))
    placed = slip(shop)
    shop.tell(shop.gateway.notice(shop.gateway.snapshot(reference(shop, placed), [], "expired")))
    assert (["begin expired"], ["unpaid"]) == (shop.states(placed), canceled)


def test_an_authorization_that_ran_out_is_made_anew(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first reservation is over: a second attempt is begun, kept, and captured for what leaves."""
    from eckit.flows.send_operation import send_planned
    from eckit.payment import service as payment
    from tests.payment.support import SYSTEM

    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, auth_ttl=7 * DAY))
    placed = shop.place()
    shop.take(placed)
    shop.clock.advance(8 * DAY)
    assert "auth_expired" == state(shop, placed)
    assert "authorized" == shop.take(placed).status.state.value
    with shop.begin.write(SYSTEM) as work:
        payment.plan_capture(work, placed.id, YEN)
    send_planned(shop.begin, order_id=placed.id)
    first, second = shop.all(placed)
    assert (0, YEN) == (sums_of(first).captured, sums_of(second).captured)
    assert [] == [*shop.tasks(), *shop.audit()]


# -- news in any order ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_notices_in_any_order_lead_to_the_same_state(shop: Payments, order: tuple[int, ...]) -> None:
    """Authorized, captured, refunded, told one by one in every order: the same sums, status and applications."""
    placed = shop.place()
    shop.take(placed)
    name = reference(shop, placed)
    [authorized] = shop.ledger.entries[name]
    captured = shop.ledger.move("capture", name, "elsewhere", Money(YEN, "JPY"))
    refunded = shop.ledger.move("refund", name, "elsewhere", Money(300, "JPY"))
    entries = [authorized, captured, refunded]
    for number in order:
        shop.tell(shop.gateway.notice(shop.gateway.snapshot(name, [entries[number]]), f"evt_{number}"))
    total = shop.sums(placed)
    assert (YEN, YEN, 300) == (total.authorized, total.captured_final, total.refunded)
    assert "partially_refunded" == state(shop, placed)
    assert [] == shop.audit()


def test_a_late_failure_does_not_undo_a_success(shop: Payments) -> None:
    """PAY-10: A "declined" for an attempt that succeeded, or for an older one, changes nothing of a paid order."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(DECLINED))
    shop.take(placed)
    shop.take(placed)
    for number, one in enumerate(shop.all(placed)):
        view = shop.gateway.snapshot(one.begin_reference, [], "declined")
        assert 200 == shop.tell(shop.gateway.notice(view, f"evt_{number}"))
    assert "authorized" == state(shop, placed)
    assert shop.order(placed).confirmed_at is not None


def test_two_equal_amounts_are_two_movements(shop: Payments) -> None:
    """Two captures of 500 are two; the same capture told by answer, notice and query is one."""
    placed = shop.place()
    shop.take(placed)
    shop.capture(shop.one(placed), 500)
    shop.capture(shop.one(placed), 500)
    for number in range(3):
        shop.tell(shop.gateway.notice(shop.gateway.view(reference(shop, placed)), f"evt_{number}"))  # type: ignore[arg-type]
    assert [YEN, 500, 500] == [one.amount_minor for one in shop.one(placed).movements]
    assert [] == shop.audit()


def test_a_refund_made_in_the_providers_pages_is_booked(shop: Payments) -> None:
    """Told by a notice: counted once, and staff cannot refund the same again."""
    from eckit.payment import TooMuchError

    placed = shop.place()
    shop.take(placed)
    shop.capture(shop.one(placed))
    shop.ledger.move("refund", reference(shop, placed), "dashboard", Money(700, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(reference(shop, placed))))  # type: ignore[arg-type]
    assert 700 == shop.sums(placed).refunded
    with pytest.raises(TooMuchError):
        shop.refund(shop.one(placed), 301)
    shop.refund(shop.one(placed), 300)
    assert [] == shop.audit()


def test_a_dispute_is_booked_whatever_its_amount(shop: Payments) -> None:
    """More was disputed than had been paid: recorded; refunds wait; when it is won all is as before."""
    placed = shop.place()
    shop.take(placed)
    shop.capture(shop.one(placed))
    name = reference(shop, placed)
    shop.ledger.move("dispute", name, "d", Money(1_032, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(name), "evt_1"))  # type: ignore[arg-type]
    assert ("disputed", ["dispute"]) == (state(shop, placed), shop.task_kinds())
    shop.ledger.move("dispute_won", name, "d", Money(1_032, "JPY"))
    shop.tell(shop.gateway.notice(shop.gateway.view(name), "evt_2"))  # type: ignore[arg-type]
    assert "paid" == state(shop, placed)


def test_one_charge_belongs_to_one_attempt(shop: Payments) -> None:
    """A movement that another payment has already is not booked again: a person is told."""
    one, two = shop.place(), shop.place()
    shop.take(one)
    [entry] = shop.ledger.entries[reference(shop, one)]
    shop.gateway.script["begin"].append(
        answer(lambda op: attrs.evolve(shop.gateway.book_begin(op), movement_ref=entry.ref))
    )
    assert shop.take(two).status.needs_human
    assert () == shop.one(two).movements
    assert {"misfit"} == set(shop.task_kinds())
