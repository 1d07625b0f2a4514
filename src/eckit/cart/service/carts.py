"""Carts begin, become one with another, get an owner, become an order, and end."""

from typing import Final

import attrs

from eckit.cart import rules, store
from eckit.cart.errors import AlreadyPlacedError, CartEmptyError
from eckit.cart.model import Cart, CartChanged, CartGroup, CartState
from eckit.cart.service.changing import READ, WRITE, change, find, note, save, scoped, usable
from eckit.cart.store import Stored
from eckit.channel.model import Channel, Market
from eckit.kernel.doors import expect_limit
from eckit.kernel.errors import MovedError, NotAllowedError, NotFoundError, invalid
from eckit.kernel.ids import CartId, ChannelId, CustomerId, GroupId, MarketId, OrderId, expect_id
from eckit.kernel.minting import mint, mint_token
from eckit.kernel.refs import Ref
from eckit.kernel.text import clean
from eckit.kernel.work import Work

_TOKEN_TRIES: Final = 3


def create(
    work: Work,
    *,
    channel: Channel | ChannelId,
    market: Market | MarketId | None = None,
    locale: str | None = None,
    customer: CustomerId | None = None,
) -> Cart:
    """A new, empty cart with one delivery group. A signed-in buyer's cart is that customer's.

    :param channel: the channel's fact, or its id; with an id alone ``market`` is needed.
    :param market: without it the channel's first.
    :param customer: for whom, if not for the actor; needs ``cart.write``.
    :raises InvalidInputError: an id of another kind, or a market the channel does not sell in.
    :raises NotAllowedError: for somebody else, without the permission.
    """
    channel_id, market_id = _sold_in(channel, market)
    if customer is None:
        customer = work.actor.customer_id
    elif customer != work.actor.customer_id and not work.actor.may(WRITE, channel=channel_id):
        raise NotAllowedError(permission=WRITE)
    locales = channel.locales if isinstance(channel, Channel) else ()
    for _ in range(_TOKEN_TRIES):
        made = Cart(
            id=CartId(mint("cart")),
            version=1,
            state=CartState.OPEN,
            channel_id=channel_id,
            market_id=market_id,
            locale=clean(locale or (locales or ("en",))[0], path="locale", max_length=35),
            token=mint_token(),
            customer_id=None if customer is None else CustomerId(expect_id("customer", customer, path="customer")),
            groups=(CartGroup(id=GroupId(mint("group"))),),
            expires_at=work.now + rules.LIFETIME,
        )
        if store.add(work, Stored(cart=made)):
            note(work, "create", made)
            return made
    raise MovedError(what="cart token")


def _sold_in(channel: Channel | ChannelId, market: Market | MarketId | None) -> tuple[ChannelId, MarketId]:
    market_id = market.id if isinstance(market, Market) else market
    if isinstance(channel, Channel):
        market_id = channel.market_ids[0] if market_id is None else market_id
        if market_id not in channel.market_ids:
            raise invalid("not-sold-in", "market", market_id, limit=channel.code)
        return channel.id, market_id
    channel_id = ChannelId(expect_id("channel", channel, path="channel"))
    return channel_id, MarketId(expect_id("market", market_id, path="market"))


def get(work: Work, cart_id: CartId) -> Cart:
    """The cart, for whoever holds its token, its customer, or staff with ``cart.read``.

    :raises NotFoundError: there is none, or not for this actor.
    :raises AlreadyPlacedError: an order was made of it; carries the order's id and nothing else.
    :raises CartAbandonedError: it is over.
    """
    return usable(find(work, cart_id, READ)).cart


def placed(work: Work, cart_id: CartId) -> OrderId | None:
    """The order that was made of the cart, if one was: all that is left to see of it then.

    :raises NotFoundError: there is no such cart, or not for this actor.
    """
    return find(work, cart_id, READ).order_id


