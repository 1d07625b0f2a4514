"""Who sees which order, in pages and as a file, on both databases."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from typing import ClassVar

import attrs
import pytest
import sqlalchemy as sa

from eckit.kernel.actors import Actor, Scope
from eckit.kernel.errors import EckitError, InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.facets import FacetSpec
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import ChannelId, CustomerId, OrderId
from eckit.kernel.minting import mint
from eckit.order import Order, OrderState, service as order
from eckit.order.store import tables
from eckit.order.store.rows import order_row
from eckit.testing.begin import make_begin
from tests.cart.support import statements_of
from tests.order.conftest import STAFF, SYSTEM, Orders
from tests.order.quotes import CHANNEL, Wish, make_quote

OTHER_CHANNEL = ChannelId(mint("channel"))


def test_own_orders_are_seen_and_no_others(orders: Orders) -> None:
    """ACC-01: by id and by number: customer, guest with the token, staff with the permission in the channel. For
    everybody else the answer is the one for an order that is not there."""
    customer = CustomerId(mint("customer"))
    mine, others = orders.place(make_quote(customer=customer)), orders.place()
    here, elsewhere = (Scope(channels=frozenset({channel})) for channel in (CHANNEL, OTHER_CHANNEL))
    may = [
        Actor.buyer(customer),
        Actor.guest(mine.token),
        Actor.buyer(CustomerId(mint("customer")), mine.token),
        Actor.staff("s", "order.read"),
        Actor.staff("s", "order.read", scope=here),
        SYSTEM,
    ]
    may_not = [
        Actor.guest(),
        Actor.guest("", " "),
        Actor.guest(others.token, "x" * 43),
        Actor.buyer(CustomerId(mint("customer"))),
        Actor.staff("s"),
        Actor.staff("s", "cart.read", "order.write"),
        Actor.staff("s", "order.read", scope=elsewhere),
        attrs.evolve(Actor.guest(), vouches_for=customer),
    ]
    for actor in may:
        assert mine == orders.get(mine, actor)
        with orders.begin.read(actor) as work:
            assert mine == order.get(work, mine.number).order
    for actor in may_not:
        for wanted, missing in ((mine.id, mint("order")), (mine.number, "9999999")):
            answers = []
            for asked in (wanted, missing):
                with pytest.raises(NotFoundError) as refused, orders.begin.read(actor) as work:
                    order.get(work, asked)
                answers.append(refused.value.text().replace(asked, "…"))
            assert answers[0] == answers[1]


def test_verbs_that_change_find_foreign_orders_no_better(orders: Orders) -> None:
    """ACC-01: every verb with every actor that may not: as if there were none."""
    mine = orders.place()
    for actor in (Actor.guest("x"), Actor.buyer(CustomerId(mint("customer"))), Actor.staff("s", "cart.write")):
        for verb in (
            lambda work, it: order.lock(work, it),
            lambda work, it: order.cancel(work, it, "buyer"),
            lambda work, it: order.cancel_units(work, it, [(mine.lines[0].id, 1)], "buyer"),
            lambda work, it: order.links(work, it),
        ):
            answers = []
            for asked in (mine.id, OrderId(mint("order"))):
                with pytest.raises(EckitError) as refused, orders.begin.write(actor) as work:
                    verb(work, asked)
                answers.append((type(refused.value), refused.value.text().replace(asked, "…")))
            assert answers[0] == answers[1]
            assert NotFoundError is answers[0][0]
    assert mine == orders.get(mine)


def test_nothing_but_the_whole_token_opens_an_order(orders: Orders) -> None:
    """ACC-04: empty, blank, none, a list, a prefix, another case: refused; the token is in no error."""
    placed = orders.place()
    token = placed.token
    with orders.begin.read(Actor.guest()) as work:
        assert placed == order.by_token(work, token).order
    wrong = [
        "", " ", "\x00", None, [], [token], 0, b"x", token[:-1], token[:10], token + "x", token.swapcase(),
        "\ud800", f" {token}", f"{token} ", "%", "_" * 43, "x" * 10**6, placed.number, placed.id,
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(NotFoundError) as refused, orders.begin.read(Actor.guest()) as work:
            order.by_token(work, given)  # type: ignore[arg-type]
        assert token not in refused.value.text()


def test_number_is_found_exactly_as_it_was_given(orders: Orders) -> None:
    """ACC-04: no prefix, no other case, no blanks, no wildcards."""

    class Letters:
        name, version = "letters", "1"
        eckit_interface: ClassVar[dict[str, int]] = {"order": 1}

        @hookimpl
        def choose_order_number(self, series: str, n: int, at: dt.datetime) -> str:
            return f"Tea-{n}"

    placed = orders.with_plugins(Letters()).place()
    assert "Tea-1" == placed.number
    for given in ("tea-1", "TEA-1", "Tea-", "Tea-1 ", " Tea-1", "Tea-1\x00", "%", "Tea-_", "\ud800", "T" * 10**6):
        with pytest.raises(NotFoundError), orders.begin.read(SYSTEM) as work:
            order.get(work, given)
    for given in ("", " ", None, 1, [placed.number]):
        with pytest.raises(InvalidInputError), orders.begin.read(SYSTEM) as work:
            order.get(work, given)  # type: ignore[arg-type]


def test_id_of_another_kind_is_refused(orders: Orders) -> None:
    """ACC-06: a cart's id is no order's id, and is told so."""
    kinds = [mint(kind) for kind in ("cart", "customer", "line", "payment")]
    for given in (*kinds, f"{kinds[0]}x", "ord_short", f"ord_{'0' * 10**5}"):
        with pytest.raises(InvalidInputError), orders.begin.read(SYSTEM) as work:
            order.get(work, given)


def test_only_these_facts_can_be_given_at_placement(orders: Orders) -> None:
    """ACC-09: state, total, number, instants, customer come from quote and core, whatever a caller sends along."""
    for forged in ("state", "total_minor", "number", "confirmed_at", "customer_id", "token", "paid", "placed_at"):
        with pytest.raises(TypeError):
            orders.place(**{forged: "x"})


# -- pages -----------------------------------------------------------------------------------------------------------


def place_many(orders: Orders, count: int) -> list[OrderId]:
    """Many orders of one instant, copied from one."""
    first = orders.place()
    copies = [
        attrs.evolve(
            first,
            id=OrderId(mint("order")),
            number=f"copy-{number}",
            token=f"{number:043}",
            cart_id=None,
            cart_version=None,
        )
        for number in range(count - 1)
    ]
    with orders.begin.write(SYSTEM) as work:
        for start in range(0, len(copies), 500):
            rows = [order_row(copy, []) for copy in copies[start : start + 500]]
            work.execute(sa.insert(tables.order), rows)
    return [first.id, *(copy.id for copy in copies)]


def pages(orders: Orders, actor: Actor, limit: int, **wish: object) -> list[Order]:
    found: list[Order] = []
    after = None
    while True:
        with orders.begin.read(actor) as work:
            page = order.list_orders(work, after=after, limit=limit, **wish)
        assert len(page.items) <= limit
        found += page.items
        after = page.after
        if after is None:
            return found


def test_pages_show_every_order_once_in_a_total_order(orders: Orders) -> None:
    """Many orders of one instant: the latest first, none twice, none left out, even if others come meanwhile."""
    ids = place_many(orders, 25)
    assert sorted(ids, reverse=True) == [one.id for one in pages(orders, STAFF, 4)]
    with orders.begin.read(STAFF) as work:
        first = order.list_orders(work, limit=10)
    orders.clock.advance(dt.timedelta(seconds=1))
    newer = orders.place()
    with orders.begin.read(STAFF) as work:
        rest = order.list_orders(work, limit=200, after=first.after)
    assert sorted(ids, reverse=True) == [one.id for one in (*first.items, *rest.items)]
    assert newer.id == pages(orders, STAFF, 200)[0].id


def test_list_is_the_actors_own(orders: Orders) -> None:
    """What :func:`may_see` says of one order, the list says of all; wishes only narrow it."""
    customer = CustomerId(mint("customer"))
    mine = orders.place(make_quote(customer=customer))
    guests = orders.place()
    elsewhere = orders.place(make_quote(channel=OTHER_CHANNEL))
    with orders.begin.write(SYSTEM) as work:
        order.confirm(work, guests)
        order.cancel(work, elsewhere, "buyer")
    everything = {mine.id, guests.id, elsewhere.id}
    here = Scope(channels=frozenset({CHANNEL}))
    for actor, expected in (
        (Actor.buyer(customer), {mine.id}),
        (Actor.buyer(customer, guests.token), {mine.id, guests.id}),
        (Actor.guest(guests.token), {guests.id}),
        (Actor.guest(), set()),
        (Actor.guest("a\x00", "\ud800", "x" * 10**5), set()),
        (Actor.staff("s"), set()),
        (STAFF, everything),
        (Actor.staff("s", "order.read", scope=here), {mine.id, guests.id}),
        (Actor.staff("s", "order.read", scope=Scope(channels=frozenset())), set()),
    ):
        assert expected == {one.id for one in pages(orders, actor, 2)}
        assert expected & {mine.id} == {one.id for one in pages(orders, actor, 2, customer=customer)}
    assert {guests.id} == {one.id for one in pages(orders, STAFF, 9, confirmed=True)}
    assert {elsewhere.id} == {one.id for one in pages(orders, STAFF, 9, state=OrderState.CANCELED)}
    assert {elsewhere.id} == {one.id for one in pages(orders, STAFF, 9, channel=OTHER_CHANNEL)}


def test_page_takes_four_statements_whatever_its_orders(orders: Orders) -> None:
    """Orders, lines, amendments, blocks: whole orders, no statement per order."""
    placed = [orders.place(make_quote([Wish()] * 3)) for _ in range(5)]
    with statements_of(orders.begin, orders.url) as statements, orders.begin.read(STAFF) as work:
        page = order.list_orders(work)
    assert 4 == len(statements)
    assert sorted(placed, key=lambda one: one.id, reverse=True) == list(page.items)


def test_page_size_is_limited(orders: Orders) -> None:
    """PRF-03: 1 to 200."""
    for limit in (0, -1, 201, 10**9, 1.5, "10", True, None):
        with pytest.raises(InvalidInputError) as refused, orders.begin.read(STAFF) as work:
            order.list_orders(work, limit=limit)  # type: ignore[arg-type]
        assert "limit" == refused.value.problems[0].path


def test_wish_that_means_nothing_is_refused(orders: Orders) -> None:
    """Not answered with an empty page."""
    for wish in ({"state": "paid"}, {"customer": "cus_x"}, {"channel": mint("market")}):
        with pytest.raises(InvalidInputError) as refused, orders.begin.read(STAFF) as work:
            order.list_orders(work, **wish)
        assert list(wish) == [problem.path for problem in refused.value.problems]


def test_place_in_a_list_that_is_none_is_refused(orders: Orders) -> None:
    """A typed answer to whatever a client sends."""
    for after in ("", "x", "ÿ", "eA==", "MjAyNi0wNC0wMQ==", 7, b"x", "A" * 10**5):
        with pytest.raises(InvalidInputError), orders.begin.read(STAFF) as work:
            order.list_orders(work, after=after)  # type: ignore[arg-type]


# -- export ----------------------------------------------------------------------------------------------------------


def exported(orders: Orders, actor: Actor = STAFF, **wish: object) -> list[dict[str, str]]:
    with orders.begin.read(actor) as work:
        return list(csv.DictReader(io.StringIO("".join(order.export_orders(work, **wish)))))


def test_export_has_every_order_once_while_others_are_placed(orders: Orders) -> None:
    """ENC-12: 5,000 orders of one instant, more placed in between: each of the 5,000 once, none of the others."""
    ids = place_many(orders, 5_000)
    rows = []
    with statements_of(orders.begin, orders.url) as statements, orders.begin.read(STAFF) as work:
        for number, line in enumerate(order.export_orders(work)):
            if number in {1, 2_500}:
                orders.place()
            rows.append(line)
    found = [row["id"] for row in csv.DictReader(io.StringIO("".join(rows)))]
    assert sorted(ids) == found
    assert 1 == sum("ORDER BY" in re.sub(r"\s+", " ", statement) for statement in statements)
    assert 5_002 == len(exported(orders))


def test_exported_texts_cannot_be_taken_for_formulas(orders: Orders) -> None:
    """INJ-07: every text cell that starts like a formula is made inert and quoted; amounts stay numbers."""
    dangerous = ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "＝1＋1"]

    class Numbers:
        name, version = "numbers", "1"
        eckit_interface: ClassVar[dict[str, int]] = {"order": 1}

        @hookimpl
        def choose_order_number(self, series: str, n: int, at: dt.datetime) -> str:
            return dangerous[n - 1]

    shop = orders.with_plugins(Numbers())
    for text in dangerous:
        placed = shop.place(make_quote(currency="EUR", locale=text[:35]), origin=text)
        with orders.begin.write(SYSTEM) as work:
            work.execute(
                sa.update(tables.order)
                .where(tables.order.c.id == placed.id)
                .values(state="canceled", reason=text, customer_id=text)
            )
    with orders.begin.read(STAFF) as work:
        raw = "".join(order.export_orders(work))
    for row, text in zip(exported(orders), dangerous, strict=True):
        for column in ("number", "origin", "reason", "customer_id"):
            assert f"'{text}" == row[column]
            assert f'"\'{text}"' in raw
        assert f"'{text[:35]}" == row["locale"]
        assert re.fullmatch(r"-?\d+\.\d\d", row["total"])
    assert re.search(r",15\.00,15\.00\r\n", raw)


def test_exported_amounts_have_the_currencys_decimals(orders: Orders) -> None:
    """Plain numbers: 0, 2 and 3 decimals; total as placed, and after amendments."""
    expected = {}
    for currency, total in (("JPY", Decimal("1500")), ("EUR", Decimal("15.00")), ("KWD", Decimal("1.500"))):
        placed = orders.place(make_quote(currency=currency))
        expected[placed.id] = (currency, str(total))
    assert expected == {row["id"]: (row["currency"], row["total"]) for row in exported(orders)}


def test_export_is_for_staff_within_their_channels_and_dates(orders: Orders) -> None:
    """Needs order.read; the scope's channels and half-open dates narrow it."""
    first = orders.place()
    elsewhere = orders.place(make_quote(channel=OTHER_CHANNEL))
    orders.clock.advance(dt.timedelta(days=1))
    second = orders.place()
    for actor in (Actor.guest(first.token), Actor.buyer(CustomerId(mint("customer"))), Actor.staff("s")):
        with pytest.raises(NotAllowedError):
            exported(orders, actor)
    assert [first.id, elsewhere.id, second.id] == [row["id"] for row in exported(orders)]
    here = Actor.staff("s", "order.read", scope=Scope(channels=frozenset({CHANNEL})))
    assert [first.id, second.id] == [row["id"] for row in exported(orders, here)]
    assert [second.id] == [row["id"] for row in exported(orders, since=second.placed_at)]
    assert [first.id, elsewhere.id] == [row["id"] for row in exported(orders, before=second.placed_at)]


