"""The revisions make exactly what the code declares, and taking them again takes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel.database import DatabaseSettings
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.host_hooks import MigrationBranch
from eckit.kernel.settings import ShopSettings
from eckit.kernel.tables import SCHEMA, plugin_metadata
from eckit.migrations import pending, upgrade
from eckit.migrations.authoring import difference
from eckit.migrations.runner import VERSION_TABLE, NewerTablesError
from eckit.shop import Shop


def _shop(url: str, schema: str | None = None) -> Shop:
    settings = attrs.evolve(ShopSettings.of(url), database=DatabaseSettings(url=url, schema=schema))
    return Shop.compose(settings, check=False)


def test_upgrading_makes_every_table_once(database_url: str) -> None:
    """The first upgrade takes every step, of the core and of the plugins; the second none; then the shop may start."""
    with _shop(database_url) as shop:
        taken = upgrade(shop.database, shop.plugins)

        assert {"eckit", "tablerate", "tax-table"} == {step.owner for step in taken}
        assert () == pending(shop.database, shop.plugins)
        assert () == upgrade(shop.database, shop.plugins)
        shop.check()


def test_the_revisions_make_what_the_code_declares(database_url: str, database: str) -> None:
    """Tables, columns, constraints, indexes and sequences: no difference is left."""
    with _shop(database_url, SCHEMA) as shop:
        upgrade(shop.database, shop.plugins)
        if database == "postgres":
            assert [] == difference(shop.database)
        shop.check()


def test_two_shops_live_in_two_schemas(database_url: str, database: str) -> None:
    """One PostgreSQL schema (or one SQLite file) is one shop: what one has, the other has not."""
    names = ("shop_a", "shop_b") if database == "postgres" else (None, None)
    urls = (database_url, database_url) if database == "postgres" else (database_url, f"{database_url}2")
    for url, name in zip(urls, names, strict=True):
        with _shop(url, name) as shop:
            assert pending(shop.database, shop.plugins)
            upgrade(shop.database, shop.plugins)
            shop.check()


# -- plugins that come and go -----------------------------------------------------------------------------------------

_STEP = """
import sqlalchemy as sa
from alembic import op

from eckit.kernel.tables import SCHEMA

revision = "{name}_{number}"
down_revision = {down!r}
branch_labels = {labels!r}
depends_on = {depends!r}


def upgrade() -> None:
    op.create_table("{name}_{number}", sa.Column("points", sa.Integer), schema=SCHEMA)
    {then}
