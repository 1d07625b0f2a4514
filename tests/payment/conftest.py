"""A shop's transactions for payments, on both databases, with a provider inside the process."""

import pytest

from tests.payment.support import Payments, make_payments, without_shipments


@pytest.fixture
def payments(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop with one gateway; its orders have no stock."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url)
