"""Products and variants: saved with versions, published when nobody objects, seen by those who may."""

import threading

import attrs
import pytest

from eckit.catalog import (
    HandleTakenError,
    NotPublishableError,
    Product,
    ProductChangedError,
    ProductPublished,
    SkuTakenError,
    service as catalog,
)
from eckit.kernel.actors import Actor
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError, NotInTransitionError
from eckit.kernel.ids import CategoryId, Sku
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.kernel.work import Work
from tests.catalog.conftest import GUEST, STAFF, Shelves, announced, new_product


def test_product_is_read_back_as_it_was_saved(shelves: Shelves) -> None:
    """Texts in every language, options, numbers: the same on both databases."""
    product, variant = new_product("tea", title=Text.of("Tea 😀", ja="𠮷野のお茶"), description=Text.of("a\nb"))
    variant = attrs.evolve(
        variant, option=Text.of(ja="袋入り"), gtins=("4599999001014",), cost_minor=300, cost_currency="JPY"
    )
    shelves.save((product, [variant]))
    with shelves.begin.read(STAFF) as work:
        assert product == catalog.product(work, "tea") == catalog.product(work, product.id)
        assert (variant,) == catalog.variants(work, product.id)
        assert variant == catalog.variant_by_sku(work, " ＴＥＡ ")


def test_version_rises_with_each_change_and_only_then(shelves: Shelves) -> None:
    """Saved again unchanged, nothing happens: no stamp, no event."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    before = shelves.stamps()
    with shelves.begin.write(STAFF) as work:
        assert 1 == catalog.save(work, product, [variant]).version
    assert before == shelves.stamps()
    with shelves.begin.write(STAFF) as work:
        changed = catalog.save(
            work, attrs.evolve(product, title=Text.of("Green tea")), [attrs.evolve(variant, position=3)]
        )
    assert 2 == changed.version
    with shelves.begin.read(STAFF) as work:
        assert [2] == [one.version for one in catalog.variants(work, product.id)]
    assert before["catalog"] != shelves.stamps()["catalog"]


def test_change_of_an_older_version_is_refused(shelves: Shelves) -> None:
    """Who loaded before somebody else saved loads again."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    shelves.save((attrs.evolve(product, title=Text.of("Green tea")), []))
    with pytest.raises(ProductChangedError) as conflict, shelves.begin.write(STAFF) as work:
        catalog.save(work, attrs.evolve(product, title=Text.of("Black tea")))
    assert (1, 2) == (conflict.value.version, conflict.value.found)
    shelves.save((attrs.evolve(product, title=Text.of("Green tea"), version=2), [attrs.evolve(variant, position=1)]))
    with pytest.raises(ProductChangedError), shelves.begin.write(STAFF) as work:
        catalog.save(
            work, attrs.evolve(product, title=Text.of("Green tea"), version=2), [attrs.evolve(variant, position=2)]
        )


def test_of_two_who_save_at_once_one_is_told(shelves: Shelves) -> None:
    """Both loaded version 1; one change is lost for nobody."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    outcomes: list[object] = []
    ready = threading.Barrier(2)

    def change(title: str) -> None:
        ready.wait(10)
        try:
            with shelves.begin.write(STAFF) as work:
                outcomes.append(catalog.save(work, attrs.evolve(product, title=Text.of(title))).version)
        except ProductChangedError as error:
            outcomes.append(error.found)

    threads = [threading.Thread(target=change, args=(title,)) for title in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [2, 2] == outcomes
    with shelves.begin.read(STAFF) as work:
        assert 2 == catalog.product(work, product.id).version


def test_handles_and_skus_are_unique(shelves: Shelves) -> None:
    """Also against variants of other products; the same SKU in another width is the same."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    other, variant = new_product("tea", sku="OTHER")
    with pytest.raises(HandleTakenError), shelves.begin.write(STAFF) as work:
        catalog.save(work, other, [variant])
    other, variant = new_product("cup", sku="ＴＥＡ")
    with pytest.raises(SkuTakenError), shelves.begin.write(STAFF) as work:
        catalog.save(work, other, [variant])
    with shelves.begin.read(STAFF) as work, pytest.raises(NotFoundError):
        catalog.product(work, "cup")


def test_variants_of_other_products_are_refused(shelves: Shelves) -> None:
    """A variant does not wander: neither in what is saved nor in what is stored."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    other, _ = new_product("cup")
    for wrong in (variant, attrs.evolve(variant, product_id=other.id, sku=Sku("X"))):
        with pytest.raises(InvalidInputError) as refused, shelves.begin.write(STAFF) as work:
            catalog.save(work, other, [wrong])
        assert "variant-of-other-product" == refused.value.problems[0].code


def test_category_must_be_there(shelves: Shelves) -> None:
    """A product is put only where buyers can find it."""
    product, _ = new_product("tea", category_ids=(CategoryId(mint("category")),))
    with pytest.raises(NotFoundError), shelves.begin.write(STAFF) as work:
        catalog.save(work, product)


# --- states ----------------------------------------------------------------------------------------------------------


def test_publishing_is_announced_once(shelves: Shelves) -> None:
    """Published again, nothing happens."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    for _ in range(2):
        with shelves.begin.write(STAFF) as work:
            assert "published" == catalog.publish(work, product.id).state
    assert [ProductPublished(product_id=product.id)] == announced(shelves, ProductPublished)


