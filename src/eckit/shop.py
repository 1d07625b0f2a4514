"""Shop: the one way in. Compose it of settings and plugins; read, write, and one method per flow."""

import contextlib
import functools
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from eckit.cart import service as cart
from eckit.catalog import service as catalog
from eckit.channel import service as channel
from eckit.currency import service as currency
from eckit.customer import service as customer
from eckit.flows.audit_shop import audit_shop
from eckit.flows.cancel_order import cancel_order
from eckit.flows.change_cart import add_to_cart, set_cart_lines, start_cart
from eckit.flows.chase import chase
from eckit.flows.erase_customer import erase_customer
from eckit.flows.expire_holds import expire_holds
from eckit.flows.import_products import import_products
from eckit.flows.keep_rates import keep_rates
from eckit.flows.lapse_orders import lapse_orders
from eckit.flows.move_money import capture_payment, void_payment
from eckit.flows.place_order import place_order
from eckit.flows.price_cart import price_cart
from eckit.flows.purge import purge
from eckit.flows.receive_notice import apply_notices, receive_notice
from eckit.flows.record_delivery import record_delivery
from eckit.flows.refund_payment import refund_payment
from eckit.flows.relay_events import relay_events
from eckit.flows.resolve_payment import resolve_payment
from eckit.flows.send_mails import send_mails
from eckit.flows.ship_order import ship_order
from eckit.flows.take_payment import find_payment, resume_payment, take_payment
from eckit.kernel import schema, work as kernel_work
from eckit.kernel.actors import Actor
from eckit.kernel.clock import Clock, SystemClock
from eckit.kernel.composing import compose_plugins
from eckit.kernel.database import Database
from eckit.kernel.doors import checked
from eckit.kernel.errors import CompositionError
from eckit.kernel.idempotency import Key
from eckit.kernel.ids import PREFIXES, VariantId
from eckit.kernel.joining import Joined, JoinedBegin
from eckit.kernel.settings import ShopSettings
from eckit.kernel.work import Begin
from eckit.messages import service as messages
from eckit.order import service as order
from eckit.order.model import OrderView
from eckit.payment import service as payment
from eckit.pricing import rules as pricing_rules
from eckit.pricing.model import ExplainLine, Quote
from eckit.promotion import service as promotion
from eckit.shipping import service as shipping
from eckit.stock import service as stock
from eckit.tax import service as tax

P = ParamSpec("P")
R = TypeVar("R")

CAPABILITIES = (channel, catalog, customer, currency, tax, promotion, cart, order, payment, stock, shipping, messages)
"""The services whose hooks a shop's plugins may implement, in the order of the river."""


class Work(kernel_work.Work):
    """One transaction with a desk per capability: ``work.catalog.save(product)``."""

    def variant_of(self, sku_or_id: str) -> VariantId:
        """The variant of a SKU or a variant id.

        :raises NotFoundError: no variant has this SKU.
        """
        if str(sku_or_id).startswith(f"{PREFIXES['variant']}_"):
            return super().variant_of(sku_or_id)
        if self.actor.may("stock.write") and (found := catalog.variant_ids(self, [sku_or_id])):
            return next(iter(found.values()))  # who counts goods may do so before they are published
        return catalog.variant_by_sku(self, sku_or_id).id

    @functools.cached_property
    def channel(self) -> channel.Desk:
        """Channels, markets, sellers, legal entities."""
        return channel.Desk(self)

    @functools.cached_property
    def catalog(self) -> catalog.Desk:
        """Products, variants, categories, prices."""
        return catalog.Desk(self)

    @functools.cached_property
    def customer(self) -> customer.Desk:
        """Customers, parties, accounts."""
        return customer.Desk(self)

    @functools.cached_property
    def currency(self) -> currency.Desk:
        """Exchange rates."""
        return currency.Desk(self)

    @functools.cached_property
    def tax(self) -> tax.Desk:
        """What plugins say to a buyer's tax number."""
        return tax.Desk(self)

    @functools.cached_property
    def promotion(self) -> promotion.Desk:
        """Promotions and coupons."""
        return promotion.Desk(self)

    @functools.cached_property
    def cart(self) -> cart.Desk:
        """Carts."""
        return cart.Desk(self)

    @functools.cached_property
    def order(self) -> order.Desk:
        """Orders."""
        return order.Desk(self)

    @functools.cached_property
    def stock(self) -> stock.Desk:
        """Locations, levels, holds, movements."""
        return stock.Desk(self)

    @functools.cached_property
    def payment(self) -> payment.Desk:
        """Payments; money itself moves by flows."""
        return payment.Desk(self)

    @functools.cached_property
    def shipping(self) -> shipping.Desk:
        """Shipments and parcels."""
        return shipping.Desk(self)

    @functools.cached_property
    def messages(self) -> messages.Desk:
        """Mails waiting and sent."""
        return messages.Desk(self)


