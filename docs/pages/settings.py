"""reference/settings.md: what a shop and the plugins that come with it can be set to."""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import attrs

from docs.pages.writing import NOTE, field_default, fields_of, own_doc, prose, shown, table
from eckit.kernel.settings import ShopSettings


def plugins() -> dict[str, Any]:
    """The plugins that come with eckit, by name."""
    found = [point.load() for point in importlib.metadata.entry_points(group="eckit")]
    ours = [one for one in found if type(one).__module__.partition(".")[0].startswith("eckit")]
    return {plugin.name: plugin for plugin in sorted(ours, key=lambda plugin: plugin.name)}


def settings_classes() -> dict[str, type]:
    """Plugin → the class of its settings."""
    found = {name: getattr(plugin, "register_settings", None) for name, plugin in plugins().items()}
    return {name: register() for name, register in found.items() if register is not None}


def page() -> str:
    """The page."""
    return NOTE + "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Settings\n"
    yield (
        'A shop is composed from a TOML file (`ShopSettings.load("eckit.toml")`), and the environment wins over the '
        "file: `ECKIT_DATABASE__URL`, `ECKIT_PLUGINS__TAX_TABLE__CLASSES`. Names that do not exist and values that "
        "do not fit are refused, all of them at once, each with its path. Values that may be secret are never "
        "shown.\n"
    )
    yield from _sections(ShopSettings, "", "ECKIT_")
    for name, kind in settings_classes().items():
        yield f"## [plugins.{name}]\n"
        yield from _section(kind, f"ECKIT_PLUGINS__{name.replace('-', '_').upper()}__")


def _sections(kind: type, path: str, prefix: str) -> Iterator[str]:
    yield f"## {f'[{path}]' if path else 'At the top'}\n"
    yield from _section(kind, prefix)
    for field in attrs.fields(kind):
        if attrs.has(below := inner(field.type)):
            yield from _sections(below, f"{path}{field.name}", f"{prefix}{field.name.upper()}__")


def _section(kind: type, prefix: str) -> Iterator[str]:
    said = fields_of(kind)
    yield prose(own_doc(kind)).partition("\n\n- `")[0] + "\n"
    rows = [
        (
            f"`{field.name}`",
            f"`{shown(field.type)}`",
            _default(field),
            said.get(field.name, ""),
            f"`{prefix}{field.name.upper()}`",
        )
        for field in attrs.fields(kind)
        if not attrs.has(inner(field.type)) and field.name != "plugins"
    ]
    if rows:
        yield table(("name", "type", "default", "meaning", "in the environment"), rows) + "\n"


def _default(field: "attrs.Attribute[Any]") -> str:
    if field.default is attrs.NOTHING:
        return "must be given"
    value = field_default(field)
    if isinstance(field.default, Path):
        value = repr(str(field.default))
    return f"`{value}`"


def inner(hint: Any) -> Any:
    return next((part for part in (hint, *get_args(hint)) if attrs.has(part)), hint)
