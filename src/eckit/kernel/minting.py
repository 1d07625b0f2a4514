"""Where ids and tokens are made. Not for models, rules or errors: those get them as arguments."""

import secrets
import time

from eckit.kernel.ids import PREFIXES

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def mint(kind: str) -> str:
    """A new id of ``kind``: 48 bits of milliseconds, then 80 random bits, so ids sort by age and cannot be guessed."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    body = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{PREFIXES[kind]}_{''.join(body)}"


def mint_token() -> str:
    """An unguessable token of 256 random bits, safe in URLs: opens a cart or an order to whoever holds it."""
    return secrets.token_urlsafe(32)
