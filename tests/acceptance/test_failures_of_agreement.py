"""Known failures between the summary and the order: what was agreed, what is missing, what has changed meanwhile."""

import datetime as dt
import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import attrs
import pytest

import eckit_tax_table
from eckit import (
    Actor,
    Address,
    EckitError,
    NotReadyError,
    Objection,
    Order,
    Price,
    Promotion,
    QuoteChangedError,
    Rounding,
    RoundingPolicy,
    RuleRef,
    Text,
    Window,
    hookimpl,
    mint,
)
from eckit.cli.notices import NoticeServer
from eckit.kernel import faults
from eckit.kernel.events import Event
from tests.acceptance.fingerprint import fingerprint
from tests.acceptance.hearing import confirmations, count
from tests.acceptance.trial import STAFF, START, Filled, Trial, open_shop, person
from tests.cart.support import together

# -- twice ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.05, None], ids=["50 ms apart", "after the first has come to its end"])
def test_a_second_click_gets_the_first_ones_order(trial: Trial, pause: float | None) -> None:
    """ORD-01: the same cart confirmed again 50 ms later, or when the first is through, without a key: one order, one
    call of the provider, and both get the same order.
    """
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))

    def click(wait: float) -> str:
        time.sleep(wait)
        order = trial.shop.place_order(ready.buyer, ready.cart.id, agreed=ready.quote.ref)
        if order.token:  # who comes late gets a pointer only
            trial.pay(Actor.guest(ready.cart.token, order.token), order)
        return str(order.id)

    clicks = [functools.partial(click, 0), functools.partial(click, pause or 0)]
    found = [one() for one in clicks] if pause is None else together(*clicks)

    assert 1 == len(set(found)) == count(trial, "select count(*) from eckit_order")
    assert 1 == len(trial.provider.requests("begin"))
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]
    assert (5, 1) == trial.level(tea)


# -- what has changed -------------------------------------------------------------------------------------------------


def _reprice(amount: int) -> Callable[[Trial, Any], None]:
    def change(trial: Trial, work: Any) -> None:
        listed = next(one for one in work.catalog.price_lists() if one.code == "main")
        variant = work.catalog.variant_by_sku("TEA-50")
        work.catalog.set_prices(listed.id, [Price(variant_id=variant.id, list_id=listed.id, amount_minor=amount)])

    return change


def _end_promotion(trial: Trial, work: Any) -> None:
    work.promotion.save(_spring(active=False))


def _tax(trial: Trial, work: Any) -> None:
    eckit_tax_table.set_rate(
        work, country="JP", tax_class="standard", rate="0.2", valid_from=START - dt.timedelta(days=1), code="standard"
    )


def _round(trial: Trial, work: Any) -> None:
    market = next(iter(work.channel.setup().markets.values()))
    work.channel.save_market(attrs.evolve(market, rounding=RoundingPolicy(mode=Rounding.CEIL)))


CHANGES: Mapping[str, tuple[Callable[[Trial, Any], None], int]] = {
    "price 100 → 150": (_reprice(150), 45),
    "price 100 → 80": (_reprice(80), -18),
    "promotion ended": (_end_promotion, 10),
    "tax rate": (_tax, 0),
    "rounding": (_round, 0),
}
"""What is changed, and what that makes of the total. Prices include tax."""


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_since_the_summary_is_confirmed_anew(trial: Trial, what: str) -> None:
    """ORD-15, MNY-07: dearer, cheaper, no promotion any more, another tax rate or rounding: the order is refused with
    the new quote and nothing is reserved or charged; confirmed anew it is placed at just that.
    """
    change, difference = CHANGES[what]
    tea = trial.goods("TEA-50", 100, 5)
    with trial.shop.write(STAFF) as work:
        work.promotion.save(_spring())
    ready = trial.cart(("TEA-50", 1))
    assert 690 == ready.quote.total_minor
    with trial.shop.write(STAFF) as work:
        change(trial, work)

    with pytest.raises(QuoteChangedError) as caught:
        ready.placed()

    assert 690 + difference == caught.value.quote.total_minor
    assert ready.quote.digest != caught.value.quote.digest
    assert (5, 0) == trial.level(tea)
    assert () == trial.provider.ledger()
    buyer, order = attrs.evolve(ready, quote=caught.value.quote).placed()
    assert 690 + difference == order.total_minor == trial.pay(buyer, order).payment.amount_minor  # type: ignore[union-attr]
    assert [] == trial.audit()


