"""Money is taken once, whatever happens on the way."""

import datetime as dt
from typing import Any, ClassVar

import attrs
import pytest
from moneyed import Money

from eckit.flows.take_payment import take_payment
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.errors import BusyError, InvalidInputError, NotAllowedError, NotFoundError, ObjectedError, Objection
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.retry import TRIES
from eckit.kernel.secrets import Secret
from eckit.kernel.work import WorkOpenError
from eckit.order import Order
from eckit.payment import (
    AttemptOpenError,
    Begin,
    CardToken,
    NotPayableError,
    Payment,
    PaymentResult,
    Redirect,
    StoredOperation,
    UnknownMethodError,
    Voucher,
    service as payment,
)
from eckit.payment.rules import beginning
from tests.order.quotes import Wish, make_quote
from tests.payment.fakes import (
    CAPABILITIES,
    DECLINED,
    NOT_SENT,
    PENDING,
    FakeGateway,
    answer,
    fail_after,
    fail_before,
    hang,
    hang_before,
    lost_on_the_way,
    redirect,
    voucher,
)
from tests.payment.support import STAFF, SYSTEM, Payments, make_payments, together, without_shipments


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def state(result: PaymentResult) -> str:
    return result.status.state.value


# -- the plain ways ---------------------------------------------------------------------------------------------------


def test_an_authorization_confirms_the_order(shop: Payments) -> None:
    """The first money secured confirms the order; it is reserved, not taken, and of the amount agreed."""
    placed = shop.place()
    assert "authorized" == state(shop.take(placed))
    assert shop.order(placed).confirmed_at is not None
    assert (1_000, 0) == (shop.ledger.total("authorize"), shop.ledger.total("capture"))
    assert ["payment.authorized"] == shop.events()
    assert [] == shop.audit()


