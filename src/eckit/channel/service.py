"""Verbs of channel."""

import attrs

from eckit.channel import hooks, rules, store
from eckit.channel.errors import LinkedElsewhereError, SetupCodeTakenError
from eckit.channel.model import Channel, ChannelChanged, ExternalRef, LegalEntity, Market, Seller, Setup
from eckit.kernel import desk
from eckit.kernel.desk import verb
from eckit.kernel.hookspecs import declared
from eckit.kernel.ids import ChannelId, expect_id
from eckit.kernel.plugins import Plugins
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work

SPECS = declared(hooks, "channel")
READ, MANAGE = "channel.read", "channel.write"
STAMP = "channel"


def collect(plugins: Plugins) -> None:
    """Ask once for the kinds of channel that plugins serve."""
    plugins.collect("register_channels", "channel.kinds", code=str)


def setup(work: Work, *, stamp: int | None = None) -> Setup:
    """All channels, markets, sellers and legal entities; read once per change.

    :param stamp: the version of the stamp ``channel``, where the caller has read it.
    """
    if work.has_bumped(STAMP):
        return store.load(work)
    version = work.stamps([STAMP])[STAMP] if stamp is None else stamp
    return work.plugins.cached("eckit", STAMP, version, lambda: store.load(work))


def save_legal_entity(work: Work, entity: LegalEntity) -> LegalEntity:
    """Add or change a legal entity. Needs ``channel.write``."""
    work.actor.require(MANAGE)
    entity = attrs.evolve(entity, name=clean(entity.name, path="legal_entity.name", max_length=200))
    rules.require_none(rules.entity_problems(entity))
    _save(work, entity)
    return entity


def save_seller(work: Work, seller: Seller) -> Seller:
    """Add or change a seller. Needs ``channel.write``.

    :raises SetupCodeTakenError: another seller has the code.
    """
    work.actor.require(MANAGE)
    seller = attrs.evolve(seller, name=clean(seller.name, path="seller.name", max_length=200))
    rules.require_none(rules.seller_problems(seller, store.load(work)))
    _save(work, seller)
    return seller


def save_market(work: Work, market: Market) -> Market:
    """Add or change a market. Quotes made under the old one must be made anew. Needs ``channel.write``.

    :raises SetupCodeTakenError: another market has the code.
    """
    work.actor.require(MANAGE)
    rules.require_none(rules.market_problems(market))
    _save(work, market)
    return market


def save_channel(work: Work, channel: Channel) -> Channel:
    """Add or change a channel. Needs ``channel.write`` for it.

    :raises SetupCodeTakenError: another channel has the code.
    """
    work.actor.require(MANAGE, channel=channel.id)
    channel = attrs.evolve(channel, name=clean(channel.name, path="channel.name", max_length=200))
    rules.require_none(rules.channel_problems(channel, store.load(work)))
    _save(work, channel)
    return channel


def _save(work: Work, thing: Channel | Market | Seller | LegalEntity) -> None:
    kind = store.KINDS[type(thing)]
    expect_id(kind, thing.id, path=f"{kind}.id")
    if not store.put(work, thing):
        raise SetupCodeTakenError(what=kind, taken=store.code_of(thing))
    ref = Ref(kind, thing.id)
    work.bump(STAMP)
    work.did("channel.save", ref)
    work.announce(ChannelChanged(changed=ref))


def link(work: Work, ref: ExternalRef) -> None:
    """Note somebody else's id of something of ours; linking the same again changes nothing. Needs ``channel.write``.

    :raises LinkedElsewhereError: the id belongs to something else.
    """
    work.actor.require(MANAGE, channel=ref.channel_id)
    expect_id("channel", ref.channel_id, path="channel_id")
    ref = attrs.evolve(
        ref,
        kind=clean(ref.kind, path="kind", max_length=80),
        external_id=clean(ref.external_id, path="external_id", max_length=200),
        raw=clean(ref.raw, path="raw", max_length=200),
    )
    rules.require_none(rules.link_problems(ref))
    owner = store.add_ref(work, ref)
    if owner is not None and owner != ref.owner:
        raise LinkedElsewhereError(what=ref.kind, external_id=ref.external_id)
    work.did("channel.link", ref.owner)


def find_linked(work: Work, channel_id: ChannelId, kind: str, external_id: str) -> Ref | None:
    """What of ours an external id names, or None. Without ``channel.read`` for the channel nothing is known.

    :raises InvalidInputError: no channel's id, or a text no external id can be.
    """
    expect_id("channel", channel_id)
    kind = clean(kind, path="kind", max_length=80)
    external_id = clean(external_id, path="external_id", max_length=200)
    if not (work.actor.may(READ, channel=channel_id) or work.actor.may(MANAGE, channel=channel_id)):
        return None
    return store.find_ref(work, channel_id, kind, external_id)


class Desk(desk.Desk):
    """``work.channel``."""

    setup = verb(setup)
    save_legal_entity = verb(save_legal_entity)
    save_seller = verb(save_seller)
    save_market = verb(save_market)
    save_channel = verb(save_channel)
    link = verb(link)
    find_linked = verb(find_linked)
