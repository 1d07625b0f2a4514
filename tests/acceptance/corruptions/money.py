"""Corruptions of payments: sums, attempts, movements, currencies."""

from typing import Final

from tests.acceptance.corruptions.planting import MOVE, copied, delete, of, plant, update

_CAPTURE: Final = "payment_id = '{refunded.payment}' and kind = 'capture'"
_REFUND: Final = "payment_id = '{refunded.payment}' and kind = 'refund'"
_AUTHORIZE: Final = "payment_id = '{lost.payment}' and kind = 'authorize'"
_OPERATION: Final = "select id from eckit_operation where "

_SUMS: Final = of(
    "refunds ≤ captures ≤ authorizations per payment",
    plant(
        "more was refunded than captured",
        {"payment/refunds-within-captures": "{refunded.payment}"},
        copied("movement", _CAPTURE, **MOVE, kind="'refund'", reference="''"),
        copied("application", "payment_id = '{refunded.payment}' and amount_minor > 0", id="'apl_x'",
               amount_minor="300 - amount_minor"),
    ),
    plant(
        "more was captured than authorized",
        {"payment/captures-within-authorizations": "{part.payment}"},
        copied("movement", "payment_id = '{part.payment}' and kind = 'authorize'", **MOVE, kind="'capture'",
               reference="''", finality="'final'"),
        update("application", "amount_minor = amount_minor + (select amount_minor from eckit_payment "
               "where id = '{part.payment}')", "payment_id = '{part.payment}'"),
    ),
    plant(
        "more was voided than authorized",
        {"payment/voids-within-authorizations": "{canceled.payment}",
         "payment/captures-within-authorizations": "{canceled.payment}"},
        copied("movement", "payment_id = '{canceled.payment}' and kind = 'void'", **MOVE, reference="''"),
    ),
)  # fmt: skip

_APPLIED: Final = of(
    "an order's paid sum equals the applications to it, applications ≤ captures per payment",
    plant(
        "more was applied than captured",
        {"payment/applications-within-captures": "{taken.payment}"},
        copied("application", "payment_id = '{domestic.payment}'", id="'apl_x'", amount_minor="amount_minor + 10000",
               payment_id="'{taken.payment}'", order_id="'{taken.order}'"),
    ),
    plant(
        "money was taken and not applied",
        {"payment/what-was-taken-is-applied": "{domestic.payment}"},
        delete("application", "payment_id = '{domestic.payment}'"),
    ),
    plant(
        "money was applied to another order",
        {"application/applications-to-its-order": "select id from eckit_application "
         "where payment_id = '{domestic.payment}'"},
        update("application", "order_id = '{last.order}'", "payment_id = '{domestic.payment}'"),
    ),
    plant(
        "the money of a canceled order stayed",
        {"payment/money-of-a-canceled-order-goes-back": "{taken.payment}"},
        copied("movement", "payment_id = '{taken.payment}' and kind = 'refund'", **MOVE, kind="'refund_failed'"),
    ),
    plant(
        "a payment for no order",
        {"payment/payment-is-for-an-order": "{lost.payment}"},
        update("payment", "order_id = 'ord_x'", "id = '{lost.payment}'"),
    ),
)  # fmt: skip

_ENTRIES: Final = of(
    "provider movements are single entries that never change",
    plant(
        "a movement was recorded twice",
        {"movement/movement-is-one-entry": "select min(id) from eckit_movement "
         "where kind = 'authorize' and payment_id in ('{last.payment}', '{lost.payment}')"},
        update("movement", "movement_ref = 'same'", "payment_id in ('{last.payment}', '{lost.payment}') "
               "and kind = 'authorize'"),
    ),
    plant(
        "a movement of another account",
        {"movement/movement-is-its-payments": f"select id from eckit_movement where {_CAPTURE}"},
        update("movement", "account = 'other'", _CAPTURE),
    ),
    plant(
        "a capture became less after it was booked",
        {"operation/success-is-its-movements": f"{_OPERATION}{_CAPTURE}"},
        update("movement", "amount_minor = amount_minor - 100", _CAPTURE),
        update("application", "amount_minor = amount_minor - 100", "payment_id = '{refunded.payment}' "
               "and amount_minor > 0"),
    ),
    plant(
        "a refund became less after it was booked",
        {"operation/success-is-its-movements": f"{_OPERATION}{_REFUND}"},
        update("movement", "amount_minor = amount_minor - 100", _REFUND),
        update("application", "amount_minor = amount_minor + 100", "payment_id = '{refunded.payment}' "
               "and amount_minor < 0"),
    ),
    plant(
        "a void became less after it was booked",
        {"operation/success-is-its-movements": f"{_OPERATION}payment_id = '{{canceled.payment}}' and kind = 'void'"},
        update("movement", "amount_minor = amount_minor - 1", "payment_id = '{canceled.payment}' and kind = 'void'"),
    ),
    plant(
        "a capture's movement is gone",
        {"operation/success-is-its-movements": f"{_OPERATION}{_CAPTURE}",
         "payment/refunds-within-captures": "{refunded.payment}",
         "payment/applications-within-captures": "{refunded.payment}",
         "payment/what-was-taken-is-applied": "{refunded.payment}"},
        delete("movement", _CAPTURE),
    ),
)  # fmt: skip

