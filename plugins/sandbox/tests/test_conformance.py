"""The sandbox gateway passes every check of the conformance kit, on both databases."""

import pytest

from eckit.testing.payments import PaymentConformance
from plugins.sandbox.tests.harness import SandboxHarness


class TestSandbox(PaymentConformance):
    """The first gateway that the kit was tried on."""

    harness = SandboxHarness

    @pytest.fixture
    def conformance_url(self, database: str, request: pytest.FixtureRequest) -> str | None:
        """PostgreSQL, and the kit's own SQLite."""
        url: str | None = request.getfixturevalue("migrated_url") if database == "postgres" else None
        return url
