"""Payments that wait: for the buyer's decision, or for the provider's own verdict."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxError, SandboxProcess

Pay = Callable[..., dict[str, Any]]
Moved = Callable[..., list[tuple[str, int]]]
Exchange = Callable[..., tuple[int, dict[str, str], bytes]]


def test_challenge_is_approved(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """Nothing moves until the buyer approves; a second decision changes nothing."""
    snapshot = pay(token="tok_challenge", return_url="https://shop.example/back?cart=1")
    assert snapshot["status"] == "challenge"
    assert snapshot["action"]["url"].startswith(f"{provider.base_url}/challenge/")
    assert moved() == []
    assert provider.approve("order-1") == "https://shop.example/back?cart=1&payment=order-1"
    assert provider.deny("order-1") == "https://shop.example/back?cart=1&payment=order-1"
    assert client.query("order-1").body["status"] == "authorized"
    assert moved() == [("authorize", 1200)]


def test_challenge_leads_to_a_sale(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """What was asked for at the beginning, reserve or take, happens after the challenge."""
    pay(token="tok_challenge", capture=True)
    assert provider.approve("order-1") is None
    assert client.query("order-1").body["status"] == "captured"
    assert moved() == [("capture", 1200)]


def test_challenge_is_denied(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """A denied challenge is a decline."""
    pay(token="tok_challenge")
    provider.deny("order-1")
    snapshot = client.query("order-1").body
    assert (snapshot["status"], snapshot["code"]) == ("declined", "challenge_denied")
    assert moved() == []


def test_challenge_fails_although_approved(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """Authentication can fail whatever the buyer does."""
    pay(token="tok_challenge_fails")
    provider.approve("order-1")
    snapshot = client.query("order-1").body
    assert (snapshot["status"], snapshot["code"]) == ("declined", "authentication_failed")
    assert moved() == []


def test_abandoned_challenge_expires(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """After a quarter of an hour, an approval comes too late."""
    provider.set_clock(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), running=False)
    snapshot = pay(token="tok_challenge")
    assert snapshot["expires_at"] == "2026-03-01T12:15:00.000000Z"
    provider.set_clock(dt.datetime(2026, 3, 1, 12, 15, tzinfo=dt.UTC), running=False)
    provider.approve("order-1")
    assert client.query("order-1").body["status"] == "expired"
    assert client.capture("order-1", reference="c1", amount=1).error == "not_authorized"
    assert moved() == []


def test_open_challenge_is_closed_by_a_void(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """A shop that gives up an attempt can be sure that it cannot be approved afterwards."""
    pay(token="tok_challenge")
    assert client.void("order-1", reference="v1").body["payment"]["status"] == "voided"
    provider.approve("order-1")
    assert client.query("order-1").body["status"] == "voided"
    assert moved() == []


def test_challenge_page_is_plain_html(pay: Pay, exchange: Exchange) -> None:
    """The buyer sees the amount with its decimals and two buttons; no key is needed."""
    path = pay(token="tok_challenge", amount=123456, currency="USD")["action"]["url"].partition("/challenge/")[2]
    status, headers, raw = exchange("GET", f"/challenge/{path}", headers={"Authorization": ""})
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = raw.decode()
    assert "1,234.56 USD" in page
    assert 'value="approve"' in page
    assert exchange("GET", "/challenge/" + "x" * 32)[0] == 404
    assert exchange("POST", f"/challenge/{path}", b"decision=maybe")[0] == 422


def test_return_url_must_be_a_web_address(client: Client) -> None:
    """A return URL of another kind could run a script in the buyer's browser."""
    for url in ("javascript:alert(1)", "/relative", "https://", "http://a b/", "https://shop.example:x/"):
        reply = client.begin(
            reference="r", amount=1, currency="JPY", token="tok_challenge", capture=True, return_url=url
        )
        assert (reply.status, reply.body["error"]["field"]) == (422, "return_url")


@pytest.mark.parametrize(("token", "status"), [("tok_pending_ok", "captured"), ("tok_pending_fails", "declined")])
def test_pending_payment_is_decided_when_told(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved, token: str, status: str
) -> None:
    """A pending payment moves nothing until its verdict, which is spoken once."""
    assert pay(token=token, capture=True)["status"] == "pending"
    assert client.void("order-1", reference="v1").error == "not_authorized"
    assert moved() == []
    provider.resolve("order-1")
    provider.resolve("order-1")
    assert client.query("order-1").body["status"] == status
    assert moved() == ([("capture", 1200)] if status == "captured" else [])


def test_nothing_to_resolve_is_an_error(provider: SandboxProcess) -> None:
    """The remote control refuses references it does not know."""
    with pytest.raises(SandboxError, match="no_such_payment"):
        provider.resolve("nothing")
    with pytest.raises(SandboxError, match="no challenge"):
        provider.approve("nothing")


def test_pending_payment_is_decided_by_itself_also_after_a_restart(tmp_path: Path, client: Client) -> None:
    """With a waiting time, verdicts are spoken without a word, even if the provider was killed meanwhile."""
    with SandboxProcess(tmp_path / "waits", pending_seconds=0.3) as provider:
        mine = Client(client.transport, provider.base_url, "shop", provider.api_key)
        mine.begin(reference="p1", amount=9, currency="JPY", token="tok_pending_ok", capture=True)
        provider.kill()
        assert provider.ledger() == ()
        provider.start()
        assert mine.query("p1").body["status"] == "pending"
        deadline = time.monotonic() + 5
        while mine.query("p1").body["status"] == "pending" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [entry.kind for entry in provider.ledger()] == ["capture"]
