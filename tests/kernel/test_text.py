"""Text is kept as given, folded where it is declared, and made inert where it goes out."""

import csv
import io
import unicodedata

import attrs
import pytest
from hypothesis import given, strategies as st

from eckit.kernel.errors import InvalidInputError
from eckit.kernel.text import Text, clean, fold_code, fold_digits, fold_email, neutralize_cell, strip_controls

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


def refused(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    """Code and field of the only problem."""
    [problem] = error.value.problems
    return problem.code, problem.path


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["O'Brien & <Söhne>", "😀", "𠮷野家", "👨\u200d👩\u200d👧", "ＡＢＣ", "ﾊﾝｶｸ", "  x ", "髙﨑①㈱～"]
)
def test_names_are_kept_as_they_are(name: str) -> None:
    """ENC-03 and ENC-07: emoji, rare kanji and widths are nobody's business but the customer's."""
    assert name == clean(name, path="name", max_length=50)


def test_text_is_stored_in_nfc() -> None:
    """A decomposed ü and a composed one are the same text."""
    assert "Müller" == clean("Mu\u0308ller", path="name", max_length=6)
    assert "ü" == clean("u\u0308", path="name", max_length=1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\x00b", "control-character"),
        ("a\x1b[31m", "control-character"),
        ("a\x85b", "control-character"),
        ("A\r\nBcc: x@y", "control-character"),
        ("a\tb", "control-character"),
        ("a\u2028b", "control-character"),
        ("a\u2029b", "control-character"),
        ("a\ud800b", "control-character"),
        ("a\udfff", "control-character"),
        ("x" * 21, "too-long"),
        ("x" * 10_000_000, "too-long"),
    ],
)
def test_line_refuses_what_cannot_be_a_line(text: str, code: str) -> None:
    """INJ-13: NUL, controls, line breaks of any kind, unpaired surrogates, overlong; the error names the field."""
    with pytest.raises(InvalidInputError) as error:
        clean(text, path="address.line1", max_length=20)
    assert (code, "address.line1") == refused(error)


def test_several_lines_keep_breaks_and_tabs() -> None:
    """A note has lines; browsers send them with carriage returns."""
    assert "a\n\tb\nc\n" == clean("a\r\n\tb\rc\n", path="note", max_length=20, multiline=True)
    for text in ("a\x0bb", "a\x00", "a\x9b1m", "\ud83d"):
        with pytest.raises(InvalidInputError) as error:
            clean(text, path="note", max_length=20, multiline=True)
        assert ("control-character", "note") == refused(error)


def test_what_is_not_text_is_refused() -> None:
    """Bytes and numbers are not read as text."""
    for value in (b"tea", 5, None):
        with pytest.raises(InvalidInputError) as error:
            clean(value, path="name", max_length=20)  # type: ignore[arg-type]
        assert ("not-text", "name") == refused(error)


@given(ANY_TEXT, st.booleans())
def test_clean_text_is_clean(text: str, multiline: bool) -> None:
    """What passes can be encoded, is in NFC, and passes again unchanged."""
    try:
        cleaned = clean(text, path="x", max_length=40, multiline=multiline)
    except InvalidInputError:
        return
    assert cleaned == cleaned.encode().decode()
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == clean(cleaned, path="x", max_length=40, multiline=multiline)


# --- translatable text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("ja", "緑茶"),
        ("ja-JP", "緑茶"),
        ("ja_JP", "緑茶"),
        ("JA", "緑茶"),
        ("zh-Hant-TW", "綠茶"),
        ("zh", "Green tea"),
        ("fr", "Green tea"),
        ("", "Green tea"),
    ],
)
def test_text_is_got_in_the_nearest_language(locale: str, expected: str) -> None:
    """ja-JP, then ja, then English."""
    assert expected == Text.of("Green tea", ja="緑茶", zh_Hant="綠茶").get(locale)


def test_text_falls_back_to_what_there_is() -> None:
    """The given fallbacks first, then any; an empty text says nothing."""
    text = Text({"ja": "緑茶", "fr": "Thé vert"})
    assert "緑茶" == text.get("de", fallbacks=("ja",))
    assert "Thé vert" == text.get("de")
    assert "" == Text({}).get("de")
    assert not Text({})
    assert not Text.of("")
    assert text


