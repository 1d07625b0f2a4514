"""kill -9 at every fault point of the shop's everyday; restarted, it finds its way and nobody's money is lost."""

import contextlib
import datetime as dt
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import eckit.migrations.runner  # noqa: F401 -- declares its fault points
from eckit import Actor
from eckit.cli.notices import NoticeServer
from eckit.kernel import faults
from eckit_sandbox import SandboxProcess
from tests.acceptance import killed
from tests.acceptance.stage import Bases, Nursery, Stage, heard_alike, prove, recover, schema_of, work_once
from tests.acceptance.trial import STAFF, START, Trial
from tests.databases import DATABASES

KILLED: Final = -signal.SIGKILL

POINTS: Final[dict[str, tuple[str, int]]] = {
    **{f"place_order.after_{what}": ("buy", 1) for what in (
        "pricing", "claim", "cart", "number_counter", "order", "placement", "order_line", "charge", "payment",
        "operation", "coupon", "promotion", "promotion_customer", "redemption", "level", "hold", "idempotency",
        "history", "outbox", "commit",
    )},
    **{f"take_payment.{when}": ("buy", 1) for when in ("after_tx1", "after_tx2", "after_provider", "before_commit")},
    **{f"capture.{when}": ("refund", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    **{f"void.{when}": ("void", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    **{f"refund.{when}": ("refund", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    "close_attempt.after_provider": ("close", 1),
    "cancel_order.after_plan": ("cancel", 1),
    "ship_order.after_hand_over": ("ship", 1),
    "receive_notice.after_store": ("notice", 2),  # the first tells that the buyer is asked
    "notice.before_apply": ("notice", 3),  # the answer that asks for the buyer, its notice, and then the money's
    "notice.before_commit": ("notice", 3),
    "relay.after_lease": ("tell", 1),
    "relay.after_send": ("tell", 2),
    "relay.before_mark": ("tell", 1),
    "send_mails.after_lease": ("tell", 1),
    "send_mails.after_send": ("tell", 1),
    "migrate.before_commit": ("migrate", 1),
}  # fmt: skip
"""Fault point → the piece of everyday that comes by it, and at which of its passes it dies."""

ONLY_ON: Final = {"place_order.after_number_counter": "sqlite"}
"""PostgreSQL draws an order's number from a sequence, which is no writing statement."""


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where children come from."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def stage(database: str, bases: Bases, nursery: Nursery, provider: SandboxProcess, tmp_path: Path) -> Iterator[Stage]:
    """A shop for children to die in."""

    @contextlib.contextmanager
    def staged(folder: Path) -> Iterator[Stage]:
        folder.mkdir()
        provider.set_clock(START)
        with contextlib.ExitStack() as stack:
            yield Stage(
                kind=database,
                url=stack.enter_context(bases.copy(database, folder)),
                new_empty=lambda: stack.enter_context(bases.empty(database, folder)),
                folder=folder,
                provider=provider,
                nursery=nursery,
            )

    if database not in nursery.rehearsed:
        with staged(tmp_path / "rehearsal") as rehearsal:
            rehearsal.rehearse()
        provider.reset()
    with staged(tmp_path / "stage") as made:
        yield made
        made.close()


def test_the_everyday_comes_by_every_fault_point(stage: Stage) -> None:
    """Exactly the declared points are passed: none is out of reach, none undeclared; and each has a test below."""
    log = stage.folder / "passed"

    code = stage.child([one.__name__ for one in killed.EVERYDAY], ECKIT_FAULTS_LOG=str(log))

    assert "" == stage.error()
    assert 0 == code
    declared = json.loads((stage.folder / "declared").read_text())
    assert declared == sorted(POINTS)
    expected = {point for point in declared if ONLY_ON.get(point, stage.kind) == stage.kind}
    assert sorted(expected) == sorted(set(log.read_text().split()))
    trial = stage.opened()
    recover(trial)
    prove(trial)


CASES: Final = [(kind, point) for kind in DATABASES for point in sorted(POINTS) if ONLY_ON.get(point, kind) == kind]


@pytest.mark.parametrize(("database", "point"), CASES, indirect=["database"])
def test_killed_anywhere_the_shop_recovers(stage: Stage, point: str) -> None:
    """ORD-09, STK-08, QUE-07, CON-08: after a kill -9, a restart and the passing of leases everything has come to an
    end: the audit is clean, the provider's ledger and ours are the same movement by movement, no charge is without an
    order or its return, stock is whole, and the same piece of everyday runs to its end.
    """
    scenario, nth = POINTS[point]
    code = stage.child([scenario], ECKIT_FAULTS=f"{point}=kill@{nth}")
    assert "" == stage.error()
    assert KILLED == code

    trial = stage.opened()
    if scenario == "buy":
        assert _is_placed(trial) == (point == "place_order.after_commit" or not point.startswith("place_order."))
    if scenario == "notice":  # it was the notice of the money that died
        assert trial.ledger()
        assert not trial.movements()
    recover(trial)
    prove(trial)

    killed.SCENARIOS[scenario](trial)
    recover(trial)
    prove(trial)
    heard_alike(stage.folder)


_OF_AN_ORDER: Final = (
    "order", "order_line", "charge", "placement", "payment", "operation", "redemption", "hold", "promotion_customer",
    "idempotency",
)  # fmt: skip


@pytest.mark.parametrize("point", ["ship_order.after_hand_over", "capture.after_sent", "capture.after_provider"])
def test_the_rest_of_a_shipment_whose_money_was_not_yet_taken_comes_back(stage: Stage, point: str) -> None:
    """A part leaves, the process dies before its money is taken, and the rest is canceled before anything recovers."""
    assert KILLED == stage.child(["part"], ECKIT_FAULTS=f"{point}=kill"), stage.error()
    trial = stage.opened()
    with trial.shop.read(STAFF) as work:
        (order,) = work.order.list_orders(limit=10).items
    if point != "ship_order.after_hand_over":  # first it must be known what became of the capture
        recover(trial)

    trial.shop.cancel_order(STAFF, order.id, reason="sold_out")
    recover(trial)

    prove(trial)
    assert ["authorize", "capture", "void"] == sorted(kind for kind, _, _ in trial.ledger())


def _is_placed(trial: Trial) -> bool:
    """Whether the one order there can be is there: with all that belongs to it, or nothing of it."""
    with trial.shop.database.reading() as connection:
        found = {
            table: connection.exec_driver_sql(f"select count(*) from eckit_{table}").scalar_one() > 0
            for table in _OF_AN_ORDER
        }
        carts = connection.exec_driver_sql("select state from eckit_cart").scalars().all()
    taken = carts == ["taken"]
    assert set(found.values()) == {taken}, found
    return taken


# -- the buyer comes back at once -------------------------------------------------------------------------------------

RETURNS: Final = (
    "place_order.after_pricing",
    "place_order.after_outbox",
    "place_order.after_commit",
    "take_payment.after_tx1",
    "take_payment.after_tx2",
    "take_payment.after_provider",
    "take_payment.before_commit",
)


@pytest.mark.parametrize("point", RETURNS)
def test_a_buyer_who_presses_again_pays_once(stage: Stage, point: str) -> None:
    """ORD-09: before any recovery the buyer confirms and pays the same cart again: one order, one charge."""
    assert KILLED == stage.child(["pay"], ECKIT_FAULTS=f"{point}=kill"), stage.error()
    trial = stage.opened()
    trial.pass_time(dt.timedelta(seconds=40))  # an answer that was on its way would be here

    _press(stage, trial)
    trial.pass_time(dt.timedelta(minutes=15))
    work_once(trial)
    _press(stage, trial)  # where the first attempt never reached the provider, this is a new one
    recover(trial)

    prove(trial)
    with trial.shop.read(STAFF) as work:
        orders = work.order.list_orders(limit=10).items
    assert [(stage.cart()[1], True)] == [(one.cart_id, one.confirmed_at is not None) for one in orders]
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]


def _press(stage: Stage, trial: Trial) -> None:
    """The buyer, who has the cart's page open or knows of the order, confirms and pays."""
    if found := stage.ordered():
        trial.pay(*found)
        return
    token, cart_id = stage.cart()
    quote = trial.shop.price_cart(Actor.guest(token), cart_id)
    order = trial.shop.place_order(Actor.guest(token), cart_id, agreed=quote.ref)
    trial.pay(Actor.guest(token, order.token), order)


def _reference(trial: Trial) -> str:
    with trial.shop.database.reading() as connection:
        return str(connection.exec_driver_sql("select begin_reference from eckit_payment").scalar_one())


def test_a_notice_that_was_stored_and_not_acknowledged_comes_again(stage: Stage) -> None:
    """QUE-07: killed between storing a notice and acknowledging it; the provider sends it again, and it is stored and
    applied once.
    """
    assert KILLED == stage.child(["notice"], ECKIT_FAULTS="receive_notice.after_store=kill@2"), stage.error()
    trial = stage.opened()
    server = NoticeServer()
    server.shop = trial.shop
    with server.serving():
        trial.provider.notify(server.url)
        for _ in range(2):
            assert {200} == set(trial.provider.deliver(payment=_reference(trial), copies=2))
    trial.provider.notify(None)
    recover(trial)

    prove(trial)
    with trial.shop.database.reading() as connection:
        rows = connection.exec_driver_sql("select event_key, state from eckit_notice").all()
    assert {"applied"} == {row.state for row in rows}
    assert len(rows) == len({row.event_key for row in rows})
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]


# -- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "passes"),
    [
        ("relay.after_send", (12, 9, 8)),
        ("relay.before_mark", (1, 1, 1)),
        ("send_mails.after_send", (1, 1, 1)),
        *(
            pytest.param(point, (nth,) * 50, marks=pytest.mark.soak)
            for point, nth in (("relay.after_send", 8), ("relay.before_mark", 1), ("send_mails.after_send", 1))
        ),
    ],
)
def test_what_was_sent_and_not_marked_is_sent_again_the_same(stage: Stage, point: str, passes: tuple[int, ...]) -> None:
    """QUE-03: killed between sending and marking again and again; each event and mail comes at least once, with one id
    and one body however often it comes. Three kills here, fifty in the soak.
    """
    for nth in passes:
        assert KILLED == stage.child(["tell"], ECKIT_FAULTS=f"{point}=kill@{nth}"), stage.error()
    trial = stage.opened()
    recover(trial)

    prove(trial)
    seen, repeats = heard_alike(stage.folder)
    assert repeats > 0
    with trial.shop.database.reading() as connection:
        rows = connection.exec_driver_sql("select id, name from eckit_outbox")
        events = {f"heard:{row.id}:{row.name}" for row in rows if row.name.startswith(("order.placed", "payment."))}
        mails = connection.exec_driver_sql("select event_id, kind from eckit_mail").all()
    assert events <= seen
    assert {f"letters:<{row.event_id}.{row.kind}@shop.example>" for row in mails} <= {
        one.rpartition(":")[0] for one in seen
    }


def test_a_worker_told_to_stop_finishes_what_it_is_sending(stage: Stage) -> None:
    """QUE-07: SIGTERM in the middle of a mail and of a capture: both are finished and marked; the worker ends."""
    code = stage.child(["be_told_to_stop"], ECKIT_FAULTS="send_mails.after_send=delay:1,capture.after_sent=delay:1")

    assert "" == stage.error()
    assert 0 == code
    letters = killed.noted(stage.folder / "letters")
    trial = stage.opened()
    with trial.shop.database.reading() as connection:
        sent = connection.exec_driver_sql("select count(*) from eckit_mail where state = 'sent'").scalar_one()
    assert (len(letters), ["authorize", "capture"]) == (sent, [kind for kind, _, _ in trial.ledger()])
    assert sent > 0
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


# -- goods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["level", "hold", "history", "outbox"])
def test_a_step_after_the_hold_that_fails_leaves_no_hold(stage: Stage, after: str) -> None:
    """STK-08: an exception at any step after the reservation takes it back at once; nothing was placed."""
    trial = stage.opened()
    with (
        faults.armed({f"place_order.after_{after}": faults.fail(OSError("disk gone"))}),
        pytest.raises(OSError, match="disk"),
    ):
        killed.buy(trial)

    assert (killed.STOCK, 0) == trial.level(killed.variant(trial))
    assert [] == trial.audit()


def test_a_declined_order_gives_its_goods_back_when_it_lapses(stage: Stage) -> None:
    """STK-08: a decline keeps the goods for another try until the order lapses, and no longer."""
    trial = stage.opened()
    buyer, order = killed.placed(trial)
    trial.pay(buyer, order, "tok_declined_insufficient_funds")
    assert (killed.STOCK, 2) == trial.level(killed.variant(trial))

    recover(trial)

    assert (killed.STOCK, 0) == trial.level(killed.variant(trial))
    prove(trial)


# -- migrations -------------------------------------------------------------------------------------------------------

EVERY: Final = 10**9


@pytest.mark.parametrize("places", [12, pytest.param(EVERY, marks=pytest.mark.soak)], ids=["12", "every"])
def test_an_upgrade_killed_half_way_starts_again_from_nothing(
    stage: Stage, bases: Bases, tmp_path: Path, places: int
) -> None:
    """MIG-04: killed before twelve statements of an upgrade, evenly spread from the first to the last (in the soak
    before every one), the database has no table at all; run again, it has the same tables as if nothing had happened.
    """
    whole = tmp_path / "whole"
    whole.mkdir()
    with bases.empty(stage.kind, whole) as url:
        stage.empty = url
        assert 0 == stage.child(["migrate"], statement=10**9), stage.error()
        expected = schema_of(url)
    stage.empty = ""
    count = len(killed.noted(stage.folder / "statements"))

    places = min(places, count)
    for place in range(places):
        nth = 1 + place * (count - 1) // (places - 1)
        assert KILLED == stage.child(["migrate"], statement=nth), f"statement {nth} of {count}: {stage.error()}"
        assert [] == schema_of(stage.empty), f"statement {nth} of {count}"

    killed.migrate(stage.opened())
    assert expected == schema_of(stage.empty)
    assert len(expected) > 100
