"""Codes, references and touches of a cart."""

import hashlib
from collections.abc import Iterable, Mapping

import attrs

from eckit.cart.model import Cart, Touch
from eckit.cart.rules.inputs import MAX_CODES, MAX_ENTRIES, MAX_TOUCHES, entries, entry_name
from eckit.kernel.errors import invalid
from eckit.kernel.freezing import canonical
from eckit.kernel.text import fold_code


def add_code(cart: Cart, text: str) -> Cart:
    """The cart with a code entered, folded; whether it counts is the promotions' to say.

    :raises InvalidInputError: not a code, or over 20.
    """
    code = fold_code(text, "code")
    if code in cart.codes:
        return cart
    if len(cart.codes) >= MAX_CODES:
        raise invalid("too-many-codes", "codes", len(cart.codes) + 1, limit=MAX_CODES)
    return attrs.evolve(cart, codes=(*cart.codes, code))


def remove_code(cart: Cart, text: str) -> Cart:
    """The cart without a code."""
    code = fold_code(text, "code")
    return attrs.evolve(cart, codes=tuple(other for other in cart.codes if other != code))


def set_refs(cart: Cart, changes: Mapping[str, str | None]) -> Cart:
    """The cart with some of its client references set, or removed by None; the others stay.

    :raises InvalidInputError: as :func:`entries`.
    """
    if not isinstance(changes, Mapping):
        raise invalid("not-entries", "client_refs", type(changes).__name__)
    given = entries({name: text for name, text in changes.items() if text is not None}, "client_refs")
    gone = {entry_name(name, "client_refs") for name, text in changes.items() if text is None}
    kept = {name: text for name, text in cart.client_refs.items() if name not in gone}
    merged = {**kept, **given}
    if len(merged) > MAX_ENTRIES:
        raise invalid("too-many-entries", "client_refs", len(merged), limit=MAX_ENTRIES)
    return attrs.evolve(cart, client_refs=merged)


def touch_refs(cart: Cart) -> tuple[str, ...]:
    """What an order names its touches by: the SHA-256 of each, 64 hexadecimal digits. They stay with the cart."""
    told = [{**attrs.asdict(touch), "at": touch.at.isoformat()} for touch in cart.touches]
    return tuple(hashlib.sha256(canonical(one).encode()).hexdigest() for one in told)


def touched(touches: Iterable[Touch]) -> tuple[Touch, ...]:
    """Touches in the order of their instants, each once; of very many the first and the latest are kept."""
    ordered = sorted(set(touches), key=lambda touch: (touch.at, touch.visit_id, touch.position))
    return tuple(ordered if len(ordered) <= MAX_TOUCHES else [ordered[0], *ordered[1 - MAX_TOUCHES :]])
