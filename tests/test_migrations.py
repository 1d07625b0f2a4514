"""The revisions make exactly what the code declares, and taking them again takes nothing."""

import attrs

from eckit.kernel.database import DatabaseSettings
from eckit.kernel.settings import ShopSettings
from eckit.kernel.tables import SCHEMA
from eckit.migrations import pending, upgrade
from eckit.migrations.authoring import difference
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
