"""The auditor names the table, row and invariant of each planted corruption, and finds nothing where none is."""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import sqlalchemy as sa

from eckit.kernel.tables import metadata
from tests.acceptance.children import ROOT
from tests.acceptance.clauses import BY_TESTS, BY_TESTS_TOO, LIST, OF_THE_HOUSE
from tests.acceptance.corruptions import CORRUPTIONS, Corruption
from tests.acceptance.lived import Lived, live
from tests.databases import Server

CLAUSES: Final = re.split(r" · |; ", " ".join(LIST.split()))
FOR_EACH_TABLE: Final = "no-card-number-or-secret"


@pytest.fixture(scope="session")
def shops(database_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lived]]:
    """The demo's shop, on each kind of database, for all these tests."""
    made: dict[str, Lived] = {}
    with contextlib.ExitStack() as stack:

        def of(kind: str) -> Lived:
            if kind not in made:
                folder = tmp_path_factory.mktemp(f"lived-{kind}")
                url = f"sqlite:///{folder / 'shop.sqlite'}"
                if kind == "postgres":
                    url = stack.enter_context(database_server.new_database())
                made[kind] = stack.enter_context(live(url, folder))
            return made[kind]

        yield of


@pytest.fixture
def lived(database: str, shops: Callable[[str], Lived]) -> Lived:
    """That shop."""
    return shops(database)


def clauses_of(lived: Lived, invariant: str, table: str) -> list[str]:
    """What a check promises."""
    wanted = (invariant, f"eckit_{table}")
    return [
        part for check in lived.checks if (check.invariant, check.table) == wanted for part in check.clause.split("; ")
    ]


def test_nothing_is_found_in_an_honest_shop(lived: Lived) -> None:
    """The demo, and orders that were sent in part, refunded, lapsed; goods sold twice; codes used: all is well."""
    with lived.broken([]) as connection:
        assert [] == lived.found(connection)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.what)
def test_each_corruption_is_named(lived: Lived, corruption: Corruption) -> None:
    """Planted alone, it is found under its invariant, in its table and row; nothing else is."""
    with lived.broken(corruption.tables) as connection:
        expected = [(name, table, lived.row(connection, row)) for name, table, row in corruption.found]
        for statement in corruption.sql:
            plain = sa.text(lived.said(statement).replace(":", "\\:"))
            assert connection.execute(plain).rowcount >= 1, statement
        found = lived.found(connection)

    assert sorted(expected) == found
    invariant, table, _ = corruption.found[0]
    assert corruption.clause in clauses_of(lived, invariant, table)


def test_every_clause_that_data_can_violate_has_a_check_and_a_corruption(lived: Lived) -> None:
    """The auditor has a check that says so in the clause's own words, and each clause it has is violated here."""
    checked = {part for check in lived.checks for part in check.clause.split("; ")}
    planted = {corruption.clause for corruption in CORRUPTIONS}
    assert {*CLAUSES, *OF_THE_HOUSE} - set(BY_TESTS) == checked
    assert checked == planted


def test_every_invariant_of_the_auditor_has_a_corruption_of_its_own(lived: Lived) -> None:
    """No check that cannot fail: each is what some corruption is about."""
    planted = {corruption.found[0][:2] for corruption in CORRUPTIONS}
    declared = {(check.invariant, check.table.removeprefix("eckit_")) for check in lived.checks}
    assert {one for one in planted if one[0] != FOR_EACH_TABLE} == {one for one in declared if one[0] != FOR_EACH_TABLE}
    assert FOR_EACH_TABLE in {invariant for invariant, _ in planted}


def test_every_clause_that_data_cannot_violate_has_its_tests() -> None:
    """Each of them is one of the list, and each test is there."""
    for clause, tests in [*BY_TESTS.items(), *BY_TESTS_TOO.items()]:
        assert clause in CLAUSES
        for test in tests:
            file, _, name = test.partition("::")
            assert f"\ndef {name}(" in (ROOT / file).read_text(), test


def test_there_is_no_credit_to_be_out_of_balance() -> None:
    """Credit has a room and no tables yet: what it promises is nothing's to break."""
    assert [] == [name for name in metadata.tables if "credit" in name and "credential" not in name]
