"""Corruptions of orders, their sealed records, carts and keys."""

from typing import Final

from tests.acceptance.corruptions.planting import Corruption, copied, delete, of, plant, update

_LOST: Final = "order_id = '{lost.order}'"


def _forged(what: str, how: str, invariant: str, *sql: str) -> Corruption:
    """A record that was changed and sealed anew."""
    return plant(
        what,
        {f"placement/{invariant}": "{domestic.order}"},
        update("placement", f"body = '{{{how}}}', digest = '{{{how} seal}}'", "order_id = '{domestic.order}'"),
        update("order", f"digest = '{{{how} seal}}'", "id = '{domestic.order}'"),
        *sql,
    )


_TOTALS: Final = of(
    "order total = Σ charges not contained in another, Σ net + Σ tax by rate = the same, the same number in quote, "
    "order, documents and exports",
    plant(
        "an order's total is not its charges",
        {"order/order-total-is-its-charges": "{lost.order}", "order/rows-are-as-placed": "{lost.order}"},
        update("charge", "amount_minor = amount_minor + 1", f"{_LOST} and kind = 'shipping'"),
    ),
    plant(
        "an order's present total is not what amendments left of it",
        {"order/current-total-is-total-and-amendments": "{lost.order}",
         "order/order-is-placement-and-amendments": "{lost.order}"},
        update("order", "current_total_minor = current_total_minor + 1", "id = '{lost.order}'"),
    ),
    _forged("a tax of another base", "forged_tax", "placement-adds-up",
            update("charge", "tax_base_minor = tax_base_minor + 1",
                   "order_id = '{domestic.order}' and id = '{domestic.order:tax}'")),
)  # fmt: skip

_SHARES: Final = of("shares sum to the whole", _forged("shares that miss a yen", "forged_share", "placement-adds-up"))

_NEGATIVE: Final = of(
    "no negative total, line or quantity",
    plant(
        "an order of less than nothing",
        {"order/order-is-not-below-zero": "{lost.order}",
         "order/current-total-is-total-and-amendments": "{lost.order}",
         "order/order-is-placement-and-amendments": "{lost.order}"},
        update("order", "current_total_minor = -1", "id = '{lost.order}'"),
    ),
    plant(
        "a line of less than nothing",
        {"order_line/nothing-is-below-zero": "{lost.order}/{lost.line1}",
         "order/rows-are-as-placed": "{lost.order}"},
        update("order_line", "total_minor = -1", _LOST),
    ),
    plant(
        "a cart with no pieces",
        {"cart/cart-is-whole": "{lapsed.cart}"},
        update("cart", """body = replace(body, '"steps":1', '"steps":0')""", "id = '{lapsed.cart}'"),
    ),
    plant(
        "a hold of nothing",
        {"hold/hold-is-of-something": "select id || '/0' from eckit_hold where owner = 'order:{canceled.order}'"},
        update("hold", "steps = 0", "owner = 'order:{canceled.order}'"),
    ),
    plant(
        "a shipment of nothing",
        {"shipment_line/shipped-steps-are-counts": "select shipment_id || ' ' || line_id from eckit_shipment_line "
         f"where {_LOST}"},
        update("shipment_line", "steps = 0", _LOST),
    ),
    plant(
        "a price of less than nothing",
        {"price/price-amount": "select variant_id || '/' || list_id || '/' || min_steps from eckit_price "
         "where variant_id = (select variant_id from eckit_order_line where id = '{last.line1}')"},
        update("price", "amount_minor = -1",
               "variant_id = (select variant_id from eckit_order_line where id = '{last.line1}')"),
    ),
    plant(
        "a cost of less than nothing",
        {"variant/variant-cost": "select variant_id from eckit_order_line where id = '{last.line1}'"},
        update("variant", "cost_minor = -1",
               "id = (select variant_id from eckit_order_line where id = '{last.line1}')"),
    ),
)  # fmt: skip

