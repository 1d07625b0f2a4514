"""Known failures of stock, tried on a whole shop: what is promised, given back and counted, by whatever way."""

import collections
import datetime as dt
import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from statistics import quantiles
from typing import Any, ClassVar

import attrs
import pytest

from eckit import Actor, OutOfStockError, PluginError, Ref, hookimpl, mint
from eckit.shop import Shop
from eckit_tax_table import TaxTable
from tests.acceptance.hearing import approve_late, count
from tests.acceptance.rush import buy, carts, run
from tests.acceptance.trial import STAFF, Filled, Trial, person
from tests.cart.support import together

soak = pytest.mark.soak


# -- many at once -----------------------------------------------------------------------------------------------------


def test_the_losers_of_the_last_unit_keep_their_carts(trial: Trial) -> None:
    """STK-01: one in stock, eight buyers at a barrier: one order; the others learn that it is sold out, nothing is
    charged to them, and their carts are what they were.
    """
    bowl = trial.goods("BOWL", 3300, 1)
    ready = [trial.cart(("BOWL", 1)) for _ in range(8)]

    results = together(*(functools.partial(_bought, trial, one) for one in ready))

    [winner] = [place for place, result in enumerate(results) if not isinstance(result, Exception)]
    losers = [result for result in results if isinstance(result, Exception)]
    assert [("BOWL", 1, 0)] * 7 == [
        (item.sku, item.wanted, item.available)
        for error in losers
        for item in error.items  # type: ignore[attr-defined]
    ]
    assert {OutOfStockError} == {type(error) for error in losers}
    for place, one in enumerate(ready):
        if place != winner:
            with trial.shop.read(one.buyer) as work:
                assert one.cart.id == work.cart.get(one.cart.id).id
                assert one.quote.cart_version == work.cart.get(one.cart.id).version
    assert (1, 1) == trial.level(bowl)
    assert ["authorize"] == [kind for kind, _, _ in trial.ledger()]
    assert 1 == len(trial.provider.requests("begin"))
    assert [] == trial.audit()


def _bought(trial: Trial, one: Filled) -> str:
    buyer, order = one.placed()
    trial.pay(buyer, order)
    return str(order.id)


@pytest.mark.parametrize("rounds", [8, pytest.param(100, marks=soak)])
def test_orders_and_deliveries_in_opposite_order_never_deadlock(trial: Trial, rounds: int) -> None:
    """STK-05: carts of (A, B) against carts of (B, A), while staff receives (B, A): every order is placed, every
    delivery booked, and nobody sees a deadlock. Eight rounds here, a hundred in the soak.
    """
    a, b = trial.goods("A", 100, rounds), trial.goods("B", 100, rounds)
    failures: list[BaseException] = []
    both = [[trial.cart((first, 1), (second, 1)) for _ in range(rounds)] for first, second in (("A", "B"), ("B", "A"))]

    def place(ready: list[Filled]) -> None:
        for one in ready:
            _kept(failures, one.placed)

    def receive() -> None:
        with trial.shop.write(STAFF) as work:
            work.stock.receive_many({b: 1, a: 1}, at="main", cause=_delivery())

    def deliver() -> None:
        for _ in range(rounds):
            _kept(failures, receive)

    run([*(threading.Thread(target=place, args=(ready,)) for ready in both), threading.Thread(target=deliver)])

    assert [] == failures
    assert [(2 * rounds, 2 * rounds)] * 2 == [trial.level(a), trial.level(b)]
    assert [] == trial.audit()


def _delivery() -> Ref:
    return Ref("delivery", mint("shipment"))


