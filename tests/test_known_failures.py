"""Every known way in which shops have failed has a test here that names it, or a reason why it cannot have one yet."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
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

LATER: dict[tuple[str, str], str] = {
    ("STK-07", "cancel one shipment"): "orders are canceled as a whole; parts of one come with amendments by staff",
    ("PAY-12", "a shop's expiry before the provider's is refused"): "gateways do not declare how long they wait",
    ("MNY-12", "a gift card in another currency"): "there are no gift cards yet: of ``credit`` only the room is there",
    ("CRT-05", "an override signed by staff"): "no verb takes a price: staff offers come with orders made by staff",
    ("CON-01", "a rollback journal"): "every connection to SQLite is put into WAL before its first statement",
    ("PLG-03", "a tax engine that hangs; a declared offline table"): (
        "engines answer in this process, from facts read before: a late one is measured, and remote ones are not built"
    ),
    (
        "PLG-10",
        "a refund with a manual option",
    ): "it is refused by name; a refund that a person made is not recorded yet",
    (
        "ENC-03",
        "a carrier is given its own subset, with a warning",
    ): "no carrier takes names: labels are not bought yet",
    ("ENC-08", "XML and PDF"): "nothing writes them: documents are not built, exports are CSV",
    ("PRF-05", "a remote answer is kept by the digest of what was asked"): "no remote tax engine is built",
}
"""Fact and the part of it → what must be built before that part can be tried. The rest of each fact has its tests."""

PURE: dict[str, str] = {
    "MNY-08": "one tax from one gross amount: arithmetic on whole numbers and fractions",
    "INJ-04": "what a template may reach: templates are files and objects of plugins, never rows",
    "INJ-13": "what a name, a subject and a header may hold: refused or cleaned before anything is stored",
    "PLG-07": "two plugins with one code: the shop does not start, and no database is opened",
    "PLG-15": "one plugin twice: the same, before a database is opened",
    "SEC-03": "how secrets are shown, pickled and logged: they are in settings and never in a row",
    "SEC-09": "how tokens and signatures are made: that each is stored once is ORD-08",
}
"""Fact → why it has tests without a database only: there is nothing in it that two databases could do differently."""

DATABASES = {"database_url", "migrated_url", "bases", "database"}
"""Fixtures by which a test runs on both databases, itself or through others."""

_NAMED = re.compile(r"\b([A-Z]{3})-(\d{2})\b")
_MORE = re.compile(r"\b([A-Z]{3})-(\d{2})((?:\s*[/,]\s*\d{2}\b)+)")


@cache
def _functions() -> tuple[tuple[str, ast.FunctionDef], ...]:
    """Every function of the tests of the core and of the plugins that come with it, with its file."""
    folders = (ROOT / "tests", *sorted((ROOT / "plugins").glob("*/tests")))
    files = [file for folder in folders for file in sorted(folder.rglob("*.py")) if file != Path(__file__)]
    return tuple(
        (str(file.relative_to(ROOT)), node)
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


def _tests() -> Iterator[tuple[str, str, set[str]]]:
    """Name, docstring and fixtures of every test."""
    for file, node in _functions():
        if node.name.startswith("test_"):
            yield f"{file}::{node.name}", ast.get_docstring(node) or "", _arguments(node)


def _arguments(node: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}


def _on_databases() -> set[str]:
    """Names of the fixtures through which a test gets a database."""
    fixtures: defaultdict[str, set[str]] = defaultdict(set)
    for _, node in _functions():
        if any("fixture" in ast.unparse(one) for one in node.decorator_list):
            fixtures[node.name] |= _arguments(node)
    found = set(DATABASES)
    while more := {name for name, needs in fixtures.items() if needs & found} - found:
        found |= more
    return found


def _named(doc: str) -> set[str]:
    found = {f"{area}-{number}" for area, number in _NAMED.findall(doc)}
    for area, _, rest in _MORE.findall(doc):
        found |= {f"{area}-{number}" for number in re.findall(r"\d{2}", rest)}
    return found


def _by_fact() -> dict[str, list[set[str]]]:
    """Fact → the fixtures of each test that names it."""
    facts: defaultdict[str, list[set[str]]] = defaultdict(list)
    for _, doc, fixtures in _tests():
        for fact in _named(doc):
            facts[fact].append(fixtures)
    return facts


def test_every_known_failure_has_a_test_that_names_it() -> None:
    """The id of each fact stands in the docstring of a test; of what LATER speaks, the rest of the fact is tried."""
    tests = _by_fact()

    assert [] == [fact for fact in FACTS if fact not in tests]
    assert [] == [fact for fact, _ in LATER if fact not in FACTS]


def test_every_known_failure_is_tried_on_both_databases() -> None:
    """Unless it is a pure rule; PURE names those, with the reason, and no others."""
    tests, databases = _by_fact(), _on_databases()
    without = {fact for fact in FACTS if not any(fixtures & databases for fixtures in tests[fact])}

    assert "trial" in databases
    assert set(PURE) == without
