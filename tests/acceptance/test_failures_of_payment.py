"""Known failures of paying, tried on a whole shop with a real provider: lost answers, races, lagging copies."""

import contextlib
import datetime as dt
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from eckit import EckitError, OrderState
from eckit.cli.notices import NoticeServer
from eckit.kernel.database import Database, DatabaseSettings
from eckit_sandbox import SandboxProcess
from tests.acceptance.hearing import approve_late, confirmations
from tests.acceptance.trial import STAFF, Trial
from tests.cart.support import raised, together
from tests.databases import Server

# -- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mishap", ["act_then_hang(5)", "act_then_reset", "act_then_status(502)", "act_then_truncate"])
def test_a_lost_answer_is_no_failure(
    begun: Callable[..., Trial], provider: SandboxProcess, monkeypatch: pytest.MonkeyPatch, mishap: str
) -> None:
    """PAY-07: the provider charges and its answer is late, lost or broken, and for ten minutes it cannot be asked: in
    doubt, the buyer is told that it is being checked, the order keeps its goods, is not canceled and takes no second
    charge; when the provider can be asked again it is settled.
    """
    settings = provider.settings() | {"timeout": 1}
    monkeypatch.setattr(provider, "settings", lambda: settings)
    trial = begun(provider)
    tea = trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    provider.script(
        {"match": {"operation": "begin"}, "do": mishap}, {"match": {"operation": "query"}, "do": "refuse_before"}
    )

    result = trial.pay(buyer, order)
    assert result.status.in_doubt
    assert result.text("en")
    for _ in range(5):
        trial.pass_time(dt.timedelta(minutes=2))
        trial.shop.chase()
        trial.shop.lapse_orders()
    assert trial.shop.find_payment(buyer, order.id).status.in_doubt
    assert trial.pay(buyer, order).status.in_doubt
    with pytest.raises(EckitError):
        trial.shop.cancel_order(buyer, order.id)
    assert 1 == len(provider.requests("begin"))
    assert (5, 1) == trial.level(tea)

    provider.clear()
    trial.pass_time(dt.timedelta(hours=2))
    trial.shop.chase()

    assert "authorized" == trial.shop.find_payment(buyer, order.id).status.state.value
    assert 1 == confirmations(trial, order.id)
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


# -- captures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["twice", "told before answered", "already captured", "captured there"])
def test_a_capture_is_counted_once(trial: Trial, heard: NoticeServer, how: str) -> None:
    """PAY-16: captured by two of us at once, told by a notice before the answer comes, answered "already captured", or
    captured by the provider itself at the same moment: success, and one entry in the ledger.
    """
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    payment = trial.pay(buyer, order).payment
    assert payment is not None
    steps = {"told before answered": "notice_before_answer", "already captured": "act_already"}
    if how in steps:
        trial.provider.script({"match": {"operation": "capture"}, "do": steps[how]})
    capture = functools.partial(trial.shop.capture_payment, STAFF, payment.id)
    calls: list[Callable[[], Any]] = [capture, trial.shop.apply_notices]
    if how == "twice":
        calls = [capture] * 2
    if how == "captured there":
        calls = [
            capture,
            functools.partial(trial.provider.office, payment.begin_reference, "capture", order.total_minor),
        ]

    results = together(*calls)
    trial.provider.clear()
    trial.provider.wait_for_notices()
    for _ in range(3):
        trial.pass_time(dt.timedelta(minutes=1))
        trial.shop.chase()

    ours = results[:1] if how == "captured there" else results  # of the two there, the provider's own may be refused
    assert [] == [one for one in raised(ours) if not isinstance(one, EckitError)]
    assert "paid" == trial.shop.find_payment(buyer, order.id).status.state.value
    assert ["authorize", "capture"] == [kind for kind, _, _ in trial.ledger()]
    assert trial.ledger() == trial.movements()
    assert heard.received > 0
    assert [] == trial.audit()


