"""An order is placed: once per cart version, with a number and a token nobody else has."""

import datetime as dt
import json
import logging
import re
from typing import Any, ClassVar

import attrs
import pytest
import sqlalchemy as sa

from eckit.cart import AlreadyPlacedError, CartEmptyError
from eckit.kernel import idempotency, outbox
from eckit.kernel.actors import Actor
from eckit.kernel.database import ConstraintError
from eckit.kernel.errors import ObjectedError, Objection, PluginError
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.idempotency import Key, KeyReusedError
from eckit.kernel.ids import CartId, CustomerId, OrderId
from eckit.kernel.minting import mint
from eckit.order import NumberTakenError, Order, OrderState, rules, service as order
from eckit.order.store import tables
from eckit.pricing import DoesNotAddUpError, NotReadyError
from eckit.pricing.model import OpenItem
from tests.cart.support import raised, statements_of, together
from tests.order.conftest import SYSTEM, Orders
from tests.order.quotes import Wish, make_quote


class Numbers:
    """A plugin that numbers as it is told."""

    name = "numbers"
    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"order": 1}

    def __init__(self, choose: Any) -> None:
        self._choose = choose

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> str | None:
        answer: str | None = self._choose(series, n, at)
        return answer


def test_placed_order_is_read_back_as_it_was_agreed(orders: Orders) -> None:
    """Order, lines and sealed record say what the quote said; the digest is the record's."""
    quote = make_quote(
        [Wish(steps=3, discount_minor=90), Wish(tax_class="reduced", group=1)],
        shipping_minor=(500, 700),
        discount_minor=333,
        fee_minor=330,
        customer=CustomerId(mint("customer")),
    )
    placed = orders.place(quote)
    with orders.begin.read(SYSTEM) as work:
        view = order.get(work, placed.id)
        charges = work.connection.execute(sa.select(sa.func.count()).select_from(tables.charge)).scalar_one()
    assert placed == view.order
    assert (quote.charges, quote.shares, quote.groups, quote.dues, quote.trace) == (
        view.placement.charges,
        view.placement.shares,
        view.placement.groups,
        view.placement.dues,
        view.placement.trace,
    )
    assert placed.digest == view.placement.digest
    assert len(quote.charges) == charges
    assert (OrderState.PLACED, None, quote.total_minor) == (
        placed.state,
        placed.confirmed_at,
        placed.current_total_minor,
    )
    assert [(3, 0, 0, 0), (1, 0, 0, 0)] == [
        (line.steps, line.canceled_steps, line.shipped_steps, line.returned_steps) for line in placed.lines
    ]
    assert rules.as_placed(view.placement.body) == attrs.evolve(placed, token="")


@pytest.mark.parametrize("lines", [1, 200])
def test_order_is_placed_in_five_statements_whatever_its_lines(orders: Orders, lines: int) -> None:
    """Number, order, placement, lines, charges; then the audit row and the event. Counted at the server."""
    orders.place()
    quote = make_quote([Wish(steps=2, discount_minor=1)] * lines, discount_minor=1_000)
    with statements_of(orders.begin, orders.url) as statements:
        orders.place(quote)
    tables_touched = [re.findall(r"eckit_[a-z_]+", statement)[0] for statement in statements]
    assert [
        *({"eckit_order_number", "eckit_number_counter"} & {tables_touched[0]}),
        "eckit_order",
        "eckit_placement",
        "eckit_order_line",
        "eckit_charge",
        "eckit_history",
        "eckit_outbox",
    ] == tables_touched


def test_fifty_orders_at_once_have_fifty_numbers(orders: Orders) -> None:
    """ORD-05: with ten transactions rolled back in between; no number twice, none from a maximum plus one."""

    def place_and_fail() -> None:
        with orders.begin.write(SYSTEM) as work:
            order.place(work, make_quote(), pay_by=None)
            raise RuntimeError("after the number")

    calls = [*([orders.place] * 50), *([place_and_fail] * 10)]
    results = together(*calls)
    assert [RuntimeError] * 10 == [type(error) for error in raised(results)]
    assert 50 == len({result.number for result in results if isinstance(result, Order)})


