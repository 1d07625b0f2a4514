"""Known failures of placing orders, tried on a whole shop with a real provider."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from eckit import (
    Actor,
    EckitError,
    NotReadyError,
    Order,
    OrderState,
    OutOfStockError,
    QuoteRef,
)
from eckit.cli.notices import NoticeServer
from tests.acceptance.hearing import approve_late, confirmations, count
from tests.acceptance.trial import METHOD, OPTION, STAFF, Trial, person
from tests.cart.support import raised, together


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
    """STK-14, PAY-12: the challenge is passed after the order lapsed, for the provider waits longer than the shop:
    though the goods are there, the money is given back, and the stock is free.
    """
    tea = trial.goods("RARE", 1000, 1)
    buyer, order = trial.order(("RARE", 1))
    waiting = trial.pay(buyer, order, "tok_challenge")
    assert waiting.payment is not None
    trial.clock.advance(dt.timedelta(hours=25))
    trial.shop.chase()
    trial.shop.lapse_orders()
    assert OrderState.CANCELED is trial.view(order.id).state
    assert (1, 0) == trial.level(tea)

    approve_late(trial, waiting.payment.begin_reference)
    trial.shop.chase()

    assert [("authorize", 1600), ("void", 1600)] == [(kind, amount) for kind, amount, _ in trial.ledger()]
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
    """ORD-17: a crafted request chooses a method that nobody registered, be its plugin known or not: refused, nothing
    reserved or charged. Methods that were offered and are not any more are in ``test_failures_of_agreement``.
    """
    tea = trial.goods("TEA-50", 648, 5)
    crafted = trial.cart(("TEA-50", 1), method=method)

    with pytest.raises(NotReadyError) as caught:
        crafted.placed()

    assert {"payment"} == {item.code for item in caught.value.open}
    assert (5, 0) == trial.level(tea)
    assert [] == trial.ledger()


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


@pytest.mark.parametrize("rounds", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_return_and_notice_complete_one_order_once(trial: Trial, heard: NoticeServer, rounds: int) -> None:
    """ORD-03, ORD-14: the buyer's return and the provider's notice, which knows of no session, at one moment, with
    three workers that apply it: all succeed with the same order; one confirmation, one entry in the history, one
    movement of money, one mail. Five rounds here, two hundred in the soak.
    """
    trial.goods("TEA-50", 648, rounds)
    for _ in range(rounds):
        buyer, order = trial.order(("TEA-50", 1))
        waiting = trial.pay(buyer, order, "tok_challenge").payment
        assert waiting is not None
        trial.provider.script(
            {"match": {"operation": "challenge", "payment": waiting.begin_reference}, "do": "notice_drop"}
        )
        trial.provider.approve(waiting.begin_reference)

        results = together(*_both_ways(trial, buyer, order, waiting.begin_reference))

        assert [] == raised(results)
        assert ("authorized", waiting.id) == results[0]
        trial.shop.apply_notices()
        assert 1 == confirmations(trial, order.id)
    assert rounds == count(trial, "select count(*) from eckit_history where verb = 'order.confirm'")
    trial.shop.relay_events()
    trial.shop.send_mails()
    assert rounds == count(trial, "select count(*) from eckit_mail where kind = 'order_confirmed'")
    assert heard.received >= rounds
    assert rounds == len(trial.ledger())
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def _both_ways(trial: Trial, buyer: Actor, order: Order, reference: str) -> list[Callable[[], Any]]:
    def back() -> Any:
        returned = trial.shop.resume_payment(buyer, order.id, {})
        return returned.status.state.value, returned.payment.id if returned.payment else None

    def told() -> Any:
        return trial.provider.deliver(payment=reference) and trial.shop.apply_notices()

    return [back, told, trial.shop.apply_notices, trial.shop.apply_notices]


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


def test_a_forged_agreement_is_refused(trial: Trial) -> None:
    """ORD-15: a digest the buyer made up is no agreement; the error carries the quote as it is."""
    trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    forged = QuoteRef(digest="0" * 64, priced_at=ready.quote.priced_at)

    with pytest.raises(EckitError) as caught:
        trial.shop.place_order(ready.buyer, ready.cart.id, agreed=forged)

    assert "quote-changed" == caught.value.code
