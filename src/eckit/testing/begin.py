"""Transactions of a shop without a shop: for tests of one capability."""

import datetime as dt
import pkgutil
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

from eckit.kernel.clock import Clock, FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.hookspecs import HookSpec, declared
from eckit.kernel.ids import ShopId
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.testing.capabilities import CAPABILITIES, SERVICES, import_existing

START = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
"""Where the clock of a test stands unless the test gives another: noon in Tokyo."""


def make_begin(
    url: str,
    *,
    plugins: Iterable[Any] = (),
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> Begin:
    """How Works begin on the database at ``url``, with the core's hooks, its defaults and ``plugins``.

    :param settings: plugin name → an instance of its settings, or a mapping they are read from.
    """
    services = import_existing(SERVICES)
    composed = compose_plugins(
        _specs(),
        [*_defaults(), *plugins],
        settings_source=settings,
        collect=[service.collect for service in services if hasattr(service, "collect")],
    )
    database = Database(DatabaseSettings(url=url, schema=schema))
    begin = Begin(
        transactions=database,
        plugins=composed,
        clock=clock or FixedClock(START),
        shop_id=ShopId(mint("shop")),
        settings=settings,
    )
    weakref.finalize(begin, database.close)  # connections left open are an error in tests
    return begin


def _specs() -> list[HookSpec]:
    found: list[HookSpec] = []
    for name in CAPABILITIES:
        for service in import_existing([f"eckit.{name}.service"]):
            found += getattr(service, "SPECS", [])
        if not any(spec.family == name for spec in found):
            for hooks in import_existing([f"eckit.{name}.hooks"]):
                found += declared(hooks, name)
    return found


def _defaults() -> list[Any]:
    try:
        import eckit.defaults
    except ModuleNotFoundError:
        return []
    names = [f"eckit.defaults.{module.name}" for module in pkgutil.iter_modules(eckit.defaults.__path__)]
    found = [getattr(module, "plugin", module) for module in import_existing(names)]
    return [plugin for plugin in found if hasattr(plugin, "eckit_interface")]
