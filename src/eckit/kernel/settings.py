"""The shop's settings: a TOML file, then the environment, structured strictly.

An environment variable ``ECKIT_<SECTION>__<KEY>`` overrides the file: ``ECKIT_DATABASE__URL``, or
``ECKIT_PLUGINS__TAX_TABLE__PRESET`` for ``preset`` of ``[plugins.tax-table]``. Numbers and switches are written as text
there, lists with commas. What cannot be understood is refused with its path; no value of a setting that may be secret
is shown.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar, get_args

import attrs

from eckit.kernel.database import DatabaseSettings, shown_url
from eckit.kernel.errors import InvalidInputError, Problem, invalid
from eckit.kernel.ids import ShopId, expect_id
from eckit.kernel.plugins import Limits
from eckit.kernel.secrets import MASK, Secret
from eckit.kernel.structuring import EnvText, structure

T = TypeVar("T")

PREFIX: Final = "ECKIT_"
NOT_SETTINGS: Final = ("ECKIT_FAULTS", "ECKIT_FAULTS_LOG", "ECKIT_SETTINGS", "ECKIT_TEST_")
"""Variables that say something else: the machinery of tests, and where the settings file is."""


@attrs.frozen(kw_only=True)
class HttpSettings:
    """What outgoing connections may reach besides public addresses.

    :ivar allow: hosts (``erp.internal:8443``) at private addresses; nothing by default.
    """

    allow: tuple[str, ...] = ()


def _masked(tables: Mapping[str, Any]) -> str:
    return repr(dict.fromkeys(sorted(tables), MASK))


@attrs.frozen(kw_only=True)
class ShopSettings:
    """Everything a shop is composed from.

    :ivar shop_id: the shop's id, ``shp_…``; names the shop in events, logs and keys.
    :ivar discover: use the plugins that are installed, not only those given to ``Shop.compose``.
    :ivar strict: refuse to start when a plugin cannot be used; otherwise it is left out and listed.
    :ivar plugin_order: ranks plugins where several could choose; those not named come after, the core's defaults last.
    :ivar disabled_plugins: installed plugins that are not used.
    :ivar trusted_platforms: actors (``agent:ucp``) whose word on who a customer is counts.
    :ivar plugins: the settings of each plugin: raw, as they are read, until the shop is composed; or an instance.
    """

    shop_id: ShopId = attrs.field(validator=lambda _self, _field, value: _shop_id(value))
    database: DatabaseSettings
    discover: bool = True
    strict: bool = True
    plugin_order: tuple[str, ...] = ()
    disabled_plugins: frozenset[str] = frozenset()
    trusted_platforms: frozenset[str] = frozenset()
    limits: Limits = Limits()
    http: HttpSettings = HttpSettings()
    plugins: Mapping[str, Any] = attrs.field(factory=dict, repr=_masked, hash=False)

    @classmethod
    def of(cls, url: str, **others: Any) -> Self:
        """The settings of a shop of which nothing but the database is said; its id is a digest of the URL."""
        digest = hashlib.sha256(shown_url(url).encode()).hexdigest()[:26]  # a subset of the digits of ids
        return cls(**{"shop_id": f"shp_{digest}", "database": DatabaseSettings(url=url), **others})

    @classmethod
    def load(cls, path: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Self:
        """The settings of a TOML file, if one is given, with the environment's over them.

        :param environ: the process's own unless given.
        :raises InvalidInputError: naming every setting that cannot be used; ``cannot-read`` for the file itself.
        """
        given = {} if path is None else _read(Path(path))
        _override(given, os.environ if environ is None else environ)
        return structure(cls, given, shown=False)


def _shop_id(value: str) -> None:
    expect_id("shop", value, path="shop_id")


def plugin_settings(kind: type[T], name: str, given: object) -> T:
    """A plugin's settings from its table.

    :param given: the raw table, or an instance of ``kind`` already.
    :raises InvalidInputError: with paths such as ``plugins.sandbox.base_url``.
    """
    if isinstance(given, kind):
        return given
    return structure(kind, given if given is not None else {}, f"plugins.{name}", shown=False)


def secrets_of(*settings: object) -> frozenset[Secret]:
    """Every secret in these settings, however deep; to look for where they must not be."""
    return frozenset(_secrets(settings))


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _secrets(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _secrets(inner)
    else:
        for name in _field_names(type(value)):
            yield from _secrets(getattr(value, name))


def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind)) if attrs.has(kind) else ()


# --- the file --------------------------------------------------------------------------------------------------------


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise invalid("cannot-read", "settings", path.name, limit=type(error).__name__) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = re.search(r"at line \d+, column \d+|at end of document", str(error))  # the rest may quote the file
        raise invalid("not-toml", "settings", path.name, limit=where[0] if where else "") from error


# --- the environment -------------------------------------------------------------------------------------------------


def _override(given: dict[str, Any], environ: Mapping[str, str]) -> None:
    problems = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(NOT_SETTINGS):
            continue
        keys = [part.lower() for part in variable.removeprefix(PREFIX).split("__")]
        if not all(keys) or not _put(given, keys, EnvText(environ[variable])):
            problems.append(Problem(code="unknown-variable", path=variable))
    if problems:
        raise InvalidInputError(problems=tuple(problems))


def _put(given: dict[str, Any], keys: list[str], text: EnvText) -> bool:
    """Whether the keys lead to a place where text can stand, with the text put there."""
    if keys[0] == "plugins":
        if len(keys) < 3:
            return False
        keys = ["plugins", keys[1].replace("_", "-"), *keys[2:]]
    elif not _is_setting(ShopSettings, keys):
        return False
    *way, last = keys
    here = given
    for key in way:
        here = here.setdefault(key, {})
        if not isinstance(here, dict):
            return False
    here[last] = text
    return True


def _is_setting(kind: Any, keys: list[str]) -> bool:
    field = next((field for field in attrs.fields(kind) if field.name == keys[0]), None)
    if field is None:
        return False
    if len(keys) == 1:
        return not attrs.has(field.type)
    inner = next((part for part in (field.type, *get_args(field.type)) if attrs.has(part)), None)
    return inner is not None and _is_setting(inner, keys[1:])
