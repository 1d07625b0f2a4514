"""Docstrings, types and signatures as Markdown; the same text on every supported Python."""

import collections.abc
import datetime as dt
import enum
import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import attrs

from eckit.payment import Instrument, Opened, Outcome

CAPABILITIES: Final = (
    "channel", "catalog", "customer", "currency", "tax", "promotion", "credit",
    "pricing", "cart", "order", "payment", "stock", "shipping", "messages",
)  # fmt: skip
"""In the order of the river."""

ALIASES: Final[dict[Any, str]] = {Outcome: "Outcome", Opened: "Opened", Instrument: "Instrument"}
"""Unions that have a name of their own."""

NOTE: Final = "% Written by docs/generate.py from the code. Change the docstrings there, then run it again.\n"

_FIELD: Final = re.compile(r"(?:^|\s):(ivar|param|return|raises)\b ?([^:]*):\s", re.MULTILINE)
_ROLE: Final = re.compile(r":[a-z]+:`~?\.?([^`]+)`")
_CODE: Final = re.compile(r"``.+?``|`[^`]+`", re.DOTALL)


# -- docstrings -------------------------------------------------------------------------------------------------------


def summary(thing: Any) -> str:
    """The first paragraph of what a docstring says, on one line of Markdown."""
    paragraphs = inspect.cleandoc(own_doc(thing)).split("\n\n")
    return _flowing(_FIELD.split(paragraphs[0])[0])


def prose(doc: str) -> str:
    """A docstring as Markdown: paragraphs, then its fields as a list, then its examples as code."""
    text = inspect.cleandoc(doc)
    text, _, example = text.partition("Example::\n")
    code, rest = _code_and_rest(example)
    text = f"{text}\n\n{rest}" if rest else text
    head, entries = _split(text)
    parts = [_paragraphs(head)]
    after = []
    fields = []
    for kind, name, told in entries:
        said, _, more = told.strip().partition("\n\n")
        fields.append(_field(kind, name, said))
        after.append(more)
    parts.append("\n".join(fields))
    parts += [_paragraphs(more) for more in after if more.strip()]
    if code:
        parts.append(f"```python\n{code}\n```")
    return "\n\n".join(part for part in parts if part.strip())


def fields_of(thing: Any) -> dict[str, str]:
    """What a class's docstring says about its fields, by name."""
    said: dict[str, str] = {}
    for kind, names, told in _split(inspect.cleandoc(own_doc(thing)))[1]:
        if kind == "ivar":
            first, *others = _beside(thing, told.split("\n\n")[0])
            for name in names.split(","):
                said[name.strip()] = _flowing(first)
            said |= {name: _flowing(text) for name, text in zip(others[::2], others[1::2], strict=True)}
    return said


def _beside(thing: Any, told: str) -> list[str]:
    """What is said of a field, then the names of others that the sentence goes on to and what is said of them."""
    names = [field.name for field in attrs.fields(thing)] if attrs.has(thing) else []
    return re.split(rf"[.;]?\s+``({'|'.join(names)})``:\s", told) if names else [told]


