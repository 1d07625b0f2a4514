"""The invariants of promotions, as queries."""

from typing import Any, Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, query
from eckit.promotion.store import coupon, per_customer, promotion, redemption

_LIMITS: Final = "redemptions ≤ limits"
_WINDOWS: Final = "validity windows are half-open instants from the shop's zone"

_LIVE: Final = redemption.c.released_at.is_(None)


def _uses(*conditions: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).where(_LIVE, *conditions).scalar_subquery()


def _named(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(table.c.code + "@" + table.c.channel_id, *columns)


_OF_PROMOTION: Final = _uses(redemption.c.promotion_id == promotion.c.id)
_OF_COUPON: Final = _uses(
    redemption.c.coupon == coupon.c.code,
    redemption.c.coupon_channel == coupon.c.channel_id,
    redemption.c.promotion_id == coupon.c.promotion_id,
)
_OF_CUSTOMER: Final = _uses(
    redemption.c.promotion_id == per_customer.c.promotion_id,
    redemption.c.customer_key == per_customer.c.customer_key,
)
_WHOSE: Final = per_customer.c.promotion_id + " " + per_customer.c.customer_key

CHECKS: Final[tuple[Check, ...]] = (
    query(
        "promotion-within-its-limit",
        _LIMITS,
        promotion.name,
        sa.select(promotion.c.id, promotion.c.used, promotion.c.limit_total).where(
            sa.or_(
                promotion.c.used < 0,
                promotion.c.used > promotion.c.limit_total,
                _OF_PROMOTION > promotion.c.limit_total,
            )
        ),
    ),
    query(
        "promotion-counts-its-uses",
        _LIMITS,
        promotion.name,
        sa.select(promotion.c.id, promotion.c.used, _OF_PROMOTION).where(
            promotion.c.limit_total.is_not(None), promotion.c.used != _OF_PROMOTION
        ),
    ),
    query(
        "code-within-its-limit",
        _LIMITS,
        coupon.name,
        _named(coupon, coupon.c.used, coupon.c.limit_total).where(
            sa.or_(coupon.c.used < 0, coupon.c.used > coupon.c.limit_total)
        ),
    ),
    query(
        "code-counts-its-uses",
        _LIMITS,
        coupon.name,
        _named(coupon, coupon.c.used, _OF_COUPON).where(coupon.c.limit_total.is_not(None), coupon.c.used != _OF_COUPON),
    ),
    query(
        "customer-within-the-limit",
        _LIMITS,
        per_customer.name,
        sa.select(_WHOSE, per_customer.c.used, per_customer.c.cap).where(
            sa.or_(per_customer.c.used < 0, per_customer.c.used > per_customer.c.cap)
        ),
    ),
    query(
        "customer-counts-the-uses",
        _LIMITS,
        per_customer.name,
        sa.select(_WHOSE, per_customer.c.used, _OF_CUSTOMER).where(per_customer.c.used != _OF_CUSTOMER),
    ),
    query(
        "use-names-its-promotion",
        _LIMITS,
        redemption.name,
        sa.select(redemption.c.id, redemption.c.promotion_id).where(
            ~sa.exists().where(promotion.c.id == redemption.c.promotion_id)
        ),
    ),
    query(
        "use-names-its-code",
        _LIMITS,
        redemption.name,
        sa.select(redemption.c.id, redemption.c.coupon).where(
            redemption.c.coupon.is_not(None),
            ~sa.exists().where(
                coupon.c.code == redemption.c.coupon, coupon.c.promotion_id == redemption.c.promotion_id
            ),
        ),
    ),
    query(
        "one-use-of-an-order",
        _LIMITS,
        redemption.name,
        sa.select(sa.func.min(redemption.c.id), redemption.c.promotion_id, redemption.c.order_id)
        .group_by(redemption.c.promotion_id, redemption.c.order_id)
        .having(sa.func.count() > 1),
    ),
    query(
        "code-opens-a-promotion",
        _LIMITS,
        coupon.name,
        _named(coupon, coupon.c.promotion_id).where(~sa.exists().where(promotion.c.id == coupon.c.promotion_id)),
    ),
    query(
        "promotion-window-is-half-open",
        _WINDOWS,
        promotion.name,
        sa.select(promotion.c.id, promotion.c.starts_at, promotion.c.ends_at).where(
            promotion.c.ends_at <= promotion.c.starts_at
        ),
    ),
)
"""Every invariant that the tables of promotion can violate."""
