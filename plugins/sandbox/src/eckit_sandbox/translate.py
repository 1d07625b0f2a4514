"""Ours and theirs: pure functions between the provider's JSON and eckit's outcomes and snapshots.

What the provider says is believed only as far as it is about the operation that was asked for: another reference,
currency, amount, account or mode, or a word that is not known here, is no answer but doubt.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from moneyed import Money

from eckit import (
    ActionRequired,
    Authorized,
    Begin,
    Captured,
    Declined,
    Expired,
    InDoubt,
    NotSent,
    Operation,
    Pending,
    Problem,
    Redirect,
    Refunded,
    RefundPending,
    Rejected,
    Snapshot,
    SnapshotMovement,
    Voided,
    from_minor,
    to_minor,
)
from eckit_sandbox.client import Reply

DECLINES: Final[Mapping[str, tuple[str, str]]] = {
    "insufficient_funds": ("insufficient_funds", "other"),
    "expired_card": ("expired_card", "other"),
    "do_not_honor": ("do_not_honor", "other"),
    "lost_card": ("lost_card", "never"),
    "fraud": ("fraud", "never"),
    "authentication_failed": ("authentication_failed", "same"),
    "challenge_denied": ("authentication_failed", "same"),
}
"""Their decline code → the standard code, and what the buyer may try: same, other, never."""

STATUSES: Final[Mapping[str, str]] = {
    "authorized": "authorized",
    "partially_captured": "captured",
    "captured": "captured",
    "partially_refunded": "captured",
    "refunded": "captured",
    "voided": "voided",
    "declined": "declined",
    "expired": "expired",
    "challenge": "waiting_buyer",
    "pending": "waiting_provider",
}
"""Their status of a payment → the snapshot's."""

FIELDS: Final[Mapping[str, str]] = {
    "reference": "reference",
    "amount": "money",
    "currency": "money",
    "token": "instrument.token",
    "return_url": "return_url",
    "account": "plugins.sandbox.account",
}
"""Their name of a field → ours, for problems."""

ALREADY: Final = frozenset({"already_begun", "already_captured", "already_voided", "already_refunded"})
"""Refusals that say nothing about *our* operation: somebody has done it, perhaps we."""

Sent = (
    Authorized | Captured | Voided | Refunded | RefundPending | ActionRequired | Pending | Declined | Expired | InDoubt
)
Refused = Declined | Rejected | NotSent | InDoubt


class UnreadableError(Exception):
    """The answer is not what was asked for, or not what the provider's documentation says; names the member only."""


# --- reading ---------------------------------------------------------------------------------------------------------


def _member(body: object, name: str, kind: type) -> Any:
    value = body.get(name) if isinstance(body, Mapping) else None
    if type(value) is not kind:
        raise UnreadableError(name)
    return value


def _instant(body: object, name: str) -> dt.datetime:
    try:
        instant = dt.datetime.fromisoformat(_member(body, name, str))
    except ValueError:
        raise UnreadableError(name) from None
    if instant.tzinfo is None:
        raise UnreadableError(name)
    return instant.astimezone(dt.UTC)


def _optional_instant(body: Mapping[str, Any], name: str) -> dt.datetime | None:
    return None if body.get(name) is None else _instant(body, name)


def _money(body: object, currency: str) -> Money:
    if _member(body, "currency", str) != currency:
        raise UnreadableError("currency")
    return from_minor(_member(body, "amount", int), currency)


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise UnreadableError(name)


def check_payment(body: Mapping[str, Any], *, reference: str, currency: str, account: str, mode: str) -> None:
    """Insist that an answer is about our payment in our account, and that its status is a word we know.

    :raises UnreadableError: it is not; a word that is not known might say that everything else is void.
    """
    _require(body.get("status") in STATUSES, "status")
    expected = {"reference": reference, "currency": currency, "account": account, "mode": mode}
    for name, value in expected.items():
        _require(body.get(name) == value, name)


# --- outcomes --------------------------------------------------------------------------------------------------------


def begin_outcome(body: Mapping[str, Any], op: Operation) -> Sent:
    """What a begin, or a return from a challenge, came to; money that moved counts before the status.

    :raises UnreadableError: a word, type or amount that does not belong here.
    """
    if isinstance(op, Begin):
        _require(_member(body, "amount", int) == to_minor(op.money), "amount")
    provider_ref = _member(body, "id", str)
    for movement in _member(body, "movements", list):
        if _member(movement, "reference", str) == op.begin_reference:
            return _first_movement(movement, op, provider_ref, _optional_instant(body, "expires_at"))
    match _member(body, "status", str):
        case "challenge":
            return _challenge(_member(body, "action", dict), provider_ref)
        case "pending":
            return Pending(reason="provider", provider_ref=provider_ref, check_after=dt.timedelta(seconds=10))
        case "declined":
            return declined(_member(body, "code", str))
        case "expired":
            return Expired(at=_instant(body, "expires_at"))
        case "voided":
            return Expired(at=_closed_at(body))
    raise UnreadableError("status")


def _first_movement(
    movement: Mapping[str, Any], op: Operation, provider_ref: str, expires_at: dt.datetime | None
) -> Authorized | Captured:
    money = _money(movement, op.money.currency.code)
    _require(money == op.money, "amount")
    movement_ref, at = _member(movement, "id", str), _instant(movement, "at")
    match _member(movement, "kind", str):
        case "authorize":
            return Authorized(
                money=money, movement_ref=movement_ref, provider_ref=provider_ref, at=at, expires_at=expires_at
            )
        case "capture":
            return Captured(money=money, movement_ref=movement_ref, provider_ref=provider_ref, at=at)
    raise UnreadableError("kind")


