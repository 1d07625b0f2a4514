"""reference/errors.md: every error there is, what it means, its texts, and what a web adapter answers."""

from collections.abc import Iterator
from typing import Any, Final

import attrs

from docs.pages.writing import NOTE, escaped, field_default, fields_of, modules, prose, shown, summary, table
from eckit.kernel import errors, texts
from eckit.kernel.errors import EckitError

STATUS: Final[dict[str, int]] = {
    "NotFoundError": 404,
    "NotAllowedError": 403,
    "InvalidInputError": 400,
    "BusyError": 503,
    "DatabaseUnavailableError": 503,
    "ConflictError": 409,
    "UncertainError": 202,
    "PluginError": 503,
    "ConversationTimeoutError": 503,
    "CompositionError": 500,
    "WorkOpenError": 500,
    "ReadOnlyError": 500,
    "ForeignTableError": 500,
    "NoHostTransactionError": 500,
    "RefusedError": 422,
}
"""The HTTP status of an error: that of the first of its classes that is listed."""

_KINDS: Final = ("NotFoundError", "RefusedError", "ConflictError", "UncertainError", "PluginError")
_WHAT_TO_DO: Final = {
    "NotFoundError": "Tell them so. Forbidden looks the same, on purpose.",
    "RefusedError": "Show the text. Asking again without a change gives the same answer.",
    "ConflictError": "Load again and let them decide anew; `BusyError`: send the whole request again.",
    "UncertainError": "Say that it is being checked. Never send again; recovery looks it up.",
    "PluginError": "Say that it is not possible right now; the log names the plugin.",
}
_PLUGINS: Final = ("eckit_sandbox", "eckit_tablerate", "eckit_tax_table", "eckit_rates_fixed", "eckit_promotions")


def status(kind: type[EckitError]) -> int:
    """What a web adapter answers."""
    return next((STATUS[base.__name__] for base in kind.__mro__ if base.__name__ in STATUS), 500)


def every_error() -> list[type[EckitError]]:
    """All errors of the core and of the plugins that come with it."""
    packages = ("eckit", *_PLUGINS)
    for _ in modules(*packages):
        pass
    found = {kind for kind in _below(EckitError) if kind.__module__.partition(".")[0] in packages}
    return sorted(found, key=lambda kind: (kind.code, kind.__name__))


def _below(kind: type[EckitError]) -> Iterator[type[EckitError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Errors\n"
    yield (
        "Everything eckit raises on purpose is one of five kinds. The kind says what a caller can do about it; the "
        "leaf says what happened, with a `code` that never changes and a text in English and Japanese "
        "(`error.text(locale)`) that is safe to show to the person who asked.\n"
    )
    kinds = [getattr(errors, name) for name in _KINDS]
    rows = [
        (f"`{kind.__name__}`", str(status(kind)), summary(kind), escaped(_WHAT_TO_DO[kind.__name__])) for kind in kinds
    ]
    yield table(("kind", "HTTP", "meaning", "what a web adapter does"), rows) + "\n"
    for kind in every_error():
        yield from _error(kind)
    yield from _texts()


def _error(kind: type[EckitError]) -> Iterator[str]:
    yield f"## {kind.code}\n"
    family = next((base.__name__ for base in kind.__mro__ if base.__name__ in _KINDS), "EckitError")
    own = "itself one of the five kinds" if family == kind.__name__ else f"a `{family}`"
    home = kind.__module__.removesuffix(".errors").removesuffix(".model")
    yield f"`{home}.{kind.__name__}`, {own}. HTTP {status(kind)}.\n"
    yield prose(kind.__doc__ or "").partition("\n\n- `")[0] + "\n"
    said = [(name, _text(f"error.{kind.code}", name[:2])) for name in ("en", "ja")]
    yield table(("", "text"), [one for one in said if one[1]]) + "\n"
    rows = [_field(kind, field) for field in attrs.fields(kind)]
    if rows:
        yield table(("field", "type", "meaning"), rows) + "\n"


def _field(kind: type[EckitError], field: "attrs.Attribute[Any]") -> tuple[str, str, str]:
    said: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        said |= fields_of(base)
    type_ = f"`{shown(field.type)}`" + (f" = `{field_default(field)}`" if field_default(field) else "")
    return f"`{field.name}`", type_, said.get(field.name, "")


def _text(key: str, language: str) -> str:
    return _shown(texts.say(key, language)) if key in texts.keys(language) else ""


def _shown(text: str) -> str:
    return escaped(text).replace("{", "`{").replace("}", "}`")


def _texts() -> Iterator[str]:
    for prefix, title, what in (
        ("problem", "Codes of problems", "An `InvalidInputError` carries one `Problem` for each thing that is wrong."),
        ("objection", "Codes of objections", "An `ObjectedError` carries every objection of rules and plugins."),
        ("open", "Codes of open items", "What a quote still lacks before it can become an order."),
        ("decline", "Codes of declines", "Why a provider said no, in words for the buyer."),
    ):
        found = sorted(key for key in texts.keys("en") if key.startswith(f"{prefix}."))
        if found:
            yield f"# {title}\n"
            yield f"{what}\n"
            rows = [(f"`{key.partition('.')[2]}`", _text(key, "en"), _text(key, "ja")) for key in found]
            yield table(("code", "English", "日本語"), rows) + "\n"
