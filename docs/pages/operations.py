"""reference/operations.md: what can be asked of a shop and of the desks of a Work."""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from docs.pages.writing import NOTE, prose, signature, summary, table
from eckit.kernel.desk import Desk
from eckit.kernel.work import Work as KernelWork
from eckit.shop import Shop, Work


def shop_methods() -> dict[str, Callable[..., Any]]:
    """The public methods of a shop, by name, as the class lists them."""
    return {
        name: getattr(Shop, name)
        for name, member in vars(Shop).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, classmethod))
    }


def desks() -> dict[str, type[Desk]]:
    """The desks of a Work, by name."""
    found = {}
    for name, member in vars(Work).items():
        if isinstance(member, functools.cached_property):
            service = inspect.unwrap(member.func).__globals__[name]
            found[name] = service.Desk
    return found


def verbs(desk: type[Desk]) -> dict[str, Callable[..., Any]]:
    """The verbs of a desk, as its class lists them."""
    return {name: member for name, member in vars(desk).items() if not name.startswith("_") and callable(member)}


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Operations\n"
    yield (
        "An operation over several capabilities is a method of the `Shop` and owns its transactions. A verb of one "
        "capability stands on its desk of a `Work`: `work.stock.receive(…)`. Every one is asked by an `Actor`. "
        "An argument that is not of its declared type, or that no database could hold, is refused with an "
        "`InvalidInputError` naming the parameter, the field in it and the value; nothing is done then. "
        "What they raise is in [Errors](errors.md), what they take and give in [Facts](facts.md).\n"
    )
    yield "# Shop\n"
    yield prose(Shop.__doc__ or "") + "\n"
    for name, method in shop_methods().items():
        yield from _operation(f"shop.{name}", method, without=("self", "cls", "begin"))
    yield "# Work\n"
    yield prose(KernelWork.__doc__ or "") + "\n"
    for name in ("execute", "announce", "did", "bump", "require", "stamps", "variant_of"):
        yield from _operation(f"work.{name}", getattr(Work, name), without=("self",))
    for name, desk in desks().items():
        yield f"# work.{name}\n"
        found = verbs(desk)
        yield summary(vars(Work)[name].func) + "\n"
        yield table(("verb", ""), [(f"`{verb}`", summary(found[verb])) for verb in found]) + "\n"
        for verb, method in found.items():
            yield from _operation(f"work.{name}.{verb}", method, without=("work",))


def _operation(name: str, method: Callable[..., Any], *, without: tuple[str, ...]) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"```text\n{signature(method, without=without, name=name)}\n```\n"
    yield prose(method.__doc__ or "") + "\n"
