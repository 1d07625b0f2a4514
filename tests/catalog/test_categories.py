"""The category tree stays a tree, and each category lists what is in it and below, whoever moves what at once."""

import importlib.resources
import random
import threading

import attrs
import pytest

from eckit.catalog import (
    Category,
    CategoryCodeTakenError,
    CategoryCycleError,
    ImportRefusedError,
    Offer,
    audit,
    service as catalog,
)
from eckit.kernel import auditing
from eckit.kernel.errors import BusyError, NotFoundError
from eckit.kernel.ids import CategoryId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from tests.catalog.conftest import GUEST, STAFF, Shelves, new_product

DEMO = importlib.resources.files("eckit") / "demo_data"


def violations(shelves: Shelves) -> list[auditing.Violation]:
    with shelves.begin.transactions.reading() as connection:
        return auditing.run(connection, audit.CHECKS)


def listed(shelves: Shelves, category: str) -> list[str]:
    with shelves.begin.read(GUEST) as work:
        return [one.handle for one in catalog.list_products(work, list_id="retail", category=category).items]


def offer(shelves: Shelves, variant_id: str) -> Offer:
    with shelves.begin.read(GUEST) as work:
        return catalog.offers(work, [variant_id])[variant_id]  # type: ignore[list-item, index]


def test_category_lists_what_is_below_it(shelves: Shelves) -> None:
    """A page of food shows the teas, and a promotion on food covers them."""
    food = shelves.add_category("food")
    tea = shelves.add_category("food>tea", food)
    _, sencha = shelves.publish("sencha", category_ids=(tea.id,))
    _, bread = shelves.publish("bread", category_ids=(food.id,))
    assert (["sencha"], ["sencha", "bread"]) == (listed(shelves, "food>tea"), listed(shelves, food.id))
    assert {"food", "food>tea"} == offer(shelves, sencha.id).category_codes
    assert {"food"} == offer(shelves, bread.id).category_codes
    assert (tea.id,) == offer(shelves, sencha.id).product.category_ids


def test_products_go_along_when_a_category_is_moved(shelves: Shelves) -> None:
    """Below the new parent they are found, below the old one no longer; the code stays."""
    food, gifts = shelves.add_category("food"), shelves.add_category("gifts")
    tea = shelves.add_category("food>tea", food)
    green = shelves.add_category("food>tea>green", tea)
    shelves.publish("sencha", category_ids=(green.id,))
    shelves.publish("set", category_ids=(tea.id, food.id))
    with shelves.begin.write(STAFF) as work:
        catalog.move_category(work, tea.id, gifts.id)
    assert ["sencha", "set"] == listed(shelves, "gifts") == listed(shelves, "food>tea")
    assert ["set"] == listed(shelves, "food")
    with shelves.begin.write(STAFF) as work:
        catalog.save_category(work, attrs.evolve(tea, parent_id=None))
    assert [] == listed(shelves, "gifts")
    assert [] == violations(shelves)


def test_product_leaves_the_categories_it_is_taken_out_of(shelves: Shelves) -> None:
    """And those above, unless another one of its categories is below them too."""
    food = shelves.add_category("food")
    tea, gifts = shelves.add_category("food>tea", food), shelves.add_category("food>gifts", food)
    product, _ = shelves.publish("sencha", category_ids=(tea.id, gifts.id))
    shelves.save((attrs.evolve(product, category_ids=(gifts.id,)), []))
    assert ([], ["sencha"], ["sencha"]) == (
        listed(shelves, tea.id),
        listed(shelves, gifts.id),
        listed(shelves, food.id),
    )
    shelves.save((attrs.evolve(product, category_ids=(), version=2), []))
    assert [] == listed(shelves, food.id)
    assert [] == violations(shelves)


