"""Notices: verified on their bytes, stored before they are acknowledged, applied once, never lost."""

import datetime as dt
import logging
from typing import Any, ClassVar

import attrs
import pytest
from moneyed import Money

from eckit.flows.receive_notice import apply_notices, receive_notice
from eckit.kernel import faults
from eckit.kernel.errors import DatabaseUnavailableError, NotAllowedError, invalid
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.work import WorkOpenError
from eckit.order import Order
from eckit.payment import Declined, Payment, Snapshot, service as payment, store
from eckit.payment.model import NoSuchPayment, Notice, QueryFailed, RawRequest
from tests.payment.fakes import CAPABILITIES, METHOD, FakeGateway, FakeProvider, answer, redirect
from tests.payment.support import SYSTEM, Payments, make_payments, together, without_shipments

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def waiting(shop: Payments) -> Order:
    """An order whose buyer is at the provider's page."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    return placed


def paid(shop: Payments, placed: Order, minor: int = 1_000) -> Snapshot:
    """The buyer finishes; what the provider sees."""
    op = next(op for op in shop.gateway.seen if op.begin_reference == shop.one(placed).begin_reference)
    shop.gateway.book_begin(op, Money(minor, "JPY"))
    view = shop.gateway.view(op.begin_reference)
    assert not isinstance(view, NoSuchPayment)
    return view


def stored(shop: Payments, state: str) -> tuple[Notice, ...]:
    with shop.begin.read(SYSTEM) as work:
        return payment.notices(work, state=state)


def count(shop: Payments) -> int:
    with shop.begin.read(SYSTEM) as work:
        return store.count_notices(work, METHOD)


# -- receiving --------------------------------------------------------------------------------------------------------


def test_a_notice_is_stored_acknowledged_and_applied(shop: Payments) -> None:
    """The answer is as the gateway declares; the effect comes with the next round."""
    placed = waiting(shop)
    ack = receive_notice(shop.begin, METHOD, shop.gateway.notice(paid(shop, placed)))
    assert (200, b"ok") == (ack.status, ack.body)
    assert shop.order(placed).confirmed_at is None
    assert 1 == shop.apply()
    assert shop.order(placed).confirmed_at is not None
    assert 1 == len(stored(shop, "applied"))
    assert [] == shop.audit()


def test_copies_are_acknowledged_and_applied_once(shop: Payments) -> None:
    """PAY-02: Five copies at once and five later: one effect, each acknowledged."""
    placed = waiting(shop)
    raw = shop.gateway.notice(paid(shop, placed))
    results = together([lambda: shop.receive(raw)] * 5)
    together([shop.apply] * 3)
    results += [shop.tell(raw) for _ in range(5)]
    assert {200} == set(results)
    assert (1, 1, ["payment.authorized"]) == (count(shop), len(shop.one(placed).movements), shop.events())


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: attrs.evolve(raw, headers={}),
        lambda raw: attrs.evolve(raw, headers={"x-mac": ""}),
        lambda raw: attrs.evolve(raw, headers={"x-mac": raw.headers["x-mac"].upper()}),
        lambda raw: attrs.evolve(raw, headers={"x-mac": "é\udcff" * 5_000}),
        lambda raw: attrs.evolve(raw, body=raw.body + b" "),
        lambda raw: attrs.evolve(raw, body=b""),
        lambda raw: attrs.evolve(raw, body=b"\xff\xfe{}"),
        lambda raw: attrs.evolve(raw, body=b"[" * 100_000),
    ],
)
def test_what_is_forged_changes_nothing_and_learns_nothing(shop: Payments, change: Any) -> None:
    """PAY-04: no, another or a re-written signature, rubbish: one and the same refusal, nothing stored or applied."""
    placed = waiting(shop)
    raw = shop.gateway.notice(paid(shop, placed))
    ack = receive_notice(shop.begin, METHOD, change(raw))
    assert (400, b"") == (ack.status, ack.body)
    shop.apply()
    assert (0, None) == (count(shop), shop.order(placed).confirmed_at)


def test_signed_rubbish_is_refused_like_a_forgery(shop: Payments) -> None:
    """A gateway that stumbles over a body, or gives back nonsense, believes nothing in it."""
    for body in (b"not json", b"[1]", b'[{"event": "e"}]', b"[" * 100_000):
        assert 400 == shop.receive(shop.gateway.signed(body))
    assert 0 == count(shop)


def test_the_log_cannot_be_filled_with_forgeries(shop: Payments, caplog: pytest.LogCaptureFixture) -> None:
    """All are counted; the log hears of the 1st, 2nd, 4th, 8th …"""
    with caplog.at_level(logging.WARNING, "eckit.payment.notices"):
        for _ in range(40):
            shop.receive(RawRequest(body=b"4111111111111111"))
    assert 6 == sum("refused a notice" in record.getMessage() for record in caplog.records)
    assert 40 == shop.begin.plugins.tracks["fake", "payment.forged_notice"].calls
    assert "4111111111111111" not in caplog.text


def test_what_is_too_large_is_refused_unread(shop: Payments) -> None:
    """10 MB are not even verified."""
    assert 413 == shop.receive(shop.gateway.signed(b" " * 10_000_000))


def test_a_batch_has_a_row_for_each_record(shop: Payments) -> None:
    """Two payments and one unknown in one request: each is applied apart, the unknown one waits."""
    one, two = waiting(shop), waiting(shop)
    stranger = shop.gateway.snapshot("somebody-elses-reference", [])
    raw = shop.gateway.notice(paid(shop, one), "e1", ("e2", stranger), ("e3", paid(shop, two)))
    assert 200 == shop.tell(raw)
    assert (2, 1) == (len(stored(shop, "applied")), len(stored(shop, "waiting")))
    assert shop.order(one).confirmed_at is not None
    assert shop.order(two).confirmed_at is not None


def test_events_without_an_id_are_known_by_their_bytes(shop: Payments) -> None:
    """Two records without ids in one body are two; the same body again is the same."""
    one, two = waiting(shop), waiting(shop)
    raw = shop.gateway.notice(paid(shop, one), "", ("", paid(shop, two)))
    assert [200, 200] == [shop.tell(raw), shop.tell(raw)]
    assert (2, 2) == (count(shop), len(stored(shop, "applied")))


def test_a_database_that_is_away_asks_for_another_try(shop: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """PAY-21: Not stored, not acknowledged: 503."""

    def away(*_: Any) -> int:
        raise DatabaseUnavailableError(what="test")

    placed = waiting(shop)
    raw = shop.gateway.notice(paid(shop, placed))
    monkeypatch.setattr(payment, "keep", away)
    assert 503 == shop.receive(raw)
    monkeypatch.undo()
    without_shipments(monkeypatch)
    assert 200 == shop.tell(raw)
    assert shop.order(placed).confirmed_at is not None


def test_unknown_gateways(shop: Payments, migrated_url: str) -> None:
    """Nobody's gateway: 404. One that payments were made with and that is away: 503, its plugin may come back."""
    assert 404 == shop.receive(RawRequest(body=b""), "fake.unknown")
    waiting(shop)
    without = make_payments(migrated_url, gateways=lambda clock: (FakeGateway(clock, id="fake.new"),))  # type: ignore[arg-type]
    assert 503 == without.receive(RawRequest(body=b""), METHOD)


