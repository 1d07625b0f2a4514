"""The plugin's own table."""

import sqlalchemy as sa
from sqlalchemy import MetaData

from eckit.kernel.tables import Instant, Json, plugin_metadata

__all__ = ["MetaData", "metadata", "rate"]

metadata = plugin_metadata()

rate = sa.Table(
    "tax_table_rate",
    metadata,
    # The key is the place and the class from an instant on; a region of "" is the whole country.
    sa.Column("country", sa.String(2), primary_key=True),
    sa.Column("region", sa.String(80), primary_key=True),
    sa.Column("tax_class", sa.String(80), primary_key=True),
    sa.Column("valid_from", Instant, primary_key=True),
    sa.Column("valid_to", Instant, nullable=True),
    sa.Column("code", sa.String(80), nullable=False),
    # A Decimal as text: neither database may round it.
    sa.Column("rate", sa.String(40), nullable=False),
    sa.Column("label", Json, nullable=False),
)
"""Rates, half-open in time: ``valid_from <= at < valid_to``. Of several that cover an instant the latest counts, so
that a rate for a season goes back to the one before."""
