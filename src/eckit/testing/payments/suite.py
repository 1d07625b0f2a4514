"""The checks as pytest tests: one method per check, named and explained like it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from eckit.testing.payments.harness import Games, Harness, NotApplicable
from eckit.testing.payments.registry import Check, all_checks
from eckit.testing.payments.runner import Workshop


class PaymentConformance:
    """Base of a test class; a subclass names its harness, and pytest finds all checks in it::

        class TestAcme(PaymentConformance):
            harness = AcmeHarness

    Each check runs on an empty SQLite database; a subclass that has others overrides the fixture ``conformance_url``,
    which may be parametrized. A check that does not apply is skipped, with the reason.

    :cvar games: how C70 is played: a few games that are always the same, unless a subclass asks for more.
    """

    harness: ClassVar[type[Harness]]
    games: ClassVar[Games] = Games()

    @pytest.fixture(scope="class")
    @classmethod
    def workshop(cls) -> Iterator[Workshop]:
        """Provider and proxy, started once for all checks."""
        with Workshop(cls.harness(), cls.games) as workshop:
            yield workshop

    @pytest.fixture
    def conformance_url(self, tmp_path: Path) -> str | None:
        """An empty database with eckit's tables for one check; None: a SQLite file of the kit's own."""
        return None


def _test_of(check: Check) -> Callable[[PaymentConformance, Workshop, str | None], None]:
    def test(self: PaymentConformance, workshop: Workshop, conformance_url: str | None) -> None:
        try:
            workshop.run(check, conformance_url)
        except NotApplicable as reason:
            pytest.skip(str(reason))

    test.__name__ = f"test_{check.name}"
    test.__qualname__ = f"{PaymentConformance.__name__}.{test.__name__}"
    test.__doc__ = f"{check.id}: {check.rule}"
    return test


for _check in all_checks():
    setattr(PaymentConformance, f"test_{_check.name}", _test_of(_check))