def test_a_sale_is_applied_to_the_order(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that can only sell takes the money at once; what is captured is applied."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, flows=frozenset({"sale"})))
    placed = shop.place()
    assert "paid" == state(shop.take(placed))
    assert ["payment.captured", "payment.applied"] == shop.events()
    assert [] == shop.audit()


def test_a_decline_releases_nothing_and_a_new_attempt_pays(shop: Payments) -> None:
    """The order stays as it is; the next attempt is a new payment with a reference of its own."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(DECLINED))
    declined = shop.take(placed)
    assert ("declined", "insufficient_funds") == (state(declined), declined.decline.code if declined.decline else "")
    assert "残高" in declined.text("ja")
    assert shop.order(placed).confirmed_at is None
    assert "authorized" == state(shop.take(placed))
    first, second = shop.all(placed)
    assert first.begin_reference != second.begin_reference
    assert 1_000 == shop.ledger.total("authorize")
    assert [] == shop.audit()


def test_a_redirect_confirms_nothing_and_is_shown_again(shop: Payments) -> None:
    """Sending the buyer away secures nothing. Asked again, the same page is given, without a second call."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    first, second = shop.take(placed), shop.take(placed)
    assert isinstance(first.action, Redirect)
    assert (first.action, "awaiting_buyer") == (second.action, state(second))
    assert shop.order(placed).confirmed_at is None
    assert 1 == len(shop.gateway.seen)


def test_a_voucher_confirms_the_order(shop: Payments) -> None:
    """A slip handed out is a promise: the order counts, though nothing is paid yet."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(voucher(shop.clock.now() + dt.timedelta(days=3))))
    result = shop.take(placed)
    assert isinstance(result.action, Voucher)
    assert (("receipt", "12345-678901"),) == result.action.numbers
    assert "awaiting_funds" == state(result)
    assert shop.order(placed).confirmed_at is not None


def test_a_pending_answer_is_looked_up(shop: Payments) -> None:
    """The provider is still working: the order waits, and recovery finds out."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(PENDING))
    assert "processing" == state(shop.take(placed))
    assert shop.order(placed).confirmed_at is None
    op = shop.gateway.seen[0]
    shop.gateway.book_begin(op)
    shop.clock.advance(dt.timedelta(minutes=1))
    shop.chase()
    assert ["begin succeeded"] == shop.states(placed)
    assert shop.order(placed).confirmed_at is not None


def test_what_costs_nothing_counts_right_away(shop: Payments) -> None:
    """No payment is planned or asked for; taking it confirms the order."""
    placed = shop.place(make_quote([Wish(unit_minor=0)], shipping_minor=(0,)))
    assert () == shop.all(placed)
    result = shop.take(placed)
    assert (None, "paid") == (result.payment, state(result))
    assert shop.order(placed).confirmed_at is not None
    assert [] == shop.gateway.seen


def test_the_gateway_is_given_what_it_needs_and_no_more(shop: Payments) -> None:
    """Reference, amount, deadline, language, the buyer's token and page; nobody's name unless it was declared."""
    placed = shop.place()
    token = CardToken(token=Secret("tok_42"))
    shop.take(placed, instrument=token, return_url="https://shop.example/back")
    [op] = shop.gateway.seen
    assert isinstance(op, Begin)
    assert (Money(1_000, "JPY"), token, "https://shop.example/back") == (op.money, op.instrument, op.return_url)
    assert (placed.pay_by, "ja", "") == (op.deadline, op.locale, op.buyer.name)
    assert op.reference == op.begin_reference == shop.one(placed).begin_reference


# -- once only --------------------------------------------------------------------------------------------------------


def test_two_clicks_are_one_charge_and_one_answer(shop: Payments) -> None:
    """Concurrently or one after the other: one call to the provider, and both are told the same."""
    placed = shop.place()
    shop.gateway.script["begin"].append(hang(0.3))
    results = together([lambda: shop.take(placed)] * 4)
    results.append(shop.take(placed))
    assert {"authorized"} == {state(result) for result in results}
    assert 1 == len({result.payment.id for result in results})
    assert (1, 1_000) == (shop.ledger.count("begin"), shop.ledger.total("authorize"))
    assert [] == shop.audit()


def test_concurrent_new_attempts_are_one(shop: Payments) -> None:
    """After a decline, four clicks begin one further attempt."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(DECLINED))
    shop.take(placed)
    results = together([lambda: shop.take(placed)] * 4)
    assert {"authorized"} == {state(result) for result in results}
    assert 2 == len(shop.all(placed))
    assert 1_000 == shop.ledger.total("authorize")


@pytest.mark.parametrize("script", [PENDING, redirect])
def test_no_second_attempt_while_one_is_open(shop: Payments, script: Any) -> None:
    """Another method is refused until the open attempt is closed; the same one is shown as it stands."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(script))
    first = shop.take(placed)
    assert first.payment == shop.take(placed).payment
    with pytest.raises(AttemptOpenError):
        shop.take(placed, method="fake.other")
    assert 1 == len(shop.all(placed))


def test_no_second_attempt_in_doubt(shop: Payments) -> None:
    """The answer was lost: the buyer is told that it is being checked, and no further charge is offered."""
    placed = shop.place()
    shop.gateway.script["begin"].append(fail_after)
    first = shop.take(placed)
    assert first.status.in_doubt
    assert "charged twice" in first.text("en")
    assert first.status == shop.take(placed).status
    with pytest.raises(AttemptOpenError):
        shop.take(placed, method="fake.other")
    assert 1 == shop.ledger.count("begin")


def test_an_unsent_attempt_may_change_its_method(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent yet: the planned attempt is dropped for one with the other method."""
    without_shipments(monkeypatch)
    shop = make_payments(
        migrated_url,
        gateways=lambda clock: (FakeGateway(clock), FakeGateway(clock, id="fake.other")),  # type: ignore[arg-type]
    )
    placed = shop.place()
    result = shop.take(placed, method="fake.other")
    assert ("authorized", "fake.other") == (state(result), result.payment.method if result.payment else "")
    first, _ = shop.all(placed)
    assert "canceled" == beginning(first).state.value
    assert [] == shop.gateway.seen


def test_what_was_canceled_meanwhile_is_not_charged(shop: Payments) -> None:
    """The planned attempt is dropped with the order."""
    placed = shop.place()
    shop.cancel(placed)
    with pytest.raises(NotPayableError):
        shop.take(placed)
    assert [] == shop.gateway.seen


def test_a_smaller_order_is_charged_less(shop: Payments) -> None:
    """Units canceled before paying lower what is asked: never more than the order costs."""
    from eckit.order import service as order

    placed = shop.place(make_quote([Wish(unit_minor=600), Wish(unit_minor=400)], shipping_minor=(0,)))
    with shop.begin.write(SYSTEM) as work:
        order.cancel_units(work, placed.id, [(placed.lines[1].id, 1)], reason="sold_out")
    shop.take(placed)
    assert 600 == shop.ledger.total("authorize")


# -- whose order ------------------------------------------------------------------------------------------------------


def test_nobody_pays_or_sees_a_strangers_order(shop: Payments) -> None:
    """Without its token an order is not there; staff need the permission."""
    placed = shop.place()
    with pytest.raises(NotFoundError):
        take_payment(shop.begin, Actor.guest("some other token"), placed.id)
    with pytest.raises(NotAllowedError):
        take_payment(shop.begin, Actor.staff("mori", "order.read"), placed.id)
    assert "authorized" == state(take_payment(shop.begin, STAFF, placed.id))


def test_an_unknown_method_is_named(shop: Payments) -> None:
    """A method that nobody registered is refused, and the attempt that was planned stays."""
    placed = shop.place()
    with pytest.raises(UnknownMethodError):
        shop.take(placed, method="fake.other")
    assert "authorized" == state(shop.take(placed))


def test_no_card_number_gets_in(shop: Payments) -> None:
    """A token that is a card number cannot even be made."""
    with pytest.raises(InvalidInputError) as caught:
        CardToken(token=Secret("4111 1111 1111 1111"))
    assert "4111" not in caught.value.text("en") + repr(caught.value)


# -- transactions -----------------------------------------------------------------------------------------------------


def test_no_transaction_is_open_while_the_provider_is_asked(shop: Payments) -> None:
    """Inside a Work it is refused; during the call others can write."""
    placed = shop.place()
    with shop.begin.write(SYSTEM), pytest.raises(WorkOpenError):
        shop.take(placed)

    def busy(gateway: Any, io: Any, op: Any, usual: Any) -> Any:
        with shop.begin.write(SYSTEM) as work:
            work.bump("somebody-else")
        return usual()

    shop.gateway.script["begin"].append(busy)
    assert "authorized" == state(shop.take(placed))


def test_a_notice_before_the_answer_and_the_answer_are_one(shop: Payments) -> None:
    """The provider tells and waits before it answers: both are taken, the movement is one, the order confirmed once."""
    placed = shop.place()

    def tells_first(gateway: FakeGateway, io: Any, op: Any, usual: Any) -> Any:
        outcome = usual()
        view = gateway.view(op.begin_reference)
        assert 200 == shop.tell(gateway.notice(view))  # type: ignore[arg-type]
        return outcome

    shop.gateway.script["begin"].append(tells_first)
    assert "authorized" == state(shop.take(placed))
    assert 1 == len(shop.one(placed).movements)
    assert ["payment.authorized"] == shop.events()
    assert [] == shop.audit()


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_in_doubt_and_then_found(shop: Payments) -> None:
    """PAY-07: It happened and the answer was lost: not failed, not sent again, found by asking."""
    placed = shop.place()
    shop.gateway.script["begin"].append(fail_after)
    assert shop.take(placed).status.in_doubt
    shop.clock.advance(dt.timedelta(seconds=11))
    report = shop.chase()
    assert (1, 1) == (report.asked, report.settled)
    assert shop.order(placed).confirmed_at is not None
    assert (1, 1_000) == (shop.ledger.count("begin"), shop.ledger.total("authorize"))
    assert [] == shop.audit()


def test_a_break_before_sending_is_not_sent_and_can_be_repeated(shop: Payments) -> None:
    """Nothing left: the same attempt with the same reference is sent when the buyer tries again."""
    placed = shop.place()
    shop.gateway.script["begin"].append(fail_before)
    assert ("new", False) == (state(shop.take(placed)), shop.one(placed).operations[0].late)
    assert "authorized" == state(shop.take(placed))
    assert 1 == len(shop.all(placed))
    assert 1 == len({op.reference for op in shop.gateway.seen})
    assert [] == shop.audit()


def test_a_rate_limit_is_not_a_decline(shop: Payments) -> None:
    """The gateway says that nothing was sent: planned again, not declined."""
    placed = shop.place()
    shop.gateway.script["begin"].append(lambda *_: NOT_SENT)
    assert ("new", None) == (state(shop.take(placed)), shop.take(placed).decline)


def test_what_hangs_is_cut_off_and_in_doubt(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off at the gateway's limit after it was sent: in doubt."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, timeout_s=0.2))
    placed = shop.place()
    shop.gateway.script["begin"].append(hang(0.6))
    assert shop.take(placed).status.in_doubt
    assert "timeout" == shop.one(placed).operations[0].cause


def test_what_was_given_up_on_cannot_leave_any_more(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off before anything had left: not sent, and the thread that is left over cannot send it afterwards."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, attrs.evolve(CAPABILITIES, timeout_s=0.2))
    placed = shop.place()
    shop.gateway.script["begin"].append(hang_before(0.5))
    assert "new" == state(shop.take(placed))
    import time

    time.sleep(0.6)
    assert 0 == shop.ledger.total("authorize")
    assert "authorized" == state(shop.take(placed))
    assert 1_000 == shop.ledger.total("authorize")


@pytest.mark.parametrize("nonsense", [None, "ok", 42, {"status": "authorized"}, Money(1_000, "JPY")])
def test_nonsense_is_in_doubt(shop: Payments, nonsense: Any) -> None:
    """An answer of no known type, after sending: it may have happened."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(nonsense))
    assert shop.take(placed).status.in_doubt
    assert shop.order(placed).confirmed_at is None


@pytest.mark.parametrize(
    "impossible",
    [
        {"at": dt.datetime.min.replace(tzinfo=dt.UTC)},
        {"at": dt.datetime.max.replace(tzinfo=dt.UTC)},
        {"expires_at": dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-9)))},
    ],
)
def test_an_impossible_instant_is_in_doubt_and_the_money_is_found(shop: Payments, impossible: dict[str, Any]) -> None:
    """A library's least or greatest instant is no answer: the provider is looked up, and all stays readable."""
    placed = shop.place()
    shop.gateway.script["begin"].append(lambda gateway, io, op, usual: attrs.evolve(usual(), **impossible))
    assert ("processing", ["begin in_doubt"]) == (state(shop.take(placed)), shop.states(placed))
    shop.chase_for(dt.timedelta(minutes=10), dt.timedelta(minutes=1))
    assert ["begin succeeded"] == shop.states(placed)
    assert 1_000 == shop.sums(placed).authorized == shop.ledger.total("authorize")
    assert [] == shop.audit()