def test_number_of_an_imported_order_is_passed_over(orders: Orders, caplog: pytest.LogCaptureFixture) -> None:
    """ORD-07: the next number belongs to somebody: the one after it is taken, and it is logged."""
    imported = orders.with_plugins(Numbers(lambda series, n, at: f"{n + 1:07d}"))
    first = imported.place()
    with caplog.at_level(logging.WARNING, "eckit.order"):
        second = orders.place()
    assert ("0000002", "0000003") == (first.number, second.number)
    assert ["order number 0000002 belongs to another order; trying the next"] == caplog.messages
    assert second == orders.get(second)


def test_generator_that_repeats_itself_ends_in_a_typed_error(orders: Orders) -> None:
    """ORD-05: tried a bounded number of times, then refused; nothing of the order is left."""
    asked: list[int] = []
    stuck = orders.with_plugins(Numbers(lambda series, n, at: asked.append(n) or "A-1"))
    first = stuck.place()
    with pytest.raises(NumberTakenError) as refused:
        stuck.place()
    assert ("A-1", 20) == (refused.value.number, refused.value.tries)
    assert 21 == len(set(asked))
    with orders.begin.read(SYSTEM) as work:
        for table in (tables.order, tables.placement):
            assert 1 == work.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    assert first == orders.get(first)


def test_what_cannot_be_a_number_names_the_plugin(orders: Orders) -> None:
    """The answer is checked; nothing is placed under it."""
    wrong = ["", " ", " 1", "1 ", "a\nb", "a\x00", "x" * 41, 7, mint("order"), mint("cart")]
    for answer in wrong:
        with pytest.raises(PluginError) as refused:
            orders.with_plugins(Numbers(lambda series, n, at, answer=answer: answer)).place()
        assert ("numbers", "choose_order_number") == (refused.value.plugin, refused.value.hook)


def test_no_plugin_that_chooses_is_an_error(orders: Orders) -> None:
    """An order without a number is not placed."""
    with pytest.raises(PluginError) as refused:
        orders.with_plugins(Numbers(lambda series, n, at: None)).place()
    assert ("choose_order_number", "no plugin chose") == (refused.value.hook, refused.value.reason)


def test_default_numbers_show_the_series(orders: Orders) -> None:
    """The main series has plain numbers; another shows its name."""
    assert re.fullmatch(r"\d{7}", orders.place().number)
    assert re.fullmatch(r"EC-\d{7}", orders.place(make_quote(series="EC")).number)
    assert re.fullmatch(r"TILL-\d{7}", orders.place(series="TILL").number)


