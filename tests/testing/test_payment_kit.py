"""The payment conformance kit's own proof of worth: deliberately bad gateways, each caught by exactly these checks.

Some faults are the core's own, for the checks of what no gateway alone can spoil. The ordinary run puts each fault
before the quick checks it can reach, and before those slow checks (processes that race and are killed, games) that the
table says it fails; the few faults that reach nearly everything, before every third of the quick checks, and no slow
ones. ``python3 dev.py soak`` puts each before everything. What the table says was found that way.
A game that catches a fault is one of those that are always played, so another set of moves, or another Hypothesis, can
change what the table has to say of C70, and of nothing else.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from eckit.kernel.states import table
from eckit.payment import rules
from eckit.payment.model import OpMove, OpState, Payment
from eckit.testing.payments import (
    Check,
    Games,
    LedgerEntry,
    NotApplicable,
    PaymentConformance,
    Workshop,
    all_checks,
    run_checks,
)
from eckit.testing.payments.comparing import differences, unowned
from eckit.testing.payments.runner import BLOCKED, FAILED, NOT_APPLICABLE, PASSED
from tests.databases import Server, alone
from tests.testing.bad import core
from tests.testing.bad_gateways import SALE_ONLY
from tests.testing.bad_harness import BadHarness
from tests.testing.fault_table import FAULTS

EVERY: Final = {check.id: check for check in all_checks()}
QUICK: Final = frozenset(check.id for check in all_checks() if not check.slow)
SLOW: Final = frozenset(EVERY) - QUICK

CORE_ALONE: Final = frozenset({"C71"})
"""Checks of the core's own tables, which no gateway can break; they have tests of their own below."""

BROAD: Final = 12
"""A fault that reaches more quick checks than this is put before some of them only, day by day."""

CANNOT_BE_COMPOSED: Final = "A.missing_protocol"
"""The fault that a shop refuses to start with."""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    """Games that fail are not made shorter: that they fail is enough."""
    try:
        with Workshop(BadHarness(), Games(shrink=False)) as running:
            yield running
    finally:
        core.restore()


def harness_of(workshop: Workshop) -> BadHarness:
    harness = workshop.harness
    assert isinstance(harness, BadHarness)
    return harness


@pytest.fixture(scope="module")
def passed_by(workshop: Workshop, database_server: Server) -> dict[str, frozenset[str]]:
    """Check → the faults whose places it passes, as the good gateway shows; found out once for all workers of a run."""
    file = database_server.place / "passed_by.json"
    with alone(database_server.place / "passed_by.lock"):
        if not file.exists():
            file.write_text(json.dumps({check: sorted(faults) for check, faults in _passed_by(workshop).items()}))
    return {check: frozenset(faults) for check, faults in json.loads(file.read_text()).items()}


def _passed_by(workshop: Workshop) -> dict[str, frozenset[str]]:
    """It fails no check."""
    harness, found, wrong = harness_of(workshop), {}, {}
    harness.take_reached()
    for check_id in sorted(QUICK):
        outcome = run_checks(harness, only=[check_id], workshop=workshop)[check_id]
        found[check_id] = harness.take_reached()
        if outcome.verdict != PASSED:
            wrong[check_id] = outcome
    assert {} == wrong
    return found


def _require_exactly(expected: frozenset[str], workshop: Workshop, fault: str, checks: Iterable[str]) -> None:
    harness = harness_of(workshop)
    harness.fault = fault
    try:
        outcomes = run_checks(harness, only=checks, workshop=workshop)
    finally:
        harness.fault = ""
        harness.take_reached()
    assert {PASSED, FAILED} >= {outcome.verdict for outcome in outcomes.values()}
    failed = frozenset(check_id for check_id, outcome in outcomes.items() if outcome.verdict == FAILED)
    assert expected == failed, {check_id: outcomes[check_id].why for check_id in (expected ^ failed) & set(outcomes)}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught_by_exactly_these_checks(
    workshop: Workshop, passed_by: dict[str, frozenset[str]], fault: str
) -> None:
    """A kit that no bad gateway fails is worth nothing, and one that fails for anything says nothing.

    Quick checks that pass none of a fault's places run the very same program as on the good gateway, where they passed,
    and are not repeated; a quick check that the table names and that passes none is a mistake in the table. Of the slow
    checks those run that the table names.
    """
    expected = frozenset(FAULTS[fault].split())
    concerned = {check_id for check_id, faults in passed_by.items() if fault in faults}
    if len(concerned) > BROAD:
        concerned = set(sorted(concerned)[::3])
        expected &= concerned
    _require_exactly(expected, workshop, fault, concerned | expected)


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught_by_exactly_these_of_all_checks(workshop: Workshop, fault: str) -> None:
    """The whole of what the table says: each fault before each check."""
    _require_exactly(frozenset(FAULTS[fault].split()), workshop, fault, set(EVERY) - CORE_ALONE)


