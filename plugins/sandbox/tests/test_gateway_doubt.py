"""The gateway when things go wrong: what is certain, what is in doubt, and what is our own fault."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit import (
    Authorized,
    Begin,
    Capture,
    Captured,
    Declined,
    InDoubt,
    NoSuchPayment,
    NotSent,
    QueryFailed,
    Refund,
    Refunded,
    Rejected,
    Resume,
    Secret,
    Snapshot,
    StoredInstrument,
    Unsupported,
    Void,
    Voided,
    from_minor,
)
from eckit_sandbox import SandboxCard, SandboxProcess, SandboxSettings
from plugins.sandbox.tests.asking import QUERY, Io, begin, facts

Moved = Callable[..., list[tuple[str, int]]]


MISHAPS = (
    "act_then_reset",
    "act_then_hang(5)",
    "act_then_status(500)",
    "act_then_status(502)",
    "act_then_status(503)",
    "act_then_truncate",
    "act_then_html",
    "act_then_html(502)",
    "act_then_empty",
    "act_then_wrong_charset",
    "unknown_status",
    "stored_5xx",
    "refuse_before",
)


@pytest.mark.parametrize("mishap", MISHAPS)
def test_no_usable_answer_is_doubt(
    settings: SandboxSettings, provider: SandboxProcess, io: Io, moved: Moved, mishap: str
) -> None:
    """Whatever goes wrong after sending is no decline, and nothing is sent again; the query tells the truth."""
    gateway = SandboxCard(attrs.evolve(settings, timeout=dt.timedelta(seconds=0.5)))
    provider.script({"match": {"operation": "begin"}, "do": mishap})
    outcome = gateway.begin(io, begin(capture=True))
    assert isinstance(outcome, InDoubt)
    assert (io.sent, len(provider.requests("begin"))) == (1, 1)
    found = gateway.query(io, QUERY)
    if mishap == "refuse_before":
        assert (moved(), found) == ([], NoSuchPayment())
    else:
        assert moved() == [("capture", 1200)]
        assert isinstance(found, Snapshot)
        assert [(one.kind, one.money) for one in found.movements] == [("capture", Money(1200, "JPY"))]


@pytest.mark.parametrize("kind", ["capture", "void", "refund"])
@pytest.mark.parametrize("mishap", ["act_then_reset", "act_then_html", "unknown_status"])
def test_later_operations_are_doubtful_too(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved, kind: str, mishap: str
) -> None:
    """The same holds for what comes after the beginning."""
    gateway.begin(io, begin(capture=kind == "refund"))
    provider.script({"match": {"operation": kind}, "do": mishap})
    operation: Any = {"capture": Capture, "void": Void, "refund": Refund}[kind](**facts("x"))
    assert isinstance(getattr(gateway, kind)(io, operation), InDoubt)
    assert moved()[1:] == [(kind, 1200)]
    assert len(provider.requests(kind)) == 1


def test_nothing_listens_is_not_sent(gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved) -> None:
    """A refused connection is certainly harmless; the same operation succeeds later."""
    provider.kill()
    outcome = gateway.begin(io, begin())
    assert outcome == NotSent(cause="connect")
    assert io.sent == 0
    assert gateway.query(io, QUERY) == QueryFailed(cause="connect")
    provider.start()
    assert isinstance(gateway.begin(io, begin()), Authorized)
    assert moved() == [("authorize", 1200)]


def test_blocked_address_is_not_sent(gateway: SandboxCard) -> None:
    """A shop that does not allow this machine sends nothing."""
    assert gateway.begin(Io(), begin()) == NotSent(cause="blocked")


def test_rate_limit_is_not_sent(gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved) -> None:
    """429 is certain: nothing was done, and it says when to come again."""
    provider.script({"match": {"operation": "begin", "nth": 1}, "do": "rate_limit(7)"})
    assert gateway.begin(io, begin()) == NotSent(cause="rate_limited", retry_after=dt.timedelta(seconds=7))
    assert moved() == []


@pytest.mark.parametrize("kind", ["capture", "void", "refund"])
def test_already_done_by_us_is_success(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved, kind: str
) -> None:
    """ "Already captured" about our own operation is looked up and is what it came to."""
    gateway.begin(io, begin(capture=kind == "refund"))
    provider.script({"match": {"operation": kind, "nth": 1}, "do": "act_already"})
    operation: Any = {"capture": Capture, "void": Void, "refund": Refund}[kind](**facts("x"))
    outcome = getattr(gateway, kind)(io, operation)
    assert isinstance(outcome, {"capture": Captured, "void": Voided, "refund": Refunded}[kind])
    assert len(moved()) == 2


def test_already_begun_by_us_is_success(gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved) -> None:
    """The same holds for the beginning, with or without money."""
    provider.script({"match": {"operation": "begin"}, "do": "act_already"})
    assert isinstance(gateway.begin(io, begin()), Authorized)
    assert moved() == [("authorize", 1200)]


def test_already_done_by_somebody_else_is_a_no(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved
) -> None:
    """ "Already captured" about another operation: ours did not happen. If it cannot be looked up, it is in doubt."""
    gateway.begin(io, begin())
    provider.office("s-1", "capture", 1200)
    outcome = gateway.capture(io, Capture(**facts("s-1-c2")))
    assert outcome == Declined(code="other", raw_code="already_captured", retry="never")
    provider.script({"match": {"operation": "query"}, "do": "act_then_status(503)"})
    assert isinstance(gateway.capture(io, Capture(**facts("s-1-c2"))), InDoubt)
    assert moved() == [("authorize", 1200), ("capture", 1200)]


def test_refused_question_after_a_challenge_is_doubt(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved
) -> None:
    """A provider that does not see the payment yet, or has no time, has not said no to it."""
    gateway.begin(io, begin("tok_challenge"))
    provider.approve("s-1")
    for do in ("not_found_yet", "rate_limit", "act_then_status(503)", "unknown_status"):
        provider.script({"match": {"operation": "query", "nth": 1}, "do": do})
        assert isinstance(gateway.resume(io, Resume(**facts("s-1"))), InDoubt)
        provider.clear()
    assert isinstance(gateway.resume(io, Resume(**facts("s-1"))), Authorized)
    assert moved() == [("authorize", 1200)]


def test_reference_of_something_else_is_doubt(gateway: SandboxCard, io: Io, moved: Moved) -> None:
    """If our reference is taken by another amount, money may have moved: only a query can tell."""
    gateway.begin(io, begin())
    assert gateway.begin(io, begin(money=Money(1300, "JPY"))) == InDoubt(cause="reference_reused")
    assert moved() == [("authorize", 1200)]


@pytest.mark.parametrize(("kind", "raw_code"), [("capture", "amount_too_large"), ("refund", "not_captured")])
def test_definite_refusals_are_declines(gateway: SandboxCard, io: Io, moved: Moved, kind: str, raw_code: str) -> None:
    """A rule of the provider's said no; nothing moved."""
    gateway.begin(io, begin())
    operation: Any = {"capture": Capture, "refund": Refund}[kind](**facts("x", Money(1201, "JPY")))
    assert getattr(gateway, kind)(io, operation) == Declined(code="other", raw_code=raw_code, retry="never")
    assert moved() == [("authorize", 1200)]


