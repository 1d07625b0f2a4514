"""Tables of orders: the sealed record as one text, and rows beside it for what is queried."""

import sqlalchemy as sa

from eckit.kernel.tables import SCHEMA, Json, at, core_table, currency, ident, metadata, minor


def _steps(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


order = core_table(
    "order",
    ident("id", primary_key=True),
    ident("number", unique=True),
    ident("token", unique=True),
    ident("channel_id"),
    ident("market_id"),
    ident("origin"),
    ident("cart_id", nullable=True),
    sa.Column("cart_version", sa.BigInteger, nullable=True),
    ident("live_cart_key", nullable=True, unique=True),
    sa.Column("openers", Json, nullable=False),
    ident("customer_id", nullable=True),
    ident("buyer", nullable=True),
    ident("bill_to", nullable=True),
    currency(),
    sa.Column("locale", sa.String(35), nullable=False),
    ident("basis"),
    sa.Column("state", sa.String(10), nullable=False),
    ident("reason", server_default=""),
    at("placed_at"),
    at("recorded_at"),
    at("confirmed_at", nullable=True),
    at("pay_by", nullable=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    minor("total_minor"),
    minor("current_total_minor"),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.CheckConstraint("number <> ''", name="number"),
    sa.CheckConstraint("token <> ''", name="token"),
    sa.CheckConstraint("state in ('placed', 'canceled', 'closed')", name="state"),
    sa.CheckConstraint("(state = 'canceled') = (reason <> '')", name="reason"),
    sa.CheckConstraint("total_minor >= 0 and current_total_minor >= 0", name="total"),
    sa.CheckConstraint("version >= 1", name="version"),
    sa.CheckConstraint("confirmed_at is null or reason <> 'lapsed'", name="lapsed"),
    sa.Index("ix_eckit_order_placed", "placed_at", "id"),
    sa.Index("ix_eckit_order_customer", "customer_id", "placed_at"),
    sa.Index("ix_eckit_order_cart", "cart_id"),
    sa.Index("ix_eckit_order_due", "state", "pay_by"),
)

order_line = core_table(
    "order_line",
    ident("order_id", sa.ForeignKey(order.c.id), primary_key=True),
    ident("id", primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    ident("group_id"),
    ident("seller_id"),
    ident("variant_id", nullable=True),
    ident("sku"),
    sa.Column("title", Json, nullable=False),
    sa.Column("option", Json, nullable=False),
    sa.Column("steps", sa.BigInteger, nullable=False),
    currency(),
    minor("unit_minor"),
    minor("goods_minor"),
    minor("total_minor"),
    ident("tax_class"),
    ident("supply"),
    _steps("canceled_steps"),
    _steps("shipped_steps"),
    _steps("returned_steps"),
    ident("parent_id", nullable=True),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.CheckConstraint("unit_minor >= 0 and goods_minor >= 0 and total_minor >= 0", name="amounts"),
    sa.CheckConstraint("canceled_steps >= 0 and shipped_steps >= 0 and returned_steps >= 0", name="counters"),
    sa.CheckConstraint("canceled_steps + shipped_steps <= steps", name="open"),
    sa.CheckConstraint("returned_steps <= shipped_steps", name="returned"),
    sa.Index("ix_eckit_order_line_variant", "variant_id"),
)

charge = core_table(
    "charge",
    ident("order_id", sa.ForeignKey(order.c.id), primary_key=True),
    ident("id", primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    ident("target"),
    ident("kind"),
    sa.Column("code", sa.String(200), nullable=False),
    sa.Column("label", Json, nullable=False),
    currency(),
    minor("amount_minor"),
    ident("tax_class", nullable=True),
    sa.Column("included", sa.Boolean, nullable=False),
    ident("funded_by", nullable=True),
    ident("earned_by", nullable=True),
    ident("remitted_by", nullable=True),
    ident("tax_code", nullable=True),
    sa.Column("tax_rate", sa.String(40), nullable=True),
    minor("tax_base_minor", nullable=True),
    ident("jurisdiction", nullable=True),
    ident("plugin"),
    sa.Column("rule", sa.String(200), nullable=False),
    ident("promotion_id", nullable=True),
    sa.Column("coupon", sa.String(80), nullable=True),
    sa.Index("ix_eckit_charge_promotion", "promotion_id"),
)

placement = core_table(
    "placement",
    ident("order_id", sa.ForeignKey(order.c.id), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
)

amendment = core_table(
    "amendment",
    ident("id", primary_key=True),
    ident("order_id", sa.ForeignKey(order.c.id)),
    sa.Column("seq", sa.Integer, nullable=False),
    ident("kind"),
    ident("state"),
    sa.Column("deltas", Json, nullable=False),
    currency(),
    minor("amount_minor"),
    ident("reason"),
    ident("by"),
    at("at"),
    sa.Column("body", Json, nullable=False),
    sa.Column("previous_digest", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.UniqueConstraint("order_id", "seq"),
)

block = core_table(
    "block",
    ident("id", primary_key=True),
    ident("order_id", sa.ForeignKey(order.c.id)),
    ident("kind"),
    sa.Column("reason", sa.String(2000), nullable=False),
    ident("group_id", nullable=True),
    at("until", nullable=True),
    ident("placed_by"),
    at("placed_at"),
    ident("lifted_by", nullable=True),
    at("lifted_at", nullable=True),
    sa.CheckConstraint("(lifted_by is null) = (lifted_at is null)", name="lifted"),
    sa.Index("ix_eckit_block_order", "order_id"),
)

order_link = core_table(
    "order_link",
    ident("from_id", sa.ForeignKey(order.c.id), primary_key=True),
    ident("to_id", sa.ForeignKey(order.c.id), primary_key=True),
    ident("kind", primary_key=True),
    sa.CheckConstraint("from_id <> to_id", name="two"),
    sa.Index("ix_eckit_order_link_to", "to_id"),
)

number_counter = core_table(
    "number_counter",
    ident("name", primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""Where SQLite counts; PostgreSQL has :data:`number_sequence`. Both leave gaps, neither ever goes back."""

number_sequence = sa.Sequence("eckit_order_number", metadata=metadata, schema=SCHEMA)
