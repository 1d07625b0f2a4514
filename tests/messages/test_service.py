"""Mails queued once, leased by one, tried again and given up; sent from current state with no transaction open."""

import datetime as dt
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from eckit.channel import service as channel
from eckit.customer import service as customer
from eckit.defaults.mail import message
from eckit.flows.relay_events import relay_events
from eckit.kernel import faults, outbox
from eckit.kernel.actors import Actor
from eckit.kernel.composing import compose_plugins
from eckit.kernel.errors import NotAllowedError, PluginError
from eckit.kernel.events import Event
from eckit.kernel.history import history
from eckit.kernel.ids import PartyId
from eckit.kernel.minting import mint
from eckit.kernel.money import format_minor
from eckit.kernel.refs import Ref
from eckit.kernel.work import Begin, WorkOpenError
from eckit.messages import MessageWish, Template, audit, rules, service as messages
from eckit.messages.store import mail as mail_table
from eckit.order import OrderCanceled, OrderConfirmed, OrderPlaced, service as order
from eckit.payment import PaymentAuthorized, PaymentDeclined, PaymentRefunded
from eckit.shipping import ParcelDelivered, ParcelHandedOver
from eckit.testing.begin import make_begin
from tests.cart.support import together
from tests.defaults.mailserver import mail_server
from tests.messages.conftest import SYSTEM, Office, Post, Pouch, a_buyer, an_office
from tests.order.quotes import make_quote
from tests.planting import again, broken, broken_by

ORDER, OTHER, PARCEL = mint("order"), mint("order"), mint("parcel")


# -- which event makes which mail -------------------------------------------------------------------------------------


