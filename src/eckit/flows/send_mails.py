"""Send the mails that are due: leased, built from current state, sent with no transaction open, marked."""

from typing import Final

import attrs

from eckit.channel import service as channel
from eckit.channel.model import Channel
from eckit.customer import service as customer
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.doors import expect_limit
from eckit.kernel.errors import EckitError
from eckit.kernel.events import Envelope
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.messages import rules as message_rules, service as messages
from eckit.messages.model import Mail, MailState, Rendered
from eckit.order import service as order
from eckit.shipping import service as shipping

faults.declare("send_mails.after_lease", "send_mails.after_send")

_SYSTEM = Actor.system("mails")
_BATCH: Final = 10
"""Mails leased at once: even if each takes as long as a conversation may, they are sent within their lease."""


@attrs.frozen(kw_only=True)
class MailReport:
    """How many mails were sent, wait for another try, and were given up."""

    sent: int = 0
    waiting: int = 0
    given_up: int = 0


@attrs.frozen(kw_only=True)
class _Unsendable:
    reason: str


def queue_mails(begin: Begin, envelope: Envelope) -> None:
    """Queue the mails an event makes; hearing it again queues nothing new."""
    with begin.write(_SYSTEM) as work:
        messages.queue(work, envelope)


def send_mails(begin: Begin, *, limit: int = 50) -> MailReport:
    """Send up to ``limit`` mails that are due.

    A mail may be sent twice after a crash, with the same Message-ID; it is never lost. One that cannot be sent is tried
    again later and given up after the last try, with its reason.

    :param limit: 1 to 10,000.
    """
    expect_limit(limit)
    begin.require_no_transaction("send_mails")
    ends: list[MailState] = []
    while len(ends) < limit and (leased := _lease(begin, min(_BATCH, limit - len(ends)))):
        faults.hit("send_mails.after_lease")
        ends += [_send(begin, mail) for mail in leased]
    return MailReport(
        sent=ends.count(MailState.SENT),
        waiting=ends.count(MailState.WAITING),
        given_up=ends.count(MailState.GIVEN_UP),
    )


@again_if_moved
def _lease(begin: Begin, limit: int) -> tuple[Mail, ...]:
    with begin.read(_SYSTEM) as work:
        if not messages.any_due(work):
            return ()
    with begin.write(_SYSTEM) as work:
        return messages.lease(work, limit=limit)


def _send(begin: Begin, mail: Mail) -> MailState:
    try:
        ready = _rendered(begin, mail)
        if isinstance(ready, _Unsendable):
            return _end(begin, mail, MailState.GIVEN_UP, ready.reason)
        sold_in, letter = ready
        carrier = messages.transport(begin.plugins, sold_in.code)
        if carrier is None:
            return _end(begin, mail, MailState.WAITING, "no transport is chosen for this channel")
        plugin, transport = carrier
        begin.converse(plugin, "send", transport.send, letter)
    except EckitError as error:
        return _end(begin, mail, MailState.WAITING, error.text())
    faults.hit("send_mails.after_send")
    return _end(begin, mail, MailState.SENT, "")


def _rendered(begin: Begin, mail: Mail) -> tuple[Channel, Rendered] | _Unsendable:
    if mail.about.kind != "order":
        return _Unsendable(reason=f"about a {mail.about.kind}, not an order")
    with begin.read(_SYSTEM) as work:
        view = order.get(work, mail.about.id)
        placed = view.order
        setup = channel.setup(work)
        sold_in = setup.channels[placed.channel_id]
        goes_to = [group.destination for group in view.placement.groups if group.destination]
        people = customer.parties(work, {*goes_to, *filter(None, [placed.buyer])})
        parcels = shipping.parcels_of(work, shipping.for_order(work, placed.id))
    buyer = people[placed.buyer] if placed.buyer else None
    if buyer is None or not buyer.email:
        return _Unsendable(reason="the buyer has no e-mail address")
    if sold_in.mail_from is None:
        return _Unsendable(reason="the channel has no sender address")
    data = message_rules.data(
        placed,
        view.placement,
        channel=sold_in,
        market=setup.markets[placed.market_id],
        buyer=buyer,
        destinations=[people[one] for one in goes_to],
        parcels=parcels,
        facts=mail.facts,
    )
    letter = messages.rendered(
        begin.plugins,
        mail,
        data,
        sender=sold_in.mail_from,
        sender_name=sold_in.name,
        to=buyer.email,
        locale=placed.locale,
    )
    return sold_in, letter


@again_if_moved
def _end(begin: Begin, mail: Mail, state: MailState, failure: str) -> MailState:
    with begin.write(_SYSTEM) as work:
        if state is MailState.SENT:
            messages.mark_sent(work, mail)
            return state
        if state is MailState.GIVEN_UP:
            messages.mark_given_up(work, mail, failure)
            return state
        return messages.mark_failed(work, mail, failure)