def test_gateway_that_lacks_a_method_blocks_every_check(workshop: Workshop) -> None:
    """Where no shop can be composed there is nothing to check, and nothing passes: every check says why."""
    harness = harness_of(workshop)
    harness.fault = CANNOT_BE_COMPOSED
    try:
        outcomes = run_checks(harness, only=["C01", "C21", "C71"], workshop=workshop)
    finally:
        harness.fault = ""
    assert {BLOCKED} == {outcome.verdict for outcome in outcomes.values()}
    assert all("declares void and cannot do it" in outcome.why for outcome in outcomes.values())


def test_every_fault_there_is_stands_in_the_table() -> None:
    """A fault that is written and not expected anywhere would prove nothing."""
    here = Path(__file__).parent
    text = "".join(file.read_text(encoding="utf-8") for file in [*here.glob("bad/*.py"), here / "bad_gateways.py"])
    written = set(re.findall(r'"([A-I]\.[a-z0-9_]+)"', text)) - {CANNOT_BE_COMPOSED}
    assert written == set(FAULTS)


def test_every_check_is_failed_by_some_fault() -> None:
    """A check that cannot fail keeps nothing out."""
    caught = {check_id for expected in FAULTS.values() for check_id in expected.split()}
    assert set(EVERY) - CORE_ALONE == caught


# -- games ------------------------------------------------------------------------------------------------------------


def _games(workshop: Workshop, fault: str, games: Games) -> tuple[str, str]:
    """What came of C70, and why."""
    harness, usual = harness_of(workshop), workshop.games
    harness.fault, workshop.games = fault, games
    try:
        outcome = run_checks(harness, only=["C70"], workshop=workshop)["C70"]
    finally:
        harness.fault, workshop.games = "", usual
        harness.take_reached()
    return outcome.verdict, outcome.why


def test_game_that_fails_is_made_shorter_and_can_be_played_again(workshop: Workshop) -> None:
    """Of all the moves of a game those are shown that matter, with what it takes to play just that game once more."""
    fault = "B.captures_without_sending"
    verdict, why = _games(workshop, fault, Games(games=1, moves=4))
    assert FAILED == verdict
    shown = re.findall(r"state\.(\w+)\(", why)
    assert ["first", "sane", "teardown"] == list(dict.fromkeys(shown)), why
    version, blob = re.findall(r"@reproduce_failure\('([^']+)', b'([^']+)'\)", why)[0]
    again = Games(again=f"{version} {blob}")
    assert FAILED == _games(workshop, fault, again)[0]
    verdict, why = _games(workshop, "", again)
    assert "DidNotReproduce" in why, "the good gateway plays the same game, and does not fail it"


def test_games_leave_out_what_a_gateway_cannot_do(workshop: Workshop) -> None:
    """One that only sells and gives back is never asked to capture or release; its games are played all the same."""
    assert (PASSED, "") == _games(workshop, SALE_ONLY, Games(games=3))
    sent = {request.target.rpartition("/")[2] for request in workshop.proxy.seen if request.method == "POST"}
    assert "payments" in sent
    assert not {"captures", "voids"} & sent


# -- the check of the core's tables -----------------------------------------------------------------------------------


def _run(check_id: str, workshop: Workshop) -> str:
    return run_checks(workshop.harness, only=[check_id], workshop=workshop)[check_id].verdict


def test_table_with_a_row_more_or_less_is_noticed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """C71 holds the core's table of operations against the list of its own."""
    rows = [(state, by, after) for (state, by), after in rules.MOVES.items()]
    monkeypatch.setattr(rules, "MOVES", table(*rows[:-1]))
    assert FAILED == _run("C71", workshop)
    monkeypatch.setattr(rules, "MOVES", table(*rows, (OpState.SUCCEEDED, OpMove.DECLINED, OpState.FAILED)))
    assert FAILED == _run("C71", workshop)


