"""Transactions of a shop without a shop: for tests of one capability."""

import datetime as dt
import importlib
import pkgutil
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import eckit.defaults
from eckit.kernel.clock import Clock, FixedClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database, DatabaseSettings
from eckit.kernel.ids import ShopId
from eckit.kernel.minting import mint
from eckit.kernel.work import Begin
from eckit.shop import CAPABILITIES

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
    :raises CompositionError: as :func:`eckit.kernel.composing.compose_plugins`.
    """
    composed = compose_plugins(
        [spec for service in CAPABILITIES for spec in service.SPECS],
        [*default_plugins(), *plugins],
        settings_source=settings,
        collect=[service.collect for service in CAPABILITIES],
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


def default_plugins() -> list[Any]:
    """The core's own plugins."""
    names = [f"eckit.defaults.{module.name}" for module in pkgutil.iter_modules(eckit.defaults.__path__)]
    found = [getattr(module, "plugin", module) for module in map(importlib.import_module, names)]
    return [plugin for plugin in found if hasattr(plugin, "eckit_interface")]
