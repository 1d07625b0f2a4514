"""Importing: everything or nothing, found again by SKU and handle, and the second time nothing at all."""

import importlib.resources
import threading

import attrs
import pytest
import sqlalchemy as sa

from eckit.catalog import (
    CatalogImported,
    CurrencyMissingError,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    Listed,
    Price,
    PriceChanged,
    PriceListMissingError,
    Product,
    ProductPublished,
    UnreadableFileError,
    WrongListCurrencyError,
    audit,
    service as catalog,
)
from eckit.catalog.store import product as product_table, variant as variant_table
from eckit.flows.import_products import import_products
from eckit.kernel import auditing
from eckit.kernel.actors import Actor
from eckit.kernel.clock import Window
from eckit.kernel.errors import NotAllowedError, NotFoundError
from eckit.kernel.ids import LocationId, Sku, VariantId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.stock import Location, service as stock
from eckit.testing.begin import START
from tests.catalog.conftest import GUEST, STAFF, Shelves, announced, new_product

DEMO = importlib.resources.files("eckit") / "demo_data"


@pytest.fixture
def shop(shelves: Shelves) -> Shelves:
    """With a place for stock."""
    with shelves.begin.write(Actor.system()) as work:
        stock.save_location(work, Location(id=LocationId(mint("location")), code="main"))
    return shelves


