"""Known failures of placing orders, tried on a whole shop with a real provider."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from eckit import (
    Actor,
    EckitError,
    NotReadyError,
    OrderState,
    OutOfStockError,
    QuoteRef,
)
from eckit.cli.notices import NoticeServer
from tests.acceptance.trial import METHOD, OPTION, STAFF, Trial, filled, person


@pytest.fixture
def heard(trial: Trial) -> Iterator[NoticeServer]:
    """The trial's shop hears notices by HTTP."""
    with NoticeServer().serving() as server:
        server.shop = trial.shop
        trial.provider.notify(server.url)
        yield server
        trial.provider.wait_for_notices()
        trial.provider.notify(None)


def test_open_sessions_count_as_taken(trial: Trial) -> None:
    """STK-14: three in stock, twenty sessions before anybody paid: three orders, the others refused at the start."""
    trial.goods("RARE", 1000, 3)
    placed: list[Any] = []
    refused = 0
    for _ in range(20):
        try:
            placed.append(trial.order(("RARE", 1)))
        except OutOfStockError:
            refused += 1

    assert (3, 17) == (len(placed), refused)
    for buyer, order in placed:
        assert "authorized" == trial.pay(buyer, order).status.state.value
    assert [] == trial.audit()


def test_money_for_a_lapsed_session_is_given_back(trial: Trial) -> None:
    """STK-14, PAY-12: the challenge is passed after the order lapsed: money is given back, the stock is free."""
    tea = trial.goods("RARE", 1000, 1)
    buyer, order = trial.order(("RARE", 1))
    waiting = trial.pay(buyer, order, "tok_challenge")
    assert waiting.payment is not None
    trial.pass_time(dt.timedelta(hours=25))
    trial.shop.chase()
    trial.shop.lapse_orders()
    assert OrderState.CANCELED is trial.view(order.id).state
    assert (1, 0) == trial.level(tea)

    trial.provider.approve(waiting.payment.begin_reference)
    for _ in range(3):
        trial.pass_time(dt.timedelta(minutes=30))
        trial.shop.chase()

    authorized = [amount for kind, amount, _ in trial.ledger() if kind == "authorize"]
    voided = [amount for kind, amount, _ in trial.ledger() if kind == "void"]
    assert authorized == voided
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


@pytest.mark.parametrize("missing", ["address", "option", "payment", "buyer", "lines"])
def test_placement_lists_what_is_missing(trial: Trial, missing: str) -> None:
    """ORD-17: nothing can be skipped: placing lists each missing item, and reserves and charges nothing."""
    tea = trial.goods("TEA-50", 648, 5)
    cart = trial.shop.start_cart(Actor.guest(), "web", locale="ja")
    guest = Actor.guest(cart.token)
    with trial.shop.write(guest) as work:
        party = work.customer.add_party(person())
        if missing != "lines":
            work.cart.add(cart.id, "TEA-50", 1)
        if missing != "buyer":
            work.cart.set_buyer(cart.id, party)
        if missing != "address":
            work.cart.set_destination(cart.id, party)
        if missing != "option":
            work.cart.set_option(cart.id, OPTION)
        if missing != "payment":
            work.cart.set_method(cart.id, METHOD)
    quote = trial.shop.price_cart(guest, cart.id)

    with pytest.raises(NotReadyError) as caught:
        trial.shop.place_order(guest, cart.id, agreed=quote.ref)

    assert missing in {item.code for item in caught.value.open}
    assert (5, 0) == trial.level(tea)
    assert [] == trial.ledger()


@pytest.mark.parametrize("method", ["offline.cod", "sandbox.gone", "veritrans.card"])
def test_a_way_to_pay_that_is_not_offered_is_refused(trial: Trial, method: str) -> None:
    """ORD-17: methods of a plugin that is gone, disabled or of another shop cannot be chosen by a crafted request."""
    trial.goods("TEA-50", 648, 5)
    crafted = trial.cart(("TEA-50", 1), method=method)

    with pytest.raises(NotReadyError) as caught:
        crafted.placed()

    assert {"payment"} == {item.code for item in caught.value.open}


def test_a_product_withdrawn_after_the_summary_cannot_be_ordered(trial: Trial) -> None:
    """ORD-15: unpublished between summary and order: refused, nothing reserved; no silent difference."""
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    with trial.shop.write(STAFF) as work:
        work.catalog.unpublish(work.catalog.product("tea-50").id)

    with pytest.raises(EckitError):
        ready.placed()

    assert (5, 0) == trial.level(tea)


