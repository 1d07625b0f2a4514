"""The bundled demo catalog is a plausible shop: what the loader and the documentation rely on holds."""

import csv
import importlib.resources
import io
import itertools
import re
import tomllib
import unicodedata
from collections import Counter
from typing import Any

import pytest

FOLDER = importlib.resources.files("eckit") / "demo_data"

PRODUCT_COLUMNS = ("title_en", "title_ja", "description_en", "description_ja", "category", "tax_class", "published")
PRODUCTS_HEADER = [
    *(
        "handle",
        "title_en",
        "title_ja",
        "description_en",
        "description_ja",
        "category",
        "sku",
        "option_en",
        "option_ja",
    ),
    *("price_jpy", "cost_jpy", "tax_class", "length_mm", "width_mm", "height_mm", "weight_grams"),
    *("gtin", "hs_code", "origin", "stock", "published"),
]
TAX_PERCENT = {"reduced": 8, "standard": 10}


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file; a row with too many or too few cells is an error of the file."""
    text = (FOLDER / name).read_bytes().decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        assert None not in row, f"{name}: too many cells in {row}"
        assert None not in row.values(), f"{name}: too few cells in {row}"
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return read_csv("products.csv")


@pytest.fixture(scope="module")
def products(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    return {handle: list(group) for handle, group in itertools.groupby(rows, key=lambda row: row["handle"])}


@pytest.fixture(scope="module")
def categories() -> list[dict[str, str]]:
    return read_csv("categories.csv")


@pytest.fixture(scope="module")
def promotions() -> dict[str, dict[str, Any]]:
    text = (FOLDER / "promotions.toml").read_bytes().decode("utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["promotions"]
    return {promotion["code"]: promotion for promotion in found}


def jan_check_digit(first_twelve: str) -> int:
    """GS1 modulo 10: weights 1 and 3 in turn from the left, for thirteen digits."""
    total = sum(int(digit) * (3 if position % 2 else 1) for position, digit in enumerate(first_twelve))
    return -total % 10


def luhn_valid(digits: str) -> bool:
    """The check of card numbers: every second digit from the right doubled, digit sums added, a multiple of ten."""
    doubled = (int(digit) * (2 if position % 2 else 1) for position, digit in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def test_check_digit_functions_agree_with_known_numbers() -> None:
    """The two checks used below accept published numbers and refuse the same numbers with one digit changed."""
    assert 4 == jan_check_digit("490123456789")
    assert luhn_valid("79927398713")
    assert not luhn_valid("79927398714")


def test_files_are_plain_utf_8_without_a_mark() -> None:
    """The folder holds data only: no package, no byte order mark, no carriage return, text in NFC."""
    names = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert {"products.csv", "categories.csv", "promotions.toml", "README.md"} == names
    for name in sorted(names):
        text = (FOLDER / name).read_bytes().decode("utf-8")
        assert not text.startswith("\ufeff"), name
        assert "\r" not in text, name
        assert unicodedata.normalize("NFC", text) == text, name


def test_products_file_has_the_documented_columns(rows: list[dict[str, str]]) -> None:
    """The header is a contract of the loader, and the README explains every column."""
    assert PRODUCTS_HEADER == list(rows[0])
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [] == [column for column in PRODUCTS_HEADER if f"`{column}`" not in readme]


def test_shop_is_large_enough_to_show(rows: list[dict[str, str]], products: dict[str, list[dict[str, str]]]) -> None:
    """At least 48 SKUs in 26 products, a good part of them with variants, in all seven departments."""
    assert len(rows) >= 48
    assert len(products) >= 26
    assert sum(1 for variants in products.values() if len(variants) > 1) >= 10
    expected = {"food>tea", "food>sweets", "tableware", "textiles", "kitchen", "stationery", "books"}
    shown = {row["category"] for row in rows}
    missing = {top for top in expected if not any(path == top or path.startswith(f"{top}>") for path in shown)}
    assert set() == missing


@pytest.mark.parametrize("column", ["sku", "gtin"])
def test_codes_are_unique(rows: list[dict[str, str]], column: str) -> None:
    """A SKU and a JAN name one variant."""
    assert [] == [code for code, count in Counter(row[column] for row in rows).items() if count > 1]


def test_rows_of_a_product_stand_together_and_agree(
    rows: list[dict[str, str]], products: dict[str, list[dict[str, str]]]
) -> None:
    """Product columns are repeated by handle, and say the same in every row."""
    assert len(products) == len({row["handle"] for row in rows})
    assert len(rows) == sum(len(variants) for variants in products.values())
    for handle, variants in products.items():
        assert 1 == len({tuple(row[column] for column in PRODUCT_COLUMNS) for row in variants}), handle


def test_variants_of_a_product_are_told_apart_in_both_languages(products: dict[str, list[dict[str, str]]]) -> None:
    """Siblings have different, non-empty options; an only child has none in either language or one in both."""
    for handle, variants in products.items():
        for column in ("option_en", "option_ja"):
            options = [row[column] for row in variants]
            assert len(options) == len(set(options)), f"{handle}: {column}"
            assert len(options) == 1 or all(options), f"{handle}: {column}"
        assert bool(variants[0]["option_en"]) == bool(variants[0]["option_ja"]), handle


def test_titles_and_descriptions_are_given_in_both_languages(rows: list[dict[str, str]]) -> None:
    """No text is empty, none has stray space, and the Japanese text is Japanese."""
    for row in rows:
        for column in ("title_en", "title_ja", "description_en", "description_ja"):
            assert row[column], f"{row['sku']}: {column}"
            assert row[column].strip() == row[column], f"{row['sku']}: {column}"
        for column in ("title_ja", "description_ja"):
            japanese = [
                c for c in row[column] if unicodedata.name(c).startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA"))
            ]
            assert japanese, f"{row['sku']}: {column}"
        for column in ("title_en", "description_en"):
            foreign = [c for c in row[column] if unicodedata.name(c).startswith(("CJK", "HIRAGANA", "KATAKANA"))]
            assert [] == foreign, f"{row['sku']}: {column}"


@pytest.mark.parametrize("hard", ["髙", "①", "\uff5e", "🌟", "'", " & ", '"', ", "])
def test_hard_but_legitimate_texts_are_present(rows: list[dict[str, str]], hard: str) -> None:
    """The demo exercises what shops really write and exports often break."""
    columns = ("title_en", "title_ja", "description_en", "description_ja")
    assert any(hard in row[column] for row in rows for column in columns)


def test_jan_numbers_are_valid_and_no_card_numbers(rows: list[dict[str, str]]) -> None:
    """Thirteen digits from 45 or 49, right check digit, and not Luhn-valid: nothing may look like a card number."""
    for row in rows:
        gtin = row["gtin"]
        assert re.fullmatch("4[59][0-9]{11}", gtin), gtin
        assert jan_check_digit(gtin[:12]) == int(gtin[12]), gtin
        assert not luhn_valid(gtin), gtin


def test_food_is_reduced_and_everything_else_standard(rows: list[dict[str, str]]) -> None:
    """Japan's reduced rate of 8% is for food and drink (without alcohol); the shop sells both classes."""
    assert {"reduced", "standard"} == {row["tax_class"] for row in rows}
    wrong = [row["sku"] for row in rows if (row["tax_class"] == "reduced") != row["category"].startswith("food>")]
    assert [] == wrong


