"""Recognizing card numbers, so that they can be refused before anything is kept."""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[0-9](?:[ .\-]?[0-9]){12,}")
_SEPARATOR = re.compile(r"[ .\-]")


def holds_card_number(text: str) -> bool:
    """Say whether ``text`` contains 13 to 19 digits that pass the Luhn check.

    Digits may be grouped by single blanks, dots or dashes and written in any script (full width, Arabic). Every
    stretch of whole groups is tried, so that digits standing beside the number do not hide it.
    """
    for run in _RUN.findall(_plain_digits(text)):
        groups = _SEPARATOR.split(run)
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > 19:
                    break
                if len(digits) >= 13 and _passes_luhn(digits):
                    return True
    return False


def _plain_digits(text: str) -> str:
    if text.isascii():
        return text
    return "".join(_plain_digit(char) for char in unicodedata.normalize("NFKC", text))


def _plain_digit(char: str) -> str:
    value = unicodedata.decimal(char, None)
    return char if value is None else str(value)


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
