"""The gateway against a running provider: what eckit is told, and what the ledger says."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit import (
    ActionRequired,
    Authorized,
    Begin,
    Capabilities,
    Capture,
    Captured,
    Captures,
    CardToken,
    ChecksConfig,
    Declined,
    Expired,
    ForgedNotice,
    Gateway,
    GatewayIo,
    InDoubt,
    InvalidInputError,
    NoSuchPayment,
    NotSent,
    Pending,
    Query,
    QueryFailed,
    RawRequest,
    Redirect,
    Refund,
    Refunded,
    RefundPending,
    Refunds,
    Rejected,
    Resume,
    Resumes,
    Scrubs,
    Secret,
    Snapshot,
    StoredInstrument,
    UnauthenticatedNotice,
    Unsupported,
    VerifiedNotice,
    Void,
    Voided,
    Voids,
    from_minor,
)
from eckit.kernel.http import GuardedClient, Timeouts
from eckit_sandbox import SandboxCard, SandboxProcess, SandboxSettings, plugin
from eckit_sandbox.provider.currencies import EXPONENTS
from eckit_sandbox.provider.notices import sign

Moved = Callable[..., list[tuple[str, int]]]


class Io:
    """What the core gives a gateway, over its own guarded client."""

    def __init__(self, *allowed: str) -> None:
        self._client = GuardedClient(allow_hosts=allowed)
        self.sent = 0
        self.logged: list[str] = []

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        reply = self._client.send(
            method,
            url,
            headers=headers,
            content=content or None,
            timeout=Timeouts(connect=timeout_s, read=timeout_s, write=timeout_s, total=timeout_s),
            about_to_send=self.about_to_send,
        )
        return reply.status, dict(reply.headers), reply.body

    def about_to_send(self) -> None:
        self.sent += 1

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 5, 1, tzinfo=dt.UTC)

    def log(self, text: str) -> None:
        self.logged.append(text)


@pytest.fixture
def settings(provider: SandboxProcess) -> SandboxSettings:
    known = provider.settings()
    secrets = {name: Secret(known.pop(name)) for name in ("api_key", "notify_secret")}
    return SandboxSettings(**known, **secrets, timeout=dt.timedelta(seconds=2))


@pytest.fixture
def gateway(settings: SandboxSettings) -> SandboxCard:
    return SandboxCard(settings)


@pytest.fixture
def io(provider: SandboxProcess) -> Io:
    return Io(f"127.0.0.1:{provider.port}")


def facts(reference: str, money: Money | None = None, **more: Any) -> dict[str, Any]:
    known = {"payment_id": "pay_1", "seq": 1, "begin_reference": "s-1", "provider_ref": None}
    return known | {"reference": reference, "money": Money(1200, "JPY") if money is None else money} | more


def begin(token: str = "tok_ok", **more: Any) -> Begin:
    return Begin(**facts("s-1", instrument=CardToken(token=Secret(token)), **more))


QUERY = Query(payment_id="pay_1", begin_reference="s-1", provider_ref=None, currency="JPY")  # type: ignore[arg-type]


def test_every_ability_is_declared_and_there(gateway: SandboxCard) -> None:
    """Protocols and capabilities agree, and the capabilities are stable."""
    for protocol in (Gateway, Resumes, Captures, Voids, Refunds, ChecksConfig, Scrubs):
        assert isinstance(gateway, protocol)
    assert isinstance(Io(), GatewayIo)
    declared = gateway.capabilities()
    assert declared == gateway.capabilities()
    assert isinstance(declared, Capabilities)
    assert set(declared.currencies) == set(EXPONENTS)


def test_money_is_reserved_captured_and_given_back(gateway: SandboxCard, io: Io, moved: Moved) -> None:
    """The whole way of a payment in parts; each outcome names the provider's own movement."""
    authorized = gateway.begin(io, begin())
    assert isinstance(authorized, Authorized)
    assert authorized.money == Money(1200, "JPY")
    assert authorized.expires_at is not None
    captured = gateway.capture(io, Capture(**facts("s-1-c2", Money(700, "JPY"))))
    voided = gateway.void(io, Void(**facts("s-1-v3", Money(500, "JPY"))))
    refunded = gateway.refund(io, Refund(**facts("s-1-r4", Money(50, "JPY"))))
    assert isinstance(captured, Captured)
    assert isinstance(voided, Voided)
    assert isinstance(refunded, Refunded)
    assert moved() == [("authorize", 1200), ("capture", 700), ("void", 500), ("refund", 50)]
    snapshot = gateway.query(io, QUERY)
    assert isinstance(snapshot, Snapshot)
    assert [one.movement_ref for one in snapshot.movements] == [
        authorized.movement_ref,
        captured.movement_ref,
        voided.movement_ref,
        refunded.movement_ref,
    ]
    assert [one.reference for one in snapshot.movements] == ["s-1", "s-1-c2", "s-1-v3", "s-1-r4"]
    assert (snapshot.account, snapshot.mode, snapshot.status) == ("shop", "test", "captured")