def _payment(kind: type[Event], **others: Any) -> Event:
    return kind(payment_id=mint("payment"), order_id=ORDER, amount_minor=1200, currency="JPY", **others)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (OrderConfirmed(order_id=ORDER, number="R-1", total_minor=1, currency="JPY"), [("order_confirmed", ORDER)]),  # type: ignore[arg-type]
        (OrderCanceled(order_id=ORDER, reason="buyer", was_confirmed=True), [("order_canceled", ORDER)]),  # type: ignore[arg-type]
        (OrderCanceled(order_id=ORDER, reason="lapsed", was_confirmed=False), []),  # type: ignore[arg-type]
        (_payment(PaymentDeclined, decline_code="fraud"), [("payment_declined", ORDER)]),
        (_payment(PaymentRefunded), [("payment_refunded", ORDER)]),
        (_payment(PaymentAuthorized), []),
        (
            ParcelHandedOver(parcel_id=PARCEL, shipment_id=mint("shipment"), order_ids=(ORDER, OTHER)),  # type: ignore[arg-type]
            [("order_shipped", ORDER), ("order_shipped", OTHER)],
        ),
        (
            ParcelDelivered(parcel_id=PARCEL, shipment_id=mint("shipment"), order_ids=(ORDER,)),  # type: ignore[arg-type]
            [("order_delivered", ORDER)],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_events_make_mails_about_their_orders(event: Event, expected: list[tuple[str, str]]) -> None:
    """Each order in a parcel is told; one that never counted is told nothing."""
    assert expected == [(wish.kind, wish.about.id) for wish in rules.wishes(event)]


def test_a_mail_knows_the_amount_and_the_parcel_of_its_event() -> None:
    """Codes, ids and amounts only: what the event told, no more."""
    [refund] = rules.wishes(_payment(PaymentRefunded))
    [shipped] = rules.wishes(ParcelHandedOver(parcel_id=PARCEL, shipment_id=mint("shipment"), order_ids=(ORDER,)))  # type: ignore[arg-type]
    assert ({"amount_minor": 1200, "currency": "JPY"}, {"parcel_id": PARCEL}) == (refund.facts, shipped.facts)


def test_tries_are_further_and_further_apart_and_end() -> None:
    """A minute, ten, an hour, six, a day; then it is given up."""
    waits = [rules.retry_after_s(tries) for tries in range(1, 8)]
    assert [60, 600, 3600, 21600, 86400, None, None] == waits


# -- which transport --------------------------------------------------------------------------------------------------


def _transport(post: Post) -> Any:
    return messages.transport(compose_plugins(messages.SPECS, [post], collect=[messages.collect]), "web")


def test_the_only_transport_carries_everything_and_of_several_one_is_chosen() -> None:
    """None and several without a choice: mails wait; a choice that is not there names who made it."""
    one, two = Pouch("one"), Pouch("two")
    assert None is _transport(Post(()))
    assert ("post", one) == _transport(Post((one,)))
    assert None is _transport(Post((one, two)))
    assert ("post", two) == _transport(Post((one, two), chooses={"web": "two"}.get))
    assert None is _transport(Post((one, two), chooses={"mall": "two"}.get))
    with pytest.raises(PluginError, match="no transport three"):
        _transport(Post((one,), chooses=lambda channel: "three"))
    with pytest.raises(PluginError):
        _transport(Post((one,), chooses=lambda channel: one))


# -- queueing and sending ---------------------------------------------------------------------------------------------


def test_a_confirmed_order_is_confirmed_by_mail_once(office: Office) -> None:
    """Relayed twice, sent twice: one mail, to the buyer, from the channel, in the order's language."""
    placed = office.place()
    for _ in range(2):
        office.relay()
        office.send()

    [letter] = office.pouch.letters
    assert ("aoi@example.jp", "order@shop.example", "抹茶と器", "ja") == (
        letter.to,
        letter.sender,
        letter.sender_name,
        letter.locale,
    )
    assert placed.number in letter.subject
    assert f"https://shop.example/orders/{placed.token}" in letter.text
    assert "〒150-0002" in letter.text
    assert [("order_confirmed", "sent", 1)] == office.mails()
    assert [] == broken(office.begin, audit.CHECKS)


def test_a_confirmation_reaches_a_real_mail_server(migrated_url: str) -> None:
    """From the order to the wire: Japanese subject, both parts, one recipient, the settings' server, its date."""
    with mail_server() as server:
        smtp = {"transport": "smtp", "security": "none", "port": server.port}
        office = an_office(migrated_url, Post(()), {"eckit-mail": smtp})
        placed = office.place(buyer=a_buyer(name="𠮷野 葵 🍵"))
        office.relay()
        queued_at = office.clock.now()
        office.clock.advance(dt.timedelta(hours=3))
        assert (1, 0, 0) == attrs.astuple(office.send())

    [arrived] = server.received
    assert ("order@shop.example", ["aoi@example.jp"]) == (arrived.sender, arrived.to)
    assert f"【抹茶と器】ご注文ありがとうございます（ご注文番号 {placed.number}）" == arrived.message["Subject"]
    assert queued_at == parsedate_to_datetime(arrived.message["Date"])
    text, html = arrived.message.get_body(("plain",)), arrived.message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().startswith("𠮷野 葵 🍵 様")
    assert "𠮷野 葵 🍵 様" in html.get_content()


def test_an_order_that_is_not_confirmed_is_told_nothing(office: Office) -> None:
    """It does not count yet; nothing is queued and nothing written by sending."""
    office.place(confirm=False)
    office.relay()
    with office.begin.read(SYSTEM) as work:
        before = work.execute(sa.select(sa.func.count()).select_from(history)).scalar_one()
    assert (0, 0, 0) == attrs.astuple(office.send())
    with office.begin.read(SYSTEM) as work:
        assert before == work.execute(sa.select(sa.func.count()).select_from(history)).scalar_one()


def test_hearing_an_event_again_queues_nothing_new(office: Office) -> None:
    """At-least-once delivery makes one mail per event and kind, even if a plugin wishes for it twice."""
    wish = MessageWish(kind="greeting", about=office.place().ref)
    begin = other_office(office, Post(wishes=lambda event: (wish, wish) if isinstance(event, OrderPlaced) else ()))
    with begin.read(SYSTEM) as work:
        heard = [outbox.envelope(row, work.shop_id) for row in work.execute(sa.select(outbox.outbox))]
    added = []
    for _ in range(3):
        with begin.write(SYSTEM) as work:
            added.append(sum(messages.queue(work, envelope) for envelope in heard if envelope is not None))
    assert [2, 0, 0] == added
    assert [("greeting", "waiting", 0), ("order_confirmed", "waiting", 0)] == sorted(office.mails())


def other_office(office: Office, post: Post) -> Begin:
    """The same database with another plugin."""
    return make_begin(office.url, plugins=[post], clock=office.clock)


def test_a_mail_that_cannot_be_sent_is_tried_again_and_given_up(office: Office) -> None:
    """After each failure it waits longer; after the last it is parked with its reason, in which nobody is named."""
    office.place()
    office.relay()
    office.pouch.fails += [ConnectionError("aoi@example.jp: no route")] * 6

    ends = [attrs.astuple(office.send())]
    for seconds in rules.RETRY_AFTER_S:
        office.clock.advance(dt.timedelta(seconds=seconds - 1))
        assert (0, 0, 0) == attrs.astuple(office.send())
        office.clock.advance(dt.timedelta(seconds=1))
        ends.append(attrs.astuple(office.send()))
    assert [(0, 1, 0)] * 5 + [(0, 0, 1)] == ends
    assert [("order_confirmed", "given_up", 6)] == office.mails()
    [failure] = office.failures()
    assert "post" in failure
    assert "@" not in failure
    assert [] == broken(office.begin, audit.CHECKS)


def test_one_that_fails_does_not_hold_up_the_others(office: Office) -> None:
    """QUE-01: ten that always fail and ten good ones, in batches: the good ones leave in the same round."""
    for number in range(20):
        office.place(buyer=a_buyer(email=f"buyer{number}@example.jp"))
    office.relay()
    office.pouch.fails += [ConnectionError("down")] * 10

    report = office.send(limit=50)
    assert (10, 10, 0) == attrs.astuple(report)
    assert 10 == len(office.pouch.letters)
    assert (0, 0, 0) == attrs.astuple(office.send())


def test_workers_at_once_send_each_mail_once(office: Office) -> None:
    """A mail is leased by one of them; none is lost."""
    for number in range(12):
        office.place(buyer=a_buyer(email=f"buyer{number}@example.jp"))
    office.relay()

    together(*[office.send] * 3)
    office.send()
    assert sorted(f"buyer{number}@example.jp" for number in range(12)) == sorted(
        letter.to for letter in office.pouch.letters
    )
    assert {("order_confirmed", "sent", 1)} == set(office.mails())


def test_a_crash_after_sending_sends_the_same_mail_again(office: Office) -> None:
    """QUE-03: at least once, with the same Message-ID, date and bytes; whoever gets it twice can tell."""
    office.place()
    office.relay()
    with faults.armed({"send_mails.after_send": faults.fail()}), pytest.raises(faults.FaultError):
        office.send()
    assert (0, 0, 0) == attrs.astuple(office.send())
    office.clock.advance(messages.LEASE)
    assert (1, 0, 0) == attrs.astuple(office.send())

    first, second = office.pouch.letters
    assert first == second
    assert message(first).as_bytes() == message(second).as_bytes()
    assert [("order_confirmed", "sent", 2)] == office.mails()


def test_a_slow_worker_does_not_undo_what_another_did(office: Office) -> None:
    """Its lease was over, another sent the mail: marking it as failed afterwards changes nothing."""
    office.place()
    office.relay()
    with office.begin.write(SYSTEM) as work:
        [slow] = messages.lease(work, limit=10)
    office.clock.advance(messages.LEASE)
    office.send()
    with office.begin.write(SYSTEM) as work:
        messages.mark_failed(work, slow, "too late")
    assert [("order_confirmed", "sent", 2)] == office.mails()


def test_a_mail_tells_what_is_so_when_it_is_sent(office: Office) -> None:
    """Built from current state: a cancellation shows what is left of the order, its confirmation what was agreed."""
    placed = office.place()
    office.relay()
    with office.begin.write(SYSTEM) as work:
        order.cancel(work, order.lock(work, placed.id), "buyer")
    office.relay()
    office.send()
    subjects = [letter.subject for letter in office.pouch.letters]
    assert ["ご注文ありがとうございます", "ご注文取り消しのお知らせ"] == [
        subject.partition("】")[2].partition("（")[0] for subject in subjects
    ]
    confirmed, canceled = (letter.text for letter in office.pouch.letters)
    agreed = format_minor(placed.total_minor, "JPY", "ja")
    assert f"\n合計（税込）：{agreed}\n" in confirmed
    assert "お取り消し後の合計（税込）：￥0\n" in canceled


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda office: office.place(buyer=a_buyer(email="", email_kind="none")), "the buyer has no e-mail address"),
        (lambda office: _erased(office), "the buyer has no e-mail address"),
    ],
    ids=["none", "erased"],
)
def test_nobody_to_write_to_is_given_up_at_once(office: Office, spoil: Callable[[Office], object], reason: str) -> None:
    """Not tried again: it would be the same tomorrow. An erased customer gets no mail that was still waiting."""
    spoil(office)
    office.relay()
    assert (0, 0, 1) == attrs.astuple(office.send())
    assert ([reason], []) == (office.failures(), office.pouch.letters)


