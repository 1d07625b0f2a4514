"""The sandbox gateway passes every check of the conformance kit, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from eckit.testing.payments import Games, PaymentConformance, Workshop, all_checks, run_checks
from plugins.sandbox.tests.harness import SandboxHarness


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestSandbox(PaymentConformance):
    """The first gateway that the kit was tried on; on the kit's own SQLite."""

    harness = SandboxHarness

    @pytest.fixture
    def conformance_url(self, database: str) -> str | None:
        """None: the kit has its own."""
        return None


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
class TestSandboxOnPostgres(PaymentConformance):
    """The same on PostgreSQL; the slow checks in the soak."""

    harness = SandboxHarness

    @pytest.fixture
    def conformance_url(self, migrated_url: str) -> str | None:
        """A database of each check's own."""
        return migrated_url


def _in_the_soak(check: Callable[..., None]) -> Callable[..., None]:
    @pytest.mark.soak
    def later(self: Any, workshop: Workshop, conformance_url: str | None) -> None:
        check(self, workshop, conformance_url)

    later.__doc__ = check.__doc__
    return later


for _check in all_checks():
    if _check.slow:
        _name = f"test_{_check.name}"
        setattr(TestSandboxOnPostgres, _name, _in_the_soak(getattr(PaymentConformance, _name)))


@pytest.mark.soak
def test_many_long_games_end_with_the_same_books() -> None:
    """C70 with games that nobody has played before, more of them and longer."""
    with Workshop(SandboxHarness(), Games(games=150, moves=30, fresh=True)) as workshop:
        outcome = run_checks(workshop.harness, only=["C70"], workshop=workshop)["C70"]
    assert outcome.verdict == "passed", outcome.why