def merge(work: Work, source_id: CartId, into_id: CartId) -> Cart:
    """Make an anonymous cart part of another; both must be the actor's. Gives back the other.

    Merging a cart with itself, or a second time, changes nothing. The source is over afterwards.

    :raises CannotMergeError: the source has a customer, or is of another channel or market.
    :raises AlreadyPlacedError: an order was made of one of them.
    """
    ids = CartId(expect_id("cart", source_id, path="source")), CartId(expect_id("cart", into_id, path="into"))
    both = store.find_both(work, *ids)
    source, into = (scoped(work, both.get(cart_id), cart_id, WRITE) for cart_id in ids)
    for one in (into, source):
        if one.order_id is not None:
            raise AlreadyPlacedError(order_id=one.order_id)
    over, merged = rules.merge(source.cart, into.cart)
    if over == source.cart:
        return merged
    save(work, source, over, "merge")
    return save(work, into, merged, "merge_into")


def adopt(work: Work, cart_id: CartId) -> Cart:
    """Make a guest's cart the signed-in buyer's. Its token is a new one from now on: the old one may be in other hands.

    :raises NotFoundError: no such cart for this actor, or it is another customer's.
    :raises NotAllowedError: the actor is no signed-in buyer.
    """
    customer = work.actor.customer_id
    if customer is None:
        raise NotAllowedError(permission=WRITE)

    def taken_over(it: Cart) -> Cart:
        if it.customer_id == customer:
            return it
        if it.customer_id is not None:
            raise NotFoundError(kind="cart", id=cart_id)
        return attrs.evolve(it, customer_id=customer, token=mint_token())

    return change(work, cart_id, "adopt", None, taken_over)


def take(work: Work, cart_id: CartId, version: int, order_id: OrderId) -> Cart:
    """An order is made of exactly this version. One statement; of two callers one is first.

    The other finds that the cart it has priced was changed or ordered meanwhile, and starts again from the top: there
    it sees what is in the cart now, or the order.

    :raises MovedError: the cart is no longer open in this version.
    :raises NotFoundError: there is none, or not for this actor.
    :raises CartEmptyError: nothing is in it.
    """
    taken = store.take(work, CartId(expect_id("cart", cart_id)), version, order_id)
    if taken is None:
        find(work, cart_id, WRITE)
        raise MovedError(what="cart")
    scoped(work, taken, cart_id, WRITE)
    if not taken.cart.lines:
        raise CartEmptyError(cart_id=cart_id)
    work.did("cart.take", Ref("cart", cart_id), Ref("order", order_id))
    return taken.cart


def reopen(work: Work, cart_id: CartId | None, order_id: OrderId | None = None) -> int | None:
    """Its order came to nothing: the cart is open again, with the next version, which is returned.

    Does nothing if it is not taken (by this order, if one is named) or not there any more: an order's end never fails
    because of its cart.
    """
    if cart_id is None:
        return None
    version = store.reopen(work, cart_id, order_id, work.now + rules.LIFETIME)
    if version is not None:
        work.did("cart.reopen", Ref("cart", cart_id))
        work.announce(CartChanged(cart_id=cart_id, cart_version=version))
    return version


def forget_touches(work: Work, customer_id: CustomerId) -> tuple[CartId, ...]:
    """Where a customer's visits came from is forgotten; what their orders sealed of it names nobody.

    :return: the carts that knew.
    """
    known = store.forget_touches(work, customer_id)
    for cart_id in known:
        work.did("cart.forget_touches", Ref("cart", cart_id))
    return known


def expire(work: Work, *, limit: int = 1_000) -> tuple[CartId, ...]:
    """Abandon open carts nobody came back to; up to ``limit`` of them, the oldest first. Needs ``cart.write``.

    :param limit: 1 to 10,000.
    """
    work.actor.require(WRITE)
    expect_limit(limit)
    over = store.abandon_overdue(work, limit)
    if over:
        work.did("cart.expire", *(Ref("cart", cart_id) for cart_id in over))
    return over