def _erased(office: Office) -> None:
    with office.begin.write(Actor.guest()) as work:
        made = customer.register(work, email="aoi@example.jp", password="correct horse", name="葵")
    buyer = a_buyer()
    with office.begin.write(Actor.buyer(made.id)) as work:
        customer.add_party(work, buyer)
    _place_for(office, buyer.id)
    with office.begin.write(Actor.buyer(made.id)) as work:
        customer.erase(work, made.id)


def _place_for(office: Office, buyer: PartyId) -> None:
    quote = make_quote(buyer=buyer, channel=office.channel.id)
    with office.begin.write(SYSTEM) as work:
        for group in quote.groups:
            customer.add_party(work, a_buyer(id=group.destination))
        order.confirm(work, order.place(work, quote, pay_by=work.now + dt.timedelta(days=1)))


def test_a_channel_without_a_sender_or_a_shop_without_transport_sends_nothing(migrated_url: str) -> None:
    """No sender address: given up, since only a setting mends it for the next; no transport: mails wait for one."""
    office = an_office(migrated_url, Post(()), mail_from=None)
    office.place()
    office.relay()
    assert (0, 0, 1) == attrs.astuple(office.send())
    with office.begin.write(SYSTEM) as work:
        channel.save_channel(work, attrs.evolve(office.channel, mail_from="order@shop.example"))
    office.place(buyer=a_buyer(email="jo@example.de"))
    office.relay()
    assert (0, 1, 0) == attrs.astuple(office.send())
    assert ["no transport is chosen for this channel", "the channel has no sender address"] == office.failures()