# -- late money -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("goods", ["there", "sold out"])
def test_late_money_goes_back_whether_there_are_goods_or_not(trial: Trial, goods: str) -> None:
    """PAY-12: the money comes a second after the order lapsed, the last unit still there or sold to somebody else: what
    is declared happens in both cases, it is booked and given back; the other buyer keeps the unit.
    """
    tea = trial.goods("RARE", 1000, 1)
    buyer, order = trial.order(("RARE", 1))
    waiting = trial.pay(buyer, order, "tok_challenge").payment
    assert waiting is not None
    trial.clock.advance(dt.timedelta(hours=24, seconds=1))
    trial.shop.chase()
    trial.shop.lapse_orders()
    if goods == "sold out":
        trial.order(("RARE", 1))

    approve_late(trial, waiting.begin_reference)
    trial.shop.chase()

    assert OrderState.CANCELED is trial.view(order.id).state
    assert [("authorize", 1600), ("void", 1600)] == [(kind, amount) for kind, amount, _ in trial.ledger()]
    assert trial.ledger() == trial.movements()
    assert (1, int(goods == "sold out")) == trial.level(tea)
    assert [] == trial.audit()


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.soak)])
def test_a_buyer_who_returns_as_the_order_lapses(trial: Trial, rounds: int) -> None:
    """PAY-23: the buyer comes back from the provider in the second in which sweepers clear the order away: either it
    counts and its money stays, or it is gone and the money is released once. Three rounds here, fifty in the soak.
    """
    trial.goods("TEA-50", 648, rounds)
    for _ in range(rounds):
        buyer, order = trial.order(("TEA-50", 1))
        waiting = trial.pay(buyer, order, "tok_challenge").payment
        assert waiting is not None
        trial.provider.approve(waiting.begin_reference)
        trial.clock.advance(dt.timedelta(hours=24, seconds=1))
        trial.provider.set_clock(trial.clock.now())

        results = together(
            functools.partial(trial.shop.resume_payment, buyer, order.id, {}),
            trial.shop.lapse_orders,
            trial.shop.chase,
            trial.shop.lapse_orders,
        )
        assert [] == raised(results)
        for _ in range(3):
            trial.pass_time(dt.timedelta(minutes=11))
            trial.shop.chase()
            trial.shop.lapse_orders()

        kinds = [entry.kind for entry in trial.provider.ledger(waiting.begin_reference)]
        confirmed = trial.view(order.id).confirmed_at is not None
        assert (["authorize"] if confirmed else ["authorize", "void"]) == kinds
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


# -- a copy that lags behind ------------------------------------------------------------------------------------------


@pytest.fixture
def lagging(database: str, database_server: Server, tmp_path: Path) -> Iterator[Database]:
    """A copy of the shop's database that has the tables and has not heard of any row yet."""
    with contextlib.ExitStack() as stack:
        if database == "sqlite":
            file = tmp_path / "lagging.sqlite"
            shutil.copyfile(database_server.sqlite_template(), file)
            url = f"sqlite:///{file}"
        else:
            url = stack.enter_context(database_server.new_database(template=database_server.template()))
        copy = Database(DatabaseSettings(url=url))
        stack.callback(copy.close)
        yield copy


def test_a_notice_is_not_judged_by_a_copy_that_lags_behind(
    trial: Trial, lagging: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAY-18: whatever only reads is sent to a copy that has not heard of the order. The notice comes right after
    placing, is stored and applied: the order is confirmed, for all that was read about it was read in the writing
    transaction.
    """
    trial.goods("TEA-50", 648, 5)
    with NoticeServer().serving() as server:
        server.shop = trial.shop
        trial.provider.notify(server.url)
        trial.provider.script({"match": {}, "do": "notice_drop"})
        buyer, order = trial.order(("TEA-50", 1))
        waiting = trial.pay(buyer, order, "tok_challenge").payment
        assert waiting is not None
        trial.provider.approve(waiting.begin_reference)
        with monkeypatch.context() as patch:
            patch.setattr(trial.shop.database, "_reader", lagging._reader)
            with trial.shop.read(STAFF) as work:
                assert () == work.order.list_orders().items
            assert {200} == set(trial.provider.deliver(payment=waiting.begin_reference))
            while trial.shop.apply_notices():
                pass
        trial.provider.notify(None)

    assert 1 == confirmations(trial, order.id)
    assert "authorized" == trial.shop.find_payment(buyer, order.id).status.state.value
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


# -- a provider that tells before it answers --------------------------------------------------------------------------


def test_a_notice_sent_before_the_answer_waits_for_nobody(trial: Trial, heard: NoticeServer) -> None:
    """CON-12: the provider sends its notice, and waits for the shop to take it, before it answers the charge: the shop
    holds no lock meanwhile, so the notice is stored and applied by a worker at once, and both come to their end.
    """
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    trial.provider.script({"match": {"operation": "begin"}, "do": "notice_before_answer"})
    applied: list[int] = []
    answer = heard.answer

    def at_once(gateway: str, raw: Any) -> tuple[int, bytes]:
        said = answer(gateway, raw)
        applied.append(trial.shop.apply_notices())
        return said

    heard.answer = at_once  # type: ignore[method-assign]
    result = trial.pay(buyer, order)

    assert [1] == applied[:1]
    assert "authorized" == result.status.state.value
    assert 1 == confirmations(trial, order.id)
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()