def test_money_is_taken_at_once(gateway: SandboxCard, io: Io, moved: Moved) -> None:
    """A sale is captured, finally."""
    captured = gateway.begin(io, begin(capture=True))
    assert isinstance(captured, Captured)
    assert captured.finality == "final"
    assert moved() == [("capture", 1200)]


@pytest.mark.parametrize(
    ("money", "minor"), [(Money(1, "JPY"), 1), (Money("0.01", "USD"), 1), (Money("1.005", "KWD"), 1005)]
)
def test_decimals_are_those_of_the_currency(
    gateway: SandboxCard, io: Io, moved: Moved, money: Money, minor: int
) -> None:
    """Amounts are exact on the way there and back."""
    outcome = gateway.begin(io, begin(money=money))
    assert isinstance(outcome, Authorized)
    assert outcome.money == money
    assert moved() == [("authorize", minor)]


@pytest.mark.parametrize("repeat", ["begin", "capture", "void", "refund"])
def test_repetition_gives_the_same_outcome(gateway: SandboxCard, io: Io, moved: Moved, repeat: str) -> None:
    """The same operation twice is one movement and one outcome, also after the payment has moved on."""
    operations: dict[str, Callable[[], Any]] = {
        "begin": lambda: gateway.begin(io, begin()),
        "capture": lambda: gateway.capture(io, Capture(**facts("c", Money(700, "JPY")))),
        "void": lambda: gateway.void(io, Void(**facts("v", Money(500, "JPY")))),
        "refund": lambda: gateway.refund(io, Refund(**facts("r", Money(700, "JPY")))),
    }
    outcomes = {name: operation() for name, operation in operations.items()}
    assert operations[repeat]() == outcomes[repeat]
    assert len(moved()) == 4


def test_challenge_is_passed(gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved) -> None:
    """The buyer is sent away and comes back, perhaps twice; what the browser brings along is not believed."""
    outcome = gateway.begin(io, begin("tok_challenge", return_url="https://shop.example/back"))
    assert isinstance(outcome, ActionRequired)
    assert isinstance(outcome.action, Redirect)
    assert outcome.action.url.startswith(provider.base_url)
    resume = Resume(**facts("s-1", parameters={"status": "success"}))
    assert isinstance(gateway.resume(io, resume), ActionRequired)
    provider.approve("s-1")
    first = gateway.resume(io, resume)
    assert isinstance(first, Authorized)
    assert gateway.resume(io, resume) == first
    assert moved() == [("authorize", 1200)]


def test_open_challenge_is_closed(gateway: SandboxCard, provider: SandboxProcess, io: Io, moved: Moved) -> None:
    """A void before the buyer decided closes the attempt without money; so does time."""
    gateway.begin(io, begin("tok_challenge"))
    assert isinstance(gateway.void(io, Void(**facts("v"))), Expired)
    provider.approve("s-1")
    assert isinstance(gateway.resume(io, Resume(**facts("s-1"))), Expired)
    assert gateway.query(io, QUERY).status == "voided"  # type: ignore[union-attr]
    other = {"reference": "s-2", "begin_reference": "s-2"}
    gateway.begin(io, Begin(**(facts("s-2") | other), instrument=CardToken(token=Secret("tok_challenge"))))
    provider.expire("s-2")
    assert isinstance(gateway.resume(io, Resume(**(facts("s-2") | other))), Expired)
    assert moved() == []


