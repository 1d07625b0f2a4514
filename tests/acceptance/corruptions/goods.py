"""Corruptions of stock, shipments and codes."""

from typing import Final

from tests.acceptance.corruptions.planting import added, copied, delete, of, plant, update

_VARIANT: Final = "(select variant_id from eckit_order_line where id = '{lost.line1}')"
_OF_LOST: Final = f"variant_id = {_VARIANT}"
_LEVEL: Final = f"from eckit_level where {_OF_LOST}"
_PLACE: Final = f"select variant_id || '@' || location_id {_LEVEL}"
_A_HOLD: Final = "owner = 'order:{lost.order}'"
_SHIPMENT: Final = "select distinct shipment_id from eckit_shipment_line where order_id = '{domestic.order}'"


def _counters(on_hand: str = "on_hand", reserved: str = "reserved", promised: str = "promised") -> str:
    place = "variant_id || '@' || location_id"
    return f"select {place} || '/' || {on_hand} || '/' || {reserved} || '/' || {promised} || '/' || cap {_LEVEL}"


_SHELF: Final = (
    *of(
        "0 ≤ on hand",
        plant(
            "less than nothing on the shelf",
            {"level/counters-in-bounds": _counters(on_hand="-1")},
            copied("stock_movement", f"{_OF_LOST} and kind = 'receive'", id="'smv_x'", kind="'count'",
                   steps=f"-1 - (select on_hand {_LEVEL})"),
            update("level", "on_hand = -1", _OF_LOST),
        ),
    ),
    *of(
        "reserved ≤ on hand + open shortages",
        plant(
            "more is reserved than there is",
            {"level/counters-in-bounds": _counters(reserved="(on_hand + reserved)")},
            update("level", "reserved = on_hand + reserved", _OF_LOST),
            copied("hold", _A_HOLD, id="'hld_x'", owner="'till.sale:1'", line_id="null", until="{later}",
                   steps=f"(select on_hand {_LEVEL})"),
        ),
        plant(
            "nobody's goods are reserved",
            {"level/holds-make-reserved": _PLACE},
            update("level", "reserved = reserved + 1", _OF_LOST),
        ),
        plant(
            "a shortage that the shelf does not know",
            {"level/shortages-make-short": "select variant_id || '@' || location_id from eckit_shortage"},
            update("shortage", "steps = steps + 1", "1 = 1"),
        ),
        plant(
            "an ordered piece that nobody holds",
            {"order_line/what-is-open-is-held": "{lost.order}/{lost.line1}"},
            update("hold", "line_id = null", _A_HOLD),
        ),
    ),
    *of(
        "promised beyond stock ≤ its cap, only where the variant allows it",
        plant(
            "goods are promised that may not be",
            {"level/counters-in-bounds": _counters(promised="1")},
            update("level", "promised = 1", _OF_LOST),
            copied("hold", _A_HOLD, id="'hld_x'", owner="'till.sale:1'", line_id="null", until="{later}", steps=1,
                   source="'capacity'"),
        ),
        plant(
            "a promise that the shelf does not know",
            {"level/holds-make-promised": _PLACE},
            copied("hold", _A_HOLD, id="'hld_x'", owner="'till.sale:1'", line_id="null", until="{later}", steps=1,
                   source="'capacity'"),
        ),
    ),
    *of(
        "movements = on hand, each with one cause",
        plant(
            "goods that nothing brought",
            {"level/movements-make-on-hand": _PLACE},
            update("level", "on_hand = on_hand + 1", _OF_LOST),
        ),
        plant(
            "a movement without a cause",
            {"stock_movement/movement-has-one-cause": f"select id from eckit_stock_movement where {_OF_LOST} "
             "and kind = 'receive'"},
            update("stock_movement", "cause = ''", f"{_OF_LOST} and kind = 'receive'"),
        ),
        plant(
            "goods that were received and became less",
            {"stock_movement/sold-goods-leave": "smv_x/receive", "level/movements-make-on-hand": _PLACE},
            copied("stock_movement", f"{_OF_LOST} and kind = 'receive'", id="'smv_x'", steps=-1),
        ),
        plant(
            "goods left and stock did not fall",
            {"shipment/what-left-is-sold": _SHIPMENT},
            update("stock_movement", "cause = 'shipment:shm_x'", f"cause = 'shipment:' || ({_SHIPMENT})"),
        ),
        plant(
            "goods left in no parcel",
            {"shipment/what-left-has-a-parcel": _SHIPMENT},
            delete("tracking", f"parcel_id in (select id from eckit_parcel where shipment_id = ({_SHIPMENT}))"),
            delete("parcel", f"shipment_id = ({_SHIPMENT})"),
        ),
    ),
    *of(
        "each hold belongs to a live registered owner or has expired",
        plant(
            "a hold of nobody",
            {"hold/hold-has-its-owner": "hld_x"},
            copied("hold", _A_HOLD, id="'hld_x'", owner="'nobody:1'", line_id="null"),
            update("level", "reserved = reserved + 1", _OF_LOST),
        ),
        plant(
            "a hold of a canceled order",
            {"hold/hold-is-of-a-live-order": "hld_x"},
            copied("hold", _A_HOLD, id="'hld_x'", owner="'order:{canceled.order}'", line_id="null"),
            update("level", "reserved = reserved + 1", _OF_LOST),
        ),
        plant(
            "an order's hold with an end",
            {"hold/hold-of-an-order-has-no-end": f"select id from eckit_hold where {_A_HOLD}"},
            update("hold", "until = held_at", _A_HOLD),
        ),
    ),
)  # fmt: skip

