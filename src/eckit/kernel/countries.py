"""Which codes of countries there are: ISO 3166-1 alpha-2 as the CLDR lists them, with what is used besides, as XK."""

import functools
from typing import Final

from babel import Locale

from eckit.kernel.errors import invalid

STANDARD: Final = "ISO 3166-1 alpha-2"
_NOWHERE: Final = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes the CLDR lists beside countries: unions, the rest of Oceania, two for tests of texts, and the unknown."""


@functools.cache
def countries() -> frozenset[str]:
    """The code of every country and of every territory that addresses name like one."""
    # The CLDR's regions are three digits; English names every territory, also those nobody lives in.
    codes = map(str, Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2) - _NOWHERE


def expect_country(code: str, path: str) -> str:
    """The code, if it is a country's: two capital letters.

    :raises InvalidInputError: ``wrong-country``.
    """
    if code not in countries():
        raise invalid("wrong-country", path, code, limit=STANDARD)
    return code
