"""Pricing in stages, each a pure function over a growing sheet; the flow asks plugins between them.

``start`` → ``price_lines`` → ``reduce`` (lines, then the order) → ``ship`` → ``reduce_shipping`` →
``charge_fees_and_tax`` → ``finish``, which gives the Quote.
"""

from eckit.pricing.rules.choice import choose_price
from eckit.pricing.rules.delivery import can_ask_carriers, priced_group, ship, to_ship
from eckit.pricing.rules.digest import digest
from eckit.pricing.rules.exchange import to_convert, to_round
from eckit.pricing.rules.explain import explain
from eckit.pricing.rules.fees import charge_fees_and_tax, check_fees, solve_fees
from eckit.pricing.rules.finish import dues, finish, require_ready, require_same, with_digest
from eckit.pricing.rules.goods import price_lines
from eckit.pricing.rules.reductions import after_shipping_promotions, reduce, reduce_shipping
from eckit.pricing.rules.sheet import Sheet, Terms, start
from eckit.pricing.rules.sums import add_up
from eckit.pricing.rules.taxes import TaxAnswer, TaxAsk
from eckit.pricing.rules.uses import uses

__all__ = [
    "Sheet",
    "TaxAnswer",
    "TaxAsk",
    "Terms",
    "add_up",
    "after_shipping_promotions",
    "can_ask_carriers",
    "charge_fees_and_tax",
    "check_fees",
    "choose_price",
    "digest",
    "dues",
    "explain",
    "finish",
    "price_lines",
    "priced_group",
    "reduce",
    "reduce_shipping",
    "require_ready",
    "require_same",
    "ship",
    "solve_fees",
    "start",
    "to_convert",
    "to_round",
    "to_ship",
    "uses",
    "with_digest",
]
