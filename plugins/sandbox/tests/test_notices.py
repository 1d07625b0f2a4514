"""Notices: signed, repeated until acknowledged, and misbehaving when told to."""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxError, SandboxProcess

Pay = Callable[..., dict[str, Any]]
Moved = Callable[..., list[tuple[str, int]]]


class Shop(Protocol):
    url: str
    received: list[tuple[dict[str, str], bytes]]
    statuses: list[int]
    on_notice: Callable[[dict[str, Any]], None]
    events: list[dict[str, Any]]
    told: list[str]


def holds(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a signature as the README says, with code of our own."""
    match = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers.get("Sandbox-Signature", ""))
    if match is None:
        return False
    expected = hmac.new(secret.encode(), match[1].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, match[2])


def test_each_change_is_told_with_a_signature(
    provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay
) -> None:
    """A notice has the snapshot of its moment, a rising sequence and a signature over the raw bytes."""
    pay()
    client.capture("order-1", reference="c1", amount=1200)
    client.refund("order-1", reference="r1", amount=1200)
    client.refund("order-1", reference="r1", amount=1200)
    assert provider.wait_for_notices()
    assert told_shop.told == ["authorized", "captured", "refunded"]
    assert [event["sequence"] for event in told_shop.events] == [1, 2, 3]
    assert {(event["account"], event["mode"]) for event in told_shop.events} == {("shop", "test")}
    assert len({event["event_id"] for event in told_shop.events}) == 3
    assert set(told_shop.events[0]) == {"event_id", "account", "mode", "created_at", "sequence", "payment"}
    assert told_shop.events[-1]["payment"] == client.query("order-1").body
    assert all(holds(provider.secret, headers, body) for headers, body in told_shop.received)


def test_verdicts_and_decisions_are_told(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """Changes that no request of the shop caused are told as well."""
    pay("p1", token="tok_challenge")
    provider.approve("p1")
    pay("p2", token="tok_pending_fails")
    provider.resolve("p2")
    provider.office("p1", "capture", 1)
    provider.expire("p1")
    assert provider.wait_for_notices()
    of = {
        name: [e["payment"]["status"] for e in told_shop.events if e["payment"]["reference"] == name]
        for name in ("p1", "p2")
    }
    assert of["p1"] == ["challenge", "authorized", "partially_captured", "partially_captured"]
    assert of["p2"] == ["pending", "declined"]


def test_notice_is_repeated_until_it_is_acknowledged(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """Anything but 2xx is tried again, with the same event and the same bytes; a redirect is no acknowledgment."""
    told_shop.statuses += [500, 302, 404]
    pay()
    assert provider.wait_for_notices()
    assert len({body for _, body in told_shop.received}) == 1
    assert len(told_shop.received) == 4
    (notice,) = provider.state()["notices"]
    assert (notice["state"], notice["attempts"], notice["last_status"]) == ("delivered", 4, 200)


def test_notice_is_given_up_after_a_bounded_number_of_tries(
    provider: SandboxProcess, told_shop: Shop, pay: Pay
) -> None:
    """Six tries, then silence, until it is delivered by hand."""
    told_shop.statuses += [500] * 6
    pay()
    assert provider.wait_for_notices()
    assert provider.state()["notices"][0]["state"] == "given_up"
    assert len(told_shop.received) == 6
    assert provider.deliver() == [200]
    assert provider.state()["notices"][0]["state"] == "delivered"


def test_notices_wait_for_an_address(provider: SandboxProcess, shop: Shop, pay: Pay) -> None:
    """Without a notify URL they are kept and sent as soon as there is one."""
    pay("p1")
    pay("p2")
    assert not provider.wait_for_notices(0.05)
    provider.notify(shop.url)
    assert provider.wait_for_notices()
    assert len(shop.received) == 2


def test_notices_survive_a_killed_provider(tmp_path: Path, client: Client, shop: Shop) -> None:
    """What was not acknowledged before the end is sent after the restart."""
    with SandboxProcess(tmp_path / "kill", shop.url, notify_backoff=60) as provider:
        shop.statuses.append(503)
        mine = Client(client.transport, provider.base_url, "shop", provider.api_key)
        mine.begin(reference="p1", amount=9, currency="JPY", token="tok_ok", capture=True)
        deadline = time.monotonic() + 5
        while not shop.received and time.monotonic() < deadline:
            time.sleep(0.01)
        provider.kill()
        provider.start()
        assert provider.wait_for_notices()
        assert len(shop.received) == 2
        assert provider.state()["notices"][0]["state"] == "delivered"


def test_notice_can_arrive_before_the_answer(
    provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay
) -> None:
    """The shop hears of its charge while it still waits for the answer, and may ask about it in between."""
    seen: list[tuple[bool, str]] = []
    answered = threading.Event()
    told_shop.on_notice = lambda event: seen.append((answered.is_set(), client.query("order-1").body["status"]))
    provider.script({"match": {"operation": "begin"}, "do": "notice_before_answer"})
    pay(capture=True)
    answered.set()
    assert seen == [(False, "captured")]


@pytest.mark.parametrize("mishap", ["missign", "unsigned", "reserialized"])
def test_signature_does_not_hold(provider: SandboxProcess, told_shop: Shop, pay: Pay, mishap: str) -> None:
    """Wrong secret, no signature, or one over other bytes with the same meaning."""
    provider.script({"match": {"operation": "begin"}, "do": f"notice_{mishap}"})
    pay()
    assert provider.wait_for_notices()
    ((headers, body),) = told_shop.received
    assert not holds(provider.secret, headers, body)
    assert json.loads(body)["payment"]["reference"] == "order-1"


@pytest.mark.parametrize(
    ("mishap", "path", "value"),
    [
        ("wrong_amount", ("payment", "amount"), 1201),
        ("wrong_currency", ("payment", "currency"), "USD"),
        ("wrong_mode", ("mode",), "live"),
        ("wrong_account", ("account",), "someone-else"),
    ],
)
def test_signed_notice_tells_something_untrue(
    provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay, mishap: str, path: tuple[str, ...], value: Any
) -> None:
    """The signature holds, the figure or name is wrong; a query tells the truth."""
    provider.script({"match": {"operation": "begin"}, "do": f"notice_{mishap}"})
    pay()
    assert provider.wait_for_notices()
    ((headers, body),) = told_shop.received
    told: Any = json.loads(body)
    for name in path:
        told = told[name]
    assert told == value
    assert holds(provider.secret, headers, body)
    assert client.query("order-1").body["amount"] == 1200


def test_stale_notice_has_an_old_time(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """The signature holds, its time is long past."""
    provider.script({"match": {"operation": "begin"}, "do": "notice_stale(3600)"})
    pay("old")
    provider.clear()
    pay("new")
    assert provider.wait_for_notices()
    times = {
        json.loads(body)["payment"]["reference"]: int(headers["Sandbox-Signature"][2:].partition(",")[0])
        for headers, body in told_shop.received
    }
    assert 3590 <= times["new"] - times["old"] <= 3610
    assert all(holds(provider.secret, headers, body) for headers, body in told_shop.received)


def test_notice_comes_several_times(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """Copies have the same event id and the same bytes."""
    provider.script({"match": {"operation": "begin"}, "do": "notice_duplicate(5)"})
    pay()
    _wait_for(lambda: len(told_shop.received) == 5)
    assert len({body for _, body in told_shop.received}) == 1


def test_notices_change_places(provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay) -> None:
    """A notice that is held comes after the next one, with its older sequence."""
    provider.script({"match": {"operation": "begin"}, "do": "notice_reorder"})
    pay()
    client.capture("order-1", reference="c1", amount=1200)
    assert provider.wait_for_notices()
    assert [event["sequence"] for event in told_shop.events] == [2, 1]
    assert told_shop.told == ["captured", "authorized"]


def test_notice_comes_late(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """A delay lets the notice of a later change come first."""
    provider.script({"match": {"operation": "begin", "reference": "late"}, "do": "notice_delay(0.3)"})
    pay("late")
    pay("early")
    assert provider.wait_for_notices()
    assert [event["payment"]["reference"] for event in told_shop.events] == ["early", "late"]


def test_notice_is_lost(provider: SandboxProcess, told_shop: Shop, pay: Pay, moved: Moved) -> None:
    """A dropped notice never comes by itself; the money moved all the same."""
    provider.script({"do": "notice_drop"})
    pay()
    assert provider.wait_for_notices()
    assert (told_shop.received, moved()) == ([], [("authorize", 1200)])
    assert provider.deliver() == [200]
    assert told_shop.told == ["authorized"]


def test_deliveries_by_hand(provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay) -> None:
    """A test can send any notice again: chosen, in its own order, several times, at once, spoiled or not at all."""
    provider.script({"do": "notice_drop"})
    pay("p1")
    client.capture("p1", reference="c1", amount=1200)
    client.refund("p1", reference="r1", amount=1200)
    pay("p2")
    events = [notice["event_id"] for notice in provider.state()["notices"]]
    sent = told_shop.received

    def sequences() -> list[int]:
        found = [event["sequence"] for event in told_shop.events]
        sent.clear()
        return found

    assert provider.deliver(payment="p1", order="reversed") == [200, 200, 200]
    assert sequences() == [3, 2, 1]
    assert provider.deliver(events=[events[1], events[0]]) == [200, 200]
    assert sequences() == [2, 1]
    assert provider.deliver(events=[events[2]], copies=20, parallel=True) == [200] * 20
    assert sequences() == [3] * 20
    assert provider.deliver(events=[events[0]], mutation="missign") == [200]
    assert not holds(provider.secret, *sent[0])
    assert sequences() == [1]
    assert provider.deliver(events=[events[3]], drop=True) == []
    assert provider.deliver(events=[events[3]], delay=0.05) == [200]
    assert provider.deliver() == []
    with pytest.raises(SandboxError, match="no_such_event"):
        provider.deliver(events=["evt_none"])


def test_batch_tells_several_events_in_one_push(
    provider: SandboxProcess, told_shop: Shop, client: Client, pay: Pay
) -> None:
    """One body and one signature for all; a broken record keeps its id and its payment's name, and nothing readable."""
    provider.script({"do": "notice_drop"})
    pay("p1")
    pay("p2")
    pay("p3")
    events = [notice["event_id"] for notice in provider.state()["notices"]]
    assert provider.deliver(events=events, batch=True, broken=2) == [200, 200, 200]
    ((headers, body),) = told_shop.received
    assert holds(provider.secret, headers, body)
    records = json.loads(body)["events"]
    assert [record["event_id"] for record in records] == events
    assert [record["payment"]["reference"] for record in records] == ["p1", "p2", "p3"]
    assert [isinstance(record["payment"]["movements"], list) for record in records] == [True, False, True]
    assert records[0]["payment"] == client.query("p1").body
    assert {notice["state"] for notice in provider.state()["notices"]} == {"delivered"}


def test_batch_without_an_answer_is_not_delivered(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """A refused push leaves its events as they were."""
    provider.script({"do": "notice_drop"})
    pay()
    told_shop.statuses.append(500)
    assert provider.deliver(payment="order-1", batch=True) == [500]
    assert provider.state()["notices"][0]["state"] == "dropped"


@pytest.mark.parametrize(
    "options",
    [{"broken": 1}, {"batch": True, "broken": 2}, {"batch": True, "copies": 2}, {"batch": True, "mutation": "stale"}],
)
def test_batch_that_makes_no_sense_is_refused(
    provider: SandboxProcess, told_shop: Shop, pay: Pay, options: dict[str, Any]
) -> None:
    """Nothing is sent."""
    provider.script({"do": "notice_drop"})
    pay()
    with pytest.raises(SandboxError, match="invalid"):
        provider.deliver(payment="order-1", **options)
    assert told_shop.received == []


def test_shop_that_does_not_answer_is_no_acknowledgment(provider: SandboxProcess, pay: Pay) -> None:
    """A refused connection counts as a try without a status."""
    provider.notify("http://127.0.0.1:9/nobody")
    pay()
    assert provider.wait_for_notices()
    (notice,) = provider.state()["notices"]
    assert (notice["state"], notice["attempts"], notice["last_status"]) == ("given_up", 6, None)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://10.0.0.1/", "file:///etc/passwd", "http://127.0.0.1.example.com/"]
)
def test_notices_stay_on_this_machine(provider: SandboxProcess, url: str) -> None:
    """A sandbox must not call strangers."""
    with pytest.raises(SandboxError):
        provider.notify(url)


def test_provider_time_dates_signatures_and_movements(provider: SandboxProcess, told_shop: Shop, pay: Pay) -> None:
    """With the shop's fixed clock, times agree."""
    import datetime as dt

    now = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    provider.set_clock(now, running=False)
    pay()
    assert provider.wait_for_notices()
    ((headers, _),) = told_shop.received
    assert headers["Sandbox-Signature"].startswith(f"t={int(now.timestamp())},v1=")
    assert provider.ledger()[0].at == "2026-01-02T03:04:05.000000Z"
    provider.set_clock(None)
    assert provider.state()["now"] > "2026-01-02T03:04:05"


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()
