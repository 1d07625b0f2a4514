"""reference/events.md: what is announced, after it committed."""

from collections.abc import Iterator
from typing import Any

import attrs

from docs.pages.hooks import specs
from docs.pages.writing import NOTE, escaped, fields_of, modules, own_doc, prose, shown, summary, table
from eckit.kernel.events import EVENTS, Envelope, Event


def events() -> dict[str, type[Event]]:
    """Every event of the core, by name."""
    for _ in modules("eckit"):
        pass
    return {name: kind for name, kind in sorted(EVENTS.items()) if kind.__module__.startswith("eckit.")}


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Events\n"
    yield (
        "An event is written in the transaction that caused it and sent after the commit: at least once, with an "
        "id that stays the same. `seq` orders the events of one subject; between subjects there is no order. "
        "Events hold ids, codes, amounts and steps; no personal data, no secret, no free text. The event "
        "`order.placed` is heard by the hook `order_placed(event, shop)`.\n"
    )
    found = events()
    hooks = {spec.name for spec in specs()}
    rows = [(f"[{name}](#{name.replace('.', '')})", str(kind.version), summary(kind)) for name, kind in found.items()]
    yield table(("event", "version", ""), rows) + "\n"
    yield "## The envelope\n"
    yield prose(own_doc(Envelope)) + "\n"
    yield (
        table(("field", "type"), [(f"`{field.name}`", f"`{shown(field.type)}`") for field in attrs.fields(Envelope)])
        + "\n"
    )
    for name, kind in found.items():
        yield f"## {name}\n"
        yield prose(own_doc(kind)).partition("\n\n- `")[0] + "\n"
        hook = name.replace(".", "_")
        heard = f" Heard by the hook `{hook}`." if hook in hooks else ""
        yield f"Version {kind.version}. Class `{kind.__name__}`. Subject: {escaped(_subject(kind))}{heard}\n"
        said: dict[str, str] = {}
        for base in reversed(kind.__mro__):
            said |= fields_of(base)
        yield table(("field", "type", "meaning"), [_row(field, said) for field in attrs.fields(kind)]) + "\n"


def _subject(kind: type[Event]) -> str:
    for base in kind.__mro__:
        member: Any = vars(base).get("subject")
        if member is not None and member.fget.__doc__:
            text = member.fget.__doc__.strip().split("\n")[0]
            return text[0].lower() + text[1:]
    return ""


def _row(field: "attrs.Attribute[Any]", said: dict[str, str]) -> tuple[str, str, str]:
    return f"`{field.name}`", f"`{shown(field.type)}`", said.get(field.name, "")
