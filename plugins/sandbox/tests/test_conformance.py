"""The sandbox gateway passes every check of the conformance kit, on both databases."""

import pytest

from eckit.testing.payments import Games, PaymentConformance, Workshop, run_checks
from plugins.sandbox.tests.harness import SandboxHarness


class TestSandbox(PaymentConformance):
    """The first gateway that the kit was tried on."""

    harness = SandboxHarness

    @pytest.fixture
    def conformance_url(self, database: str, request: pytest.FixtureRequest) -> str | None:
        """PostgreSQL, and the kit's own SQLite."""
        url: str | None = request.getfixturevalue("migrated_url") if database == "postgres" else None
        return url


@pytest.mark.soak
def test_many_long_games_end_with_the_same_books() -> None:
    """C70 with games that nobody has played before, more of them and longer."""
    with Workshop(SandboxHarness(), Games(games=150, moves=30, fresh=True)) as workshop:
        outcome = run_checks(workshop.harness, only=["C70"], workshop=workshop)["C70"]
    assert outcome.verdict == "passed", outcome.why
