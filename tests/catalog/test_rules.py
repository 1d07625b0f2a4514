"""Decisions about products, codes and the tree."""

import datetime as dt

import attrs
import pytest

from eckit.catalog import Category, Measures, Price, PriceList, ProductState, SaleUnit, Supply
from eckit.catalog.rules import checking, slugs, states, tree
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, NotInTransitionError
from eckit.kernel.ids import CategoryId, PriceListId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.states import reachable
from eckit.kernel.text import Text
from tests.catalog.conftest import new_list, new_product


def codes(error: InvalidInputError) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in error.problems]


# --- states ----------------------------------------------------------------------------------------------------------


def test_every_state_can_be_reached() -> None:
    """A state that nothing leads to is a mistake."""
    assert set(ProductState) == reachable(states.MOVES, ProductState.DRAFT)


def test_archived_product_is_restored_before_it_is_published() -> None:
    """What was put away is looked at once more."""
    product, _ = new_product("tea", state="archived")
    assert "draft" == states.moved(product, ProductState.DRAFT).state
    with pytest.raises(NotInTransitionError):
        states.moved(product, ProductState.PUBLISHED)


def test_product_without_title_or_variant_cannot_be_published() -> None:
    """The core's own objections, before any plugin is asked."""
    product, variant = new_product("tea", title=Text({}))
    assert ["untitled", "nothing-to-buy"] == [one.code for one in states.objections(product, ())]
    inactive = attrs.evolve(variant, active=False)
    assert ["untitled", "nothing-to-buy"] == [one.code for one in states.objections(product, (inactive,))]


# --- codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Non-Fiction", "non-fiction"),
        ("Food & Drink", "food-drink"),
        ("食べもの・飲みもの", "食べもの-飲みもの"),
        ("ＡＢＣ １２", "abc-12"),
        ("bouquet_roses", "bouquet_roses"),
        ("  a > b | c  ", "a-b-c"),
        ("!!!", ""),
        ("Straße", "strasse"),
        ("x" * 100, "x" * 80),
    ],
)
def test_slug_is_made_of_letters_and_digits_of_any_script(name: str, slug: str) -> None:
    """The same name always gives the same code, and the code of a code is itself."""
    assert slug == slugs.slug(name)
    assert slug == slugs.slug(slug)


def test_category_code_is_the_path_of_names() -> None:
    """Two categories of one name in different places are two."""
    assert "books>non-fiction" == slugs.category_code(("Books", "Non-Fiction"))
    assert "food>tea" == slugs.category_code(("food", "tea"))


@pytest.mark.parametrize(("given", "folded"), [(" ＴＥＡ－５０ ", "TEA-50"), ("tea 50", "tea 50"), ("緑茶", "緑茶")])
def test_sku_is_compared_in_half_width_and_its_own_case(given: str, folded: str) -> None:
    """What was typed in full width finds the same variant; ``tea`` and ``TEA`` are two SKUs."""
    assert folded == checking.sku(given)


# --- the tree --------------------------------------------------------------------------------------------------------


def test_category_cannot_stand_below_itself() -> None:
    """Neither directly nor by way of others."""
    parents: dict[str, str | None] = {"food": None, "tea": "food", "green": "tea", "books": None}
    assert tree.makes_cycle(parents, "food", "green")
    assert tree.makes_cycle(parents, "food", "food")
    assert not tree.makes_cycle(parents, "tea", "books")
    assert not tree.makes_cycle(parents, "tea", None)


def test_way_up_ends_even_where_stored_data_has_a_cycle() -> None:
    """A reader never hangs on what should not be."""
    assert ["a", "b"] == tree.ancestors({"a": "b", "b": "a"}, "a")


# --- what is stored --------------------------------------------------------------------------------------------------


def test_all_problems_of_a_product_are_named_together() -> None:
    """Nobody has to try five times to find five mistakes."""
    product, _ = new_product("Tea Pot", state="sold", title=Text.of("x" * 201), category_ids=(CategoryId("cat_1"),))
    with pytest.raises(InvalidInputError) as refused:
        checking.product(product)
    expected = [
        ("unexpected-character", "handle"),
        ("too-long", "title[en]"),
        ("unknown-state", "state"),
        ("wrong-id", "category_ids[0]"),
    ]
    assert expected == codes(refused.value)


