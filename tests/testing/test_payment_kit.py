"""The payment conformance kit's own proof of worth: deliberately bad gateways, each caught by exactly these checks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from eckit.kernel.states import table
from eckit.payment import rules
from eckit.payment.model import OpMove, OpState, Payment
from eckit.testing.payments import (
    Check,
    LedgerEntry,
    NotApplicable,
    PaymentConformance,
    Workshop,
    all_checks,
    run_checks,
)
from eckit.testing.payments.comparing import differences, unowned
from eckit.testing.payments.runner import BLOCKED, FAILED, NOT_APPLICABLE, PASSED
from tests.testing.bad_harness import BadHarness

EVERY: Final = {check.id: check for check in all_checks()}
QUICK: Final = frozenset(check.id for check in all_checks() if not check.slow)
SLOW: Final = frozenset(EVERY) - QUICK

# Which checks a fault makes fail: these and no others.
# fmt: off
FAULTS: Final[dict[str, str]] = {
    "A.any_amount": "C04",
    "A.any_currency": "C05",
    "A.believes_absence_at_once": "C01 C22 C25",
    "A.cannot_refund": "C03 C10 C20 C21 C22 C23 C24 C25 C27 C33 C41 C51 C52 C53 C64 C69",
    "A.checks_online": "C02",
    "A.cuts_references": "C06",
    "A.forgets_a_secret": "C02",
    "A.sells_undeclared": "C03",
    "A.shows_a_secret": "C02",
    "A.three_decimals": "C05",
    "A.unstable": "C01",
    "A.yen_times_100": (
        "C01 C03 C04 C05 C10 C11 C14 C15 C20 C22 C25 C28 C29 C30 C31 C32 C33 C34 C35 C36 C37 C38 C39 C40 C41 "
        "C50 C51 C52 C53 C61 C64 C65 C66 C68 C69"
    ),
    "B.captures_without_sending": (
        "C03 C04 C10 C12 C13 C15 C16 C17 C20 C21 C22 C23 C24 C25 C27 C32 C33 C38 C41 C50 C51 C52 C61 C64 C66 "
        "C68 C69 C70"
    ),
    "B.new_reference_each_time": "C06 C10 C20 C22 C25 C69",
    "B.refunds_twice": "C13 C15 C51 C70",
    "B.retries_by_itself": "C21 C22 C23 C24 C25 C26 C27 C29 C31 C32 C36 C37 C40 C41 C42",
    "C.dropped_is_declined": "C21 C22 C25 C26 C27 C29 C31 C32 C36 C37 C40 C41 C42",
    "C.failed_query_is_absence": "C26 C29 C61",
    "C.page_is_declined": "C24",
    "C.pending_is_declined": "C28",
    "C.query_finds_nothing": "C03 C22 C25 C28 C29 C32 C37 C41 C52 C61 C64",
    "C.refused_is_doubt": "C20",
    "C.second_error_is_declined": "C23",
    "C.server_error_is_declined": "C23 C61",
    "C.timeout_is_declined": "C21",
    "C.unknown_word_crashes": "C64",
    "C.unknown_word_is_declined": "C64",
    "C.unread_query_crashes": "C64",
    "C.unreadable_is_success": "C24",
    "D.any_account": "C37",
    "D.any_mode": "C37 C66",
    "D.any_signature": "C31 C39",
    "D.asks_while_opening": "C30 C31 C39",
    "D.compares_plainly": "C31",
    "D.deep_nesting_crashes": "C42",
    "D.event_is_the_movement": "C30 C32 C33 C34 C38 C53 C61",
    "D.foreign_header_crashes": "C42",
    "D.one_event_per_payment": "C33",
    "D.signs_parsed_content": "C31 C42",
    "D.stale_is_fine": "C38",
    "D.trusts_unsigned": "C31 C39",
    "D.upper_case_mac": "C31",
    "F.captures_everything": "C32 C50",
    "F.failed_refund_is_hidden": "C52",
    "F.pending_is_done": "C52",
    "F.refunds_everything": "C15 C51",
    "F.void_becomes_refund": "C53",
    "H.always_test": "C66",
    "H.busy_is_declined": "C69",
    "H.busy_is_doubt": "C69",
    "H.busy_without_wait": "C69",
    "H.cannot_be_pickled": "C64",
    "H.follows_redirects": "C67",
    "H.key_in_the_cause": "C61",
    "H.logs_the_request": "C61",
    "H.not_thread_safe": "C65",
    "H.phones_home": "C66",
    "H.provider_speaks_to_buyers": "C63",
    "H.repr_shows_the_key": "C61",
    "H.sends_stored_cards": "C62",
    "H.untranslated_label": "C63",
    "H.unverified_tls": "C67",
    "H.waits_for_ever": "C21 C67",
}
# fmt: on

WITH_SLOW: Final = frozenset({"B.captures_without_sending", "B.refunds_twice"})
"""Faults that the slow checks are run on as well: processes that race and are killed, and random games."""

CORE_ALONE: Final = frozenset({"C71"})
"""Checks of the core's own tables, which no gateway can break; they have tests of their own below."""

CANNOT_BE_COMPOSED: Final = "A.missing_protocol"
"""The fault that a shop refuses to start with."""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop(BadHarness()) as running:
        yield running


def harness_of(workshop: Workshop) -> BadHarness:
    harness = workshop.harness
    assert isinstance(harness, BadHarness)
    return harness


@pytest.fixture(scope="module")
def passed_by(workshop: Workshop) -> dict[str, frozenset[str]]:
    """Check → the faults whose places it passes, as the good gateway shows; it fails none."""
    harness, found, wrong = harness_of(workshop), {}, {}
    harness.take_reached()
    for check_id in sorted(QUICK):
        outcome = run_checks(harness, only=[check_id], workshop=workshop)[check_id]
        found[check_id] = harness.take_reached()
        if outcome.verdict != PASSED:
            wrong[check_id] = outcome
    assert {} == wrong
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught_by_exactly_these_checks(
    workshop: Workshop, passed_by: dict[str, frozenset[str]], fault: str
) -> None:
    """A kit that no bad gateway fails is worth nothing, and one that fails for anything says nothing.

    Checks that pass none of a fault's places run the very same program as on the good gateway and are not repeated.
    """
    harness, expected = harness_of(workshop), frozenset(FAULTS[fault].split())
    concerned = {check_id for check_id, faults in passed_by.items() if fault in faults}
    harness.fault = fault
    try:
        outcomes = run_checks(harness, only=concerned | (SLOW if fault in WITH_SLOW else set()), workshop=workshop)
    finally:
        harness.fault = ""
        harness.take_reached()
    assert {PASSED, FAILED} >= {outcome.verdict for outcome in outcomes.values()}
    failed = frozenset(check_id for check_id, outcome in outcomes.items() if outcome.verdict == FAILED)
    assert expected == failed, {check_id: outcomes[check_id].why for check_id in expected ^ failed & set(outcomes)}


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
