"""The auditor finds every broken invariant of carts, by name, and nothing where nothing is broken."""

import contextlib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from eckit.cart import Cart, audit, service as cart
from eckit.cart.store import cart as table
from eckit.kernel import auditing
from eckit.kernel.actors import Actor
from eckit.kernel.ids import OrderId
from eckit.kernel.minting import mint
from tests.cart.conftest import Carts

SYSTEM = Actor.system("test")


class _TakenBackError(Exception):
    pass


def found_after(carts: Carts, *statements: sa.Executable) -> set[str]:
    """The invariants that these statements break; they are taken back."""
    broken: set[str] = set()
    with contextlib.suppress(_TakenBackError), carts.begin.write(SYSTEM) as work:
        for statement in statements:
            assert work.execute(statement).rowcount >= 1
        broken |= {violation.invariant for violation in auditing.run(work.connection, audit.CHECKS)}
        raise _TakenBackError
    return broken


def lived(carts: Carts) -> dict[str, Cart]:
    """Carts that lived through everything there is: filled, merged, ordered, ordered and opened again, expired."""
    them = {name: carts.guest()[0] for name in ("full", "merged", "taken", "reopened", "over")}
    for name in ("full", "merged", "taken", "reopened"):
        them[name] = carts.add(SYSTEM, them[name], 2)
    with carts.begin.write(SYSTEM) as work:
        cart.merge(work, them["merged"].id, them["full"].id)
        for name in ("taken", "reopened"):
            cart.take(work, them[name].id, them[name].version, OrderId(mint("order")))
        cart.reopen(work, them["reopened"].id)
        work.execute(sa.update(table).where(table.c.id == them["over"].id).values(expires_at=work.now))
        assert (them["over"].id,) == cart.expire(work)
    return them


def loosen(carts: Carts) -> None:
    """Put a table without constraints in the place of the real one: an auditor is for what got past them."""
    with carts.begin.write(SYSTEM) as work:
        work.connection.exec_driver_sql(f"ALTER TABLE {table.name} RENAME TO {table.name}_real")
        work.connection.exec_driver_sql(f"CREATE TABLE {table.name} AS SELECT * FROM {table.name}_real")


def update(it: Cart, **values: Any) -> sa.Update:
    return sa.update(table).where(table.c.id == it.id).values(**values)


def body(it: Cart, **facts: Any) -> dict[str, Any]:
    line = {"id": mint("line"), "variant_id": mint("variant"), "steps": 1, "group_id": it.groups[0].id}
    whole = {
        "locale": "ja", "buyer": None, "method": None, "codes": [], "touches": [], "client_refs": {}, "seen": {},
        "groups": [{"id": it.groups[0].id}], "lines": [line],
    }  # fmt: skip
    return {**whole, **facts, "lines": [{**line, **change} for change in facts.get("lines", [{}])]}


BROKEN: dict[str, Callable[[dict[str, Cart]], list[sa.Update]]] = {
    "cart-token-is-real": lambda them: [update(them["full"], token="")],
    "taken-cart-has-its-order": lambda them: [update(them["taken"], order_id=None)],
    "one-cart-of-an-order": lambda them: [sa.update(table).values(order_id="x")],
    "merged-into-a-cart": lambda them: [update(them["merged"], merged_into=mint("cart"))],
    "cart-is-whole": lambda them: [update(them["full"], body=body(them["full"], lines=[{"steps": 0}]))],
}


def test_nothing_is_found_where_nothing_is_broken(carts: Carts) -> None:
    """Whatever carts lived through, every invariant holds."""
    them = lived(carts)
    assert set() == found_after(carts, update(them["full"], body=body(them["full"])))


def test_broken_invariants_are_found_by_name(carts: Carts) -> None:
    """Each in turn, by statements that no verb would make."""
    them = lived(carts)
    loosen(carts)
    assert set() == found_after(carts)
    for invariant, statements in BROKEN.items():
        assert invariant in found_after(carts, *statements(them))
    assert {check.invariant for check in audit.CHECKS} == set(BROKEN)


def test_documents_of_carts_are_looked_into(carts: Carts) -> None:
    """Quantities, limits, ids and groups of what is in the document."""
    them = lived(carts)
    it = them["full"]
    for facts in (
        {"lines": [{"steps": 10**7}]},
        {"lines": [{"group_id": mint("group")}]},
        {"lines": [{"id": "x"}, {"id": "x"}]},
        {"lines": [{"id": str(number)} for number in range(201)]},
        {"codes": [str(number) for number in range(21)]},
    ):
        assert {"cart-is-whole"} == found_after(carts, update(it, body=body(it, **facts)))
