"""The invariants of shipments and parcels, as queries."""

from typing import Final

import sqlalchemy as sa

from eckit.kernel.auditing import Check, query
from eckit.shipping.rules import RANKS
from eckit.shipping.store import parcel, shipment, shipment_line, tracking

_MOVES: Final = "histories contain only declared transitions"
_QUANTITY: Final = "no negative total, line or quantity"
_LINES: Final = "per line: canceled + shipped ≤ ordered, returned ≤ shipped"

_gone: Final = shipment.c.state.in_(["handed_over", "delivered"])
_has_parcel: Final = sa.exists().where(parcel.c.shipment_id == shipment.c.id)
_has_lines: Final = sa.exists().where(shipment_line.c.shipment_id == shipment.c.id)
_line: Final = shipment_line.c.shipment_id + " " + shipment_line.c.line_id

CHECKS: Final[tuple[Check, ...]] = (
    query(
        "shipment-state-has-its-instant",
        _MOVES,
        shipment.name,
        sa.select(shipment.c.id, shipment.c.state).where(
            sa.or_(
                _gone != shipment.c.handed_over_at.is_not(None),
                (shipment.c.state == "delivered") != shipment.c.delivered_at.is_not(None),
                shipment.c.delivered_at < shipment.c.handed_over_at,
                shipment.c.handed_over_at < shipment.c.planned_at,
            )
        ),
    ),
    query(
        "what-left-has-a-parcel",
        "movements = on hand, each with one cause",
        shipment.name,
        sa.select(shipment.c.id, shipment.c.state).where(_gone != _has_parcel),
    ),
    query(
        "shipment-carries-lines",
        _LINES,
        shipment.name,
        sa.select(shipment.c.id, shipment.c.state).where(~_has_lines),
    ),
    query(
        "blocked-says-why",
        _MOVES,
        shipment.name,
        sa.select(shipment.c.id, shipment.c.state).where(shipment.c.state == "blocked", shipment.c.reason == ""),
    ),
    query(
        "shipped-steps-are-counts",
        _QUANTITY,
        shipment_line.name,
        sa.select(_line, shipment_line.c.steps).where(shipment_line.c.steps <= 0),
    ),
    query(
        "line-is-of-one-order",
        _LINES,
        shipment_line.name,
        sa.select(shipment_line.c.line_id, sa.func.count(sa.distinct(shipment_line.c.order_id)))
        .group_by(shipment_line.c.line_id)
        .having(sa.func.count(sa.distinct(shipment_line.c.order_id)) > 1),
    ),
    query(
        "line-is-of-a-shipment",
        _LINES,
        shipment_line.name,
        sa.select(_line).where(~sa.exists().where(shipment.c.id == shipment_line.c.shipment_id)),
    ),
    query(
        "one-parcel-of-a-number",
        "one order, one number",
        parcel.name,
        sa.select(sa.func.min(parcel.c.id), parcel.c.carrier, parcel.c.number)
        .where(parcel.c.number.is_not(None))
        .group_by(parcel.c.carrier, parcel.c.number)
        .having(sa.func.count() > 1),
    ),
    query(
        "delivered-is-told-by-each-parcel",
        _MOVES,
        parcel.name,
        sa.select(parcel.c.id, shipment.c.id)
        .join_from(parcel, shipment, shipment.c.id == parcel.c.shipment_id)
        .where(
            shipment.c.state == "delivered",
            ~sa.exists().where(tracking.c.parcel_id == parcel.c.id, tracking.c.status == "delivered"),
        ),
    ),
    query(
        "tracking-status-is-known",
        _MOVES,
        tracking.name,
        sa.select(tracking.c.id, tracking.c.status).where(tracking.c.status.not_in(sorted(RANKS))),
    ),
)
"""Every invariant that the tables of shipping can violate."""