def test_a_provider_that_waits_until_the_end_of_time_comes_to_a_person(shop: Payments) -> None:
    """A query that tells such a deadline has failed: recovery goes on, and ends at the horizon."""
    placed = shop.place()
    shop.gateway.script["begin"].append(lost_on_the_way)
    shop.take(placed)
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    for _ in range(40):
        shop.gateway.script["query"].append(
            lambda gateway, io, op, usual: gateway.snapshot(op.begin_reference, [], "waiting_buyer", deadline=never)
        )
    failed = 0
    for _ in range(40):
        shop.clock.advance(dt.timedelta(hours=3))
        failed += shop.chase().failed
    assert (0, ["begin needs_human"]) == (failed, shop.states(placed))


@pytest.mark.parametrize("text", ["https://pay.example/\ud800", "https://pay.example/\x00"])
def test_a_page_that_cannot_be_stored_is_in_doubt(shop: Payments, text: str) -> None:
    """The buyer cannot be sent there; what became of it is looked up."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(lambda op: attrs.evolve(redirect(op), action=Redirect(url=text))))
    assert ("processing", ["begin in_doubt"]) == (state(shop.take(placed)), shop.states(placed))
    assert [] == shop.audit()


def test_a_decline_in_words_that_cannot_be_stored_is_a_decline(shop: Payments) -> None:
    """Nothing was charged, and the buyer may try again."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(attrs.evolve(DECLINED, raw_code="a\ud800b\x00", retry="\ud800")))
    assert ("declined", ["begin failed"]) == (state(shop.take(placed)), shop.states(placed))
    assert "authorized" == state(shop.take(placed))


