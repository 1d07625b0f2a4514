"""Bytes of a file to text: UTF-8, UTF-16 and cp932 (what Japanese spreadsheets write), told apart strictly.

Never guessed, never replaced: a file either is one of these from its first to its last byte, or it is refused with
the position of the byte that is not.
"""

import codecs
import re
from typing import Final

from eckit.catalog.errors import UnreadableFileError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, ""),  # before UTF-16, whose mark it begins with; nothing writes tables in it
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# What Python's cp932 lets through although no Japanese text has it: C1 controls, the no-break space, four private ones.
_NOT_CP932: Final = re.compile("[\x80-\xa0\uf8f0-\uf8f3]")

_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")


def decoded(data: bytes) -> str:
    """The text of a file.

    :raises UnreadableFileError: with the position of the first byte that cannot be read.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _with_mark(data, mark, encoding)
    encoding = _utf16_without_mark(data)
    if encoding:
        return _with_mark(data, b"", encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        utf8_end = error.start
    return _cp932(data, utf8_end)


def _with_mark(data: bytes, mark: bytes, encoding: str) -> str:
    if not encoding:
        raise _unreadable(data, 0)
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise _unreadable(data, error.start + len(mark)) from error


def _utf16_without_mark(data: bytes) -> str:
    """UTF-16 by its zeros: commas, digits and line ends are every twentieth byte at least, all on one side."""
    enough = max(4, len(data) // 20)
    low, high = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or low + high < enough:
        return ""
    if low == 0:
        return "utf-16-le"
    return "utf-16-be" if high == 0 else ""


def _cp932(data: bytes, utf8_end: int) -> str:
    """The file as cp932; if it is not, the encoding that got further tells where it went wrong."""
    end = len(data)
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError as error:
        end = error.start
        text = data[:end].decode("cp932")
    found = _NOT_CP932.search(text)
    if found is not None:
        end = len(text[: found.start()].encode("cp932"))
    if end < len(data):
        raise _unreadable(data, max(utf8_end, end))
    if _is_western(text):
        raise _unreadable(data, utf8_end)
    return text


def _is_western(text: str) -> bool:
    """Whether half or more of what is not ASCII looks like Western text misread: an accent in the middle of a word.

    ``Köln`` becomes ``K``, a half-width katakana, ``ln``; in ``cafés`` the accent takes the ``s`` with it.
    """
    runs = list(_FOREIGN.finditer(text))
    return bool(runs) and 2 * sum(_is_accent(text, run) for run in runs) >= len(runs)


def _is_accent(text: str, run: re.Match[str]) -> bool:
    before, after = text[max(0, run.start() - 1) : run.start()], text[run.end() : run.end() + 1]
    encoded = run[0].encode("cp932")
    beside = encoded[1:2] if len(encoded) == 2 else after.encode("ascii")
    return len(run[0]) == 1 and encoded[0] >= 0xC0 and before.isalpha() and beside.isalpha()


def _unreadable(data: bytes, position: int) -> UnreadableFileError:
    return UnreadableFileError(position=position, byte=f"{data[position]:02X}" if position < len(data) else "")