def test_no_transaction_may_be_open(shop: Payments) -> None:
    """Inside a Work a notice is refused: it could not be stored before it is acknowledged."""
    with shop.begin.write(SYSTEM), pytest.raises(WorkOpenError):
        shop.receive(RawRequest(body=b""))


def test_no_card_number_is_stored(shop: Payments) -> None:
    """The body is kept as evidence, card numbers taken out; of the headers only harmless ones."""
    view = shop.gateway.snapshot("ref", [])
    raw = shop.gateway.notice(view, "evt")
    body = raw.body.replace(b'"evt"', b'"evt", "card": "4111 1111 1111 1111"')
    assert 200 == shop.receive(attrs.evolve(shop.gateway.signed(body), headers={**shop.gateway.signed(body).headers}))
    with shop.begin.read(SYSTEM) as work:
        row = work.execute(store.notice.select()).one()
    assert b"4111" not in row.body
    assert {"content-type": "application/json"} == row.headers
    assert [] == shop.audit()


# -- applying ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"mode": "live"}, "mode"),
        ({"mode": ""}, "mode"),
        ({"account": "sister-shop"}, "account"),
    ],
)
def test_a_notice_of_another_account_or_mode_changes_nothing(shop: Payments, facts: dict[str, str], why: str) -> None:
    """PAY-14: a signed test event for a live attempt, or of a sister shop: set aside, nothing booked."""
    placed = waiting(shop)
    assert 200 == shop.tell(shop.gateway.notice(attrs.evolve(paid(shop, placed), **facts)))
    [notice] = stored(shop, "quarantined")
    assert (why, (), ["misfit"]) == (notice.reason, shop.one(placed).movements, shop.task_kinds())
    assert "payment.needs_human" in shop.events()
    assert shop.order(placed).confirmed_at is None