_SPRING = mint("promotion")


def _spring(**more: Any) -> Promotion:
    return Promotion(
        id=_SPRING,
        code="SPRING",
        title=Text.of("Spring"),
        condition=RuleRef(code="sku", settings={"sku": "TEA-50"}),
        action=RuleRef(code="percent_off", settings={"percent": "10"}),
        **more,
    )


@pytest.mark.parametrize(("minutes", "agreed"), [(14, True), (16, False)])
def test_a_sale_that_ends_meanwhile_holds_within_the_freeze(trial: Trial, minutes: int, agreed: bool) -> None:
    """ORD-15: a promotion's time runs out between summary and order: within the market's freeze of 15 minutes the
    price that was shown holds; afterwards the order is refused with the new one.
    """
    trial.goods("TEA-50", 100, 5)
    with trial.shop.write(STAFF) as work:
        work.promotion.save(_spring(window=Window(end=START + dt.timedelta(minutes=1))))
    ready = trial.cart(("TEA-50", 1))
    trial.pass_time(dt.timedelta(minutes=minutes))

    if agreed:
        assert 690 == ready.placed()[1].total_minor
    else:
        with pytest.raises(QuoteChangedError) as caught:
            ready.placed()
        assert 700 == caught.value.quote.total_minor


# -- what is missing --------------------------------------------------------------------------------------------------

ITEMS = {"buyer", "address", "option", "payment"}


def _unready(trial: Trial, *given: str) -> Filled:
    """A cart with these of :data:`ITEMS` only."""
    cart = trial.shop.start_cart(Actor.guest(), "web", locale="ja")
    guest = Actor.guest(cart.token)
    with trial.shop.write(guest) as work:
        party = work.customer.add_party(person())
        work.cart.add(cart.id, "TEA-50", 1)
        if "buyer" in given:
            work.cart.set_buyer(cart.id, party)
        if "address" in given:
            work.cart.set_destination(cart.id, party)
    return Filled(shop=trial.shop, cart=cart, buyer=guest, quote=trial.shop.price_cart(guest, cart.id))


@pytest.mark.parametrize("given", [(), ("buyer",), ("buyer", "address")], ids=["nothing", "buyer", "buyer and address"])
def test_placement_lists_everything_that_is_missing(trial: Trial, given: tuple[str, ...]) -> None:
    """ORD-17: several steps skipped at once, with money due: each is listed, nothing is reserved or charged. Whether an
    option is missing can be said only when there is an address to deliver to.
    """
    trial.goods("TEA-50", 648, 5)
    ready = _unready(trial, *given)
    with trial.shop.database.reading() as connection:
        before = fingerprint(connection)
    with pytest.raises(NotReadyError) as caught:
        ready.placed()
    unknown = set() if "address" in given else {"option"}
    assert ITEMS - {*given} - unknown == {item.code for item in caught.value.open}
    with trial.shop.database.reading() as connection:
        assert before == fingerprint(connection)
    assert () == trial.provider.ledger()


@pytest.mark.parametrize("kind", ["goods", "digital"])
def test_an_address_abroad_leaves_the_country_open(trial: Trial, kind: str) -> None:
    """ORD-17: an address in a country the shop does not sell to, whose rates nobody knows: the cart is priced as at
    home and the country is missing, nothing is placed; with an address at home it can be ordered.
    """
    trial.goods("TEA-50", 648, 5, kind=kind)
    ready = trial.cart(("TEA-50", 1))
    abroad = attrs.evolve(person(), address=Address(country="US", postal_code="90210", city="Beverly Hills"))
    with trial.shop.write(ready.buyer) as work:
        work.cart.set_destination(ready.cart.id, work.customer.add_party(abroad))

    quote = trial.shop.price_cart(ready.buyer, ready.cart.id)
    assert ["country"] == [item.code for item in quote.open]
    assert {648} == {line.total_minor for line in quote.lines}
    assert {"JP"} == {charge.tax.jurisdiction for charge in quote.charges if charge.tax}
    with pytest.raises(NotReadyError):
        trial.shop.place_order(ready.buyer, ready.cart.id, agreed=quote.ref)
    assert 0 == count(trial, "select count(*) from eckit_order")

    with trial.shop.write(ready.buyer) as work:
        work.cart.set_destination(ready.cart.id, work.customer.add_party(person()))
    assert () == trial.shop.price_cart(ready.buyer, ready.cart.id).open


