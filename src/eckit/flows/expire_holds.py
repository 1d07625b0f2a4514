"""Promises whose time is over are given back; carts nobody came back to are abandoned."""

from eckit.cart import service as cart
from eckit.kernel.actors import Actor
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin
from eckit.stock import service as stock


@again_if_moved
def expire_holds(begin: Begin) -> int:
    """Release overdue holds of carts, intakes and the like, and abandon overdue carts; how many holds ended.

    Orders own their holds, which have no end: only cancelling gives those back.
    """
    with begin.write(Actor.system("expire_holds")) as work:
        cart.expire(work)
        return len(stock.expire(work))
