"""One purchase, from a cart to a delivered parcel, in every step as its buyer and its shop see it."""

import datetime as dt

from eckit import Actor, Customer, OrderState, Touch, mint
from tests.acceptance.trial import STAFF, START, Trial, filled, person


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


def test_what_the_buyer_asked_for_is_sealed_with_the_order(trial: Trial) -> None:
    """Sender, day and slot of a group and the host's references are in the record; of a touch only its digest."""
    trial.goods("TEA-50", 648, 5, tax_class="reduced")
    ready = filled(trial.shop, [("TEA-50", 1)])
    with trial.shop.write(ready.buyer) as work:
        sender = work.customer.add_party(person("見本 一郎"))
        work.cart.set_sender(ready.cart.id, sender)
        work.cart.set_wanted(ready.cart.id, date=dt.date(2026, 4, 9), slot="14-16")
        work.cart.note_touch(ready.cart.id, Touch(at=START, visit_id="visit-of-hanako", campaign="spring"))
        work.cart.set_refs(ready.cart.id, {"session": "s-1"})
    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)
    order = trial.shop.place_order(ready.buyer, ready.cart.id, agreed=quote.ref)

    with trial.shop.read(STAFF) as work:
        record = work.order.get(order.id).placement
    (group,) = record.groups
    assert (sender.id, dt.date(2026, 4, 9), "14-16") == (group.sender, group.wanted_date, group.wanted_slot)
    assert {"session": "s-1"} == record.refs
    (touch,) = record.touches
    assert 64 == len(touch)
    assert "hanako" not in str(record.body)
    assert [] == trial.audit()


def test_an_erased_customer_leaves_no_trace_of_visits(trial: Trial) -> None:
    """Parties and account go, and the touches of every cart; the order and the digest it sealed stay as they are."""
    trial.goods("TEA-50", 648, 5, tax_class="reduced")
    known = Customer(id=mint("customer"), kind="person", locale="ja")
    with trial.shop.write(STAFF) as work:
        work.customer.save_customer(known)
    buyer = Actor.buyer(known.id)
    cart = trial.shop.start_cart(buyer, "web", locale="ja", customer=known.id)
    with trial.shop.write(buyer) as work:
        work.cart.note_touch(cart.id, Touch(at=START, visit_id="visit-of-hanako"))

    for _ in range(2):
        trial.shop.erase_customer(buyer, known.id)

    with trial.shop.database.reading() as connection:
        [body] = connection.exec_driver_sql("select body from eckit_cart").scalars()
    assert "visit-of-hanako" not in body
    assert [] == trial.audit()
