"""Text as it comes in and goes out: translatable texts, what is refused, what is folded, what is made inert.

Text is kept as it was given, in Unicode's NFC; only codes, digits and mail addresses are folded, each by its own
function, so that ``ＡＢＣ－１`` and ``abc-1`` are one code and a customer's name is never touched.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Self

import attrs

from eckit.kernel.errors import invalid

__all__ = [
    "Text",
    "clean",
    "fold_code",
    "fold_digits",
    "fold_email",
    "neutralize_cell",
    "strip_controls",
]

_MAX_TEXT: Final = 100_000

# --- what is refused -------------------------------------------------------------------------------------------------

# C0, DEL, C1, and halves of surrogate pairs, which no encoding can write. Single lines also refuse what ends a line.
_REFUSED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_REFUSED_IN_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean(text: str, *, path: str, max_length: int, multiline: bool = False) -> str:
    """The text in NFC, or an error that names the field. Nothing is stripped or cut: a name stays as it was given.

    :param max_length: in characters (code points), after NFC.
    :param multiline: line breaks and tabs are allowed; ``\\r\\n`` and ``\\r``, as browsers send them, become ``\\n``.
    :raises InvalidInputError: ``not-text``, ``too-long``, ``control-character`` (NUL, controls, unpaired surrogates,
        and in single lines also line breaks of any kind).
    """
    if not isinstance(text, str):
        raise invalid("not-text", path, type(text).__name__)
    if len(text) > 4 * max_length:  # before any work: NFC shortens by no more than this
        raise invalid("too-long", path, text, limit=max_length)
    if multiline:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = (_REFUSED if multiline else _REFUSED_IN_LINE).search(text)
    if found is not None:
        raise invalid("control-character", path, f"U+{ord(found[0]):04X}", limit=found.start())
    text = unicodedata.normalize("NFC", text)
    if len(text) > max_length:
        raise invalid("too-long", path, text, limit=max_length)
    return text


# --- translatable text -----------------------------------------------------------------------------------------------

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _locale_tag(locale: str, path: str) -> str:
    tag = str(locale).replace("_", "-")
    if not _LOCALE.fullmatch(tag):
        raise invalid("not-a-locale", path, locale)
    return tag


def _translations(texts: Mapping[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if not isinstance(texts, Mapping | tuple):
        raise invalid("not-text", "text", type(texts).__name__)
    pairs: dict[str, str] = {}
    for locale, text in dict(texts).items():
        tag = _locale_tag(locale, "text")
        pairs[tag] = clean(text, path=f"text[{tag}]", max_length=_MAX_TEXT, multiline=True)
    return tuple(sorted(pairs.items()))


@attrs.frozen(repr=False)
class Text:
    """A text in one or more languages; hashable, in NFC. ``Text.of("Green tea", ja="緑茶")``.

    :ivar translations: ``(locale, text)`` pairs in the order of the locales, written ``ja``, ``zh-Hant``.
    """

    translations: tuple[tuple[str, str], ...] = attrs.field(converter=_translations)

    @classmethod
    def of(cls, en: str | None = None, /, **others: str) -> Self:
        """A text from its English and, by locale, its others; ``zh_Hant=`` stands for ``zh-Hant``.

        :raises InvalidInputError: ``not-a-locale``, and as :func:`clean`.
        """
        return cls(others if en is None else {"en": en, **others})

    def get(self, locale: str, fallbacks: Sequence[str] = ("en",)) -> str:
        """The text for a locale: ``ja-JP``, else ``ja``, else the fallbacks in turn, else the first, else ``""``."""
        texts = {tag.lower(): text for tag, text in self.translations}
        for wanted in (locale, *fallbacks):
            for tag in _widening(wanted):
                if tag in texts:
                    return texts[tag]
        return self.translations[0][1] if self.translations else ""

    def as_dict(self) -> dict[str, str]:
        """Locale to text, as it is stored."""
        return dict(self.translations)

    def locales(self) -> tuple[str, ...]:
        """The locales there is a text for."""
        return tuple(tag for tag, _ in self.translations)

    def __bool__(self) -> bool:
        return any(text for _, text in self.translations)

    def __str__(self) -> str:
        return self.get("en")

    def __repr__(self) -> str:
        return f"Text({dict(self.translations)!r})"


def _widening(locale: str) -> Iterator[str]:
    parts = locale.replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


# --- folding ---------------------------------------------------------------------------------------------------------

# What people type for a hyphen, after NFKC: hyphens, dashes, the minus sign, box lines, the Japanese long vowel mark.
_HYPHENS: Final = dict.fromkeys(map(ord, "‐‑‒–—―−˗⁃ー─━"), "-")
_CODE: Final = re.compile(r"[A-Z0-9._-]+")
_PHONE: Final = re.compile(r"[0-9+(). /#*-]*[0-9][0-9+(). /#*-]*")
_POSTAL: Final = re.compile(r"[A-Z0-9 -]*[A-Z0-9][A-Z0-9 -]*")


def _half_width(text: str, path: str, max_length: int) -> str:
    """NFKC with one kind of hyphen and of space; ``²``, ``½`` and ``①`` are no digits here."""
    text = clean(text, path=path, max_length=max_length)
    for character in text:
        if unicodedata.category(character) == "No":
            raise invalid("unexpected-character", path, character)
    folded = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
    return " ".join(folded.split())


def fold_code(text: str, path: str, *, max_length: int = 64) -> str:
    """A code as it is compared: half width, upper case, one kind of hyphen. For coupon and gift card codes.

    :raises InvalidInputError: ``missing``, ``unexpected-character`` unless it is then ASCII letters, digits, ``-``,
        ``_`` and ``.`` only, and as :func:`clean`.
    """
    folded = _half_width(text, path, max_length)
    if not folded:
        raise invalid("missing", path, text)
    if not folded.isascii() or not _CODE.fullmatch(folded.upper()):  # ASCII first: "ß".upper() is "SS"
        raise invalid("unexpected-character", path, text, suggestion="A-Z 0-9 - _ .")
    return folded.upper()


def fold_digits(text: str, path: str, *, letters: bool = False, max_length: int = 40) -> str:
    """A phone number, or with ``letters`` a postal code, in half width with ASCII hyphens and single spaces.

    Full-width ``03‐1234ー5678`` becomes ``03-1234-5678``, and ``〒150−0002`` becomes ``150-0002``; hyphens are
    kept where they were. Decimal digits of other scripts become ASCII. With ``letters`` the text is upper-cased.

    :raises InvalidInputError: ``missing``, ``unexpected-character`` (no digit is one), and as :func:`clean`.
    """
    folded = _half_width(text, path, max_length)
    folded = "".join(str(unicodedata.decimal(character, character)) for character in folded)
    if letters:
        folded = folded.removeprefix("〒").strip().upper()
    if not folded:
        raise invalid("missing", path, text)
    if not folded.isascii() or not (_POSTAL if letters else _PHONE).fullmatch(folded):
        raise invalid("unexpected-character", path, text)
    return folded


# RFC 5322's atext with dots anywhere: Japanese mobile carriers have given out "a..b." for decades.
_LOCAL_ASCII: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def fold_email(text: str, path: str) -> str:
    """The normal form of a mail address, by which one mailbox is recognized; the given form is kept for writing to it.

    Half width, both parts case-folded, a domain in its ASCII form (``xn--…``). Computed here because databases
    disagree: SQLite lowers ASCII only. Two addresses that differ in the case of the local part count as one, though
    RFC 5321 allows two.

    :raises InvalidInputError: ``not-an-email``, ``missing``, and as :func:`clean`.
    """
    given = clean(text, path=path, max_length=254).strip()
    if not given:
        raise invalid("missing", path, text)
    local, at, domain = _case_folded(given).rpartition("@")
    if not at or not _is_local_part(local):
        raise invalid("not-an-email", path, text)
    return f"{local}@{_ascii_domain(domain, path, text)}"


def _case_folded(text: str) -> str:
    """Unicode's NFKC case folding, to the point where folding again changes nothing (``İ`` needs two rounds)."""
    for _ in range(4):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        if folded == text:
            break
        text = folded
    return text


