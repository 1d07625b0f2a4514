"""Rendering templates that staff or plugins may write: plain data in a sandbox, nothing to call, nothing to load."""

from collections.abc import Mapping
from typing import Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from eckit.kernel.text import strip_controls

MAX_RENDERED: Final = 200_000
"""Characters a rendered template may have."""

_FILTERS: Final = frozenset(
    {"e", "escape", "join", "length", "upper", "lower", "trim", "default", "replace", "first", "last"}
)


class PlainDataEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox in which names mean entries of dicts, and in which nothing is callable but ``caller`` and ``loop``."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(autoescape=autoescape, undefined=jinja2.StrictUndefined, loader=None, finalize=_readable)
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in ("defined", "none", "odd", "even")}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``order.number`` is ``order["number"]``; attributes of objects are not reachable."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and not attribute.startswith("_"):
            return getattr(obj, attribute)
        raise SecurityError(f"{attribute} of {type(obj).__name__} is not plain data")

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Entries of dicts and lists only."""
        if isinstance(obj, Mapping | list | tuple):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=argument)
        raise SecurityError(f"an entry of {type(obj).__name__} is not plain data")

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing is."""
        return False


def _readable(value: Any) -> Any:
    """What is printed: no control characters, escape sequences or direction tricks."""
    return strip_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_TEXT: Final = PlainDataEnvironment(autoescape=False)
_HTML: Final = PlainDataEnvironment(autoescape=True)


def render(source: str, data: Mapping[str, Any], *, html: bool) -> str:
    """Render a template text with plain data.

    :param html: escape everything printed; otherwise the text is literal.
    :raises jinja2.TemplateError: it is broken, reaches for what it may not have, or grew too large.
    """
    template = (_HTML if html else _TEXT).from_string(source)
    parts: list[str] = []
    size = 0
    for part in template.generate(**data):
        size += len(part)
        if size > MAX_RENDERED:
            raise SecurityError("the rendered text is too large")
        parts.append(part)
    return "".join(parts)
