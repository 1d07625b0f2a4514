"""What the auditor knows of several attempts: each asks for what was due when it was begun."""

import datetime as dt
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from eckit.flows import audit_across
from eckit.order import Order, service as order
from eckit.payment import store
from tests.order.quotes import Wish, make_quote
from tests.payment.fakes import DECLINED, answer
from tests.payment.support import SYSTEM, Payments, make_payments, without_shipments

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def asked_wrongly(shop: Payments) -> Sequence[tuple[str, str]]:
    """The payments that asked for another amount than was due, and what is said of them."""
    [check] = [one for one in audit_across.CHECKS if one.invariant == "asked-is-due"]
    with shop.begin.read(SYSTEM) as work:
        return [(found.row, found.detail) for found in check.run(work.connection)]


def cancel_one(shop: Payments, placed: Order, number: int) -> None:
    with shop.begin.write(SYSTEM) as work:
        order.cancel_units(work, placed.id, [(placed.lines[number].id, 1)], reason="sold_out")


def test_a_later_attempt_asks_for_what_amendments_had_left(shop: Payments) -> None:
    """Less than at first, and exactly that: neither what was due before nor what became due afterwards."""
    placed = shop.place(make_quote([Wish(unit_minor=minor) for minor in (600, 300, 100)], shipping_minor=(0,)))
    shop.gateway.script["begin"].append(answer(DECLINED))
    shop.take(placed)
    shop.clock.advance(HOUR)
    cancel_one(shop, placed, 1)
    shop.clock.advance(HOUR)
    shop.take(placed)
    shop.clock.advance(HOUR)
    cancel_one(shop, placed, 2)
    first, second = shop.all(placed)
    assert (1_000, 700) == (first.amount_minor, second.amount_minor)
    assert [] == asked_wrongly(shop)

    for wrong in (1_000, 600, 701):
        with shop.begin.write(SYSTEM) as work:
            work.execute(sa.update(store.payment).where(store.payment.c.id == second.id).values(amount_minor=wrong))
        assert [(second.id, f"asks for {wrong}, due were 700")] == asked_wrongly(shop)


def test_what_was_amended_at_the_same_time_may_be_in_it_or_not(shop: Payments) -> None:
    """A clock does not tell which of two transactions was first."""
    placed = shop.place(make_quote([Wish(unit_minor=600), Wish(unit_minor=400)], shipping_minor=(0,)))
    cancel_one(shop, placed, 1)
    shop.take(placed)
    *_, attempt = shop.all(placed)
    for amount, found in ((600, []), (1_000, []), (500, [(attempt.id, "asks for 500, due were 600 or 1000")])):
        with shop.begin.write(SYSTEM) as work:
            work.execute(sa.update(store.payment).where(store.payment.c.id == attempt.id).values(amount_minor=amount))
        assert found == asked_wrongly(shop)
