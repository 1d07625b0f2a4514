"""The hooks of the plugin that goes wrong when told to: all that ask, and those of every event."""

import datetime as dt
from typing import Any, Final

import attrs
from moneyed import Money

from eckit import Adjustment, hookimpl
from tests.acceptance.faulty import Told
from tests.acceptance.faulty_things import Things

FAMILIES: Final = (
    "host",
    "channel",
    "catalog",
    "customer",
    "currency",
    "tax",
    "promotion",
    "order",
    "stock",
    "payment",
    "shipping",
    "messages",
)


@attrs.define(eq=False)
class Asked:
    """Everything a plugin can be asked; it is for all that the core would do without it."""

    told: Told
    things: Things
    name: str = "faulty"
    version: str = "1"
    eckit_interface: dict[str, int] = attrs.field(factory=lambda: dict.fromkeys(FAMILIES, 1))

    # -- what it registers --------------------------------------------------------------------------------------------

    @hookimpl
    def register_payment_gateways(self) -> Any:
        return (self.things.gateway,)

    @hookimpl
    def register_carriers(self) -> Any:
        return (self.things.carrier,)

    @hookimpl
    def register_tax_engines(self) -> Any:
        return (self.things.engine,)

    @hookimpl
    def register_promotion_conditions(self) -> Any:
        return (self.things.condition,)

    @hookimpl
    def register_promotion_actions(self) -> Any:
        return (self.things.action,)

    @hookimpl
    def register_rate_sources(self) -> Any:
        return (self.things.rates,)

    @hookimpl
    def register_password_schemes(self) -> Any:
        return (self.things.scheme,)

    @hookimpl
    def register_transports(self) -> Any:
        return (self.things.transport,)

    @hookimpl
    def register_importers(self) -> Any:
        return (self.things.importer,)

    # -- proposals ----------------------------------------------------------------------------------------------------

    @hookimpl
    def propose_adjustments(self, draft: Any) -> Any:
        off = Adjustment(code="club", label="Club", amount=Money(-1, "JPY"))
        return self.told.go("propose_adjustments", (off,), draft)

    @hookimpl
    def propose_payment_fees(self, draft: Any, method: Any) -> Any:
        return self.told.go("propose_payment_fees", (), draft, method)

    @hookimpl
    def propose_shipping_changes(self, request: Any, offers: Any) -> Any:
        return self.told.go("propose_shipping_changes", (), request, offers)

    @hookimpl
    def propose_closed_days(self, location: str, start: dt.date, end: dt.date) -> Any:
        return self.told.go("propose_closed_days", frozenset({start}), location, start, end)

    @hookimpl
    def propose_messages(self, event: Any) -> Any:
        return self.told.go("propose_messages", (), event)

    # -- objections ---------------------------------------------------------------------------------------------------

    @hookimpl
    def check_order(self, quote: Any, actor: Any) -> Any:
        return self.told.go("check_order", (), quote, actor)

    @hookimpl
    def check_payment_method(self, draft: Any, method: Any) -> Any:
        return self.told.go("check_payment_method", (), draft, method)

    @hookimpl
    def check_payment_operation(self, payment: Any, operation: Any) -> Any:
        return self.told.go("check_payment_operation", (), payment, operation)

    @hookimpl
    def check_publishable(self, product: Any, variants: Any) -> Any:
        return self.told.go("check_publishable", (), product, variants)

    @hookimpl
    def check_tax_id(self, scheme: str, number: str) -> Any:
        return self.told.go("check_tax_id", (), scheme, number)

    # -- choices ------------------------------------------------------------------------------------------------------

    @hookimpl
    def choose_order_number(self, series: str, n: int, at: dt.datetime) -> Any:
        return self.told.go("choose_order_number", f"F-{n}", series, n, at)

    @hookimpl
    def choose_allocation(self, wanted: Any, levels: Any) -> Any:
        return self.told.go("choose_allocation", None, wanted, levels)

    @hookimpl
    def choose_parcels(self, items: Any) -> Any:
        return self.told.go("choose_parcels", None, items)

    @hookimpl
    def choose_tax_engine(self, market: Any, place: Any) -> Any:
        return self.told.go("choose_tax_engine", self.things.engine.code, market, place)

    @hookimpl
    def choose_late_money(self, order: Any, payment: Any) -> Any:
        return self.told.go("choose_late_money", None, order, payment)

    @hookimpl
    def choose_price_rounding(self, amounts_minor: tuple[int, ...], currency: str, market: str) -> Any:
        return self.told.go("choose_price_rounding", amounts_minor, amounts_minor, currency, market)

    @hookimpl
    def choose_search(self, channel_id: Any) -> Any:
        return self.told.go("choose_search", self.things.search, channel_id)

    @hookimpl
    def choose_transport(self, channel: str) -> Any:
        return self.told.go("choose_transport", self.things.transport.code, channel)


def hearing(told: Told, hooks: tuple[str, ...], name: str) -> Any:
    """A plugin that hears every event of these hooks."""

    def heard(hook: str) -> Any:
        def hears(self: Any, event: Any) -> Any:
            return told.go(hook, None, event)

        hears.__name__ = hears.__qualname__ = hook
        return hookimpl(hears)

    members = {"name": name, "version": "1", "eckit_interface": dict.fromkeys(FAMILIES, 1)}
    return type("Hearing", (), members | {hook: heard(hook) for hook in hooks})()