def test_every_variant_earns_money(rows: list[dict[str, str]]) -> None:
    """Cost (without tax) is positive and below the price without tax: price / (1 + rate), compared in integers."""
    for row in rows:
        price, cost = int(row["price_jpy"]), int(row["cost_jpy"])
        assert cost > 0, row["sku"]
        assert cost * (100 + TAX_PERCENT[row["tax_class"]]) < price * 100, row["sku"]


def test_measurements_are_plausible(rows: list[dict[str, str]]) -> None:
    """Fits a parcel of size 100 and 5 kg, longest side first, between loosely packed tea and a solid whetstone."""
    for row in rows:
        length, width, height = (int(row[f"{side}_mm"]) for side in ("length", "width", "height"))
        grams = int(row["weight_grams"])
        assert length >= width >= height >= 5, row["sku"]
        assert length + width + height <= 1000, row["sku"]
        assert 10 <= grams <= 5000, row["sku"]
        milligrams_per_cm3 = grams * 1_000_000 // (length * width * height)
        assert 40 <= milligrams_per_cm3 <= 2500, f"{row['sku']}: {milligrams_per_cm3}"


def test_larger_tea_bags_weigh_and_cost_more(products: dict[str, list[dict[str, str]]]) -> None:
    """50, 100 and 200 g of one tea: heavier and dearer each time, cheaper per gram."""
    bags = [(50, 0), (100, 1), (200, 2)]
    tea = products["morning-sencha"]
    assert ["TEA-50", "TEA-100", "TEA-200"] == [row["sku"] for row in tea]
    for (few, small), (many, large) in itertools.pairwise(bags):
        assert int(tea[small]["weight_grams"]) < int(tea[large]["weight_grams"])
        assert int(tea[small]["price_jpy"]) < int(tea[large]["price_jpy"])
        assert int(tea[small]["price_jpy"]) * many > int(tea[large]["price_jpy"]) * few


