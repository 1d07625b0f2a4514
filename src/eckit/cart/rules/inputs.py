"""What may come into a cart: limits, quantities, small texts, request keys."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from eckit.kernel.errors import invalid
from eckit.kernel.text import clean

MAX_STEPS: Final = 10**6
MAX_LINES: Final = 200
MAX_GROUPS: Final = 50
MAX_CODES: Final = 20
MAX_ENTRIES: Final = 20
MAX_TOUCHES: Final = 20
MAX_KEYS: Final = 200

LIFETIME: Final = dt.timedelta(days=30)
"""A cart nobody touches for so long is abandoned."""

KEEP_KEYS: Final = dt.timedelta(hours=48)
"""A request key is remembered so long."""


def quantity(value: object, path: str, *, least: int = 1) -> int:
    """The steps, when they are a whole number from ``least`` to a million.

    :raises InvalidInputError: ``wrong-quantity``: a float, a text, true, zero, too many.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_STEPS:
        raise invalid("wrong-quantity", path, value, limit=f"{least}…{MAX_STEPS}")
    return value


def pairs(lines: object) -> list[tuple[Any, Any]]:
    """What is wanted, as pairs of what and how many, at most 200.

    :raises InvalidInputError: ``too-many-lines``; ``not-a-pair`` names the place.
    """
    if not isinstance(lines, Sequence) or isinstance(lines, str | bytes):
        raise invalid("not-a-pair", "lines", type(lines).__name__)
    if len(lines) > MAX_LINES:
        raise invalid("too-many-lines", "lines", len(lines), limit=MAX_LINES)
    for index, pair in enumerate(lines):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise invalid("not-a-pair", f"lines[{index}]", pair)
    return [tuple(pair) for pair in lines]


def entries(given: Mapping[str, str] | None, path: str) -> dict[str, str]:
    """A small mapping of texts, cleaned: choices of a line, a client's references.

    :raises InvalidInputError: not texts, over 20 entries, a name over 64 or a value over 200 characters.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise invalid("not-entries", path, type(given).__name__)
    if len(given) > MAX_ENTRIES:
        raise invalid("too-many-entries", path, len(given), limit=MAX_ENTRIES)
    return {entry_name(name, path): clean(text, path=f"{path}[{name}]", max_length=200) for name, text in given.items()}


def entry_name(name: object, path: str) -> str:
    text = clean(name, path=path, max_length=64)  # type: ignore[arg-type] # it may be anything, and clean says so
    if not text.strip():
        raise invalid("missing", path, name)
    return text


def key_digest(text: str, path: str = "key") -> str:
    """A request key as it is remembered: of fixed size, whatever the caller's texts are.

    :raises InvalidInputError: empty, over 200 characters, or no text.
    """
    if not clean(text, path=path, max_length=200).strip():
        raise invalid("missing", path, text)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def fingerprint(*parts: object) -> str:
    """What a request was, so that one key for two different requests is noticed."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@attrs.frozen
class Seen:
    """A request key that was used on this cart: what for, and when."""

    fingerprint: str
    at: dt.datetime


def remember(seen: Mapping[str, Seen], key: str, what: str, now: dt.datetime) -> dict[str, Seen]:
    """The keys to remember from now on; those of two days ago are let go.

    :raises InvalidInputError: ``too-many-keys``: forgetting a younger one would let its request be done twice.
    """
    kept = {name: one for name, one in seen.items() if one.at > now - KEEP_KEYS}
    if len(kept) >= MAX_KEYS:
        raise invalid("too-many-keys", "key", len(kept) + 1, limit=MAX_KEYS)
    return {**kept, key: Seen(what, now)}
