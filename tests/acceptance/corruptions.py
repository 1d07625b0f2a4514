"""One corruption for each clause of the invariants that data can violate, and what the auditor must say of it.

SQL with names of :class:`~tests.acceptance.lived.Lived` in braces.
"""

from typing import Final

import attrs

from tests.acceptance.lived import copied


@attrs.frozen(kw_only=True)
class Corruption:
    """What is planted, and what is found: invariant, table and row. Two where two checks look at the same number."""

    what: str
    sql: tuple[str, ...]
    found: tuple[tuple[str, str, str], ...]
    tables: tuple[str, ...]


def _one(what: str, invariant: str, row: str, *sql: str) -> Corruption:
    """``invariant`` as ``table/name``; tables that change are those the SQL writes to."""
    table, name = invariant.split("/")
    return Corruption(what=what, sql=sql, found=((name, table, row),), tables=_written(sql))


def _two(what: str, first: tuple[str, str], second: tuple[str, str], *sql: str) -> Corruption:
    found = []
    for invariant, row in (first, second):
        table, name = invariant.split("/")
        found.append((name, table, row))
    return Corruption(what=what, sql=sql, found=tuple(found), tables=_written(sql))


def _written(sql: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for statement in sql:
        words = statement.split()
        name = words[1] if words[0] == "update" else words[2]
        found.append(name.removeprefix("eckit_"))
    return tuple(dict.fromkeys(found))


def _set(table: str, change: str, where: str) -> str:
    return f"update eckit_{table} set {change} where {where}"


_MOVE = {"id": "'mov_x'", "movement_ref": "'x'", "recorded_at": "recorded_at"}

MONEY: Final = (
    _one(
        "more was refunded than captured",
        "payment/refunds-within-captures",
        "{refund.payment}",
        copied("movement", "payment_id = '{refund.payment}' and kind = 'capture'", **_MOVE, kind="'refund'"),
        copied(
            "application",
            "payment_id = '{refund.payment}' and amount_minor > 0",
            id="'apl_x'",
            amount_minor="300 - amount_minor",
        ),
    ),
    _one(
        "more was captured than authorized",
        "payment/captures-within-authorizations",
        "{ship.payment}",
        copied("movement", "payment_id = '{ship.payment}' and kind = 'capture'", **_MOVE, amount_minor=1),
    ),
    _one(
        "more was applied than captured",
        "payment/applications-within-captures",
        "{capture_and_cancel.payment}",
        copied("application", "payment_id = '{ship.payment}'", id="'apl_x'", amount_minor="amount_minor + 1",
               payment_id="'{capture_and_cancel.payment}'", order_id="'{capture_and_cancel.order}'"),
    ),
    _one(
        "money was taken and not applied",
        "payment/what-was-taken-is-applied",
        "{ship.payment}",
        "delete from eckit_application where payment_id = '{ship.payment}'",
    ),
    _one(
        "a movement of another account",
        "movement/movement-is-its-payments",
        "{ship.payment:capture}",
        _set("movement", "account = 'other'", "payment_id = '{ship.payment}' and kind = 'capture'"),
    ),
    _one(
        "a movement was recorded twice",
        "movement/movement-is-one-entry",
        "{first of ship and tell}",
        _set("movement", "movement_ref = 'same'", "payment_id in ('{ship.payment}', '{tell.payment}') "
             "and kind = 'authorize'"),
    ),
    _one(
        "another amount was asked for than was due",
        "payment/asked-is-due",
        "{void.payment}",
        _set("payment", "amount_minor = amount_minor + 1", "id = '{void.payment}'"),
        _set("operation", "amount_minor = amount_minor + 1", "payment_id = '{void.payment}' and kind = 'begin'"),
        _set("movement", "amount_minor = amount_minor + 1", "payment_id = '{void.payment}' and kind = 'authorize'"),
    ),
    _one(
        "another amount was charged than agreed",
        "payment/charged-as-confirmed",
        "{void.payment}",
        _set("movement", "amount_minor = amount_minor + 1", "payment_id = '{void.payment}' and kind = 'authorize'"),
    ),
    _one(
        "two attempts claim one charge",
        "payment/one-charge-one-attempt",
        "{first payment of ship and tell}",
        _set("payment", "provider_ref = 'same'", "id in ('{ship.payment}', '{tell.payment}')"),
    ),
    _one(
        "a paid order does not count",
        "order/paid-order-is-confirmed",
        "{tell.order}",
        _set("order", "confirmed_at = null", "id = '{tell.order}'"),
        "delete from eckit_history where verb = 'order.confirm' and subjects = '[\"order:{tell.order}\"]'",
    ),
    _one(
        "the money of a canceled order stayed",
        "payment/money-of-a-canceled-order-goes-back",
        "{capture_and_cancel.payment}",
        copied("movement", "payment_id = '{capture_and_cancel.payment}' and kind = 'refund'", **_MOVE,
               kind="'refund_failed'"),
    ),
    _one(
        "a price in another currency than its list",
        "price/price-currency",
        "{price of tea}",
        _set("price", "currency = 'USD'", "variant_id = '{tea}'"),
    ),
)  # fmt: skip


def _forged(what: str, how: str, invariant: str, *sql: str) -> Corruption:
    """A record that was changed and sealed anew."""
    return _one(
        what,
        f"placement/{invariant}",
        "{buy.order}",
        _set("placement", f"body = '{{{how}}}', digest = '{{{how} seal}}'", "order_id = '{buy.order}'"),
        _set("order", f"digest = '{{{how} seal}}'", "id = '{buy.order}'"),
        *sql,
    )


ORDERS: Final = (
    _forged("shares that miss a yen", "forged_share", "placement-adds-up"),
    _forged(
        "a tax of another base",
        "forged_tax",
        "placement-adds-up",
        _set("charge", "tax_base_minor = tax_base_minor + 1", "order_id = '{buy.order}' and id = '{buy.order:tax}'"),
    ),
    _forged("a record that names somebody", "forged_person", "placement-names-nobody"),
    _two(
        "an order's total is not its charges",
        ("order/order-total-is-its-charges", "{tell.order}"),
        ("order/rows-are-as-placed", "{tell.order}"),
        _set("charge", "amount_minor = amount_minor + 1", "order_id = '{tell.order}' and kind = 'shipping'"),
    ),
    _one(
        "a sealed record was changed",
        "placement/placement-is-sealed",
        "{tell.order}",
        _set("placement", """body = replace(body, '"locale":"ja"', '"locale":"en"')""", "order_id = '{tell.order}'"),
    ),
    _one(
        "an order without its record",
        "order/order-has-its-record",
        "{tell.order}",
        "delete from eckit_placement where order_id = '{tell.order}'",
    ),
    _two(
        "more came back than was sent",
        ("order_line/steps-do-not-exceed-what-was-ordered", "{tell.order}/{tell.line1}"),
        ("order/order-is-placement-and-amendments", "{tell.order}"),
        _set("order_line", "returned_steps = 1", "order_id = '{tell.order}'"),
    ),
    _one(
        "a line counts another number than has left",
        "order_line/shipped-is-what-left",
        "{send_a_part.order}/{send_a_part.line2}",
        _set("order_line", "shipped_steps = 1", "order_id = '{send_a_part.order}' and supply = 'unlimited'"),
    ),
    _one(
        "a cart version without its key",
        "order/live-key-is-the-cart-version",
        "{tell.order}",
        _set("order", "live_cart_key = null", "id = '{tell.order}'"),
    ),
    _one(
        "a cart that knows another order",
        "cart/cart-and-order-know-each-other",
        "{tell.cart}",
        _set("cart", "order_id = 'ord_x'", "id = '{tell.cart}'"),
    ),
    _one(
        "a key without an end",
        "idempotency/key-done-with-reply-time",
        "place_order/{tell.cart}",
        _set("idempotency", "reply_until = null", "key = '{tell.cart}'"),
    ),
    _two(
        "one number on two orders",
        ("order/one-order-of-a-number", "{first of ship.order and tell.order}"),
        ("order/rows-are-as-placed", "{tell.order}"),
        _set("order", "number = (select number from eckit_order_was where id = '{ship.order}')", "id = '{tell.order}'"),
    ),
    _one(
        "a confirmation nobody did",
        "order/confirmed-once",
        "{tell.order}",
        "delete from eckit_history where verb = 'order.confirm' and subjects = '[\"order:{tell.order}\"]'",
    ),
    _one(
        "a step no operation can take",
        "operation_step/steps-are-declared",
        "{void.payment:begin}",
        _set("operation_step", "move = 'jumping'", "operation_id = '{void.payment:begin}' and seq = 1"),
    ),
    _one(
        "a cart with no pieces",
        "cart/cart-is-whole",
        "{lapse.cart}",
        _set("cart", """body = replace(body, '"steps":2', '"steps":0')""", "id = '{lapse.cart}'"),
    ),
)  # fmt: skip

_HOLD = {
    "id": "'hld_x'",
    "variant_id": "'{bowl}'",
    "line_id": "null",
    "state": "'live'",
    "ended_at": "null",
    "steps": 1,
}
_RESERVED = _set("level", "reserved = reserved + 1", "variant_id = '{bowl}'")
_A_HOLD = "owner = 'order:{tell.order}'"

GOODS: Final = (
    _one(
        "more is promised than may be",
        "level/counters-in-bounds",
        "{bowl}@{main}/7/0/0/-1",
        _set("level", "cap = -1", "variant_id = '{bowl}'"),
    ),
    _one(
        "less than nothing on the shelf",
        "level/counters-in-bounds",
        "{bowl}@{main}/-1/0/0/0",
        _set("level", "on_hand = -1", "variant_id = '{bowl}'"),
        copied("stock_movement", "variant_id = '{bowl}'", id="'smv_x'", kind="'count'", steps=-8),
    ),
    _one(
        "goods that nothing brought",
        "level/movements-make-on-hand",
        "{bowl}@{main}",
        _set("level", "on_hand = on_hand + 1", "variant_id = '{bowl}'"),
    ),
    _one(
        "a movement without a cause",
        "stock_movement/movement-has-one-cause",
        "{goods that came}",
        _set("stock_movement", "cause = ''", "variant_id = '{bowl}'"),
    ),
    _one(
        "goods left and stock did not fall",
        "shipment/what-left-is-sold",
        "{ship.order:shipment}",
        _set("stock_movement", "cause = 'shipment:shm_x'", "cause = 'shipment:{ship.order:shipment}'"),
    ),
    _one(
        "a hold of nobody",
        "hold/hold-has-its-owner",
        "hld_x",
        copied("hold", _A_HOLD, **_HOLD, owner="'nobody:1'"),
        _RESERVED,
    ),
    _one(
        "a hold of a canceled order",
        "hold/hold-is-of-a-live-order",
        "hld_x",
        copied("hold", _A_HOLD, **_HOLD, owner="'order:{cancel.order}'"),
        _RESERVED,
    ),
    _one(
        "an order's hold with an end",
        "hold/hold-of-an-order-has-no-end",
        "{tell.order:hold}",
        _set("hold", "until = held_at", _A_HOLD),
    ),
    _one(
        "a hold of nothing",
        "hold/hold-is-of-something",
        "{cancel.order:hold}/0",
        _set("hold", "steps = 0", "owner = 'order:{cancel.order}'"),
    ),
    _one(
        "an ordered piece that nobody holds",
        "order_line/what-is-open-is-held",
        "{tell.order}/{tell.line1}",
        _set("hold", "line_id = null", _A_HOLD),
    ),
    _one(
        "a shipment of more than was ordered",
        "order_line/shipments-are-of-what-was-ordered",
        "{tell.order}/{tell.line1}",
        _set("shipment_line", "steps = steps + 1", "order_id = '{tell.order}'"),
    ),
)

_USE = "order_id = '{lapse.order}'"

CODES: Final = (
    _one(
        "a code counts one use too many",
        "promotion/promotion-counts-its-uses",
        "{promotion}/{uses + 1}",
        _set("promotion", "used = used + 1", "id = '{promotion}'"),
    ),
    _two(
        "a promotion used beyond its limit",
        ("promotion/promotion-within-its-limit", "{promotion}/21"),
        ("promotion/promotion-counts-its-uses", "{promotion}/21"),
        _set("promotion", "used = 21", "id = '{promotion}'"),
    ),
    _one(
        "a use of an order that lapsed",
        "redemption/use-is-of-a-live-order",
        "{lapse.order:redemption}",
        _set("redemption", "released_at = null", _USE),
        _set("promotion", "used = used + 1", "id = '{promotion}'"),
        _set("coupon", "used = used + 1", "promotion_id = '{promotion}'"),
        _set("promotion_customer", "used = used + 1", "promotion_id = '{promotion}'"),
    ),
    _one(
        "a use that gave another amount",
        "redemption/use-is-what-was-given",
        "{buy.order:redemption}",
        _set("redemption", "amount_minor = amount_minor + 1", "order_id = '{buy.order}'"),
    ),
    _one(
        "a price whose time ends before it starts",
        "price/price-window",
        "{price of tea}",
        _set("price", "window_start = {later}, window_end = {earlier}", "variant_id = '{tea}'"),
    ),
    _one(
        "a promotion whose time ends before it starts",
        "promotion/promotion-window-is-half-open",
        "{promotion}/{later text}",
        _set("promotion", "starts_at = {later}, ends_at = {earlier}", "id = '{promotion}'"),
    ),
)

AROUND: Final = (
    _one(
        "a notice applied to nothing",
        "notice/applied-notice-has-its-payment",
        "{a notice}",
        _set("notice", "ended_at = null", "id = '{a notice}'"),
    ),
    _one(
        "an event is missing",
        "outbox/event-seq-gapless",
        "variant:{tea}",
        "delete from eckit_outbox where subject = 'variant:{tea}' and seq = 1",
    ),
    _one(
        "an order nobody heard of",
        "order/order-was-announced",
        "{tell.order}",
        _set("outbox", "name = 'order.amended'", "subject = 'order:{tell.order}' and name = 'order.placed'"),
    ),
    _one(
        "an event is done and still waited for",
        "outbox/event-done-heard",
        "{tell.order:event}",
        _set("outbox", """waiting = '{{"x":"y"}}'""", "id = '{tell.order:event}'"),
    ),
    _one(
        "a mail of what never happened",
        "mail/mail-is-of-a-committed-event",
        "{tell.order:mail}/order_confirmed",
        _set("mail", "event_id = 'evt_x'", "id = '{tell.order:mail}'"),
    ),
    _one(
        "a mail that says who gets it",
        "mail/mail-row-names-nobody",
        "{tell.order:mail}",
        _set("mail", "last_failure = 'hanako@example.com'", "id = '{tell.order:mail}'"),
    ),
    _one(
        "an operation recovery will never look at",
        "operation/ended-is-ended",
        "{void.payment:begin}",
        _set("operation", "ended_at = null", "id = '{void.payment:begin}'"),
    ),
    _one(
        "an order whose buyer is gone",
        "order/order-knows-its-people",
        "{tell.order}",
        "delete from eckit_party where id = (select buyer from eckit_order where id = '{tell.order}')",
    ),
    _one(
        "an erased party that is still known",
        "party/erased-party-is-empty",
        "{tell.order:buyer}",
        _set("party", "erased_at = {later}", "id = '{tell.order:buyer}'"),
    ),
    _one(
        "a card number in a title",
        "product/no-card-number-or-secret",
        "{bowl's product}",
        _set("product", """title = '{{"en":"4111 1111 1111 1111"}}'""", "id = '{bowl's product}'"),
    ),
    _one(
        "a secret in a reason",
        "history/no-card-number-or-secret",
        "{a deed}",
        _set("history", "reason = '{secret}'", "id = '{a deed}'"),
    ),
    _one(
        "a token that can be guessed",
        "order/token-is-real",
        "{tell.order}",
        _set("order", "token = 'abc'", "id = '{tell.order}'"),
    ),
    _one(
        "one token for two orders",
        "order/one-order-of-a-token",
        "{first of ship.order and tell.order}",
        _set("order", "token = (select token from eckit_order_was where id = '{ship.order}')", "id = '{tell.order}'"),
    ),
    _one(
        "a cart that anybody can open",
        "cart/cart-token-is-real",
        "{tell.cart}",
        _set("cart", "token = 'abc'", "id = '{tell.cart}'"),
    ),
)

CORRUPTIONS: Final = (*MONEY, *ORDERS, *GOODS, *CODES, *AROUND)