def test_a_broken_template_waits_and_names_itself(migrated_url: str) -> None:
    """The owner repairs it; the mail leaves at its next try."""
    bad = Template(kind="order_confirmed", locale="ja", subject="x", text="{{ order.__class__ }}", html="x")
    office = an_office(migrated_url, Post(templates=(bad,)))
    office.place()
    office.relay()
    assert (0, 1, 0) == attrs.astuple(office.send())
    [failure] = office.failures()
    assert "order_confirmed" in failure


def test_a_wish_about_something_that_is_no_order_is_given_up(office: Office) -> None:
    """The core writes about orders; other things are a plugin's own to write about."""
    placed = office.place()
    wish = MessageWish(kind="greeting", about=Ref("customers.visit", "7"), facts={"visits": 7})
    begin = other_office(office, Post(wishes=lambda event: (wish,) if isinstance(event, OrderPlaced) else ()))
    relay_events(begin)
    office.send()
    assert [("greeting", "given_up", 1), ("order_confirmed", "sent", 1)] == sorted(office.mails())
    assert placed.number in office.pouch.letters[0].subject


def test_a_plugin_that_wishes_nonsense_costs_nobody_a_mail(office: Office) -> None:
    """DROP: the core's own mails are queued all the same."""
    office.place()

    def fails(event: Event) -> Any:
        raise RuntimeError("full moon")

    relay_events(other_office(office, Post(wishes=fails)))
    assert [("order_confirmed", "waiting", 0)] == office.mails()


def test_mails_are_not_sent_with_a_transaction_open(office: Office) -> None:
    """No lock is held across the network."""
    with office.begin.write(SYSTEM), pytest.raises(WorkOpenError):
        office.send()


def test_only_who_may_sees_the_mails(office: Office) -> None:
    """``messages.read``; a mail row names nobody anyway."""
    office.place()
    office.relay()
    for actor in (Actor.guest(), Actor.staff("sato", "order.read")):
        with office.begin.read(actor) as work, pytest.raises(NotAllowedError):
            messages.mails(work)
    with office.begin.read(SYSTEM) as work:
        texts = " ".join(str(value) for row in work.execute(sa.select(mail_table)) for value in row)
    assert not any(personal in texts for personal in ("aoi", "佐藤", "渋谷"))


# -- audit ------------------------------------------------------------------------------------------------------------


def test_each_broken_invariant_is_named(office: Office) -> None:
    """A row of each kind is broken; its invariant is named; nothing is broken by anything the verbs do."""
    for email in ("aoi@example.jp", "jo@example.de", "kim@example.kr"):
        office.place(buyer=a_buyer(email=email))
    office.place(buyer=a_buyer(email="", email_kind="none"))
    office.relay()
    office.pouch.fails += [ConnectionError("down")]
    office.send()
    assert [] == broken(office.begin, audit.CHECKS)

    sent, waiting = mail_table.c.state == "sent", mail_table.c.state == "waiting"
    plantings: dict[str, sa.Executable] = {
        "mail-is-of-a-committed-event": sa.update(mail_table).where(sent).values(event_id=mint("event")),
        "sent-mail-has-its-instant": sa.update(mail_table).where(sent).values(sent_at=None),
        "given-up-mail-says-why": sa.update(mail_table).where(~sent, ~waiting).values(last_failure=""),
        "mail-is-tried-in-bounds": sa.update(mail_table).where(waiting).values(tries=99),
        "one-mail-of-an-event": again(mail_table, id=mint("mail")),
        "mail-row-names-nobody": sa.update(mail_table).values(facts={"to": "aoi@example.jp"}),
        "mail-is-about-something": sa.update(mail_table).values(about="7"),
    }
    assert {check.invariant for check in audit.CHECKS} == set(plantings)
    for invariant, planting in plantings.items():
        assert invariant in broken_by(office.begin, audit.CHECKS, [mail_table], planting), invariant
