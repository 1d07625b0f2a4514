"""Turn a cart into an order at the price the buyer confirmed."""

import attrs

from eckit.cart import rules as cart_rules, service as cart
from eckit.cart.errors import AlreadyPlacedError
from eckit.channel import service as channel
from eckit.customer import service as customer
from eckit.flows.price_cart import priced
from eckit.kernel import faults
from eckit.kernel.actors import Actor
from eckit.kernel.errors import ObjectedError
from eckit.kernel.idempotency import Key
from eckit.kernel.ids import CartId, OrderId, PromotionId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.order import service as order
from eckit.order.model import Order
from eckit.payment import service as payment
from eckit.pricing import rules as pricing_rules
from eckit.pricing.model import Quote, QuoteRef
from eckit.promotion import service as promotion
from eckit.promotion.model import Use
from eckit.stock import rules as stock_rules, service as stock
from eckit.tax import service as tax

faults.declare(
    "place_order.after_pricing",
    "place_order.after_claim",
    "place_order.after_cart",
    "place_order.after_number_counter",
    "place_order.after_order",
    "place_order.after_placement",
    "place_order.after_order_line",
    "place_order.after_charge",
    "place_order.after_payment",
    "place_order.after_operation",
    "place_order.after_coupon",
    "place_order.after_promotion",
    "place_order.after_promotion_customer",
    "place_order.after_redemption",
    "place_order.after_level",
    "place_order.after_hold",
    "place_order.after_idempotency",
    "place_order.after_history",
    "place_order.after_outbox",
    "place_order.after_commit",
)


@attrs.frozen(kw_only=True)
class _Redeeming:
    """What redeeming an order's codes needs to know, read before the transaction."""

    uses: tuple[Use, ...]
    limits: dict[PromotionId, tuple[int | None, int | None]]
    customer_key: str | None


@again_if_moved
def place_order(begin: Begin, actor: Actor, cart_id: CartId, *, agreed: QuoteRef, key: Key | None = None) -> Order:
    """Place the order the buyer confirmed. Same cart version, same order: a second call gives back the first one's.

    To a guest, who asks with the cart's token, the order of a second call opens itself only while it waits for its
    confirmation. Confirmed or canceled, its ``token`` is ``""``: it tells the number to show and opens nothing, so do
    not go on to pay with it.

    :param agreed: digest and instant of the quote that was shown: ``quote.ref``.
    :param key: the caller's idempotency key, scope ``place_order``; not needed for safety, kept for who repeats.
    :raises QuoteChangedError: it costs something else now; carries the new quote.
    :raises NotReadyError: something is missing; carries the open items.
    :raises ObjectedError: rules or plugins object; all objections are given.
    :raises OutOfStockError: not enough can be promised; nothing was placed.
    :raises CouponExhaustedError: a code was used up meanwhile; nothing was placed.
    """
    expect_id("cart", cart_id)
    try:
        return _confirm(begin, actor, cart_id, agreed, key)
    except AlreadyPlacedError:  # somebody else was faster, perhaps the same buyer's other click
        with begin.read(actor) as work:
            if placed := order.earlier(work, cart_id, key):
                return placed
        raise


def _confirm(begin: Begin, actor: Actor, cart_id: CartId, agreed: QuoteRef, key: Key | None) -> Order:
    with begin.read(actor) as work:
        if earlier := order.earlier(work, cart_id, key):
            return earlier
        quote = priced(work, cart_id, agreed)
    pricing_rules.require_same(quote, agreed)
    pricing_rules.require_ready(quote)
    order.check(begin.plugins, quote, actor)
    _check_tax_ids(begin, actor, quote)
    redeeming = _redeeming(begin, actor, quote)
    faults.hit("place_order.after_pricing")
    placed = _place(begin, actor, quote, redeeming, key)
    faults.hit("place_order.after_commit")
    return placed


def _check_tax_ids(begin: Begin, actor: Actor, quote: Quote) -> None:
    """Insist that no plugin objects to a tax number of the buyer's; nothing is read where no plugin could."""
    if quote.buyer is None or not begin.plugins.implementations("check_tax_id"):
        return
    with begin.read(actor) as work:
        numbers = customer.usable(work, quote.buyer).tax_ids
        objections = [one for scheme, number in numbers for one in tax.check_tax_id(work, scheme, number)]
    if objections:
        raise ObjectedError(objections=tuple(objections))


def _redeeming(begin: Begin, actor: Actor, quote: Quote) -> _Redeeming:
    uses = pricing_rules.uses(quote)
    if not uses:
        return _Redeeming(uses=(), limits={}, customer_key=None)
    with begin.read(actor) as work:
        limits = promotion.limits(work, [use.promotion_id for use in uses])
        buyer = customer.usable(work, quote.buyer) if quote.buyer else None
    key = promotion.customer_key(quote.customer_id, buyer.email if buyer else "")
    return _Redeeming(uses=uses, limits=limits, customer_key=key)


def _place(begin: Begin, actor: Actor, quote: Quote, redeeming: _Redeeming, key: Key | None) -> Order:
    """One transaction, no plugin asked but for the order's number and the goods' location; the hot rows last."""
    order_id = OrderId(mint("order"))
    with begin.write(actor, key, trail="place_order") as work:
        taken = cart.take(work, quote.cart_id, quote.cart_version, order_id)
        work.require(quote.stamps)
        sold_in = channel.setup(work, stamp=quote.stamps["channel"]).channels[quote.channel_id]
        placed = order.place(
            work,
            quote,
            order_id=order_id,
            pay_by=work.now + sold_in.pay_within,
            touches=cart_rules.touch_refs(taken),
            refs=taken.client_refs,
        )
        payment.intend(work, placed, quote)
        promotion.redeem(
            work,
            placed.id,
            redeeming.uses,
            channel_id=quote.channel_id,
            customer_key=redeeming.customer_key,
            currency=quote.currency,
            limits=redeeming.limits,
        )
        wanted = stock_rules.wanted(quote.lines)
        stock.hold(work, placed.ref, wanted, until=None, buffer=sold_in.stock_buffer_steps)
        work.reply = {"order_id": placed.id}
        return placed
