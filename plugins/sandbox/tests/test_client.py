"""The client tells what surely was not sent from what may have been, and repeats nothing."""

import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from eckit_sandbox.client import Client, MaybeSentError, NotSentError

Answer = tuple[int, Mapping[str, str], bytes]
JSON = {"Content-Type": "application/json"}


class Scripted:
    """A transport that raises or answers as told and counts how often it was asked."""

    def __init__(self, act: Callable[[], Answer]) -> None:
        self.act = act
        self.asked: list[tuple[str, str, bytes | None]] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Answer:
        self.asked.append((method, url, content))
        return self.act()


def raising(failure: BaseException, cause: BaseException | None = None) -> Callable[[], Answer]:
    def act() -> Answer:
        raise failure from cause

    return act


def ask(act: Callable[[], Answer]) -> Any:
    transport = Scripted(act)
    try:
        return Client(transport, "http://127.0.0.1:1", "shop", "key_secret").query("r1")
    finally:
        assert len(transport.asked) == 1


class OuterError(Exception):
    """What a library makes of a socket's error."""


@pytest.mark.parametrize(
    ("failure", "cause", "expected"),
    [
        (ConnectionRefusedError(), None, NotSentError),
        (socket.gaierror(), None, NotSentError),
        (OuterError(), ConnectionRefusedError(), NotSentError),
        (NotSentError("the transport knows"), None, NotSentError),
        (ConnectionResetError(), None, MaybeSentError),
        (TimeoutError(), None, MaybeSentError),
        (OSError(), None, MaybeSentError),
        (OuterError(), None, MaybeSentError),
        (OuterError(), ConnectionResetError(), MaybeSentError),
        (ConnectionRefusedError(), ConnectionResetError(), MaybeSentError),
        (ValueError("a bug in the transport"), None, MaybeSentError),
    ],
)
def test_failures_of_the_transport(
    failure: BaseException, cause: BaseException | None, expected: type[Exception]
) -> None:
    """Only what fails before a connection exists was surely not sent; a repetition hidden in a transport was."""
    with pytest.raises(expected) as caught:
        ask(raising(failure, cause))
    assert "key_secret" not in repr(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        (500, JSON, b"{}"),
        (302, JSON, b"{}"),
        (200, {"Content-Type": "text/html"}, b"{}"),
        (200, {}, b"{}"),
        (200, JSON, b""),
        (200, JSON, b"{"),
        (200, JSON, b"\xff"),
        (200, JSON, b"[]"),
        (200, JSON, b"[" * 100_000),
    ],
)
def test_unusable_answers(answer: Answer) -> None:
    """An answer that cannot be understood leaves open what happened."""
    with pytest.raises(MaybeSentError) as caught:
        ask(lambda: answer)
    assert caught.value.status == answer[0]


def test_refusal_is_a_reply() -> None:
    """A well-formed 4xx is an answer; what it means is for the gateway to say."""
    reply = ask(
        lambda: (
            429,
            {"content-type": "application/json; charset=utf-8", "retry-after": "3"},
            b'{"error":{"code":"x"}}',
        )
    )
    assert (reply.status, reply.error, reply.retry_after) == (429, "x", 3)


def test_references_are_quoted() -> None:
    """A reference cannot leave its place in the path."""
    transport = Scripted(lambda: (200, JSON, b"{}"))
    Client(transport, "http://127.0.0.1:1/", "a b", "key").query("../x?y")
    assert transport.asked[0][1] == "http://127.0.0.1:1/v1/payments/..%2Fx%3Fy?account=a+b"


def test_key_is_not_shown() -> None:
    """Neither the client nor a reply shows secrets or payloads."""
    client = Client(Scripted(lambda: (200, JSON, b"{}")), "http://127.0.0.1:1", "shop", "key_secret")
    assert "key_secret" not in repr(client)
    assert "body" not in repr(client.query("r1"))
