"""Orders with buyers to write to, a transport that keeps what it is given, and a shop to send from."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import pytest

from eckit.channel import Channel, LegalEntity, Market, Seller, service as channel
from eckit.customer import Address, Party, service as customer
from eckit.flows.relay_events import relay_events
from eckit.flows.send_mails import MailReport, send_mails
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock
from eckit.kernel.events import Event
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import PartyId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.kernel.work import Begin
from eckit.messages import Mail, Rendered, Template, rules, service as messages
from eckit.order import Order, Placement, service as order
from eckit.pricing.model import Charge, ChargeKind, QuoteGroup
from eckit.shipping import Parcel
from eckit.testing.begin import START, make_begin
from tests.order.quotes import MARKET, make_quote
from tests.shipping.conftest import an_order, groups_of

SYSTEM = Actor.system("test")


@attrs.define
class Pouch:
    """A transport that keeps letters, or fails as it is told."""

    code: str = "pouch"
    letters: list[Rendered] = attrs.field(factory=list)
    fails: list[Exception] = attrs.field(factory=list)

    def send(self, mail: Rendered) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.letters.append(mail)


@attrs.frozen
class Post:
    """The plugin that brings transports, templates and wishes of its own."""

    pouches: tuple[Any, ...] = attrs.field(factory=lambda: (Pouch(),))
    templates: tuple[Template, ...] = ()
    chooses: Callable[[str], Any] = lambda channel: None
    wishes: Callable[[Event], Any] = lambda event: ()
    name: str = "post"
    version: str = "1"
    eckit_interface: Mapping[str, int] = attrs.field(factory=lambda: {"messages": 1})

    @hookimpl
    def register_transports(self) -> tuple[Any, ...]:
        return self.pouches

    @hookimpl
    def register_templates(self) -> tuple[Template, ...]:
        return self.templates

    @hookimpl
    def choose_transport(self, channel: str) -> Any:
        return self.chooses(channel)

    @hookimpl
    def propose_messages(self, event: Event) -> Any:
        return self.wishes(event)


# -- data without a shop ----------------------------------------------------------------------------------------------

WEB = Channel(
    id=mint("channel"),  # type: ignore[arg-type]
    code="web",
    kind="own",
    name="抹茶と器",
    legal_entity_id=mint("legal_entity"),  # type: ignore[arg-type]
    seller_id=mint("seller"),  # type: ignore[arg-type]
    market_ids=(MARKET,),
    base_url="https://shop.example",
    mail_from="order@shop.example",
)
JAPAN = Market(
    id=MARKET, code="jp", countries=frozenset({"JP"}), currency="JPY", prices_include_tax=True, zone="Asia/Tokyo"
)


def a_buyer(**others: Any) -> Party:
    """Somebody in Tokyo."""
    values: dict[str, Any] = {
        "id": PartyId(mint("party")),
        "name": "佐藤 葵",
        "email": "aoi@example.jp",
        "email_kind": "direct",
        "address": Address(
            country="JP", postal_code="150-0002", region="東京都", city="渋谷区", lines=("渋谷1-2-3", "青山ビル 501")
        ),
    }
    return Party(**{**values, **others})


def a_charge(kind: ChargeKind, label: str, amount: int, **others: Any) -> Charge:
    """An amount of an order."""
    return Charge(
        id=mint("charge"),  # type: ignore[arg-type]
        target="order",
        kind=kind,
        code=label,
        label=Text.of(label, ja=label),
        amount_minor=amount,
        **others,
    )


def letter_data(locale: str = "ja", **changes: Any) -> Mapping[str, Any]:
    """What a template sees of an order of two lines, with everything an order can have."""
    placed = an_order(2, 1, locale=locale, number="R-1001", total_minor=3050, current_total_minor=3050, pay_by=START)
    placed = attrs.evolve(placed, **changes.pop("order", {}))
    charges = (
        a_charge(ChargeKind.GOODS, "SKU-1", 3000),
        a_charge(ChargeKind.DISCOUNT, "初夏のクーポン", -500),
        a_charge(ChargeKind.SHIPPING, "宅配便", 550),
        a_charge(ChargeKind.TAX, "消費税 10%", 277, included=True),
    )
    placement = Placement(
        order_id=placed.id,
        body={},
        digest="0" * 64,
        groups=changes.pop("groups", tuple(groups_of(placed))),
        charges=changes.pop("charges", charges),
        shares=(),
        trace=(),
        dues=(),
    )
    parcels = (
        Parcel(
            id=mint("parcel"),  # type: ignore[arg-type]
            shipment_id=mint("shipment"),  # type: ignore[arg-type]
            number="444413758703",
            carrier="yamato",
            tracking_url="https://track.example/444413758703",
        ),
    )
    given: dict[str, Any] = {
        "channel": WEB,
        "market": JAPAN,
        "buyer": a_buyer(),
        "destinations": [a_buyer()],
        "parcels": parcels,
        "facts": {"amount_minor": 1200, "currency": "JPY"},
    }
    return rules.data(placed, placement, **{**given, **changes})


def a_mail(kind: str = "order_confirmed", **others: Any) -> Mail:
    """A mail of a kind."""
    values: dict[str, Any] = {
        "id": mint("mail"),
        "kind": kind,
        "about": an_order().ref,
        "event_id": mint("event"),
        "state": messages.MailState.WAITING,
        "tries": 1,
        "due_at": START,
        "queued_at": START,
    }
    return Mail(**{**values, **others})


# -- a shop -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Office:
    """Begins Works on a database with a channel that may write mails, and places orders."""

    begin: Begin
    clock: FixedClock
    pouch: Pouch
    channel: Channel
    url: str

    def place(self, *, buyer: Party | None = None, confirm: bool = True, locale: str = "ja") -> Order:
        """An order of somebody who can be written to; confirmed unless told otherwise."""
        who = buyer or a_buyer()
        quote = make_quote(buyer=who.id, channel=self.channel.id, locale=locale)
        goes_to: Sequence[QuoteGroup] = quote.groups
        with self.begin.write(SYSTEM) as work:
            for party in (who, *(a_buyer(id=group.destination, email="") for group in goes_to)):
                customer.add_party(work, party)
            placed = order.place(work, quote, pay_by=work.now + dt.timedelta(days=1))
            return order.confirm(work, placed) if confirm else placed

    def relay(self) -> None:
        """What happened is told."""
        relay_events(self.begin)

    def send(self, **others: Any) -> MailReport:
        """Mails that are due leave."""
        return send_mails(self.begin, **others)

    def mails(self) -> list[tuple[str, str, int]]:
        """Kind, state and tries of each mail, oldest first."""
        with self.begin.read(SYSTEM) as work:
            return [(one.kind, one.state.value, one.tries) for one in reversed(messages.mails(work))]

    def failures(self) -> list[str]:
        """The last failure of each mail."""
        with self.begin.read(SYSTEM) as work:
            return [one.last_failure for one in messages.mails(work)]


def an_office(
    url: str, post: Post | None = None, settings: Mapping[str, Any] | None = None, **channel_changes: Any
) -> Office:
    """On a database with tables."""
    post = post or Post()
    clock = FixedClock(START)
    begin = make_begin(url, plugins=[post], clock=clock, settings=settings)
    entity = LegalEntity(id=WEB.legal_entity_id, name="株式会社茶器", country="JP")
    web = attrs.evolve(WEB, **channel_changes)
    with begin.write(SYSTEM) as work:
        channel.save_legal_entity(work, entity)
        channel.save_seller(work, Seller(id=WEB.seller_id, code="main", legal_entity_id=entity.id, name="茶器"))
        channel.save_market(work, JAPAN)
        channel.save_channel(work, web)
    pouch = post.pouches[0] if post.pouches else Pouch()
    return Office(begin, clock, pouch, web, url)


@pytest.fixture
def office(migrated_url: str) -> Office:
    """On both databases."""
    return an_office(migrated_url)
