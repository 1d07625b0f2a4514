"""Tables of shipping."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from eckit.kernel.ids import LineId, OrderId, ParcelId, ShipmentId
from eckit.kernel.minting import mint
from eckit.kernel.stamps import upsert
from eckit.kernel.tables import at, core_table, ident
from eckit.kernel.work import Work
from eckit.shipping.model import Parcel, Shipment, ShipmentLine, ShipmentState, Tracking

shipment = core_table(
    "shipment",
    ident("id", primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    ident("location_id", nullable=True),
    ident("group_id", nullable=True),
    ident("mode"),
    ident("option", nullable=True),
    ident("direction"),
    ident("purpose"),
    sa.Column("reason", sa.String(200), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False),
    at("planned_at"),
    at("handed_over_at", nullable=True),
    at("delivered_at", nullable=True),
    sa.CheckConstraint("state in ('draft', 'blocked', 'ready', 'handed_over', 'delivered', 'canceled')", name="state"),
    sa.CheckConstraint("direction in ('out', 'back')", name="direction"),
)

shipment_line = core_table(
    "shipment_line",
    ident("shipment_id", sa.ForeignKey(shipment.c.id), primary_key=True),
    ident("line_id", primary_key=True),
    ident("order_id"),
    sa.Column("steps", sa.BigInteger, nullable=False),
    sa.CheckConstraint("steps > 0", name="steps"),
    sa.Index("ix_eckit_shipment_line_order", "order_id"),
)

parcel = core_table(
    "parcel",
    ident("id", primary_key=True),
    ident("shipment_id", sa.ForeignKey(shipment.c.id)),
    ident("carrier"),
    ident("number", nullable=True),
    sa.Column("weight_grams", sa.BigInteger, nullable=True),
    sa.Column("tracking_url", sa.String(500), nullable=True),
    at("handed_over_at"),
    sa.UniqueConstraint("carrier", "number"),
    sa.Index("ix_eckit_parcel_shipment", "shipment_id"),
)

tracking = core_table(
    "tracking",
    ident("id", primary_key=True),
    ident("parcel_id", sa.ForeignKey(parcel.c.id)),
    sa.Column("key", sa.String(200), nullable=False),
    ident("status"),
    at("at"),
    sa.Column("words", sa.String(500), nullable=False, server_default=""),
    sa.UniqueConstraint("parcel_id", "key"),
)


def add_shipments(work: Work, shipments: Sequence[Shipment]) -> None:
    """Insert shipments with their lines, in two statements."""
    if not shipments:
        return
    work.execute(
        sa.insert(shipment).values(
            [
                {
                    "id": one.id,
                    "state": one.state.value,
                    "location_id": one.location_id,
                    "group_id": one.group_id,
                    "mode": one.mode,
                    "option": one.option,
                    "direction": one.direction,
                    "purpose": one.purpose,
                    "reason": one.reason,
                    "version": one.version,
                    "planned_at": one.planned_at,
                    "handed_over_at": one.handed_over_at,
                    "delivered_at": one.delivered_at,
                }
                for one in shipments
            ]
        )
    )
    _add_lines(work, [(one.id, line) for one in shipments for line in one.lines])


def _add_lines(work: Work, lines: Sequence[tuple[ShipmentId, ShipmentLine]]) -> None:
    rows = [
        {"shipment_id": shipment_id, "line_id": line.line_id, "order_id": line.order_id, "steps": line.steps}
        for shipment_id, line in lines
    ]
    if rows:
        work.execute(sa.insert(shipment_line).values(rows))


def set_lines(work: Work, shipment_id: ShipmentId, lines: Sequence[ShipmentLine]) -> None:
    """Replace the lines of a shipment that has not left."""
    work.execute(sa.delete(shipment_line).where(shipment_line.c.shipment_id == shipment_id))
    _add_lines(work, [(shipment_id, line) for line in lines])


def for_order(work: Work, order_id: OrderId, *, lock: bool = False) -> tuple[Shipment, ...]:
    """Every shipment that carries lines of an order, oldest first."""
    mine = sa.select(shipment_line.c.shipment_id).where(shipment_line.c.order_id == order_id)
    query = sa.select(shipment).where(shipment.c.id.in_(mine)).order_by(shipment.c.id)
    rows = work.execute(query.with_for_update() if lock else query).all()
    return _with_lines(work, rows)


def get(work: Work, shipment_id: ShipmentId, *, lock: bool = False) -> Shipment | None:
    """One shipment."""
    query = sa.select(shipment).where(shipment.c.id == shipment_id)
    rows = work.execute(query.with_for_update() if lock else query).all()
    return next(iter(_with_lines(work, rows)), None)


def ready(work: Work, limit: int) -> tuple[Shipment, ...]:
    """Shipments that may be picked, oldest first."""
    query = sa.select(shipment).where(shipment.c.state == "ready").order_by(shipment.c.id).limit(limit)
    return _with_lines(work, work.execute(query).all())


def _with_lines(work: Work, rows: Sequence[Any]) -> tuple[Shipment, ...]:
    ids = [row.id for row in rows]
    lines: dict[str, list[ShipmentLine]] = {one: [] for one in ids}
    query = sa.select(shipment_line).where(shipment_line.c.shipment_id.in_(ids)).order_by(shipment_line.c.line_id)
    for line in work.execute(query) if ids else ():
        lines[line.shipment_id].append(
            ShipmentLine(order_id=line.order_id, line_id=LineId(line.line_id), steps=line.steps)
        )
    return tuple(
        Shipment(
            id=row.id,
            state=ShipmentState(row.state),
            location_id=row.location_id,
            group_id=row.group_id,
            mode=row.mode,
            option=row.option,
            lines=tuple(lines[row.id]),
            direction=row.direction,
            purpose=row.purpose,
            reason=row.reason,
            version=row.version,
            planned_at=row.planned_at,
            handed_over_at=row.handed_over_at,
            delivered_at=row.delivered_at,
        )
        for row in rows
    )


def set_state(work: Work, one: Shipment, state: ShipmentState, **values: Any) -> bool:
    """Move a shipment that is still at the version seen; whether it was."""
    statement = (
        sa.update(shipment)
        .where(shipment.c.id == one.id, shipment.c.version == one.version)
        .values(state=state.value, version=one.version + 1, **values)
        .returning(shipment.c.id)
    )
    return work.execute(statement).one_or_none() is not None


def add_parcel(work: Work, one: Parcel) -> bool:
    """Insert a parcel; False if its number is another's."""
    insert = upsert(work.connection, parcel).values(
        id=one.id,
        shipment_id=one.shipment_id,
        carrier=one.carrier,
        number=one.number or None,
        weight_grams=one.weight_grams,
        tracking_url=one.tracking_url,
        handed_over_at=work.now,
    )
    added = insert.on_conflict_do_nothing(index_elements=["carrier", "number"]).returning(parcel.c.id)
    return work.execute(added).one_or_none() is not None