@pytest.mark.parametrize(
    ("facts", "code", "path"),
    [
        ({"sku": ""}, "missing", "variant.sku"),
        ({"sku": "x" * 81}, "too-long", "variant.sku"),
        ({"sku": "a\x00b"}, "control-character", "variant.sku"),
        ({"gtins": ("12345",)}, "unexpected-character", "variant.gtins[0]"),
        ({"hs_code": "0902.10"}, "unexpected-character", "variant.hs_code"),
        ({"origin": "jp"}, "unexpected-character", "variant.origin"),
        ({"unit": SaleUnit(increment=0)}, "number-out-of-range", "variant.unit.increment"),
        ({"unit": SaleUnit(scale=True)}, "not-a-whole-number", "variant.unit.scale"),
        ({"measures": Measures(weight_grams=-1)}, "number-out-of-range", "variant.measures.weight_grams"),
        ({"measures": Measures(length_mm=1.5)}, "not-a-whole-number", "variant.measures.length_mm"),  # type: ignore[arg-type]
        ({"cost_minor": 100}, "cost-without-currency", "variant.cost_minor"),
        ({"cost_minor": -1, "cost_currency": "JPY"}, "negative-amount", "variant.cost_minor"),
        ({"cost_minor": 1, "cost_currency": "XXX"}, "unknown-currency", "currency"),
        ({"supply": Supply(kind="backorder", cap_steps=-1)}, "number-out-of-range", "variant.supply.cap_steps"),
    ],
)
def test_variant_is_checked_field_by_field(facts: dict[str, object], code: str, path: str) -> None:
    """Each wrong field is named with what is wrong."""
    _, variant = new_product("tea")
    with pytest.raises(InvalidInputError) as refused:
        checking.variant(attrs.evolve(variant, **facts))
    assert [(code, path)] == codes(refused.value)


@pytest.mark.parametrize("code", ["food>", ">tea", "Food", "food > tea", "a|b", ""])
def test_category_code_is_slugs_joined_by_arrows(code: str) -> None:
    """A path can be read back from it."""
    with pytest.raises(InvalidInputError):
        checking.category(Category(id=CategoryId(mint("category")), code=code, title=Text.of("x")))


def price(list_id: str, **facts: object) -> Price:
    known = {"variant_id": VariantId(mint("variant")), "list_id": list_id, "amount_minor": 100, **facts}
    return Price(**known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"amount_minor": -1}, "negative-amount"),
        ({"amount_minor": 1.5}, "not-a-whole-number"),
        ({"amount_minor": 10**15 + 1}, "amount-out-of-range"),
        ({"min_steps": 0}, "number-out-of-range"),
        ({"original_minor": 99}, "original-below-price"),
        ({"list_id": PriceListId(mint("price_list"))}, "price-of-other-list"),
        ({"window": Window(dt.datetime(1899, 1, 1, tzinfo=dt.UTC))}, "time-out-of-range"),
    ],
)
def test_price_is_checked(facts: dict[str, object], code: str) -> None:
    """A price is never negative, of another list, or reduced from less."""
    list_id = mint("price_list")
    with pytest.raises(InvalidInputError) as refused:
        checking.prices([price(**{"list_id": list_id, **facts})], list_id)  # type: ignore[arg-type]
    assert [code] == [problem.code for problem in refused.value.problems]


def test_two_prices_for_the_same_quantity_and_start_are_refused() -> None:
    """Which of them should hold, nobody could say."""
    list_id, variant = mint("price_list"), VariantId(mint("variant"))
    twice = [price(list_id, variant_id=variant), price(list_id, variant_id=variant, amount_minor=90)]
    with pytest.raises(InvalidInputError) as refused:
        checking.prices(twice, list_id)
    assert ["price-twice"] == [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("currency", ["jpy", "XXX", "", "EURO"])
def test_price_list_has_a_currency_that_money_can_be_in(currency: str) -> None:
    """ISO 4217, without metals and test codes."""
    listed: PriceList = new_list("retail", currency)
    with pytest.raises(InvalidInputError):
        checking.price_list(listed)
