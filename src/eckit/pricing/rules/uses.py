"""Which promotions an order of a quote uses."""

from collections import defaultdict

from eckit.kernel.ids import PromotionId
from eckit.pricing.model import Quote
from eckit.promotion.model import Use


def uses(quote: Quote) -> tuple[Use, ...]:
    """Each promotion that made a charge, once, with the code that opened it and what it gave in all."""
    amounts: defaultdict[tuple[PromotionId, str | None], int] = defaultdict(int)
    for charge in quote.charges:
        if charge.promotion_id is not None:
            amounts[charge.promotion_id, charge.coupon] -= charge.amount_minor
    return tuple(
        Use(promotion_id=promotion_id, coupon=coupon, amount_minor=amount)
        for (promotion_id, coupon), amount in sorted(amounts.items(), key=lambda item: item[0][0])
    )