_DUE: Final = of(
    "Σ payments asked for = dues = total − credit applied",
    plant(
        "another amount was asked for than was due",
        {"payment/asked-is-due": "{lost.payment}"},
        update("payment", "amount_minor = amount_minor + 1", "id = '{lost.payment}'"),
        update("operation", "amount_minor = amount_minor + 1", "payment_id = '{lost.payment}' and kind = 'begin'"),
        update("movement", "amount_minor = amount_minor + 1", _AUTHORIZE),
    ),
)

_LEFT: Final = of(
    "goods that have left are paid, or a person was told",
    plant(
        "goods that nobody pays",
        {"payment/what-left-is-paid": "{taken.payment}"},
        update("payment", "earned_minor = amount_minor + 1", "id = '{taken.payment}'"),
    ),
)

_CONFIRMED: Final = of(
    "the amount charged is the amount confirmed",
    plant(
        "another amount was authorized than agreed",
        {"payment/charged-as-confirmed": "{lost.payment}",
         "operation/success-is-its-movements": f"{_OPERATION}payment_id = '{{lost.payment}}'"},
        update("movement", "amount_minor = amount_minor + 1", _AUTHORIZE),
    ),
    plant(
        "another amount was asked for than agreed",
        {"operation/asked-as-agreed": f"{_OPERATION}payment_id = '{{lost.payment}}'",
         "operation/success-is-its-movements": f"{_OPERATION}payment_id = '{{lost.payment}}'"},
        update("operation", "amount_minor = amount_minor + 1", "payment_id = '{lost.payment}'"),
    ),
    plant(
        "a second attempt asked for more, and got it",
        {"payment/asked-is-due": "{declined.payment}"},
        update("payment", "amount_minor = amount_minor + 500", "id = '{declined.payment}'"),
        update("operation", "amount_minor = amount_minor + 500", "payment_id = '{declined.payment}'"),
        update("movement", "amount_minor = amount_minor + 500", "payment_id = '{declined.payment}'"),
    ),
    plant(
        "an operation was noted down with another amount than moved",
        {"operation/success-is-its-movements": f"{_OPERATION}{_CAPTURE}"},
        update("operation", "amount_minor = 1", _CAPTURE),
    ),
)  # fmt: skip

_ATTEMPTS: Final = (
    *of(
        "one attempt, at most one charge",
        plant(
            "one attempt was charged twice",
            {"payment/one-attempt-one-charge": "{lost.payment}",
             "payment/charged-as-confirmed": "{lost.payment}",
             "operation/success-is-its-movements": f"{_OPERATION}payment_id = '{{lost.payment}}'"},
            copied("movement", _AUTHORIZE, **MOVE),
        ),
    ),
    *of(
        "one charge, one attempt",
        plant(
            "two attempts claim one charge",
            {"payment/one-charge-one-attempt": "select min(id) from eckit_payment "
             "where id in ('{last.payment}', '{lost.payment}')"},
            update("payment", "provider_ref = 'same'", "id in ('{last.payment}', '{lost.payment}')"),
        ),
    ),
)  # fmt: skip

_CURRENCIES: Final = of(
    "amounts of two currencies never meet",
    plant(
        "a price in another currency than its list",
        {"price/price-currency": "select variant_id || '/' || list_id || '/' || min_steps from eckit_price "
         "where variant_id = (select variant_id from eckit_order_line where id = '{last.line1}')"},
        update("price", "currency = 'USD'", "variant_id = (select variant_id from eckit_order_line "
               "where id = '{last.line1}')"),
    ),
    plant(
        "a charge in another currency than its order",
        {"charge/one-currency-of-charge": "select order_id || '/' || id from eckit_charge "
         "where order_id = '{lost.order}' and kind = 'shipping'",
         "order/rows-are-as-placed": "{lost.order}"},
        update("charge", "currency = 'USD'", "order_id = '{lost.order}' and kind = 'shipping'"),
    ),
    plant(
        "a line in another currency than its order",
        {"order_line/one-currency-of-order_line": "{lost.order}/{lost.line1}"},
        update("order_line", "currency = 'USD'", "order_id = '{lost.order}'"),
    ),
    plant(
        "an amendment in another currency than its order",
        {"amendment/one-currency-of-amendment": "select order_id || '/' || id from eckit_amendment "
         "where order_id = '{canceled.order}'"},
        update("amendment", "currency = 'USD'", "order_id = '{canceled.order}'"),
    ),
    plant(
        "a payment in another currency than its order",
        {"payment/payment-in-the-orders-currency": "{refused}"},
        update("payment", "currency = 'USD'", "id = '{refused}'"),
    ),
    plant(
        "a movement in another currency than its payment",
        {"movement/movement-in-its-currency": f"select id from eckit_movement where {_AUTHORIZE}"},
        update("movement", "currency = 'USD'", _AUTHORIZE),
    ),
    plant(
        "an application in another currency than its payment",
        {"application/application-in-its-currency": "select id from eckit_application "
         "where payment_id = '{domestic.payment}'"},
        update("application", "currency = 'USD'", "payment_id = '{domestic.payment}'"),
    ),
    plant(
        "a code that gave another currency",
        {"redemption/use-in-the-orders-currency": "select id from eckit_redemption "
         "where order_id = '{domestic.order}'"},
        update("redemption", "currency = 'USD'", "order_id = '{domestic.order}'"),
    ),
)  # fmt: skip

CORRUPTIONS: Final = (*_SUMS, *_APPLIED, *_ENTRIES, *_DUE, *_LEFT, *_CONFIRMED, *_ATTEMPTS, *_CURRENCIES)
