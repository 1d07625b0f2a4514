"""The sandbox gateway passes every check of the conformance kit, on both databases."""

import pytest

from eckit.testing.payments import PaymentConformance
from plugins.sandbox.tests.harness import SandboxHarness


class TestSandbox(PaymentConformance):
    """The first gateway that the kit was tried on."""

    harness = SandboxHarness

    @pytest.fixture
    def conformance_url(self, migrated_url: str) -> str:  # type: ignore[override]
        """SQLite and PostgreSQL."""
        return migrated_url