def test_cycle_is_refused(shelves: Shelves) -> None:
    """By moving, by saving, over several levels; nothing was changed."""
    food = shelves.add_category("food")
    tea = shelves.add_category("tea", food)
    green = shelves.add_category("green", tea)
    for parent in (food, tea, green):
        with pytest.raises(CategoryCycleError), shelves.begin.write(STAFF) as work:
            catalog.move_category(work, food.id, parent.id)
    with pytest.raises(CategoryCycleError), shelves.begin.write(STAFF) as work:
        catalog.save_category(work, attrs.evolve(food, parent_id=green.id))
    with shelves.begin.read(GUEST) as work:
        assert {food, tea, green} == set(catalog.categories(work))


def test_codes_are_unique_and_parents_must_be_there(shelves: Shelves) -> None:
    """A category is found by its code, and stands somewhere."""
    food = shelves.add_category("food")
    with pytest.raises(CategoryCodeTakenError):
        shelves.add_category("food")
    nowhere = Category(
        id=CategoryId(mint("category")), code="x", title=Text.of("X"), parent_id=CategoryId(mint("category"))
    )
    for verb in (
        lambda work: catalog.save_category(work, nowhere),
        lambda work: catalog.move_category(work, food.id, nowhere.id),
        lambda work: catalog.move_category(work, nowhere.id, None),
    ):
        with pytest.raises(NotFoundError), shelves.begin.write(STAFF) as work:
            verb(work)


def test_tree_stays_a_tree_under_parallel_moves(shelves: Shelves) -> None:
    """CON-07: Eight threads move categories at random 200 times while products come in: no cycle, no lost product."""
    tree = [shelves.add_category(f"c{number}") for number in range(12)]
    for number in range(1, 12):
        with shelves.begin.write(STAFF) as work:
            catalog.move_category(work, tree[number].id, tree[number // 3].id)
    products = [new_product(f"p{number}", category_ids=(tree[number % 12].id,)) for number in range(24)]
    shelves.save(*((product, [variant]) for product, variant in products[:12]))
    outcomes: list[str] = []

    def move(seed: int) -> None:
        chance = random.Random(seed)
        for step in range(25):
            one, parent = chance.choice(tree), chance.choice([*tree, None])
            try:
                with shelves.begin.write(STAFF) as work:
                    if step % 8 == 0 and seed < 6:
                        product, variant = products[12 + 2 * seed + step // 16]
                        catalog.save(work, product, [variant])
                    catalog.move_category(work, one.id, parent.id if parent else None)
                outcomes.append("moved")
            except (CategoryCycleError, BusyError) as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=move, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert 200 == len(outcomes)
    assert {"moved", "category-cycle"} <= set(outcomes)
    assert [] == violations(shelves)


def test_demo_tree_is_imported_and_changes_nothing_the_second_time(shelves: Shelves) -> None:
    """Names in both languages, positions; products may come before or after."""
    data = (DEMO / "categories.csv").read_bytes()
    for changes in (True, False):
        before = shelves.stamps()["catalog"]
        with shelves.begin.write(STAFF) as work:
            assert 20 == catalog.import_categories(work, data).rows
        assert changes == (before != shelves.stamps()["catalog"])
    with shelves.begin.read(GUEST) as work:
        tree = {category.code: category for category in catalog.categories(work)}
    assert 20 == len(tree)
    assert tree["food"].id == tree["food>tea"].parent_id
    assert Text.of("Food & Drink", ja="食べもの・飲みもの") == tree["food"].title
    assert 2 == tree["tableware"].position


def test_bad_category_file_changes_nothing(shelves: Shelves) -> None:
    """All or nothing."""
    data = b"path,title_en,position\nfood,Food,1\n>,Nothing,2\n"
    with pytest.raises(ImportRefusedError) as refused, shelves.begin.write(STAFF) as work:
        catalog.import_categories(work, data)
    assert [3] == [problem.line for problem in refused.value.report.problems]
    with shelves.begin.read(GUEST) as work:
        assert () == catalog.categories(work)
