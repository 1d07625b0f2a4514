"""Offers and pages: few statements whatever the number, whole pages without gaps or repeats."""

import contextlib
import datetime as dt
from collections.abc import Iterator

import attrs
import pytest
import sqlalchemy as sa

from eckit.catalog import Listed, Page, Price, SaleUnit, service as catalog
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.ids import ChannelId, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.testing.begin import START
from tests.catalog.conftest import GUEST, STAFF, Shelves, new_product


@contextlib.contextmanager
def counted(shelves: Shelves) -> Iterator[list[str]]:
    """What is asked of the database within the block; no statement here is sent more than once for several rows."""
    asked: list[str] = []
    engine = shelves.begin.transactions.engine  # type: ignore[attr-defined]

    def note(_c: object, _cursor: object, statement: str, _p: object, _x: object, many: bool) -> None:
        assert not many
        asked.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


# --- offers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 50, 200])
def test_offers_take_two_statements_whatever_the_number(shelves: Shelves, number: int) -> None:
    """Pricing a cart costs the same number of round trips with one line and with two hundred."""
    food = shelves.add_category("food")
    pairs = [new_product(f"p{n}", state="published", category_ids=(food.id,)) for n in range(number)]
    shelves.save(*((product, [variant]) for product, variant in pairs))
    ids = [variant.id for _, variant in pairs]
    with shelves.begin.write(STAFF) as work:
        prices = [Price(variant_id=id, list_id=shelves.retail.id, amount_minor=n) for n, id in enumerate(ids)]
        catalog.set_prices(work, shelves.retail.id, prices)
    with shelves.begin.read(GUEST) as work, counted(shelves) as asked:
        found = catalog.offers(work, ids)
    assert 2 == len(asked)
    assert number == len(found)
    product, variant = pairs[-1]
    last = found[variant.id]
    assert (product, variant, frozenset({"food"})) == (last.product, last.variant, last.category_codes)
    assert ((shelves.retail, prices[-1]),) == last.prices


def test_only_what_can_be_bought_is_offered(shelves: Shelves) -> None:
    """Active variants of published products; others, and ids of nothing, are left out."""
    product, variant = shelves.publish("tea")
    inactive = attrs.evolve(new_product("x")[1], product_id=product.id, active=False)
    draft, of_draft = new_product("draft")
    shelves.save((product, [inactive]), (draft, [of_draft]))
    with shelves.begin.read(GUEST) as work:
        asked = [variant.id, inactive.id, of_draft.id, VariantId(mint("variant")), variant.id]
        assert [variant.id] == list(catalog.offers(work, asked))
        assert {} == catalog.offers(work, [])


def test_offer_has_prices_of_all_lists_and_times(shelves: Shelves) -> None:
    """Which of them holds for whom is pricing's to say."""
    _, variant = shelves.publish("tea", 1000)
    euro = shelves.add_list("euro", "EUR", includes_tax=False, customer_groups=frozenset({"b2b"}))
    soon = Window(START + dt.timedelta(days=1), None)
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(
            work, euro.id, [Price(variant_id=variant.id, list_id=euro.id, amount_minor=650, window=soon)]
        )
    with shelves.begin.read(GUEST) as work:
        prices = catalog.offers(work, [variant.id])[variant.id].prices
    assert {("retail", 1000, Window()), ("euro", 650, soon)} == {
        (price_list.code, price.amount_minor, price.window) for price_list, price in prices
    }
    assert euro in {price_list for price_list, _ in prices}


@pytest.mark.parametrize("ids", [["prd_x"], ["TEA"], [None], [mint("variant") for _ in range(1001)]])
def test_offers_are_asked_by_ids_and_not_too_many(shelves: Shelves, ids: list[VariantId]) -> None:
    """Each wrong id is named by its place."""
    with shelves.begin.read(GUEST) as work, pytest.raises(InvalidInputError):
        catalog.offers(work, ids)


def test_variants_are_found_by_sku_in_one_statement(shelves: Shelves) -> None:
    """Unknown ones are left out."""
    _, variant = shelves.publish("tea")
    with shelves.begin.read(GUEST) as work, counted(shelves) as asked:
        assert {"TEA": variant} == catalog.variants_by_sku(work, ["ＴＥＡ", "NONE"])
    assert 1 == len(asked)


def test_ids_of_skus_are_for_flows_and_see_everything(shelves: Shelves) -> None:
    """Stock of a draft can be received by who may not read the catalog."""
    product, variant = new_product("draft")
    shelves.save((product, [variant]))
    with shelves.begin.read(GUEST) as work:
        assert {"DRAFT": variant.id} == catalog.variant_ids(work, ["DRAFT", "NONE"])


# --- pages -----------------------------------------------------------------------------------------------------------


def pages(shelves: Shelves, **options: object) -> list[str]:
    """Handles of all pages, one after the other."""
    found: list[str] = []
    after = None
    while True:
        with shelves.begin.read(GUEST) as work, counted(shelves) as asked:
            page: Page[Listed] = catalog.list_products(work, list_id="retail", after=after, limit=7, **options)  # type: ignore[arg-type]
        assert 3 >= len(asked)
        found += [one.handle for one in page.items]
        if page.after is None:
            return found
        assert 7 == len(page.items)
        after = page.after


