"""One name for each Japanese prefecture, however an address writes it."""

import csv
import functools
import importlib.resources
import unicodedata
from collections.abc import Mapping


def region_of(country: str, region: str) -> str:
    """The region as the tables name it: of a Japanese prefecture ``東京都``, whether the address says ``東京``,
    ``Tokyo``, ``Tōkyō-to`` or ``JP-13``; of other countries, and where it is no prefecture, as it was written.
    """
    if country != "JP" or not region:
        return region
    return _names().get(_folded(region), region)


def prefectures() -> tuple[str, ...]:
    """All 47, from north to south."""
    return tuple(row["name_ja"] for row in _rows())


def _folded(name: str) -> str:
    """Width, case, accents and what a name of a prefecture may end with are left out."""
    plain = unicodedata.normalize("NFKD", name).casefold().strip()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace(" ", "-")
    for ending in ("-ken", "-fu", "-to", "-prefecture"):
        plain = plain.removesuffix(ending)
    return plain


@functools.cache
def _names() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for row in _rows():
        name = row["name_ja"]
        short = name if name == "北海道" else name[:-1]
        for written in (name, short, row["name_en"], row["iso_3166_2"], row["jis_code"]):
            found[_folded(written)] = name
    return found


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    text = (importlib.resources.files("eckit_tablerate") / "data" / "prefectures.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
