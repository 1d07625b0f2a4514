"""What a gateway answered, checked against what it may answer."""

import datetime as dt
import functools
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
from moneyed import Money

from eckit.kernel.cards import mask_cards
from eckit.kernel.conforming import conforms
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.money import to_minor
from eckit.kernel.text import clean, strip_controls
from eckit.payment.model import (
    ActionRequired,
    Authorized,
    Captured,
    Declined,
    Expired,
    ForgedNotice,
    InDoubt,
    NoSuchPayment,
    NotSent,
    Opened,
    OperationKind,
    Outcome,
    Pending,
    Query,
    QueryFailed,
    Refunded,
    RefundPending,
    Rejected,
    Snapshot,
    UnauthenticatedNotice,
    Unsupported,
    VerifiedNotice,
    Voided,
)
from eckit.payment.rules.sums import FINAL, KINDS, PROVISIONAL

_ALWAYS: Final = (Pending, Declined, Rejected, NotSent, InDoubt, Unsupported)
_BEGUN: Final = (Authorized, Captured, ActionRequired, Expired, *_ALWAYS)

ANSWERS: Final[Mapping[OperationKind, tuple[type, ...]]] = {
    OperationKind.BEGIN: _BEGUN,
    OperationKind.RESUME: _BEGUN,
    OperationKind.CAPTURE: (Captured, *_ALWAYS),
    OperationKind.VOID: (Voided, Expired, *_ALWAYS),
    OperationKind.REFUND: (Refunded, RefundPending, *_ALWAYS),
}
"""What may be answered to what: a closed list."""

DECLINE_CODES: Final = frozenset(
    {
        "insufficient_funds",
        "expired_card",
        "do_not_honor",
        "lost_card",
        "fraud",
        "authentication_failed",
        "other",
    }
)
RETRIES: Final = frozenset({"same", "other", "never"})
LONGEST_REFERENCE: Final = 160
LONGEST_WAIT: Final = dt.timedelta(days=366)
"""Nobody is told to wait longer: by a gateway's answers, and by what it declares."""

_YEARS: Final = range(2000, 2201)
"""Of instants: others are some library's least or greatest, and adding a grace to them may not even be possible."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_WORDS: Final = frozenset({"status", "code", "raw_code", "retry", "reason", "cause", "what", "why"})
"""Texts for people only: they are mended where they cannot be stored, for no money is to hang on them."""

_REFERENCES: Final = frozenset({"movement_ref", "provider_ref", "begin_reference", "reference", "event_key"})
_MAY_BE_EMPTY: Final = frozenset({"reference", "provider_ref", "event_key"})


def accepted(kind: OperationKind, answer: object, *, sent: bool) -> Outcome:
    """The answer, if it is one to this question and well formed; else what nonsense means: in doubt, if bytes left."""
    if isinstance(answer, ANSWERS[kind]):
        flaw = _flaw(answer)
        if flaw is None:
            return typing.cast("Outcome", _mended(answer))
        return unanswered(f"{type(answer).__name__}: {flaw}", sent=sent)
    return unanswered(f"answered {type(answer).__name__}", sent=sent)


def unanswered(cause: str, *, sent: bool) -> InDoubt | NotSent:
    """No usable answer: it may have happened, unless nothing had left."""
    return InDoubt(cause=cause) if sent else NotSent(cause=cause)


def accepted_query(query: Query, answer: object) -> Snapshot | NoSuchPayment | QueryFailed:
    """What a query brought; nonsense, or another payment's snapshot, is a failed query."""
    if not isinstance(answer, Snapshot | NoSuchPayment | QueryFailed):
        return QueryFailed(cause=f"answered {type(answer).__name__}")
    flaw = _flaw(answer)
    if flaw is None and isinstance(answer, Snapshot) and answer.begin_reference != query.begin_reference:
        flaw = "another payment"
    return _mended(answer) if flaw is None else QueryFailed(cause=f"{type(answer).__name__}: {flaw}")