def test_texts_are_values() -> None:
    """Equal and hashed by what they say, in NFC, whatever the order; frozen."""
    assert Text({"ja": "緑茶", "en": "Green tea"}) == Text.of("Green tea", ja="緑茶")
    assert 1 == len({Text.of("Mu\u0308ller"), Text.of("Müller")})
    assert "One\nTwo" == Text.of("One\r\nTwo").get("en")
    assert "Text({'en': 'a'})" == repr(Text.of("a"))
    assert {"en": "Green tea", "ja": "緑茶"} == Text.of("Green tea", ja="緑茶").as_dict()
    assert ("en", "zh-Hant") == Text.of("a", zh_Hant="b").locales()
    assert "Green tea" == str(Text.of("Green tea", ja="緑茶"))
    text = Text.of("a")
    assert text == attrs.evolve(text)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        text.translations = ()  # type: ignore[misc]


@pytest.mark.parametrize("locale", ["", "e", "english-", "../en", "en ", "日本", "1"])
def test_text_refuses_what_is_no_locale(locale: str) -> None:
    """A language is named by its code."""
    with pytest.raises(InvalidInputError) as error:
        Text({locale: "x"})
    assert ("not-a-locale", "text") == refused(error)


def test_text_refuses_what_cannot_be_stored() -> None:
    """As everywhere: the error names the language."""
    with pytest.raises(InvalidInputError) as error:
        Text.of("a", ja="\x00")
    assert ("control-character", "text[ja]") == refused(error)


# --- folding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "SAVE-10",
        "save-10",
        " save-10 ",
        "ＳＡＶＥ－１０",
        "ｓａｖｅ‐１０",
        "SAVE‑10",
        "SAVE–10",
        "SAVE−10",
        "SAVEー10",
        "ＳＡＶＥｰ１０",
    ],
)
def test_codes_are_compared_folded(typed: str) -> None:
    """ENC-07: width, case and hyphen look-alikes make no other code."""
    assert "SAVE-10" == fold_code(typed, "code")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("SAVE 10", "unexpected-character"),
        ("straße", "unexpected-character"),
        ("ıstanbul", "unexpected-character"),
        ("セール", "unexpected-character"),
        ("x²", "unexpected-character"),
        ("①", "unexpected-character"),
        ("a'b", "unexpected-character"),
        ("a\u200bb", "unexpected-character"),
        ("a\nb", "control-character"),
        ("x" * 65, "too-long"),
    ],
)
def test_codes_of_other_characters_are_refused(typed: str, code: str) -> None:
    """Nothing is dropped to make a code fit."""
    with pytest.raises(InvalidInputError) as error:
        fold_code(typed, "coupon")
    assert (code, "coupon") == refused(error)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("03-1234-5678", "03-1234-5678"),
        ("０３－１２３４－５６７８", "03-1234-5678"),
        ("０３‐１２３４ー５６７８", "03-1234-5678"),
        ("03−1234ｰ5678", "03-1234-5678"),
        ("＋８１　３（１２３４）５６７８", "+81 3(1234)5678"),
        ("٠١٢٣", "0123"),
    ],
)
def test_phone_numbers_are_half_width(typed: str, expected: str) -> None:
    """ENC-07: with ‐ － ー − all the same hyphen."""
    assert expected == fold_digits(typed, "phone")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("１５０−０００２", "150-0002"),
        ("〒150-0002", "150-0002"),
        ("〒　１５０ー０００２", "150-0002"),
        ("sw1a 1aa", "SW1A 1AA"),
    ],
)
def test_postal_codes_may_have_letters(typed: str, expected: str) -> None:
    """Japanese ones with their sign, British ones with their space."""
    assert expected == fold_digits(typed, "postal_code", letters=True)


@pytest.mark.parametrize(
    ("typed", "letters", "code"),
    [
        ("", False, "missing"),
        ("〒", True, "missing"),
        ("abc", False, "unexpected-character"),
        ("--", False, "unexpected-character"),
        ("-", True, "unexpected-character"),
        ("03²", False, "unexpected-character"),
        ("150-0002番", True, "unexpected-character"),
        ("03\r\n04", False, "control-character"),
        ("1" * 41, False, "too-long"),
    ],
)
def test_what_holds_no_number_is_refused(typed: str, letters: bool, code: str) -> None:
    """Neither words nor superscripts nor a lone hyphen."""
    with pytest.raises(InvalidInputError) as error:
        fold_digits(typed, "phone", letters=letters)
    assert (code, "phone") == refused(error)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("Taro.Yamada@Example.COM", "taro.yamada@example.com"),
        ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro@example.com"),
        ("taro@例え。jp", "taro@例え.jp"),
        ("taro@例え.jp", "taro@xn--r8jz45g.jp"),
        ("taro@MÜNCHEN.de", "taro@xn--mnchen-3ya.de"),
        ("mu\u0308ller@example.com", "müller@example.com"),
        ("İstanbul@example.com", "i\u0307stanbul@example.com"),
        ("STRASSE@example.com", "straße@example.com"),
        (" taro@example.com ", "taro@example.com"),
    ],
)
def test_one_mailbox_has_one_form(given: str, same: str) -> None:
    """ENC-10: case, width, NFD, international domains and the dotted capital I make one identity, a lasting one."""
    assert fold_email(given, "email") == fold_email(same, "email")
    assert fold_email(given, "email") == fold_email(fold_email(given, "email"), "email")


