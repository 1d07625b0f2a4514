"""The inbox of notices: stored before they are acknowledged, applied once, kept when they come too early."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import attrs

from eckit.kernel.cards import contains_card, mask_cards
from eckit.kernel.ids import MethodCode, NoticeId
from eckit.kernel.minting import mint
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.structuring import structure, unstructure
from eckit.kernel.text import strip_controls
from eckit.kernel.work import Work
from eckit.payment import hooks, rules, store
from eckit.payment.model import (
    Notice,
    Payment,
    PaymentNeedsHuman,
    RawRequest,
    Snapshot,
    UnauthenticatedNotice,
    VerifiedNotice,
)
from eckit.payment.service.gateways import known_capabilities
from eckit.payment.service.saving import facts_of, open_task

MAX_BODY: Final = 1_000_000
"""A longer notice is refused unread, in bytes."""

PARKED_FOR: Final = dt.timedelta(hours=72)
"""How long a notice waits for its payment, or for its handling to work, before a person must look."""

LEASE: Final = dt.timedelta(minutes=5)
VERIFIED, UNAUTHENTICATED = "verified", "unauthenticated"
_KEPT_HEADERS: Final = frozenset({"content-type", "user-agent", "date"})


@attrs.frozen(kw_only=True)
class LeasedNotice:
    """A leased notice: what is to be applied of it, and the payment it is about, if that is known by now."""

    notice: Notice
    snapshot: Snapshot | None
    payment: Payment | None


def keep(
    work: Work,
    gateway: MethodCode,
    raw: RawRequest,
    opened: Sequence[VerifiedNotice | UnauthenticatedNotice],
) -> int:
    """Store what a provider sent, a row per record, each event once; how many are new.

    The body is kept as evidence, card numbers taken out; of the headers only harmless ones.
    """
    if not opened:
        return 0
    shared = {
        "gateway": gateway,
        "body": _scrubbed(raw.body),
        "headers": {name: _line(value) for name, value in raw.headers.items() if name in _KEPT_HEADERS},
        "ip": _line(raw.remote_ip)[:80],
        "state": "received",
        "tries": 0,
        "due_at": work.now,
        "received_at": work.now,
        "reason": "",
    }
    digest = hashlib.sha256(raw.body).hexdigest()
    keys = [one.event_key or f"{digest}-{number}" for number, one in enumerate(opened)]
    rows = {key: {**shared, "event_key": key, **_row(one)} for key, one in zip(keys, opened, strict=True)}
    new = store.add_notices(work, list(rows.values()))
    work.did("payment.keep_notice", reason=f"{gateway}: {new} new")
    return new


def _row(one: VerifiedNotice | UnauthenticatedNotice) -> dict[str, Any]:
    row: dict[str, Any] = {"id": mint("notice")}
    if isinstance(one, VerifiedNotice):
        reference, snapshot = one.snapshot.begin_reference, unstructure(one.snapshot)
        return {**row, "verdict": VERIFIED, "begin_reference": reference, "snapshot": snapshot}
    return {**row, "verdict": UNAUTHENTICATED, "begin_reference": one.begin_reference, "snapshot": None}


def _scrubbed(body: bytes) -> bytes:
    if not contains_card(body):
        return body
    return mask_cards(body.decode("utf-8", "replace")).encode()


def _line(value: str) -> str:
    return mask_cards(strip_controls(value).replace("\n", " "))[:200]


# -- applying ---------------------------------------------------------------------------------------------------------


def lease_notices(work: Work, *, limit: int) -> tuple[LeasedNotice, ...]:
    """Take notices that are due, each for one worker only, with the payments they are about."""
    leased = store.lease_notices(work, until=work.now + LEASE, limit=limit)
    payments = {one.notice.begin_reference: _payment_of(work, one.notice) for one in leased}
    return tuple(
        LeasedNotice(
            notice=one.notice,
            snapshot=None if one.snapshot is None else structure(Snapshot, one.snapshot),
            payment=payments[one.notice.begin_reference],
        )
        for one in leased
    )


def was_used(work: Work, gateway: MethodCode) -> bool:
    """Whether payments were made with a gateway that is not there now."""
    return store.was_used(work, gateway)


def _payment_of(work: Work, notice: Notice) -> Payment | None:
    return store.by_begin_reference(work, notice.begin_reference)


def misfit_of(plugins: Plugins, payment: Payment, leased: LeasedNotice) -> str | None:
    """Why a notice is not about this payment of ours; None if it is.

    One provider may tell of several ways to pay at one address, so the gateways must be of one plugin, not the same.
    """
    ours, told_by = plugins.thing(hooks.GATEWAYS, payment.method), plugins.thing(hooks.GATEWAYS, leased.notice.gateway)
    one_plugin = ours is not None and told_by is not None and ours.plugin == told_by.plugin
    if leased.notice.gateway != payment.method and not one_plugin:
        return "gateway"
    if ours is not None and known_capabilities(plugins, payment) is None:
        return "mode"  # begun in another mode or account than the gateway has now
    return None if leased.snapshot is None else rules.misfit(payment, leased.snapshot, signed=True)


def claim(work: Work, notice_id: NoticeId | None) -> bool:
    """Note that a notice is being applied, in the transaction that does it; False if that happened before.

    News that no notice brought needs no claim.
    """
    return notice_id is None or store.end_notice(work, notice_id, "applied")


def set_aside(work: Work, notice_id: NoticeId | None, misfits: Sequence[str]) -> None:
    """A claimed notice turned out not to fit; what it told is booked, and a person is told."""
    if notice_id is not None and misfits:
        store.set_aside(work, notice_id, ", ".join(misfits))


def quarantine(work: Work, payment: Payment, leased: LeasedNotice, why: str) -> None:
    """Set a notice aside that does not fit its payment, or cannot be applied: nothing is booked, a person is told."""
    if not store.end_notice(work, leased.notice.id, "quarantined", why):
        return
    open_task(work, payment, "misfit", payment.amount_minor, f"a notice was set aside: {why}", about=leased.notice.id)
    work.announce(PaymentNeedsHuman(**facts_of(payment, payment.amount_minor)))
    work.did("payment.quarantine", Ref("notice", leased.notice.id), Ref("payment", payment.id), reason=why)


def postpone(work: Work, leased: LeasedNotice, reason: str) -> None:
    """A notice cannot be applied yet: it comes up again, until it has waited too long; then a person must look at it.

    A task says so where it is known which payment the notice is about; others are listed as unmatched.
    """
    notice = leased.notice
    if work.now >= notice.received_at + PARKED_FOR:
        if leased.payment is not None:
            quarantine(work, leased.payment, leased, reason)
            return
        store.end_notice(work, notice.id, "unmatched", reason)
    else:
        store.postpone_notice(work, notice.id, work.now + rules.delay(notice.tries), reason)
    work.did("payment.postpone_notice", Ref("notice", notice.id), reason=reason[:200])
