"""What orders ask plugins, and the news they give them."""

import datetime as dt
from typing import Any

import attrs

from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, Objection, PluginError
from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.plugins import Plugins
from eckit.order import rules
from eckit.order.model import (
    OrderAmended,
    OrderBlocked,
    OrderCanceled,
    OrderClosed,
    OrderConfirmed,
    OrderPlaced,
    OrderUnblocked,
)
from eckit.pricing.model import Quote


@hookspec(firstresult=True, failure=CLOSED)
def choose_order_number(series: str, n: int, at: dt.datetime) -> str | None:
    """Choose the number of an order that is being placed: what people will read out on the telephone.

    :param series: series of the order's channel, for example ``main``.
    :param n: counts the shop's orders up, with gaps; never the same twice.
    :param at: the instant the order is placed, in UTC.
    :return: a line of 1 to 40 characters, unique in the shop, or None to leave the choice to the next.

    Asked inside the transaction that places the order: be quick, use nothing but the arguments. If the number belongs
    to another order already, it is asked again with the next ``n``, a bounded number of times.

    Example::

        @hookimpl
        def choose_order_number(series, n, at):
            return f"{at:%y%m%d}-{n:04d}"
    """


@hookspec(failure=CLOSED)
def check_order(quote: Quote, actor: Actor) -> tuple[Objection, ...]:  # type: ignore[empty-body]
    """Object to an order before it is placed: a suspicion of fraud, a limit of the shop's own.

    :param quote: what would be ordered, complete and priced.
    :param actor: who orders.
    :return: every reason against it; ``()`` for none.

    Example::

        @hookimpl
        def check_order(quote, actor):
            return (Objection(code="too-big", label="Please call us."),) if quote.total_minor > 10**6 else ()
    """


@hookspec()
def order_placed(event: OrderPlaced, shop: Any) -> None:
    """An order was placed; its money is not secured yet. After the commit; at least once."""


@hookspec()
def order_confirmed(event: OrderConfirmed, shop: Any) -> None:
    """An order counts from now on: its first due is secured. After the commit; at least once."""


@hookspec()
def order_canceled(event: OrderCanceled, shop: Any) -> None:
    """A whole order was canceled. After the commit; at least once."""


@hookspec()
def order_amended(event: OrderAmended, shop: Any) -> None:
    """An order was changed, and not canceled as a whole. After the commit; at least once."""


@hookspec()
def order_closed(event: OrderClosed, shop: Any) -> None:
    """Nothing is left to do for an order. After the commit; at least once."""


@hookspec()
def order_blocked(event: OrderBlocked, shop: Any) -> None:
    """An order may not go on for now. After the commit; at least once."""


@hookspec()
def order_unblocked(event: OrderUnblocked, shop: Any) -> None:
    """A block of an order was lifted. After the commit; at least once."""


def ask_order_number(plugins: Plugins, series: str, n: int, at: dt.datetime) -> str:
    """The number the first plugin chooses.

    :raises PluginError: it cannot be a number, or nobody chose.
    """
    answers = plugins.call.choose_order_number(series=series, n=n, at=at)
    for answer in answers.given:
        try:
            return rules.number(answer.value)
        except InvalidInputError as error:
            raise PluginError(plugin=answer.plugin, hook="choose_order_number", reason=error.text("en")) from error
    raise PluginError(plugin="", hook="choose_order_number", reason="no plugin chose")


def ask_objections(plugins: Plugins, quote: Quote, actor: Actor) -> tuple[Objection, ...]:
    """Every plugin's objections, each with the plugin's name.

    :raises PluginError: one failed.
    """
    answers = plugins.call.check_order(quote=quote, actor=actor)
    return tuple(
        attrs.evolve(objection, plugin=answer.plugin) for answer in answers.given for objection in answer.value
    )
