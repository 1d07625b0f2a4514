"""A shop's transactions for payments, on both databases, with a provider inside the process."""

import pytest

from tests.payment.support import Payments, make_payments


@pytest.fixture
def payments(migrated_url: str) -> Payments:
    """A shop with one gateway."""
    return make_payments(migrated_url)
