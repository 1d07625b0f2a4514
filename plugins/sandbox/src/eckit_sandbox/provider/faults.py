"""Answers, and what is made of them when the provider misbehaves after it has acted."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, NamedTuple

from eckit_sandbox.provider.script import Manners, Step

HTML = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>Please try later.</p></body></html>"


class Answer(NamedTuple):
    """What goes back. ``ending``: sent, truncated (half the body, then closed), reset, or hung for ``seconds``."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    ending: str = "sent"
    seconds: float = 0.0
    close: bool = False


RESET = Answer(0, b"", ending="reset")


def answer_json(status: int, body: dict[str, Any] | list[Any], *headers: tuple[str, str]) -> Answer:
    """Return an ordinary answer."""
    return Answer(status, json.dumps(body, separators=(",", ":")).encode(), headers=headers)


def spoil(answer: Answer, manners: Manners, operation: str) -> Answer:
    """Return what is sent instead of ``answer``, which tells truly what was done."""
    if manners.get("act_already"):
        word = {"begin": "already_begun", "void": "already_voided", "refund": "already_refunded"}
        code = word.get(operation, "already_captured")
        answer = answer_json(409, {"error": {"code": code, "message": "this was done already"}})
    if manners.get("unknown_status"):
        answer = _unknown_status(answer)
    if manners.get("not_found_yet"):
        error = {"code": "no_such_payment", "message": "there is no payment with this reference in this account"}
        answer = answer_json(404, {"error": error})
    for step in manners.starting("act_then_"):
        answer = _after(answer, step)
    return answer


def _after(answer: Answer, step: Step) -> Answer:
    match step.name:
        case "act_then_hang":
            return answer._replace(ending="hung", seconds=step.number)
        case "act_then_reset":
            return RESET
        case "act_then_status":
            status = int(step.number)
            return answer_json(status, {"error": {"code": "unavailable", "message": "something went wrong"}})
        case "act_then_truncate":
            return answer._replace(ending="truncated")
        case "act_then_html":
            return Answer(int(step.number), HTML.format("Service interruption").encode(), "text/html; charset=utf-8")
        case "act_then_empty":
            return Answer(int(step.number), b"")
        case _:  # act_then_wrong_charset: the header says UTF-8, the bytes are Shift_JIS
            told = {"message": "決済が完了しました", "status": "完了"}
            return answer._replace(
                body=json.dumps(told, ensure_ascii=False).encode("cp932"),
                content_type="application/json; charset=utf-8",
            )


def _unknown_status(answer: Answer) -> Answer:
    body = json.loads(answer.body)
    for part in (body, body.get("payment"), body.get("operation")):
        if isinstance(part, dict):
            for name in ("status", "state"):
                if name in part:
                    part[name] = "under_astral_review"
    return answer._replace(body=json.dumps(body).encode())


class StoredErrors:
    """References whose first answer was a 500 and which get the very same 500 for a while, though the act was done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str, str], float] = {}

    def store(self, operation: str, account: str, reference: str, seconds: float) -> None:
        """Begin to replay the error."""
        with self._lock:
            self._until[operation, account, reference] = time.monotonic() + seconds

    def replay(self, operation: str, account: str, reference: str) -> Answer | None:
        """Return the stored error if it is still replayed."""
        with self._lock:
            until = self._until.get((operation, account, reference))
        return self.error() if until is not None and time.monotonic() < until else None

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._until.clear()

    @staticmethod
    def error() -> Answer:
        """Return the error itself."""
        body = {"error": {"code": "internal", "message": "an unexpected error occurred"}}
        return answer_json(500, body, ("Sandbox-Replayed", "true"))
