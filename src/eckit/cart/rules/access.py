"""Who may use a cart, and when it may change."""

from eckit.cart.errors import CartAbandonedError, CartChangedError
from eckit.cart.model import Cart, CartEvent, CartState
from eckit.kernel.actors import Actor, owns
from eckit.kernel.states import table

# fmt: off
MOVES = table(
    # from               when                 to
    (CartState.OPEN,     CartEvent.PLACED,    CartState.TAKEN),
    (CartState.TAKEN,    CartEvent.REOPENED,  CartState.OPEN),
    (CartState.OPEN,     CartEvent.EXPIRED,   CartState.ABANDONED),
    (CartState.OPEN,     CartEvent.MERGED,    CartState.ABANDONED),
)
# fmt: on


def may_use(actor: Actor, cart: Cart, permission: str) -> bool:
    """Whether the cart is in the actor's scope: its own, or by permission in its channel.

    A token left over in a browser does not open a customer's cart to another customer who signs in there.
    """
    if actor.may(permission, channel=cart.channel_id):
        return True
    someone_else = None not in (cart.customer_id, actor.customer_id) and cart.customer_id != actor.customer_id
    return not someone_else and owns(actor, customer=cart.customer_id, token=cart.token)


def require_open(cart: Cart) -> None:
    """Insist that the cart is not over.

    :raises CartAbandonedError: it expired, or was merged.
    """
    if cart.state is CartState.ABANDONED:
        raise CartAbandonedError(cart_id=cart.id, merged_into=cart.merged_into)


def require_version(cart: Cart, expected: int | None) -> None:
    """Insist on the version the caller saw, if it says one.

    :raises CartChangedError: it is another; carries the current one.
    """
    if expected is not None and cart.version != expected:
        raise CartChangedError(what="cart", cart_id=cart.id, version=cart.version)