@pytest.mark.parametrize(
    "address", ["a..b.@docomo.ne.jp", "a+b@example.co.jp", "o'hara@example.com", "太郎@example.jp"]
)
def test_addresses_in_use_are_accepted(address: str) -> None:
    """Carriers have given out addresses with odd dots for decades, and local parts may be Japanese."""
    assert address == fold_email(address, "email")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "missing"),
        ("taro", "not-an-email"),
        ("@example.com", "not-an-email"),
        ("taro@", "not-an-email"),
        ("taro@localhost", "not-an-email"),
        ("taro@127.0.0.1", "not-an-email"),
        ("taro@example.com.1", "not-an-email"),
        ("taro@" + ".".join(["a" * 60] * 4) + ".example.com", "too-long"),
        ("t@" + ".".join(["あ" * 15] * 14) + ".com", "not-an-email"),
        ("taro@[127.0.0.1]", "not-an-email"),
        ("a@b@example.com", "not-an-email"),
        ('"a b"@example.com', "not-an-email"),
        ("a b@example.com", "not-an-email"),
        ("a\u200b@example.com", "not-an-email"),
        ("a\u202eb@example.com", "not-an-email"),
        ("taro@exa_mple.com", "not-an-email"),
        ("taro@-a.com", "not-an-email"),
        ("taro@a..com", "not-an-email"),
        ("taro@.com", "not-an-email"),
        ("taro@com.", "not-an-email"),
        ("taro@" + "あ" * 64 + ".jp", "not-an-email"),
        ("x" * 65 + "@example.com", "not-an-email"),
        ("taro@example.com\r\nBcc: x@y.com", "control-character"),
        ("taro\x00@example.com", "control-character"),
        ("x" * 300 + "@example.com", "too-long"),
        ("taro@" + "a" * 64 + ".com", "not-an-email"),
    ],
)
def test_what_is_no_address_is_refused(given: str, code: str) -> None:
    """INJ-13: and no line break or invisible character gets through."""
    with pytest.raises(InvalidInputError) as error:
        fold_email(given, "email")
    assert (code, "email") == refused(error)


@given(ANY_TEXT)
def test_folding_any_text_ends_in_a_form_or_an_error(text: str) -> None:
    """A form is ASCII where it must be, and folding it again changes nothing."""
    for fold in (fold_code, fold_digits, fold_email):
        try:
            folded = fold(text, "x")
        except InvalidInputError:
            continue
        assert folded == fold(folded, "x")


@given(st.emails())
def test_every_usual_address_has_a_form(address: str) -> None:
    """Whatever hypothesis takes for a mail address, in lower and upper case, is one mailbox."""
    assert fold_email(address, "email") == fold_email(address.upper(), "email")


# --- made inert ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x9b31mred", "red"),
        ("\x1b]swallow the rest", "swallow the rest"),
        ("abc\u202etxt.exe", "abctxt.exe"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\x00\x07\x08b\x7f\x9f", "ab"),
        ("a\r\nb\rc\u2028d\u2029e\x85f\x0bg", "a\nb\nc\nd\ne\nf\ng"),
        ("a\tb", "a\tb"),
        ("\ufeffa", "a"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("<script>&", "<script>&"),
        ("\ud800x", "x"),
    ],
)
def test_plain_text_has_no_controls(text: str, expected: str) -> None:
    """INJ-02: escapes, controls and bidi characters go, emoji and markup characters stay as text."""
    assert expected == strip_controls(text)


@given(ANY_TEXT)
def test_stripped_text_is_stripped(text: str) -> None:
    """Nothing forms anew from what is left, and it can be encoded."""
    stripped = strip_controls(text)
    assert stripped == strip_controls(stripped)
    assert "\x1b" not in stripped
    assert stripped == stripped.encode().decode()


@pytest.mark.parametrize(
    "text", ["=cmd|'/C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1", "＠x"]
)
def test_formulas_become_text(text: str) -> None:
    """INJ-07: a spreadsheet shows the cell and runs nothing."""
    assert f"'{text}" == neutralize_cell(text)
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([neutralize_cell(text)])
    assert written.getvalue().startswith("\"'")


@pytest.mark.parametrize("text", ["", "tea", "1", "a=b", "'=1", "緑茶"])
def test_other_cells_stay(text: str) -> None:
    """Only what starts like a formula is touched; doing it twice adds nothing."""
    assert text == neutralize_cell(text)
