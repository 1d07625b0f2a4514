"""The permissions the core's verbs ask for, so that staff roles can grant them by name."""

from typing import Final

from eckit.customer import Permission
from eckit.kernel.hookspecs import hookimpl

_PLAIN: Final = (
    "cart.read",
    "cart.write",
    "catalog.read",
    "catalog.write",
    "channel.read",
    "channel.write",
    "currency.write",
    "customer.read",
    "customer.write",
    "messages.read",
    "order.read",
    "order.write",
    "payment.read",
    "payment.resolve",
    "payment.take",
    "payment.write",
    "promotion.read",
    "promotion.write",
    "shipping.read",
    "shipping.write",
    "shop.audit",
    "stock.read",
    "stock.write",
)
_WITH_AMOUNT: Final = ("order.refund", "payment.capture", "payment.void")


class CorePermissions:
    """Plugin ``eckit-permissions``."""

    name = "eckit-permissions"
    version = "1"
    eckit_interface: Final = {"customer": 1}

    @hookimpl
    def register_permissions(self) -> tuple[Permission, ...]:
        """All of the core; those that move money may carry a limit."""
        plain = tuple(Permission(code=code) for code in _PLAIN)
        return plain + tuple(Permission(code=code, amount_limit=True) for code in _WITH_AMOUNT)


plugin = CorePermissions()