@pytest.mark.parametrize(
    ("token", "code", "retry"),
    [
        ("tok_declined_insufficient_funds", "insufficient_funds", "other"),
        ("tok_declined_expired_card", "expired_card", "other"),
        ("tok_declined_do_not_honor", "do_not_honor", "other"),
        ("tok_declined_lost_card", "lost_card", "never"),
        ("tok_declined_fraud", "fraud", "never"),
    ],
)
def test_declines_have_standard_codes(
    gateway: SandboxCard, io: Io, moved: Moved, token: str, code: str, retry: str
) -> None:
    """A decline says whether the buyer may try again; queries say the same."""
    outcome = gateway.begin(io, begin(token))
    assert outcome == Declined(code=code, raw_code=code, retry=retry)
    snapshot = gateway.query(io, QUERY)
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.status, snapshot.decline) == ("declined", outcome)
    assert moved() == []


def test_failed_authentication_is_a_decline(gateway: SandboxCard, provider: SandboxProcess, io: Io) -> None:
    """Denied or failed, the buyer may try again."""
    gateway.begin(io, begin("tok_challenge_fails"))
    provider.approve("s-1")
    outcome = gateway.resume(io, Resume(**facts("s-1")))
    assert outcome == Declined(code="authentication_failed", raw_code="authentication_failed", retry="same")


def test_pending_payment_is_found_later(gateway: SandboxCard, provider: SandboxProcess, io: Io) -> None:
    """Pending first; the query tells how it ended."""
    assert isinstance(gateway.begin(io, begin("tok_pending_ok")), Pending)
    assert gateway.query(io, QUERY).status == "waiting_provider"  # type: ignore[union-attr]
    provider.resolve("s-1")
    assert gateway.query(io, QUERY).status == "authorized"  # type: ignore[union-attr]


@pytest.mark.parametrize("end", ["done", "failed"])
def test_slow_refund(gateway: SandboxCard, provider: SandboxProcess, io: Io, end: str) -> None:
    """A pending refund is a provisional movement; done, it has the provider's own entry; failed, it is taken back."""
    gateway.begin(io, begin(capture=True))
    provider.script({"match": {"operation": "refund"}, "do": f"refund_async({end})"})
    refund = Refund(**facts("s-1-r2", Money(100, "JPY")))
    pending = gateway.refund(io, refund)
    assert pending == RefundPending(
        money=Money(100, "JPY"), movement_ref="s-1-r2.pending", provider_ref=pending.provider_ref
    )
    assert movements(gateway, io)[1:] == [("refund", "s-1-r2.pending", "provisional")]
    provider.resolve("s-1-r2")
    if end == "done":
        done = gateway.refund(io, refund)
        assert isinstance(done, Refunded)
        assert movements(gateway, io)[1:] == [("refund", done.movement_ref, "final")]
    else:
        assert gateway.refund(io, refund) == Declined(code="other", raw_code="account_closed", retry="other")
        assert movements(gateway, io)[1:] == [
            ("refund", "s-1-r2.pending", "provisional"),
            ("refund_failed", "s-1-r2.failed", "final"),
        ]


def movements(gateway: SandboxCard, io: Io) -> list[tuple[str, str, str]]:
    snapshot = gateway.query(io, QUERY)
    assert isinstance(snapshot, Snapshot)
    return [(one.kind, one.movement_ref, one.finality) for one in snapshot.movements]


# --- in doubt ---------------------------------------------------------------------------------------------------------

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


# --- refused before or by the provider --------------------------------------------------------------------------------


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


# --- notices ----------------------------------------------------------------------------------------------------------


def notice(provider: SandboxProcess, gateway: SandboxCard, io: Io, shop: Any, do: str = "delay(0)") -> RawRequest:
    """Let the provider tell one payment and return the notice as it came."""
    provider.notify(shop.url)
    provider.script({"match": {"operation": "begin"}, "do": do})
    gateway.begin(io, begin())
    assert provider.wait_for_notices()
    headers, body = shop.received[-1]
    return RawRequest(body=body, headers={name.lower(): value for name, value in headers.items()})


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_signed_notice_is_the_query_s_answer(gateway: SandboxCard, provider: SandboxProcess, io: Io, shop: Any) -> None:
    """A notice gives the very snapshot that a query gives, under the provider's event id."""
    raw = notice(provider, gateway, io, shop)
    (opened,) = gateway.open_webhook(raw, now())  # type: ignore[misc]
    assert isinstance(opened, VerifiedNotice)
    assert opened.event_key == shop.events[0]["event_id"]
    assert opened.snapshot == gateway.query(io, QUERY)
    assert opened.sent_at is not None