def _challenge(action: Mapping[str, Any], provider_ref: str) -> ActionRequired:
    url = _member(action, "url", str)
    _require(_member(action, "kind", str) == "redirect" and url.startswith(("http://", "https://")), "action")
    redirect = Redirect(url=url, method=_member(action, "method", str))
    return ActionRequired(action=redirect, provider_ref=provider_ref, expires_at=_instant(action, "expires_at"))


def _closed_at(body: Mapping[str, Any]) -> dt.datetime:
    operations = _member(body, "operations", list)
    _require(bool(operations), "operations")
    return _instant(operations[-1], "at")


def declined(raw_code: str) -> Declined:
    """A definite no with the standard code."""
    code, retry = DECLINES.get(raw_code, ("other", "other"))
    return Declined(code=code, raw_code=raw_code, retry=retry)


def operation_outcome(payment: Mapping[str, Any], op: Operation, kind: str) -> Sent | None:
    """What a capture, void or refund came to, by our reference in the payment's snapshot; None: it is not there.

    :raises UnreadableError: a word, type or amount that does not belong here.
    """
    found = [one for one in _member(payment, "operations", list) if _member(one, "reference", str) == op.reference]
    if not found:
        return None
    operation = found[0]
    _require(_member(operation, "kind", str) == kind, "kind")
    money = from_minor(_member(operation, "amount", int), op.money.currency.code)
    _require(kind == "void" or money == op.money, "amount")
    provider_ref = _member(payment, "id", str)
    match _member(operation, "state", str):
        case "done":
            return _done(operation, kind, money, provider_ref)
        case "pending":
            return RefundPending(money=money, movement_ref=f"{op.reference}.pending", provider_ref=provider_ref)
        case "failed":
            return declined(_member(operation, "code", str))
    raise UnreadableError("state")


def _done(operation: Mapping[str, Any], kind: str, money: Money, provider_ref: str) -> Sent:
    at = _instant(operation, "at")
    if kind == "void" and not money:  # nothing was reserved: the void closed a challenge
        return Expired(at=at)
    facts: dict[str, Any] = {"money": money, "provider_ref": provider_ref, "at": at}
    facts["movement_ref"] = _member(operation, "movement_id", str)
    outcomes: dict[str, type[Captured | Voided | Refunded]] = {"capture": Captured, "void": Voided, "refund": Refunded}
    return outcomes[kind](**facts)


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(reply: Reply) -> Refused:
    """What an error answer means; only for codes that are not in :data:`ALREADY`."""
    error = reply.error or ""
    if reply.status == 429:
        wait = None if reply.retry_after is None else dt.timedelta(seconds=reply.retry_after)
        return NotSent(cause="rate_limited", retry_after=wait)
    if error == "reference_reused":  # under this reference there is something else: look, never assume
        return InDoubt(cause=error)
    if reply.status == 409:
        return Declined(code="other", raw_code=error, retry="never")
    if reply.status in (400, 401, 403, 404, 411, 413, 415, 422) and error:
        return Rejected(problems=(problem(reply, error),))
    return InDoubt(cause=f"status {reply.status}")


def problem(reply: Reply, error: str) -> Problem:
    """The provider's complaint as a problem of ours: the field, never the value."""
    code = {"unauthorized": "sandbox-key", "unknown_account": "sandbox-account", "card_number": "card-number"}
    field = str(reply.body["error"].get("field", ""))
    limit = reply.body["error"].get("maximum", "")
    suggestion = str(reply.body["error"].get("message", ""))[:200]
    path = {"unauthorized": "plugins.sandbox.api_key"}.get(error, FIELDS.get(field, field))
    return Problem(code=code.get(error, "sandbox-refused"), path=path, value=error, limit=limit, suggestion=suggestion)


# --- snapshots -------------------------------------------------------------------------------------------------------


def snapshot(body: Mapping[str, Any]) -> Snapshot:
    """The provider's view of a payment, from an answer to a query or from a signed notice.

    :raises UnreadableError: a word or type that does not belong here.
    """
    status = STATUSES.get(_member(body, "status", str))
    _require(status is not None, "status")
    currency = _member(body, "currency", str)
    moved = [_movement(one, currency) for one in _member(body, "movements", list)]
    failed = [part for one in _member(body, "operations", list) for part in _failure(one, currency)]
    return Snapshot(
        begin_reference=_member(body, "reference", str),
        provider_ref=_member(body, "id", str),
        status=str(status),
        movements=(*moved, *failed),
        decline=declined(_member(body, "code", str)) if status == "declined" else None,
        account=_member(body, "account", str),
        mode=_member(body, "mode", str),
        deadline=_optional_instant(body, "expires_at"),
    )


def _movement(movement: Mapping[str, Any], currency: str) -> SnapshotMovement:
    kind = _member(movement, "kind", str)
    _require(kind in ("authorize", "capture", "void", "refund"), "kind")
    finality = _member(movement, "finality", str)
    _require(finality in ("provisional", "final"), "finality")
    return SnapshotMovement(
        kind=kind,
        money=_money(movement, currency),
        movement_ref=_member(movement, "id", str),
        at=_instant(movement, "at"),
        reference=_member(movement, "reference", str),
        finality=finality,
    )


def _failure(operation: Mapping[str, Any], currency: str) -> tuple[SnapshotMovement, ...]:
    """What an operation adds to the movements: a refund that failed after it was promised. A promise adds nothing."""
    state = _member(operation, "state", str)
    _require(state in ("done", "pending", "failed"), "state")
    if state != "failed":
        return ()
    reference = _member(operation, "reference", str)
    failure = SnapshotMovement(
        kind="refund_failed",
        money=from_minor(_member(operation, "amount", int), currency),
        movement_ref=f"{reference}.failed",
        at=_instant(operation, "at"),
        reference=reference,
    )
    return (failure,)
