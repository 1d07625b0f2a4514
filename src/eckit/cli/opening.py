"""How a command finds its shop: ``--settings FILE``, ``$ECKIT_SETTINGS``, or ``eckit.toml`` in the folder one is in.

What is slow to load is loaded by the command that needs it, so that ``eckit --help`` answers at once.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, invalid

if TYPE_CHECKING:
    from eckit.kernel.settings import ShopSettings
    from eckit.shop import Shop

SETTINGS_FILE: Final = "eckit.toml"
LOCALES: Final = ("en", "ja")

SettingsFile = Annotated[Path | None, Parameter(name="--settings", help="Settings file; default: eckit.toml here.")]
Locale = Annotated[str | None, Parameter(name="--locale", help="Language of what is printed: en or ja.")]

OPERATOR: Final = Actor.staff("command line", "*")
"""Who acts: whoever may run the command may do everything."""


def settings_of(file: Path | None) -> "ShopSettings":
    """The settings a command works with.

    :raises InvalidInputError: there is no settings file, or it does not read.
    """
    from eckit.kernel.settings import ShopSettings

    named = file or (Path(os.environ["ECKIT_SETTINGS"]) if "ECKIT_SETTINGS" in os.environ else Path(SETTINGS_FILE))
    if not named.is_file():
        if file is None and "ECKIT_DATABASE__URL" in os.environ:
            return ShopSettings.load(None)
        raise invalid("no-settings", "--settings", named.name, suggestion="eckit init")
    return ShopSettings.load(named)


@contextmanager
def opened(file: Path | None, *, check: bool = True) -> Iterator["Shop"]:
    """The shop of a command."""
    from eckit.shop import Shop

    with database_explained(), Shop.compose(settings_of(file), check=check) as shop:
        yield shop


@contextmanager
def database_explained() -> Iterator[None]:
    """What a database says becomes an error of eckit's, also where no Work is open that would see to it."""
    from sqlalchemy.exc import SQLAlchemyError

    from eckit.kernel.database import explained

    try:
        yield
    except SQLAlchemyError as error:
        raise explained(error) from error


# -- files ------------------------------------------------------------------------------------------------------------


def read_file(file: Path) -> bytes:
    """A file that was named on the command line.

    :raises InvalidInputError: ``no-file``, ``file-unreadable``.
    """
    if not file.is_file():
        raise invalid("no-file", "file", file.name)
    try:
        return file.read_bytes()
    except OSError as error:
        raise _about("file-unreadable", file, error) from error


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Files are made in a folder, and the folder itself if need be.

    :raises InvalidInputError: ``folder-unwritable``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise _about("folder-unwritable", folder, error) from error


def _about(code: str, path: Path, error: OSError) -> InvalidInputError:
    return invalid(code, str(path), path.name, limit=type(error).__name__)


# -- languages --------------------------------------------------------------------------------------------------------


def chosen_locale(given: str | None) -> str:
    """``--locale``, else what the environment's language is, else English."""
    if given is not None:
        if given not in LOCALES:
            raise invalid("unknown-code", "--locale", given, limit=", ".join(LOCALES))
        return given
    return "ja" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ja") else "en"


def locale_of(arguments: Sequence[str]) -> str:
    """The language of a complaint about arguments that could not be read."""
    given = option(arguments, "--locale")
    return given if given in LOCALES else chosen_locale(None)


def option(arguments: Sequence[str], name: str) -> str | None:
    """The value of an option among arguments that nobody has read yet: ``--name VALUE`` or ``--name=VALUE``."""
    for position, argument in enumerate(arguments):
        if argument == name:
            return next(iter(arguments[position + 1 :]), None)
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return None
