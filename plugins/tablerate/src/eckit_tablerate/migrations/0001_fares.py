"""Services, fares and excluded places."""

import sqlalchemy as sa
from alembic import op

from eckit.kernel.tables import SCHEMA, Instant, Json

revision = "tablerate_0001"
down_revision = None
branch_labels = ("tablerate",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tablerate_service",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("label", Json, nullable=False),
        sa.Column("tax_class", sa.String(80), nullable=False),
        sa.Column("zone", sa.String(60), nullable=False),
        sa.Column("free_from_minor", sa.BigInteger, nullable=True),
        sa.Column("free_currency", sa.String(3), nullable=True),
        sa.PrimaryKeyConstraint("code", name="pk_tablerate_service"),
        sa.CheckConstraint(
            "(free_from_minor is null) = (free_currency is null)", name=op.f("ck_tablerate_service_free")
        ),
        sa.CheckConstraint("free_from_minor >= 0", name=op.f("ck_tablerate_service_free_from_minor")),
        schema=SCHEMA,
    )
    op.create_table(
        "tablerate_rate",
        sa.Column("service", sa.String(40), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("region", sa.String(100), nullable=False),
        sa.Column("max_weight_grams", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("tax_included", sa.Boolean, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant, nullable=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("lead_days", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint(
            "service",
            "country",
            "region",
            "max_weight_grams",
            "currency",
            "tax_included",
            "valid_from",
            name="pk_tablerate_rate",
        ),
        sa.ForeignKeyConstraint(["service"], [f"{SCHEMA}.tablerate_service.code"], name="fk_tablerate_rate_service"),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_tablerate_rate_amount_minor")),
        sa.CheckConstraint("max_weight_grams > 0", name=op.f("ck_tablerate_rate_max_weight_grams")),
        sa.CheckConstraint("lead_days >= 0", name=op.f("ck_tablerate_rate_lead_days")),
        schema=SCHEMA,
    )
    op.create_table(
        "tablerate_excluded",
        sa.Column("service", sa.String(40), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("region", sa.String(100), nullable=False),
        sa.Column("postal_prefix", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("service", "country", "region", "postal_prefix", name="pk_tablerate_excluded"),
        sa.ForeignKeyConstraint(
            ["service"], [f"{SCHEMA}.tablerate_service.code"], name="fk_tablerate_excluded_service"
        ),
        schema=SCHEMA,
    )