def test_customs_facts_are_well_formed(rows: list[dict[str, str]]) -> None:
    """Six digits of the Harmonized System in a chapter the shop can have; goods of two countries."""
    chapters = {"09", "17", "19", "20", "21", "44", "48", "49", "63", "68", "69", "73", "82", "96"}
    for row in rows:
        assert re.fullmatch("[0-9]{6}", row["hs_code"]), row["sku"]
        assert row["hs_code"][:2] in chapters, row["sku"]
    assert {"JP", "LT"} == {row["origin"] for row in rows}


def test_one_bowl_is_the_only_one_and_one_tea_is_sold_out(rows: list[dict[str, str]]) -> None:
    """Exactly one variant has a single unit, exactly one has none, and all others have more."""
    stock = {row["sku"]: int(row["stock"]) for row in rows}
    assert ["CHAWAN-0107"] == [sku for sku, units in stock.items() if units == 1]
    assert ["SHINCHA-100"] == [sku for sku, units in stock.items() if units == 0]
    assert min(stock.values()) >= 0


def test_one_product_is_unpublished(products: dict[str, list[dict[str, str]]]) -> None:
    """Staff see one product that buyers do not; it could be sold at once (it has stock)."""
    assert {"yes", "no"} == {variants[0]["published"] for variants in products.values()}
    hidden = [handle for handle, variants in products.items() if variants[0]["published"] == "no"]
    assert ["dried-persimmon-yokan"] == hidden
    assert int(products[hidden[0]][0]["stock"]) > 0


def test_category_tree_is_whole(categories: list[dict[str, str]], rows: list[dict[str, str]]) -> None:
    """Every parent is listed before its children, positions count from 1, and every leaf has a product."""
    assert ["path", "title_en", "title_ja", "position"] == list(categories[0])
    paths = [category["path"] for category in categories]
    assert len(paths) == len(set(paths))
    seen: Counter[str] = Counter()
    for category in categories:
        parent, _, _ = category["path"].rpartition(">")
        assert parent == "" or paths.index(parent) < paths.index(category["path"]), category["path"]
        seen[parent] += 1
        assert str(seen[parent]) == category["position"], category["path"]
        assert category["title_en"], category["path"]
        assert category["title_ja"], category["path"]
    leaves = {path for path in paths if path not in seen}
    assert leaves == {row["category"] for row in rows}


def test_tea_week_takes_ten_percent_off_tea(
    promotions: dict[str, dict[str, Any]], categories: list[dict[str, str]]
) -> None:
    """An automatic promotion on a category that exists, priority 10, always open."""
    tea_week = promotions["tea-week"]
    assert ("automatic", 10) == (tea_week["kind"], tea_week["priority"])
    assert {"kind": "category", "category": "food>tea"} == tea_week["condition"]
    assert {"kind": "percent_off", "target": "line", "percent": "10"} == tea_week["action"]
    assert set() == {"starts_at", "ends_at", "limits"} & set(tea_week)
    assert tea_week["condition"]["category"] in {category["path"] for category in categories}


def test_welcome_coupon_has_a_minimum_and_limits(promotions: dict[str, dict[str, Any]]) -> None:
    """500 yen off the order from 3,000 yen of goods; 100 times in all, once per customer."""
    assert {"tea-week", "WELCOME"} == set(promotions)
    welcome = promotions["WELCOME"]
    assert "coupon" == welcome["kind"]
    assert {"kind": "goods_minimum", "amount": 3000, "currency": "JPY"} == welcome["condition"]
    assert {"kind": "amount_off", "target": "order", "amount": 500, "currency": "JPY"} == welcome["action"]
    assert {"total": 100, "per_customer": 1} == welcome["limits"]
    assert set() == {"starts_at", "ends_at"} & set(welcome)
    for promotion in promotions.values():
        assert promotion["title_en"], promotion["code"]
        assert promotion["title_ja"], promotion["code"]