def _split(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """What stands before the fields of a docstring, and each field: its kind, its names, what is said."""
    found = list(_FIELD.finditer(text))
    starts = [match.start() for match in found] + [len(text)]
    entries = [(match[1], match[2], text[match.end() : end]) for match, end in zip(found, starts[1:], strict=True)]
    return text[: starts[0]], entries


def own_doc(thing: Any) -> str:
    """The docstring of the thing itself, none that it inherits; attrs writes none of its own."""
    return (vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__) or ""


def _code_and_rest(example: str) -> tuple[str, str]:
    lines = example.strip("\n").split("\n")
    last = next((n for n, line in enumerate(lines) if line.strip() and not line.startswith(" ")), len(lines))
    code = inspect.cleandoc("\n" + "\n".join(lines[:last])).rstrip()
    return code, "\n".join(lines[last:]).strip()


def _field(kind: str, name: str, said: str) -> str:
    words = {"return": "gives", "raises": "raises"}
    if kind == "return":
        return f"- *gives*: {_flowing(said)}"
    names = ", ".join(f"`{one.strip()}`" for one in name.split(","))
    return f"- {'*raises* ' if kind in words else ''}{names}: {_flowing(said)}"


def _paragraphs(text: str) -> str:
    parts = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if part.startswith(("1. ", "- ", "* ")):
            parts.append(escaped(part))
        elif all(line.startswith("    ") for line in part.split("\n")):
            parts.append(f"```text\n{inspect.cleandoc(chr(10) + part)}\n```")
        else:
            parts.append(_flowing(part))
    return "\n\n".join(parts)


def _flowing(text: str) -> str:
    flowing = " ".join(text.split())
    return escaped(flowing.removesuffix(":") if flowing.endswith("::") else flowing)


def escaped(text: str) -> str:
    """Text whose special characters outside of code mean nothing in Markdown."""
    text = _ROLE.sub(r"`\1`", text).replace("``", "`")
    parts, last = [], 0
    for match in _CODE.finditer(text):
        parts += [_plain(text[last : match.start()]), match[0]]
        last = match.end()
    return "".join([*parts, _plain(text[last:])])


def _plain(text: str) -> str:
    return re.sub(r"([<*_\[\]])", r"\\\1", text)


# -- types and signatures ---------------------------------------------------------------------------------------------


def shown(hint: Any) -> str:
    """A type as people write it: names without modules, ``X | None``."""
    if hint is None or hint is type(None):
        return "None"
    if hint is Ellipsis:
        return "..."
    if isinstance(hint, str):
        return hint
    if isinstance(hint, list):
        return f"[{', '.join(map(shown, hint))}]"
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType) and hint in ALIASES:
        return ALIASES[hint]
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(shown, args))
    if origin is typing.Annotated:
        return shown(args[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    if origin is not None:
        name = "Callable" if origin is collections.abc.Callable else origin.__name__
        return f"{name}[{', '.join(map(shown, args))}]"
    return getattr(hint, "__name__", None) or str(hint).rpartition(".")[2]


def signature(function: Callable[..., Any], *, without: Iterable[str] = (), name: str = "") -> str:
    """``name(a: int, *, b: str | None = None) -> Order``."""
    left_out = set(without)
    parts: list[str] = []
    starred = False
    hints = hints_of(function)
    parameters = [one for one in inspect.signature(function).parameters.values() if one.name not in left_out]
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        starred = starred or one.kind is one.VAR_POSITIONAL
        parts.append(_parameter(one, hints.get(one.name, one.annotation)))
    given = hints.get("return", inspect.signature(function).return_annotation)
    arrow = "" if given is inspect.Signature.empty else f" -> {shown(given)}"
    called = name or function.__name__
    line = f"{called}({', '.join(parts)}){arrow}"
    if len(line) <= 110:
        return line
    return f"{called}(\n" + "".join(f"    {part},\n" for part in parts) + f"){arrow}"


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The types of a function's parameters, with those resolved that are written as text."""
    plain = inspect.unwrap(function)
    try:
        return typing.get_type_hints(plain, include_extras=True)
    except NameError:  # a type that is imported for type checkers only
        return dict(plain.__annotations__)


def _parameter(one: inspect.Parameter, hint: Any) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    text = f"{stars}{one.name}" + ("" if hint is inspect.Parameter.empty else f": {shown(hint)}")
    return text if one.default is inspect.Parameter.empty else f"{text} = {default(one.default)}"


def default(value: Any) -> str:
    """A default value as people write it."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, dt.timedelta):
        return _duration(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if attrs.has(type(value)):
        fields = [
            f"{field.name}={default(getattr(value, field.name))}"
            for field in attrs.fields(type(value))
            if field.repr and getattr(value, field.name) != field.default
        ]
        return f"{type(value).__name__}({', '.join(fields)})"
    if callable(value):
        return "…"
    return repr(value)


def _duration(value: dt.timedelta) -> str:
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0 and seconds // size < 120:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def field_default(field: "attrs.Attribute[Any]") -> str:
    """The default of an attrs field, ``""`` if it must be given."""
    if field.default is attrs.NOTHING:
        return ""
    factory = getattr(field.default, "factory", None)
    return default(factory()) if factory is not None else default(field.default)


# -- tables and modules -----------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; ``|`` and line breaks in cells are made harmless."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def modules(*packages: str) -> Iterator[types.ModuleType]:
    """Every module of these packages that can be imported by name, in one order."""
    for package in packages:
        home = importlib.import_module(package)
        yield home
        for found in sorted(pkgutil.walk_packages(home.__path__, f"{package}."), key=lambda found: found.name):
            if ".versions" not in found.name and not found.name.endswith(("__main__", ".migrations.env")):
                yield importlib.import_module(found.name)
