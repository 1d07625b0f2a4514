"""The gateway and the provider's notices: what is believed, what only asks for a query, what is forged."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit import (
    ForgedNotice,
    RawRequest,
    Secret,
    UnauthenticatedNotice,
    VerifiedNotice,
)
from eckit_sandbox import SandboxCard, SandboxProcess, SandboxSettings
from eckit_sandbox.provider.notices import sign
from plugins.sandbox.tests.asking import QUERY, Io, begin, now, revealed

Moved = Callable[..., list[tuple[str, int]]]


def notice(provider: SandboxProcess, gateway: SandboxCard, io: Io, shop: Any, do: str = "delay(0)") -> RawRequest:
    """Let the provider tell one payment and return the notice as it came."""
    provider.notify(shop.url)
    provider.script({"match": {"operation": "begin"}, "do": do})
    gateway.begin(io, begin())
    assert provider.wait_for_notices()
    headers, body = shop.received[-1]
    return RawRequest(body=body, headers={name.lower(): value for name, value in headers.items()})


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
    header = sign(revealed(settings.notify_secret), int(now().timestamp()), body)
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


def test_broken_record_of_a_batch_does_not_spoil_the_others(
    gateway: SandboxCard, settings: SandboxSettings, provider: SandboxProcess, io: Io, shop: Any
) -> None:
    """Good records are believed, one that cannot be read asks for a query, one without a payment waits for a person."""
    good = json.loads(notice(provider, gateway, io, shop).body)
    broken = {**good, "event_id": "evt_broken", "payment": {**good["payment"], "movements": None}}
    nameless = {**good, "event_id": "evt_nameless", "payment": "s-1"}
    other_account = {**good, "event_id": "evt_other", "account": "someone-else"}
    body = json.dumps({"events": [broken, good, nameless, 17, other_account, {**good, "event_id": "e\0"}]}).encode()
    opened = gateway.open_webhook(signed(settings, body), now())
    assert isinstance(opened, tuple)
    assert opened[0] == UnauthenticatedNotice(event_key="evt_broken", begin_reference="s-1")
    assert isinstance(opened[1], VerifiedNotice)
    assert opened[1].snapshot == gateway.query(io, QUERY)
    assert opened[2:] == (UnauthenticatedNotice(event_key="", begin_reference="?"),) * 4


@pytest.mark.parametrize("body", [b'{"events": []}', b'{"events": {}}', b'{"events": [1, {}]}'])
def test_batch_without_a_readable_record_is_refused(
    gateway: SandboxCard, settings: SandboxSettings, body: bytes
) -> None:
    """There is nothing in it that could be kept for a payment."""
    assert isinstance(gateway.open_webhook(signed(settings, body), now()), ForgedNotice)


def test_retired_secrets_are_still_accepted(
    settings: SandboxSettings, provider: SandboxProcess, io: Io, shop: Any
) -> None:
    """During a change of secrets both hold."""
    raw = notice(provider, SandboxCard(settings), io, shop)
    new = attrs.evolve(
        settings, notify_secret=Secret("the-new-one"), retired_secrets=tuple(filter(None, (settings.notify_secret,)))
    )
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