def _is_local_part(local: str) -> bool:
    if not 1 <= len(local) <= 64:
        return False
    ascii_part = "".join(character if character.isascii() else "x" for character in local)
    if not _LOCAL_ASCII.fullmatch(ascii_part):
        return False
    # Invisible characters would make two addresses look the same.
    return all(unicodedata.category(character)[0] in "LMNPS" for character in local)


def _ascii_domain(domain: str, path: str, text: str) -> str:
    domain = domain.replace("。", ".")
    try:
        # One label at a time: the codec is quadratic in the length of what it is given.
        labels = [label if label.isascii() else label.encode("idna").decode("ascii") for label in domain.split(".")]
    except UnicodeError as error:
        raise invalid("not-an-email", path, text) from error
    well_formed = len(labels) >= 2 and all(_LABEL.fullmatch(label) for label in labels)
    if not well_formed or labels[-1].isdigit() or sum(map(len, labels)) + len(labels) > 254:
        raise invalid("not-an-email", path, text)
    return ".".join(labels)


# --- made inert ------------------------------------------------------------------------------------------------------

# Terminal escapes: CSI ("\x1b[31m"), OSC ("\x1b]0;title\x07") and the two-character ones.
_ESCAPES: Final = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f\n]*(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]"
)
# Controls; bidi marks, embeddings, overrides and isolates; the byte order mark; unpaired surrogates; no emoji's joiner.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_LINE_BREAKS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def strip_controls(text: str) -> str:
    """The text for a plain mail, a log or a terminal: without escapes, control and bidi characters. Emoji stay whole.

    Line breaks of every kind become ``\\n``; tabs stay.
    """
    return _INVISIBLE.sub("", _LINE_BREAKS.sub("\n", _ESCAPES.sub("", text)))


# The full-width forms work in spreadsheets set to Japanese.
_FORMULA_START: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def neutralize_cell(text: str) -> str:
    """The text for a text cell of a CSV or spreadsheet, so that no program takes it for a formula.

    What starts with ``= + - @``, a tab, NUL or a line break gets an apostrophe in front (OWASP ASVS 5.0, 1.2.10). For
    text cells only: a number is written as a number. The writer quotes.
    """
    return f"'{text}" if text.startswith(_FORMULA_START) else text
