"""The gateway against a running provider: what eckit is told, and what the ledger says."""

import datetime as dt
from collections.abc import Callable
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
    InvalidInputError,
    Pending,
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
    Void,
    Voided,
    Voids,
)
from eckit_sandbox import SandboxCard, SandboxProcess, SandboxSettings, plugin
from eckit_sandbox.provider.currencies import EXPONENTS
from eckit_sandbox.provider.notices import sign
from plugins.sandbox.tests.asking import QUERY, Io, begin, facts, now, revealed

Moved = Callable[..., list[tuple[str, int]]]


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
    """A promise is no movement; done, it has the provider's own entry; failed, the snapshot says so."""
    gateway.begin(io, begin(capture=True))
    provider.script({"match": {"operation": "refund"}, "do": f"refund_async({end})"})
    refund = Refund(**facts("s-1-r2", Money(100, "JPY")))
    pending = gateway.refund(io, refund)
    assert pending == RefundPending(
        money=Money(100, "JPY"), movement_ref="s-1-r2.pending", provider_ref=pending.provider_ref
    )
    assert movements(gateway, io)[1:] == []
    provider.resolve("s-1-r2")
    if end == "done":
        done = gateway.refund(io, refund)
        assert isinstance(done, Refunded)
        assert movements(gateway, io)[1:] == [("refund", done.movement_ref, "final")]
    else:
        assert gateway.refund(io, refund) == Declined(code="other", raw_code="account_closed", retry="other")
        assert movements(gateway, io)[1:] == [("refund_failed", "s-1-r2.failed", "final")]


def movements(gateway: SandboxCard, io: Io) -> list[tuple[str, str, str]]:
    snapshot = gateway.query(io, QUERY)
    assert isinstance(snapshot, Snapshot)
    return [(one.kind, one.movement_ref, one.finality) for one in snapshot.movements]


def test_settings_are_checked_without_network(settings: SandboxSettings) -> None:
    """Each mistake is named, with a text in both languages and no secret."""
    assert SandboxCard(settings).check_config() == ()
    wrong = attrs.evolve(settings, base_url="127.0.0.1:80", mode="demo", account="a b", timeout=dt.timedelta(0))
    problems = SandboxCard(wrong).check_config()
    assert [one.path.rpartition(".")[2] for one in problems] == ["base_url", "mode", "account", "timeout"]
    for one in problems:
        for locale in ("en", "ja"):
            assert not one.text(locale).startswith("problem.")
            assert revealed(settings.api_key) not in one.text(locale)


def test_missing_secrets_are_named_and_nothing_is_sent(provider: SandboxProcess, io: Io) -> None:
    """A gateway without key and secret asks for both, sends nothing and believes no notice."""
    gateway = SandboxCard(SandboxSettings(base_url=provider.base_url))
    problems = gateway.check_config()
    paths = ["plugins.sandbox.api_key", "plugins.sandbox.notify_secret"]
    assert [(one.code, one.path) for one in problems] == [("missing", path) for path in paths]
    assert gateway.begin(io, begin()) == Rejected(problems=problems)
    assert gateway.void(io, Void(**facts("v"))) == Rejected(problems=problems)
    assert gateway.query(io, QUERY) == QueryFailed(cause="not set up")
    body = b'{"event_id": "e", "payment": {"reference": "s-1"}}'
    for secret in ("", "None"):
        header = sign(secret, int(now().timestamp()), body)
        opened = gateway.open_webhook(RawRequest(body=body, headers={"sandbox-signature": header}), now())
        assert opened == ForgedNotice(why="signature")
    assert io.sent == 0


def test_nothing_secret_is_shown_or_logged(
    gateway: SandboxCard, settings: SandboxSettings, provider: SandboxProcess, io: Io
) -> None:
    """Neither representations nor logs nor scrubbed transcripts hold keys or tokens."""
    provider.script({"do": "act_then_html"})
    outcome = gateway.begin(io, begin("tok_declined_fraud"))
    seen = [repr(gateway), repr(settings), repr(outcome), *io.logged]
    seen.append(gateway.scrub(f"{revealed(settings.api_key)} {revealed(settings.notify_secret)} tok_declined_fraud"))
    for secret in (revealed(settings.api_key), revealed(settings.notify_secret), "tok_declined_fraud"):
        assert [text for text in seen if secret in text] == []
    assert len(io.logged) == 1


def test_card_number_cannot_be_a_token() -> None:
    """The type refuses it before the gateway sees it."""
    with pytest.raises(InvalidInputError):
        begin("4242424242424242")


def test_plugin_registers_a_gateway_when_it_has_settings(settings: SandboxSettings) -> None:
    """Installed and not set up, the plugin is there and offers nothing."""
    assert plugin.register_payment_gateways(settings=None) == ()
    assert plugin.register_payment_gateways(settings=SandboxSettings()) == ()
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
