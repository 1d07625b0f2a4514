"""Orders as people see them: one, a page, all as a file."""

import base64
import binascii
import csv
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any, Final

from eckit.catalog.model import Page
from eckit.kernel import facets
from eckit.kernel.clock import utc
from eckit.kernel.errors import NotFoundError, invalid
from eckit.kernel.ids import ChannelId, CustomerId, OrderId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work
from eckit.order import rules, store
from eckit.order.model import Order, OrderLink, OrderState, OrderView
from eckit.order.service.scope import READ, WRITE, find

MAX_PAGE: Final = 200


def get(work: Work, id_or_number: str) -> OrderView:
    """An order with its placement and plugins' facets: for its customer, its token's holder, staff with ``order.read``.

    :param id_or_number: its id, or its number exactly as it was given.
    :raises NotFoundError: there is none, or not for this actor.
    :raises InvalidInputError: an id of another kind, or no text.
    """
    return _view(work, find(work, id_or_number, READ))


def by_token(work: Work, token: str) -> OrderView:
    """The order that this token opens, as in a link of a mail. Nothing but the whole token does.

    :raises NotFoundError: it opens none; the token is not in the error.
    """
    found = store.by_token(work, token) if rules.is_token(token) else None
    if found is None:
        raise NotFoundError(kind="order")
    return _view(work, found)


def _view(work: Work, found: store.Found) -> OrderView:
    [order] = store.whole(work, found)
    ref = Ref("order", order.id)
    return OrderView(
        order=order,
        placement=rules.placement_of(order.id, store.sealed_text(work, order.id)),
        facets=facets.load(work, [ref], "order")[ref],
    )


def save_facet(work: Work, order_id: OrderId, facet: Any) -> None:
    """Store a plugin's extra facts on an order, in place of earlier ones of the same class. Needs ``order.write``.

    What was agreed is sealed and does not change by it.

    :raises NotFoundError: no such order for this actor.
    :raises InvalidInputError: no plugin registers this class on orders; it cannot be stored.
    """
    work.actor.require(WRITE)
    facets.save(work, Ref("order", find(work, order_id, WRITE).row.id), facet)


def list_orders(
    work: Work,
    *,
    state: OrderState | None = None,
    confirmed: bool | None = None,
    customer: CustomerId | None = None,
    channel: ChannelId | None = None,
    after: str | None = None,
    limit: int = 24,
) -> Page[Order]:
    """A page of the orders this actor may see, the latest first; four statements, whatever the orders.

    The order is total, so that pages neither repeat nor leave out an order that was there when the first was read.

    :param confirmed: only those that count (True), or only those whose money is not secured (False).
    :param after: ``after`` of the page before.
    :param limit: 1 to 200.
    :raises InvalidInputError: a limit or a place that is none.
    """
    rules.count(limit, "limit", MAX_PAGE, "wrong-page-size")
    wish = store.Wish(
        state=None if state is None else _state(state),
        confirmed=confirmed,
        customer_id=None if customer is None else expect_id("customer", customer, path="customer"),
        channel_id=None if channel is None else expect_id("channel", channel, path="channel"),
    )
    place = None if after is None else _place(after)
    found = store.page(work, work.actor, READ, wish, place, limit + 1)
    orders = store.whole(work, *found[:limit])
    return Page(items=orders, after=_cursor(orders[-1]) if len(found) > limit else None)


def _state(state: OrderState) -> OrderState:
    try:
        return OrderState(state)
    except ValueError as error:
        raise invalid("wrong-state", "state", state, limit=", ".join(one.value for one in OrderState)) from error


def _cursor(order: Order) -> str:
    return base64.urlsafe_b64encode(f"{order.placed_at.isoformat()} {order.id}".encode()).decode()


def _place(cursor: str) -> tuple[dt.datetime, str]:
    try:
        at, _, order_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return utc(dt.datetime.fromisoformat(at), "after"), expect_id("order", order_id)
    except (AttributeError, ValueError, binascii.Error) as error:
        raise invalid("wrong-place", "after", cursor) from error


def export_orders(
    work: Work,
    *,
    since: dt.datetime | None = None,
    before: dt.datetime | None = None,
    channel: ChannelId | None = None,
) -> Iterator[str]:
    """The orders this actor may see as lines of CSV, the oldest first, under a line of column names.

    One statement reads them all, so the file is one state of the database: every order once. Texts are quoted and
    cannot be taken for formulas; amounts are plain numbers. Read it to the end inside the Work. Needs ``order.read``.

    :param since: placed at or after this instant; ``before``: placed before this one.
    """
    work.actor.require(READ)
    wish = store.Wish(
        since=None if since is None else utc(since, "since"),
        before=None if before is None else utc(before, "before"),
        channel_id=None if channel is None else expect_id("channel", channel, path="channel"),
    )
    return _csv(work, wish)


def _csv(work: Work, wish: store.Wish) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(rules.COLUMNS)
    for order in store.stream(work, work.actor, READ, wish):
        yield _taken_out(buffer)
        writer.writerow(rules.cells(order))
    yield _taken_out(buffer)


def _taken_out(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def links(work: Work, order_id: OrderId) -> tuple[OrderLink, ...]:
    """How an order belongs together with others, from it and to it."""
    return store.links(work, OrderId(find(work, order_id, READ).row.id))
