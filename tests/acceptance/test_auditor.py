"""The auditor names the table, row and invariant of each planted corruption, and finds nothing where none is."""

import contextlib
import re
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from eckit.flows.audit_shop import checks
from eckit.kernel.tables import metadata
from eckit_sandbox import SandboxProcess
from tests.acceptance.children import ROOT
from tests.acceptance.clauses import CLAUSES, LIST
from tests.acceptance.corruptions import CORRUPTIONS, Corruption
from tests.acceptance.lived import Lived, live
from tests.acceptance.stage import Bases


@pytest.fixture(scope="session")
def shops(
    bases: Bases, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Lived]]:
    """A shop that has lived, on each kind of database, for all these tests."""
    made: dict[str, Lived] = {}
    with contextlib.ExitStack() as stack:

        def of(kind: str) -> Lived:
            if kind not in made:
                folder = tmp_path_factory.mktemp(f"lived-{kind}")
                url = stack.enter_context(bases.copy(kind, folder))
                made[kind] = live(url, sandbox_process, folder)
                stack.callback(made[kind].close)
            return made[kind]

        yield of


@pytest.fixture
def lived(database: str, shops: Callable[[str], Lived]) -> Lived:
    """That shop."""
    return shops(database)


def test_nothing_is_found_in_an_honest_shop(lived: Lived) -> None:
    """Orders were shipped, sent in part, canceled, refunded, declined, lapsed; codes used; mails sent: all is well."""
    with lived.broken([]) as connection:
        assert [] == lived.found(connection)
        rows = {table.name: 0 for table in metadata.sorted_tables}
        for name in rows:
            rows[name] = connection.exec_driver_sql(f"select count(*) from {name}").scalar_one()
    empty = {name.removeprefix("eckit_") for name, count in rows.items() if not count}
    assert not empty & {table for corruption in CORRUPTIONS for table in corruption.tables}


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.what)
def test_each_corruption_is_named(lived: Lived, corruption: Corruption) -> None:
    """Planted alone, it is found under its invariant, in its table and row; nothing else is."""
    with lived.broken(corruption.tables) as connection:
        for statement in corruption.sql:
            plain = sa.text(lived.said(statement).replace(":", "\\:"))
            assert connection.execute(plain).rowcount >= 1, statement
        found = lived.found(connection)

    expected = [(invariant, table, lived.said(row)) for invariant, table, row in corruption.found]
    assert sorted(expected) == found


def test_every_clause_is_held_by_something_that_is_there() -> None:
    """Every clause of the list has its checks or its tests; each check and each test exists."""
    assert re.split(r" · |; ", " ".join(LIST.split())) == list(CLAUSES)
    for clause, holders in CLAUSES.items():
        assert holders, clause
        for test in (one for one in holders if "::" in one):
            file, _, name = test.partition("::")
            assert f"\ndef {name}(" in (ROOT / file).read_text(), test


def test_every_clause_that_data_can_violate_has_a_corruption(lived: Lived) -> None:
    """Each check a clause names is the auditor's, and some corruption is found by it."""
    begin = lived.trial.shop.begin
    known = {check.invariant for check in checks(begin.plugins, begin.settings)}
    planted = {invariant for corruption in CORRUPTIONS for invariant, _, _ in corruption.found}
    named = {holder for holders in CLAUSES.values() for holder in holders if "::" not in holder}
    assert named <= known
    assert named <= planted
    assert planted <= named


def test_there_is_no_credit_to_be_out_of_balance() -> None:
    """Credit has a room and no tables yet: what it promises is nothing's to break."""
    assert [] == [name for name in metadata.tables if "credit" in name and "credential" not in name]
