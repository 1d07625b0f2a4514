"""Tables of stock."""

import sqlalchemy as sa

from eckit.kernel.ids import LocationId, VariantId
from eckit.kernel.tables import at, core_table, ident, minor

location = core_table(
    "location",
    ident("id", primary_key=True),
    ident("code", unique=True),
    ident("kind"),
    sa.Column("name", sa.String(200), nullable=False, server_default=""),
    ident("party_id", nullable=True),
    ident("owner"),
    sa.Column("sellable", sa.Boolean, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
)


def _steps(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


level = core_table(
    "level",
    ident("variant_id", primary_key=True),
    ident("location_id", sa.ForeignKey(location.c.id), primary_key=True),
    _steps("on_hand"),
    _steps("reserved"),
    _steps("promised"),
    _steps("cap"),
    _steps("short"),
    _steps("version"),
    sa.CheckConstraint("on_hand >= 0", name="on_hand"),
    sa.CheckConstraint("reserved >= 0 and reserved <= on_hand + short", name="reserved"),
    sa.CheckConstraint("promised >= 0 and promised <= cap", name="promised"),
    sa.CheckConstraint("short >= 0", name="short"),
)

hold = core_table(
    "hold",
    ident("id", primary_key=True),
    sa.Column("owner", sa.String(120), nullable=False),
    ident("variant_id"),
    ident("location_id"),
    ident("line_id", nullable=True),
    sa.Column("steps", sa.BigInteger, nullable=False),
    sa.Column("source", sa.String(20), nullable=False),
    at("until", nullable=True),
    sa.Column("state", sa.String(10), nullable=False),
    at("held_at"),
    at("ended_at", nullable=True),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.CheckConstraint("state in ('live', 'used', 'released')", name="state"),
    sa.Index("ix_eckit_hold_owner", "owner", "state"),
    sa.Index("ix_eckit_hold_place", "variant_id", "location_id", "state"),
    sa.Index("ix_eckit_hold_until", "until"),
)

movement = core_table(
    "stock_movement",
    ident("id", primary_key=True),
    ident("variant_id"),
    ident("location_id"),
    sa.Column("steps", sa.BigInteger, nullable=False),
    ident("kind"),
    sa.Column("cause", sa.String(120), nullable=False),
    minor("unit_cost_minor", nullable=True),
    sa.Column("cost_currency", sa.String(3), nullable=True),
    at("at"),
    ident("by"),
    sa.CheckConstraint("steps <> 0", name="steps"),
    sa.CheckConstraint("cause <> ''", name="cause"),
    sa.Index("ix_eckit_stock_movement_place", "variant_id", "location_id"),
)

shortage = core_table(
    "shortage",
    ident("id", primary_key=True),
    ident("variant_id"),
    ident("location_id"),
    sa.Column("steps", sa.BigInteger, nullable=False),
    sa.Column("cause", sa.String(120), nullable=False),
    at("opened_at"),
    at("closed_at", nullable=True),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.Index("ix_eckit_shortage_place", "variant_id", "location_id", "closed_at"),
)

Place = tuple[VariantId, LocationId]
_MANY = 500
"""More places than this are looked up by reading all that owe something, which are few."""