def _kept(failures: list[BaseException], call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the point is that there are none
        failures.append(error)


@pytest.mark.parametrize(
    ("buyers", "stock", "others"), [(48, 8, 8), pytest.param(300, 50, 20, marks=soak)], ids=["48", "300"]
)
def test_a_flash_sale_leaves_other_goods_alone(trial: Trial, buyers: int, stock: int, others: int) -> None:
    """STK-16: many buyers of A on 16 connections, fewer of B meanwhile: exactly the stock of A is sold, each loser is
    told so, B is sold to all, no pool is exhausted, and B takes at most three times as long as it does when the same
    crowd buys something without stock. 48 buyers of 8 here, 300 of 50 in the soak.
    """
    trial.goods("A", 1000, stock)
    trial.unlimited("CALM")
    trial.goods("B", 1000, 3 * others)
    idle = _flash_sale(trial.shop, "CALM", buyers, others)
    wanted = {"sold": buyers, "B": others}
    assert wanted == dict(idle.outcomes)

    hot = _flash_sale(trial.shop, "A", buyers, others)

    assert {"sold": stock, "out-of-stock": buyers - stock, "B": others} == dict(hot.outcomes)
    assert hot.p95() <= 3 * idle.p95() + 0.25
    assert hot.slowest_loser < 10
    assert [] == trial.audit()


@attrs.define
class _Sale:
    """What a crowd came to."""

    outcomes: "Counter[str]" = attrs.field(factory=Counter)
    seconds: list[float] = attrs.field(factory=list)
    slowest_loser: float = 0.0

    def p95(self) -> float:
        """Of those who bought B."""
        return quantiles(self.seconds, n=20)[-1]


def _flash_sale(shop: Shop, sku: str, buyers: int, others: int) -> _Sale:
    sale, queue = _Sale(), threading.Semaphore(16)
    crowd = [(sku, one) for one in carts(shop, sku, buyers)] + [("B", one) for one in carts(shop, "B", others)]
    crowd = [crowd[place] for place in sorted(range(len(crowd)), key=lambda place: place * 37 % len(crowd))]

    def one(what: str, cart: Any, buyer: Actor) -> None:
        with queue:
            started = time.monotonic()
            own: Counter[str] = Counter()

            def confirm(cart_id: Any, holder: Actor) -> None:
                shop.place_order(holder, cart_id, agreed=shop.price_cart(holder, cart_id).ref)

            buy(confirm, collections.deque([(cart, buyer)]), own)
            took = time.monotonic() - started
        [outcome] = [name for name in own if name != "no cart left"]
        sale.outcomes["B" if (what, outcome) == ("B", "sold") else outcome] += 1
        if what == "B":
            sale.seconds.append(took)
        if outcome == "out-of-stock":
            sale.slowest_loser = max(sale.slowest_loser, took)

    run([threading.Thread(target=one, args=(what, *mine)) for what, mine in crowd])
    return sale


# -- several destinations ---------------------------------------------------------------------------------------------


def test_two_destinations_take_and_give_back_the_sum(trial: Trial) -> None:
    """STK-07: three of one thing split 1 + 2 over two addresses hold three; what is canceled comes back: after one of
    the parcels has left only the units of the other.
    """
    bowl = trial.goods("BOWL", 3300, 10)
    ready = _split(trial)
    buyer, order = ready.placed()
    trial.pay(buyer, order)
    assert (10, 3) == trial.level(bowl)

    [alone] = [line for line in order.lines if line.steps == 1]
    trial.shop.ship_order(STAFF, order.id, number="1", lines={alone.id: 1})
    assert (9, 2) == trial.level(bowl)
    for _ in range(2):
        trial.shop.cancel_order(buyer, order.id)

    assert (9, 0) == trial.level(bowl)
    assert [] == trial.audit()


def _split(trial: Trial) -> Filled:
    """Three bowls: one to the buyer, two to somebody else."""
    ready = trial.cart(("BOWL", 3))
    with trial.shop.write(ready.buyer) as work:
        cart = work.cart.add_group(ready.cart.id)
        second = cart.groups[-1].id
        work.cart.set_destination(
            cart.id, work.customer.add_party(person("見本 太郎", "taro@example.com")), group=second
        )
        work.cart.set_option(cart.id, "flat.standard", group=second)
        work.cart.split_line(cart.id, cart.lines[0].id, 2, second)
    return attrs.evolve(ready, quote=trial.shop.price_cart(ready.buyer, ready.cart.id))


# -- failures after the reservation -----------------------------------------------------------------------------------


class Moody:
    """A plugin whose answers fail when told to."""

    name = "moody"
    version = "1"
    eckit_interface: ClassVar[Mapping[str, int]] = {"order": 1, "stock": 1}
    failing = ""

    def _answer(self, hook: str) -> None:
        if self.failing == hook:
            raise ZeroDivisionError

    @hookimpl
    def check_order(self, quote: Any, actor: Any) -> tuple[Any, ...]:
        """Nothing against it."""
        self._answer("check_order")
        return ()

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> None:
        """Others choose."""
        self._answer("choose_order_number")

    @hookimpl
    def choose_allocation(self, wanted: Any, levels: Any) -> None:
        """Others choose."""
        self._answer("choose_allocation")


@pytest.mark.parametrize("step", ["tax", "check_order", "choose_order_number", "choose_allocation"])
def test_a_plugin_that_fails_while_placing_leaves_no_hold(
    begun: Callable[..., Trial], provider: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """STK-08: tax or another answer fails between the summary and the order: named, nothing reserved or charged; when
    the plugin is well again, the same cart is ordered.
    """
    moody = Moody()
    trial = begun(provider, plugins=[moody])
    bowl = trial.goods("BOWL", 3300, 5)
    ready = trial.cart(("BOWL", 2))
    with monkeypatch.context() as patch:
        if step == "tax":
            patch.setattr(TaxTable, "answer", _fail)
        else:
            patch.setattr(moody, "failing", step)
        with pytest.raises(PluginError):
            ready.placed()

    assert (5, 0) == trial.level(bowl)
    assert 0 == count(trial, "select count(*) from eckit_hold") + count(trial, "select count(*) from eckit_order")
    assert () == provider.ledger()
    ready.placed()
    assert (5, 2) == trial.level(bowl)
    assert [] == trial.audit()


def _fail(*_: Any) -> Any:
    raise ZeroDivisionError


# -- cancellation -----------------------------------------------------------------------------------------------------


def test_a_cancellation_gives_back_once(trial: Trial) -> None:
    """STK-13: the same order canceled by eight at once: one effect on stock and money, all get the same order."""
    bowl = trial.goods("BOWL", 3300, 5)
    buyer, order = trial.order(("BOWL", 2))
    trial.pay(buyer, order)

    results = together(*[functools.partial(trial.shop.cancel_order, buyer, order.id)] * 8)

    assert {order.id} == {one.id for one in results}
    assert 1 == len({(one.version, one.state, one.amendments) for one in results})
    assert results[0] == trial.shop.cancel_order(STAFF, order.id)
    assert (5, 0) == trial.level(bowl)
    assert ["authorize", "void"] == [kind for kind, _, _ in trial.ledger()]
    assert [] == trial.audit()


def test_an_order_is_canceled_although_the_shelf_is_empty(trial: Trial) -> None:
    """STK-13: goods sold at the till meanwhile, on hand 0: canceling asks for no stock, and none comes of it."""
    bowl = trial.goods("BOWL", 3300, 2)
    buyer, order = trial.order(("BOWL", 2))
    with trial.shop.write(STAFF) as work:
        work.stock.note_sold(bowl, 2, at="main", cause=_delivery())
    assert (0, 2) == trial.level(bowl)

    trial.shop.cancel_order(buyer, order.id)
    trial.shop.cancel_order(buyer, order.id)

    assert (0, 0) == trial.level(bowl)
    assert [] == trial.audit()


# -- payments that take their time ------------------------------------------------------------------------------------


def test_twenty_late_successes_for_three_units(trial: Trial) -> None:
    """STK-14: three in stock; sessions lapse and others open, twenty in all, never more than three at once. Then all
    twenty succeed: the two orders that still stand are confirmed, the money of the others goes back by itself.
    """
    bowl = trial.goods("RARE", 1000, 3)
    sessions: list[Any] = []
    while len(sessions) < 20:
        if sessions:
            _lapse(trial)
        for _ in range(min(3, 20 - len(sessions))):
            sessions.append(trial.pay(*trial.order(("RARE", 1)), "tok_challenge").payment)
        if len(sessions) % 3 == 0:
            with pytest.raises(OutOfStockError):
                trial.order(("RARE", 1))
    assert (3, 2) == trial.level(bowl)

    approve_late(trial, *(one.begin_reference for one in sessions))
    trial.shop.chase()

    assert 20 == sum(kind == "authorize" for kind, _, _ in trial.ledger())
    assert 18 == sum(kind == "void" for kind, _, _ in trial.ledger())
    assert [sessions[-2].order_id, sessions[-1].order_id] == [
        one.order_id for one in sessions if trial.view(one.order_id).confirmed_at
    ]
    assert (3, 2) == trial.level(bowl)
    assert trial.ledger() == trial.movements()
    assert [] == trial.audit()


def _lapse(trial: Trial) -> None:
    """A day goes by for the shop, in which nobody pays."""
    for _ in range(3):
        trial.clock.advance(dt.timedelta(hours=9))
        trial.shop.chase()
        trial.shop.lapse_orders()