def test_pages_have_each_product_once_in_the_order_they_came(shelves: Shelves) -> None:
    """Forward and backward, with and without category; at most three statements a page."""
    food = shelves.add_category("food")
    tea = shelves.add_category("food>tea", food)
    handles = [f"p{number:02}" for number in range(30)]
    for number, handle in enumerate(handles):
        product, variant = new_product(handle, state="published", category_ids=(tea.id,) if number % 3 else ())
        shelves.save((product, [variant]))
    assert handles == pages(shelves)
    assert handles[::-1] == pages(shelves, newest_first=True)
    in_food = [handle for number, handle in enumerate(handles) if number % 3]
    assert in_food == pages(shelves, category="food") == pages(shelves, category=tea.id)
    assert in_food[::-1] == pages(shelves, category="food", newest_first=True)


def test_price_of_a_page_is_the_lowest_that_holds_now(shelves: Shelves) -> None:
    """Of active variants, for the least that can be bought, in a window that is open."""
    product, variant = shelves.publish("tea", 1000)
    cheaper = attrs.evolve(new_product("a")[1], product_id=product.id)
    inactive = attrs.evolve(new_product("b")[1], product_id=product.id, active=False)
    by_five = attrs.evolve(new_product("c")[1], product_id=product.id, unit=SaleUnit(increment=5))
    shelves.save((product, [cheaper, inactive, by_five]))
    week = Window(START + dt.timedelta(days=1), START + dt.timedelta(days=2))

    def price(of: VariantId, amount: int, **facts: object) -> Price:
        return Price(variant_id=of, list_id=shelves.retail.id, amount_minor=amount, **facts)  # type: ignore[arg-type]

    def shown(at: dt.datetime) -> int | None:
        shelves.clock.set(at)
        with shelves.begin.read(GUEST) as work:
            [one] = catalog.list_products(work, list_id="retail").items
            return one.price_minor

    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(
            work,
            shelves.retail.id,
            [
                price(cheaper.id, 900),
                price(cheaper.id, 500, min_steps=10),
                price(inactive.id, 1),
                price(by_five.id, 800, min_steps=5),
                price(variant.id, 100, window=week),
            ],
        )
    assert 800 == shown(START)
    assert 100 == shown(START + dt.timedelta(days=1))
    assert 800 == shown(START + dt.timedelta(days=2))


def test_page_shows_products_without_a_price_and_lists_out_of_season(shelves: Shelves) -> None:
    """No price is None, never zero."""
    product, variant = new_product("free", state="published")
    shelves.save((product, [variant]))
    summer = shelves.add_list("summer", "JPY", window=Window(START + dt.timedelta(days=9), None))
    _, tea = shelves.publish("tea", 1000)
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, summer.id, [Price(variant_id=tea.id, list_id=summer.id, amount_minor=1)])
    with shelves.begin.read(GUEST) as work:
        assert [None, 1000] == [one.price_minor for one in catalog.list_products(work, list_id="retail").items]
        assert [None, None] == [one.price for one in catalog.list_products(work, list_id="summer").items]


def test_drafts_are_listed_for_staff_only(shelves: Shelves) -> None:
    """And only when asked for."""
    product, variant = new_product("draft")
    shelves.save((product, [variant]))
    with shelves.begin.read(STAFF) as work:
        assert () == catalog.list_products(work, list_id="retail").items
        assert ["draft"] == [one.handle for one in catalog.list_products(work, list_id="retail", state="draft").items]
    with shelves.begin.read(GUEST) as work, pytest.raises(NotAllowedError):
        catalog.list_products(work, list_id="retail", state="draft")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"limit": 0}, InvalidInputError),
        ({"limit": 201}, InvalidInputError),
        ({"limit": 10**9}, InvalidInputError),
        ({"limit": True}, InvalidInputError),
        ({"after": "x"}, InvalidInputError),
        ({"state": "sold"}, InvalidInputError),
        ({"category": "none"}, NotFoundError),
        ({"list_id": "none"}, NotFoundError),
    ],
)
def test_page_refuses_what_it_cannot_show(shelves: Shelves, options: dict[str, object], error: type[Exception]) -> None:
    """Page sizes are limited; what is not there is said so."""
    with shelves.begin.read(GUEST) as work, pytest.raises(error):
        catalog.list_products(work, **{"list_id": "retail", **options})  # type: ignore[arg-type]


def test_list_is_shown_on_its_own_channels(shelves: Shelves) -> None:
    """Prices for the mall are not shown on the shop's own site."""
    mall = ChannelId(mint("channel"))
    shelves.add_list("mall", "JPY", channel_ids=frozenset({mall}))
    with shelves.begin.read(GUEST) as work:
        catalog.list_products(work, list_id="mall", channel=mall)
        catalog.list_products(work, list_id="retail", channel=mall)
        with pytest.raises(InvalidInputError):
            catalog.list_products(work, list_id="mall", channel=ChannelId(mint("channel")))


# --- search ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sencha", ["morning-sencha"]),
        ("SENCHA", ["morning-sencha"]),
        ("煎茶", ["morning-sencha"]),
        ("ＳＥＮ", ["morning-sencha"]),
        ("ＴＥＡ－５０", ["morning-sencha"]),
        ("ÉCLAIR", ["sweet"]),
        ("100%", ["sweet"]),
        ("_", []),
        ("%", ["sweet"]),
        ("nothing", []),
        ("  ", []),
        ("draft", []),
    ],
)
def test_search_looks_through_titles_handles_and_skus(shelves: Shelves, typed: str, found: list[str]) -> None:
    """In any language, width and case, the same on both databases; what is typed is never a pattern."""
    shelves.publish("morning-sencha", sku="TEA-50", title=Text.of("Morning Sencha", ja="朝の煎茶"))
    shelves.publish("sweet", title=Text.of("éclair 100% butter"))
    draft, variant = new_product("draft")
    shelves.save((draft, [variant]))
    with shelves.begin.read(GUEST) as work:
        assert found == [one.handle for one in catalog.search(work, typed, list_id="retail")]