def accepted_notices(answer: object) -> Opened:
    """What opening a notice brought; nonsense is a forgery, for nothing in it can be believed."""
    if isinstance(answer, ForgedNotice):
        return answer
    if not isinstance(answer, tuple):
        return ForgedNotice(why=f"answered {type(answer).__name__}")
    for one in answer:
        if not isinstance(one, VerifiedNotice | UnauthenticatedNotice):
            return ForgedNotice(why=f"answered {type(one).__name__}")
        flaw = _flaw(one)
        if flaw is not None:
            return ForgedNotice(why=f"{type(one).__name__}: {flaw}")
    return tuple(map(_mended, answer))


def shown(cause: str) -> str:
    """A cause as it may be stored and shown to staff: short, one line, no card number."""
    return mask_cards(strip_controls(str(cause)).replace("\n", " "))[:120]


def _flaw(answer: Any) -> str | None:
    try:
        return next(_flaws(answer), None)
    except Exception as error:  # noqa: BLE001 -- reading an answer may run its gateway's code: that is no answer then
        return f"it cannot be read ({type(error).__name__})"


def _flaws(answer: Any) -> Iterator[str]:
    """What is wrong with the fields of an answer, and of the facts in it."""
    for field in attrs.fields(type(answer)):
        value = getattr(answer, field.name)
        if mistyped(type(answer), field.name, value):
            yield f"{field.name} is {type(value).__name__}"
        elif isinstance(value, Money):
            yield from _money_flaws(field.name, value)
        elif isinstance(value, dt.datetime | dt.timedelta):
            yield from _time_flaws(field.name, value)
        elif field.name in _REFERENCES:
            yield from _reference_flaws(field.name, value)
        elif field.name == "finality" and value not in {PROVISIONAL, FINAL}:
            yield "finality"
        elif field.name not in _WORDS and any(map(_UNSTORABLE.search, _texts(value))):
            yield f"{field.name} cannot be stored"
        for inner in value if isinstance(value, tuple) else (value,):
            if attrs.has(type(inner)):
                yield from _flaws(inner)


def mistyped(kind: type, name: str, value: object) -> bool:
    """Whether a field of an attrs class has a value of another type than the class declares."""
    return not conforms(value, _hints(kind)[name])


_hints = functools.cache(typing.get_type_hints)


def _texts(value: object) -> Iterator[str]:
    """The texts in a field: of itself, of a tuple or mapping, or of tuples in a tuple."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for part in pair for text in _texts(part))
    elif isinstance(value, tuple):
        yield from (text for part in value for text in _texts(part))


def _mended(answer: Any) -> Any:
    """The answer with words that can be stored."""
    changes: dict[str, Any] = {}
    for field in attrs.fields(type(answer)):
        value = getattr(answer, field.name)
        mended = value
        if attrs.has(type(value)):
            mended = _mended(value)
        elif field.name in _WORDS:
            mended = _UNSTORABLE.sub("\ufffd", value)
        if mended != value:
            changes[field.name] = mended
    return attrs.evolve(answer, **changes) if changes else answer


def _time_flaws(name: str, value: dt.datetime | dt.timedelta) -> Iterator[str]:
    if isinstance(value, dt.timedelta):
        if not waitable(value):
            yield f"{name} is {value}"
    elif value.utcoffset() is None:
        yield f"{name} has no zone"
    elif value.year not in _YEARS:
        yield f"{name} is in the year {value.year}"


def waitable(span: dt.timedelta) -> bool:
    """Whether one can wait so long."""
    return dt.timedelta(0) <= span <= LONGEST_WAIT


def _money_flaws(name: str, money: Money) -> Iterator[str]:
    try:
        minor = to_minor(money)
    except (InvalidInputError, TypeError):
        yield f"{name} cannot be paid"
        return
    if minor <= 0:
        yield f"{name} is not above zero"


def _reference_flaws(name: str, value: str | None) -> Iterator[str]:
    if not value:
        if value is not None and name not in _MAY_BE_EMPTY:
            yield f"{name} is empty"
        return
    try:
        clean(value, path=name, max_length=LONGEST_REFERENCE)
    except InvalidInputError:
        yield f"{name} cannot be stored"


def known_kind(kind: str) -> bool:
    """Whether it is a kind of movement the core knows."""
    return kind in KINDS
