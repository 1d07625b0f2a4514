"""The table of rates."""

import sqlalchemy as sa
from alembic import op

from eckit.kernel.tables import SCHEMA, Instant, Json

revision = "tax_table_0001"
down_revision = None
branch_labels = ("tax-table",)
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tax_table_rate",
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("region", sa.String(80), nullable=False),
        sa.Column("tax_class", sa.String(80), nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant, nullable=True),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("rate", sa.String(40), nullable=False),
        sa.Column("label", Json, nullable=False),
        sa.PrimaryKeyConstraint("country", "region", "tax_class", "valid_from", name="pk_tax_table_rate"),
        schema=SCHEMA,
    )