_STEPS: Final = of(
    "per line: canceled + shipped ≤ ordered, returned ≤ shipped",
    plant(
        "more came back than was sent",
        {"order_line/steps-do-not-exceed-what-was-ordered": "{lost.order}/{lost.line1}",
         "order/order-is-placement-and-amendments": "{lost.order}"},
        update("order_line", "returned_steps = 1", _LOST),
    ),
    plant(
        "more was canceled and sent than ordered",
        {"order_line/steps-do-not-exceed-what-was-ordered": "{lost.order}/{lost.line1}",
         "order_line/shipped-is-what-left": "{lost.order}/{lost.line1}",
         "order_line/what-is-open-is-held": "{lost.order}/{lost.line1}"},
        update("order_line", "shipped_steps = 2", _LOST),
    ),
    plant(
        "a line counts another number than has left",
        {"order_line/shipped-is-what-left": "{lost.order}/{lost.line1}",
         "order_line/what-is-open-is-held": "{lost.order}/{lost.line1}"},
        update("order_line", "shipped_steps = 1", _LOST),
    ),
    plant(
        "a shipment of more than was ordered",
        {"order_line/shipments-are-of-what-was-ordered": "{lost.order}/{lost.line1}"},
        update("shipment_line", "steps = steps + 1", _LOST),
    ),
    plant(
        "a shipment of nobody's order",
        {"shipment_line/shipment-is-of-an-order": "select shipment_id || '/' || line_id "
         f"from eckit_shipment_line where {_LOST}"},
        update("shipment_line", "order_id = 'ord_x'", _LOST),
    ),
    plant(
        "one line in the shipments of two orders",
        {"shipment_line/line-is-of-one-order": "{lost.line1}",
         "shipment_line/shipment-is-of-an-order": "shm_x/{lost.line1}",
         "shipment_line/line-is-of-a-shipment": "shm_x {lost.line1}"},
        copied("shipment_line", _LOST, shipment_id="'shm_x'", order_id="'ord_x'"),
    ),
    plant(
        "a line in a shipment that is not there",
        {"shipment_line/line-is-of-a-shipment": "shm_x ln_x", "shipment_line/shipment-is-of-an-order": "shm_x/ln_x"},
        copied("shipment_line", _LOST, shipment_id="'shm_x'", line_id="'ln_x'"),
    ),
    plant(
        "a shipment without lines",
        {"shipment/shipment-carries-lines": f"select shipment_id from eckit_shipment_line where {_LOST}"},
        delete("shipment_line", _LOST),
    ),
)  # fmt: skip

