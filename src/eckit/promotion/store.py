"""Tables of promotion. Counters exist only where a limit exists, and move by conditional update."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from eckit.kernel.clock import Window
from eckit.kernel.ids import ChannelId, OrderId, PromotionId
from eckit.kernel.minting import mint
from eckit.kernel.rows import GivenRows
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import Json, at, core_table, currency, ident, minor
from eckit.kernel.text import Text
from eckit.kernel.work import Work
from eckit.promotion.model import Coupon, Promotion, RuleRef, Use

promotion = core_table(
    "promotion",
    ident("id", primary_key=True),
    ident("code", unique=True),
    sa.Column("title", Json, nullable=False),
    sa.Column("condition", Json, nullable=False),
    sa.Column("action", Json, nullable=False),
    sa.Column("by_coupon", sa.Boolean, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("exclusive", sa.Boolean, nullable=False),
    ident("combine"),
    at("starts_at", nullable=True),
    at("ends_at", nullable=True),
    sa.Column("channel_ids", Json, nullable=False),
    sa.Column("limit_total", sa.BigInteger, nullable=True),
    sa.Column("limit_per_customer", sa.BigInteger, nullable=True),
    sa.Column("released_on_cancel", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("used >= 0 and (limit_total is null or used <= limit_total)", name="used"),
)

coupon = core_table(
    "coupon",
    ident("code", primary_key=True),
    ident("channel_id", primary_key=True),  # '' for all channels
    ident("promotion_id"),
    sa.Column("limit_total", sa.BigInteger, nullable=True),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("used >= 0 and (limit_total is null or used <= limit_total)", name="used"),
    sa.CheckConstraint("code <> ''", name="code"),
    sa.Index("ix_eckit_coupon_promotion", "promotion_id"),
)

per_customer = core_table(
    "promotion_customer",
    ident("promotion_id", primary_key=True),
    sa.Column("customer_key", sa.String(100), primary_key=True),
    sa.Column("cap", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger, nullable=False),
    sa.CheckConstraint("used >= 0 and used <= cap", name="used"),
    sa.CheckConstraint("customer_key <> ''", name="customer_key"),
)

redemption = core_table(
    "redemption",
    ident("id", primary_key=True),
    ident("promotion_id"),
    ident("coupon", nullable=True),
    ident("coupon_channel", nullable=True),  # of the row that counts it; null if its code had no limit
    ident("order_id"),
    sa.Column("customer_key", sa.String(100), nullable=True),
    minor("amount_minor"),
    currency(),
    at("redeemed_at"),
    at("released_at", nullable=True),
    sa.UniqueConstraint("promotion_id", "order_id"),
    sa.Index("ix_eckit_redemption_order", "order_id"),
)

_COUPONS = sa.select(coupon).where(
    coupon.c.code.in_(sa.bindparam("codes", expanding=True)), coupon.c.channel_id.in_(["", sa.bindparam("channel")])
)


# -- promotions -------------------------------------------------------------------------------------------------------


def id_of_code(work: Work, code: str) -> PromotionId | None:
    """The promotion that has a code."""
    return work.execute(sa.select(promotion.c.id).where(promotion.c.code == code)).scalar_one_or_none()


def lock(work: Work, promotion_id: PromotionId) -> Any:
    """Limit and uses of a promotion, locked, or None."""
    counters = sa.select(promotion.c.limit_total, promotion.c.used).where(promotion.c.id == promotion_id)
    return work.execute(counters.with_for_update()).one_or_none()


def count_uses(work: Work, promotion_id: PromotionId) -> int:
    """Orders that use a promotion and have not given it back."""
    live = sa.select(sa.func.count()).where(
        redemption.c.promotion_id == promotion_id, redemption.c.released_at.is_(None)
    )
    found: int = work.execute(live).scalar_one()
    return found


def put(work: Work, one: Promotion, used: int) -> None:
    """Insert or change a promotion."""
    values = {
        "id": one.id,
        "code": one.code,
        "title": one.title.as_dict(),
        "condition": {"code": one.condition.code, "settings": dict(one.condition.settings)},
        "action": {"code": one.action.code, "settings": dict(one.action.settings)},
        "by_coupon": one.by_coupon,
        "priority": one.priority,
        "exclusive": one.exclusive,
        "combine": one.combine,
        "starts_at": one.window.start,
        "ends_at": one.window.end,
        "channel_ids": sorted(one.channel_ids),
        "limit_total": one.limit_total,
        "limit_per_customer": one.limit_per_customer,
        "released_on_cancel": one.released_on_cancel,
        "active": one.active,
        "used": used,
    }
    insert = upsert(work.connection, promotion).values(values)
    work.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))


def active(work: Work) -> tuple[Promotion, ...]:
    """Every active promotion, in one statement."""
    rows = work.execute(sa.select(promotion).where(promotion.c.active).order_by(promotion.c.code))
    return tuple(map(_promotion, rows))


def get(work: Work, promotion_id: PromotionId) -> Promotion | None:
    """One promotion."""
    row = work.execute(sa.select(promotion).where(promotion.c.id == promotion_id)).one_or_none()
    return None if row is None else _promotion(row)


def _promotion(row: Any) -> Promotion:
    return Promotion(
        id=row.id,
        code=row.code,
        title=Text(row.title),
        condition=RuleRef(**row.condition),
        action=RuleRef(**row.action),
        by_coupon=row.by_coupon,
        priority=row.priority,
        exclusive=row.exclusive,
        combine=row.combine,
        window=Window(row.starts_at, row.ends_at),
        channel_ids=frozenset(row.channel_ids),
        limit_total=row.limit_total,
        limit_per_customer=row.limit_per_customer,
        released_on_cancel=row.released_on_cancel,
        active=row.active,
    )


def lock_coupons(work: Work, codes: Iterable[str]) -> dict[tuple[str, str], Any]:
    """The rows of these codes in every channel, locked: (code, channel or ``""``) → row."""
    query = sa.select(coupon).where(coupon.c.code.in_(sorted(set(codes)))).order_by(coupon.c.code, coupon.c.channel_id)
    return {(row.code, row.channel_id): row for row in work.execute(query.with_for_update())}


def take_uses(work: Work, one: Coupon) -> int:
    """Let a code that gets its first limit count its uses so far; how many."""
    mine = redemption.c.coupon == one.code, redemption.c.promotion_id == one.promotion_id
    live = redemption.c.released_at.is_(None)
    channel = one.channel_id or ""
    work.execute(
        sa.update(redemption).where(*mine, live, redemption.c.coupon_channel.is_(None)).values(coupon_channel=channel)
    )
    count = sa.select(sa.func.count()).where(*mine, live, redemption.c.coupon_channel == channel)
    found: int = work.execute(count).scalar_one()
    return found


def put_coupons(work: Work, coupons: Sequence[Coupon]) -> None:
    """Insert or change codes, in one statement."""
    insert = upsert(work.connection, coupon).values(
        [
            {
                "code": one.code,
                "channel_id": one.channel_id or "",
                "promotion_id": one.promotion_id,
                "limit_total": one.limit_total,
                "used": one.used,
            }
            for one in sorted(coupons, key=lambda one: (one.code, one.channel_id or ""))
        ]
    )
    changed = {name: insert.excluded[name] for name in ("promotion_id", "limit_total", "used")}
    work.execute(insert.on_conflict_do_update(index_elements=["code", "channel_id"], set_=changed))


def coupons(work: Work, codes: Iterable[str], channel_id: ChannelId) -> dict[str, Coupon]:
    """What these codes open in this channel; a channel's own code comes before one for all."""
    found: dict[str, Coupon] = {}
    rows = work.execute(_COUPONS, {"codes": sorted(set(codes)), "channel": channel_id}).all()
    for row in sorted(rows, key=lambda row: bool(row.channel_id)):
        found[row.code] = Coupon(
            code=row.code,
            promotion_id=row.promotion_id,
            channel_id=row.channel_id or None,
            limit_total=row.limit_total,
            used=row.used,
        )
    return found


