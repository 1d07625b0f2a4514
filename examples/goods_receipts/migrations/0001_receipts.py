"""The tables of receipts and their lines."""

import sqlalchemy as sa
from alembic import op

from eckit.kernel.tables import SCHEMA, Instant

revision = "goods_receipts_0001"
down_revision = None
branch_labels = ("goods-receipts",)
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "goods_receipts_receipt",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("supplier", sa.String(200), nullable=False),
        sa.Column("received_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_goods_receipts_receipt"),
        schema=SCHEMA,
    )
    op.create_table(
        "goods_receipts_line",
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("sku", sa.String(80), nullable=False),
        sa.Column("steps", sa.Integer, nullable=False),
        sa.Column("unit_cost_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.PrimaryKeyConstraint("number", "sku", name="pk_goods_receipts_line"),
        sa.ForeignKeyConstraint(
            ["number"], [f"{SCHEMA}.goods_receipts_receipt.number"], name="fk_goods_receipts_line_number"
        ),
        schema=SCHEMA,
    )
