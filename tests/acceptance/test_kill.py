"""kill -9 at every fault point of the shop's everyday; restarted, it finds its way and nobody's money is lost."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import eckit.migrations.runner  # noqa: F401 -- declares its fault points
from eckit.kernel import faults
from eckit_sandbox import SandboxProcess
from tests.acceptance import killed
from tests.acceptance.stage import Bases, Nursery, Stage, heard_alike, prove, recover
from tests.acceptance.trial import START
from tests.databases import Server

KILLED: Final = -signal.SIGKILL

POINTS: Final[dict[str, tuple[str, int]]] = {
    **{f"place_order.after_{what}": ("buy", 1) for what in (
        "pricing", "cart", "number_counter", "order", "placement", "order_line", "charge", "payment", "operation",
        "coupon", "promotion", "promotion_customer", "redemption", "level", "hold", "idempotency", "history", "outbox",
        "commit",
    )},
    **{f"take_payment.{when}": ("buy", 1) for when in ("after_tx1", "after_tx2", "after_provider", "before_commit")},
    **{f"capture.{when}": ("refund", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    **{f"void.{when}": ("void", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    **{f"refund.{when}": ("refund", 1) for when in ("after_plan", "after_sent", "after_provider", "before_commit")},
    "cancel_order.after_plan": ("cancel", 1),
    "ship_order.after_hand_over": ("ship", 1),
    "receive_notice.after_store": ("notice", 1),
    "notice.before_apply": ("notice", 2),  # the first is the answer that asks for the buyer
    "notice.before_commit": ("notice", 2),
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
def bases(
    database_server: Server, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bases]:
    """Shops to copy."""
    made = Bases(database_server, sandbox_process, tmp_path_factory.mktemp("bases"))
    yield made
    made.drop()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where children come from."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def stage(database: str, bases: Bases, nursery: Nursery, provider: SandboxProcess, tmp_path: Path) -> Iterator[Stage]:
    """A shop for children to die in."""
    with bases.copy(database, tmp_path) as url, bases.empty(database, tmp_path) as empty:
        provider.set_clock(START)
        made = Stage(kind=database, url=url, empty=empty, folder=tmp_path, provider=provider, nursery=nursery)
        yield made
        made.close()


def test_the_everyday_comes_by_every_fault_point(stage: Stage) -> None:
    """Exactly the declared points are passed: none is out of reach, and none is passed without being declared."""
    log = stage.folder / "passed"

    code = stage.child(list(killed.SCENARIOS), ECKIT_FAULTS_LOG=str(log))

    assert "" == stage.error()
    assert 0 == code
    expected = {point for point in faults.declared() if ONLY_ON.get(point, stage.kind) == stage.kind}
    assert sorted(expected) == sorted(set(log.read_text().split()))
    trial = stage.opened()
    recover(trial)
    prove(trial)


def test_every_fault_point_has_its_turn() -> None:
    """Each declared point has a test that dies there."""
    assert sorted(faults.declared()) == sorted(POINTS)


@pytest.mark.parametrize("point", sorted(POINTS))
def test_killed_anywhere_the_shop_recovers(stage: Stage, point: str) -> None:
    """ORD-09, STK-08, QUE-07: after a kill -9, a restart and the passing of leases everything has come to an end: the
    audit is clean, the provider's ledger and ours are the same movement by movement, no charge is without an order or
    its return, stock is whole, and the same piece of everyday runs to its end.
    """
    if ONLY_ON.get(point, stage.kind) != stage.kind:
        return  # there is no such gap
    scenario, nth = POINTS[point]
    code = stage.child([scenario], ECKIT_FAULTS=f"{point}=kill@{nth}")
    assert "" == stage.error()
    assert KILLED == code

    trial = stage.opened()
    recover(trial)
    prove(trial)

    killed.SCENARIOS[scenario](trial)
    recover(trial)
    prove(trial)
    heard_alike(stage.folder)
