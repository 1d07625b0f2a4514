"""The auditor finds every broken invariant of orders, by name, and nothing where nothing is broken."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from eckit.kernel import auditing
from eckit.kernel.history import history
from eckit.kernel.ids import CartId
from eckit.kernel.minting import mint
from eckit.order import Order, OrderState, audit, rules, service as order
from eckit.order.store import tables
from tests.order.conftest import STAFF, SYSTEM, Orders
from tests.order.quotes import Wish, make_quote

ALL = (
    tables.order, tables.order_line, tables.charge, tables.placement, tables.amendment, tables.block,
)  # fmt: skip


def found(orders: Orders) -> set[str]:
    """The invariants that are broken."""
    with orders.begin.read(SYSTEM) as work:
        return {violation.invariant for violation in auditing.run(work.connection, audit.CHECKS)}


def found_after(orders: Orders, *statements: sa.Executable) -> set[str]:
    """The invariants that these statements break; they are taken back."""
    broken: set[str] = set()
    with contextlib.suppress(_TakenBackError), orders.begin.write(SYSTEM) as work:
        for statement in statements:
            assert work.execute(statement).rowcount >= 1
        broken |= {violation.invariant for violation in auditing.run(work.connection, audit.CHECKS)}
        raise _TakenBackError
    return broken


class _TakenBackError(Exception):
    pass


def lived(orders: Orders) -> dict[str, Order]:
    """Orders that lived through everything there is: canceled whole, in parts, lapsed and ordered again, closed …"""
    quote = make_quote(
        [Wish(steps=3, discount_minor=50), Wish(steps=2, tax_class="reduced", group=1)],
        shipping_minor=(500, 700),
        shipping_discount_minor=100,
        discount_minor=333,
        fee_minor=330,
    )
    cart_id = CartId(mint("cart"))
    them = {
        "new": orders.place(),
        "dollars": orders.place(make_quote([Wish(steps=4)], currency="USD", includes_tax=False, discount_minor=7)),
        "parts": orders.place(quote),
        "lapsed": orders.place(make_quote(cart_id=cart_id)),
        "closed": orders.place(make_quote([Wish(steps=2)])),
        "free": orders.place(make_quote([Wish(unit_minor=0)], shipping_minor=(0,))),
        "canceled": orders.place(),
    }
    with orders.begin.write(STAFF) as work:
        order.cancel(work, them["lapsed"], "lapsed")
        order.confirm(work, them["parts"])
        first, second = (line.id for line in them["parts"].lines)
        order.cancel_units(work, them["parts"], [(first, 1)], "buyer")
        order.note_shipped(work, them["parts"], [(first, 1), (second, 1)])
        order.cancel(work, them["parts"], "buyer")
        order.note_shipped(work, them["closed"], [(them["closed"].lines[0].id, 1)])
        order.cancel(work, them["closed"], "out_of_stock")
        order.close(work, them["closed"])
        order.confirm(work, them["canceled"])
        order.cancel(work, them["canceled"], "buyer")
        block = order.place_block(work, them["new"], "fraud")
        order.lift_block(work, block.id)
    them["again"] = orders.place(make_quote(cart_id=cart_id))
    return them


def loosen(orders: Orders) -> None:
    """Put tables without constraints in the place of the real ones: an auditor is for what got past them."""
    with orders.begin.write(SYSTEM) as work:
        for table in ALL:
            work.connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {table.name}_real")
            work.connection.exec_driver_sql(f"CREATE TABLE {table.name} AS SELECT * FROM {table.name}_real")


def update(table: sa.Table, it: Order, **values: Any) -> sa.Update:
    key = table.c.id if table is tables.order else table.c.order_id
    return sa.update(table).where(key == it.id).values(**values)


def resealed(it: Order, body: str, change: Callable[[dict[str, Any]], object]) -> list[sa.Update]:
    """Statements that change the record and give it a digest that fits, as somebody with access would."""
    document = json.loads(body)
    change(document)
    sealed = rules.seal(document)
    return [
        update(tables.placement, it, body=sealed.text, digest=sealed.digest),
        update(tables.order, it, digest=sealed.digest),
    ]


def test_nothing_is_found_where_nothing_is_broken(orders: Orders) -> None:
    """Whatever orders lived through, every invariant holds."""
    them = lived(orders)
    assert set() == found(orders)
    assert OrderState.PLACED is orders.get(them["parts"]).state
    assert OrderState.CLOSED is orders.get(them["closed"]).state
    assert them["lapsed"].cart_id == them["again"].cart_id


def test_checks_have_names_of_their_own() -> None:
    """A violation can be looked up by the name of its invariant."""
    names = [check.invariant for check in audit.CHECKS]
    assert len(names) == len(set(names))
    assert all(check.clause and check.table.startswith("eckit_") for check in audit.CHECKS)


BROKEN: dict[str, Callable[[dict[str, Order]], list[sa.Executable]]] = {
    "order-total-is-its-charges": lambda them: [update(tables.order, them["new"], total_minor=1)],
    "current-total-is-total-and-amendments": lambda them: [update(tables.order, them["parts"], current_total_minor=1)],
    "nothing-is-below-zero": lambda them: [update(tables.order_line, them["new"], total_minor=-1)],
    "order-is-not-below-zero": lambda them: [update(tables.order, them["new"], current_total_minor=-1)],
    "steps-do-not-exceed-what-was-ordered": lambda them: [update(tables.order_line, them["new"], shipped_steps=2)],
    "one-order-of-a-cart-version": lambda them: [update(tables.order, them["lapsed"], reason="buyer")],
    "live-key-is-the-cart-version": lambda them: [update(tables.order, them["new"], live_cart_key=None)],
    "one-order-of-a-number": lambda them: [update(tables.order, them["new"], number=them["free"].number)],
    "one-order-of-a-token": lambda them: [update(tables.order, them["new"], token=them["free"].token)],
    "token-is-real": lambda them: [update(tables.order, them["new"], token="")],
    "one-currency-of-order_line": lambda them: [update(tables.order_line, them["new"], currency="USD")],
    "one-currency-of-charge": lambda them: [update(tables.charge, them["dollars"], currency="JPY")],
    "one-currency-of-amendment": lambda them: [update(tables.amendment, them["parts"], currency="EUR")],
    "order-has-its-record": lambda them: [
        sa.delete(tables.placement).where(tables.placement.c.order_id == them["new"].id)
    ],
    "canceled-is-all-canceled": lambda them: [update(tables.order_line, them["new"], canceled_steps=1)],
    "lapsed-never-counted": lambda them: [update(tables.order, them["lapsed"], confirmed_at=them["new"].placed_at)],
    "closed-has-nothing-open": lambda them: [update(tables.order, them["new"], state="closed")],
    "placed-once": lambda them: [sa.delete(history).where(history.c.subjects == [str(them["new"].ref)])],
    "confirmed-once": lambda them: [update(tables.order, them["parts"], confirmed_at=None)],
    "canceled-once": lambda them: [sa.delete(history).where(history.c.verb == "order.cancel")],
    "closed-once": lambda them: [sa.delete(history).where(history.c.verb == "order.close")],
    "block-is-lifted-after-it-was-placed": lambda them: [
        update(tables.block, them["new"], lifted_at=them["new"].placed_at - dt.timedelta(seconds=1))
    ],
    "placement-is-sealed": lambda them: [update(tables.placement, them["new"], body="{}")],
    "rows-are-as-placed": lambda them: [update(tables.order_line, them["new"], sku="OTHER")],
    "order-is-placement-and-amendments": lambda them: [update(tables.order_line, them["parts"], returned_steps=1)],
    "amendments-are-linked": lambda them: [update(tables.amendment, them["parts"], reason="other")],
}


def test_broken_invariants_are_found_by_name(orders: Orders) -> None:
    """Each in turn, by statements that no verb would make."""
    them = lived(orders)
    loosen(orders)
    assert set() == found(orders)
    for invariant, statements in BROKEN.items():
        assert invariant in found_after(orders, *statements(them))
    assert {check.invariant for check in audit.CHECKS} - set(BROKEN) == {"placement-adds-up", "placement-names-nobody"}


def test_record_that_cannot_be_read_stops_no_check(orders: Orders) -> None:
    """It is found, and everything else still is checked."""
    it, other = orders.place(), orders.place()
    for text in ("", "{}", "[]", "nothing", '{"form":1,"order":{},"quote":{}}'):
        broken = found_after(
            orders, update(tables.placement, it, body=text), update(tables.order_line, other, sku="OTHER")
        )
        assert {"placement-is-sealed", "rows-are-as-placed"} == broken


def test_placed_order_differs_from_its_record_by_nothing_but_amendments(orders: Orders) -> None:
    """Whatever was agreed is in the record; a row that says something else is found."""
    it = orders.place()
    for field, value in {
        "channel_id": mint("channel"),
        "market_id": mint("market"),
        "customer_id": mint("customer"),
        "buyer": mint("party"),
        "bill_to": mint("party"),
        "locale": "en",
        "basis": "external",
        "origin": "till",
        "number": "X-1",
        "cart_version": 9,
        "currency": "USD",
        "placed_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        "pay_by": None,
    }.items():
        assert "rows-are-as-placed" in found_after(orders, update(tables.order, it, **{field: value})), field


def test_charge_that_is_not_the_agreed_one_is_found(orders: Orders) -> None:
    """Charges are as placed for ever."""
    it = orders.place()
    for field in ("amount_minor", "target", "included", "funded_by", "tax_rate", "label", "kind", "tax_base_minor"):
        value = {"amount_minor": 1, "tax_base_minor": 1, "included": True, "label": {"en": "x"}}.get(field, "x")
        assert "rows-are-as-placed" in found_after(orders, update(tables.charge, it, **{field: value})), field
    assert "rows-are-as-placed" in found_after(orders, sa.delete(tables.charge))


def test_records_that_were_sealed_anew_are_found(orders: Orders) -> None:
    """A record whose digest fits can still be wrong: its sums, what it says of people, what the rows say."""
    it = orders.place(make_quote([Wish(steps=2)], discount_minor=100))
    with orders.begin.read(SYSTEM) as work:
        body = work.connection.execute(sa.select(tables.placement.c.body)).scalar_one()

    def share(document: dict[str, Any]) -> None:
        document["quote"]["shares"][0]["amount_minor"] += 1

    def due(document: dict[str, Any]) -> None:
        document["quote"]["dues"][0]["amount_minor"] += 1

    def base(document: dict[str, Any]) -> None:
        [tax] = [charge["tax"] for charge in document["quote"]["charges"] if charge["tax"]]
        tax["base_minor"] += 1

    for invariant, change in {
        "placement-adds-up": (share, due, base),
        "placement-names-nobody": (
            lambda document: document["quote"]["groups"][0].update(name="山田"),
            lambda document: document["order"].update(note="taro@example.jp"),
        ),
        "rows-are-as-placed": (lambda document: document["order"].update(number="X-1"),),
    }.items():
        for one in change:
            with orders.begin.write(SYSTEM) as work:
                for statement in resealed(it, body, one):
                    work.execute(statement)
            broken = found(orders)
            assert invariant in broken
            assert "placement-is-sealed" not in broken
    with orders.begin.write(SYSTEM) as work:
        for statement in resealed(it, body, lambda document: None):
            work.execute(statement)
    assert set() == found(orders)


def test_amendment_that_is_gone_is_found(orders: Orders) -> None:
    """A chain with a link missing, or made of another order's."""
    it = orders.place(make_quote([Wish(steps=3)]))
    with orders.begin.write(STAFF) as work:
        for _ in range(2):
            order.cancel_units(work, it, [(it.lines[0].id, 1)], "buyer")
        work.execute(sa.delete(tables.amendment).where(tables.amendment.c.seq == 1))
    assert {"amendments-are-linked", "order-is-placement-and-amendments"} <= found(orders)
