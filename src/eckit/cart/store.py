"""Carts as rows: one row per cart, what is in it as a document."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from eckit.cart.model import Cart, CartEvent, CartGroup, CartLine, CartState, Touch
from eckit.cart.rules import MOVES, Seen
from eckit.customer.model import TaxPlace
from eckit.kernel.ids import CartId, CustomerId, OrderId
from eckit.kernel.stamps import upsert
from eckit.kernel.states import move
from eckit.kernel.tables import Json, at, core_table, ident
from eckit.kernel.work import Work

cart = core_table(
    "cart",
    ident("id", primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    ident("channel_id"),
    ident("market_id"),
    ident("customer_id", nullable=True),
    ident("token", unique=True),
    ident("order_id", nullable=True),
    ident("merged_into", nullable=True),
    at("expires_at"),
    at("updated_at"),
    sa.Column("body", Json, nullable=False),
    sa.CheckConstraint("version >= 1", name="version"),
    sa.CheckConstraint("token <> ''", name="token"),
    sa.CheckConstraint("state in ('open', 'taken', 'abandoned')", name="state"),
    sa.CheckConstraint("(state = 'taken') = (order_id is not null)", name="order"),
    sa.CheckConstraint("merged_into is null or state = 'abandoned'", name="merged"),
    sa.Index("ix_eckit_cart_due", "state", "expires_at"),
    sa.Index("ix_eckit_cart_customer", "customer_id"),
)

_ONE = sa.select(cart).where(cart.c.id == sa.bindparam("id"))
_ONE_LOCKED = _ONE.with_for_update()
_SOME_LOCKED = (
    sa.select(cart).where(cart.c.id.in_(sa.bindparam("ids", expanding=True))).order_by(cart.c.id).with_for_update()
)
_SAVE = (
    sa.update(cart)
    .where(cart.c.id == sa.bindparam("its_id"), cart.c.version == sa.bindparam("was"))
    .values({column.name: sa.bindparam(column.name) for column in cart.c if column.name != "id"})
)
_TAKE = (
    sa.update(cart)
    .where(
        cart.c.id == sa.bindparam("its_id"),
        cart.c.version == sa.bindparam("was"),
        cart.c.state == CartState.OPEN.value,
    )
    .values(
        state=move(MOVES, CartState.OPEN, CartEvent.PLACED).value,
        order_id=sa.bindparam("order"),
        updated_at=sa.bindparam("now", type_=cart.c.updated_at.type),
    )
    .returning(cart)
)


@attrs.frozen(kw_only=True)
class Stored:
    """A cart with what only its row knows: the order made of it, and the request keys used on it."""

    cart: Cart
    order_id: OrderId | None = None
    seen: Mapping[str, Seen] = attrs.field(factory=dict, hash=False)


def add(work: Work, stored: Stored) -> bool:
    """Insert a new cart; False if its token is taken."""
    insert = upsert(work.connection, cart).values(_row(work, stored)).on_conflict_do_nothing().returning(cart.c.id)
    return work.execute(insert).one_or_none() is not None


def find(work: Work, cart_id: CartId, *, lock: bool = False) -> Stored | None:
    """The cart of this id, perhaps locked until the end of the transaction."""
    row = work.execute(_ONE_LOCKED if lock else _ONE, {"id": cart_id}).one_or_none()
    return None if row is None else _stored(row)


def find_both(work: Work, one: CartId, other: CartId) -> dict[CartId, Stored]:
    """Two carts, locked in the order of their ids, so that two merges cannot wait for each other."""
    rows = work.execute(_SOME_LOCKED, {"ids": sorted({one, other})})
    return {CartId(row.id): _stored(row) for row in rows}


def save(work: Work, stored: Stored, *, was: int) -> bool:
    """Write a cart back; False if its version is not the one that was read."""
    return work.execute(_SAVE, {**_row(work, stored), "its_id": stored.cart.id, "was": was}).rowcount == 1


def take(work: Work, cart_id: CartId, version: int, order_id: OrderId) -> Stored | None:
    """Make an open cart of this version taken, in one statement; None if it is not, any more."""
    row = work.execute(_TAKE, {"its_id": cart_id, "was": version, "order": order_id, "now": work.now}).one_or_none()
    return None if row is None else _stored(row)


def reopen(work: Work, cart_id: CartId, order_id: OrderId | None, until: dt.datetime) -> int | None:
    """Make a taken cart open again; its next version, or None if it is not taken (by that order)."""
    reopened = sa.update(cart).where(cart.c.id == cart_id, cart.c.state == CartState.TAKEN.value)
    if order_id is not None:
        reopened = reopened.where(cart.c.order_id == order_id)
    row = work.execute(
        reopened.values(
            state=move(MOVES, CartState.TAKEN, CartEvent.REOPENED).value,
            order_id=None,
            version=cart.c.version + 1,
            expires_at=until,
            updated_at=work.now,
        ).returning(cart.c.version)
    ).one_or_none()
    return None if row is None else int(row.version)


def abandon_overdue(work: Work, limit: int) -> tuple[CartId, ...]:
    """Abandon open carts whose time is over, in one statement; those somebody is changing right now are left alone."""
    due = (
        sa.select(cart.c.id)
        .where(cart.c.state == CartState.OPEN.value, cart.c.expires_at <= work.now)
        .order_by(cart.c.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = work.execute(
        sa.update(cart)
        .where(cart.c.id.in_(due), cart.c.state == CartState.OPEN.value, cart.c.expires_at <= work.now)
        .values(
            state=move(MOVES, CartState.OPEN, CartEvent.EXPIRED).value,
            version=cart.c.version + 1,
            updated_at=work.now,
        )
        .returning(cart.c.id)
    )
    return tuple(sorted(CartId(row.id) for row in rows))


def forget_touches(work: Work, customer_id: CustomerId) -> tuple[CartId, ...]:
    """Take the touches out of all carts of a customer; the carts that had some."""
    rows = work.execute(sa.select(cart.c.id, cart.c.body).where(cart.c.customer_id == customer_id)).all()
    told = [row for row in rows if row.body["touches"]]
    for row in told:
        work.execute(sa.update(cart).where(cart.c.id == row.id).values(body={**row.body, "touches": []}))
    return tuple(CartId(row.id) for row in told)


# -- rows and facts ---------------------------------------------------------------------------------------------------


def _row(work: Work, stored: Stored) -> dict[str, Any]:
    it = stored.cart
    return {
        "id": it.id,
        "version": it.version,
        "state": it.state.value,
        "channel_id": it.channel_id,
        "market_id": it.market_id,
        "customer_id": it.customer_id,
        "token": it.token,
        "order_id": stored.order_id,
        "merged_into": it.merged_into,
        "expires_at": it.expires_at,
        "updated_at": work.now,
        "body": _body(stored),
    }


def _body(stored: Stored) -> dict[str, Any]:
    it = stored.cart
    return {
        "locale": it.locale,
        "buyer": it.buyer,
        "lines": [_filled(line) for line in it.lines],
        "groups": [_group_body(group) for group in it.groups],
        "codes": list(it.codes),
        "method": it.method,
        "touches": [{**_filled(touch), "at": touch.at.isoformat()} for touch in it.touches],
        "client_refs": dict(it.client_refs),
        "seen": {key: [one.fingerprint, one.at.isoformat()] for key, one in stored.seen.items()},
    }


def _group_body(group: CartGroup) -> dict[str, Any]:
    body = _filled(group)
    if group.tax_place is not None:
        body["tax_place"] = attrs.asdict(group.tax_place)
    if group.wanted_date is not None:
        body["wanted_date"] = group.wanted_date.isoformat()
    return body


def _filled(fact: Any) -> dict[str, Any]:
    """The fields of a fact that say something: what is left out is read as its default."""
    values = {field.name: getattr(fact, field.name) for field in attrs.fields(type(fact))}
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def _stored(row: sa.Row[Any]) -> Stored:
    body: Mapping[str, Any] = row.body
    it = Cart(
        id=row.id,
        version=row.version,
        state=CartState(row.state),
        channel_id=row.channel_id,
        market_id=row.market_id,
        customer_id=row.customer_id,
        token=row.token,
        expires_at=row.expires_at,
        merged_into=row.merged_into,
        locale=body["locale"],
        buyer=body["buyer"],
        lines=tuple(CartLine(**line) for line in body["lines"]),
        groups=tuple(_groups(body["groups"])),
        codes=tuple(body["codes"]),
        method=body["method"],
        touches=tuple(Touch(**{**touch, "at": dt.datetime.fromisoformat(touch["at"])}) for touch in body["touches"]),
        client_refs=body["client_refs"],
    )
    seen = {key: Seen(what, dt.datetime.fromisoformat(when)) for key, (what, when) in body["seen"].items()}
    return Stored(cart=it, order_id=row.order_id, seen=seen)


def _groups(bodies: Iterable[Mapping[str, Any]]) -> Iterable[CartGroup]:
    for body in bodies:
        facts = dict(body)
        if "tax_place" in facts:
            facts["tax_place"] = TaxPlace(**facts["tax_place"])
        if "wanted_date" in facts:
            facts["wanted_date"] = dt.date.fromisoformat(facts["wanted_date"])
        yield CartGroup(**facts)
