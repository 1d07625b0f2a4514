"""What stock asks plugins."""

from typing import Any

from eckit.kernel.hookspecs import CLOSED, hookspec
from eckit.kernel.plugins import Plugins
from eckit.stock import rules
from eckit.stock.errors import AllocationError
from eckit.stock.model import Allocation, Level, StockChanged, StockShort, Wanted


@hookspec(firstresult=True, failure=CLOSED)
def choose_allocation(wanted: tuple[Wanted, ...], levels: tuple[Level, ...]) -> tuple[Allocation, ...] | None:
    """Choose from which location each wanted line is to come.

    :param wanted: lines that are counted, with their steps; together there is enough of each.
    :param levels: counters of their variants at sellable locations, in the shop's order of locations.
    :return: allocations whose steps add up to each line's, or None to leave the choice to the next.

    Asked inside the transaction that places an order: be quick, use nothing but the arguments.
    """


@hookspec()
def stock_changed(event: StockChanged, shop: Any) -> None:
    """Goods came or went. After the commit; at least once."""


@hookspec()
def stock_short(event: StockShort, shop: Any) -> None:
    """A promise has lost its goods. After the commit; at least once."""


def ask_allocation(plugins: Plugins, wanted: tuple[Wanted, ...], levels: tuple[Level, ...]) -> tuple[Allocation, ...]:
    """The choice of the first plugin that makes one, checked.

    :raises AllocationError: it does not cover what is wanted, or nobody chose.
    """
    answers = plugins.call.choose_allocation(wanted=wanted, levels=levels)
    for answer in answers.given:
        rules.covered(answer.plugin, wanted, answer.value, levels)
        chosen: tuple[Allocation, ...] = answer.value
        return chosen
    raise AllocationError(plugin="", hook="choose_allocation", reason="no plugin chose")
