"""What the HTTP side refuses, and that nothing refused leaves a trace."""

import json
import re
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from eckit_sandbox.client import Client
from eckit_sandbox.process import SandboxProcess
from eckit_sandbox.provider.cards import holds_card_number

Exchange = Callable[..., tuple[int, dict[str, str], bytes]]
Moved = Callable[..., list[tuple[str, int]]]

CARD = "4242424242424242"
WISH: dict[str, Any] = {
    "account": "shop",
    "reference": "r1",
    "amount": 5,
    "currency": "JPY",
    "token": "tok_ok",
    "capture": True,
}


def body(**changes: Any) -> bytes:
    return json.dumps(WISH | changes).encode()


def code(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["error"]["code"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null garbage",
        body()[:-1],
        b'{"amount": NaN}',
        b'{"amount": 1, "amount": 2}',
        b'{"note": "\xff\xfe"}',
        b"[" * 30_000,
        b'{"amount": ' + b"9" * 5000 + b"}",
    ],
)
def test_malformed_json_is_refused(exchange: Exchange, moved: Moved, content: bytes) -> None:
    """400 for anything that is not strict UTF-8 JSON, however it is broken."""
    assert code(exchange("POST", "/v1/payments", content)) == (400, "malformed_json")
    assert moved() == []


@pytest.mark.parametrize("content", [b"[]", b"1", b'"text"', b"null"])
def test_body_must_be_an_object(exchange: Exchange, content: bytes) -> None:
    """Well-formed JSON of another shape is refused."""
    assert code(exchange("POST", "/v1/payments", content)) == (422, "not_an_object")


@pytest.mark.parametrize("missing", WISH)
def test_every_member_is_needed(exchange: Exchange, moved: Moved, missing: str) -> None:
    """A missing member is named."""
    wish = {name: value for name, value in WISH.items() if name != missing}
    status, _, raw = exchange("POST", "/v1/payments", json.dumps(wish).encode())
    assert (status, json.loads(raw)["error"]["field"]) == (422, missing)
    assert moved() == []


def test_unknown_member_is_refused(exchange: Exchange, moved: Moved) -> None:
    """A misspelled member would otherwise be silently without effect."""
    assert code(exchange("POST", "/v1/payments", body(captured=True))) == (422, "unknown_member")
    assert moved() == []


@pytest.mark.parametrize("reference", ["", " ", "a b", "a/b", "x" * 65, "é", "a\n", None, 5])
def test_reference_has_a_form(exchange: Exchange, reference: Any) -> None:
    """References are short and plain."""
    status, _, raw = exchange("POST", "/v1/payments", body(reference=reference))
    assert (status, json.loads(raw)["error"]["field"]) == (422, "reference")


@pytest.mark.parametrize("metadata", [{"a": 1}, {"a": "x" * 501}, ["a"], {"k" * 41: "x"}, {"a": "\ud800"}, {"a": "\0"}])
def test_metadata_holds_short_texts(exchange: Exchange, metadata: Any) -> None:
    """Anything else is refused before it reaches the file."""
    status, _, raw = exchange("POST", "/v1/payments", body(metadata=metadata))
    assert (status, json.loads(raw)["error"]["field"]) == (422, "metadata")


def test_only_json_is_read(exchange: Exchange) -> None:
    """A form post is refused."""
    assert code(exchange("POST", "/v1/payments", body(), {"Content-Type": "text/plain"})) == (415, "not_json")
    ok = exchange("POST", "/v1/payments", body(), {"Content-Type": "Application/JSON; charset=utf-8"})
    assert ok[0] == 201


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer \xff"])
def test_key_is_needed(provider: SandboxProcess, exchange: Exchange, moved: Moved, key: str) -> None:
    """Neither the API nor the remote control answers without it."""
    for path in ("/v1/payments", "/control/script", "/control/clear"):
        assert code(exchange("POST", path, body(), {"Authorization": key})) == (401, "unauthorized")
    for path in ("/v1/ledger", "/v1/requests", "/control/state", "/v1/payments/r1?account=shop", "/anything"):
        assert code(exchange("GET", path, None, {"Authorization": key})) == (401, "unauthorized")
    assert moved() == []


def test_paths_that_do_not_exist(exchange: Exchange) -> None:
    """A wrong path is told apart from an unknown payment."""
    for method, path in [
        ("GET", "/"),
        ("GET", "/v1/payments/"),
        ("POST", "/v1/payments/a/b"),
        ("GET", "/control/clear"),
    ]:
        assert code(exchange(method, path, body() if method == "POST" else None)) == (404, "no_such_path")


