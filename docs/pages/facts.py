"""reference/facts.md: the facts that cross the public face, and the protocols plugins' objects follow."""

import enum
import inspect
from collections.abc import Iterator
from typing import Any, get_args

import attrs

import eckit
from docs.pages.writing import (
    ALIASES,
    CAPABILITIES,
    NOTE,
    field_default,
    fields_of,
    own_doc,
    prose,
    shown,
    signature,
    table,
)


def facts() -> dict[str, list[tuple[str, Any]]]:
    """Home → the public classes that are no errors and no events, by name."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for name in sorted(eckit.__all__):
        thing = None if name == "Shop" else getattr(eckit, name)
        if not inspect.isclass(thing) or issubclass(thing, Exception | eckit.Event):
            continue
        if attrs.has(thing) or issubclass(thing, enum.Enum) or _is_protocol(thing):
            found.setdefault(thing.__module__.split(".")[1], []).append((name, thing))
    order = {home: number for number, home in enumerate(("kernel", *CAPABILITIES))}
    return dict(sorted(found.items(), key=lambda entry: order.get(entry[0], len(order))))


def _is_protocol(thing: Any) -> bool:
    return bool(getattr(thing, "_is_protocol", False))


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Facts\n"
    yield (
        "What operations and hooks take and give. Every fact is frozen, every argument is given by name, and all "
        "of them are imported from `eckit`. Amounts whose name ends in `_minor` are whole minor units of the "
        "currency that stands beside them (yen, cents, fils); quantities are whole `steps`; instants are aware and "
        "in UTC. A *protocol* is what an object of a plugin must have; there is nothing to inherit from.\n"
    )
    for home, found in facts().items():
        yield f"# {home}\n"
        yield from _unions(home)
        for name, thing in found:
            yield f"## {name}\n"
            yield from _fact(thing)


def _unions(home: str) -> Iterator[str]:
    """Names of unions, which are no classes."""
    if home == "payment":
        rows = [
            (f"`{name}`", ", ".join(f"`{shown(one)}`" for one in get_args(union))) for union, name in ALIASES.items()
        ]
        yield "Some names stand for any one of several facts:\n"
        yield table(("name", "one of"), rows) + "\n"


def _fact(thing: Any) -> Iterator[str]:
    if _is_protocol(thing):
        yield prose(own_doc(thing)) + "\n"
        yield from _protocol(thing)
        return
    said = fields_of(thing)
    text = prose(own_doc(thing))
    yield text.partition("- `")[0].strip() + "\n"
    if issubclass(thing, enum.Enum):
        yield ", ".join(f"`{member.name}` = `{member.value!r}`" for member in thing) + "\n"
        return
    rows = [
        (f"`{field.name}`", f"`{shown(field.type)}`", _default(field), said.get(field.name, ""))
        for field in attrs.fields(thing)
    ]
    if rows:
        yield table(("field", "type", "default", "meaning"), rows) + "\n"


def _default(field: "attrs.Attribute[Any]") -> str:
    value = field_default(field)
    return f"`{value}`" if value else ""


def _protocol(thing: Any) -> Iterator[str]:
    members = [f"{name}: {shown(hint)}" for name, hint in inspect.get_annotations(thing).items()]
    methods = [
        member for name, member in vars(thing).items() if inspect.isfunction(member) and not name.startswith("_")
    ]
    lines = [*members, *(signature(method, without=("self",)) for method in methods)]
    yield "```text\n" + "\n".join(lines) + "\n```\n"
    for method in methods:
        if method.__doc__:
            yield f"`{method.__name__}`: {prose(method.__doc__)}\n"