def test_every_move_leads_where_its_name_says(shelves: Shelves) -> None:
    """Draft, published, draft, archived, draft; what the table does not have is refused."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    moves = (
        (catalog.publish, "published"),
        (catalog.unpublish, "draft"),
        (catalog.archive, "archived"),
        (catalog.restore, "draft"),
    )
    for version, (move, state) in enumerate(moves, 2):
        with shelves.begin.write(STAFF) as work:
            moved: Product = move(work, product.id)
        assert (state, version) == (moved.state, moved.version)
    with shelves.begin.write(STAFF) as work:
        catalog.archive(work, product.id)
    for refused in (catalog.publish, catalog.unpublish):
        with pytest.raises(NotInTransitionError), shelves.begin.write(STAFF) as work:
            refused(work, product.id)


def test_what_nobody_could_buy_is_not_published(shelves: Shelves) -> None:
    """By the verb or by saving: the product stays as it was."""
    product, variant = new_product("tea")
    shelves.save((product, [attrs.evolve(variant, active=False)]))
    with pytest.raises(NotPublishableError) as refused, shelves.begin.write(STAFF) as work:
        catalog.publish(work, product.id)
    assert ["nothing-to-buy"] == [objection.code for objection in refused.value.objections]
    with pytest.raises(NotPublishableError), shelves.begin.write(STAFF) as work:
        catalog.save(work, attrs.evolve(product, state="published"))
    with shelves.begin.read(STAFF) as work:
        assert "draft" == catalog.product(work, "tea").state


# --- who may ---------------------------------------------------------------------------------------------------------


def test_buyers_see_what_is_published(shelves: Shelves) -> None:
    """A draft is not found, which is what a thing that does not exist is."""
    product, variant = new_product("tea")
    variant = attrs.evolve(variant, cost_minor=300, cost_currency="JPY")
    hidden = attrs.evolve(new_product("x")[1], product_id=product.id, active=False)
    shelves.save((product, [variant, hidden]))

    def looks(work: Work) -> list[object]:
        answers: list[object] = []
        for look in (
            lambda: catalog.product(work, "tea"),
            lambda: catalog.variants(work, product.id),
            lambda: catalog.variant_by_sku(work, "TEA"),
        ):
            try:
                answers.append(look())
            except NotFoundError as error:
                answers.append(error.code)
        return answers

    with shelves.begin.read(GUEST) as work:
        assert ["not-found"] * 3 == looks(work)
        assert {} == catalog.variants_by_sku(work, ["TEA"])
    with shelves.begin.write(STAFF) as work:
        catalog.publish(work, product.id)
    with shelves.begin.read(GUEST) as work:
        shown, variants, by_sku = looks(work)
        assert product.id == shown.id  # type: ignore[attr-defined]
        assert [attrs.evolve(variant, cost_minor=None, cost_currency=None)] == list(variants)  # type: ignore[call-overload]
        assert by_sku.cost_minor is None  # type: ignore[attr-defined]
        with pytest.raises(NotFoundError):
            catalog.variant_by_sku(work, hidden.sku)


@pytest.mark.parametrize("actor", [GUEST, Actor.staff("eve", "catalog.read", "order.write")], ids=["guest", "reader"])
def test_only_who_may_write_changes_the_catalog(shelves: Shelves, actor: Actor) -> None:
    """Every verb that writes asks for ``catalog.write``."""
    product, variant = new_product("tea")
    shelves.save((product, [variant]))
    verbs = (
        lambda work: catalog.save(work, product),
        lambda work: catalog.publish(work, product.id),
        lambda work: catalog.archive(work, product.id),
        lambda work: catalog.save_price_list(work, shelves.retail),
        lambda work: catalog.set_prices(work, shelves.retail.id, []),
        lambda work: catalog.remove_prices(work, shelves.retail.id, []),
        lambda work: catalog.move_category(work, CategoryId(mint("category")), None),
        lambda work: catalog.import_categories(work, b""),
        lambda work: catalog.import_products(work, [], list_id=shelves.retail.id),
        lambda work: catalog.analyze(work),
    )
    for verb in verbs:
        with pytest.raises(NotAllowedError), shelves.begin.write(actor) as work:
            verb(work)


@pytest.mark.parametrize("wrong", ["", "prd_1", "var_01m863kf0e3z9v05f5jmxb3a27", None, 7])
def test_ids_from_outside_are_checked(shelves: Shelves, wrong: object) -> None:
    """An id of another kind is a mistake of the caller, not a thing that is not there."""
    with shelves.begin.write(STAFF) as work:
        for verb in (catalog.publish, catalog.archive, catalog.variants):
            with pytest.raises(InvalidInputError):
                verb(work, wrong)  # type: ignore[arg-type]


def test_desk_has_every_verb_with_its_own_signature(shelves: Shelves) -> None:
    """``work.catalog.save(product)`` is ``save(work, product)``."""
    product, variant = new_product("tea")
    with shelves.begin.write(STAFF) as work:
        assert "tea" == catalog.Desk(work).save(product, [variant]).handle
        assert catalog.save.__doc__ == catalog.Desk.save.__doc__
