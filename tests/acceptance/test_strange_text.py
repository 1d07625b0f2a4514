"""Full-width digits count as half width; text that a spreadsheet would run leaves the shop inert."""

import csv
import io
from typing import Any

import attrs
import pytest

from eckit import Party, Text
from tests.acceptance.trial import STAFF, Trial, person

HEADER = "handle,title_en,sku,price_jpy,tax_class,stock\n"
FORMULAS = ("=cmd|'/C calc'!A0", "+1", "-2+3", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM")


def _import(trial: Trial, rows: str) -> Any:
    return trial.shop.import_products(STAFF, (HEADER + rows).encode())


def _price(trial: Trial, sku: str) -> int:
    with trial.shop.read(STAFF) as work:
        listed = work.catalog.price_lists()[0]
        variant = work.catalog.variant_by_sku(sku)
        return work.catalog.prices_of(listed.id, [variant.id])[0].amount_minor


def _exported(trial: Trial) -> tuple[bytes, dict[str, dict[str, str]]]:
    """The file, and its rows by handle as a spreadsheet reads them."""
    with trial.shop.read(STAFF) as work:
        data = b"".join(work.catalog.export_products(list_id="main"))
    return data, {row["handle"]: row for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))}


def test_full_width_digits_in_a_file_count_as_half_width(trial: Trial) -> None:
    """ENC-07: price, stock and SKU of ``１，２３４``, ``５`` and ``ＴＥＡ－９`` are those of their half width."""
    _import(trial, "tea,Ｔｅａ,ＴＥＡ－９,１，２３４,standard,５\n")

    with trial.shop.read(STAFF) as work:
        variant = work.catalog.variant_by_sku("TEA-9")
        product = work.catalog.product("tea")
    assert 1234 == _price(trial, "TEA-9")
    assert (5, 0) == trial.level(variant.id)
    assert "Ｔｅａ" == product.title.get("en")  # a name is kept as it was given


@pytest.mark.parametrize("typed", ["ＴＥＡ－５０", "ＴＥＡ-50", " TEA-50 "])
def test_a_sku_in_full_width_is_the_same_goods(trial: Trial, typed: str) -> None:
    """ENC-07: width does not tell goods apart."""
    variant = trial.goods("TEA-50", 648, 50)
    cart = trial.cart((typed, 2))

    assert [variant] == [line.variant_id for line in cart.quote.lines]


def test_codes_postal_codes_and_phones_are_folded_and_names_are_not(trial: Trial) -> None:
    """ENC-07: a code typed in full width opens its promotion; a name stays letter for letter."""
    trial.goods("TEA-50", 648, 50)
    trial.coupon("TEN-1", 10)
    plain, typed = (trial.cart(("TEA-50", 1), code=code).quote.total for code in ("TEN-1", "ｔｅｎー１"))
    party = _party(trial, name="ＡＢＣ １２３", phones=("０３‐１２３４ー５６７８",), postal_code="〒１５０−０００２")

    assert plain == typed
    assert ("03-1234-5678",) == party.phones
    assert party.address is not None
    assert "150-0002" == party.address.postal_code
    assert "ＡＢＣ １２３" == party.name


def _party(trial: Trial, *, name: str, phones: tuple[str, ...], postal_code: str) -> Party:
    address = person().address
    assert address is not None
    given = attrs.evolve(person(name), phones=phones, address=attrs.evolve(address, postal_code=postal_code))
    with trial.shop.write(STAFF) as work:
        return work.customer.add_party(given)


def test_formulas_leave_as_text_and_come_back_as_they_were(trial: Trial) -> None:
    """INJ-07: each text cell that would be run gets an apostrophe; numbers stay numbers; reading back undoes it."""
    rows = [f'g{index},"{formula}","{formula} {index}",100,standard,1' for index, formula in enumerate(FORMULAS)]
    _import(trial, "\n".join(rows) + "\n")
    data, exported = _exported(trial)

    assert [f"'{formula}" for formula in FORMULAS] == [exported[f"g{i}"]["title_en"] for i in range(len(FORMULAS))]
    assert {"100"} == {row["price_jpy"] for row in exported.values()}
    assert [] == [cell for row in exported.values() for cell in row.values() if cell[:1] in set("=+-@＝＋－＠")]
    trial.shop.import_products(STAFF, data)
    with trial.shop.read(STAFF) as work:
        titles = [work.catalog.product(f"g{index}").title for index in range(len(FORMULAS))]
    assert [Text.of(formula) for formula in FORMULAS] == titles
    assert data == _exported(trial)[0]
