"""Decides what is given, and when: conditions and actions come from plugins, one documented algorithm combines them.

Uses of codes never exceed their limits: conditional updates claim them in the transaction that places the order.
"""

from eckit.promotion.errors import (
    BuyerUnknownError,
    CouponExhaustedError,
    CouponTakenError,
    PromotionCodeTakenError,
)
from eckit.promotion.model import (
    ORDER,
    SHIPPING,
    Action,
    Adjustment,
    CodeAnswer,
    CodeStatus,
    Condition,
    Coupon,
    Draft,
    DraftLine,
    Matched,
    Promotion,
    PromotionChanged,
    Redemption,
    RuleRef,
    Use,
)

__all__ = [
    "ORDER",
    "SHIPPING",
    "Action",
    "Adjustment",
    "BuyerUnknownError",
    "CodeAnswer",
    "CodeStatus",
    "Condition",
    "Coupon",
    "CouponExhaustedError",
    "CouponTakenError",
    "Draft",
    "DraftLine",
    "Matched",
    "Promotion",
    "PromotionChanged",
    "PromotionCodeTakenError",
    "Redemption",
    "RuleRef",
    "Use",
]
