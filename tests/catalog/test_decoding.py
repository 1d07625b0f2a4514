"""Bytes of a file to text: recognized strictly, or refused with the position of the byte that does not fit."""

import pytest

from eckit.catalog import UnreadableFileError
from eckit.catalog.rules.decoding import decoded

JAPANESE = "商品コード,商品名,価格\nA-1,髙橋さんの①番茶～ﾊﾝｶｸ,648\n"
ENGLISH = "sku,title,price\nTEA-50,Morning Sencha,6.48\n"


@pytest.mark.parametrize("text", [JAPANESE, ENGLISH], ids=["japanese", "english"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp932"])
def test_text_is_read_in_each_encoding_that_shops_use(text: str, encoding: str) -> None:
    """UTF-8 with and without mark, UTF-16 both ways with and without mark, and what Japanese spreadsheets write."""
    assert text == decoded(text.encode(encoding))


@pytest.mark.parametrize("text", ["😀 𠮷野家 👨‍👩‍👧", "ﾃｨｰｾｯﾄ,Lサイズ", "A型,B級"])
def test_rare_characters_survive(text: str) -> None:
    """Four-byte characters, half-width kana and Japanese beside Latin letters are no reason to doubt a file."""
    assert text == decoded(text.encode())


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"sku,title\nA,tea\xff\xfe\xfa", 15),
        ("sku,title\nA,緑茶".encode() + b"\xe7", 18),
        ("商品コード\n".encode("cp932") + b"\x85\x20", 11),
        ("sku,title,price\nA,Köln Bar,100\n".encode("cp1252"), 19),
        ("title\nCafé,1\n".encode("cp1252"), 9),
        (b"\xef\xbb\xbfsku\xff", 6),
        (b"\xff\xfes\x00k", 4),
        (b"\xff\xfe\x00\x00s\x00\x00\x00", 0),
        (b"title\ntea\xa0cup", 9),
    ],
    ids=[
        "junk",
        "cut short",
        "half a character",
        "latin in a word",
        "latin at an end",
        "marked",
        "utf-16",
        "utf-32",
        "nbsp",
    ],
)
def test_byte_that_does_not_fit_is_named(data: bytes, position: int) -> None:
    """A file is one of the encodings from its first to its last byte; nothing is replaced."""
    with pytest.raises(UnreadableFileError) as refused:
        decoded(data)
    assert position == refused.value.position
    assert str(position) in refused.value.text("en")
    assert str(position) in refused.value.text("ja")
