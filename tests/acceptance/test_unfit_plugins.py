"""Plugins that do not fit this version, this shop or its database: found at start, named, and left out if wished."""

from typing import Any, Final

import pytest
import sqlalchemy as sa

from eckit import CompositionError, hookimpl
from eckit.kernel.tables import plugin_metadata
from tests.acceptance.faulty import Told
from tests.acceptance.faulty_things import Carrier
from tests.acceptance.lab import Lab
from tests.acceptance.starting import opened, refused, sells_without

TABLES: Final = plugin_metadata()
sa.Table("unmade_thing", TABLES, sa.Column("id", sa.String(40), primary_key=True))


class Claims:
    """Claims the carrier code of another plugin."""

    name = "claims"
    version = "1"
    eckit_interface: Final = {"shipping": 1}

    @hookimpl
    def register_carriers(self) -> tuple[Any, ...]:
        """The code ``flat`` is taken."""
        return (Carrier(Told(), code="flat"),)


class Old:
    """Made for an interface of long ago."""

    name = "old"
    version = "1"
    eckit_interface: Final = {"order": 0}

    @hookimpl
    def order_placed(self, event: Any) -> None:
        """Never called."""


class Undeclared:
    """Says nothing about what it was made for."""

    name = "undeclared"
    version = "1"

    @hookimpl
    def order_placed(self, event: Any) -> None:
        """Never called."""


class Misspelt:
    """Implements a hook that does not exist."""

    name = "misspelt"
    version = "1"
    eckit_interface: Final = {"order": 1}

    @hookimpl
    def order_plaecd(self, event: Any) -> None:
        """Never called."""


class Strange:
    """Asks for an argument that the hook does not have."""

    name = "strange"
    version = "1"
    eckit_interface: Final = {"order": 1}

    @hookimpl
    def order_placed(self, event: Any, moon: Any) -> None:
        """Never called."""


class Broken:
    """Looking at it fails, as importing a module may."""

    name = "broken"
    version = "1"
    eckit_interface: Final = {"order": 1}

    def __dir__(self) -> Any:
        raise ImportError("no module named shadow")


@pytest.mark.parametrize(
    "plugin", [Claims(), Old(), Undeclared(), Misspelt(), Strange(), Broken()], ids=lambda it: type(it).__name__
)
def test_a_plugin_that_does_not_fit_is_found_at_start(lab: Lab, plugin: Any) -> None:
    """PLG-05: strict: the shop does not start and says which plugin and why; tolerant: it starts without it."""
    before = lab.rows()
    assert plugin.name in refused(lab, plugin)
    assert before == lab.rows()
    if not isinstance(plugin, Claims):
        sells_without(lab, plugin)
        return
    tolerant = opened(lab, plugin, strict=False)  # nobody can say whose the code is, so its other carrier is gone too
    assert {"claims", "flat"} <= set(tolerant.plugins.disabled)
    tolerant.close()
    assert before == lab.rows()


class Unmigrated:
    """Its table was never made."""

    name = "unmigrated"
    version = "1"
    eckit_interface: Final = {"host": 1}

    @hookimpl
    def register_tables(self) -> tuple[sa.MetaData, ...]:
        """One table."""
        return (TABLES,)


def test_an_unapplied_migration_is_found_at_start(lab: Lab) -> None:
    """A plugin whose tables are missing is named, with the command that makes them; nothing is written."""
    before = lab.rows()
    shop = opened(lab, Unmigrated())
    try:
        with pytest.raises(CompositionError) as caught:
            shop.check()
    finally:
        shop.close()

    assert ["unmigrated"] == [problem.path for problem in caught.value.problems]
    assert "eckit db upgrade" in caught.value.text("ja")
    assert before == lab.rows()