_USE: Final = "order_id = '{lapsed.order}'"
_FEW: Final = "code = 'FEW'"
_DOMESTIC: Final = "customer_key = (select customer_key from eckit_redemption where order_id = '{domestic.order}')"


def _welcome(used: str) -> str:
    return f"select id || '/{used}' from eckit_promotion where code = 'WELCOME'"


def _customer(used: str) -> str:
    return f"select promotion_id || ' ' || customer_key || '/{used}' from eckit_promotion_customer where {_DOMESTIC}"


_CODES: Final = of(
    "redemptions ≤ limits",
    plant(
        "a promotion used beyond its limit",
        {"promotion/promotion-within-its-limit": _welcome("101"),
         "promotion/promotion-counts-its-uses": _welcome("101")},
        update("promotion", "used = 101", "code = 'WELCOME'"),
    ),
    plant(
        "a promotion with more uses than its limit",
        {"promotion/promotion-within-its-limit": _welcome("0"),
         "promotion/promotion-counts-its-uses": _welcome("0")},
        update("promotion", "used = 0, limit_total = 0", "code = 'WELCOME'"),
    ),
    plant(
        "a promotion counts one use too many",
        {"promotion/promotion-counts-its-uses": _welcome("2")},
        update("promotion", "used = used + 1", "code = 'WELCOME'"),
    ),
    plant(
        "a code used beyond its limit",
        {"coupon/code-within-its-limit": "FEW@/6", "coupon/code-counts-its-uses": "FEW@/6"},
        update("coupon", "used = 6", _FEW),
    ),
    plant(
        "a code counts a use that was none",
        {"coupon/code-counts-its-uses": "FEW@/2"},
        update("coupon", "used = 2", _FEW),
    ),
    plant(
        "a customer used a promotion beyond the limit",
        {"promotion_customer/customer-within-the-limit": _customer("2"),
         "promotion_customer/customer-counts-the-uses": _customer("2")},
        update("promotion_customer", "used = 2", _DOMESTIC),
    ),
    plant(
        "a customer's use is not counted",
        {"promotion_customer/customer-counts-the-uses": _customer("0")},
        update("promotion_customer", "used = 0", _DOMESTIC),
    ),
    plant(
        "one promotion twice in an order",
        {"redemption/one-use-of-an-order": "select id || '/' || promotion_id from eckit_redemption "
         "where order_id = '{domestic.order}'",
         "promotion/promotion-counts-its-uses": _welcome("1"),
         "promotion_customer/customer-counts-the-uses": _customer("1")},
        copied("redemption", "order_id = '{domestic.order}'", id="'rdm_x'"),
    ),
    plant(
        "a use of an order that lapsed",
        {"redemption/use-is-of-a-live-order": f"select id from eckit_redemption where {_USE}"},
        update("redemption", "released_at = null", _USE),
        update("promotion", "used = used + 1", "code = 'WELCOME'"),
        update("promotion_customer", "used = used + 1",
               f"customer_key = (select customer_key from eckit_redemption where {_USE})"),
    ),
    plant(
        "a use that gave another amount",
        {"redemption/use-is-what-was-given": "select id from eckit_redemption "
         "where order_id = '{domestic.order}'"},
        update("redemption", "amount_minor = amount_minor + 1", "order_id = '{domestic.order}'"),
    ),
    plant(
        "something was given and no code used",
        {"charge/what-was-given-is-a-use": "select order_id || '/' || id from eckit_charge "
         "where order_id = '{coded.order}' and promotion_id is not null",
         "coupon/code-counts-its-uses": "FEW@/1"},
        delete("redemption", "order_id = '{coded.order}'"),
    ),
    plant(
        "a use of no promotion",
        {"redemption/use-names-its-promotion": "select id from eckit_redemption "
         "where order_id = '{coded.order}'",
         "redemption/use-names-its-code": "select id from eckit_redemption where order_id = '{coded.order}'",
         "redemption/use-is-what-was-given": "select id from eckit_redemption where order_id = '{coded.order}'",
         "charge/what-was-given-is-a-use": "select order_id || '/' || id from eckit_charge "
         "where order_id = '{coded.order}' and promotion_id is not null",
         "coupon/code-counts-its-uses": "FEW@/1"},
        update("redemption", "promotion_id = 'prm_x'", "order_id = '{coded.order}'"),
    ),
    plant(
        "a use of a code that is not there",
        {"redemption/use-names-its-code": "select id from eckit_redemption where order_id = '{domestic.order}'"},
        update("redemption", "coupon = 'NONE'", "order_id = '{domestic.order}'"),
    ),
    plant(
        "a code that opens nothing",
        {"coupon/code-opens-a-promotion": "NEW@"},
        added("coupon", code="'NEW'", channel_id="''", promotion_id="'prm_x'", used=0),
    ),
)  # fmt: skip

