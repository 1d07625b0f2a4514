"""What came and went, and what promises lost their goods."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from eckit.kernel.ids import StockMovementId
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work
from eckit.stock.model import Movement, Shortage
from eckit.stock.store.tables import Place, movement, shortage

_ADD: Final = sa.insert(movement).returning(movement.c.id)


def add_movements(work: Work, moves: Sequence[Movement]) -> None:
    """Insert movements in one statement."""
    rows = [
        {
            "id": move.id,
            "variant_id": move.variant_id,
            "location_id": move.location_id,
            "steps": move.steps,
            "kind": move.kind,
            "cause": str(move.cause),
            "unit_cost_minor": move.unit_cost_minor,
            "cost_currency": move.cost_currency,
            "at": move.at,
            "by": move.by,
        }
        for move in moves
    ]
    if rows:
        work.execute(_ADD, rows).all()


def new_movement(
    work: Work, place: Place, steps: int, kind: str, cause: Ref, cost: tuple[int, str] | None = None
) -> Movement:
    """A movement of now, by the Work's actor."""
    return Movement(
        id=StockMovementId(mint("stock_movement")),
        variant_id=place[0],
        location_id=place[1],
        steps=steps,
        kind=kind,
        cause=cause,
        unit_cost_minor=cost[0] if cost else None,
        cost_currency=cost[1] if cost else None,
        at=work.now,
        by=str(work.actor),
    )


def open_shortage(work: Work, one: Shortage) -> None:
    """Insert a shortage."""
    work.execute(
        sa.insert(shortage).values(
            id=one.id,
            variant_id=one.variant_id,
            location_id=one.location_id,
            steps=one.steps,
            cause=str(one.cause),
            opened_at=one.opened_at,
        )
    )


def open_shortages(work: Work, place: Place) -> list[tuple[str, int]]:
    """Id and steps of the open shortages of a place, oldest first."""
    query = (
        sa.select(shortage.c.id, shortage.c.steps)
        .where(shortage.c.variant_id == place[0], shortage.c.location_id == place[1], shortage.c.closed_at.is_(None))
        .order_by(shortage.c.id)
    )
    return [(row.id, row.steps) for row in work.execute(query)]


def close_shortages(work: Work, ids: Sequence[str]) -> None:
    """The promises have their goods again."""
    if ids:
        work.execute(sa.update(shortage).where(shortage.c.id.in_(ids)).values(closed_at=work.now))
