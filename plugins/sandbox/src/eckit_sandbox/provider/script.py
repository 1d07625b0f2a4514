"""Scripted misbehavior: which request meets which mishap."""

from __future__ import annotations

import re
import threading
from typing import Any, Final, NamedTuple

from eckit_sandbox.provider.bodies import REFERENCE, Fields
from eckit_sandbox.provider.refusals import RefusalError

OPERATIONS: Final = ("begin", "capture", "void", "refund", "query", "challenge", "resolve")

SECONDS, COUNT, STATUS, WORD, NOTHING = "seconds", "count", "status", "word", "nothing"

STEPS: Final[dict[str, tuple[str, str]]] = {
    # before acting
    "refuse_before": (NOTHING, ""),
    "rate_limit": (SECONDS, "2"),
    "delay": (SECONDS, "1"),
    # while acting
    "over_capture_allowed": (NOTHING, ""),
    "over_refund_allowed": (NOTHING, ""),
    "refund_async": (WORD, "done"),
    "act_already": (NOTHING, ""),
    # what is answered after acting
    "act_then_hang": (SECONDS, "30"),
    "act_then_reset": (NOTHING, ""),
    "act_then_status": (STATUS, "502"),
    "act_then_truncate": (NOTHING, ""),
    "act_then_html": (STATUS, "200"),
    "act_then_empty": (STATUS, "200"),
    "act_then_wrong_charset": (NOTHING, ""),
    "unknown_status": (NOTHING, ""),
    "stored_5xx": (SECONDS, "60"),
    "not_found_yet": (NOTHING, ""),
    # how it is told
    "notice_before_answer": (NOTHING, ""),
    "notice_drop": (NOTHING, ""),
    "notice_duplicate": (COUNT, "2"),
    "notice_reorder": (NOTHING, ""),
    "notice_delay": (SECONDS, "1"),
    "notice_stale": (SECONDS, "86400"),
    "notice_missign": (NOTHING, ""),
    "notice_unsigned": (NOTHING, ""),
    "notice_reserialized": (NOTHING, ""),
    "notice_wrong_amount": (NOTHING, ""),
    "notice_wrong_currency": (NOTHING, ""),
    "notice_wrong_mode": (NOTHING, ""),
    "notice_wrong_account": (NOTHING, ""),
}
"""Every mishap there is: the kind of its argument, and the argument it has when none is written."""

TOKEN_STEPS: Final[dict[str, str]] = {
    "hang": "act_then_hang",
    "reset": "act_then_reset",
    "502": "act_then_status(502)",
    "truncate": "act_then_truncate",
    "html": "act_then_html",
    "empty": "act_then_empty",
    "wrong_charset": "act_then_wrong_charset",
    "refuse_before": "refuse_before",
    "rate_limit": "rate_limit",
    "unknown_status": "unknown_status",
    "stored_5xx": "stored_5xx",
    "slow": "delay(1)",
    "notice_first": "notice_before_answer",
    "notice_duplicate": "notice_duplicate(5)",
    "notice_drop": "notice_drop",
    "notice_missign": "notice_missign",
    "notice_wrong_amount": "notice_wrong_amount",
}
"""Mishaps that need no script: ``tok_<name>`` approves, and the first request of its reference meets the mishap."""

_STEP = re.compile(r"([a-z0-9_]+)(?:\(([a-z0-9_.]*)\))?")


class Step(NamedTuple):
    """One mishap. ``number`` is its seconds, count or status; ``word`` its word; both empty where it has none."""

    name: str
    number: float = 0
    word: str = ""

    @property
    def text(self) -> str:
        """The step as it is written in a script."""
        argument = self.word or (f"{self.number:g}" if self.number else "")
        return f"{self.name}({argument})" if argument else self.name


def read_step(text: object) -> Step:
    """Read ``act_then_status(502)`` and the like; 422 for a name or argument that does not exist."""
    match = _STEP.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[1] not in STEPS:
        raise RefusalError(422, "unknown_step", f"there are these steps: {', '.join(STEPS)}", field="do")
    kind, default = STEPS[match[1]]
    argument = match[2] or default
    try:
        return _step(match[1], kind, argument)
    except ValueError:
        raise RefusalError(422, "invalid", f"{match[1]} needs an argument of the kind {kind}", field="do") from None


