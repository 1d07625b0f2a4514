"""Plugins that implement every hook of placing an order and have nothing to say."""

from typing import Any, Final

from eckit import hookimpl

HOOKS: Final = {
    "check_order": (),
    "check_payment_method": (),
    "choose_allocation": None,
    "choose_order_number": None,
    "choose_parcels": None,
    "choose_tax_engine": None,
    "propose_adjustments": (),
    "propose_payment_fees": (),
    "propose_shipping_changes": (),
}
FAMILIES: Final = dict.fromkeys(("order", "payment", "promotion", "shipping", "stock", "tax"), 1)


def silent_plugins(count: int) -> list[Any]:
    """So many of them."""
    return [_silent(number) for number in range(count)]


def _silent(number: int) -> Any:
    def saying(name: str, value: Any) -> Any:
        def hook(self: Any) -> Any:
            return value

        hook.__name__ = name
        return hookimpl(hook)

    body = {name: saying(name, value) for name, value in HOOKS.items()}
    facts = {"name": f"silent-{number:02}", "version": "1", "eckit_interface": FAMILIES}
    return type("Silent", (), {**body, **facts})()
