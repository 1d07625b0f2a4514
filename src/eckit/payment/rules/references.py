"""References: our own names for what is asked of a provider, final before anything is sent."""

import hashlib
import json
import re
from typing import Final

from eckit.kernel.errors import invalid
from eckit.kernel.ids import MethodCode, PaymentId, ShopId
from eckit.payment.model import Capabilities, OperationKind

LEAST_LENGTH: Final = 20
"""A gateway must take references at least so long, or two payments could get the same one."""

_SUFFIX: Final = {
    OperationKind.CAPTURE: "c",
    OperationKind.VOID: "v",
    OperationKind.REFUND: "r",
    OperationKind.RESUME: "s",
}
_BASE_32: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def reference(capabilities: Capabilities, shop: ShopId, payment_id: PaymentId, kind: OperationKind, seq: int) -> str:
    """The reference of an operation: ``<shop><payment>``, with ``-c2``, ``-v2`` or ``-r2`` for the second operation.

    The shop's part keeps two shops with one merchant account apart. Where that does not fit what the gateway declares,
    a digest of it is written in the letters or digits it takes: the same input gives the same reference, and no two
    operations share one. Nothing in it is about a person.
    """
    plain = f"{_digest_base32(shop)[:4]}{payment_id.partition('_')[2]}"
    if kind is not OperationKind.BEGIN:
        plain = f"{plain}-{_SUFFIX[kind]}{seq}"
    return _fitted(plain, capabilities)


def _fitted(plain: str, capabilities: Capabilities) -> str:
    allowed = re.compile(f"[{capabilities.reference_chars}]+")
    for candidate in (plain, plain.upper(), plain.replace("-", ""), plain.replace("-", "").upper()):
        if len(candidate) <= capabilities.reference_max and allowed.fullmatch(candidate):
            return candidate
    digest = _digest_base32(plain)
    for candidate in (digest, digest.upper(), str(int.from_bytes(hashlib.sha512(plain.encode()).digest(), "big"))):
        if allowed.fullmatch(candidate):
            return candidate[: capabilities.reference_max]
    raise invalid("payment-reference-shape", "capabilities.reference_chars", capabilities.reference_chars)


def _digest_base32(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    return "".join(_BASE_32[number >> shift & 31] for shift in range(250, -1, -5))


def request_hash(
    *,
    reference: str,
    kind: OperationKind,
    amount_minor: int,
    currency: str,
    method: MethodCode,
    account: str,
    mode: str,
) -> str:
    """SHA-256 of what a reference stands for. A one-time token is no part of it: it may be given anew."""
    request = {
        "reference": reference,
        "kind": kind.value,
        "amount_minor": amount_minor,
        "currency": currency,
        "method": method,
        "account": account,
        "mode": mode,
    }
    text = json.dumps(request, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