@attrs.frozen(kw_only=True)
class Packing:
    """How an order is packed."""

    paper: str


class Packs:
    """Knows how orders are packed."""

    name = "packing"
    version = "1.0.0"
    eckit_interface: ClassVar = {"catalog": 1}

    @hookimpl
    def register_facets(self) -> tuple[FacetSpec, ...]:
        return (FacetSpec(kind=Packing, namespace="packing", on="order", needed_for=frozenset({"order"})),)


def test_facets_come_with_the_order(orders: Orders) -> None:
    """Typed, and outside what was agreed; kept by staff who may change orders."""
    packed = attrs.evolve(orders, begin=make_begin(orders.url, plugins=[Packs()], clock=orders.clock))
    mine = orders.place(make_quote())
    with packed.begin.write(STAFF) as work:
        sealed = order.get(work, mine.id).placement
        order.save_facet(work, mine.id, Packing(paper="washi"))
        with pytest.raises(InvalidInputError):
            order.save_facet(work, mine.id, object())
        with pytest.raises(NotFoundError):
            order.save_facet(work, OrderId(mint("order")), Packing(paper="washi"))
    with pytest.raises(NotAllowedError), packed.begin.write(Actor.guest(mine.token)) as work:
        order.save_facet(work, mine.id, Packing(paper="none"))
    for actor in (STAFF, Actor.guest(mine.token)):
        with packed.begin.read(actor) as work:
            found = order.get(work, mine.id)
            assert (Packing(paper="washi"), None, sealed) == (found.facet(Packing), found.facet(int), found.placement)
    with orders.begin.read(STAFF) as work:
        assert {} == order.get(work, mine.id).facets
