"""The audit finds what should not be, and nothing where all is well."""

import pytest
import sqlalchemy as sa

from eckit.catalog import audit, service as catalog
from eckit.catalog.store import category, price, price_list, product_category
from eckit.kernel import auditing
from eckit.kernel.texts import keys
from tests.catalog.conftest import STAFF, Shelves, new_product


def found(shelves: Shelves) -> set[str]:
    with shelves.begin.transactions.reading() as connection:
        return {violation.invariant for violation in auditing.run(connection, audit.CHECKS)}


@pytest.fixture
def full(shelves: Shelves) -> Shelves:
    """A category tree of two levels, a product in it, a draft."""
    food = shelves.add_category("food")
    tea = shelves.add_category("food>tea", food)
    shelves.publish("sencha", category_ids=(tea.id,))
    product, variant = new_product("draft")
    shelves.save((product, [variant]))
    return shelves


def test_nothing_is_found_where_all_is_well(full: Shelves) -> None:
    """Every check runs on both databases."""
    assert set() == found(full)


@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("category-tree", sa.update(category).where(category.c.code == "food").values(
            parent_id=sa.select(category.c.id).where(category.c.code == "food>tea").scalar_subquery())),
        ("category-holds-products", sa.delete(product_category).where(~product_category.c.direct)),
        ("category-holds-only-these", sa.insert(product_category).values(
            category_id=sa.select(category.c.id).where(category.c.code == "food").scalar_subquery(),
            product_id="prd_gone", direct=False)),
        ("category-of-product", sa.update(product_category).values(product_id="prd_gone")),
        ("price-of-variant", sa.update(price).values(variant_id="var_gone")),
    ],
)  # fmt: skip
def test_damage_is_found(full: Shelves, invariant: str, damage: sa.Executable) -> None:
    """What no verb does, done behind their backs."""
    with full.begin.write(STAFF) as work:
        work.execute(damage)
    assert invariant in found(full)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("invariant", "damage"),
    [
        ("price-currency", sa.update(price_list).values(currency="EUR")),
        ("price-amount", sa.update(price).values(amount_minor=-1)),
        ("price-window", sa.update(price).values(window_end=sa.literal_column("'1800-01-01T00:00:00.000000Z'"))),
        ("variant-of-product", sa.text("update eckit_variant set product_id = 'prd_gone'")),
        ("variant-cost", sa.text("update eckit_variant set cost_minor = -1, cost_currency = 'JPY'")),
    ],
)
def test_damage_that_constraints_keep_out_is_found_too(full: Shelves, invariant: str, damage: sa.Executable) -> None:
    """A database file edited with its checks off."""
    with full.begin.transactions.engine.connect() as connection:  # type: ignore[attr-defined]
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.commit()
        connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(damage)
        connection.commit()
        connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
    assert invariant in found(full)


def test_every_check_has_a_name_of_its_own() -> None:
    """Reports and runbooks refer to it."""
    names = [check.invariant for check in audit.CHECKS]
    assert len(set(names)) == len(names)


def test_texts_of_the_catalog_are_there_in_both_languages() -> None:
    """Every error of the catalog can be told in English and Japanese."""
    import inspect

    from eckit import catalog as face
    from eckit.kernel.errors import EckitError

    errors = [kind for _, kind in inspect.getmembers(face, inspect.isclass) if issubclass(kind, EckitError)]
    assert len(errors) >= 15
    for language in ("en", "ja"):
        assert set() == {f"error.{kind.code}" for kind in errors} - keys(language)


def test_every_verb_of_the_service_is_on_the_desk() -> None:
    """But for those that are for flows."""
    for_flows = {"variant_ids", "list_for", "import_read", "collect", "verb", "declared"}
    verbs = {name for name, thing in vars(catalog).items() if callable(thing) and not name[0].isupper()}
    assert set() == {name for name in verbs - for_flows if not hasattr(catalog.Desk, name)}
