"""The plugin's own tables: services, their dated fares, and places they do not go to."""

import sqlalchemy as sa
from sqlalchemy import MetaData

from eckit.kernel.tables import Instant, Json, plugin_metadata

__all__ = ["MetaData", "excluded", "metadata", "rate", "service"]

metadata = plugin_metadata()

service = sa.Table(
    "tablerate_service",
    metadata,
    sa.Column("code", sa.String(40), primary_key=True),
    sa.Column("label", Json, nullable=False),
    sa.Column("tax_class", sa.String(80), nullable=False),
    sa.Column("zone", sa.String(60), nullable=False),
    # Goods worth at least so much go free; null: never.
    sa.Column("free_from_minor", sa.BigInteger, nullable=True),
    sa.Column("free_currency", sa.String(3), nullable=True),
    sa.CheckConstraint("(free_from_minor is null) = (free_currency is null)", name="free"),
    sa.CheckConstraint("free_from_minor >= 0", name="free_from_minor"),
)

rate = sa.Table(
    "tablerate_rate",
    metadata,
    # The key is what is sent where, and in whose money, from an instant on; a region of "" is the whole country.
    sa.Column("service", sa.String(40), sa.ForeignKey(service.c.code), primary_key=True),
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("region", sa.String(100), primary_key=True),
    sa.Column("max_weight_grams", sa.BigInteger, primary_key=True),
    sa.Column("currency", sa.String(3), primary_key=True),
    sa.Column("tax_included", sa.Boolean, primary_key=True),
    sa.Column("valid_from", Instant, primary_key=True),
    sa.Column("valid_to", Instant, nullable=True),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("lead_days", sa.Integer, nullable=True),
    sa.CheckConstraint("amount_minor >= 0", name="amount_minor"),
    sa.CheckConstraint("max_weight_grams > 0", name="max_weight_grams"),
    sa.CheckConstraint("lead_days >= 0", name="lead_days"),
)
"""Fares of one parcel, half-open in time: ``valid_from <= at < valid_to``. Of several of one key that cover an instant
the latest counts, so that a fare for a season goes back to the one before."""

excluded = sa.Table(
    "tablerate_excluded",
    metadata,
    sa.Column("service", sa.String(40), sa.ForeignKey(service.c.code), primary_key=True),
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("region", sa.String(100), primary_key=True),  # "" for any
    sa.Column("postal_prefix", sa.String(16), primary_key=True),  # "" for any; the first three signs are known
)