# -- uses -------------------------------------------------------------------------------------------------------------


def limits(work: Work, ids: Iterable[PromotionId]) -> dict[PromotionId, tuple[int | None, int | None]]:
    """Promotion → its limit in total and per customer."""
    query = sa.select(promotion.c.id, promotion.c.limit_total, promotion.c.limit_per_customer)
    rows = work.execute(query.where(promotion.c.id.in_(sorted(set(ids)))))
    return {row.id: (row.limit_total, row.limit_per_customer) for row in rows}


def count_promotions(work: Work, ids: Iterable[PromotionId]) -> set[PromotionId]:
    """Count one use of each limited promotion that has one left; which did."""
    statement = (
        sa.update(promotion)
        .where(promotion.c.id.in_(sorted(set(ids))), promotion.c.used < promotion.c.limit_total)
        .values(used=promotion.c.used + 1)
        .returning(promotion.c.id)
    )
    return set(work.execute(statement).scalars())


def count_coupons(work: Work, codes: Iterable[str], channel_id: ChannelId) -> dict[str, str]:
    """Count one use of each limited code that has one left: code → the channel of its row.

    A code without a limit is not counted, so that buyers who use it do not wait for each other.
    """
    statement = (
        sa.update(coupon)
        .where(coupon.c.code.in_(sorted(set(codes))), _valid_in(channel_id), coupon.c.used < coupon.c.limit_total)
        .values(used=coupon.c.used + 1)
        .returning(coupon.c.code, coupon.c.channel_id)
    )
    return {row.code: row.channel_id for row in work.execute(statement)}


