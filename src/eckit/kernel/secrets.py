"""Secrets: a value that does not show itself, comparing without telling, and keyed signatures with a purpose."""

import base64
import hashlib
import hmac
import re
from typing import Any, Final, NoReturn, Self, final

from eckit.kernel.errors import invalid

MASK: Final = "********"

_PURPOSE: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_MIN_KEY_BYTES: Final = 16


@final
class Secret:
    """A key, token or password. Only :meth:`reveal` gives it away; showing, formatting and copying do not.

    ``str``, ``repr`` and ``format`` give a mask; pickling raises ``TypeError``, as ``json.dumps`` does for any type it
    does not know. Copies are the same object. It has no attributes, so ``vars`` and ``attrs.asdict`` find nothing, and
    templates in a jinja2 sandbox may not call ``reveal``.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str, path: str = "secret") -> None:
        """Wrap a secret.

        :raises InvalidInputError: ``missing`` when it is blank; the value is in no error.
        :raises TypeError: not text.
        """
        if not isinstance(value, str):
            raise TypeError(f"{path}: expected text, not {type(value).__name__}")
        if not value.strip():
            raise invalid("missing", path, "")
        self.__value = value

    def reveal(self) -> str:
        """The secret itself, for the moment of use."""
        return self.__value

    reveal.unsafe_callable = True  # type: ignore[attr-defined]  # jinja2's sandbox refuses to call it

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return constant_time_equal(self.__value, other.__value)

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def constant_time_equal(a: bytes | str, b: bytes | str) -> bool:
    """Whether two tokens are the same, in a time that does not tell where they differ.

    Never raises, whatever a request brought along; an empty value equals nothing, so an unset token opens nothing.
    """
    left, right = _as_bytes(a), _as_bytes(b)
    if not left or not right:
        return False
    return hmac.compare_digest(left, right)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    return b""


def sign(secret: Secret, purpose: str, message: bytes) -> str:
    """A keyed signature (HMAC-SHA-256, base64url, 43 characters) of a message for one purpose.

    The purpose is part of what is signed: with one key, a signature for ``order.view`` is none for ``order.pay``.

    :raises InvalidInputError: ``weak-secret`` for a key under 16 bytes, ``not-a-purpose`` unless like ``order.view``.
    :raises TypeError: the message is not bytes.
    """
    key = secret.reveal().encode("utf-8", "surrogatepass")
    if len(key) < _MIN_KEY_BYTES:
        raise invalid("weak-secret", "secret", MASK, limit=_MIN_KEY_BYTES)
    if not _PURPOSE.fullmatch(purpose):
        raise invalid("not-a-purpose", "purpose", purpose)
    # A purpose holds no NUL, so no purpose and message run together like another pair.
    digest = hmac.digest(key, b"eckit-1\x00" + purpose.encode("ascii") + b"\x00" + message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def verify(secret: Secret, purpose: str, message: bytes, signature: bytes | str) -> bool:
    """Whether this is the signature of the message for this purpose. Never raises for what the signature holds."""
    return constant_time_equal(sign(secret, purpose, message), signature)
