"""The inbox of providers' notices: verified, stored, acknowledged; applied afterwards."""

import logging
from typing import Final

from eckit.flows.ask_gateway import ask_query
from eckit.flows.cancel_unpaid import cancel_unpaid
from eckit.flows.send_operation import send_planned
from eckit.flows.settle_payment import Settled, provider, settle_payment
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.doors import expect_limit
from eckit.kernel.errors import ConflictError, PluginError
from eckit.kernel.ids import MethodCode
from eckit.kernel.plugins import Registered
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.payment import rules, service as payment
from eckit.payment.errors import UnknownMethodError
from eckit.payment.model import (
    Ack,
    ForgedNotice,
    Gateway,
    Opened,
    Payment,
    QueryFailed,
    RawRequest,
    UnauthenticatedNotice,
    VerifiedNotice,
)

faults.declare("receive_notice.after_store")

_log = logging.getLogger("eckit.payment.notices")

TOO_LARGE: Final = Ack(status=413)
REFUSED: Final = Ack(status=400)
UNKNOWN: Final = Ack(status=404)
LATER: Final = Ack(status=503)


def receive_notice(begin: Begin, gateway_id: MethodCode, raw: RawRequest) -> Ack:
    """Take a provider's notice: verify it on its raw bytes, store it, and only then acknowledge it.

    Nothing is applied here: :func:`apply_notices` does that, so that the answer is quick. A notice that came before is
    acknowledged again. Of a forged one nothing is stored; the refusal says nothing about any payment.

    :return: 2xx: durably stored. 4xx: never acceptable. 503: please send it again.
    """
    begin.require_no_transaction("receive_notice")
    if len(raw.body) > payment.MAX_BODY:
        return TOO_LARGE
    try:
        found = payment.find_gateway(begin.plugins, gateway_id)
    except UnknownMethodError:
        return _without_gateway(begin, gateway_id)
    opened = _open(begin, found, raw)
    if isinstance(opened, ForgedNotice):
        _count_forgery(begin, found, opened.why)
        return REFUSED
    try:
        _keep(begin, gateway_id, raw, opened)
    except ConflictError:
        _log.exception("a notice for %s could not be stored; the provider is asked to send it again", gateway_id)
        return LATER
    faults.hit("receive_notice.after_store")
    return payment.capabilities(begin.plugins, gateway_id).ack


def _open(begin: Begin, found: Registered[Gateway], raw: RawRequest) -> Opened:
    """What the gateway makes of the bytes. A gateway that stumbles over them believes nothing in them."""
    try:
        answer = begin.plugins.guarded(
            found.plugin, "payment.open_webhook", found.thing.open_webhook, raw, begin.clock.now()
        )
    except PluginError as error:
        return ForgedNotice(why=f"the gateway failed: {error.reason}")
    return rules.accepted_notices(answer)


def _count_forgery(begin: Begin, found: Registered[Gateway], why: str) -> None:
    """Count what was refused; the log hears of the 1st, 2nd, 4th, 8th …, so that nobody can fill it."""
    track = begin.plugins.tracks[found.plugin, "payment.forged_notice"]
    track.calls += 1
    if track.calls & (track.calls - 1) == 0:
        _log.warning("refused a notice for %s (%d so far): %s", found.code, track.calls, rules.shown(why))


def _without_gateway(begin: Begin, gateway_id: MethodCode) -> Ack:
    """A gateway that payments were made with may come back; one that nobody knows will not."""
    with begin.read(Actor.system("receive_notice")) as work:
        return LATER if payment.was_used(work, gateway_id) else UNKNOWN


@again_if_moved
def _keep(
    begin: Begin, gateway_id: MethodCode, raw: RawRequest, opened: tuple[VerifiedNotice | UnauthenticatedNotice, ...]
) -> int:
    with begin.write(provider(gateway_id)) as work:
        return payment.keep(work, gateway_id, raw, opened)


# -- applying ---------------------------------------------------------------------------------------------------------


def apply_notices(begin: Begin, *, limit: int = 100) -> int:
    """Apply stored notices that are due; how many were dealt with. Safe to run on several machines.

    A signed notice is settled as it is; an unsigned one is only a reason to query. One that does not fit its payment is
    set aside; one that came before its payment waits for it. A notice that cannot be handled does not hold up others.

    :param limit: 1 to 10,000.
    """
    expect_limit(limit)
    begin.require_no_transaction("apply_notices")
    taken = _lease(begin, limit)
    for leased in taken:
        try:
            _follow_up(begin, _apply(begin, leased))
        except Exception as error:  # noqa: BLE001 - a notice that cannot be handled must not hold up others
            _log.exception("notice %s could not be applied", leased.notice.id)
            _postpone(begin, leased, f"error: {type(error).__name__}")
    if taken:
        send_planned(begin)
    return len(taken)


@again_if_moved
def _lease(begin: Begin, limit: int) -> tuple[payment.LeasedNotice, ...]:
    with begin.write(Actor.system("apply_notices")) as work:
        return payment.lease_notices(work, limit=limit)


def _apply(begin: Begin, leased: payment.LeasedNotice) -> Settled | None:
    current = leased.payment
    if current is None:
        return _postpone(begin, leased, "unknown payment")
    why = payment.misfit_of(begin.plugins, current, leased)
    if why is not None:
        return _quarantine(begin, current, leased, why)
    by = provider(leased.notice.gateway)
    if leased.snapshot is not None:
        return settle_payment(begin, current.id, None, leased.snapshot, by, notice=leased.notice.id)
    news = ask_query(begin, current)
    if isinstance(news, QueryFailed):
        return _postpone(begin, leased, rules.shown(news.cause))
    asked_for = rules.in_question(current)
    return settle_payment(begin, current.id, asked_for.id, news, by, notice=leased.notice.id)


def _follow_up(begin: Begin, settled: Settled | None) -> None:
    if settled is not None:
        cancel_unpaid(begin, settled)


@again_if_moved
def _postpone(begin: Begin, leased: payment.LeasedNotice, reason: str) -> None:
    with begin.write(Actor.system("apply_notices")) as work:
        payment.postpone(work, leased, reason)


@again_if_moved
def _quarantine(begin: Begin, current: Payment, leased: payment.LeasedNotice, why: str) -> None:
    with begin.write(provider(leased.notice.gateway)) as work:
        payment.quarantine(work, current, leased, why)
