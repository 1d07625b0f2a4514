"""Reading what was sent: strict JSON, no card numbers, integers where money is meant, nothing unexpected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from eckit_sandbox.provider.cards import holds_card_number
from eckit_sandbox.provider.currencies import EXPONENTS, LARGEST, SMALLEST
from eckit_sandbox.provider.refusals import RefusalError

REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")
ACCOUNT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
TOKEN: Final = re.compile(r"tok_[a-z0-9_]{1,60}")
_MISSING: Final = object()
Value = TypeVar("Value")


def parse_json(raw: bytes) -> Any:
    """Parse strict UTF-8 JSON; 400 if it is malformed, 422 if a card number stands anywhere in it."""
    try:
        body = json.loads(raw.decode("utf-8"), object_pairs_hook=_members, parse_constant=_constant)
        _refuse_card_numbers(body)
    except (ValueError, RecursionError):  # of the chain too: a decoder's message quotes what was sent
        raise RefusalError(400, "malformed_json", "the body is not strict UTF-8 JSON") from None
    return body


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _constant(name: str) -> Any:
    raise ValueError(name)


def _refuse_card_numbers(value: Any) -> None:
    if isinstance(value, dict):
        for name, member in value.items():
            _refuse_card_numbers(name)
            _refuse_card_numbers(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_card_numbers(member)
    elif isinstance(value, str | int | float):
        refuse_card_number(str(value))


def refuse_card_number(text: str) -> None:
    """Refuse with 422 if ``text`` contains a card number."""
    if holds_card_number(text):
        raise RefusalError(422, "card_number", "card numbers are not accepted; send a token")


class Fields:
    """The members of one JSON object. Each is read by name; :meth:`close` refuses what nobody asked for."""

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise RefusalError(422, "not_an_object", "a JSON object is needed")
        self._members: dict[str, Any] = dict(body)

    def _take(self, name: str, default: object = _MISSING) -> Any:
        value = self._members.pop(name, _MISSING)
        if value is _MISSING or (value is None and default is not _MISSING):
            if default is _MISSING:
                raise RefusalError(422, "missing", f"{name} is missing", field=name)
            return default
        return value

    def has(self, name: str) -> bool:
        """Say whether a member is there; null counts as absent."""
        if self._members.get(name) is None:
            self._members.pop(name, None)
        return name in self._members

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        """Read a text that ``pattern`` matches as a whole."""
        value = self._take(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise RefusalError(422, "invalid", f"{name} is not of the form {pattern.pattern}", field=name)
        return value

    def optional_text(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """Read a text that may be absent or null."""
        return self.text(name, pattern) if self.has(name) else None

    def amount(self, name: str = "amount") -> int:
        """Read an amount in minor units: an integer, neither bool, float nor text, within the limits."""
        value = self._take(name)
        if type(value) is not int:
            raise RefusalError(422, "not_an_integer", f"{name} must be an integer of minor units", field=name)
        if not SMALLEST <= value <= LARGEST:
            message = f"{name} must be from {SMALLEST} to {LARGEST}"
            raise RefusalError(422, "amount_out_of_range", message, field=name, minimum=SMALLEST, maximum=LARGEST)
        return value

    def currency(self, name: str = "currency") -> str:
        """Read a currency code the provider settles in."""
        value = self._take(name)
        if not isinstance(value, str) or value not in EXPONENTS:
            raise RefusalError(422, "unknown_currency", f"{name} is not a currency of this provider", field=name)
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        """Read true or false."""
        value = self._take(name, _MISSING if default is None else default)
        if not isinstance(value, bool):
            raise RefusalError(422, "not_a_boolean", f"{name} must be true or false", field=name)
        return value

    def count(self, name: str, *, default: int, most: int) -> int:
        """Read an integer from 1 to ``most``."""
        value = self._take(name, default)
        if type(value) is not int or not 1 <= value <= most:
            raise RefusalError(422, "invalid", f"{name} must be an integer from 1 to {most}", field=name)
        return value

    def seconds(self, name: str, *, default: float) -> float:
        """Read a number of seconds up to an hour; this is the one place where a fraction is allowed."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
            raise RefusalError(422, "invalid", f"{name} must be a number of seconds from 0 to 3600", field=name)
        return float(value)

    def url(self, name: str) -> str | None:
        """Read an absolute http or https URL, or None."""
        value = self._take(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not is_web_url(value):
            raise RefusalError(422, "invalid", f"{name} must be an absolute http or https URL", field=name)
        return value

    def labels(self, name: str) -> dict[str, str]:
        """Read a small object of texts, such as ``metadata``."""
        value = self._take(name, {})
        if not isinstance(value, dict) or len(value) > 20:
            raise RefusalError(422, "invalid", f"{name} must be an object of at most 20 texts", field=name)
        for key, text in value.items():
            if not isinstance(text, str) or not _is_plain(key, 40) or not _is_plain(text, 500):
                raise RefusalError(422, "invalid", f"{name} must hold texts of at most 500 characters", field=name)
        return value

    def items(self, name: str) -> list[Any] | None:
        """Read a list, or None."""
        value = self._take(name, None)
        if value is not None and not isinstance(value, list):
            raise RefusalError(422, "invalid", f"{name} must be a list", field=name)
        return value

    def raw(self, name: str) -> Any:
        """Read anything, or None; the caller checks it."""
        return self._take(name, None)

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """Read a text with ``reader``, or None; a :class:`ValueError` of it is a refusal."""
        value = self._take(name, None)
        if value is None:
            return None
        try:
            return reader(value)
        except (ValueError, TypeError):
            raise RefusalError(422, "invalid", f"{name} cannot be read", field=name) from None

    def close(self) -> None:
        """Refuse members that were not read."""
        if self._members:
            raise RefusalError(422, "unknown_member", "the body has members that are not known here")


def _is_plain(text: str, most: int) -> bool:
    return len(text) <= most and not any("\ud800" <= char <= "\udfff" or char == "\0" for char in text)


def is_web_url(text: str) -> bool:
    """Say whether ``text`` is an absolute http or https URL without blanks and control characters."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 2000:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
