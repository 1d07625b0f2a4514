"""Where it is sold and by whom: saved whole, read together, refused by field."""

import datetime as dt
from typing import Any

import attrs
import pytest

from eckit.channel import ExternalRef, LinkedElsewhereError, SetupCodeTakenError, service as channel
from eckit.kernel.actors import Actor, Scope
from eckit.kernel.errors import EckitError, InvalidInputError, NotAllowedError
from eckit.kernel.ids import ChannelId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.testing.begin import START
from tests.cart.support import raised, together
from tests.channel.conftest import STAFF, House, a_market


def test_what_is_saved_is_read_again_whole(house: House) -> None:
    """Every field of channel, market, seller and entity survives the way through the table."""
    web = house.channel(
        locales=("ja", "zh-Hant"),
        number_series="web",
        tax_remitter="channel",
        pay_within=dt.timedelta(days=3),
        stock_buffer_steps=2,
        powers={"cancel": "channel"},
        base_url="https://shop.example/ja",
        mail_from="order@shop.example",
    )
    with house.begin.write(STAFF) as work:
        channel.save_channel(work, web)

    with house.begin.read(STAFF) as work:
        setup = channel.setup(work)
    assert (web, web) == (setup.channel("web"), setup.channel(web.id))
    assert house.market == setup.market("jp")
    assert {house.seller.id: house.seller} == setup.sellers
    assert {house.entity.id: house.entity} == setup.legal_entities


def test_setup_is_read_once_per_change(house: House) -> None:
    """Cached by the stamp ``channel``: the same object until somebody saves."""
    with house.begin.read(STAFF) as work:
        first, second = channel.setup(work), channel.setup(work)
    assert first is second

    with house.begin.write(STAFF) as work:
        channel.save_channel(work, house.channel())
    with house.begin.read(STAFF) as work:
        assert first is not channel.setup(work)


def test_nobody_sees_what_was_rolled_back(house: House) -> None:
    """A Work sees its own changes; they are not kept for others before they are committed, or ever if they are not."""
    web = house.channel()

    def save_and_fail() -> None:
        with house.begin.write(STAFF) as work:
            channel.save_channel(work, web)
            assert web == channel.setup(work).channel("web")
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        save_and_fail()
    with house.begin.read(STAFF) as work:
        assert channel.setup(work).channel("web") is None


def test_a_saved_channel_is_announced(house: House) -> None:
    """One event per thing saved, about that thing."""
    heard: list[Ref] = []

    with house.begin.write(STAFF) as work:
        saved = channel.save_channel(work, house.channel())
        heard += [event.subject for event in work._events]
    assert [Ref("channel", saved.id)] == heard


def test_bad_input_is_refused_and_nothing_is_stored(house: House) -> None:
    """Every problem is named at once, by field; see the rules for each."""
    broken = attrs.evolve(house.channel(), code="", base_url="ftp://x", mail_from="order@")
    with pytest.raises(InvalidInputError) as caught, house.begin.write(STAFF) as work:
        channel.save_channel(work, broken)
    with pytest.raises(InvalidInputError), house.begin.write(STAFF) as work:
        channel.save_channel(work, house.channel(name="x" * 201))
    with pytest.raises(InvalidInputError), house.begin.write(STAFF) as work:
        channel.save_market(work, attrs.evolve(house.market, currency="YEN"))

    assert ["channel.code", "channel.base_url", "channel.mail_from"] == [one.path for one in caught.value.problems]
    with house.begin.read(STAFF) as work:
        setup = channel.setup(work)
    assert ({}, house.market) == (setup.channels, setup.market("jp"))


def test_a_code_belongs_to_one_of_its_kind(house: House) -> None:
    """Another market cannot take the code; a channel may have it; two entities may have one name."""
    with pytest.raises(SetupCodeTakenError) as caught, house.begin.write(STAFF) as work:
        channel.save_market(work, a_market())
    assert ("market", "jp") == (caught.value.what, caught.value.taken)

    with house.begin.write(STAFF) as work:
        channel.save_channel(work, house.channel("jp"))
        channel.save_legal_entity(work, attrs.evolve(house.entity, id=mint("legal_entity")))


def test_a_code_is_taken_once_by_two_at_the_same_moment(house: House) -> None:
    """Two managers save different channels of one code: one has it, the other is told so."""

    def save() -> str:
        with house.begin.write(STAFF) as work:
            return channel.save_channel(work, house.channel()).id

    results = together(save, save)
    [error] = raised(results)
    assert isinstance(error, EckitError)
    with house.begin.read(STAFF) as work:
        assert 1 == len(channel.setup(work).channels)


def test_saving_needs_the_permission_for_that_channel(house: House) -> None:
    """Staff without ``channel.write``, or with it for another channel, change nothing."""
    web = house.channel()
    elsewhere = Scope(channels=frozenset({ChannelId(mint("channel"))}))
    for actor in (Actor.staff("sato"), Actor.guest(), Actor.staff("ito", "channel.write", scope=elsewhere)):
        with pytest.raises(NotAllowedError), house.begin.write(actor) as work:
            channel.save_channel(work, web)
    with pytest.raises(NotAllowedError), house.begin.write(Actor.guest()) as work:
        channel.save_market(work, house.market)


def _link(house: House, owner: Ref, external_id: str = "RMS-1", **others: Any) -> None:
    values: dict[str, Any] = {"channel_id": MALL, "kind": "order", "raw": external_id, "primary": True, "since": START}
    ref = ExternalRef(**{**values, "external_id": external_id, "owner": owner, **others})
    with house.begin.write(STAFF) as work:
        channel.link(work, ref)


MALL = ChannelId(mint("channel"))


def test_an_external_id_names_one_thing(house: House) -> None:
    """Linking the same again changes nothing; another owner is refused; an owner may have several."""
    order, other = Ref("order", mint("order")), Ref("order", mint("order"))
    for external_id in ("RMS-1", "RMS-1", "RMS-2"):
        _link(house, order, external_id)

    with pytest.raises(LinkedElsewhereError) as caught:
        _link(house, other)
    assert ("order", "RMS-1") == (caught.value.what, caught.value.external_id)
    with house.begin.read(STAFF) as work:
        found = [channel.find_linked(work, MALL, "order", one) for one in ("RMS-1", "RMS-2", "RMS-3")]
    assert [order, order, None] == found


def test_an_external_id_is_of_its_channel_and_kind(house: House) -> None:
    """The same text in another channel or of another kind is another thing."""
    order = Ref("order", mint("order"))
    _link(house, order)

    with house.begin.read(STAFF) as work:
        assert channel.find_linked(work, ChannelId(mint("channel")), "order", "RMS-1") is None
        assert channel.find_linked(work, MALL, "item", "RMS-1") is None


def test_external_ids_are_nothing_to_buyers(house: House) -> None:
    """Missing equals forbidden: a guest cannot learn which of a mall's orders we have."""
    _link(house, Ref("order", mint("order")))

    for actor in (Actor.guest(), Actor.staff("sato", "order.read")):
        with house.begin.read(actor) as work:
            assert channel.find_linked(work, MALL, "order", "RMS-1") is None
    with house.begin.read(Actor.staff("sato", "channel.read")) as work:
        assert channel.find_linked(work, MALL, "order", "RMS-1") is not None
