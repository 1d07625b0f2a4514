"""The standard promotions: conditions on goods value, category and SKU; percentage and amount off.

Settings of a rule are stored with the promotion::

    condition = { code = "category", settings = { category = "food>tea" } }
    action = { code = "percent_off", settings = { percent = "10" } }
"""

from typing import Final

from eckit import Action, Condition, hookimpl
from eckit_promotions.actions import AmountOff, PercentOff, ShippingOff
from eckit_promotions.conditions import CategoryInCart, GoodsMinimum, SkuInCart


class Promotions:
    """Plugin ``promotions``."""

    name = "promotions"
    version = "0.1.0"
    eckit_interface: Final = {"promotion": 1}

    @hookimpl
    def register_promotion_conditions(self) -> tuple[Condition, ...]:
        """``goods_minimum``, ``category``, ``sku``."""
        return GoodsMinimum(), CategoryInCart(), SkuInCart()

    @hookimpl
    def register_promotion_actions(self) -> tuple[Action, ...]:
        """``percent_off``, ``amount_off``, ``shipping_off``."""
        return PercentOff(), AmountOff(), ShippingOff()


plugin = Promotions()
