"""One line of the export of orders: amounts are numbers, texts cannot be taken for formulas."""

from decimal import Decimal
from typing import Final

from eckit.kernel.money import from_minor
from eckit.kernel.text import neutralize_cell
from eckit.order.model import Order

COLUMNS: Final = (
    "number",
    "id",
    "placed_at",
    "confirmed_at",
    "state",
    "reason",
    "origin",
    "channel_id",
    "market_id",
    "customer_id",
    "locale",
    "currency",
    "total",
    "current_total",
)
"""The columns of the export; amounts are in whole units of ``currency``, tax included, instants in UTC."""


def cells(order: Order) -> tuple[str | Decimal, ...]:
    """The cells of an order: text made inert, amounts as numbers with the currency's decimals."""
    texts = (
        order.number,
        order.id,
        order.placed_at.isoformat(),
        order.confirmed_at.isoformat() if order.confirmed_at else "",
        order.state.value,
        order.reason,
        order.origin,
        order.channel_id,
        order.market_id,
        order.customer_id or "",
        order.locale,
        order.currency,
    )
    amounts = (from_minor(minor, order.currency).amount for minor in (order.total_minor, order.current_total_minor))
    return (*(neutralize_cell(text) for text in texts), *amounts)