@attrs.define
class Choosy:
    """A plugin that says which way to pay is offered where."""

    closed: bool = False
    name: ClassVar[str] = "choosy"
    version: ClassVar[str] = "1"
    eckit_interface: ClassVar[Mapping[str, int]] = {"payment": 1}

    @hookimpl
    def check_payment_method(self, draft: Any, method: Any) -> Any:
        """Not here, when closed."""
        return (Objection(code="choosy:closed"),) if self.closed else ()


def test_a_way_to_pay_that_was_closed_meanwhile_is_refused(begun: Callable[..., Trial], provider: Any) -> None:
    """ORD-17: a method that a plugin keeps from this cart, as another channel's or a disabled one, was offered when the
    summary was shown: refused, nothing reserved.
    """
    choosy = Choosy()
    trial = begun(provider, plugins=[choosy])
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    choosy.closed = True

    with pytest.raises(EckitError) as caught:
        ready.placed()

    assert caught.value.code in {"not-ready", "quote-changed"}
    assert (5, 0) == trial.level(tea)
    assert () == trial.provider.ledger()


def test_the_way_to_pay_of_a_plugin_that_was_removed_is_refused(trial: Trial) -> None:
    """ORD-17: the plugin is taken out between summary and order: the method is missing, nothing reserved."""
    tea = trial.goods("TEA-50", 648, 5)
    ready = trial.cart(("TEA-50", 1))
    without = open_shop(attrs.evolve(trial.place, sandbox={}), clock=trial.clock)
    try:
        with pytest.raises(EckitError) as caught:
            without.place_order(ready.buyer, ready.cart.id, agreed=ready.quote.ref)
    finally:
        without.close()

    assert caught.value.code in {"not-ready", "quote-changed"}
    assert (5, 0) == trial.level(tea)


# -- what leaves the system -------------------------------------------------------------------------------------------


class Reader:
    """A plugin that looks an order up the moment it hears of it."""

    name = "reader"
    version = "1"
    eckit_interface: ClassVar[Mapping[str, int]] = {"order": 1}

    def __init__(self) -> None:
        self.found: list[Order] = []

    @hookimpl
    def order_placed(self, event: Event, shop: Any) -> None:
        """It is there."""
        with shop.read(STAFF) as work:
            self.found.append(work.order.get(event.subject.id).order)


def test_who_hears_of_an_order_finds_it(begun: Callable[..., Trial], provider: Any) -> None:
    """ORD-11: when placing breaks at its last statement nobody hears of it and no mail is written; when it is placed,
    whoever hears of it reads it at once.
    """
    reader = Reader()
    trial = begun(provider, plugins=[reader])
    trial.goods("TEA-50", 648, 5)
    broken, ready = trial.cart(("TEA-50", 1)), trial.cart(("TEA-50", 1))
    with (
        faults.armed({"place_order.after_outbox": faults.fail(OSError("disk gone"))}),
        pytest.raises(OSError, match="disk"),
    ):
        broken.placed()
    _tell(trial)
    assert [] == reader.found
    assert 0 == count(trial, "select count(*) from eckit_outbox where name = 'order.placed'")
    assert 0 == count(trial, "select count(*) from eckit_mail")

    buyer, order = ready.placed()
    trial.pay(buyer, order)
    _tell(trial)

    assert [order.id] == [one.id for one in reader.found]
    assert 0 < count(trial, "select count(*) from eckit_mail")


def _tell(trial: Trial) -> None:
    trial.shop.relay_events()
    trial.shop.send_mails()


# -- what happens after the money -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["unpublish", "archive"])
def test_goods_that_go_after_the_payment_began_are_still_owed(trial: Trial, heard: NoticeServer, gone: str) -> None:
    """ORD-20: unpublished or archived while the buyer is at the provider; only a notice tells of the money, no browser
    comes back: the order goes on from what was agreed.
    """
    tea = trial.goods("TEA-50", 648, 5)
    buyer, order = trial.order(("TEA-50", 1))
    waiting = trial.pay(buyer, order, "tok_challenge").payment
    assert waiting is not None
    with trial.shop.write(STAFF) as work:
        getattr(work.catalog, gone)(work.catalog.product("tea-50").id)

    trial.provider.approve(waiting.begin_reference)
    assert trial.provider.wait_for_notices()
    trial.shop.apply_notices()

    assert heard.received > 0
    assert 1 == confirmations(trial, order.id)
    trial.shop.ship_order(STAFF, order.id, number="1")
    assert (4, 0) == trial.level(tea)
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()