# -- what is planned is sent ------------------------------------------------------------------------------------------


def busy(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """The database is busy so many times when what is planned is to be taken up."""
    usual, calls = payment.lease_operations, []

    def lease(work: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) <= times:
            raise BusyError(what="55P03")
        return usual(work, **options)

    monkeypatch.setattr(payment, "lease_operations", lease)
    return calls


@pytest.mark.parametrize("times", [1, TRIES])
def test_a_busy_database_undoes_nothing_that_was_committed(
    shop: Payments, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    """The capture is planned and committed: nobody is told that nothing was changed. It is sent after the conflict, or
    by recovery.
    """
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    placed = shop.place()
    shop.take(placed)
    calls = busy(monkeypatch, times)
    result = shop.capture(shop.one(placed), 400)
    gave_up = times == TRIES
    assert ["begin succeeded", "capture planned" if gave_up else "capture succeeded"] == shop.states(placed)
    assert shop.one(placed).operations == result.payment.operations  # type: ignore[union-attr]
    assert gave_up == ("recovery goes on with it" in caplog.text)
    assert calls
    shop.clock.advance(dt.timedelta(minutes=10))
    shop.chase()
    assert (["begin succeeded", "capture succeeded"], 400) == (shop.states(placed), shop.ledger.total("capture"))


def test_an_answer_of_another_amount_is_booked_and_given_to_a_person(shop: Payments) -> None:
    """Authorized 900 of 1,000: the movement is a fact and kept, the order is not confirmed, a person is told."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(lambda op: shop.gateway.book_begin(op, Money(900, "JPY"))))
    result = shop.take(placed)
    assert result.status.needs_human
    assert [900] == [one.amount_minor for one in shop.one(placed).movements]
    assert shop.order(placed).confirmed_at is None
    assert ["misfit"] == shop.task_kinds()
    assert "payment.needs_human" in shop.events()
    assert [] == shop.audit()


def test_an_answer_in_another_currency_is_booked_apart(shop: Payments) -> None:
    """Dollars for yen: kept as told, in no sum, a person is told."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(lambda op: shop.gateway.book_begin(op, Money(1_000, "USD"))))
    assert shop.take(placed).status.needs_human
    assert (0, ["USD"]) == (shop.sums(placed).authorized, [one.currency for one in shop.one(placed).movements])
    assert [] == shop.audit()


@pytest.mark.parametrize(
    ("point", "charged"),
    [
        ("take_payment.after_tx1", 0),
        ("take_payment.after_tx2", 0),
        ("take_payment.after_provider", 1_000),
        ("take_payment.before_commit", 1_000),
    ],
)
def test_a_crash_at_any_point_converges(shop: Payments, point: str, charged: int) -> None:
    """The process dies; after recovery each charge belongs to the order, and the buyer who tries again pays once."""
    placed = shop.place()
    with faults.armed({point: faults.fail()}), pytest.raises(faults.FaultError):
        shop.take(placed)
    assert charged == shop.ledger.total("authorize")
    shop.chase_for(dt.timedelta(minutes=30), dt.timedelta(seconds=20))
    assert "authorized" == state(shop.take(placed))
    assert 1_000 == shop.ledger.total("authorize")
    assert shop.order(placed).confirmed_at is not None
    assert [] == shop.audit()


def test_lost_on_the_way_may_be_sent_again_when_that_is_certain(shop: Payments) -> None:
    """The provider does not know it, asked late enough: the same reference may be sent again."""
    placed = shop.place()
    shop.gateway.script["begin"].append(lost_on_the_way)
    assert shop.take(placed).status.in_doubt
    shop.clock.advance(dt.timedelta(seconds=15))
    shop.chase()
    assert ["begin in_doubt"] == shop.states(placed)  # too early to believe it
    shop.chase_for(dt.timedelta(minutes=20))
    assert ["begin planned"] == shop.states(placed)
    assert "authorized" == state(shop.take(placed))
    assert 1 == len({op.reference for op in shop.gateway.seen if isinstance(op, Begin)})


# -- plugins ----------------------------------------------------------------------------------------------------------


class Objects:
    """A plugin that objects, or fails."""

    name = "objects"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"payment": 1}

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    @hookimpl
    def check_payment_operation(self, payment: Payment, operation: StoredOperation) -> tuple[Objection, ...]:
        if self.fails:
            raise ValueError("no idea")
        return (Objection(code="too-risky"),)


@pytest.mark.parametrize("fails", [False, True])
def test_an_objection_stops_before_anything_is_sent(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """What a plugin objects to is not sent; a plugin that fails counts as one that objects."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, plugins=(Objects(fails=fails),))
    placed: Order = shop.place()
    with pytest.raises(ObjectedError):
        shop.take(placed)
    assert [] == shop.gateway.seen
    assert ["begin planned"] == shop.states(placed)