def test_token_made_twice_is_made_anew(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """ORD-08: unique by constraint; the second order gets a fresh one under the same number."""
    first = orders.place()
    tokens = iter([first.token, "c" * 43])
    monkeypatch.setattr("eckit.order.service.placing.mint_token", lambda: next(tokens))
    second = orders.place()
    assert ("c" * 43, "0000002") == (second.token, second.number)


def test_empty_token_is_refused_by_the_database(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    """ORD-08, ACC-04: no order can be opened by nothing."""
    monkeypatch.setattr("eckit.order.service.placing.mint_token", lambda: "")
    with pytest.raises(ConstraintError):
        orders.place()


def test_tokens_are_long_and_all_different(orders: Orders) -> None:
    """256 random bits: 43 characters safe in URLs."""
    tokens = {orders.place().token for _ in range(20)}
    assert 20 == len(tokens)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def test_one_cart_version_is_at_most_one_order(orders: Orders) -> None:
    """ORD-01: eight at once, no key: one order; the others learn its id; then again for a later version."""
    cart_id = CartId(mint("cart"))
    quotes = [make_quote(cart_id=cart_id) for _ in range(8)]
    results = together(*(lambda quote=quote: orders.place(quote) for quote in quotes))
    [placed] = [result for result in results if isinstance(result, Order)]
    losers = raised(results)
    assert {placed.id} == {error.order_id for error in losers if isinstance(error, AlreadyPlacedError)}
    assert 7 == sum(isinstance(error, AlreadyPlacedError) for error in losers)
    assert placed.id != orders.place(make_quote(cart_id=cart_id, cart_version=4)).id


@pytest.mark.parametrize(("reason", "again"), [("lapsed", True), ("unpaid", False), ("buyer", False)])
def test_only_a_lapsed_order_lets_its_cart_version_be_ordered_again(orders: Orders, reason: str, again: bool) -> None:
    """Canceling for another reason leaves the order the only one of that version."""
    cart_id = CartId(mint("cart"))
    first = orders.place(make_quote(cart_id=cart_id))
    with orders.begin.write(SYSTEM) as work:
        order.cancel(work, first, reason)
    if again:
        assert first.id != orders.place(make_quote(cart_id=cart_id)).id
    else:
        with pytest.raises(AlreadyPlacedError) as refused:
            orders.place(make_quote(cart_id=cart_id))
        assert first.id == refused.value.order_id


def test_quote_that_does_not_add_up_is_not_placed(orders: Orders) -> None:
    """Whoever made it: total, shares, dues and lines are checked before anything is written."""
    quote = make_quote([Wish(steps=2)], discount_minor=100)
    [line] = quote.lines
    for broken in (
        attrs.evolve(quote, total_minor=quote.total_minor + 1),
        attrs.evolve(quote, shares=quote.shares[:-1]),
        attrs.evolve(quote, dues=()),
        attrs.evolve(quote, lines=(attrs.evolve(line, total_minor=line.total_minor - 1),)),
    ):
        with pytest.raises(DoesNotAddUpError):
            orders.place(broken)


def test_quote_with_something_open_is_not_placed(orders: Orders) -> None:
    """Not even by a caller that did not ask: nothing missing, nobody objecting, something in it."""
    with pytest.raises(NotReadyError):
        orders.place(attrs.evolve(make_quote(), open=(OpenItem(code="address"),)))
    with pytest.raises(ObjectedError):
        orders.place(attrs.evolve(make_quote(), objections=(Objection(code="x", label="no"),)))
    with pytest.raises(CartEmptyError):
        orders.place(make_quote([], shipping_minor=()))


def test_order_of_nothing_to_pay_is_an_order(orders: Orders) -> None:
    """A gift: total zero, no dues."""
    placed = orders.place(make_quote([Wish(unit_minor=0)], shipping_minor=(0,)))
    assert (0, 0) == (placed.total_minor, placed.current_total_minor)


def test_placing_is_told_without_personal_data(orders: Orders) -> None:
    """The event has ids and amounts: enough to count without loading anything."""
    placed = orders.place()
    with orders.begin.read(SYSTEM) as work:
        [(name, payload)] = work.connection.execute(sa.select(outbox.outbox.c.name, outbox.outbox.c.payload))
    assert "order.placed" == name
    assert {"order_id", "number", "channel_id", "total_minor", "currency"} == set(payload)
    assert placed.token not in json.dumps(payload)


# -- check_order -----------------------------------------------------------------------------------------------------


class Checks:
    """A plugin that objects."""

    version = "1"
    eckit_interface: ClassVar[dict[str, int]] = {"order": 1}

    def __init__(self, name: str, answer: Any) -> None:
        self.name = name
        self._answer = answer

    @hookimpl
    def check_order(self, quote: Any, actor: Any) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_all_objections_are_shown_with_their_plugins(orders: Orders) -> None:
    """Every plugin is asked; the buyer learns everything at once."""
    plugins = orders.with_plugins(
        Checks("b", (Objection(code="big", label="Too big."),)), Checks("a", (Objection(code="odd", label="Odd."),))
    ).begin.plugins
    with pytest.raises(ObjectedError) as refused:
        order.check(plugins, make_quote(), SYSTEM)
    assert [("a", "odd"), ("b", "big")] == [(one.plugin, one.code) for one in refused.value.objections]


def test_check_that_fails_stops_the_order(orders: Orders) -> None:
    """Closed: an answer that is none counts as no answer, and the plugin is named."""
    for answer in (RuntimeError("boom"), None, ["x"], (1,)):
        plugins = orders.with_plugins(Checks("fraud", answer)).begin.plugins
        with pytest.raises(PluginError) as refused:
            order.check(plugins, make_quote(), SYSTEM)
        assert "fraud" == refused.value.plugin


def test_nobody_objects_means_nothing(orders: Orders) -> None:
    """No objection, no error."""
    order.check(orders.with_plugins(Checks("a", ())).begin.plugins, make_quote(), SYSTEM)


# -- the same request again ------------------------------------------------------------------------------------------


def earlier(orders: Orders, actor: Actor, cart_id: CartId, key: Key | None = None) -> Order | None:
    with orders.begin.read(actor) as work:
        return order.earlier(work, cart_id, key)


def test_whoever_placed_it_gets_it_again(orders: Orders) -> None:
    """A guest asks twice with the cart's token: the answer may have been lost, so until the money is secured it opens
    the order; afterwards it is a pointer. Others do not learn that it exists."""
    guest, cart_id = Actor.guest("t" * 43, ""), CartId(mint("cart"))
    assert None is earlier(orders, guest, cart_id)
    placed = orders.place(make_quote(cart_id=cart_id), guest)
    assert placed == earlier(orders, guest, cart_id)
    for stranger in (Actor.guest(), Actor.guest("u" * 43), Actor.buyer(CustomerId(mint("customer")))):
        assert None is earlier(orders, stranger, cart_id)
    with orders.begin.write(SYSTEM) as work:
        order.confirm(work, placed)
    again = earlier(orders, guest, cart_id)
    assert again is not None
    assert (placed.id, "") == (again.id, again.token)
    assert placed.token == getattr(earlier(orders, Actor.guest(placed.token), cart_id), "token", None)


def test_lapsed_order_is_not_the_carts_any_more(orders: Orders) -> None:
    """The next version may be ordered; a canceled order stays the cart's."""
    customer, cart_id = CustomerId(mint("customer")), CartId(mint("cart"))
    buyer = Actor.buyer(customer)
    placed = orders.place(make_quote(cart_id=cart_id, customer=customer), buyer)
    with orders.begin.write(SYSTEM) as work:
        order.cancel(work, placed, "lapsed")
    assert None is earlier(orders, buyer, cart_id)
    second = orders.place(make_quote(cart_id=cart_id, cart_version=4, customer=customer), buyer)
    assert second.id == getattr(earlier(orders, buyer, cart_id), "id", None)


def test_one_key_has_one_outcome(orders: Orders) -> None:
    """The stored reply names the order; the same key for another cart is refused."""
    customer, cart_id = CustomerId(mint("customer")), CartId(mint("cart"))
    buyer, key = Actor.buyer(customer), Key(scope="place_order", value="k")
    with orders.begin.write(buyer, key) as work:
        placed = order.place(work, make_quote(cart_id=cart_id, customer=customer), pay_by=None)
        work.reply = {"order_id": placed.id}
    with orders.begin.write(SYSTEM) as work:
        order.cancel(work, placed, "lapsed")
    assert placed.id == getattr(earlier(orders, buyer, cart_id, key), "id", None)
    with pytest.raises(KeyReusedError):
        earlier(orders, buyer, CartId(mint("cart")), key)
    with orders.begin.read(buyer) as work:
        assert None is idempotency.find(work.connection, Key(scope="place_order", value="l"), str(buyer), work.now)


def test_order_id_may_be_made_before(orders: Orders) -> None:
    """The flow marks the cart with it first."""
    order_id = OrderId(mint("order"))
    assert order_id == orders.place(order_id=order_id).id
