"""Exporting: inert for spreadsheets, read back as it was, one state of the catalog."""

import csv
import importlib.resources
import io
import threading

import attrs
import pytest
import sqlalchemy as sa

from eckit.catalog import ImportRow, Price, service as catalog
from eckit.catalog.rules import checking, read_csv
from eckit.flows.import_products import import_products
from eckit.kernel.errors import NotAllowedError, NotFoundError
from eckit.kernel.text import Text
from tests.catalog.conftest import GUEST, STAFF, Shelves, new_product

DEMO = importlib.resources.files("eckit") / "demo_data"

HARD = [
    "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "＝1", "＋1", "－1", "＠x", "'=1", "''-2", "'plain",
    "a & b", "<b>", "x > y", 'say "hi"', "it's", "a;b", "back\\slash", "a|b", "tab\there", "two\nlines", "\tfirst",
    "\n=x", "😀 𠮷野家 👨‍👩‍👧", "髙 ① ～", " spaces ", "a,b",
]  # fmt: skip


def exported(shelves: Shelves, list_id: str = "retail") -> bytes:
    with shelves.begin.read(STAFF) as work:
        return b"".join(catalog.export_products(work, list_id=list_id))


def cells(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("text", HARD)
def test_hard_text_goes_out_inert_and_comes_back_as_it_was(shelves: Shelves, text: str) -> None:
    """ENC-08, INJ-07: In every text column; numbers stay numbers."""
    name = text.replace("\n", " ").replace("\t", " ")
    product, variant = shelves.publish("tea", 1000, title=Text.of(name), description=Text.of(text, ja=text))
    changed = attrs.evolve(variant, option=Text.of(name), sku=name.strip())  # type: ignore[arg-type]
    shelves.save((product, [changed]))
    data = exported(shelves)
    [row] = cells(data)
    for column in ("title_en", "description_en", "description_ja", "option_en", "sku"):
        assert not row[column].startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")), column
    assert "1000" == row["price_jpy"]
    [back], problems = read_csv(data)
    assert [] == problems
    assert (product.title, product.description, changed.option) == (back.title, back.description, back.option)
    assert checking.sku(name) == back.sku
    with shelves.begin.write(STAFF) as work:
        report = catalog.import_products(work, [back], list_id=shelves.retail.id)
    assert (0, 0, 0) == (report.products, report.variants, report.prices)


def test_demo_catalog_goes_out_as_it_came_in(shelves: Shelves) -> None:
    """Every column that the catalog keeps, in every row."""
    data = (DEMO / "products.csv").read_bytes()
    rows, _ = read_csv(data)
    with shelves.begin.write(STAFF) as work:
        catalog.import_products(work, rows, list_id=shelves.retail.id)
    back, problems = read_csv(exported(shelves))
    assert [] == problems
    without_stock = {attrs.evolve(row, line=0, stock=None) for row in rows}
    assert without_stock == {attrs.evolve(row, line=0) for row in back}
    assert 0 == import_products(shelves.begin, STAFF, exported(shelves)).products


def test_amounts_have_the_decimals_of_their_currency(shelves: Shelves) -> None:
    """Yen none, dinars three; no price is an empty cell."""
    _, variant = shelves.publish("tea", 1000)
    dinar = shelves.add_list("dinar", "BHD")
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, dinar.id, [Price(variant_id=variant.id, list_id=dinar.id, amount_minor=1050)])
    shelves.save(*((product, [variant]) for product, variant in [new_product("cup")]))
    assert ["1000", ""] == [row["price_jpy"] for row in cells(exported(shelves))]
    assert ["1.050", ""] == [row["price_bhd"] for row in cells(exported(shelves, "dinar"))]


def test_file_has_every_language_and_cost_currency_there_is(shelves: Shelves) -> None:
    """Nothing is left out because it is rare."""
    product, variant = new_product("tea", title=Text.of("Tea", zh_Hant="茶"))
    other = attrs.evolve(new_product("b")[1], product_id=product.id, cost_minor=250, cost_currency="EUR")
    shelves.save((product, [attrs.evolve(variant, cost_minor=300, cost_currency="JPY"), other]))
    rows = cells(exported(shelves))
    assert {("300", ""), ("", "2.50")} == {(row["cost_jpy"], row["cost_eur"]) for row in rows}
    assert {"茶"} == {row["title_zh-Hant"] for row in rows}


def test_export_is_one_state_however_long_it_takes(shelves: Shelves) -> None:
    """Each product once, in one order, although others are added and renamed meanwhile."""
    rows = [
        ImportRow(line=n, sku=f"S{n}", handle=f"p{n}", title=Text.of("Same"), price_minor=1, currency="JPY")  # type: ignore[arg-type]
        for n in range(1, 2501)
    ]
    with shelves.begin.write(STAFF) as work:
        catalog.import_products(work, rows, list_id=shelves.retail.id)

    def disturb() -> None:
        with shelves.begin.write(STAFF) as work:
            more = [attrs.evolve(row, line=row.line, title=Text.of("Renamed")) for row in rows]
            more += [attrs.evolve(rows[0], line=3000, sku="NEW", handle="new")]
            catalog.import_products(work, more, list_id=shelves.retail.id)

    thread = threading.Thread(target=disturb)
    parts = []
    with shelves.begin.read(STAFF) as work:
        export = catalog.export_products(work, list_id="retail")
        parts += [next(export), next(export)]
        thread.start()
        thread.join(60)
        parts += list(export)
    found = cells(b"".join(parts))
    assert [row.sku for row in rows] == [row["sku"] for row in found]
    assert {"Same"} == {row["title_en"] for row in found}
    with shelves.begin.read(STAFF) as work:
        assert 2501 == work.execute(sa.text("select count(*) from eckit_variant")).scalar_one()


def test_export_is_for_staff(shelves: Shelves) -> None:
    """It has costs and drafts in it."""
    with shelves.begin.read(GUEST) as work, pytest.raises(NotAllowedError):
        catalog.export_products(work, list_id="retail")
    with shelves.begin.read(STAFF) as work, pytest.raises(NotFoundError):
        catalog.export_products(work, list_id="none")
