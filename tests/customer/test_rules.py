"""What makes a party acceptable, and how an address is laid out: examples, without a database."""

import unicodedata
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from eckit.customer import Address, Customer, Party, rules
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import CustomerId
from eckit.kernel.minting import mint
from tests.customer.conftest import EMOJI, a_party


def _japan(**others: Any) -> Address:
    values: dict[str, Any] = {"country": "JP", "region": "東京都", "city": "渋谷区", "lines": ("渋谷1-2-3",)}
    return Address(**{**values, **others})


@pytest.mark.parametrize(
    "typed", ["150-0002", "1500002", "１５０－０００２", "〒150‐0002", "150ー0002", "150−0002", " 1500002 "]
)
def test_a_japanese_postal_code_has_one_form(typed: str) -> None:
    """ENC-07: full-width, without or with any hyphen look-alike: the same code."""
    assert "150-0002" == rules.accepted_address(_japan(postal_code=typed)).postal_code


@pytest.mark.parametrize("typed", ["03-1234-5678", "０３－１２３４－５６７８", "03‐1234ー5678", "03−1234−5678"])
def test_a_phone_number_has_one_form(typed: str) -> None:
    """ENC-07: as postal codes; the hyphens stay where they were typed."""
    assert ("03-1234-5678",) == rules.accepted(a_party(phones=(typed,))).phones


def test_names_are_left_as_they_are_written() -> None:
    """ENC-03, ENC-07: emoji, rare kanji and half-width kana are nobody's to change, only NFC."""
    party = a_party(name=EMOJI, kana="ﾊﾝｶｸ ｶﾅ", company="㈱ＡＢＣ", department="Ⅲ課")

    kept = rules.accepted(party)
    assert (EMOJI, "ﾊﾝｶｸ ｶﾅ", "㈱ＡＢＣ", "Ⅲ課") == (kept.name, kept.kana, kept.company, kept.department)
    assert "が" == rules.accepted(a_party(name=unicodedata.normalize("NFD", "が"))).name


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "x" * 201, "too-long"),
        ("name", "A\r\nBcc: x@y.example", "control-character"),
        ("email", "nobody", "not-an-email"),
        ("email", "a@b.example\nBcc: c@d.example", "control-character"),
        ("email_kind", "pigeon", "unknown-code"),
        ("phones", ("call me",), "unexpected-character"),
        ("phones", ("1",) * 6, "too-many"),
        ("purposes", ("Order!",), "wrong-code"),
        ("tax_ids", (("eu-vat", "x" * 41),), "too-long"),
        ("address", Address(country="Japan"), "wrong-country"),
        ("address", Address(country="XX"), "wrong-country"),
        ("address", Address(country="JP", postal_code="12"), "wrong-postal-code"),
        ("address", Address(country="JP", postal_code="１２３-４５６a"), "wrong-postal-code"),
        ("address", Address(country="JP", lines=("x",) * 7), "too-many"),
        ("address", Address(country="JP", lines=("x" * 201,)), "too-long"),
        ("address", Address(country="JP", region="\x1b[31m"), "control-character"),
    ],
)
def test_a_party_that_cannot_be_is_refused_by_field(field: str, value: Any, code: str) -> None:
    """INJ-13 and ENC-05: nothing is cut, and no control character gets in."""
    with pytest.raises(InvalidInputError) as caught:
        rules.accepted(attrs.evolve(a_party(), **{field: value}))

    [problem] = caught.value.problems
    assert code == problem.code
    assert problem.path.startswith("party.")


def test_a_party_needs_somebody() -> None:
    """A name, a company or an address to write to."""
    with pytest.raises(InvalidInputError):
        rules.accepted(Party(id=mint("party"), name="  "))  # type: ignore[arg-type]
    rules.accepted(Party(id=mint("party"), name="", company="茶器"))  # type: ignore[arg-type]


def test_a_japanese_address_goes_from_general_to_particular() -> None:
    """〒, prefecture with city and street, building, then the name with 様."""
    party = attrs.evolve(
        a_party(company="株式会社茶器", department="販売部"),
        address=_japan(postal_code="150-0002", lines=("渋谷1-2-3", "青山ビル 501")),
    )
    assert (
        "〒150-0002",
        "東京都渋谷区渋谷1-2-3",
        "青山ビル 501",
        "株式会社茶器",
        "販売部",
        "佐藤 葵 様",
    ) == rules.layout(party, locale="ja-JP")


def test_a_company_without_a_person_is_onchu() -> None:
    """御中 goes to the company, 様 to a person, never both."""
    party = a_party(name="", company="株式会社茶器", address=_japan(postal_code="150-0002"))
    assert ("〒150-0002", "東京都渋谷区渋谷1-2-3", "株式会社茶器 御中") == rules.layout(party, locale="ja")


def test_elsewhere_the_name_comes_first() -> None:
    """A label in Latin letters, and one abroad; without an address only who it is."""
    berlin = Address(country="DE", postal_code="10115", city="Berlin", lines=("Invalidenstr. 1",))
    party = a_party(name="Jo Roth", kana="", address=berlin)
    assert ("Jo Roth", "Invalidenstr. 1", "Berlin 10115") == rules.layout(party, locale="de")
    shibuya = attrs.evolve(party, address=_japan(region="Tokyo", city="Shibuya", postal_code="150-0002"))
    assert ("Jo Roth", "渋谷1-2-3", "Shibuya Tokyo 150-0002") == rules.layout(shibuya, locale="en")
    assert ("Jo Roth",) == rules.layout(attrs.evolve(party, address=None), locale="ja")


def test_an_erased_party_names_nobody() -> None:
    """Country, region and three signs of the postal code stay, for tax and statistics."""
    columns = rules.erased(a_party())
    kept = {name: value for name, value in columns.items() if value}
    assert {"email_kind": "none", "postal_code": "150"} == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [("kind", "Person!"), ("locale", "日本語"), ("locale", "j" * 30), ("groups", frozenset({"V I P"}))],
)
def test_a_customer_that_cannot_be_is_refused_by_field(field: str, value: Any) -> None:
    """Kind, language and groups are codes."""
    values: dict[str, Any] = {"id": CustomerId(mint("customer")), field: value}
    with pytest.raises(InvalidInputError):
        rules.accepted_customer(Customer(**values))


def test_a_password_is_compared_as_it_was_meant() -> None:
    """Keyboards write ``é`` in two ways; what no keyboard writes is no password."""
    composed, apart = (unicodedata.normalize(form, "café au lait") for form in ("NFC", "NFD"))
    assert composed == rules.accepted_password(apart) == rules.typed_password(apart)
    assert rules.typed_password("x" * 1001) is None
    assert rules.typed_password("\ud800" * 8) is None
    for wrong in ("short", "x" * 201, "\ud800" * 8, None):
        with pytest.raises(InvalidInputError) as caught:
            rules.accepted_password(wrong)
        assert "********" == caught.value.problems[0].value


@given(st.text(max_size=40), st.sampled_from(["JP", "US"]))
def test_an_address_is_accepted_or_refused_and_never_worse(text: str, country: str) -> None:
    """Whatever is typed: a normal form that is its own normal form, or an error that names the field."""
    address = Address(country=country, postal_code=text, region=text, lines=(text,))
    try:
        kept = rules.accepted_address(address)
    except InvalidInputError as error:
        kept, paths = None, [problem.path.partition(".")[0] for problem in error.problems]
    else:
        paths = ["address"]
    assert ["address"] == paths
    assert kept is None or kept == rules.accepted_address(kept)
