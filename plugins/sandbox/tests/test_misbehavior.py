"""Each mishap: what the client gets, and what the ledger says really happened."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from eckit_sandbox.client import Client, MaybeSentError
from eckit_sandbox.process import SandboxError, SandboxProcess
from eckit_sandbox.provider.script import STEPS, TOKEN_STEPS

Pay = Callable[..., dict[str, Any]]
Moved = Callable[..., list[tuple[str, int]]]
Exchange = Callable[..., tuple[int, dict[str, str], bytes]]

UNUSABLE = {
    "act_then_reset": ("ConnectionResetError", None),
    "act_then_hang(0.2)": ("ConnectionResetError", None),
    "act_then_status(500)": ("status 500", 500),
    "act_then_status(502)": ("status 502", 502),
    "act_then_truncate": ("IncompleteRead", None),
    "act_then_html": ("the answer is not JSON", 200),
    "act_then_empty": ("the answer cannot be read", 200),
    "act_then_wrong_charset": ("the answer cannot be read", 201),
    "stored_5xx(60)": ("status 500", 500),
}


@pytest.mark.parametrize("do", UNUSABLE)
@pytest.mark.parametrize("operation", ["begin", "capture", "void", "refund"])
def test_acts_and_gives_no_usable_answer(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved, do: str, operation: str
) -> None:
    """The money moved though the client cannot know; the same request again finds it and moves nothing."""
    requests: dict[str, Callable[[], Any]] = {
        "begin": lambda: pay("order-2", capture=True),
        "capture": lambda: client.capture("order-1", reference="x", amount=300),
        "void": lambda: client.void("order-1", reference="x"),
        "refund": lambda: client.refund("sold", reference="x", amount=300),
    }
    pay("order-1")
    pay("sold", capture=True)
    before = moved()
    provider.script({"match": {"operation": operation, "nth": 1}, "do": do})
    with pytest.raises(MaybeSentError) as caught:
        requests[operation]()
    assert (str(caught.value), caught.value.status) == UNUSABLE[do]
    kind = "capture" if operation == "begin" else operation
    assert [one[0] for one in moved()[len(before) :]] == [kind]
    if not do.startswith("stored"):
        requests[operation]()
    assert len(moved()) == len(before) + 1
    assert provider.requests(operation)[-1]["status"] in (200, 500)


def test_hanging_answer_outlasts_the_client(provider: SandboxProcess, client: Client, moved: Moved) -> None:
    """A client with a short timeout gives up while the provider has long acted."""
    provider.script({"match": {"operation": "begin"}, "do": "act_then_hang(30)"})
    impatient = Client(client.transport, provider.base_url, "shop", provider.api_key, timeout=0.3)
    began = time.monotonic()
    with pytest.raises(MaybeSentError, match="TimeoutError"):
        impatient.begin(reference="r1", amount=5, currency="JPY", token="tok_ok", capture=True)
    assert time.monotonic() - began < 2
    assert moved() == [("capture", 5)]


def test_refuses_before_acting(provider: SandboxProcess, pay: Pay, moved: Moved) -> None:
    """The connection is reset and nothing was done; the client cannot tell this from having acted."""
    provider.script({"match": {"operation": "begin", "times": 1}, "do": "refuse_before"})
    with pytest.raises(MaybeSentError):
        pay()
    assert moved() == []
    pay()
    assert moved() == [("authorize", 1200)]


def test_limits_the_rate(provider: SandboxProcess, client: Client, moved: Moved) -> None:
    """429 with the seconds to wait; nothing was done."""
    provider.script({"match": {"operation": "begin", "times": 1}, "do": "rate_limit(7)"})
    reply = client.begin(reference="r", amount=1, currency="JPY", token="tok_ok", capture=True)
    assert (reply.status, reply.error, reply.retry_after) == (429, "rate_limited", 7)
    assert moved() == []


def test_replays_a_stored_error(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """The same 500 comes back for the same reference although the act was done; a query tells the truth."""
    provider.script({"match": {"operation": "begin", "nth": 1}, "do": "stored_5xx(0.4)"})
    for _ in range(2):
        with pytest.raises(MaybeSentError, match="status 500"):
            pay(capture=True)
    assert client.query("order-1").body["status"] == "captured"
    time.sleep(0.45)
    assert pay(capture=True)["status"] == "captured"
    assert moved() == [("capture", 1200)]


@pytest.mark.parametrize(("operation", "code"), [("capture", "already_captured"), ("void", "already_voided")])
def test_says_it_was_done_already(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved, operation: str, code: str
) -> None:
    """The act is done and answered as if it had been done before: a refusal that is none."""
    pay()
    provider.script({"match": {"operation": operation}, "do": "act_already"})
    arguments: dict[str, Any] = {"amount": 1200} if operation == "capture" else {}
    assert getattr(client, operation)("order-1", reference="x", **arguments).error == code
    assert moved() == [("authorize", 1200), (operation, 1200)]


def test_speaks_an_unknown_status(provider: SandboxProcess, client: Client, pay: Pay, moved: Moved) -> None:
    """A word that no documentation has stands where the status should be, in answers to acts and to queries."""
    provider.script({"match": {"operation": "begin"}, "do": "unknown_status"})
    assert pay()["status"] == "under_astral_review"
    assert client.query("order-1").body["status"] == "authorized"
    provider.script({"match": {"operation": "query"}, "do": "unknown_status"})
    provider.script({"match": {"operation": "capture"}, "do": "unknown_status"})
    assert client.query("order-1").body["status"] == "under_astral_review"
    assert client.capture("order-1", reference="c", amount=1).body["operation"]["state"] == "under_astral_review"
    assert moved() == [("authorize", 1200), ("capture", 1)]


def test_query_lags(provider: SandboxProcess, client: Client, pay: Pay) -> None:
    """A query may not see yet what was done; once the script is over, it does."""
    pay()
    provider.script({"match": {"operation": "query", "times": 2}, "do": "not_found_yet"})
    assert [client.query("order-1").error for _ in range(3)] == ["no_such_payment", "no_such_payment", None]


@pytest.mark.parametrize("do", ["act_then_reset", "act_then_status(503)", "act_then_html", "act_then_truncate"])
def test_query_fails(provider: SandboxProcess, client: Client, pay: Pay, do: str) -> None:
    """Queries meet the same mishaps."""
    pay()
    provider.script({"match": {"operation": "query", "nth": 1}, "do": do})
    with pytest.raises(MaybeSentError):
        client.query("order-1")
    assert client.query("order-1").body["status"] == "authorized"


def test_is_slow(provider: SandboxProcess, pay: Pay) -> None:
    """A delay comes before acting."""
    provider.script({"match": {"operation": "begin"}, "do": "delay(0.3)"})
    began = time.monotonic()
    pay()
    assert time.monotonic() - began >= 0.3


def test_rules_match_by_reference_payment_and_number(
    provider: SandboxProcess, client: Client, pay: Pay, moved: Moved
) -> None:
    """A rule fires only on what it matches, and several may fire on one request."""
    provider.script(
        {"match": {"reference": "order-2"}, "do": "rate_limit"},
        {"match": {"payment": "order-1", "operation": "capture", "nth": 2}, "do": ["delay(0)", "act_then_reset"]},
    )
    pay("order-1")
    assert client.begin(reference="order-2", amount=1, currency="JPY", token="tok_ok", capture=True).status == 429
    client.capture("order-1", reference="c1", amount=1)
    with pytest.raises(MaybeSentError):
        client.capture("order-1", reference="c2", amount=2)
    client.capture("order-1", reference="c3", amount=3)
    assert moved() == [("authorize", 1200), ("capture", 1), ("capture", 2), ("capture", 3)]
    assert [(rule["matched"], rule["fired"]) for rule in provider.state()["rules"]] == [(1, 1), (3, 1)]
    assert provider.requests("capture")[1]["steps"] == "delay, act_then_reset"
    provider.clear()
    assert provider.state()["rules"] == []


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "explode"},
        {"do": "act_then_status(abc)"},
        {"do": "act_then_status(99)"},
        {"do": "act_then_reset(1)"},
        {"do": "refund_async(maybe)"},
        {"do": "act_then_hang(nan)"},
        {"do": 5},
        {},
        {"match": {"operation": "dance"}, "do": "delay"},
        {"match": {"nth": 0}, "do": "delay"},
        {"match": {"color": "red"}, "do": "delay"},
        {"do": "delay", "also": 1},
        "delay",
    ],
)
def test_nonsense_in_a_script_is_refused(provider: SandboxProcess, rule: Any) -> None:
    """A script that cannot work is refused as a whole, so that no test passes by a misspelled mishap."""
    with pytest.raises(SandboxError):
        provider.script({"do": "delay(0)"}, rule)
    assert provider.state()["rules"] == []


@pytest.mark.parametrize("token", sorted(set(TOKEN_STEPS) - {"hang", "slow"}))
def test_tokens_need_no_script(client: Client, pay: Pay, moved: Moved, token: str) -> None:
    """The first request with such a token meets its mishap; the payment is approved, at the latest by the second."""
    try:
        pay(token=f"tok_{token}", capture=True)
    except MaybeSentError:
        assert token not in ("rate_limit", "unknown_status")
    if token == "stored_5xx":
        assert client.query("order-1").body["status"] == "captured"
    else:
        assert pay(token=f"tok_{token}", capture=True)["status"] == "captured"
    assert moved() == [("capture", 1200)]


def test_every_mishap_is_shown_in_the_readme() -> None:
    """A reader finds each step and each token."""
    from pathlib import Path

    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert [name for name in STEPS if f"`{name}" not in readme] == []
    assert [name for name in TOKEN_STEPS if f"`tok_{name}`" not in readme] == []
