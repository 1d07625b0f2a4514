"""What makes a channel, market, seller or link acceptable: examples, without a database."""

import datetime as dt
from typing import Any

import attrs
import pytest

from eckit.channel import Channel, ExternalRef, LegalEntity, Seller, Setup, rules
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import ChannelId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.testing.begin import START
from tests.channel.conftest import a_market

ENTITY = LegalEntity(id=mint("legal_entity"), name="株式会社茶器", country="JP")  # type: ignore[arg-type]
SELLER = Seller(id=mint("seller"), code="main", legal_entity_id=ENTITY.id, name="茶器")  # type: ignore[arg-type]
MARKET = a_market()
SETUP = Setup(channels={}, markets={MARKET.id: MARKET}, sellers={SELLER.id: SELLER}, legal_entities={ENTITY.id: ENTITY})
WEB = Channel(
    id=ChannelId(mint("channel")),
    code="web",
    kind="own",
    name="Web",
    legal_entity_id=ENTITY.id,
    seller_id=SELLER.id,
    market_ids=(MARKET.id,),
    base_url="https://shop.example/ja",
    mail_from="order@shop.example",
)


def test_what_is_sound_has_no_problems() -> None:
    """A channel, market, seller and entity as a shop has them."""
    assert [] == [*rules.channel_problems(WEB, SETUP), *rules.market_problems(MARKET)]
    assert [] == [*rules.seller_problems(SELLER, SETUP), *rules.entity_problems(ENTITY)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("code", "", "wrong-code"),
        ("code", "we b", "wrong-code"),
        ("code", "w" * 41, "wrong-code"),
        ("legal_entity_id", mint("legal_entity"), "unknown-id"),
        ("seller_id", mint("seller"), "unknown-id"),
        ("market_ids", (mint("market"),), "unknown-id"),
        ("market_ids", (), "empty"),
        ("number_series", "", "empty"),
        ("locales", (), "empty"),
        ("locales", ("日本語",), "not-a-locale"),
        ("tax_remitter", "nobody", "unknown-code"),
        ("stock_buffer_steps", -1, "negative"),
        ("pay_within", dt.timedelta(0), "negative"),
        ("base_url", "javascript:alert(1)", "wrong-url"),
        ("base_url", "https://shop@evil.example", "wrong-url"),
        ("base_url", "https://shop.example/", "wrong-url"),
        ("base_url", "https://shop.example?next=x", "wrong-url"),
        ("base_url", "https://", "wrong-url"),
        ("base_url", 'https://shop.example/"onclick=', "wrong-url"),
        ("mail_from", "order@", "not-an-email"),
        ("mail_from", "a@b.example\r\nBcc: c@d.example", "control-character"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_by_field(field: str, value: Any, code: str) -> None:
    """ACC-13 among them: links are built from a configured absolute address only."""
    problems = list(rules.channel_problems(attrs.evolve(WEB, **{field: value}), SETUP))
    assert [code] == [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("currency", "YEN", "unknown-currency"),
        ("countries", frozenset({"Japan"}), "wrong-country"),
        ("countries", frozenset({"JP", "XX"}), "wrong-country"),
        ("zone", "Tokyo", "unknown-zone"),
        ("freeze", dt.timedelta(seconds=-1), "negative"),
        ("locales", (), "empty"),
    ],
)
def test_a_market_that_cannot_be_is_refused_by_field(field: str, value: Any, code: str) -> None:
    """All problems are named at once."""
    problems = list(rules.market_problems(attrs.evolve(MARKET, code="", **{field: value})))
    assert ["wrong-code", code] == [problem.code for problem in problems]


def test_sellers_and_entities_are_checked_too() -> None:
    """A seller needs an entity there is; an entity a country."""
    stray = attrs.evolve(SELLER, legal_entity_id=mint("legal_entity"))
    assert ["unknown-id"] == [problem.code for problem in rules.seller_problems(stray, SETUP)]
    for nowhere in ("Japan", "ZZ"):
        problems = rules.entity_problems(attrs.evolve(ENTITY, country=nowhere))
        assert ["wrong-country"] == [problem.code for problem in problems]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("kind", "", "empty"), ("external_id", "", "empty"), ("until", START, "window-reversed")],
)
def test_a_link_that_cannot_be_is_refused_by_field(field: str, value: Any, code: str) -> None:
    """An external reference has a kind, a text, and a window that is not reversed."""
    link = ExternalRef(
        channel_id=WEB.id,
        kind="order",
        external_id="RMS-1",
        raw="rms-1",
        owner=Ref("order", mint("order")),
        primary=True,
        since=START,
    )
    assert [] == list(rules.link_problems(link))
    assert [code] == [problem.code for problem in rules.link_problems(attrs.evolve(link, **{field: value}))]


def test_every_problem_is_raised_at_once() -> None:
    """A form shows them all."""
    broken = attrs.evolve(WEB, code="", pay_within=dt.timedelta(0), locales=())
    with pytest.raises(InvalidInputError) as caught:
        rules.require_none(rules.channel_problems(broken, SETUP))
    assert 3 == len(caught.value.problems)
