"""What customer asks plugins."""

from typing import Any

from eckit.customer.model import CustomerErased, PasswordScheme, Permission
from eckit.kernel.hookspecs import hookspec


@hookspec()
def register_permissions(settings: Any) -> tuple[Permission, ...]:  # type: ignore[empty-body]
    """Register permission codes this plugin's verbs ask for, so that staff roles can grant them.

    :param settings: the plugin's own settings.
    """


@hookspec()
def register_password_schemes(settings: Any) -> tuple[PasswordScheme, ...]:  # type: ignore[empty-body]
    """Register ways to verify passwords: a better hash, or an old shop's hashes that are replaced at sign-in.

    :param settings: the plugin's own settings.
    """


@hookspec()
def customer_erased(event: CustomerErased, shop: Any) -> None:
    """A customer's personal data is gone: erase yours. After the commit; at least once."""
