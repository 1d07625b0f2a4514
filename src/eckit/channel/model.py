"""Where it is sold and by whom: channels, markets, sellers, legal entities, external references."""

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar

import attrs

from eckit.kernel.clock import Window
from eckit.kernel.events import Event
from eckit.kernel.freezing import frozen_map
from eckit.kernel.ids import ChannelId, LegalEntityId, MarketId, SellerId
from eckit.kernel.money import Rounding
from eckit.kernel.refs import Ref


@attrs.frozen(kw_only=True)
class Registration:
    """A number a legal entity is registered under: Japan's T-number, a VAT id, IOSS."""

    scheme: str
    number: str
    window: Window = Window()


@attrs.frozen(kw_only=True)
class LegalEntity:
    """Who issues the invoice."""

    id: LegalEntityId
    name: str
    country: str
    registrations: tuple[Registration, ...] = ()
    document_series: str = "main"


@attrs.frozen(kw_only=True)
class Seller:
    """Who sells a line. One default seller exists in every shop."""

    id: SellerId
    code: str
    legal_entity_id: LegalEntityId
    name: str


@attrs.frozen(kw_only=True)
class RoundingPolicy:
    """Where tax is rounded, and how; named, chosen per market, frozen on the order.

    :ivar level: ``line``, ``unit``, or ``rate`` (once per rate and document: Japan's qualified invoice, EN 16931).
    """

    level: str = "rate"
    mode: Rounding = Rounding.FLOOR

    @property
    def name(self) -> str:
        """As trace and order show it: ``rate/floor``."""
        return f"{self.level}/{self.mode.value}"


@attrs.frozen(kw_only=True)
class Market:
    """Countries sold to alike: currency, basis of prices, rounding, languages.

    :ivar countries: ISO 3166-1 alpha-2 codes delivered to; empty means everywhere.
    :ivar prices_include_tax: whether list prices contain tax.
    :ivar freeze: how long a quote is priced again as of its own instant.
    """

    id: MarketId
    code: str
    countries: frozenset[str]
    currency: str
    prices_include_tax: bool
    rounding: RoundingPolicy = RoundingPolicy()
    locales: tuple[str, ...] = ("en",)
    zone: str = "UTC"
    tax_engine: str | None = None
    freeze: dt.timedelta = dt.timedelta(minutes=15)


@attrs.frozen(kw_only=True)
class Channel:
    """Where it is sold: an own site, a mall, a till. Flows ask the channel, never its kind.

    :ivar number_series: series of its order numbers.
    :ivar pay_within: how long a placed order waits for its money before it lapses.
    :ivar stock_buffer_steps: steps this channel never offers.
    :ivar powers: who may edit, cancel, refund, contact: ``shop`` or ``channel`` by verb; missing means the shop.
    :ivar base_url: absolute address links in mails are built from; never taken from a request.
    """

    id: ChannelId
    code: str
    kind: str
    name: str
    legal_entity_id: LegalEntityId
    seller_id: SellerId
    market_ids: tuple[MarketId, ...]
    locales: tuple[str, ...] = ("en",)
    number_series: str = "main"
    tax_remitter: str = "shop"
    pay_within: dt.timedelta = dt.timedelta(hours=24)
    stock_buffer_steps: int = 0
    powers: Mapping[str, str] = attrs.field(converter=frozen_map, factory=dict, hash=False)
    base_url: str | None = None
    mail_from: str | None = None


@attrs.frozen(kw_only=True)
class Setup:
    """All channels, markets, sellers and legal entities of a shop; few, read together, cached by one stamp."""

    channels: Mapping[ChannelId, Channel] = attrs.field(converter=frozen_map)
    markets: Mapping[MarketId, Market] = attrs.field(converter=frozen_map)
    sellers: Mapping[SellerId, Seller] = attrs.field(converter=frozen_map)
    legal_entities: Mapping[LegalEntityId, LegalEntity] = attrs.field(converter=frozen_map)

    def channel(self, id_or_code: str) -> Channel | None:
        """The channel of this id or code."""
        return next((c for c in self.channels.values() if id_or_code in (c.id, c.code)), None)

    def market(self, id_or_code: str) -> Market | None:
        """The market of this id or code."""
        return next((m for m in self.markets.values() if id_or_code in (m.id, m.code)), None)


@attrs.frozen(kw_only=True)
class ExternalRef:
    """Somebody else's id of something of ours: unique by channel, kind and external id."""

    channel_id: ChannelId
    kind: str
    external_id: str
    raw: str
    owner: Ref
    primary: bool
    since: dt.datetime
    until: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class ChannelChanged(Event):
    """A channel, market, seller or legal entity was saved."""

    name: ClassVar[str] = "channel.changed"
    changed: Ref

    @property
    def subject(self) -> Ref:
        """What was saved."""
        return self.changed
