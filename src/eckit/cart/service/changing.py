"""How every change of a cart goes: load in the actor's scope and lock, decide, save, announce."""

from collections.abc import Callable, Mapping
from typing import Final

import attrs

from eckit.cart import rules, store
from eckit.cart.errors import AlreadyPlacedError
from eckit.cart.model import Cart, CartChanged
from eckit.cart.store import Stored
from eckit.kernel.errors import MovedError, NotFoundError
from eckit.kernel.ids import CartId, expect_id
from eckit.kernel.refs import Ref
from eckit.kernel.work import Work

READ: Final = "cart.read"
WRITE: Final = "cart.write"


def find(work: Work, cart_id: CartId, permission: str, *, lock: bool = False) -> Stored:
    """The cart as stored, if it is in the actor's scope.

    :raises NotFoundError: there is none, or not for this actor.
    """
    found = store.find(work, CartId(expect_id("cart", cart_id)), lock=lock)
    return scoped(work, found, cart_id, permission)


def scoped(work: Work, found: Stored | None, cart_id: CartId, permission: str) -> Stored:
    """What was found, if it is in the actor's scope."""
    if found is None or not rules.may_use(work.actor, found.cart, permission):
        raise NotFoundError(kind="cart", id=cart_id)
    return found


def usable(found: Stored) -> Stored:
    """What was found, if it may still change.

    :raises AlreadyPlacedError: an order was made of it.
    :raises CartAbandonedError: it is over.
    """
    if found.order_id is not None:
        raise AlreadyPlacedError(order_id=found.order_id)
    rules.require_open(found.cart)
    return found


def change(work: Work, cart_id: CartId, what: str, expect_version: int | None, decide: Callable[[Cart], Cart]) -> Cart:
    """Lock, check, decide, save. What changes nothing writes nothing and keeps the version."""
    found = usable(find(work, cart_id, WRITE, lock=True))
    rules.require_version(found.cart, expect_version)
    return save(work, found, decide(found.cart), what)


def save(work: Work, found: Stored, changed: Cart, what: str, seen: Mapping[str, rules.Seen] | None = None) -> Cart:
    """Write what became of a cart, with the request keys seen on it; the next version if it changed."""
    if changed == found.cart and seen is None:
        return changed
    if changed != found.cart:
        changed = attrs.evolve(changed, version=found.cart.version + 1, expires_at=work.now + rules.LIFETIME)
    kept = found.seen if seen is None else seen
    if not store.save(work, attrs.evolve(found, cart=changed, seen=kept), was=found.cart.version):
        raise MovedError(what="cart")
    note(work, what, changed)
    return changed


def note(work: Work, what: str, changed: Cart) -> None:
    """The audit row's deed and the event of a change."""
    work.did(f"cart.{what}", Ref("cart", changed.id))
    work.announce(CartChanged(cart_id=changed.id, cart_version=changed.version))