def test_a_notice_in_another_currency_changes_nothing(shop: Payments) -> None:
    """Dollars for yen: set aside."""
    placed = waiting(shop)
    view = paid(shop, placed)
    dollars = attrs.evolve(view, movements=(attrs.evolve(view.movements[0], money=Money(1_000, "USD")),))
    shop.tell(shop.gateway.notice(dollars))
    assert ("currency", ()) == (stored(shop, "quarantined")[0].reason, shop.one(placed).movements)


def test_a_notice_of_another_amount_is_booked_and_pays_nothing(shop: Payments) -> None:
    """900 of 1,000: the money is a fact and kept, the order is not confirmed, a person is told."""
    placed = waiting(shop)
    shop.tell(shop.gateway.notice(paid(shop, placed, 900)))
    assert "amount" == stored(shop, "quarantined")[0].reason
    assert [900] == [one.amount_minor for one in shop.one(placed).movements]
    assert (None, ["begin needs_human"]) == (shop.order(placed).confirmed_at, shop.states(placed))
    assert [] == shop.audit()


def test_another_plugins_notice_is_not_believed(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notice verified by one plugin's gateway does not settle a payment of another plugin's."""
    without_shipments(monkeypatch)

    class Other(FakeProvider):
        name = "other"

    clock_of: list[Any] = []

    def gateways(clock: Any) -> tuple[FakeGateway, ...]:
        clock_of.append(clock)
        return (FakeGateway(clock),)

    from eckit.kernel.clock import FixedClock
    from eckit.testing.begin import START

    other = FakeGateway(FixedClock(START), id="other.card")  # type: ignore[arg-type]
    shop = make_payments(migrated_url, gateways=gateways, plugins=(Other(other),))
    placed = waiting(shop)
    assert 200 == shop.receive(other.notice(paid(shop, placed)), "other.card")
    shop.apply()
    assert shop.order(placed).confirmed_at is None
    with shop.begin.read(SYSTEM) as work:
        assert ["gateway"] == [one.reason for one in payment.notices(work, state="quarantined")]


def test_a_notice_before_its_order_waits_for_it(shop: Payments) -> None:
    """PAY-01: Acknowledged, kept, and applied when its payment is there; never answered with an error."""
    view = shop.gateway.snapshot("not-there-yet", [])
    assert 200 == shop.tell(shop.gateway.notice(view))
    [notice] = stored(shop, "waiting")
    assert ("unknown payment", 1) == (notice.reason, notice.tries)
    shop.clock.advance(dt.timedelta(seconds=10))
    assert 1 == shop.apply()


def test_a_notice_that_nobody_waits_for_is_listed_after_three_days(shop: Payments) -> None:
    """72 hours parked, then unmatched: for a person."""
    shop.tell(shop.gateway.notice(shop.gateway.snapshot("nobody", [])))
    for _ in range(80):
        shop.clock.advance(HOUR)
        shop.apply()
    assert (1, 0) == (len(stored(shop, "unmatched")), len(stored(shop, "waiting")))


@pytest.mark.parametrize("point", ["notice.before_apply", "notice.before_commit"])
def test_a_notice_whose_handling_fails_is_tried_again(shop: Payments, point: str) -> None:
    """PAY-02: acknowledged; the failure rolls everything back, other notices go on, the next round applies it."""
    one, two = waiting(shop), waiting(shop)
    shop.receive(shop.gateway.notice(paid(shop, one), "e1"))
    shop.receive(shop.gateway.notice(paid(shop, two), "e2"))
    calls: list[int] = []

    def first_only() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("a bug")

    with faults.armed({point: faults.call(first_only)}):
        assert 2 == shop.apply()
    assert [1, 1] == [len(stored(shop, "applied")), len(stored(shop, "waiting"))]
    shop.clock.advance(dt.timedelta(seconds=10))
    shop.apply()
    assert 2 == len(stored(shop, "applied"))
    assert [] == shop.audit()


def test_a_crash_after_storing_loses_nothing(shop: Payments) -> None:
    """The process dies before the answer goes out: stored, and the copy the provider sends again is the same event."""
    placed = waiting(shop)
    raw = shop.gateway.notice(paid(shop, placed))
    with faults.armed({"receive_notice.after_store": faults.fail()}), pytest.raises(faults.FaultError):
        shop.receive(raw)
    assert 200 == shop.tell(raw)
    assert (1, 1) == (count(shop), len(shop.one(placed).movements))


def test_an_old_notice_changes_nothing_a_day_later(shop: Payments) -> None:
    """Replayed: the event was seen before."""
    placed = waiting(shop)
    raw = shop.gateway.notice(paid(shop, placed))
    shop.tell(raw)
    before = shop.one(placed)
    shop.clock.advance(dt.timedelta(hours=24))
    shop.tell(raw)
    assert before == shop.one(placed)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"status": "a\ud800b"}, 200),
        ({"decline": Declined(code="other", raw_code="a\ud800b\x00")}, 200),
        ({"deadline": dt.datetime.max.replace(tzinfo=dt.UTC)}, 400),
        ({"provider_ref": "a\ud800b"}, 400),
    ],
)
def test_what_cannot_be_stored_is_never_asked_for_again(shop: Payments, facts: dict[str, Any], status: int) -> None:
    """Words are mended and the money is booked; in nonsense nothing is believed. Neither is answered with an error."""
    placed = waiting(shop)
    assert status == shop.tell(shop.gateway.notice(attrs.evolve(paid(shop, placed), **facts)))
    assert (status == 200) == (shop.order(placed).confirmed_at is not None)
    assert [] == shop.audit()


def test_a_movement_of_the_year_one_is_not_booked(shop: Payments) -> None:
    """Some library's least instant: the payment stays readable, and what moved is asked for."""
    placed = waiting(shop)
    view = paid(shop, placed)
    first = attrs.evolve(view.movements[0], at=dt.datetime.min.replace(tzinfo=dt.UTC))
    assert 400 == shop.tell(shop.gateway.notice(attrs.evolve(view, movements=(first,))))
    assert () == shop.one(placed).movements
    shop.resume(placed)
    assert 1_000 == shop.sums(placed).authorized


def test_a_notice_that_can_never_be_applied_is_told_to_a_person(shop: Payments) -> None:
    """After three days of trying it is set aside, and a task says which payment it is about."""
    placed = waiting(shop)
    shop.receive(shop.gateway.notice(paid(shop, placed)))

    def broken() -> None:
        raise ValueError("a bug")

    with faults.armed({"notice.before_apply": faults.call(broken)}):
        for _ in range(14):
            shop.apply()
            shop.clock.advance(6 * HOUR)
    [notice] = stored(shop, "quarantined")
    [task] = shop.tasks()
    assert ("misfit", shop.one(placed).id, notice.id) == (task.kind, task.payment_id, task.about)
    assert "error: ValueError" == notice.reason
    assert notice.reason in task.reason
    assert "payment.needs_human" in shop.events()


class Refuses:
    """A plugin that refuses to say what becomes of late money."""

    name = "refuses"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"payment": 1}

    def __init__(self, refusal: Exception) -> None:
        self.refusal = refusal

    @hookimpl
    def choose_late_money(self, order: Order, payment: Payment) -> str | None:
        raise self.refusal