def _step(name: str, kind: str, argument: str) -> Step:
    if kind == NOTHING:
        if argument:
            raise ValueError(argument)
        return Step(name)
    if kind == WORD:
        if argument not in ("done", "failed"):
            raise ValueError(argument)
        return Step(name, word=argument)
    number = float(argument) if kind == SECONDS else int(argument)
    most = {SECONDS: 10_000_000, COUNT: 1000, STATUS: 599}[kind]
    if not (200 if kind == STATUS else 0) <= number <= most:
        raise ValueError(argument)
    return Step(name, number=number)


class Manners:
    """The steps that one request meets, looked up by name."""

    def __init__(self, steps: tuple[Step, ...] = ()) -> None:
        self.steps = steps

    def get(self, name: str) -> Step | None:
        """Return the first step of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def starting(self, prefix: str) -> tuple[Step, ...]:
        """Return the steps whose names begin with ``prefix``."""
        return tuple(step for step in self.steps if step.name.startswith(prefix))

    @property
    def text(self) -> str:
        """The steps as they are logged."""
        return ", ".join(step.text for step in self.steps)


class Rule:
    """One entry of a script: it counts the requests it matches and fires on some or all of them."""

    def __init__(self, body: Any) -> None:
        fields = Fields(body)
        match = Fields(fields.raw("match") or {})
        self.operation = match.optional_text("operation", re.compile("|".join(OPERATIONS)))
        self.reference = match.optional_text("reference", REFERENCE)
        self.payment = match.optional_text("payment", REFERENCE)
        self.nth = match.count("nth", default=0, most=1_000_000) if match.has("nth") else None
        self.times = match.count("times", default=0, most=1_000_000) if match.has("times") else None
        match.close()
        do = fields.raw("do")
        self.steps = tuple(read_step(step) for step in (do if isinstance(do, list) else [do]))
        fields.close()
        self.matched = 0
        self.fired = 0

    def meet(self, operation: str, payment: str, reference: str) -> tuple[Step, ...]:
        """Count a request and return the steps it meets."""
        wanted = ((self.operation, operation), (self.payment, payment), (self.reference, reference))
        if any(want is not None and want != given for want, given in wanted):
            return ()
        self.matched += 1
        if self.nth is not None and self.matched != self.nth:
            return ()
        if self.times is not None and self.fired >= self.times:
            return ()
        self.fired += 1
        return self.steps

    def view(self) -> dict[str, object]:
        """Return the rule and its counts as JSON-able members."""
        names = ("operation", "payment", "reference", "nth", "times")
        match = {name: value for name in names if (value := getattr(self, name)) is not None}
        do = [step.text for step in self.steps]
        return {"match": match, "do": do, "matched": self.matched, "fired": self.fired}


class Script:
    """All rules now in force, and which tokens have already had their mishap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._tokens_met: set[tuple[str, str]] = set()

    def add(self, bodies: list[Any]) -> None:
        """Add rules; either all of them or, if one is refused, none."""
        rules = [Rule(body) for body in bodies]
        with self._lock:
            self._rules.extend(rules)

    def clear(self) -> None:
        """Forget all rules, and which tokens have had their mishap."""
        with self._lock:
            self._rules.clear()
            self._tokens_met.clear()

    def take(self, operation: str, account: str, payment: str, reference: str, token: str = "") -> Manners:
        """Return what a request meets: all rules that fire, in their order, then the token's mishap."""
        steps: list[Step] = []
        with self._lock:
            for rule in self._rules:
                steps += rule.meet(operation, payment, reference)
            mishap = TOKEN_STEPS.get(token.removeprefix("tok_"))
            if mishap and (account, reference) not in self._tokens_met:
                self._tokens_met.add((account, reference))
                steps.append(read_step(mishap))
        return Manners(tuple(steps))

    def view(self) -> list[dict[str, object]]:
        """Return the rules and their counts."""
        with self._lock:
            return [rule.view() for rule in self._rules]
