"""Corruptions of histories: states that nothing led to, and steps no machine takes."""

from typing import Final

from tests.acceptance.corruptions.planting import added, copied, delete, of, plant, update

_BEGIN: Final = "payment_id = '{lost.payment}' and kind = 'begin'"
_BEGIN_ID: Final = f"select id from eckit_operation where {_BEGIN}"
_STEPS_OF_BEGIN: Final = f"operation_id = ({_BEGIN_ID})"
_SHIPMENT: Final = "select shipment_id from eckit_shipment_line where order_id = '{lost.order}'"
_DELIVERED: Final = "select distinct shipment_id from eckit_shipment_line where order_id = '{domestic.order}'"
_MAIL: Final = "select min(id) from eckit_mail where about = 'order:{lost.order}'"


def _deed(verb: str, order: str) -> str:
    return delete("history", f"verb = 'order.{verb}' and subjects = '[\"order:{{{order}.order}}\"]'")


_PAYMENTS: Final = (
    plant(
        "a step no operation can take",
        {"operation_step/steps-are-declared": _BEGIN_ID},
        update("operation_step", "move = 'jumping'", f"{_STEPS_OF_BEGIN} and seq = 1"),
    ),
    plant(
        "a step that does not follow the one before",
        {"operation_step/steps-follow-each-other": _BEGIN_ID},
        copied("operation_step", f"{_STEPS_OF_BEGIN} and seq = 1", seq=0),
    ),
    plant(
        "a state no step led to",
        {"operation/steps-lead-to-the-state": "select id from eckit_operation where payment_id = '{refused}'"},
        update("operation", "state = 'expired'", "payment_id = '{refused}'"),
    ),
    plant(
        "an operation that ended and is still looked at",
        {"operation/ended-is-ended": _BEGIN_ID},
        update("operation", "ended_at = null", _BEGIN),
    ),
    plant(
        "an operation recovery will never look at",
        {"operation/nothing-without-an-owner": _BEGIN_ID, "operation/steps-lead-to-the-state": _BEGIN_ID},
        update("operation", "state = 'in_doubt', ended_at = null, check_at = null", _BEGIN),
    ),
    plant(
        "a paid order does not count",
        {"order/paid-order-is-confirmed": "{lost.order}"},
        update("order", "confirmed_at = null", "id = '{lost.order}'"),
        _deed("confirm", "lost"),
    ),
)

_ORDERS: Final = (
    plant("an order nobody placed", {"order/placed-once": "{lost.order}"}, _deed("place", "lost")),
    plant("a confirmation nobody did", {"order/confirmed-once": "{lost.order}"}, _deed("confirm", "lost")),
    plant("a cancellation nobody did", {"order/canceled-once": "{canceled.order}"}, _deed("cancel", "canceled")),
    plant("an order nobody closed", {"order/closed-once": "{domestic.order}"}, _deed("close", "domestic")),
    plant(
        "a canceled order with an open piece",
        {
            "order/canceled-is-all-canceled": "{canceled.order}",
            "order/order-is-placement-and-amendments": "{canceled.order}",
        },
        update("order_line", "canceled_steps = canceled_steps - 1", "order_id = '{canceled.order}'"),
    ),
    plant(
        "an order that lapsed after it counted",
        {"order/lapsed-never-counted": "{lapsed.order}", "order/confirmed-once": "{lapsed.order}"},
        update("order", "confirmed_at = placed_at", "id = '{lapsed.order}'"),
    ),
    plant(
        "a closed order with an open piece",
        {
            "order/closed-has-nothing-open": "{lost.order}/{lost.line1}",
            "order/closed-once": "{lost.order}",
            "hold/hold-is-of-a-live-order": "select id from eckit_hold where owner = 'order:{lost.order}'",
        },
        update("order", "state = 'closed'", "id = '{lost.order}'"),
    ),
    plant(
        "a block that was lifted before it was placed",
        {"block/block-is-lifted-after-it-was-placed": "select id from eckit_block"},
        update("block", "lifted_at = {earlier}", "1 = 1"),
    ),
    plant(
        "a cart that was taken by no order",
        {
            "cart/taken-cart-has-its-order": "{lost.cart}",
            "cart/cart-and-order-know-each-other": "{lost.cart}",
        },
        update("cart", "order_id = null", "id = '{lost.cart}'"),
    ),
    plant(
        "a cart that became part of itself",
        {"cart/merged-into-a-cart": "{lost.cart}"},
        update("cart", "merged_into = id", "id = '{lost.cart}'"),
    ),
)

_GOODS: Final = (
    plant(
        "a hold that ended and lives",
        {"hold/hold-ends-once": "select id from eckit_hold where owner = 'order:{lost.order}'"},
        update("hold", "ended_at = {later}", "owner = 'order:{lost.order}'"),
    ),
    plant(
        "goods that left at no time",
        {"shipment/shipment-state-has-its-instant": _DELIVERED},
        update("shipment", "handed_over_at = null", f"id = ({_DELIVERED})"),
    ),
    plant(
        "a shipment that is blocked and nobody says why",
        {"shipment/blocked-says-why": _SHIPMENT},
        update("shipment", "state = 'blocked', reason = ''", f"id = ({_SHIPMENT})"),
    ),
    plant(
        "a delivery of which no parcel tells",
        {"parcel/delivered-is-told-by-each-parcel": f"select id from eckit_parcel where shipment_id = ({_DELIVERED})"},
        delete("tracking", f"parcel_id = (select id from eckit_parcel where shipment_id = ({_DELIVERED}))"),
    ),
    plant(
        "a parcel that is nowhere known",
        {"tracking/tracking-status-is-known": "trk_x"},
        copied("tracking", "id = (select min(id) from eckit_tracking)", id="'trk_x'", status="'nowhere'"),
    ),
)

_AROUND: Final = (
    plant(
        "a mail that was sent at no time",
        {"mail/sent-mail-has-its-instant": _MAIL},
        update("mail", "sent_at = null", f"id = ({_MAIL})"),
    ),
    plant(
        "a mail that was given up and nobody says why",
        {"mail/given-up-mail-says-why": _MAIL},
        update("mail", "state = 'given_up', sent_at = null, last_failure = ''",
               f"id = ({_MAIL})"),
    ),
    plant(
        "a market that cannot be read",
        {"setup/setup-is-sound": "stp_x"},
        added("setup", id="'stp_x'", kind="'market'", code="'x'", body="'{{}}'", changed_at="{later}"),
    ),
)  # fmt: skip

CORRUPTIONS: Final = of("histories contain only declared transitions", *_PAYMENTS, *_ORDERS, *_GOODS, *_AROUND)
