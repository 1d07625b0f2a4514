"""Finding an order in the actor's scope: missing and forbidden are the same answer."""

from typing import Final

from eckit.kernel.errors import InvalidInputError, NotFoundError, invalid
from eckit.kernel.ids import OrderId, expect_id, kind_of
from eckit.kernel.work import Work
from eckit.order import rules, store
from eckit.order.model import Order

READ: Final = "order.read"
WRITE: Final = "order.write"


def find(work: Work, id_or_number: str, permission: str) -> store.Found:
    """The order of this id or exactly this number, if the actor may see it.

    :raises NotFoundError: there is none, or not for this actor.
    :raises InvalidInputError: an id of another kind, or no text.
    """
    if rules.words(id_or_number) is None:
        raise invalid("wrong-id", "order", id_or_number, limit="ord_…")
    if kind_of(id_or_number) is not None:
        found = store.by_id(work, OrderId(expect_id("order", id_or_number, path="order")))
    else:
        found = _by_number(work, id_or_number)
    return scoped(work, found, id_or_number, permission)


def _by_number(work: Work, text: str) -> store.Found | None:
    try:
        number = rules.number(text)
    except InvalidInputError:
        return None  # nothing has such a number
    return store.by_number(work, number) if number == text else None


def scoped(work: Work, found: store.Found | None, shown: str, permission: str) -> store.Found:
    """What was found, if it is in the actor's scope."""
    if found is None or not rules.may_see(work.actor, found.bare, permission):
        raise NotFoundError(kind="order", id=shown)
    return found


def locked(work: Work, order: Order | OrderId, permission: str) -> Order:
    """The order as it is now, locked until the end of the transaction, if it is in the actor's scope."""
    order_id = order.id if isinstance(order, Order) else OrderId(expect_id("order", order))
    found = scoped(work, store.by_id(work, order_id, lock=True), order_id, permission)
    return store.whole(work, found)[0]


def held(work: Work, order: Order | OrderId) -> Order:
    """The order as it is now, locked: for flows, which have shown before that it is the actor's to change."""
    order_id = order.id if isinstance(order, Order) else OrderId(expect_id("order", order))
    found = store.by_id(work, order_id, lock=True)
    if found is None:
        raise NotFoundError(kind="order", id=order_id)
    return store.whole(work, found)[0]