@pytest.mark.parametrize(
    "refusal", [NotAllowedError(permission="x"), invalid("missing", "x", ""), WorkOpenError(), ValueError()]
)
def test_late_money_is_booked_whatever_a_plugin_says(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    """It cannot be refused, for it is there: a person decides what becomes of it."""
    without_shipments(monkeypatch)
    shop = make_payments(migrated_url, plugins=[Refuses(refusal)])
    placed = waiting(shop)
    shop.cancel(placed)
    assert 200 == shop.tell(shop.gateway.notice(paid(shop, placed)))
    assert 1 == len(stored(shop, "applied"))
    assert (1_000, 1_000) == (shop.sums(placed).authorized, shop.ledger.total("authorize"))
    assert ["late_money"] == shop.task_kinds()
    assert [] == shop.audit()


def test_several_workers_share_the_notices(shop: Payments) -> None:
    """Each notice is dealt with by one worker."""
    orders = [waiting(shop) for _ in range(6)]
    for number, placed in enumerate(orders):
        shop.receive(shop.gateway.notice(paid(shop, placed), f"e{number}"))
    results = together([lambda: apply_notices(shop.begin, limit=2)] * 3)
    while shop.apply():
        pass
    assert not [result for result in results if isinstance(result, Exception)]
    assert 6 == len(stored(shop, "applied"))
    assert 6 == shop.events().count("payment.authorized")


# -- unsigned schemes -------------------------------------------------------------------------------------------------


@pytest.fixture
def unsigned(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url, attrs.evolve(CAPABILITIES, webhook="none"))


def test_an_unsigned_notice_is_only_a_reason_to_ask(unsigned: Payments) -> None:
    """Anybody can send it: what counts is what the provider says when asked."""
    placed = waiting(unsigned)
    name = unsigned.one(placed).begin_reference
    unsigned.ledger.words[name] = "waiting_buyer"
    unsigned.tell(unsigned.gateway.unsigned(name, "forged"))
    assert ((), None) == (unsigned.one(placed).movements, unsigned.order(placed).confirmed_at)
    paid(unsigned, placed)
    unsigned.tell(unsigned.gateway.unsigned(name, "real"))
    assert unsigned.order(placed).confirmed_at is not None


def test_an_unsigned_notice_waits_for_an_answer(unsigned: Payments) -> None:
    """The provider cannot be asked just now: the notice comes up again."""
    placed = waiting(unsigned)
    paid(unsigned, placed)
    unsigned.gateway.script["query"].append(answer(QueryFailed(cause="503")))
    unsigned.tell(unsigned.gateway.unsigned(unsigned.one(placed).begin_reference))
    assert unsigned.order(placed).confirmed_at is None
    unsigned.clock.advance(dt.timedelta(seconds=10))
    unsigned.apply()
    assert unsigned.order(placed).confirmed_at is not None


# -- the browser ------------------------------------------------------------------------------------------------------


def test_a_browser_is_not_believed(shop: Payments) -> None:
    """PAY-25:  "status=success" in the address changes nothing: the provider is asked."""
    placed = waiting(shop)
    for _ in range(3):
        result = shop.resume(placed, status="success", payment="paid")
        assert "authorized" != result.status.state.value
    assert shop.order(placed).confirmed_at is None
    paid(shop, placed)
    assert "authorized" == shop.resume(placed).status.state.value
    assert "authorized" == shop.resume(placed, status="failed").status.state.value


def test_a_failed_challenge_is_a_decline(shop: Payments) -> None:
    """The bank said no: declined with its reason, and a new attempt may be begun."""
    placed = waiting(shop)
    shop.ledger.words[shop.one(placed).begin_reference] = "declined"
    result = shop.resume(placed)
    assert ("declined", "authentication_failed") == (
        result.status.state.value,
        result.decline.code if result.decline else "",
    )
    assert "authorized" == shop.take(placed).status.state.value


def test_browser_and_notice_together_complete_once(shop: Payments) -> None:
    """ORD-03: both arrive at the same instant: one confirmation, both succeed."""
    for _ in range(5):
        placed = waiting(shop)
        raw = shop.gateway.notice(paid(shop, placed), f"evt-{placed.id}")
        results = together([lambda placed=placed: shop.resume(placed), lambda raw=raw: shop.tell(raw)])
        assert not [result for result in results if isinstance(result, Exception)]
        assert shop.order(placed).confirmed_at is not None
        assert 1 == len(shop.one(placed).movements)
    assert 5 == shop.events().count("payment.authorized")


@pytest.mark.parametrize(
    "parameters", [{"card": "4111111111111111"}, {f"p{n}": "" for n in range(51)}, {"x": "y" * 4_001}]
)
def test_what_a_browser_brings_is_bounded(shop: Payments, parameters: dict[str, str]) -> None:
    """Too much, too long, or a card number: refused before anything is asked."""
    from eckit.kernel.errors import InvalidInputError

    placed = waiting(shop)
    with pytest.raises(InvalidInputError):
        shop.resume(placed, **parameters)