def raw_exchange(provider: SandboxProcess, request: bytes) -> bytes:
    """Send bytes as they are and read until the provider closes."""
    with closing(socket.create_connection(("127.0.0.1", provider.port), timeout=5)) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


def head(provider: SandboxProcess, *lines: str) -> bytes:
    known = ("POST /v1/payments HTTP/1.1", "Host: x", f"Authorization: Bearer {provider.api_key}")
    return "\r\n".join((*known, "Content-Type: application/json", *lines, "", "")).encode()


def test_length_is_required(provider: SandboxProcess) -> None:
    """A body of unannounced length, chunked or with a length that is no number is not read."""
    for line in ("X: y", "Transfer-Encoding: chunked", "Content-Length: ten", "Content-Length: -5"):
        assert raw_exchange(provider, head(provider, line)).startswith(b"HTTP/1.1 411 ")


def test_large_bodies_are_refused(provider: SandboxProcess, client: Client) -> None:
    """A body of ten megabytes is answered with 413, whether it is sent or only announced."""
    request = head(provider, "Content-Length: 10000000")
    assert raw_exchange(provider, request).startswith(b"HTTP/1.1 413 ")
    assert raw_exchange(provider, request + b" " * 10_000_000).startswith(b"HTTP/1.1 413 ")
    assert client.query("nothing").error == "no_such_payment"


def test_client_that_leaves_in_the_middle_does_no_harm(provider: SandboxProcess, client: Client) -> None:
    """Half a request is no request."""
    with closing(socket.create_connection(("127.0.0.1", provider.port), timeout=5)) as connection:
        connection.sendall(head(provider, "Content-Length: 500") + body())
    assert client.query("nothing").error == "no_such_payment"
    assert provider.requests("begin") == []


def test_one_connection_serves_many_requests(provider: SandboxProcess) -> None:
    """Connections are kept, and a refused request does not spoil the next one."""
    wish = body(reference="kept-connection")
    request = head(provider, f"Content-Length: {len(wish)}") + wish
    broken = head(provider, "Content-Length: 1") + b"{"
    last = head(provider, f"Content-Length: {len(wish)}", "Connection: close") + wish
    answer = raw_exchange(provider, request + broken + last)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"201", b"400", b"200"]


@pytest.mark.parametrize(
    "changes",
    [
        {"token": CARD},
        {"metadata": {"note": f"card {CARD}, thanks"}},
        {"metadata": {CARD: "x"}},
        {"metadata": {"note": "4242 4242 4242 4242 123"}},
        {"metadata": {"note": "4242-4242-4242-4242"}},
        {"metadata": {"note": "４２４２４２４２４２４２４２４２"}},
        {"reference": CARD},
        {"reference": f"order-{CARD}"},
        {"amount": int(CARD)},
        {"surprise": [{"deep": [CARD]}]},
        {"metadata": {"amex": "378282246310005"}},
        {"metadata": {"long": "6304000000000000000"}},
    ],
)
def test_card_numbers_are_refused_and_forgotten(
    provider: SandboxProcess, exchange: Exchange, moved: Moved, changes: dict[str, Any]
) -> None:
    """422 wherever the number stands; it is neither echoed nor in any file."""
    answer = exchange("POST", "/v1/payments", body(**changes))
    assert code(answer) == (422, "card_number")
    assert moved() == []
    kept = b"".join(file.read_bytes() for file in provider.directory.iterdir())
    for number in (CARD, "4242 4242", "4242-4242", "378282246310005", "6304000000000000000", "４２４２"):
        assert number.encode() not in answer[2]
        assert number.encode() not in kept


def test_card_numbers_are_refused_in_paths_and_scripts(provider: SandboxProcess, exchange: Exchange) -> None:
    """No way in."""
    assert code(exchange("GET", f"/v1/payments/{CARD}?account=shop")) == (422, "card_number")
    assert code(exchange("POST", f"/v1/payments/{CARD}/voids", b"{}")) == (422, "card_number")
    rule = json.dumps({"match": {"reference": CARD}, "do": "delay"}).encode()
    assert code(exchange("POST", "/control/script", rule)) == (422, "card_number")
    assert provider.requests() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CARD, True),
        ("4242424242424241", False),
        ("42424242424242424242", False),
        ("424242424242", False),
        ("a4242424242424242b", True),
        ("12 4242 4242 4242 4242", True),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", True),
        ("2026-11-24T05:49:35.175916Z", False),
        ("tok_ok", False),
    ],
)
def test_what_counts_as_a_card_number(text: str, expected: bool) -> None:
    """13 to 19 digits that pass the Luhn check, grouped or not, in any script."""
    assert holds_card_number(text) is expected
