"""One purchase, from a cart to a delivered parcel, in every step as its buyer and its shop see it."""

from eckit import OrderState
from tests.acceptance.trial import STAFF, Trial


def test_a_card_order_from_cart_to_delivered(trial: Trial) -> None:
    """Placed, authorized, confirmed, shipped with its money taken, delivered, closed; the audit finds nothing."""
    tea = trial.goods("TEA-50", 648, 5, tax_class="reduced")
    bowl = trial.goods("BOWL", 3300, 2)
    buyer, order = trial.order(("TEA-50", 2), ("BOWL", 1))

    result = trial.pay(buyer, order)
    assert "authorized" == result.status.state.value
    assert trial.view(order.id).confirmed_at is not None
    assert ((5, 2), (2, 1)) == (trial.level(tea), trial.level(bowl))

    trial.shop.ship_order(STAFF, order.id, number="123456789012")
    assert ((3, 0), (1, 0)) == (trial.level(tea), trial.level(bowl))
    delivered = trial.shop.record_delivery(STAFF, order.id)

    assert OrderState.CLOSED is delivered.state
    assert [("authorize", 5196), ("capture", 5196)] == [(kind, amount) for kind, amount, _ in trial.movements()]
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def test_a_canceled_order_gives_everything_back(trial: Trial) -> None:
    """Stock, code and money come back, once."""
    tea = trial.goods("TEA-50", 648, 5, tax_class="reduced")
    trial.coupon("HELLO", 100, total=1)
    buyer, order = trial.order(("TEA-50", 2), code="HELLO")
    trial.pay(buyer, order)

    for _ in range(2):
        trial.shop.cancel_order(buyer, order.id, reason="changed_mind")

    assert (5, 0) == trial.level(tea)
    assert ["authorize", "void"] == [kind for kind, _, _ in trial.movements()]
    assert trial.ledger() == trial.movements()
    again, _ = trial.order(("TEA-50", 2), code="HELLO")
    assert again is not None
    assert [] == trial.audit()
