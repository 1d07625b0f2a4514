"""Everything that names a customer goes; what was agreed and paid stays."""

from eckit.cart import service as cart
from eckit.customer import service as customer
from eckit.kernel.actors import Actor
from eckit.kernel.ids import CustomerId
from eckit.kernel.retry import again_if_moved
from eckit.kernel.work import Begin


@again_if_moved
def erase_customer(begin: Begin, actor: Actor, customer_id: CustomerId) -> None:
    """Take away what names a customer: parties, account, personal facets, and where their visits came from.

    Orders stay whole: they name parties by reference and touches by digest. One's own, or anybody's with
    ``customer.write``; erasing again changes nothing.

    :raises NotFoundError: there is no such customer.
    """
    with begin.write(actor) as work:
        customer.erase(work, customer_id)
        cart.forget_touches(work, customer_id)
