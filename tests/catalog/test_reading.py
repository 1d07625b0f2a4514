"""Files to rows: every layout that is read, every problem by line and column, and nothing lost on the way."""

import csv
import importlib.resources
import io

import pytest

from eckit.catalog import (
    CurrencyAmbiguousError,
    CurrencyMissingError,
    ImportRow,
    RowProblem,
    UnknownLayoutError,
)
from eckit.catalog.rules import read_categories, read_csv, read_inventory, with_inventory
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.text import Text
from eckit.kernel.texts import keys

DEMO = importlib.resources.files("eckit") / "demo_data"

# In the shape of django-oscar's book files: no header, quotes and commas inside texts, an empty description.
BOOKS = b"""\
Book,Books > Non-Fiction > Code,9780131103627,The C Language,"C ""wears well"", as you grow.",Shop,9780131103627,9.99,20
Book,Books > Non-Fiction > Code,9780201616224,Alfresco,... <id>urn:isbn</id> <title>,Shop,9780201616224,3.99,82
Book,Books > Fiction,9780596517748,Nothing Said,,Shop,9780596517748,23.5,0
Book,Books > Fiction,9780201485677,Over Two Lines,"First line,
second line",Shop,9780201485677,1,9
Book,Books > Fiction,9780201485417,The C Language,Another of the same name,Shop,9780201485417,18.99,37
"""

FLOWERS = b"""\
id,title,price,image_url
bouquet_roses,Bouquet of Red Roses,3500,https://shop.example/roses.jpg
gardenias,Gardenias,2000,https://shop.example/gardenias.jpg
orchid_white,White Orchid,4500,"""


def table(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def read(*rows: str, currency: str | None = "JPY", **options: object) -> tuple[list[ImportRow], list[RowProblem]]:
    return read_csv(table(*rows), currency=currency, **options)  # type: ignore[arg-type]


def found(problems: list[RowProblem]) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.path, problem.code) for problem in problems]


# --- layouts ---------------------------------------------------------------------------------------------------------


def test_demo_catalog_is_read_whole() -> None:
    """Every row of eckit's own file, in both languages, with the currency that its header names."""
    data = (DEMO / "products.csv").read_bytes()
    rows, problems = read_csv(data)
    assert [] == problems
    stated = list(csv.DictReader(io.StringIO(data.decode())))
    assert len(stated) == len(rows)
    for row, cells in zip(rows, stated, strict=True):
        assert cells["sku"] == row.sku
        assert Text.of(cells["title_en"], ja=cells["title_ja"]) == row.title
        assert (int(cells["price_jpy"]), "JPY") == (row.price_minor, row.currency)
        assert (int(cells["cost_jpy"]), "JPY") == (row.cost_minor, row.cost_currency)
        assert (tuple(cells["category"].split(">")),) == row.categories
        assert (int(cells["stock"]), cells["published"] == "yes") == (row.stock, row.published)


def test_every_record_of_a_book_file_is_read() -> None:
    """No header, quotes, line breaks inside a text, an empty description: each record is a product of its own."""
    rows, problems = read_csv(BOOKS, currency="GBP")
    assert [] == problems
    assert [1, 2, 3, 4, 6] == [row.line for row in rows]
    assert [999, 399, 2350, 100, 1899] == [row.price_minor for row in rows]
    assert ['C "wears well", as you grow.', "First line,\nsecond line"] == [
        str(row.description) for row in (rows[0], rows[3])
    ]
    assert Text({}) == rows[2].description
    assert ("Books", "Non-Fiction", "Code") == rows[0].categories[0]
    assert ["the-c-language", "the-c-language-9780201485417"] == [rows[0].handle, rows[4].handle]
    assert [20, 82, 0, 9, 37] == [row.stock for row in rows]


def test_flower_shop_counts_in_minor_units() -> None:
    """``3500`` is 35.00: the file says nowhere, so the caller does."""
    rows, problems = read_csv(FLOWERS, currency="USD", minor_units=True)
    assert [] == problems
    assert [("bouquet_roses", "bouquet_roses", 3500), ("gardenias", "gardenias", 2000)] == [
        (row.sku, row.handle, row.price_minor) for row in rows[:2]
    ]
    assert 3 == len(rows)


def test_inventory_gives_stock_and_what_is_missing_is_sold_out() -> None:
    """Zero or not mentioned comes to the same; a SKU that is no product of the file is noted, not refused."""
    rows, _ = read_csv(FLOWERS, currency="USD", minor_units=True)
    inventory, problems = read_inventory(b"product_id,quantity\nbouquet_roses,1000\ngardenias,0\ntulips,5\n")
    assert [] == problems
    stocked, notes = with_inventory(rows, inventory)
    assert [1000, 0, 0] == [row.stock for row in stocked]
    assert [(4, "not-in-file", "tulips", "inventory", True)] == [
        (note.line, note.code, note.value, note.file, note.note) for note in notes
    ]