"""


class Loyalty:
    """A plugin with a table for each of its steps.

    :ivar depends_on: a step of the core that its first waits for.
    :ivar fails: whether its last step fails when its table is made.
    """

    version = "1.0.0"
    eckit_interface: ClassVar = {"host": 1}

    def __init__(
        self, home: Path, steps: int, *, name: str = "loyalty", depends_on: str | None = None, fails: bool = False
    ) -> None:
        self.name = name
        self._home = home / f"{name}_{steps}"
        self._home.mkdir(exist_ok=True)
        self._metadata = plugin_metadata()
        self.tables = [
            sa.Table(f"{name}_{number}", self._metadata, sa.Column("points", sa.Integer))
            for number in range(1, steps + 1)
        ]
        for number in range(1, steps + 1):
            text = _STEP.format(
                name=name,
                number=number,
                down=f"{name}_{number - 1}" if number > 1 else None,
                labels=None if number > 1 else (name,),
                depends=None if number > 1 else depends_on,
                then="raise ValueError('broken')" if fails and number == steps else "",
            )
            (self._home / f"{number}.py").write_text(text)

    @hookimpl
    def register_tables(self) -> tuple[sa.MetaData, ...]:
        return (self._metadata,)

    @hookimpl
    def register_migrations(self) -> MigrationBranch:
        return MigrationBranch(label=self.name, package=self.name, directory=self._home)


@contextmanager
def _with(url: str, *plugins: Any) -> Iterator[Shop]:
    """A shop with these plugins and no others."""
    with Shop.compose(ShopSettings.of(url), plugins, discover=False, check=False) as shop:
        yield shop


def _steps(shop: Shop) -> list[str]:
    return [step.id for step in upgrade(shop.database, shop.plugins)]


def _rows(shop: Shop) -> set[str]:
    with shop.database.reading() as connection:
        table = sa.Table(VERSION_TABLE, sa.MetaData(schema=SCHEMA), sa.Column("version_num", sa.String))
        return set(connection.scalars(sa.select(table.c.version_num)))


@pytest.mark.parametrize("depends_on", [None, "core_0001"])
def test_a_plugin_that_is_gone_blocks_no_upgrade(database_url: str, tmp_path: Path, depends_on: str | None) -> None:
    """Its tables and its row of the version table stay; when it is back it goes on where it was."""
    first, second = (Loyalty(tmp_path, steps, depends_on=depends_on) for steps in (1, 2))
    with _with(database_url, first) as shop:
        assert {"core_0001", "loyalty_1"} == set(_steps(shop))
        assert {"core_0001", "loyalty_1"} == _rows(shop)
        with shop.database.writing() as connection:
            connection.execute(sa.insert(first.tables[0]).values(points=7))

    with _with(database_url) as shop:
        assert () == pending(shop.database, shop.plugins)
        assert [] == _steps(shop)
        shop.check()

    with _with(database_url, second) as shop:
        assert ["loyalty_2"] == _steps(shop)
        assert {"core_0001", "loyalty_2"} == _rows(shop)
        assert [] == _steps(shop)
        with shop.database.reading() as connection:
            assert [7] == connection.scalars(sa.select(second.tables[0].c.points)).all()


def test_others_are_upgraded_while_a_plugin_is_gone(database_url: str, tmp_path: Path) -> None:
    """A disabled plugin's row is left alone by the steps of another that is new."""
    discovered = ShopSettings.of(database_url)
    with Shop.compose(discovered, check=False) as shop:
        upgrade(shop.database, shop.plugins)
        before = _rows(shop)
    without = attrs.evolve(discovered, disabled_plugins=frozenset({"tax-table"}))
    with Shop.compose(without, [Loyalty(tmp_path, 1)], check=False) as shop:
        assert ["loyalty_1"] == [step.id for step in pending(shop.database, shop.plugins)]
        assert ["loyalty_1"] == _steps(shop)
        assert before | {"loyalty_1"} == _rows(shop)
    with Shop.compose(discovered) as shop:
        assert () == pending(shop.database, shop.plugins)


def test_tables_of_a_later_version_are_not_made_again(database_url: str, tmp_path: Path) -> None:
    """An older version of a plugin than the one that made the tables is refused, and nothing changes."""
    with _with(database_url, Loyalty(tmp_path, 2)) as shop:
        upgrade(shop.database, shop.plugins)
        before = _rows(shop)
    with _with(database_url, Loyalty(tmp_path, 1)) as shop:
        for ask in (pending, upgrade):
            with pytest.raises(NewerTablesError) as refused:
                ask(shop.database, shop.plugins)
            assert ("loyalty", "loyalty_2") == (refused.value.owner, refused.value.found)
        assert before == _rows(shop)


def test_an_upgrade_that_fails_leaves_the_rows_of_others(database_url: str, tmp_path: Path) -> None:
    """The rows put aside come back with the rollback."""
    with _with(database_url, Loyalty(tmp_path, 1)) as shop:
        upgrade(shop.database, shop.plugins)
        before = _rows(shop)
    broken = Loyalty(tmp_path, 1, name="broken", fails=True)
    with _with(database_url, broken) as shop:
        with pytest.raises(ValueError, match="broken"):
            upgrade(shop.database, shop.plugins)
        assert before == _rows(shop)