@pytest.mark.parametrize("mishap", ["notice_missign", "notice_unsigned", "notice_reserialized", "notice_stale"])
def test_notice_that_is_not_signed_now_over_these_bytes_is_forged(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, shop: Any, mishap: str
) -> None:
    """Wrong secret, none, other bytes with the same meaning, or a signature of yesterday."""
    raw = notice(provider, gateway, io, shop, mishap)
    assert isinstance(gateway.open_webhook(raw, now()), ForgedNotice)


def test_stale_notice_is_refused_in_both_directions(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, shop: Any
) -> None:
    """Five minutes are tolerated, to either side."""
    raw = notice(provider, gateway, io, shop)
    for minutes, expected in ((-6, ForgedNotice), (-4, tuple), (4, tuple), (6, ForgedNotice)):
        assert isinstance(gateway.open_webhook(raw, now() + dt.timedelta(minutes=minutes)), expected)


def test_damaged_notices_are_forged(gateway: SandboxCard, provider: SandboxProcess, io: Io, shop: Any) -> None:
    """Any change of the body or the header, and any header at all, is answered without an exception."""
    raw = notice(provider, gateway, io, shop)
    good = raw.headers["sandbox-signature"]
    headers = ["", "t=,v1=", good.upper(), good[:-1], f"{good},v1={'0' * 64}", "é" * 50, "\x00\xff", "x" * 10_000]
    headers += [good.replace("t=", "t=1"), good.replace("v1", "v0"), f" {good}", good + "\n", "t=9" * 100]
    for header in headers:
        opened = gateway.open_webhook(RawRequest(body=raw.body, headers={"sandbox-signature": header}), now())
        assert isinstance(opened, ForgedNotice)
    for body in (b"", raw.body[:-1], raw.body + b" ", raw.body.replace(b"1200", b"1201"), b"x" * 300_000):
        assert isinstance(gateway.open_webhook(RawRequest(body=body, headers=raw.headers), now()), ForgedNotice)
    assert isinstance(gateway.open_webhook(RawRequest(body=raw.body), now()), ForgedNotice)


def signed(settings: SandboxSettings, body: bytes) -> RawRequest:
    header = sign(settings.notify_secret.reveal(), int(now().timestamp()), body)
    return RawRequest(body=body, headers={"sandbox-signature": header})


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"[]", b"null", b"{}", b"[" * 100_000, b'{"event_id": 1, "payment": {"reference": "r"}}',
        b'{"event_id": "e", "payment": []}', b'{"event_id": "", "payment": {"reference": "r"}}',
        b'{"event_id": "e", "account": "a", "mode": "test", "payment": {"reference": "r", "account": "b"}}',
    ],
)  # fmt: skip
def test_signed_nonsense_is_refused(gateway: SandboxCard, settings: SandboxSettings, body: bytes) -> None:
    """Even the right secret makes no sense of what is no notice."""
    assert isinstance(gateway.open_webhook(signed(settings, body), now()), ForgedNotice)


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "under_astral_review"), ("currency", "XXX"), ("movements", {}), ("movements", [{"kind": "gift"}])],
)
def test_signed_notice_with_unknown_words_asks_for_a_query(
    gateway: SandboxCard, settings: SandboxSettings, provider: SandboxProcess, io: Io, shop: Any, name: str, value: Any
) -> None:
    """It is no forgery and cannot be applied: reason enough to ask."""
    event = json.loads(notice(provider, gateway, io, shop).body)
    event["payment"][name] = value
    opened = gateway.open_webhook(signed(settings, json.dumps(event).encode()), now())
    assert opened == (UnauthenticatedNotice(event_key=event["event_id"], begin_reference="s-1"),)


def test_retired_secrets_are_still_accepted(
    settings: SandboxSettings, provider: SandboxProcess, io: Io, shop: Any
) -> None:
    """During a change of secrets both hold."""
    raw = notice(provider, SandboxCard(settings), io, shop)
    new = attrs.evolve(settings, notify_secret=Secret("the-new-one"), retired_secrets=(settings.notify_secret,))
    assert isinstance(SandboxCard(new).open_webhook(raw, now()), tuple)
    assert isinstance(SandboxCard(attrs.evolve(new, retired_secrets=())).open_webhook(raw, now()), ForgedNotice)


