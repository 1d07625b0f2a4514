"""Beginning payments: what tokens decide, and that one reference is one charge."""

import threading
from pathlib import Path
from typing import Any

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxProcess

DECLINES = ("insufficient_funds", "expired_card", "do_not_honor", "lost_card", "fraud")


def begin(client: Client, reference: str = "order-1", **changes: Any) -> dict[str, Any]:
    wish = {"amount": 1200, "currency": "JPY", "token": "tok_ok", "capture": False}
    return client.begin(reference=reference, **wish | changes).body


def moved(provider: SandboxProcess, payment: str | None = None) -> list[tuple[str, int]]:
    return [(entry.kind, entry.amount) for entry in provider.ledger(payment)]


def test_money_is_reserved(provider: SandboxProcess, client: Client) -> None:
    """Without ``capture`` a good token gives an authorization that expires."""
    snapshot = begin(client)
    assert snapshot["status"] == "authorized"
    assert snapshot["expires_at"] is not None
    assert moved(provider) == [("authorize", 1200)]


def test_money_is_taken_at_once(provider: SandboxProcess, client: Client) -> None:
    """With ``capture`` a good token gives one capture and no separate authorization."""
    assert begin(client, capture=True)["status"] == "captured"
    assert moved(provider) == [("capture", 1200)]


@pytest.mark.parametrize("code", DECLINES)
def test_declines_say_why_and_move_nothing(provider: SandboxProcess, client: Client, code: str) -> None:
    """A declining token names its code; nothing is booked."""
    snapshot = begin(client, token=f"tok_declined_{code}")
    assert (snapshot["status"], snapshot["code"]) == ("declined", code)
    assert moved(provider) == []


def test_same_reference_is_the_same_payment(provider: SandboxProcess, client: Client) -> None:
    """A repeated request returns the payment it made and charges nothing again."""
    first = client.begin(reference="r1", amount=500, currency="USD", token="tok_ok", capture=True)
    second = client.begin(reference="r1", amount=500, currency="USD", token="tok_ok", capture=True)
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    assert moved(provider) == [("capture", 500)]


@pytest.mark.parametrize(
    "change", [{"amount": 1201}, {"currency": "USD"}, {"capture": True}, {"token": "tok_challenge"}]
)
def test_reference_is_refused_for_another_request(
    provider: SandboxProcess, client: Client, change: dict[str, Any]
) -> None:
    """A used reference with anything changed is a conflict; the first payment stays as it is."""
    first = begin(client)
    wish = {"amount": 1200, "currency": "JPY", "token": "tok_ok", "capture": False} | change
    reply = client.begin(reference="order-1", **wish)
    assert (reply.status, reply.error) == (409, "reference_reused")
    assert client.query("order-1").body == first


def test_sixteen_equal_requests_at_once_make_one_charge(provider: SandboxProcess, client: Client) -> None:
    """The reference is claimed atomically."""
    threads = [threading.Thread(target=begin, args=(client, "same"), kwargs={"capture": True}) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert moved(provider) == [("capture", 1200)]


def test_references_belong_to_accounts(tmp_path: Path, client: Client) -> None:
    """Two accounts may use one reference; neither sees the other's payment, and no third account exists."""
    with SandboxProcess(tmp_path / "two", accounts=("tokyo", "osaka")) as provider:
        tokyo, osaka, kyoto = (client_of(client, provider, name) for name in ("tokyo", "osaka", "kyoto"))
        begin(tokyo, amount=1)
        begin(osaka, amount=2)
        assert [(entry.account, entry.amount) for entry in provider.ledger()] == [("tokyo", 1), ("osaka", 2)]
        assert tokyo.query("order-1").body["amount"] == 1
        assert [one["amount"] for one in osaka.ledger().body["movements"]] == [2]
        assert kyoto.query("order-1").error == "unknown_account"


def client_of(client: Client, provider: SandboxProcess, account: str) -> Client:
    return Client(client.transport, provider.base_url, account, provider.api_key)


@pytest.mark.parametrize(("currency", "exponent"), [("JPY", 0), ("USD", 2), ("KWD", 3)])
def test_amounts_are_minor_units_in_every_currency(
    provider: SandboxProcess, client: Client, currency: str, exponent: int
) -> None:
    """The smallest unit stays one unit, whatever the currency's decimals."""
    snapshot = begin(client, amount=1, currency=currency)
    assert (snapshot["amount"], snapshot["exponent"]) == (1, exponent)
    assert moved(provider) == [("authorize", 1)]


@pytest.mark.parametrize("amount", [0, -1, 10_000_000_000, 1.0, 1.5, True, "100", None])
def test_amounts_that_are_no_amounts_are_refused(provider: SandboxProcess, client: Client, amount: Any) -> None:
    """Only integers within the limits are amounts."""
    reply = client.begin(reference="r1", amount=amount, currency="JPY", token="tok_ok", capture=True)
    assert reply.status == 422
    assert reply.body["error"]["field"] == "amount"
    assert moved(provider) == []


def test_largest_amount_is_accepted(provider: SandboxProcess, client: Client) -> None:
    """The limit itself is allowed."""
    begin(client, amount=9_999_999_999)
    assert moved(provider) == [("authorize", 9_999_999_999)]


@pytest.mark.parametrize(
    "change", [{"currency": "XYZ"}, {"currency": "jpy"}, {"token": "tok_nonsense"}, {"token": "4242"}]
)
def test_unknown_words_are_refused(provider: SandboxProcess, client: Client, change: dict[str, Any]) -> None:
    """Currencies and tokens that do not exist are refused, naming the field."""
    reply = client.begin(
        **{"reference": "r", "amount": 1, "currency": "JPY", "token": "tok_ok", "capture": True} | change
    )
    assert (reply.status, reply.body["error"]["field"]) == (422, next(iter(change)))


def test_unknown_payment_is_a_definite_no(client: Client) -> None:
    """A query for an unknown reference answers ``no_such_payment``, unlike a path that does not exist."""
    reply = client.query("nothing")
    assert (reply.status, reply.error) == (404, "no_such_payment")


def test_metadata_comes_back(client: Client) -> None:
    """What the shop attached is in the snapshot."""
    begin(client, metadata={"note": "お茶"})
    assert client.query("order-1").body["metadata"] == {"note": "お茶"}


def test_ledger_lists_everything_in_a_span(provider: SandboxProcess, client: Client) -> None:
    """The ledger over HTTP agrees with the file and respects its half-open span."""
    begin(client, "r1")
    begin(client, "r2", capture=True)
    listed = client.ledger().body["movements"]
    assert [(one["payment"], one["kind"]) for one in listed] == [("r1", "authorize"), ("r2", "capture")]
    assert [one["id"] for one in listed] == [entry.id for entry in provider.ledger()]
    assert client.ledger(until=listed[0]["at"]).body["movements"] == []
    assert client.ledger(since=listed[1]["at"]).body["movements"] == [listed[1]]


def test_no_token_is_kept(provider: SandboxProcess, client: Client) -> None:
    """Neither the log of requests nor the file has the token."""
    begin(client, token="tok_declined_fraud")
    assert "tok_***" in provider.requests("begin")[0]["body"]
    assert b"tok_declined" not in provider.ledger_file.read_bytes()
    assert b"tok_declined" not in provider.ledger_file.with_name("ledger.sqlite-wal").read_bytes()
