"""An order is placed: sealed, numbered, stored."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from eckit.cart.errors import AlreadyPlacedError, CartEmptyError
from eckit.kernel import idempotency
from eckit.kernel.actors import Actor
from eckit.kernel.errors import MovedError, ObjectedError
from eckit.kernel.idempotency import Key, KeyReusedError
from eckit.kernel.ids import CartId, OrderId, expect_id
from eckit.kernel.minting import mint, mint_token
from eckit.kernel.plugins import Plugins
from eckit.kernel.work import Work
from eckit.order import hooks, rules, store
from eckit.order.errors import NumberTakenError
from eckit.order.model import Order, OrderPlaced, OrderState
from eckit.order.service.scope import READ
from eckit.pricing import rules as pricing_rules
from eckit.pricing.model import Quote

NUMBER_TRIES: Final = 20
"""How many numbers are tried before placing gives up."""

_MAX_OPENERS: Final = 20
_log = logging.getLogger("eckit.order")


def check(plugins: Plugins, quote: Quote, actor: Actor) -> None:
    """Ask every plugin whether anything stands against this order. Outside of any transaction.

    :raises ObjectedError: carries all objections.
    :raises PluginError: a plugin could not answer.
    """
    objections = hooks.ask_objections(plugins, quote, actor)
    if objections:
        raise ObjectedError(objections=objections)


def place(
    work: Work,
    quote: Quote,
    *,
    pay_by: dt.datetime | None,
    order_id: OrderId | None = None,
    series: str | None = None,
    origin: str = "cart",
    touches: Sequence[str] = (),
    refs: Mapping[str, str] | None = None,
) -> Order:
    """Seal what was agreed. Five statements, whatever the lines: number, order, placement, lines, charges.

    The quote must add up, whoever made it. A number that another order has is passed over for the next one.

    :param pay_by: when the order lapses if its money is not secured by then; None: never.
    :param order_id: if the id was made before, to mark the cart with it.
    :param series: series of the number; without it the quote's.
    :param touches: digests of where the buyer's visits came from. ``refs``: what the host named the cart by.
    :raises DoesNotAddUpError: the quote's parts do not make its whole.
    :raises AlreadyPlacedError: an order of this cart version exists that has not lapsed.
    :raises NumberTakenError: every number tried belongs to another order.
    :raises PluginError: no number was chosen, or one that cannot be a number.
    """
    pricing_rules.add_up(quote)
    pricing_rules.require_ready(quote)
    if not quote.lines:
        raise CartEmptyError(cart_id=quote.cart_id)
    agreed = rules.agree(quote, order_id=order_id or OrderId(mint("order")), origin=origin, at=work.now, pay_by=pay_by)
    body = rules.document(agreed, quote, touches=touches, refs=refs)
    openers = _openers(work.actor, agreed)
    number, number_is_taken = "", True
    for _ in range(NUMBER_TRIES):
        if number_is_taken:
            n = store.next_number(work)
            number = hooks.ask_order_number(work.plugins, series or quote.series, n, work.now)
        sealed = rules.seal({**body, "order": {**body["order"], "number": number}})
        placed = attrs.evolve(agreed, number=number, token=mint_token(), digest=sealed.digest)
        if store.add(work, placed, openers):
            store.add_rest(work, placed, sealed, quote.charges)
            work.did("order.place", placed.ref)
            work.announce(
                OrderPlaced(
                    order_id=placed.id,
                    number=placed.number,
                    channel_id=placed.channel_id,
                    total_minor=placed.total_minor,
                    currency=placed.currency,
                )
            )
            return placed
        number_is_taken = _what_is_taken(work, placed)
    raise NumberTakenError(what="order number", number=number, tries=NUMBER_TRIES)


def _what_is_taken(work: Work, refused: Order) -> bool:
    """Why an order could not be inserted: True for its number, False for its token.

    :raises AlreadyPlacedError: its cart version has an order.
    """
    taken = store.taken(work, refused.number, refused.token, rules.live_key(refused))
    if taken.live is not None:
        raise AlreadyPlacedError(order_id=taken.live)
    if taken.number:
        _log.warning("order number %s belongs to another order; trying the next", refused.number)
    elif taken.token:
        _log.warning("an order's token was made twice; trying another")
    else:
        raise MovedError(what="order")  # what was in the way is gone
    return taken.number


def _openers(actor: Actor, placed: Order) -> list[str]:
    """What the placer, if unknown, is known again by: whoever asks twice with the same token gets the same order."""
    if placed.customer_id is not None:
        return []
    return [rules.opener(token) for token in sorted(actor.tokens)[:_MAX_OPENERS]]


def earlier(work: Work, cart_id: CartId, key: Key | None = None) -> Order | None:
    """The order that was placed under this key, or of this cart, if the actor may have it; None if there is none yet.

    Whoever placed it as a guest may ask again with the same token: while the order waits for its confirmation the
    answer opens it (the first answer may have been lost); confirmed or canceled, it is a pointer without its token.

    :raises KeyReusedError: the key was used for another cart.
    """
    cart_id = CartId(expect_id("cart", cart_id))
    found = _under_key(work, cart_id, key) or store.by_cart(work, cart_id)
    if found is None:
        return None
    bare = found.bare
    if rules.may_see(work.actor, bare, READ):
        return store.whole(work, found)[0]
    if found.openers.isdisjoint(map(rules.opener, work.actor.tokens)):
        return None
    [placed] = store.whole(work, found)
    waits = placed.state is OrderState.PLACED and placed.confirmed_at is None
    return placed if waits else attrs.evolve(placed, token="")


def _under_key(work: Work, cart_id: CartId, key: Key | None) -> store.Found | None:
    reply = None if key is None else idempotency.find(work.connection, key, work.actor.identity, work.now)
    if reply is None or not isinstance(reply.body, dict) or "order_id" not in reply.body:
        return None
    found = store.by_id(work, OrderId(reply.body["order_id"]))
    if key is not None and found is not None and found.row.cart_id != cart_id:
        raise KeyReusedError(what=key.scope)
    return found