def table(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def bring(shop: Shelves, *rows: str, **options: object) -> ImportReport:
    return import_products(shop.begin, STAFF, table(*rows), **{"currency": "JPY", **options})  # type: ignore[arg-type]


def counts(shop: Shelves) -> tuple[int, int]:
    """Products and variants there are."""
    with shop.begin.read(STAFF) as work:
        return tuple(  # type: ignore[return-value]
            work.execute(sa.select(sa.func.count()).select_from(one)).scalar_one()
            for one in (product_table, variant_table)
        )


def product(shop: Shelves, handle: str) -> Product:
    with shop.begin.read(STAFF) as work:
        return catalog.product(work, handle)


def listed(shop: Shelves, **options: object) -> tuple[Listed, ...]:
    with shop.begin.read(GUEST) as work:
        return catalog.list_products(work, **{"list_id": "retail", "limit": 200, **options}).items  # type: ignore[arg-type]


def available(shop: Shelves, *skus: str) -> list[int]:
    with shop.begin.read(STAFF) as work:
        ids = [catalog.variant_ids(work, [sku])[Sku(sku)] for sku in skus]
        found = stock.availability(work, ids)
        return [found.get(id, 0) for id in ids]


def no_violations(shop: Shelves) -> bool:
    with shop.begin.transactions.reading() as connection:
        return auditing.run(connection, audit.CHECKS) == []


# --- whole files -----------------------------------------------------------------------------------------------------


def test_demo_catalog_comes_in_whole_and_changes_nothing_the_second_time(shop: Shelves) -> None:
    """Products, variants, prices, categories, opening stock; then no stamp moves and nobody is told."""
    data = (DEMO / "products.csv").read_bytes()
    progress: list[tuple[int, int]] = []
    report = import_products(shop.begin, STAFF, data, progress=lambda *done: progress.append(done))
    assert (69, 40, 69, 69) == (report.rows, report.products, report.variants, report.prices)
    assert ((), ()) == (report.problems, report.notes)
    assert [(69, 69)] == progress
    assert 39 == len(listed(shop))
    assert "draft" == product(shop, "dried-persimmon-yokan").state
    teas = ["morning-sencha", "yame-gyokuro", "dark-roast-hojicha"]
    assert teas == [one.handle for one in listed(shop, category="food>tea")][:3]
    assert 648 == listed(shop)[0].price_minor
    assert [40, 1, 0] == available(shop, "TEA-50", "CHAWAN-0107", "SHINCHA-100")
    told = [CatalogImported(list_id=shop.retail.id, rows=69, products=40, variants=69, prices=69, at=START)]
    assert told == announced(shop, CatalogImported)
    assert [] == announced(shop, ProductPublished)
    before = shop.stamps()
    again = import_products(shop.begin, STAFF, data)
    assert (69, 0, 0, 0, {}) == (again.rows, again.products, again.variants, again.prices, again.stock)
    assert before == shop.stamps()
    assert told == announced(shop, CatalogImported)
    assert [40, 1, 0] == available(shop, "TEA-50", "CHAWAN-0107", "SHINCHA-100")
    assert {1} == versions(shop)
    assert no_violations(shop)


def versions(shop: Shelves) -> set[int]:
    with shop.begin.read(STAFF) as work:
        return set(work.execute(sa.select(product_table.c.version)).scalars()) | set(
            work.execute(sa.select(variant_table.c.version)).scalars()
        )


def test_flower_shop_with_its_inventory(shop: Shelves) -> None:
    """What has no stock, or is missing from the inventory, is shown and cannot be bought."""
    shop.add_list("dollars", "USD")
    flowers = table("id,title,price,image_url", "roses,Roses,3500,", "gardenias,Gardenias,2000,", "orchid,Orchid,4500,")
    inventory = b"product_id,quantity\nroses,1000\ngardenias,0\n"
    report = import_products(shop.begin, STAFF, flowers, currency="USD", minor_units=True, inventory=inventory)
    assert (3, 3, 3, {"roses": 1000}) == (report.rows, report.products, report.variants, report.stock)
    assert ["35.00", "20.00", "45.00"] == [
        f"{one.price.amount:f}" for one in listed(shop, list_id="dollars") if one.price
    ]
    assert [1000, 0, 0] == available(shop, "roses", "gardenias", "orchid")


def test_books_are_found_again_by_their_sku(shop: Shelves) -> None:
    """A file without handles may name a book differently; what it does not say stays, categories are added."""
    book = 'Book,Books > Fiction,9780553380958,{title},"{text}",Shop,9780553380958,{price},51'
    bring(shop, book.format(title="Snow Crash", text="A novel.", price="1799"))
    report = bring(shop, book.format(title="Snow Crash (novel)", text="", price="1699").replace("Fiction", "Hacking"))
    assert (1, 0, 1, {}) == (report.products, report.variants, report.prices, report.stock)
    found = product(shop, "snow-crash")
    assert ("Snow Crash (novel)", "A novel.", 2) == (str(found.title), str(found.description), found.version)
    for category in ("books", "books>fiction", "books>hacking"):
        assert [1699] == [one.price_minor for one in listed(shop, category=category)]
    other = bring(shop, book.format(title="Snow Crash", text="", price="5").replace("9780553380958", "9780553380965"))
    assert 1 == other.products
    assert "snow-crash-9780553380965" == product(shop, "snow-crash-9780553380965").handle
    assert 0 == bring(shop, book.format(title="Snow Crash (novel)", text="", price="1699")).products


# --- what changes and what stays -------------------------------------------------------------------------------------

FULL = (
    "handle,sku,title_en,title_ja,description_en,option_en,category,price_jpy,cost_jpy,tax_class,weight_grams,published"
)


def test_what_a_file_does_not_say_stays(shop: Shelves) -> None:
    """Texts in other languages, measures, tax class, state, tiers, windows, categories, a variant put to rest."""
    bring(shop, FULL, "tea,TEA,Tea,お茶,Fine,Bag,food,1000,300,reduced,50,yes")
    before = product(shop, "tea")
    with shop.begin.write(STAFF) as work:
        [variant] = catalog.variants(work, before.id)
        base = Price(variant_id=variant.id, list_id=shop.retail.id, amount_minor=1000)
        kept = [attrs.evolve(base, min_steps=10, amount_minor=900), attrs.evolve(base, window=Window(START, None))]
        catalog.set_prices(work, shop.retail.id, kept)
        catalog.save(work, before, [attrs.evolve(variant, active=False)])
    report = bring(shop, "handle,sku,title,price,category", "tea,TEA,Green tea,1100,gifts")
    assert (1, 0, 1) == (report.products, report.variants, report.prices)
    after = product(shop, "tea")
    assert Text.of("Green tea", ja="お茶") == after.title
    assert ("Fine", "published", 2) == (str(after.description), after.state, after.version)
    assert 2 == len(after.category_ids)
    with shop.begin.read(STAFF) as work:
        assert (attrs.evolve(variant, active=False, version=2),) == catalog.variants(work, after.id)
        assert {attrs.evolve(base, amount_minor=1100), *kept} == set(
            catalog.prices_of(work, shop.retail.id, [variant.id])
        )
        assert ["tea"] == [one.handle for one in catalog.search(work, "お茶", list_id="retail")]
    assert 0 == bring(shop, "handle,sku,title,price,category", "tea,TEA,Green tea,1100,gifts").products


def test_what_a_file_says_is_changed(shop: Shelves) -> None:
    """Only what differs is written, and versions rise."""
    bring(shop, FULL, "tea,TEA,Tea,お茶,Fine,Bag,food,1000,300,reduced,50,yes", "cup,CUP,Cup,,,,,500,,,,yes")
    report = bring(shop, FULL, "tea,TEA,Tea,お茶,Finer,Box,food,1000,310,standard,60,no", "cup,CUP,Cup,,,,,500,,,,yes")
    assert (1, 1, 0) == (report.products, report.variants, report.prices)
    after = product(shop, "tea")
    assert ("Finer", "draft", 2) == (str(after.description), after.state, after.version)
    with shop.begin.read(STAFF) as work:
        variant = catalog.variant_by_sku(work, "TEA")
    assert ("Box", 310, "standard", 60, 2) == (
        str(variant.option),
        variant.cost_minor,
        variant.tax_class,
        variant.measures.weight_grams,
        variant.version,
    )


def test_price_reduced_from_less_than_its_new_price_is_reduced_no_more(shop: Shelves) -> None:
    """An original price below the price would be a lie."""
    _, variant = shop.publish("tea", 800)
    reduced = Price(variant_id=variant.id, list_id=shop.retail.id, amount_minor=800, original_minor=1000)
    with shop.begin.write(STAFF) as work:
        catalog.set_prices(work, shop.retail.id, [reduced])
    for amount, original in ((900, 1000), (1100, None)):
        bring(shop, "handle,sku,title,price", f"tea,TEA,Tea,{amount}")
        with shop.begin.read(STAFF) as work:
            [price] = catalog.prices_of(work, shop.retail.id, [variant.id])
        assert (amount, original) == (price.amount_minor, price.original_minor)


def test_new_products_are_published_unless_the_file_or_the_caller_says_otherwise(shop: Shelves) -> None:
    """A file without the column is of things to sell; a verb's caller may see it otherwise."""
    bring(shop, "id,title,price", "tea,Tea,100")
    assert "published" == product(shop, "tea").state
    row = ImportRow(line=1, sku=Sku("CUP"), handle="cup", title=Text.of("Cup"), price_minor=1, currency="JPY")
    with shop.begin.write(STAFF) as work:
        catalog.import_products(work, [row], list_id=shop.retail.id, publish=False)
    assert "draft" == product(shop, "cup").state


def test_products_are_listed_in_the_order_of_the_file(shop: Shelves) -> None:
    """The first row of a file is the oldest product."""
    handles = [f"p{number * 37 % 100:02}" for number in range(100)]
    bring(shop, "id,title,price", *(f"{handle},{handle},1" for handle in handles))
    assert handles == [one.handle for one in listed(shop)]


def test_variants_of_a_product_need_not_stand_together(shop: Shelves) -> None:
    """One product, its categories from all its rows, its variants in their order."""
    bring(shop, "handle,sku,title,price,category", "tea,A,Tea,1,food", "cup,C,Cup,1,", "tea,B,Tea,2,gifts")
    found = product(shop, "tea")
    assert 2 == len(found.category_ids)
    with shop.begin.read(STAFF) as work:
        assert ["A", "B"] == [variant.sku for variant in catalog.variants(work, found.id)]


def test_texts_come_in_as_they_are(shop: Shelves) -> None:
    """Emoji, rare kanji, formulas: stored and shown the same."""
    titles = ["😀 𠮷野家 👨‍👩‍👧", "=1+1", "髙橋 ①", 'a & b < c > "d" \' ; \\ |']
    rows = (f'S{number},"{title.replace(chr(34), chr(34) * 2)}",1' for number, title in enumerate(titles))
    bring(shop, "sku,title,price", *rows)
    assert titles == [str(one.title) for one in listed(shop)]


# --- all or nothing --------------------------------------------------------------------------------------------------


def test_one_bad_row_refuses_the_file(shop: Shelves) -> None:
    """Every problem is reported, and nothing was changed: no product, category, stock or event."""
    shop.publish("cup", sku="TAKEN")
    before = (counts(shop), shop.stamps())
    with pytest.raises(ImportRefusedError) as refused:
        bring(
            shop,
            "handle,sku,title,price,stock,category",
            "tea,TEA,Tea,16.24,1,food",
            "pot,TAKEN,Pot,1,1,food",
            "bowl,BOWL,Bowl,1,-1,food",
            "dish,DISH,Dish,1,1,new",
        )
    report = refused.value.report
    assert [(2, "too-fine"), (3, "sku-elsewhere"), (4, "not-a-whole-number")] == [
        (problem.line, problem.code) for problem in report.problems
    ]
    assert 4 == report.rows
    assert "16.24" in refused.value.text("ja")
    assert "cup" == report.problems[1].limit
    assert before == (counts(shop), shop.stamps())
    with shop.begin.read(STAFF) as work:
        assert () == catalog.categories(work)
    assert [] == announced(shop, CatalogImported)


def test_good_rows_come_in_when_that_is_asked_for(shop: Shelves) -> None:
    """The others are reported by line; a product of which one row is bad gets its good ones."""
    shop.publish("cup", sku="TAKEN")
    report = bring(
        shop,
        "handle,sku,title,price,stock,category",
        "tea,TEA-1,Tea,x,1,food",
        "tea,TEA-2,Tea,200,2,food",
        "pot,TAKEN,Pot,1,1,pots",
        "pot,POT,Pot,300,3,pots",
        "bowl,BOWL,Bowl,400,4,bowls",
        keep_good=True,
    )
    assert [2, 4] == [problem.line for problem in report.problems]
    assert (5, 3, 3, {"TEA-2": 2, "POT": 3, "BOWL": 4}) == (report.rows, report.products, report.variants, report.stock)
    assert ["tea"] == [one.handle for one in listed(shop, category="food")]
    assert ["pot"] == [one.handle for one in listed(shop, category="pots")]
    assert [2, 3, 4] == available(shop, "TEA-2", "POT", "BOWL")
    assert no_violations(shop)


def test_refused_import_may_be_survived_within_a_transaction(shop: Shelves) -> None:
    """The verb changed nothing, so what else the transaction did is kept, and the next import works."""
    good, bad = (
        ImportRow(line=line, sku=Sku("TEA"), handle=handle, title=Text.of("Tea"), price_minor=1, currency="JPY")
        for line, handle in ((1, "tea"), (2, "cup"))
    )
    with shop.begin.write(STAFF) as work:
        catalog.import_products(work, [good], list_id=shop.retail.id)
        with pytest.raises(ImportRefusedError):
            catalog.import_products(work, [bad], list_id=shop.retail.id)
        assert 0 == catalog.import_products(work, [good], list_id=shop.retail.id).products
    assert (1, 1) == counts(shop)


def test_file_without_currency_or_list_is_one_error(shop: Shelves) -> None:
    """Nothing is guessed and nothing written."""
    data = table("id,title,price", "tea,Tea,100")
    with pytest.raises(CurrencyMissingError):
        import_products(shop.begin, STAFF, data)
    with pytest.raises(PriceListMissingError):
        import_products(shop.begin, STAFF, data, currency="EUR")
    with pytest.raises(WrongListCurrencyError):
        import_products(shop.begin, STAFF, data, currency="EUR", price_list="retail")
    with pytest.raises(NotFoundError):
        import_products(shop.begin, STAFF, data, currency="JPY", price_list="none")
    with pytest.raises(UnreadableFileError):
        import_products(shop.begin, STAFF, b"id,title,price\ntea,\xff\xfe\xfa,100", currency="JPY")
    with pytest.raises(NotFoundError):
        import_products(shop.begin, STAFF, data, currency="JPY", importer="none")
    with pytest.raises(NotFoundError):
        import_products(shop.begin, STAFF, table("id,title,price,stock", "t,T,1,5"), currency="JPY", at="moon")
    with pytest.raises(NotAllowedError):
        import_products(shop.begin, GUEST, data, currency="JPY")
    with pytest.raises(ImportRefusedError):
        import_products(shop.begin, STAFF, table("id,title,price", "t,,1"), currency="JPY")
    assert (0, 0) == counts(shop)


def test_file_without_rows_imports_nothing(shop: Shelves) -> None:
    """A header alone is no mistake."""
    assert (0, 0, 0) == attrs.astuple(bring(shop, "id,title,price"))[:3]
    assert (1, 0) == (bring(shop, "id,title,price", "t,,1", keep_good=True).rows, counts(shop)[0])


def test_rows_from_anywhere_are_checked(shop: Shelves) -> None:
    """What a host or plugin hands over is held to the same rules as a file."""
    good = ImportRow(line=1, sku=Sku("TEA"), handle="tea", title=Text.of("Tea"), price_minor=1, currency="JPY")
    bad = {
        2: {"sku": ""},
        3: {"handle": "Tea Pot"},
        4: {"price_minor": -1},
        5: {"title": Text({})},
        6: {"stock": -1},
        7: {"categories": ((),)},
        8: {"cost_minor": 5},
        9: {"gtins": ("1",)},
        10: {"option": Text.of("x" * 201)},
    }
    rows = [
        attrs.evolve(good, line=line, **{"sku": f"S{line}", "handle": f"h{line}", **facts})
        for line, facts in bad.items()
    ]  # type: ignore[arg-type]
    with shop.begin.write(STAFF) as work:
        report = catalog.import_products(work, [good, *rows], list_id=shop.retail.id, keep_good=True)
    assert list(bad) == [problem.line for problem in report.problems]
    assert (10, 1) == (report.rows, report.products)
    euro = attrs.evolve(good, currency="EUR")
    with pytest.raises(WrongListCurrencyError), shop.begin.write(STAFF) as work:
        catalog.import_products(work, [euro], list_id=shop.retail.id)


def test_archived_product_is_not_published_by_a_file(shop: Shelves) -> None:
    """A file that does not say leaves it archived; one that says yes is refused."""
    archived, variant = new_product("tea")
    shop.save((archived, [variant]))
    with shop.begin.write(STAFF) as work:
        catalog.archive(work, archived.id)
    with pytest.raises(ImportRefusedError) as refused:
        bring(shop, "handle,sku,title,price,published", "tea,TEA,Tea,100,yes")
    assert ["archived-product"] == [problem.code for problem in refused.value.report.problems]
    bring(shop, "handle,sku,title,price,published", "tea,TEA,Tea,100,no")
    assert "archived" == product(shop, "tea").state


# --- at once ---------------------------------------------------------------------------------------------------------


def test_same_file_imported_twice_at_once_gives_one_set(shop: Shelves) -> None:
    """STK-10: one of the two adds everything, the other nothing; stock comes once."""
    rows = [f"p{number},Product {number},{number + 1},5,c{number % 7}" for number in range(300)]
    data = table("id,title,price,stock,category", *rows)
    reports: list[ImportReport] = []
    ready = threading.Barrier(2)

    def run() -> None:
        ready.wait(10)
        reports.append(import_products(shop.begin, STAFF, data, currency="JPY"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [(0, 0, 0), (300, 300, 300)] == sorted(
        (report.products, report.variants, report.prices) for report in reports
    )
    assert (300, 300) == counts(shop)
    assert [5, 5] == available(shop, "p0", "p299")
    assert 1 == len(announced(shop, CatalogImported))
    assert no_violations(shop)


def test_prices_set_during_an_import_wait_for_it(shop: Shelves) -> None:
    """Neither is lost, and neither fails."""
    _, variant = shop.publish("tea", 100)
    row = ImportRow(line=1, sku=Sku("TEA"), handle="tea", title=Text.of("Tea"), price_minor=200, currency="JPY")
    done: list[str] = []

    def set_price() -> None:
        with shop.begin.write(STAFF) as work:
            one = Price(variant_id=VariantId(variant.id), list_id=shop.retail.id, amount_minor=300)
            catalog.set_prices(work, shop.retail.id, [one])
        done.append("set")

    thread = threading.Thread(target=set_price)
    with shop.begin.write(STAFF) as work:
        catalog.import_products(work, [row], list_id=shop.retail.id)
        thread.start()
        thread.join(0.5)
        assert [] == done
    thread.join(30)
    assert (["set"], [300]) == (done, [one.price_minor for one in listed(shop)])
    assert 2 == len(announced(shop, PriceChanged))
