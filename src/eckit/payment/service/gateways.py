"""Gateways as plugins registered them, and the ways to pay they offer."""

from collections.abc import Iterator
from typing import Any

from eckit.kernel.errors import EckitError, ObjectedError, Objection, PluginError
from eckit.kernel.ids import MethodCode
from eckit.kernel.plugins import Plugins, Registered
from eckit.kernel.text import Text
from eckit.payment import hooks, rules
from eckit.payment.errors import GatewayMissingError, UnknownMethodError, UnsuitableGatewayError
from eckit.payment.model import (
    Capabilities,
    Captures,
    ChecksConfig,
    Gateway,
    Payment,
    Refunds,
    StoredOperation,
    Voids,
)
from eckit.pricing.model import FeeRule, MethodOffer
from eckit.promotion.model import Draft


def collect(plugins: Plugins) -> None:
    """Ask once for gateways, and insist that each declares what the core can work with.

    :raises UnsuitableGatewayError: names the gateway and what is wrong.
    """
    plugins.collect("register_payment_gateways", hooks.GATEWAYS, code=lambda gateway: gateway.id)
    for registered in plugins.things(hooks.GATEWAYS):
        flaw = _flaw(plugins, registered)
        if flaw is not None:
            raise UnsuitableGatewayError(
                plugin=registered.plugin, hook="register_payment_gateways", reason=f"{registered.code}: {flaw}"
            )


def _flaw(plugins: Plugins, registered: Registered[Gateway]) -> str | None:
    """The first thing that is wrong; what it declares may be of any type."""
    try:
        return next(_flaws(plugins, registered), None)
    except PluginError:
        raise
    except EckitError as error:
        return error.text("en")
    except Exception as error:  # noqa: BLE001 -- whatever comes of what a plugin declares is that plugin's problem
        return f"what it declares cannot be read ({type(error).__name__})"


def _flaws(plugins: Plugins, registered: Registered[Gateway]) -> Iterator[str]:
    gateway = registered.thing
    answered: Any = capabilities(plugins, MethodCode(registered.code))
    if not isinstance(answered, Capabilities):
        yield f"capabilities() answered {type(answered).__name__}"
        return
    declared: Capabilities = answered
    yield from rules.declaration_flaws(declared)
    label: object = gateway.label
    if not isinstance(label, Text):
        yield f"label is {type(label).__name__}"
    for name, wanted, protocol in (
        ("capture", declared.capture != "none", Captures),
        ("refund", declared.refund != "none", Refunds),
        ("void", declared.void, Voids),
    ):
        if wanted and not isinstance(gateway, protocol):
            yield f"it declares {name} and cannot do it"
    if isinstance(gateway, ChecksConfig):
        problems = plugins.guarded(registered.plugin, "check_config", gateway.check_config)
        yield from (problem.text("en") for problem in problems)


def find_gateway(plugins: Plugins, method: MethodCode) -> Registered[Gateway]:
    """The gateway of a way to pay.

    :raises UnknownMethodError: no plugin registered it.
    """
    found = plugins.thing(hooks.GATEWAYS, method)
    if found is None:
        raise UnknownMethodError(method=method)
    return found


def capabilities(plugins: Plugins, method: MethodCode) -> Capabilities:
    """What the gateway of a way to pay declares; asked once.

    :raises UnknownMethodError: no plugin registered it.
    """
    found = find_gateway(plugins, method)

    def ask() -> Capabilities:
        return plugins.guarded(found.plugin, "capabilities", found.thing.capabilities)

    return plugins.cached("eckit", f"payment.capabilities:{method}", 0, ask)


def gateway_of(plugins: Plugins, payment: Payment) -> tuple[Registered[Gateway], Capabilities]:
    """The gateway a payment was begun with, and what it declares.

    :raises GatewayMissingError: it is not there, or is now another merchant account or mode: a test payment is never
        sent to the live provider, nor the other way round.
    """
    try:
        found, declared = find_gateway(plugins, payment.method), capabilities(plugins, payment.method)
    except UnknownMethodError as error:
        raise GatewayMissingError(method=payment.method, reason="not registered") from error
    if (declared.account, declared.mode) != (payment.account, payment.mode):
        raise GatewayMissingError(plugin=found.plugin, method=payment.method, reason="another account or mode")
    return found, declared


def known_capabilities(plugins: Plugins, payment: Payment) -> Capabilities | None:
    """What the payment's gateway declares, or None if it is missing."""
    try:
        return gateway_of(plugins, payment)[1]
    except GatewayMissingError:
        return None


def timeout_of(plugins: Plugins, payment: Payment) -> float:
    """How long a call to the payment's gateway may take, in seconds; 0 if it is missing."""
    declared = known_capabilities(plugins, payment)
    return 0.0 if declared is None else declared.timeout_s


def methods(plugins: Plugins, draft: Draft, total_minor: int | None = None) -> tuple[MethodOffer, ...]:
    """Every way to pay for a draft, by code, or the reasons why it cannot be had.

    :param total_minor: what would be paid, in the draft's currency, where it is known: methods that do not take so much
        or so little are left out.
    """
    return tuple(
        _offer(plugins, draft, MethodCode(registered.code), registered.thing, total_minor)
        for registered in plugins.things(hooks.GATEWAYS)
    )


def _offer(
    plugins: Plugins, draft: Draft, method: MethodCode, gateway: Gateway, total_minor: int | None
) -> MethodOffer:
    reasons = hooks.ask_method(plugins, draft, method)
    limits = capabilities(plugins, method).currencies.get(draft.currency)
    if limits is None:
        reasons += (Objection(code="payment-currency"),)
    elif total_minor is not None and not limits[0] <= total_minor <= limits[1]:
        reasons += (Objection(code="payment-amount"),)
    return MethodOffer(method=method, label=gateway.label, offered=not reasons, reasons=reasons)


def fees(plugins: Plugins, draft: Draft, method: MethodCode) -> tuple[FeeRule, ...]:
    """The fees of paying this way.

    :raises PluginError: a plugin failed: the method cannot be priced.
    """
    return hooks.ask_fees(plugins, draft, method)


def require_no_objection(plugins: Plugins, payment: Payment, operation: StoredOperation) -> None:
    """Insist that no plugin objects to an operation. Outside of any transaction.

    :raises ObjectedError: carries all objections.
    """
    objections = hooks.ask_operation(plugins, payment, operation)
    if objections:
        raise ObjectedError(objections=objections)