def test_problems_of_an_inventory_name_their_file() -> None:
    """Line 3 of which file?"""
    _, problems = read_inventory(table("product_id,quantity", "a,-1", "b,1.5", "c,", "d,4", "d,5"))
    assert [
        (2, "quantity", "not-a-whole-number"),
        (3, "quantity", "not-a-whole-number"),
        (4, "quantity", "missing"),
        (6, "product_id", "duplicate-sku"),
    ] == found(problems)
    assert {"inventory"} == {problem.file for problem in problems}
    assert problems[0].sentence("en").startswith("Inventory, line 2")


def test_japanese_header_is_understood_in_any_width() -> None:
    """``ＪＡＮコード`` is the JAN code, and full-width digits are digits."""
    rows, problems = read(
        "商品コード,商品名,価格,ＪＡＮコード,在庫数",
        "Ａ－１,緑茶,１，０８０,４５９９９９９００１０１４,１２",
        locale="ja",
    )
    assert [] == problems
    [row] = rows
    assert ("A-1", 1080, ("4599999001014",), 12) == (row.sku, row.price_minor, row.gtins, row.stock)
    assert Text.of(ja="緑茶") == row.title


@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_commas_tabs_and_semicolons_separate(mark: str) -> None:
    """Spreadsheets of different countries write different ones."""
    rows, problems = read(mark.join(("sku", "title", "price")), mark.join(("A", "Tea, green", "100")).replace(
        "Tea, green", '"Tea, green"'
    ))  # fmt: skip
    assert [] == problems
    assert "Tea, green" == str(rows[0].title)


def test_columns_can_be_named_for_a_file_without_a_header() -> None:
    """The caller knows what the file does not say."""
    rows, problems = read("TEA,Green tea,100", columns=("sku", "title", "price"))
    assert [] == problems
    assert ("TEA", 100, 1) == (rows[0].sku, rows[0].price_minor, rows[0].line)
    with pytest.raises(UnknownLayoutError):
        read("TEA,100", columns=("sku", "price"))


@pytest.mark.parametrize("rows", [("",), ("a,b,c", "1,2,3"), ("sku,title", "A,Tea"), ("Book,x,y", "1,2,3")])
def test_unknown_layout_is_one_clear_error(rows: tuple[str, ...]) -> None:
    """Nothing is guessed from the shape of the data."""
    with pytest.raises(UnknownLayoutError):
        read(*rows)


def test_unknown_columns_are_noted_and_known_ones_twice_are_refused() -> None:
    """A column that is not read is said so; a header that says the same twice leaves open which is meant."""
    rows, problems = read("sku,title,price,colour", "A,Tea,100,green")
    assert 1 == len(rows)
    assert [(1, "colour", "unknown-column", True)] == [(*found(problems)[0], problems[0].note)]
    rows, problems = read("sku,品番,title,price", "A,B,Tea,100")
    assert ([], [(1, "品番", "column-twice")]) == (rows, found(problems))


def test_empty_rows_of_a_spreadsheet_are_passed_over() -> None:
    """Lines are counted all the same."""
    rows, problems = read("sku,title,price", "", ",,", "A,Tea,100", ",,")
    assert ([4], []) == ([row.line for row in rows], problems)


# --- money -----------------------------------------------------------------------------------------------------------


def test_currency_must_be_said() -> None:
    """One clear error, whatever the number of rows."""
    with pytest.raises(CurrencyMissingError) as refused:
        read("sku,title,price", "A,Tea,100", "B,Tea,200", currency=None)
    assert "price" == refused.value.path


def test_currency_of_a_column_holds_for_all_rows() -> None:
    """The first row decides where the caller does not; another currency is a problem of its row."""
    rows, problems = read("sku,title,price,currency", "A,Tea,10.50,EUR", "B,Tea,9,USD", "C,Tea,8,", currency=None)
    assert [("A", "EUR", 1050), ("C", "EUR", 800)] == [(row.sku, row.currency, row.price_minor) for row in rows]
    assert [(3, "currency", "wrong-currency")] == found(problems)
    assert ("USD", "EUR") == (problems[0].value, problems[0].limit)


def test_price_column_of_another_currency_refuses_the_file() -> None:
    """Yen are never taken for euros."""
    rows, problems = read("sku,title,price_jpy", "A,Tea,100", currency="EUR")
    assert ([], [(1, "price_jpy", "wrong-currency")]) == (rows, found(problems))


def test_of_several_price_columns_the_caller_chooses_one() -> None:
    """The others are noted; without a choice the file is refused."""
    lines = ("sku,title,price_jpy,price_eur", "A,Tea,100,0.60")
    rows, problems = read(*lines, currency="EUR")
    assert (60, "EUR") == (rows[0].price_minor, rows[0].currency)
    assert [(1, "price_jpy", "unused-column")] == found(problems)
    with pytest.raises(CurrencyAmbiguousError) as refused:
        read(*lines, currency=None)
    assert "JPY, EUR" == refused.value.currencies


