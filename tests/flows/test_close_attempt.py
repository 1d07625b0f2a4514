"""An attempt is closed a moment after its money came: both books say the same, and no order counts without money."""

from collections.abc import Callable
from typing import Any

import pytest

from eckit.kernel.errors import Problem
from eckit.order import Order, OrderBlockedError, rules as order_rules
from eckit.payment.model import Rejected
from tests.flows.partly import HOUR
from tests.payment.fakes import DECLINED, FakeGateway, Script, answer, fail_before, redirect
from tests.payment.support import Payments, make_payments, without_shipments


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Payments:
    """A shop whose gateway can do everything."""
    without_shipments(monkeypatch)
    return make_payments(migrated_url)


def _paid_meanwhile(shop: Payments) -> Order:
    """The buyer stands at the provider's page, and has just paid there; nobody has told us."""
    placed = shop.place()
    shop.gateway.script["begin"].append(answer(redirect))
    shop.take(placed)
    shop.gateway.book_begin(shop.gateway.seen[0])
    return placed


def _books(shop: Payments, placed: Order) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    one = shop.one(placed)
    theirs = [(entry.kind, entry.minor) for entry in shop.ledger.entries[one.begin_reference]]
    return sorted(theirs), sorted((row.kind, row.amount_minor) for row in one.movements)


def _told_first(shop: Payments, reference: str) -> Script:
    """The provider's notice is applied before its answer is."""

    def script(gateway: FakeGateway, io: Any, op: Any, usual: Callable[[], Any]) -> Any:
        shop.tell(gateway.notice(gateway.snapshot(reference, gateway.ledger.entries[reference])))
        return usual()

    return script


BOTH = [("authorize", 1_000), ("void", 1_000)]


def test_what_a_closing_released_is_booked(shop: Payments) -> None:
    """No notice ever comes, and yet both books say the same; the order does not count."""
    placed = _paid_meanwhile(shop)
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    assert shop.order(placed).confirmed_at is None
    assert [] == shop.audit()


@pytest.mark.parametrize("backwards", [False, True])
def test_notices_after_a_closing_change_nothing(shop: Payments, backwards: bool) -> None:
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference
    authorized = shop.gateway.notice(shop.gateway.view(reference), "evt-1")
    shop.void(shop.one(placed))
    voided = shop.gateway.notice(shop.gateway.view(reference), "evt-2")
    for raw in (voided, authorized) if backwards else (authorized, voided):
        shop.tell(raw)
    assert (BOTH, BOTH) == _books(shop, placed)
    assert shop.order(placed).confirmed_at is None


def test_a_notice_that_overtakes_a_closing_is_met(shop: Payments) -> None:
    """The money's notice is applied while the provider closes: the order counted, and its goods stay."""
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference

    shop.gateway.script["void"].append(_told_first(shop, reference))
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    with pytest.raises(OrderBlockedError, match="funds"):
        order_rules.require_unblocked(shop.order(placed), shop.clock.now())


def test_a_closing_that_cannot_be_seen_yet_is_looked_up_later(shop: Payments) -> None:
    placed = _paid_meanwhile(shop)

    shop.gateway.script["query"].append(fail_before)
    shop.void(shop.one(placed))
    assert ["begin in_doubt"] == shop.states(placed)
    shop.chase_for(HOUR)
    assert (BOTH, BOTH) == _books(shop, placed)


def test_a_closing_that_is_seen_too_early_is_booked_by_its_answer(shop: Payments) -> None:
    """The provider's view is a moment old and shows the money only: the void is known from its answer."""
    placed = _paid_meanwhile(shop)
    shop.gateway.script["query"].append(answer(shop.gateway.view(shop.one(placed).begin_reference)))
    shop.void(shop.one(placed))
    shop.chase_for(HOUR)
    assert (BOTH, BOTH) == _books(shop, placed)
    with pytest.raises(OrderBlockedError, match="funds"):
        order_rules.require_unblocked(shop.order(placed), shop.clock.now())
    assert [] == shop.audit()


def test_a_notice_that_overtakes_a_closing_that_cannot_be_seen(shop: Payments) -> None:
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference

    shop.gateway.script["void"].append(_told_first(shop, reference))
    shop.gateway.script["query"].append(fail_before)
    shop.void(shop.one(placed))
    assert (BOTH, BOTH) == _books(shop, placed)
    shop.tell(shop.gateway.notice(shop.gateway.view(reference), "evt-later"))
    assert (BOTH, BOTH) == _books(shop, placed)


def test_a_buyer_whose_return_is_refused_may_still_have_paid(shop: Payments) -> None:
    """The question of the buyer's return is called malformed: that is no decline, and there is no second charge."""
    placed = _paid_meanwhile(shop)
    shop.gateway.script["resume"].append(answer(Rejected(problems=(Problem(path="token", code="unknown"),))))
    shop.resume(placed)
    assert ["begin waiting_buyer"] == shop.states(placed)
    shop.take(placed)
    assert 1_000 == shop.ledger.total("authorize")
    shop.chase_for(HOUR)
    assert ["begin succeeded"] == shop.states(placed)


def test_a_notice_that_overtakes_a_closing_that_is_refused(shop: Payments) -> None:
    """The money's notice is applied while the provider answers that it cannot close what is paid: nothing is open."""
    placed = _paid_meanwhile(shop)
    reference = shop.one(placed).begin_reference

    def script(gateway: FakeGateway, io: Any, op: Any, usual: Callable[[], Any]) -> Any:
        io.about_to_send()
        shop.tell(gateway.notice(gateway.snapshot(reference, gateway.ledger.entries[reference])))
        return DECLINED

    shop.gateway.script["void"].append(script)
    shop.void(shop.one(placed))
    assert [] == shop.audit()
    assert ["begin succeeded"] == shop.states(placed)
    assert shop.order(placed).confirmed_at is not None