_ONE: Final = (
    *of(
        "one cart version, at most one order that has not lapsed",
        plant(
            "two orders of one cart version",
            {"order/one-order-of-a-cart-version": "select min(id) from eckit_order "
             "where id in ('{last.order}', '{lost.order}')",
             "cart/cart-and-order-know-each-other": ("{lost.cart}", "{last.cart}"),
             "order/rows-are-as-placed": "{lost.order}"},
            update("order", "cart_id = '{last.cart}', cart_version = (select cart_version from eckit_order "
                   "where id = '{last.order}'), live_cart_key = (select live_cart_key from eckit_order "
                   "where id = '{last.order}')", "id = '{lost.order}'"),
        ),
        plant(
            "a cart version without its key",
            {"order/live-key-is-the-cart-version": "{lost.order}"},
            update("order", "live_cart_key = null", "id = '{lost.order}'"),
        ),
        plant(
            "a cart that knows another order",
            {"cart/cart-and-order-know-each-other": "{lost.cart}"},
            update("cart", "order_id = 'ord_x'", "id = '{lost.cart}'"),
        ),
        plant(
            "two carts became one order",
            {"cart/one-cart-of-an-order": "{lost.order}",
             "cart/cart-and-order-know-each-other": "{last.cart}"},
            update("cart", "order_id = '{lost.order}'", "id = '{last.cart}'"),
        ),
    ),
    *of(
        "one key, one outcome",
        plant(
            "a key with two replies",
            {"idempotency/one-outcome-of-a-key": "place_order/{part.cart}",
             "idempotency/key-gives-its-order": "place_order/{part.cart}"},
            copied("idempotency", "key = '{part.cart}'", reply="""'{{"order_id":"{lost.order}"}}'"""),
        ),
        plant(
            "a key that is there twice",
            {"idempotency/one-outcome-of-a-key": "place_order/{part.cart}"},
            copied("idempotency", "key = '{part.cart}'"),
        ),
        plant(
            "a key that gives another order",
            {"idempotency/key-gives-its-order": "place_order/{part.cart}"},
            update("idempotency", """reply = '{{"order_id":"{lost.order}"}}'""", "key = '{part.cart}'"),
        ),
        plant(
            "a key that gives an order that is not there",
            {"idempotency/key-gives-its-order": "place_order/{part.cart}"},
            update("idempotency", """reply = '{{"order_id":"ord_x"}}'""", "key = '{part.cart}'"),
        ),
        plant(
            "a key that was used for two refunds",
            {"operation/one-operation-of-a-key": "select min(id) from eckit_operation "
             "where payment_id = '{refunded.payment}' and kind in ('capture', 'refund')"},
            update("operation", "key = 'late'", "payment_id = '{refunded.payment}' and kind in ('capture', 'refund')"),
        ),
        plant(
            "a key without an end",
            {"idempotency/key-done-with-reply-time": "place_order/{part.cart}"},
            update("idempotency", "reply_until = null", "key = '{part.cart}'"),
        ),
        plant(
            "a key in flight that nobody holds",
            {"idempotency/key-in-flight-leased": "place_order/{part.cart}"},
            update("idempotency", "state = 'in_flight'", "key = '{part.cart}'"),
        ),
    ),
    *of(
        "one order, one number",
        plant(
            "one number on two orders",
            {"order/one-order-of-a-number": "select min(id) from eckit_order "
             "where id in ('{last.order}', '{lost.order}')",
             "order/rows-are-as-placed": "{lost.order}"},
            update("order", "number = (select number from eckit_order where id = '{last.order}')",
                   "id = '{lost.order}'"),
        ),
        plant(
            "one number on two parcels",
            {"parcel/one-parcel-of-a-number": "select min(id) || '/same' from eckit_parcel"},
            update("parcel", "carrier = 'same', number = 'same'", "1 = 1"),
        ),
    ),
)  # fmt: skip

_RECORDS: Final = of(
    "a placed order differs from its placement record only by amendment rows",
    plant(
        "a sealed record was changed",
        {"placement/placement-is-sealed": "{lost.order}"},
        update("placement", """body = replace(body, '"locale":"ja"', '"locale":"en"')""", _LOST),
    ),
    plant(
        "an order without its record",
        {"order/order-has-its-record": "{lost.order}"},
        delete("placement", _LOST),
    ),
    plant(
        "a line of other goods than were ordered",
        {"order/rows-are-as-placed": "{lost.order}"},
        update("order_line", "sku = 'OTHER'", _LOST),
    ),
    plant(
        "an order that changed without an amendment",
        {"order/order-is-placement-and-amendments": "{canceled.order}"},
        update("order", "reason = 'other'", "id = '{canceled.order}'"),
    ),
    plant(
        "an amendment was changed",
        {"amendment/amendments-are-linked": "{canceled.order}",
         "order/order-is-placement-and-amendments": "{canceled.order}"},
        update("amendment", "reason = 'other'", "order_id = '{canceled.order}'"),
    ),
)  # fmt: skip

_PERSONAL: Final = of(
    "personal data is outside the record",
    _forged("a record that names somebody", "forged_person", "placement-names-nobody"),
    plant(
        "an order whose buyer is gone",
        {"order/order-knows-its-people": "{lost.order}"},
        delete("party", "id = (select buyer from eckit_order where id = '{lost.order}')"),
    ),
    plant(
        "an erased party that is still known",
        {"party/erased-party-is-empty": "select buyer from eckit_order where id = '{lost.order}'"},
        update("party", "erased_at = {later}", "id = (select buyer from eckit_order where id = '{lost.order}')"),
    ),
    plant(
        "an erased customer who can still sign in",
        {"customer/erased-customer-leaves-nothing": "select id from eckit_customer"},
        update("customer", "erased_at = {later}", "1 = 1"),
    ),
)

CORRUPTIONS: Final = (*_TOTALS, *_SHARES, *_NEGATIVE, *_STEPS, *_ONE, *_RECORDS, *_PERSONAL)
