"""How a command finds its shop: ``--settings FILE``, ``$ECKIT_SETTINGS``, or ``eckit.toml`` in the folder one is in."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from eckit.kernel.actors import Actor
from eckit.kernel.errors import invalid
from eckit.kernel.settings import ShopSettings
from eckit.shop import Shop

SETTINGS_FILE: Final = "eckit.toml"
LOCALES: Final = ("en", "ja")

SettingsFile = Annotated[Path | None, Parameter(name="--settings", help="Settings file; default: eckit.toml here.")]
Locale = Annotated[str | None, Parameter(name="--locale", help="Language of what is printed: en or ja.")]

OPERATOR: Final = Actor.staff("command line", "*")
"""Who acts: whoever may run the command may do everything."""


def settings_of(file: Path | None) -> ShopSettings:
    """The settings a command works with.

    :raises InvalidInputError: there is no settings file, or it does not read.
    """
    named = file or (Path(os.environ["ECKIT_SETTINGS"]) if "ECKIT_SETTINGS" in os.environ else Path(SETTINGS_FILE))
    if not named.is_file():
        if file is None and "ECKIT_DATABASE__URL" in os.environ:
            return ShopSettings.load(None)
        raise invalid("no-settings", "--settings", named.name, suggestion="eckit init")
    return ShopSettings.load(named)


@contextmanager
def opened(file: Path | None, *, check: bool = True) -> Iterator[Shop]:
    """The shop of a command."""
    with Shop.compose(settings_of(file), check=check) as shop:
        yield shop


def chosen_locale(given: str | None) -> str:
    """``--locale``, else what the environment's language is, else English."""
    if given is not None:
        if given not in LOCALES:
            raise invalid("unknown-code", "--locale", given, limit=", ".join(LOCALES))
        return given
    return "ja" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ja") else "en"


def locale_of(arguments: Sequence[str]) -> str:
    """The language of a complaint about arguments that could not be read."""
    for before, after in zip(arguments, (*arguments[1:], ""), strict=True):
        if before == "--locale" and after in LOCALES:
            return after
    return chosen_locale(None)
