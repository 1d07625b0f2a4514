"""A shop's transactions with what every channel needs: a legal entity, a seller, a market."""

import datetime as dt
from typing import Any

import attrs
import pytest

from eckit.channel import Channel, LegalEntity, Market, Registration, RoundingPolicy, Seller, service as channel
from eckit.kernel.actors import Actor
from eckit.kernel.clock import FixedClock, Window
from eckit.kernel.minting import mint
from eckit.kernel.money import Rounding
from eckit.kernel.work import Begin
from eckit.testing.begin import START, make_begin

STAFF = Actor.staff("ito", "channel.write")


@attrs.frozen
class House:
    """Begins Works on a database with one entity, seller and market, and makes channels for them."""

    begin: Begin
    entity: LegalEntity
    seller: Seller
    market: Market

    def channel(self, code: str = "web", **others: Any) -> Channel:
        """A channel that can be saved."""
        values: dict[str, Any] = {
            "id": mint("channel"),
            "code": code,
            "kind": "own",
            "name": "抹茶と器",
            "legal_entity_id": self.entity.id,
            "seller_id": self.seller.id,
            "market_ids": (self.market.id,),
        }
        return Channel(**{**values, **others})


def a_market(**others: Any) -> Market:
    """Japan, as a market that uses every field."""
    values: dict[str, Any] = {
        "id": mint("market"),
        "code": "jp",
        "countries": frozenset({"JP"}),
        "currency": "JPY",
        "prices_include_tax": True,
        "rounding": RoundingPolicy(level="rate", mode=Rounding.FLOOR),
        "locales": ("ja", "en"),
        "zone": "Asia/Tokyo",
        "tax_engine": "tax-table",
        "freeze": dt.timedelta(minutes=10),
    }
    return Market(**{**values, **others})


@pytest.fixture
def house(migrated_url: str) -> House:
    """On both databases."""
    begin = make_begin(migrated_url, clock=FixedClock(START))
    number = Registration(scheme="jp-invoice", number="T1234567890123", window=Window(START))
    entity = LegalEntity(id=mint("legal_entity"), name="株式会社茶器", country="JP", registrations=(number,))  # type: ignore[arg-type]
    seller = Seller(id=mint("seller"), code="main", legal_entity_id=entity.id, name="茶器")  # type: ignore[arg-type]
    market = a_market()
    with begin.write(STAFF) as work:
        channel.save_legal_entity(work, entity)
        channel.save_seller(work, seller)
        channel.save_market(work, market)
    return House(begin, entity, seller, market)