@pytest.mark.parametrize("currency", ["jpy", "XXX", "yen"])
def test_unknown_currency_is_refused(currency: str) -> None:
    """Codes of ISO 4217, upper case."""
    with pytest.raises(InvalidInputError):
        read("sku,title,price", "A,Tea,100", currency=currency)


@pytest.mark.parametrize(
    ("cell", "currency", "minor"),
    [
        ("1080", "JPY", 1080),
        ("１０８０", "JPY", 1080),
        ("1080.00", "JPY", 1080),
        ('"1,080"', "JPY", 1080),
        (" 1080 ", "JPY", 1080),
        ("10.5", "EUR", 1050),
        ("10.50", "EUR", 1050),
        ("10", "EUR", 1000),
        ("0", "EUR", 0),
        ("1.080", "BHD", 1080),
        ('"1,234.50"', "EUR", 123450),
        ("999999999999", "JPY", 999999999999),
    ],
)
def test_price_is_read_exactly(cell: str, currency: str, minor: int) -> None:
    """Minor units of the currency's own number of decimals."""
    rows, problems = read("sku,title,price", f"A,Tea,{cell}", currency=currency)
    assert ([], [minor]) == (problems, [row.price_minor for row in rows])


@pytest.mark.parametrize(
    ("cell", "currency", "code"),
    [
        ("16.24", "JPY", "too-fine"),
        ("10.505", "EUR", "ambiguous-amount"),
        ("1.0005", "EUR", "too-fine"),
        ('"12,50"', "EUR", "ambiguous-amount"),
        ("1.080", "EUR", "ambiguous-amount"),
        ("-5", "EUR", "negative-amount"),
        ("－５", "EUR", "negative-amount"),
        ("NaN", "EUR", "not-an-amount"),
        ("Infinity", "EUR", "not-an-amount"),
        ("1e3", "EUR", "not-an-amount"),
        ("¥100", "JPY", "not-an-amount"),
        ("+5", "EUR", "not-an-amount"),
        ("", "EUR", "missing"),
        ("9" * 16, "JPY", "amount-out-of-range"),
        ("=1+1", "EUR", "not-an-amount"),
        ("1\x000", "EUR", "not-an-amount"),
    ],
)
def test_price_that_cannot_be_read_in_one_way_is_a_problem(cell: str, currency: str, code: str) -> None:
    """Never rounded, never guessed, never zero."""
    rows, problems = read("sku,title,price", f"A,Tea,{cell}", currency=currency)
    assert ([], [(2, "price", code)]) == (rows, found(problems))


def test_minor_units_have_no_decimal_mark() -> None:
    """``35.00`` in a file of cents is a mistake of the file or of the caller."""
    _, problems = read("id,title,price", "a,Roses,35.00", currency="USD", minor_units=True)
    assert [(2, "price", "too-fine")] == found(problems)


# --- cells -----------------------------------------------------------------------------------------------------------

HEADER = "handle,sku,title,description,price,stock,weight_grams,gtin,hs_code,origin,published,category,tax_class"
GOOD = {
    "handle": "tea", "sku": "TEA", "title": "Tea", "description": "", "price": "100", "stock": "1", "weight_grams": "5",
    "gtin": "4599999001014", "hs_code": "0902.10", "origin": "jp", "published": "yes", "category": "Food > Tea|Gifts",
    "tax_class": "reduced",
}  # fmt: skip


def test_good_cells_are_read() -> None:
    """Folded where they are codes and numbers."""
    rows, problems = read(HEADER, ",".join(GOOD.values()))
    assert [] == problems
    [row] = rows
    assert ("090210", "JP", "reduced", True, 5) == (
        row.hs_code, row.origin, row.tax_class, row.published, row.weight_grams,
    )  # fmt: skip
    assert (("Food", "Tea"), ("Gifts",)) == row.categories


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("sku", "", "missing"),
        ("sku", "x" * 81, "too-long"),
        ("sku", "a\x00b", "control-character"),
        ("handle", "", "missing"),
        ("handle", "!!!", "unexpected-character"),
        ("handle", "x" * 81, "too-long"),
        ("title", "", "missing"),
        ("title", "x" * 201, "too-long"),
        ("title", "a\x00b", "control-character"),
        ("title", '"a\nb"', "control-character"),
        ("description", "x" * 20_001, "too-long"),
        ("description", "a\x1bb", "control-character"),
        ("stock", "-1", "not-a-whole-number"),
        ("stock", "1.5", "not-a-whole-number"),
        ("stock", "NaN", "not-a-whole-number"),
        ("stock", "1000001", "number-out-of-range"),
        ("stock", "9" * 400, "not-a-whole-number"),
        ("weight_grams", "0", "number-out-of-range"),
        ("gtin", "12345", "unexpected-character"),
        ("hs_code", "tea", "unexpected-character"),
        ("origin", "Japan", "too-long"),
        ("published", "perhaps", "not-yes-or-no"),
        ("category", "Food > > Tea", "not-a-category-path"),
        ("category", "x" * 201, "too-long"),
        ("tax_class", "re duced", "unexpected-character"),
    ],
)
def test_bad_cell_is_named_by_line_column_and_value(column: str, cell: str, code: str) -> None:
    """Nothing is cut, skipped or replaced by a default."""
    rows, problems = read(HEADER, ",".join({**GOOD, column: cell}.values()))
    assert ([], [(2, column, code)]) == (rows, found(problems))
    assert problems[0].value or code == "missing"


