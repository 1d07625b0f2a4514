"""Shipping from the shop's own dated fare tables.

One row says: of this service, a parcel of at most this weight to this place costs so much from this instant on. What
has no row has no fare, and is refused: unknown is never free.
"""

from pathlib import Path

from eckit import Carrier, hookimpl
from eckit.customer import Permission
from eckit.kernel.host_hooks import Command, MigrationBranch
from eckit_tablerate import tables
from eckit_tablerate.carrier import TableRate
from eckit_tablerate.commands import COMMANDS
from eckit_tablerate.fares import Rate, Service
from eckit_tablerate.japan import japan
from eckit_tablerate.verbs import (
    MANAGE,
    exclude,
    excluded,
    include,
    preset_japan,
    rates,
    remove_rate,
    services,
    set_rate,
    set_service,
)

__all__ = [
    "Rate",
    "Service",
    "exclude",
    "excluded",
    "include",
    "japan",
    "plugin",
    "preset_japan",
    "rates",
    "remove_rate",
    "services",
    "set_rate",
    "set_service",
]


class TableRatePlugin:
    """Plugin ``tablerate``: the carrier of that name."""

    name = "tablerate"
    version = "0.1.0"
    eckit_interface = {"shipping": 1, "customer": 1, "host": 1}  # noqa: RUF012 - read only

    @hookimpl
    def register_tables(self) -> tuple[tables.MetaData, ...]:
        """Services, fares, excluded places."""
        return (tables.metadata,)

    @hookimpl
    def register_migrations(self) -> MigrationBranch:
        """The branch ``tablerate``."""
        folder = Path(__file__).parent / "migrations"
        return MigrationBranch(label="tablerate", package="eckit_tablerate", directory=folder)

    @hookimpl
    def register_commands(self) -> tuple[Command, ...]:
        """``set``, ``free``, ``list`` and ``preset``."""
        return COMMANDS

    @hookimpl
    def register_permissions(self) -> tuple[Permission, ...]:
        """``tablerate.write``: may change services, fares and places."""
        return (Permission(code=MANAGE),)

    @hookimpl
    def register_carriers(self) -> tuple[Carrier, ...]:
        """The carrier ``tablerate``."""
        return (TableRate(),)


plugin = TableRatePlugin()