def test_status_that_depends_on_the_order_of_news_is_noticed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C71 plays every order in which movements may arrive."""
    good = rules.status

    def by_the_last(operations: Any, movements: Any, now: Any, **facts: Any) -> Any:
        return good(operations, tuple(movements)[-4:], now, **facts)

    monkeypatch.setattr(rules, "status", by_the_last)
    assert FAILED == _run("C71", workshop)


# -- the comparison of the books --------------------------------------------------------------------------------------


def _payment(workshop: Workshop, *, pay: bool = True) -> tuple[Payment, tuple[LedgerEntry, ...]]:
    with workshop.bench() as bench:
        order = bench.order()
        if pay:
            bench.pay(order)
        return bench.payment(order), bench.harness.provider_ledger()


def test_same_books_have_no_difference(workshop: Workshop) -> None:
    """Kind, amount and currency of each movement."""
    payment, ledger = _payment(workshop)
    assert [] == differences([payment], ledger)


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: (),
        lambda ledger: (*ledger, *ledger),
        lambda ledger: (attrs.evolve(ledger[0], amount_minor=ledger[0].amount_minor + 1),),
        lambda ledger: (attrs.evolve(ledger[0], currency="USD"),),
        lambda ledger: (attrs.evolve(ledger[0], kind="capture"),),
        lambda ledger: (*ledger, attrs.evolve(ledger[0], payment="somebody-else")),
    ],
    ids=["nothing", "twice", "another amount", "another currency", "another kind", "money under an unknown reference"],
)
def test_other_books_are_a_difference(workshop: Workshop, change: Any) -> None:
    """Anything more, less or else at the provider."""
    payment, ledger = _payment(workshop)
    assert 1 == len(differences([payment], change(ledger)))


@pytest.mark.parametrize("state", [OpState.IN_DOUBT, OpState.NEEDS_HUMAN])
def test_undecided_payment_may_differ(workshop: Workshop, state: OpState) -> None:
    """What is marked as unknown is not forgotten; money under an unknown reference is a difference all the same."""
    payment, ledger = _payment(workshop)
    marked = attrs.evolve(payment, operations=(attrs.evolve(payment.operations[0], state=state),))
    assert [] == differences([marked], ())
    assert 1 == len(differences([marked], [attrs.evolve(ledger[0], payment="somebody-else")]))


def test_open_operation_that_nobody_looks_at_is_unowned(workshop: Workshop) -> None:
    """In doubt without a time to look again is lost; planned and not yet paid is not."""
    payment, _ = _payment(workshop, pay=False)
    assert [] == unowned([payment])
    for state in (OpState.IN_DOUBT, OpState.SENT, OpState.WAITING_PROVIDER):
        lost = attrs.evolve(payment, operations=(attrs.evolve(payment.operations[0], state=state, check_at=None),))
        assert 1 == len(unowned([lost]))


# -- as pytest sees it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", EVERY.values(), ids=EVERY)
def test_check_is_a_named_test(check: Check) -> None:
    """Somebody who reads a failure sees the check's number and its rule."""
    method = getattr(PaymentConformance, f"test_{check.name}")
    assert check.name.startswith(f"{check.id.lower()}_")
    assert f"{check.id}: {check.rule}" == method.__doc__


def test_check_that_does_not_apply_is_skipped_with_the_reason() -> None:
    """It is neither passed nor failed in silence."""

    class Idle:
        def run(self, check: Check, url: str | None) -> None:
            raise NotApplicable("nothing is refunded")

    with pytest.raises(pytest.skip.Exception, match="nothing is refunded"):
        PaymentConformance().test_c51_parts_of_a_refund_add_up(Idle(), None)  # type: ignore[attr-defined]


def test_runner_says_when_a_check_does_not_apply(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome names the reason."""

    def raises(*_: Any) -> None:
        raise NotApplicable("nobody can")

    monkeypatch.setattr(Workshop, "run", raises)
    outcome = run_checks(workshop.harness, only=["C01"], workshop=workshop)["C01"]
    assert (NOT_APPLICABLE, "nobody can") == (outcome.verdict, outcome.why)