def _flow(function: Callable[Concatenate[Begin, P], R]) -> Callable[Concatenate["Shop", P], R]:
    """The method of a shop that runs a flow: same signature without ``begin``, its arguments pass a door."""
    behind = checked(function)

    @functools.wraps(function)
    def method(self: "Shop", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return behind(self.begin, *args, **kwargs)

    return method


class Shop:
    """A shop of a team's own, inside its own program; threads may share it. Its state is connections and plugins."""

    def __init__(self, begin: Begin, settings: ShopSettings, database: Database, *, owns: bool) -> None:
        self.begin = begin
        self.settings = settings
        self.database = database
        self.plugins = begin.plugins
        self._owns = owns
        begin.shop = self

    @classmethod
    def compose(
        cls,
        settings: ShopSettings | str,
        plugins: Iterable[Any] = (),
        *,
        discover: bool = True,
        clock: Clock | None = None,
        check: bool = True,
    ) -> Self:
        """Compose a shop.

        :param settings: as :meth:`ShopSettings.load` reads them, or just a database URL.
        :param plugins: plugin objects, besides those found by entry point.
        :param discover: whether installed distributions are asked for plugins.
        :param check: whether the tables must be there and up to date.
        :raises CompositionError: settings, plugins or tables do not fit; every reason is given.
        """
        if isinstance(settings, str):
            settings = ShopSettings.of(settings)
        specs = [spec for capability in CAPABILITIES for spec in capability.SPECS]
        composed = compose_plugins(
            specs,
            plugins,
            discover=discover and settings.discover,
            settings=settings,
            collect=[capability.collect for capability in CAPABILITIES],
        )
        database = Database(settings.database)
        begin = Begin(
            transactions=database,
            plugins=composed,
            clock=clock or SystemClock(),
            shop_id=settings.shop_id,
            settings=settings,
            work=Work,
        )
        shop = cls(begin, settings, database, owns=True)
        if check:
            shop.check()
        return shop

    def check(self) -> None:
        """Insist that the tables of the core and of every plugin are there, with their columns.

        :raises CompositionError: names each table that is missing or old, whose it is, and the command that mends it.
        """
        with self.read(Actor.system("check")) as work:
            problems = schema.problems(work.connection, self.plugins)
        if problems:
            raise CompositionError(problems=problems)

    # -- transactions ------------------------------------------------------------------------------------------------

    @checked
    def read(self, actor: Actor) -> contextlib.AbstractContextManager[Work]:
        """A Work that sees one state of the database and may not write."""
        return self.begin.read(actor)  # type: ignore[return-value]

    @checked
    def write(self, actor: Actor, key: Key | str | None = None) -> contextlib.AbstractContextManager[Work]:
        """A Work that commits at the end, or rolls back on an exception.

        :param key: idempotency key; a plain text is of the scope ``write``.
        :raises BusyError: send the whole request again.
        """
        return self.begin.write(actor, Key(scope="write", value=key) if isinstance(key, str) else key)  # type: ignore[return-value]

    def join(self, connection: Any, *, in_transaction: Callable[[], bool] = lambda: True) -> "Shop":
        """This shop inside a host's transaction: its Works are savepoints, and never commit, roll back or retry.

        Where neither ``in_transaction`` nor the connection says that a transaction is open, it does as this shop does.

        :param connection: one to this shop's database: an SQLAlchemy ``Connection``; a raw DBAPI connection of
            ``sqlite3`` or psycopg, as Django hands it out; or a callable that gives either, or None for not connected.
        :param in_transaction: tells whether the host's transaction is open now; what talks to the network refuses then.
            Left out, one always is.
        :raises InvalidInputError: ``unknown-database``, a connection of another driver.
        """
        begin = JoinedBegin(
            transactions=Joined.to(connection, schema=self.settings.database.schema, dialect=self.database.dialect),
            in_transaction=in_transaction,
            own=self.database,
            plugins=self.plugins,
            clock=self.begin.clock,
            shop_id=self.begin.shop_id,
            settings=self.settings,
            work=Work,
        )
        return Shop(begin, self.settings, self.database, owns=False)

    @checked
    def explain(self, priced: Quote | OrderView, locale: str = "en") -> tuple[ExplainLine, ...]:
        """Every amount of a quote or an order in words: which plugin, which rule, from what, how it was rounded.

        The amounts of the lines that are not ``included`` add up to the total.
        """
        if isinstance(priced, Quote):
            return pricing_rules.explain(priced, locale)
        return pricing_rules.explain(priced.placement, locale, currency=priced.order.currency)

    def close(self) -> None:
        """Give connections and worker threads back; a joined shop leaves them to the one it came of."""
        if self._owns:
            self.plugins.close()
            self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- flows -------------------------------------------------------------------------------------------------------

    start_cart = _flow(start_cart)
    add_to_cart = _flow(add_to_cart)
    set_cart_lines = _flow(set_cart_lines)
    price_cart = _flow(price_cart)
    place_order = _flow(place_order)
    cancel_order = _flow(cancel_order)
    lapse_orders = _flow(lapse_orders)
    expire_holds = _flow(expire_holds)
    take_payment = _flow(take_payment)
    resume_payment = _flow(resume_payment)
    find_payment = _flow(find_payment)
    capture_payment = _flow(capture_payment)
    void_payment = _flow(void_payment)
    refund_payment = _flow(refund_payment)
    receive_notice = _flow(receive_notice)
    apply_notices = _flow(apply_notices)
    resolve_payment = _flow(resolve_payment)
    chase = _flow(chase)
    ship_order = _flow(ship_order)
    record_delivery = _flow(record_delivery)
    relay_events = _flow(relay_events)
    send_mails = _flow(send_mails)
    import_products = _flow(import_products)
    erase_customer = _flow(erase_customer)
    keep_rates = _flow(keep_rates)
    purge = _flow(purge)
    audit = _flow(audit_shop)
