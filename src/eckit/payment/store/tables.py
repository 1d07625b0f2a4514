"""The tables."""

import sqlalchemy as sa

from eckit.kernel.tables import Json, at, core_table, currency, ident, minor
from eckit.payment.model import OperationKind, OpState


def _listed(column: str, values: list[str]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


_BLOCKS = sa.text(
    "state in ('planned', 'sent', 'waiting_buyer', 'in_doubt', 'needs_human')"
    " or (state = 'waiting_provider' and kind <> 'refund')"
)

payment = core_table(
    "payment",
    ident("id", primary_key=True),
    ident("order_id"),
    # one number per attempt, so that two requests cannot begin the same next one
    sa.Column("attempt", sa.Integer, nullable=False),
    ident("cart_id", nullable=True),
    ident("method"),
    ident("tender"),
    ident("held_by"),
    minor("amount_minor"),
    currency(),
    sa.Column("begin_reference", sa.String(160), nullable=False, unique=True),
    sa.Column("provider_ref", sa.String(160), nullable=True),
    ident("account"),
    ident("mode"),
    sa.Column("version", sa.BigInteger, nullable=False),
    at("created_at"),
    minor("earned_minor"),
    minor("keep_minor", nullable=True),
    # while money is reserved: when it is next made sure that its order still lives
    at("sweep_at", nullable=True),
    sa.UniqueConstraint("order_id", "attempt"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.Index("ix_eckit_payment_sweep_at", "sweep_at"),
)

operation = core_table(
    "operation",
    ident("id", primary_key=True),
    ident("payment_id", sa.ForeignKey(payment.c.id)),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reference", sa.String(160), nullable=False, unique=True),
    minor("amount_minor"),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    at("planned_at"),
    at("sent_at", nullable=True),
    at("ended_at", nullable=True),
    at("check_at", nullable=True),
    sa.Column("checks", sa.Integer, nullable=False),
    sa.Column("cause", sa.String(200), nullable=False),
    sa.Column("decline_code", sa.String(40), nullable=True),
    sa.Column("retry", sa.String(10), nullable=False),
    sa.Column("action", Json, nullable=True),
    at("expires_at", nullable=True),
    at("in_doubt_at", nullable=True),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("key", sa.String(200), nullable=True),
    sa.UniqueConstraint("payment_id", "seq"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint(_listed("kind", [kind.value for kind in OperationKind]), name="kind"),
    sa.CheckConstraint(_listed("state", [state.value for state in OpState]), name="state"),
    sa.Index("ix_eckit_operation_check_at", "check_at"),
    sa.Index("uq_eckit_operation_open", "payment_id", unique=True, sqlite_where=_BLOCKS, postgresql_where=_BLOCKS),
    sa.Index(
        "uq_eckit_operation_key",
        "payment_id",
        "key",
        unique=True,
        sqlite_where=sa.text("key is not null"),
        postgresql_where=sa.text("key is not null"),
    ),
)

operation_step = core_table(
    "operation_step",
    ident("operation_id", sa.ForeignKey(operation.c.id), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("before", sa.String(20), nullable=False),
    sa.Column("move", sa.String(20), nullable=False),
    sa.Column("after", sa.String(20), nullable=False),
    at("at"),
    ident("by"),
)
"""How an operation came to its state; that it was planned first goes without saying."""

movement = core_table(
    "movement",
    ident("id", primary_key=True),
    ident("payment_id", sa.ForeignKey(payment.c.id), index=True),
    ident("kind"),
    minor("amount_minor"),
    currency(),
    ident("gateway"),
    ident("account"),
    ident("mode"),
    sa.Column("movement_ref", sa.String(200), nullable=False),
    sa.Column("reference", sa.String(160), nullable=False),
    sa.Column("finality", sa.String(20), nullable=False),
    at("at"),
    at("recorded_at"),
    sa.UniqueConstraint("gateway", "account", "mode", "movement_ref"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint("finality in ('provisional', 'final')", name="finality"),
)

application = core_table(
    "application",
    ident("id", primary_key=True),
    ident("payment_id", sa.ForeignKey(payment.c.id), index=True),
    ident("order_id", index=True),
    minor("amount_minor"),
    currency(),
    at("at"),
    ident("by"),
    sa.CheckConstraint("amount_minor <> 0", name="amount"),
)

notice = core_table(
    "notice",
    ident("id", primary_key=True),
    ident("gateway"),
    sa.Column("event_key", sa.String(200), nullable=False),
    # the request as it came, card numbers taken out, for evidence; what is applied is the snapshot
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("headers", Json, nullable=False),
    sa.Column("ip", sa.String(80), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("begin_reference", sa.String(160), nullable=False, index=True),
    sa.Column("snapshot", Json, nullable=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    at("due_at"),
    at("lease_until", nullable=True),
    at("received_at"),
    at("ended_at", nullable=True),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.UniqueConstraint("gateway", "event_key"),
    sa.CheckConstraint("state in ('received', 'waiting', 'applied', 'quarantined', 'unmatched')", name="state"),
    sa.Index("ix_eckit_notice_due", "state", "due_at"),
)

task = core_table(
    "task",
    ident("payment_id", sa.ForeignKey(payment.c.id), primary_key=True),
    ident("kind", primary_key=True),
    ident("about", primary_key=True),
    minor("amount_minor"),
    sa.Column("reason", sa.String(200), nullable=False),
    at("opened_at"),
    at("closed_at", nullable=True),
    sa.Index("ix_eckit_task_open", "closed_at"),
)
