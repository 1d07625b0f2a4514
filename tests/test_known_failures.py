"""Every known way in which shops have failed has a test here that names it, or a reason why it cannot have one yet."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _ids(prefix: str, *numbers: int) -> list[str]:
    return [f"{prefix}-{number:02d}" for number in numbers]


FACTS = (
    _ids("STK", 1, 3, 5, 7, 8, 10, 12, 13, 14, 16, 17)
    + _ids("ORD", 1, 3, 5, 7, 8, 9, 11, 13, 14, 15, 17, 20)
    + _ids("PAY", 1, 2, 4, 6, 7, 10, 12, 13, 14, 16, 18, 20, 21, 23, 25)
    + _ids("MNY", 1, 3, 4, 6, 7, 8, 9, 12, 14, 16, 19)
    + _ids("CRT", 1, 3, 5, 7, 8, 9, 10, 12)
    + _ids("CON", 1, 2, 3, 5, 7, 8, 9, 12)
    + _ids("PLG", 1, 3, 5, 7, 9, 10, 11, 15)
    + _ids("TIM", 1, 3)
    + _ids("QUE", 1, 3, 5, 7)
    + _ids("ACC", 1, 4, 5, 6, 9, 15)
    + _ids("INJ", 1, 2, 4, 7, 13, 16)
    + _ids("SEC", 1, 3, 8, 9)
    + _ids("ENC", 3, 7, 8, 10, 12)
    + _ids("PRF", 1, 3, 5)
    + _ids("MIG", 4)
)
"""The facts this version withstands."""

LATER: dict[str, str] = {
    "PAY-18": "there is no replica to read from: one engine reads and writes, until readers on standbys are built",
}
"""Fact → why it cannot be built before something else is."""

_NAMED = re.compile(r"\b([A-Z]{3})-(\d{2})\b")
_MORE = re.compile(r"\b([A-Z]{3})-(\d{2})((?:\s*[/,]\s*\d{2}\b)+)")


def _tests() -> Iterator[tuple[str, str]]:
    """Name and docstring of every test of the core and of the plugins that come with it."""
    for folder in (ROOT / "tests", *sorted((ROOT / "plugins").glob("*/tests"))):
        for file in sorted(folder.rglob("test_*.py")):
            if file.name == Path(__file__).name:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    yield f"{file.relative_to(ROOT)}::{node.name}", ast.get_docstring(node) or ""


def _named(doc: str) -> set[str]:
    found = {f"{area}-{number}" for area, number in _NAMED.findall(doc)}
    for area, _, rest in _MORE.findall(doc):
        found |= {f"{area}-{number}" for number in re.findall(r"\d{2}", rest)}
    return found


def test_every_known_failure_has_a_test_that_names_it() -> None:
    """The id of each fact stands in the docstring of a test; what stands in LATER says why not."""
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for name, doc in _tests():
        for fact in _named(doc):
            tests[fact].append(name)

    assert [] == [fact for fact in FACTS if fact not in tests and fact not in LATER]
    assert [] == [fact for fact in LATER if fact not in FACTS or fact in tests]