def test_a_product_withdrawn_after_payment_keeps_its_order(trial: Trial) -> None:
    """ORD-20: the order is a sealed record: with the money taken it goes on from what was agreed, catalog or not."""
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    trial.pay(buyer, order, "tok_challenge")
    with trial.shop.write(STAFF) as work:
        work.catalog.archive(work.catalog.product("tea-50").id)

    [reference] = {entry["reference"] for entry in trial.provider.requests("begin")}
    trial.provider.approve(reference)
    trial.shop.resume_payment(buyer, order.id, {})
    trial.shop.ship_order(STAFF, order.id, number="1")

    assert trial.view(order.id).confirmed_at is not None
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def test_return_and_notice_complete_one_order_once(trial: Trial, heard: NoticeServer) -> None:
    """ORD-03, ORD-14, PAY-16: browser return and notice at the same moment: one confirmation, both succeed."""
    trial.goods("TEA-50", 648, 50)
    for _ in range(5):
        buyer, order = trial.order(("TEA-50", 1))
        waiting = trial.pay(buyer, order, "tok_challenge")
        assert waiting.payment is not None
        trial.provider.script({"match": {"operation": "challenge"}, "do": "notice_delay(0.05)"})
        trial.provider.approve(waiting.payment.begin_reference)

        returned = trial.shop.resume_payment(buyer, order.id, {})
        assert trial.provider.wait_for_notices()
        trial.shop.apply_notices()

        assert "authorized" == returned.status.state.value
        with trial.shop.database.reading() as connection:
            confirmed = connection.exec_driver_sql(
                f"select count(*) from eckit_outbox where name = 'order.confirmed' and subject = 'order:{order.id}'"
            ).scalar_one()
        assert 1 == confirmed
    assert heard.received >= 5
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def test_a_late_notice_finds_its_cart_gone(trial: Trial, heard: NoticeServer) -> None:
    """ORD-13: the cart is gone when the payment's event arrives: it is recorded all the same, on the order."""
    trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    waiting = trial.pay(buyer, order, "tok_challenge")
    assert waiting.payment is not None
    with trial.shop.database.writing() as connection:
        connection.exec_driver_sql("delete from eckit_cart")

    trial.provider.approve(waiting.payment.begin_reference)
    assert trial.provider.wait_for_notices()
    trial.shop.apply_notices()

    assert heard.received >= 1
    assert trial.view(order.id).confirmed_at is not None


def test_facts_come_from_the_catalog_only(trial: Trial) -> None:
    """CRT-05: a client cannot send prices, names or flags: no verb takes them, and choices are text for people only."""
    trial.goods("TEA-50", 648, 5)
    cart = trial.shop.start_cart(Actor.guest(), "web", locale="ja")
    guest = Actor.guest(cart.token)
    with pytest.raises(TypeError):
        trial.shop.add_to_cart(guest, cart.id, "TEA-50", 1, price=1)  # type: ignore[call-arg]
    trial.shop.add_to_cart(guest, cart.id, "TEA-50", 1, choices={"price": "1", "tax": "0", "name": "<script>"})

    [line] = trial.shop.price_cart(guest, cart.id).lines

    assert (648, "商品 TEA-50") == (line.goods_minor, line.title.get("ja"))


def test_one_number_everywhere(trial: Trial) -> None:
    """MNY-06, MNY-14, MNY-16: quote, order, payment, provider and mail say the same total."""
    trial.goods("TEA-50", 335, 50, tax_class="reduced")
    trial.goods("BOWL", 3333, 50)
    trial.coupon("HELLO", 333)
    ready = filled(trial.shop, [("TEA-50", 3), ("BOWL", 1)], code="HELLO")
    buyer, order = ready.placed()
    result = trial.pay(buyer, order)
    assert result.payment is not None

    [(_, charged, _)] = trial.ledger()

    assert {ready.quote.total_minor} == {order.total_minor, result.payment.amount_minor, charged}
    assert ready.quote.total_minor == sum(line.total_minor for line in order.lines) + 600


def test_a_forged_agreement_is_refused(trial: Trial) -> None:
    """ORD-15: a digest the buyer made up is no agreement; the error carries the quote as it is."""
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    forged = QuoteRef(digest="0" * 64, priced_at=ready.quote.priced_at)

    with pytest.raises(EckitError) as caught:
        trial.shop.place_order(ready.buyer, ready.cart.id, agreed=forged)

    assert "quote-changed" == caught.value.code