def test_all_problems_of_a_row_and_of_all_rows_are_found() -> None:
    """One round of corrections is enough."""
    _, problems = read(
        HEADER, ",".join({**GOOD, "price": "x", "stock": "y"}.values()), ",".join({**GOOD, "sku": ""}.values())
    )
    assert [(2, "stock", "not-a-whole-number"), (2, "price", "not-an-amount"), (3, "sku", "missing")] == found(problems)


def test_texts_stay_as_they_are() -> None:
    """Formula-like text, emoji, rare kanji and spaces are the shop's own affair."""
    titles = ["=1+1", "@SUM(A1)", "-10% tea", "+81", "  tea  ", "😀 𠮷野家 👨‍👩‍👧", "ｶﾅ & <b> ' ; \\ |"]
    rows, problems = read("sku,title,price", *(f'S{n},"{title}",1' for n, title in enumerate(titles)))
    assert ([], titles) == (problems, [str(row.title) for row in rows])


# --- rows together ---------------------------------------------------------------------------------------------------


def test_duplicate_sku_names_both_lines() -> None:
    """Which of the two is right only the shop knows, so neither is good."""
    rows, problems = read("sku,title,price", "A,Tea,1", "B,Cup,2", "Ａ,Tea,3")
    assert ["B"] == [row.sku for row in rows]
    assert [(2, "A", 4), (4, "A", 2)] == [(problem.line, problem.value, problem.other_line) for problem in problems]
    assert "4" in problems[0].sentence("en")


def test_rows_of_one_product_say_the_same_of_it() -> None:
    """A title that differs in one row is a slip, not a second title."""
    rows, problems = read("handle,sku,title,price", "tea,A,Tea,1", "tea,B,Tee,2", "tea,C,Tea,3")
    assert ["A", "C"] == [row.sku for row in rows]
    assert [(3, "title", "columns-differ", 2)] == [(*found(problems)[0], problems[0].other_line)]


def test_broken_quotes_and_ragged_rows_are_problems_of_their_lines() -> None:
    """What follows is read all the same."""
    rows, problems = read("sku,title,price", 'A,"Tea"x,1', "B,Cup", "C,Pot,3,4", "D,Bowl,5")
    assert ["D"] == [row.sku for row in rows]
    assert [(2, "", "csv-quoting"), (3, "", "cell-count"), (4, "", "cell-count")] == found(problems)


def test_every_problem_has_a_text_in_both_languages() -> None:
    """An owner who reads Japanese can act on each of them."""
    for language in ("en", "ja"):
        for problem in (
            RowProblem(line=1, path="price", code=code, value="x")
            for code in ("duplicate-sku", "cell-count", "not-an-amount", "too-fine", "missing", "not-a-whole-number")
        ):
            assert "problem." not in problem.sentence(language)
    assert {key for key in keys("en") if key.startswith("import.")} == {
        key for key in keys("ja") if key.startswith("import.")
    }


# --- categories ------------------------------------------------------------------------------------------------------


def test_demo_categories_are_read_whole() -> None:
    """Path, both names, position."""
    rows, problems = read_categories((DEMO / "categories.csv").read_bytes())
    assert [] == problems
    stated = list(csv.DictReader(io.StringIO((DEMO / "categories.csv").read_text("utf-8"))))
    assert [(cells["path"], int(cells["position"])) for cells in stated] == [
        (">".join(row.path), row.position) for row in rows
    ]
    assert Text.of("Tea", ja="お茶") == rows[1].title


def test_bad_categories_are_problems_of_their_lines() -> None:
    """A path and a name each."""
    _, problems = read_categories(table("path,title_en,position", "food>,Food,1", "tea,,2", "cups,Cups,x"))
    assert [
        (2, "path", "not-a-category-path"),
        (3, "title_en", "missing"),
        (4, "position", "not-a-whole-number"),
    ] == found(problems)
