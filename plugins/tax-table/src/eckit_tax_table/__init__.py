"""Taxes from the shop's own dated rate tables.

One row says: in this country (or region of it), this tax class has this rate from this instant on. What has no row has
no rate, and is refused: unknown is never 0 %.
"""

from pathlib import Path

from eckit import TaxEngine, hookimpl
from eckit.customer import Permission
from eckit.kernel import texts
from eckit.kernel.host_hooks import Command, MigrationBranch
from eckit_tax_table import tables
from eckit_tax_table.commands import COMMANDS
from eckit_tax_table.engine import TaxTable
from eckit_tax_table.errors import NoTaxRateError
from eckit_tax_table.rates import Rate
from eckit_tax_table.settings import TaxTableSettings
from eckit_tax_table.verbs import MANAGE, japan, preset_japan, rates, remove_rate, set_rate

__all__ = [
    "NoTaxRateError",
    "Rate",
    "TaxTableSettings",
    "japan",
    "plugin",
    "preset_japan",
    "rates",
    "remove_rate",
    "set_rate",
]

texts.add_folder(Path(__file__).parent / "locale")


class TaxTablePlugin:
    """Plugin ``tax-table``: the tax engine of that name."""

    name = "tax-table"
    version = "0.1.0"
    eckit_interface = {"tax": 1, "customer": 1, "host": 1}  # noqa: RUF012 - read only

    @hookimpl
    def register_settings(self) -> type:
        """See :class:`TaxTableSettings`."""
        return TaxTableSettings

    @hookimpl
    def register_tables(self) -> tuple[tables.MetaData, ...]:
        """One table of rates."""
        return (tables.metadata,)

    @hookimpl
    def register_migrations(self) -> MigrationBranch:
        """The branch ``tax-table``."""
        folder = Path(__file__).parent / "migrations"
        return MigrationBranch(label="tax-table", package="eckit_tax_table", directory=folder)

    @hookimpl
    def register_commands(self) -> tuple[Command, ...]:
        """``set``, ``remove``, ``list`` and ``preset``."""
        return COMMANDS

    @hookimpl
    def register_permissions(self, settings: TaxTableSettings | None) -> tuple[Permission, ...]:
        """``tax-table.write``: may change rates."""
        return (Permission(code=MANAGE),)

    @hookimpl
    def register_tax_engines(self, settings: TaxTableSettings | None) -> tuple[TaxEngine, ...]:
        """The engine ``tax-table``."""
        return (TaxTable(settings or TaxTableSettings()),)


plugin = TaxTablePlugin()
