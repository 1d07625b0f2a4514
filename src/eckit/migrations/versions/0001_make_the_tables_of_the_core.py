"""Make the tables of the core"""

import sqlalchemy as sa
from alembic import op

from eckit.kernel.tables import Instant, Json

revision = "core_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the core"""
    op.create_table(
        "eckit_account",
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("email_key", sa.String(length=300), nullable=False),
        sa.CheckConstraint("email_key <> ''", name=op.f("ck_eckit_account_email_key")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_eckit_account")),
        sa.UniqueConstraint("email_key", name=op.f("uq_eckit_account_email_key")),
        schema="eckit",
    )
    op.create_table(
        "eckit_answer",
        sa.Column("engine", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", Json(), nullable=True),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("engine", "digest", name=op.f("pk_eckit_answer")),
        schema="eckit",
    )
    op.create_index("ix_eckit_answer_valid_until", "eckit_answer", ["valid_until"], unique=False, schema="eckit")
    op.create_table(
        "eckit_cart",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=True),
        sa.Column("merged_into", sa.String(length=80), nullable=True),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.CheckConstraint("(state = 'taken') = (order_id is not null)", name=op.f("ck_eckit_cart_order")),
        sa.CheckConstraint("merged_into is null or state = 'abandoned'", name=op.f("ck_eckit_cart_merged")),
        sa.CheckConstraint("state in ('open', 'taken', 'abandoned')", name=op.f("ck_eckit_cart_state")),
        sa.CheckConstraint("token <> ''", name=op.f("ck_eckit_cart_token")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_eckit_cart_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_cart")),
        sa.UniqueConstraint("token", name=op.f("uq_eckit_cart_token")),
        schema="eckit",
    )
    op.create_index("ix_eckit_cart_customer", "eckit_cart", ["customer_id"], unique=False, schema="eckit")
    op.create_index("ix_eckit_cart_due", "eckit_cart", ["state", "expires_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_category",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("parent_id", sa.String(length=80), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_eckit_category_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["eckit.eckit_category.id"], name=op.f("fk_eckit_category_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_category")),
        sa.UniqueConstraint("code", name=op.f("uq_eckit_category_code")),
        schema="eckit",
    )
    op.create_index(op.f("ix_eckit_category_parent_id"), "eckit_category", ["parent_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_consent",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("asserted_by", sa.String(length=80), nullable=False),
        sa.Column("text_version", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_consent")),
        schema="eckit",
    )
    op.create_index("ix_eckit_consent_owner", "eckit_consent", ["owner", "purpose"], unique=False, schema="eckit")
    op.create_table(
        "eckit_coupon",
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("promotion_id", sa.String(length=80), nullable=False),
        sa.Column("limit_total", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("code <> ''", name=op.f("ck_eckit_coupon_code")),
        sa.CheckConstraint(
            "used >= 0 and (limit_total is null or used <= limit_total)", name=op.f("ck_eckit_coupon_used")
        ),
        sa.PrimaryKeyConstraint("code", "channel_id", name=op.f("pk_eckit_coupon")),
        schema="eckit",
    )
    op.create_index("ix_eckit_coupon_promotion", "eckit_coupon", ["promotion_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_credential",
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("scheme", sa.String(length=80), nullable=False),
        sa.Column("data", Json(), nullable=False),
        sa.Column("rehash_wanted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "kind", name=op.f("pk_eckit_credential")),
        schema="eckit",
    )
    op.create_table(
        "eckit_customer",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("locale", sa.String(length=20), nullable=False),
        sa.Column("groups", Json(), nullable=False),
        sa.Column("party_id", sa.String(length=80), nullable=True),
        sa.Column("merged_into", sa.String(length=80), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_customer")),
        schema="eckit",
    )
    op.create_table(
        "eckit_external_ref",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("raw", sa.String(length=200), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_external_ref")),
        sa.UniqueConstraint(
            "channel_id", "kind", "external_id", name=op.f("uq_eckit_external_ref_channel_id_kind_external_id")
        ),
        schema="eckit",
    )
    op.create_index("ix_eckit_external_ref_owner", "eckit_external_ref", ["owner"], unique=False, schema="eckit")
    op.create_table(
        "eckit_facet",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("owner_kind", sa.String(length=80), nullable=False),
        sa.Column("owner_id", sa.String(length=80), nullable=False),
        sa.Column("namespace", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_facet")),
        sa.UniqueConstraint(
            "owner_kind", "owner_id", "namespace", name=op.f("uq_eckit_facet_owner_kind_owner_id_namespace")
        ),
        schema="eckit",
    )
    op.create_table(
        "eckit_history",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=80), nullable=True),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("subjects", Json(), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("correlation", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_history")),
        schema="eckit",
    )
    op.create_index("ix_eckit_history_at", "eckit_history", ["at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_hold",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=False),
        sa.Column("variant_id", sa.String(length=80), nullable=False),
        sa.Column("location_id", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=True),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("held_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.CheckConstraint("state in ('live', 'used', 'released')", name=op.f("ck_eckit_hold_state")),
        sa.CheckConstraint("steps > 0", name=op.f("ck_eckit_hold_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_hold")),
        schema="eckit",
    )
    op.create_index("ix_eckit_hold_owner", "eckit_hold", ["owner", "state"], unique=False, schema="eckit")
    op.create_index(
        "ix_eckit_hold_place", "eckit_hold", ["variant_id", "location_id", "state"], unique=False, schema="eckit"
    )
    op.create_index("ix_eckit_hold_until", "eckit_hold", ["until"], unique=False, schema="eckit")
    op.create_table(
        "eckit_idempotency",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("reply", Json(), nullable=True),
        sa.Column("reply_until", Instant(), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.CheckConstraint("state in ('in_flight', 'done')", name=op.f("ck_eckit_idempotency_state")),
        sa.PrimaryKeyConstraint("scope", "actor", "key", name=op.f("pk_eckit_idempotency")),
        schema="eckit",
    )
    op.create_table(
        "eckit_lease",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_eckit_lease")),
        schema="eckit",
    )
    op.create_table(
        "eckit_location",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("party_id", sa.String(length=80), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("sellable", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_location")),
        sa.UniqueConstraint("code", name=op.f("uq_eckit_location_code")),
        schema="eckit",
    )
    op.create_table(
        "eckit_mail",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("facts", Json(), nullable=False),
        sa.Column("event_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("last_failure", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint("state in ('waiting', 'sent', 'given_up')", name=op.f("ck_eckit_mail_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_mail")),
        sa.UniqueConstraint("event_id", "kind", "about", name=op.f("uq_eckit_mail_event_id_kind_about")),
        schema="eckit",
    )
    op.create_index("ix_eckit_mail_due", "eckit_mail", ["state", "due_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_notice",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("gateway", sa.String(length=80), nullable=False),
        sa.Column("event_key", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", Json(), nullable=False),
        sa.Column("ip", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("begin_reference", sa.String(length=160), nullable=False),
        sa.Column("snapshot", Json(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "state in ('received', 'waiting', 'applied', 'quarantined', 'unmatched')",
            name=op.f("ck_eckit_notice_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_notice")),
        sa.UniqueConstraint("gateway", "event_key", name=op.f("uq_eckit_notice_gateway_event_key")),
        schema="eckit",
    )
    op.create_index(
        op.f("ix_eckit_notice_begin_reference"), "eckit_notice", ["begin_reference"], unique=False, schema="eckit"
    )
    op.create_index("ix_eckit_notice_due", "eckit_notice", ["state", "due_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_number_counter",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_eckit_number_counter")),
        schema="eckit",
    )
    op.create_table(
        "eckit_order",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column("channel_id", sa.String(length=80), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("cart_id", sa.String(length=80), nullable=True),
        sa.Column("cart_version", sa.BigInteger(), nullable=True),
        sa.Column("live_cart_key", sa.String(length=80), nullable=True),
        sa.Column("openers", Json(), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("buyer", sa.String(length=80), nullable=True),
        sa.Column("bill_to", sa.String(length=80), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("basis", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=80), server_default="", nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("pay_by", Instant(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("current_total_minor", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(state = 'canceled') = (reason <> '')", name=op.f("ck_eckit_order_reason")),
        sa.CheckConstraint("confirmed_at is null or reason <> 'lapsed'", name=op.f("ck_eckit_order_lapsed")),
        sa.CheckConstraint("number <> ''", name=op.f("ck_eckit_order_number")),
        sa.CheckConstraint("state in ('placed', 'canceled', 'closed')", name=op.f("ck_eckit_order_state")),
        sa.CheckConstraint("token <> ''", name=op.f("ck_eckit_order_token")),
        sa.CheckConstraint("total_minor >= 0 and current_total_minor >= 0", name=op.f("ck_eckit_order_total")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_eckit_order_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_order")),
        sa.UniqueConstraint("live_cart_key", name=op.f("uq_eckit_order_live_cart_key")),
        sa.UniqueConstraint("number", name=op.f("uq_eckit_order_number")),
        sa.UniqueConstraint("token", name=op.f("uq_eckit_order_token")),
        schema="eckit",
    )
    op.create_index("ix_eckit_order_cart", "eckit_order", ["cart_id"], unique=False, schema="eckit")
    op.create_index(
        "ix_eckit_order_customer", "eckit_order", ["customer_id", "placed_at"], unique=False, schema="eckit"
    )
    op.create_index("ix_eckit_order_due", "eckit_order", ["state", "pay_by"], unique=False, schema="eckit")
    op.create_index("ix_eckit_order_placed", "eckit_order", ["placed_at", "id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_outbox",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=80), nullable=True),
        sa.Column("correlation", sa.String(length=80), nullable=False),
        sa.Column("causation", sa.String(length=80), nullable=True),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("lease", sa.String(length=80), nullable=True),
        sa.Column("waiting", Json(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'leased', 'done', 'parked')", name=op.f("ck_eckit_outbox_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_outbox")),
        sa.UniqueConstraint("subject", "seq", name=op.f("uq_eckit_outbox_subject_seq")),
        schema="eckit",
    )
    op.create_index("ix_eckit_outbox_due", "eckit_outbox", ["state", "due_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_party",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("kana", sa.String(length=200), server_default="", nullable=False),
        sa.Column("company", sa.String(length=200), server_default="", nullable=False),
        sa.Column("department", sa.String(length=200), server_default="", nullable=False),
        sa.Column("tax_ids", Json(), nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("email_kind", sa.String(length=10), server_default="", nullable=False),
        sa.Column("phones", Json(), nullable=False),
        sa.Column("country", sa.String(length=2), server_default="", nullable=False),
        sa.Column("region", sa.String(length=100), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(length=16), server_default="", nullable=False),
        sa.Column("city", sa.String(length=100), server_default="", nullable=False),
        sa.Column("lines", Json(), nullable=False),
        sa.Column("purposes", Json(), nullable=False),
        sa.Column("keep_until", Instant(), nullable=True),
        sa.Column("channel_id", sa.String(length=80), nullable=True),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_party")),
        schema="eckit",
    )
    op.create_index("ix_eckit_party_customer", "eckit_party", ["customer_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_payment",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("cart_id", sa.String(length=80), nullable=True),
        sa.Column("method", sa.String(length=80), nullable=False),
        sa.Column("tender", sa.String(length=80), nullable=False),
        sa.Column("held_by", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("begin_reference", sa.String(length=160), nullable=False),
        sa.Column("provider_ref", sa.String(length=160), nullable=True),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("earned_minor", sa.BigInteger(), nullable=False),
        sa.Column("keep_minor", sa.BigInteger(), nullable=True),
        sa.Column("sweep_at", Instant(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_eckit_payment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_payment")),
        sa.UniqueConstraint("begin_reference", name=op.f("uq_eckit_payment_begin_reference")),
        sa.UniqueConstraint("order_id", "attempt", name=op.f("uq_eckit_payment_order_id_attempt")),
        schema="eckit",
    )
    op.create_index("ix_eckit_payment_sweep_at", "eckit_payment", ["sweep_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_price_list",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("includes_tax", sa.Boolean(), nullable=False),
        sa.Column("channel_ids", Json(), nullable=False),
        sa.Column("customer_groups", Json(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("window_start", Instant(), nullable=True),
        sa.Column("window_end", Instant(), nullable=True),
        sa.CheckConstraint("window_end > window_start", name=op.f("ck_eckit_price_list_window")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_price_list")),
        sa.UniqueConstraint("code", name=op.f("uq_eckit_price_list_code")),
        sa.UniqueConstraint("id", "currency", name=op.f("uq_eckit_price_list_id_currency")),
        schema="eckit",
    )
    op.create_table(
        "eckit_product",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("handle", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("state in ('draft', 'published', 'archived')", name=op.f("ck_eckit_product_state")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_eckit_product_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_product")),
        sa.UniqueConstraint("handle", name=op.f("uq_eckit_product_handle")),
        schema="eckit",
    )
    op.create_index("ix_eckit_product_page", "eckit_product", ["state", "id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_product_category",
        sa.Column("category_id", sa.String(length=80), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("category_id", "product_id", name=op.f("pk_eckit_product_category")),
        schema="eckit",
    )
    op.create_index(
        "ix_eckit_product_category_product", "eckit_product_category", ["product_id"], unique=False, schema="eckit"
    )
    op.create_table(
        "eckit_promotion",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("title", Json(), nullable=False),
        sa.Column("condition", Json(), nullable=False),
        sa.Column("action", Json(), nullable=False),
        sa.Column("by_coupon", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("combine", sa.String(length=80), nullable=False),
        sa.Column("starts_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("channel_ids", Json(), nullable=False),
        sa.Column("limit_total", sa.BigInteger(), nullable=True),
        sa.Column("limit_per_customer", sa.BigInteger(), nullable=True),
        sa.Column("released_on_cancel", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "used >= 0 and (limit_total is null or used <= limit_total)", name=op.f("ck_eckit_promotion_used")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_promotion")),
        sa.UniqueConstraint("code", name=op.f("uq_eckit_promotion_code")),
        schema="eckit",
    )
    op.create_table(
        "eckit_promotion_customer",
        sa.Column("promotion_id", sa.String(length=80), nullable=False),
        sa.Column("customer_key", sa.String(length=100), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("customer_key <> ''", name=op.f("ck_eckit_promotion_customer_customer_key")),
        sa.CheckConstraint("used >= 0 and used <= cap", name=op.f("ck_eckit_promotion_customer_used")),
        sa.PrimaryKeyConstraint("promotion_id", "customer_key", name=op.f("pk_eckit_promotion_customer")),
        schema="eckit",
    )
    op.create_table(
        "eckit_rate",
        sa.Column("base", sa.String(length=3), nullable=False),
        sa.Column("quote", sa.String(length=3), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("rate", sa.String(length=60), nullable=False),
        sa.Column("valid_until", Instant(), nullable=True),
        sa.Column("spread", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("base", "quote", "source", "at", name=op.f("pk_eckit_rate")),
        schema="eckit",
    )
    op.create_table(
        "eckit_redemption",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("promotion_id", sa.String(length=80), nullable=False),
        sa.Column("coupon", sa.String(length=80), nullable=True),
        sa.Column("coupon_channel", sa.String(length=80), nullable=True),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("customer_key", sa.String(length=100), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("redeemed_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_redemption")),
        sa.UniqueConstraint("promotion_id", "order_id", name=op.f("uq_eckit_redemption_promotion_id_order_id")),
        schema="eckit",
    )
    op.create_index("ix_eckit_redemption_order", "eckit_redemption", ["order_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_setup",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.CheckConstraint("kind in ('channel', 'market', 'seller', 'legal_entity')", name=op.f("ck_eckit_setup_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_setup")),
        sa.UniqueConstraint("kind", "code", name=op.f("uq_eckit_setup_kind_code")),
        schema="eckit",
    )
    op.create_table(
        "eckit_shipment",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("location_id", sa.String(length=80), nullable=True),
        sa.Column("group_id", sa.String(length=80), nullable=True),
        sa.Column("mode", sa.String(length=80), nullable=False),
        sa.Column("option", sa.String(length=80), nullable=True),
        sa.Column("direction", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("handed_over_at", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.CheckConstraint("direction in ('out', 'back')", name=op.f("ck_eckit_shipment_direction")),
        sa.CheckConstraint(
            "state in ('draft', 'blocked', 'ready', 'handed_over', 'delivered', 'canceled')",
            name=op.f("ck_eckit_shipment_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_shipment")),
        schema="eckit",
    )
    op.create_table(
        "eckit_shortage",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("variant_id", sa.String(length=80), nullable=False),
        sa.Column("location_id", sa.String(length=80), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("steps > 0", name=op.f("ck_eckit_shortage_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_shortage")),
        schema="eckit",
    )
    op.create_index(
        "ix_eckit_shortage_place",
        "eckit_shortage",
        ["variant_id", "location_id", "closed_at"],
        unique=False,
        schema="eckit",
    )
    op.create_table(
        "eckit_stamp",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_eckit_stamp")),
        schema="eckit",
    )
    op.create_table(
        "eckit_stock_movement",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("variant_id", sa.String(length=80), nullable=False),
        sa.Column("location_id", sa.String(length=80), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("cause <> ''", name=op.f("ck_eckit_stock_movement_cause")),
        sa.CheckConstraint("steps <> 0", name=op.f("ck_eckit_stock_movement_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_stock_movement")),
        schema="eckit",
    )
    op.create_index(
        "ix_eckit_stock_movement_place",
        "eckit_stock_movement",
        ["variant_id", "location_id"],
        unique=False,
        schema="eckit",
    )
    op.create_table(
        "eckit_subscriber",
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=False),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_eckit_subscriber")),
        schema="eckit",
    )
    op.create_table(
        "eckit_amendment",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=80), nullable=False),
        sa.Column("deltas", Json(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("previous_digest", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_amendment_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_amendment")),
        sa.UniqueConstraint("order_id", "seq", name=op.f("uq_eckit_amendment_order_id_seq")),
        schema="eckit",
    )
    op.create_table(
        "eckit_application",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_eckit_application_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["eckit.eckit_payment.id"], name=op.f("fk_eckit_application_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_application")),
        schema="eckit",
    )
    op.create_index(
        op.f("ix_eckit_application_order_id"), "eckit_application", ["order_id"], unique=False, schema="eckit"
    )
    op.create_index(
        op.f("ix_eckit_application_payment_id"), "eckit_application", ["payment_id"], unique=False, schema="eckit"
    )
    op.create_table(
        "eckit_block",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("group_id", sa.String(length=80), nullable=True),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("placed_by", sa.String(length=80), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("lifted_by", sa.String(length=80), nullable=True),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.CheckConstraint("(lifted_by is null) = (lifted_at is null)", name=op.f("ck_eckit_block_lifted")),
        sa.ForeignKeyConstraint(["order_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_block_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_block")),
        schema="eckit",
    )
    op.create_index("ix_eckit_block_order", "eckit_block", ["order_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_charge",
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("label", Json(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_class", sa.String(length=80), nullable=True),
        sa.Column("included", sa.Boolean(), nullable=False),
        sa.Column("funded_by", sa.String(length=80), nullable=True),
        sa.Column("earned_by", sa.String(length=80), nullable=True),
        sa.Column("remitted_by", sa.String(length=80), nullable=True),
        sa.Column("tax_code", sa.String(length=80), nullable=True),
        sa.Column("tax_rate", sa.String(length=40), nullable=True),
        sa.Column("tax_base_minor", sa.BigInteger(), nullable=True),
        sa.Column("jurisdiction", sa.String(length=80), nullable=True),
        sa.Column("plugin", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("promotion_id", sa.String(length=80), nullable=True),
        sa.Column("coupon", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_charge_order_id")),
        sa.PrimaryKeyConstraint("order_id", "id", name=op.f("pk_eckit_charge")),
        schema="eckit",
    )
    op.create_index("ix_eckit_charge_promotion", "eckit_charge", ["promotion_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_level",
        sa.Column("variant_id", sa.String(length=80), nullable=False),
        sa.Column("location_id", sa.String(length=80), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("promised", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cap", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("short", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_eckit_level_on_hand")),
        sa.CheckConstraint("promised >= 0 and promised <= cap", name=op.f("ck_eckit_level_promised")),
        sa.CheckConstraint("reserved >= 0 and reserved <= on_hand + short", name=op.f("ck_eckit_level_reserved")),
        sa.CheckConstraint("short >= 0", name=op.f("ck_eckit_level_short")),
        sa.ForeignKeyConstraint(["location_id"], ["eckit.eckit_location.id"], name=op.f("fk_eckit_level_location_id")),
        sa.PrimaryKeyConstraint("variant_id", "location_id", name=op.f("pk_eckit_level")),
        schema="eckit",
    )
    op.create_table(
        "eckit_movement",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gateway", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=80), nullable=False),
        sa.Column("movement_ref", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=160), nullable=False),
        sa.Column("finality", sa.String(length=20), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.CheckConstraint("finality in ('provisional', 'final')", name=op.f("ck_eckit_movement_finality")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_eckit_movement_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["eckit.eckit_payment.id"], name=op.f("fk_eckit_movement_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_movement")),
        sa.UniqueConstraint(
            "gateway",
            "account",
            "mode",
            "movement_ref",
            name=op.f("uq_eckit_movement_gateway_account_mode_movement_ref"),
        ),
        schema="eckit",
    )
    op.create_index(
        op.f("ix_eckit_movement_payment_id"), "eckit_movement", ["payment_id"], unique=False, schema="eckit"
    )
    op.create_table(
        "eckit_operation",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=160), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("planned_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("check_at", Instant(), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("decline_code", sa.String(length=40), nullable=True),
        sa.Column("retry", sa.String(length=10), nullable=False),
        sa.Column("action", Json(), nullable=True),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("in_doubt_at", Instant(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "kind in ('begin', 'resume', 'capture', 'void', 'refund')", name=op.f("ck_eckit_operation_kind")
        ),
        sa.CheckConstraint(
            "state in ('planned', 'sent', 'succeeded', 'failed', 'waiting_buyer', 'waiting_provider', 'in_doubt', 'expired', 'canceled', 'needs_human')",
            name=op.f("ck_eckit_operation_state"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_eckit_operation_amount")),
        sa.ForeignKeyConstraint(["payment_id"], ["eckit.eckit_payment.id"], name=op.f("fk_eckit_operation_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_operation")),
        sa.UniqueConstraint("payment_id", "seq", name=op.f("uq_eckit_operation_payment_id_seq")),
        sa.UniqueConstraint("reference", name=op.f("uq_eckit_operation_reference")),
        schema="eckit",
    )
    op.create_index("ix_eckit_operation_check_at", "eckit_operation", ["check_at"], unique=False, schema="eckit")
    op.create_index(
        "uq_eckit_operation_key",
        "eckit_operation",
        ["payment_id", "key"],
        unique=True,
        schema="eckit",
        sqlite_where=sa.text("key is not null"),
        postgresql_where=sa.text("key is not null"),
    )
    op.create_index(
        "uq_eckit_operation_open",
        "eckit_operation",
        ["payment_id"],
        unique=True,
        schema="eckit",
        sqlite_where=sa.text(
            "state in ('planned', 'sent', 'waiting_buyer', 'in_doubt', 'needs_human') or (state = 'waiting_provider' and kind <> 'refund')"
        ),
        postgresql_where=sa.text(
            "state in ('planned', 'sent', 'waiting_buyer', 'in_doubt', 'needs_human') or (state = 'waiting_provider' and kind <> 'refund')"
        ),
    )
    op.create_table(
        "eckit_order_line",
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.String(length=80), nullable=False),
        sa.Column("seller_id", sa.String(length=80), nullable=False),
        sa.Column("variant_id", sa.String(length=80), nullable=True),
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column("title", Json(), nullable=False),
        sa.Column("option", Json(), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_minor", sa.BigInteger(), nullable=False),
        sa.Column("goods_minor", sa.BigInteger(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_class", sa.String(length=80), nullable=False),
        sa.Column("supply", sa.String(length=80), nullable=False),
        sa.Column("canceled_steps", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shipped_steps", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("returned_steps", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("parent_id", sa.String(length=80), nullable=True),
        sa.CheckConstraint("canceled_steps + shipped_steps <= steps", name=op.f("ck_eckit_order_line_open")),
        sa.CheckConstraint(
            "canceled_steps >= 0 and shipped_steps >= 0 and returned_steps >= 0",
            name=op.f("ck_eckit_order_line_counters"),
        ),
        sa.CheckConstraint("returned_steps <= shipped_steps", name=op.f("ck_eckit_order_line_returned")),
        sa.CheckConstraint("steps > 0", name=op.f("ck_eckit_order_line_steps")),
        sa.CheckConstraint(
            "unit_minor >= 0 and goods_minor >= 0 and total_minor >= 0", name=op.f("ck_eckit_order_line_amounts")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_order_line_order_id")),
        sa.PrimaryKeyConstraint("order_id", "id", name=op.f("pk_eckit_order_line")),
        schema="eckit",
    )
    op.create_index("ix_eckit_order_line_variant", "eckit_order_line", ["variant_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_order_link",
        sa.Column("from_id", sa.String(length=80), nullable=False),
        sa.Column("to_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_eckit_order_link_two")),
        sa.ForeignKeyConstraint(["from_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_order_link_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_order_link_to_id")),
        sa.PrimaryKeyConstraint("from_id", "to_id", "kind", name=op.f("pk_eckit_order_link")),
        schema="eckit",
    )
    op.create_index("ix_eckit_order_link_to", "eckit_order_link", ["to_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_parcel",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("shipment_id", sa.String(length=80), nullable=False),
        sa.Column("carrier", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=True),
        sa.Column("weight_grams", sa.BigInteger(), nullable=True),
        sa.Column("tracking_url", sa.String(length=500), nullable=True),
        sa.Column("handed_over_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["shipment_id"], ["eckit.eckit_shipment.id"], name=op.f("fk_eckit_parcel_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_parcel")),
        sa.UniqueConstraint("carrier", "number", name=op.f("uq_eckit_parcel_carrier_number")),
        schema="eckit",
    )
    op.create_index("ix_eckit_parcel_shipment", "eckit_parcel", ["shipment_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_placement",
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["eckit.eckit_order.id"], name=op.f("fk_eckit_placement_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_eckit_placement")),
        schema="eckit",
    )
    op.create_table(
        "eckit_price",
        sa.Column("variant_id", sa.String(length=80), nullable=False),
        sa.Column("list_id", sa.String(length=80), nullable=False),
        sa.Column("min_steps", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("window_start", Instant(), nullable=False),
        sa.Column("window_end", Instant(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("original_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_eckit_price_amount")),
        sa.CheckConstraint("min_steps >= 1", name=op.f("ck_eckit_price_min_steps")),
        sa.CheckConstraint("original_minor >= amount_minor", name=op.f("ck_eckit_price_original")),
        sa.CheckConstraint("window_end > window_start", name=op.f("ck_eckit_price_window")),
        sa.ForeignKeyConstraint(
            ["list_id", "currency"],
            ["eckit.eckit_price_list.id", "eckit.eckit_price_list.currency"],
            name=op.f("fk_eckit_price_list_id_currency"),
        ),
        sa.PrimaryKeyConstraint("variant_id", "list_id", "min_steps", "window_start", name=op.f("pk_eckit_price")),
        schema="eckit",
    )
    op.create_table(
        "eckit_shipment_line",
        sa.Column("shipment_id", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("steps", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("steps > 0", name=op.f("ck_eckit_shipment_line_steps")),
        sa.ForeignKeyConstraint(
            ["shipment_id"], ["eckit.eckit_shipment.id"], name=op.f("fk_eckit_shipment_line_shipment_id")
        ),
        sa.PrimaryKeyConstraint("shipment_id", "line_id", name=op.f("pk_eckit_shipment_line")),
        schema="eckit",
    )
    op.create_index("ix_eckit_shipment_line_order", "eckit_shipment_line", ["order_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_task",
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["eckit.eckit_payment.id"], name=op.f("fk_eckit_task_payment_id")),
        sa.PrimaryKeyConstraint("payment_id", "kind", "about", name=op.f("pk_eckit_task")),
        schema="eckit",
    )
    op.create_index("ix_eckit_task_open", "eckit_task", ["closed_at"], unique=False, schema="eckit")
    op.create_table(
        "eckit_variant",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column("option", sa.Text(), nullable=False),
        sa.Column("gtins", Json(), nullable=False),
        sa.Column("unit_code", sa.String(length=3), nullable=False),
        sa.Column("unit_scale", sa.SmallInteger(), nullable=False),
        sa.Column("unit_increment", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=True),
        sa.Column("width_mm", sa.Integer(), nullable=True),
        sa.Column("height_mm", sa.Integer(), nullable=True),
        sa.Column("weight_grams", sa.Integer(), nullable=True),
        sa.Column("tax_class", sa.String(length=80), nullable=False),
        sa.Column("hs_code", sa.String(length=12), nullable=True),
        sa.Column("origin", sa.String(length=2), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.String(length=3), nullable=True),
        sa.Column("supply_kind", sa.String(length=80), nullable=False),
        sa.Column("supply_cap_steps", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cost_minor >= 0 and (cost_minor is null) = (cost_currency is null)", name=op.f("ck_eckit_variant_cost")
        ),
        sa.CheckConstraint("supply_cap_steps >= 0", name=op.f("ck_eckit_variant_supply")),
        sa.CheckConstraint("unit_scale between 0 and 6 and unit_increment >= 1", name=op.f("ck_eckit_variant_unit")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_eckit_variant_version")),
        sa.ForeignKeyConstraint(["product_id"], ["eckit.eckit_product.id"], name=op.f("fk_eckit_variant_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_variant")),
        sa.UniqueConstraint("sku", name=op.f("uq_eckit_variant_sku")),
        schema="eckit",
    )
    op.create_index(op.f("ix_eckit_variant_product_id"), "eckit_variant", ["product_id"], unique=False, schema="eckit")
    op.create_table(
        "eckit_operation_step",
        sa.Column("operation_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["eckit.eckit_operation.id"], name=op.f("fk_eckit_operation_step_operation_id")
        ),
        sa.PrimaryKeyConstraint("operation_id", "seq", name=op.f("pk_eckit_operation_step")),
        schema="eckit",
    )
    op.create_table(
        "eckit_tracking",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("parcel_id", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["parcel_id"], ["eckit.eckit_parcel.id"], name=op.f("fk_eckit_tracking_parcel_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eckit_tracking")),
        sa.UniqueConstraint("parcel_id", "key", name=op.f("uq_eckit_tracking_parcel_id_key")),
        schema="eckit",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("eckit_order_number", schema="eckit")))