def _valid_in(channel_id: ChannelId | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """A channel's own row of a code, or the one for all if it has none."""
    own = coupon.alias("own")
    has_own = sa.exists().where(own.c.code == coupon.c.code, own.c.channel_id == channel_id)
    return sa.or_(coupon.c.channel_id == channel_id, sa.and_(coupon.c.channel_id == "", ~has_own))


def count_customer(work: Work, caps: dict[PromotionId, int], customer_key: str) -> set[PromotionId]:
    """Count one use by this customer of each promotion that allows one more; which did."""
    rows = [
        {"promotion_id": one, "customer_key": customer_key, "cap": cap, "used": 1} for one, cap in sorted(caps.items())
    ]
    insert = upsert(work.connection, per_customer).values(rows)
    statement = insert.on_conflict_do_update(
        index_elements=["promotion_id", "customer_key"],
        set_={"used": per_customer.c.used + 1, "cap": insert.excluded.cap},
        where=per_customer.c.used < insert.excluded.cap,
    )
    return set(work.execute(statement.returning(per_customer.c.promotion_id)).scalars())


_NEW = ("id", "promotion_id", "coupon", "coupon_channel", "order_id", "customer_key", "amount_minor", "currency")


def _redeem(new: sa.FromClause) -> sa.Executable:
    free = sa.exists().where(
        coupon.c.code == new.c.coupon,
        coupon.c.promotion_id == new.c.promotion_id,
        coupon.c.limit_total.is_(None),
        _valid_in(sa.bindparam("channel")),
    )
    chosen = sa.select(*new.c, sa.bindparam("now", type_=redemption.c.redeemed_at.type)).where(
        sa.or_(new.c.coupon.is_(None), new.c.coupon_channel.is_not(None), free)
    )
    insert = sa.insert(redemption).from_select([*_NEW, "redeemed_at"], chosen)
    return insert.returning(redemption.c.promotion_id)


_USES = GivenRows("new", {name: redemption.c[name].type for name in _NEW})
_ADD_REDEMPTIONS = {dialect: _redeem(table) for dialect, table in _USES.tables.items()}


def add_redemptions(
    work: Work,
    order_id: OrderId,
    uses: Sequence[Use],
    counted: Mapping[str, str],
    channel_id: ChannelId,
    customers: Mapping[PromotionId, str | None],
    currency: str,
) -> set[PromotionId]:
    """Insert the uses of an order, in one statement; of which promotions.

    A use through a code is left out unless the code was counted, or is valid in the channel and has no limit.

    :param counted: code → the channel of the row that was counted.
    :param customers: promotion → the customer its use was counted for.
    """
    rows = [
        (
            mint("redemption"),
            use.promotion_id,
            use.coupon,
            counted.get(use.coupon or ""),
            order_id,
            customers.get(use.promotion_id),
            use.amount_minor,
            currency,
        )
        for use in uses
    ]
    given = {**_USES.parameters(work.dialect, rows), "channel": channel_id, "now": work.now}
    return set(work.execute(_ADD_REDEMPTIONS[work.dialect], given).scalars())


def end_redemptions(work: Work, order_id: OrderId, now: dt.datetime) -> list[Any]:
    """Mark the uses of an order as given back, each once, where its promotion allows it."""
    may = sa.select(promotion.c.id).where(promotion.c.released_on_cancel)
    statement = (
        sa.update(redemption)
        .where(redemption.c.order_id == order_id, redemption.c.released_at.is_(None))
        .where(redemption.c.promotion_id.in_(may))
        .values(released_at=now)
        .returning(
            redemption.c.promotion_id, redemption.c.coupon, redemption.c.coupon_channel, redemption.c.customer_key
        )
    )
    return list(work.execute(statement))


def uncount(work: Work, released: Sequence[Any]) -> None:
    """Lower the counters of released uses."""
    promotions = sorted({row.promotion_id for row in released})
    work.execute(
        sa.update(promotion)
        .where(promotion.c.id.in_(promotions), promotion.c.limit_total.is_not(None), promotion.c.used > 0)
        .values(used=promotion.c.used - 1)
    )
    for row in sorted(released, key=lambda row: (row.coupon or "", row.promotion_id)):
        if row.coupon_channel is not None:
            mine = coupon.c.code == row.coupon, coupon.c.channel_id == row.coupon_channel
            work.execute(sa.update(coupon).where(*mine, coupon.c.used > 0).values(used=coupon.c.used - 1))
        if row.customer_key is not None:
            whose = per_customer.c.promotion_id == row.promotion_id, per_customer.c.customer_key == row.customer_key
            work.execute(
                sa.update(per_customer).where(*whose, per_customer.c.used > 0).values(used=per_customer.c.used - 1)
            )