def test_what_cannot_be_sent_is_rejected_without_traffic(gateway: SandboxCard, io: Io) -> None:
    """No instrument, a stored one, an unknown currency, an amount out of range: nothing leaves."""
    stored = Begin(**facts("s-1", instrument=StoredInstrument(reference="x")))
    assert gateway.begin(io, stored) == Unsupported(what="stored instruments")
    cases = [
        (Begin(**facts("s-1")), "instrument"),
        (begin(money=Money(1, "XCG")), "money"),
        (begin(money=Money(0, "JPY")), "money"),
        (begin(money=Money(-1, "JPY")), "money"),
        (begin(money=from_minor(10_000_000_000, "JPY")), "money"),
    ]
    for operation, path in cases:
        outcome = gateway.begin(io, operation)
        assert isinstance(outcome, Rejected)
        assert outcome.problems[0].path == path
    assert isinstance(gateway.capture(io, Capture(**facts("c", Money(0, "JPY")))), Rejected)
    assert isinstance(gateway.refund(io, Refund(**facts("r", Money(-5, "JPY")))), Rejected)
    assert io.sent == 0


def test_largest_amount_is_sent(gateway: SandboxCard, io: Io, moved: Moved) -> None:
    """The declared limit itself is accepted."""
    assert isinstance(gateway.begin(io, begin(money=from_minor(9_999_999_999, "JPY"))), Authorized)
    assert moved() == [("authorize", 9_999_999_999)]


def test_our_mistakes_are_problems_that_people_can_act_on(
    settings: SandboxSettings, provider: SandboxProcess, io: Io, moved: Moved
) -> None:
    """A wrong key or account, an unknown token or payment: named, in two languages, without the value sent."""
    wrong_key = SandboxCard(attrs.evolve(settings, api_key=Secret("key_wrong")))
    wrong_account = SandboxCard(attrs.evolve(settings, account="other"))
    right = SandboxCard(settings)
    outcomes = [
        (wrong_key.begin(io, begin()), "plugins.sandbox.api_key"),
        (wrong_account.begin(io, begin()), "plugins.sandbox.account"),
        (right.begin(io, begin("tok_nonsense_12345")), "instrument.token"),
        (right.begin(io, begin(return_url="ftp://x")), "return_url"),
    ]
    for outcome, path in outcomes:
        assert isinstance(outcome, Rejected)
        (problem,) = outcome.problems
        assert problem.path == path
        for locale in ("en", "ja"):
            assert problem.text(locale) != f"problem.{problem.code}"
            assert "12345" not in problem.text(locale)
            assert "key_wrong" not in problem.text(locale)
    assert isinstance(right.capture(io, Capture(**facts("c"))), Rejected)
    assert wrong_key.query(io, QUERY) == QueryFailed(cause="unauthorized")
    assert right.query(io, QUERY) == NoSuchPayment()
    assert moved() == []