def parcels_of(work: Work, shipment_ids: Sequence[ShipmentId]) -> tuple[Parcel, ...]:
    """The parcels of shipments."""
    rows = work.execute(sa.select(parcel).where(parcel.c.shipment_id.in_(list(shipment_ids))).order_by(parcel.c.id))
    return tuple(map(_parcel, rows))


def set_number(work: Work, one: Parcel) -> bool:
    """Give a parcel its number and page; False if the number is another's."""
    taken = sa.select(parcel.c.id).where(parcel.c.carrier == one.carrier, parcel.c.number == one.number)
    if work.execute(taken).first() is not None:
        return False
    values = {"number": one.number, "tracking_url": one.tracking_url}
    work.execute(sa.update(parcel).where(parcel.c.id == one.id).values(values))
    return True


def parcel_by_id(work: Work, parcel_id: ParcelId, *, lock: bool = False) -> Parcel | None:
    """One parcel."""
    query = sa.select(parcel).where(parcel.c.id == parcel_id)
    row = work.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _parcel(row)


def _parcel(row: Any) -> Parcel:
    return Parcel(
        id=row.id,
        shipment_id=row.shipment_id,
        number=row.number or "",
        carrier=row.carrier,
        weight_grams=row.weight_grams,
        tracking_url=row.tracking_url,
    )


def add_tracking(work: Work, one: Tracking) -> bool:
    """Insert what a carrier reported; False if it is known already."""
    insert = upsert(work.connection, tracking).values(
        id=mint("tracking"), parcel_id=one.parcel_id, key=one.key, status=one.status, at=one.at, words=one.words
    )
    added = insert.on_conflict_do_nothing(index_elements=["parcel_id", "key"]).returning(tracking.c.id)
    return work.execute(added).one_or_none() is not None


def statuses(work: Work, parcel_id: ParcelId) -> tuple[str, ...]:
    """Every status a parcel was told."""
    return tuple(work.execute(sa.select(tracking.c.status).where(tracking.c.parcel_id == parcel_id)).scalars())