@pytest.mark.parametrize(
    ("mishap", "changed"),
    [
        ("notice_wrong_amount", lambda told: told.movements[0].money == Money(1201, "JPY")),
        ("notice_wrong_currency", lambda told: told.movements[0].money.currency.code == "USD"),
        ("notice_wrong_mode", lambda told: told.mode == "live"),
        ("notice_wrong_account", lambda told: told.account == "someone-else"),
    ],
)
def test_untrue_but_signed_notices_are_handed_on_as_told(
    gateway: SandboxCard, provider: SandboxProcess, io: Io, shop: Any, mishap: str, changed: Callable[[Any], bool]
) -> None:
    """It is for the core to compare figures, account and mode with the attempt's, and to put such a notice aside."""
    (opened,) = gateway.open_webhook(notice(provider, gateway, io, shop, mishap), now())  # type: ignore[misc]
    assert isinstance(opened, VerifiedNotice)
    assert changed(opened.snapshot)


# --- care -------------------------------------------------------------------------------------------------------------


def test_settings_are_checked_without_network(settings: SandboxSettings) -> None:
    """Each mistake is named, with a text in both languages and no secret."""
    assert SandboxCard(settings).check_config() == ()
    wrong = attrs.evolve(settings, base_url="127.0.0.1:80", mode="demo", account="a b", timeout=dt.timedelta(0))
    problems = SandboxCard(wrong).check_config()
    assert [one.path.rpartition(".")[2] for one in problems] == ["base_url", "mode", "account", "timeout"]
    for one in problems:
        for locale in ("en", "ja"):
            assert not one.text(locale).startswith("problem.")
            assert settings.api_key.reveal() not in one.text(locale)


def test_nothing_secret_is_shown_or_logged(
    gateway: SandboxCard, settings: SandboxSettings, provider: SandboxProcess, io: Io
) -> None:
    """Neither representations nor logs nor scrubbed transcripts hold keys or tokens."""
    provider.script({"do": "act_then_html"})
    outcome = gateway.begin(io, begin("tok_declined_fraud"))
    seen = [repr(gateway), repr(settings), repr(outcome), *io.logged]
    seen.append(gateway.scrub(f"{settings.api_key.reveal()} {settings.notify_secret.reveal()} tok_declined_fraud"))
    for secret in (settings.api_key.reveal(), settings.notify_secret.reveal(), "tok_declined_fraud"):
        assert [text for text in seen if secret in text] == []
    assert len(io.logged) == 1


def test_card_number_cannot_be_a_token() -> None:
    """The type refuses it before the gateway sees it."""
    with pytest.raises(InvalidInputError):
        begin("4242424242424242")


def test_plugin_registers_a_gateway_when_it_has_settings(settings: SandboxSettings) -> None:
    """Without settings the plugin is there and offers nothing."""
    assert plugin.register_payment_gateways(settings=None) == ()
    (gateway,) = plugin.register_payment_gateways(settings=settings)
    assert (gateway.id, gateway.label.get("ja")) == ("sandbox.card", "カード（サンドボックス）")
    assert (plugin.name, plugin.eckit_interface["payment"], plugin.register_settings()) == (
        "sandbox",
        1,
        SandboxSettings,
    )


def test_fifty_payments_at_once_do_not_mix(gateway: SandboxCard, provider: SandboxProcess, io: Io) -> None:
    """One gateway object serves many threads."""

    def pay(number: int) -> Any:
        reference = f"s-{number}"
        known = facts(reference, Money(number, "JPY")) | {"begin_reference": reference}
        return gateway.begin(io, Begin(**known, instrument=CardToken(token=Secret("tok_ok"))))

    with ThreadPoolExecutor(50) as pool:
        outcomes = list(pool.map(pay, range(1, 51)))
    assert [outcome.money for outcome in outcomes] == [Money(number, "JPY") for number in range(1, 51)]
    assert {(entry.payment, entry.amount) for entry in provider.ledger()} == {(f"s-{n}", n) for n in range(1, 51)}