_WINDOWS: Final = of(
    "validity windows are half-open instants from the shop's zone",
    plant(
        "a price whose time ends before it starts",
        {"price/price-window": "select variant_id || '/' || list_id || '/' || min_steps from eckit_price "
         f"where {_OF_LOST}"},
        update("price", "window_start = {later}, window_end = {earlier}", _OF_LOST),
    ),
    plant(
        "a promotion whose time ends before it starts",
        {"promotion/promotion-window-is-half-open":
         "select id || '/2026-05-02 00:00:00+00:00' from eckit_promotion where code = 'WELCOME'"},
        update("promotion", "starts_at = {later}, ends_at = {earlier}", "code = 'WELCOME'"),
    ),
    plant(
        "a link whose time ends before it starts",
        {"external_ref/link-window-is-half-open":
         "select id || '/2026-05-02 00:00:00+00:00' from eckit_external_ref"},
        update("external_ref", "since = {later}, until = {earlier}", "1 = 1"),
    ),
    plant(
        "a rate that ends before it starts",
        {"rate/kept-rate-is-usable": "EUR-JPY-bank-2026-05-02T00:00:00+00:00"},
        added("rate", base="'EUR'", quote="'JPY'", source="'bank'", at="{later}", rate="'160'",
              valid_until="{earlier}", spread="'0'"),
    ),
)  # fmt: skip

CORRUPTIONS: Final = (*_SHELF, *_CODES, *_WINDOWS)
