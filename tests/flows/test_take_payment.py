"""Money is taken once, whatever happens on the way."""

import pytest

from tests.payment.support import Payments, make_payments, without_shipments


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def test_authorization_confirms_the_order(shop: Payments) -> None:
    """The first money secured confirms the order; it is authorized, not captured."""
    placed = shop.place()
    result = shop.take(placed)
    assert "authorized" == result.status.state.value
    assert shop.order(placed).confirmed_at is not None
    assert 1_000 == shop.ledger.total("authorize")
    assert [] == shop.audit()
