"""A trial's shop sells in another currency too, and a plugin that keeps the mails it sends."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

import attrs

import eckit_tax_table
from eckit import (
    Actor,
    Channel,
    Market,
    Order,
    Price,
    PriceList,
    Product,
    Rendered,
    RoundingPolicy,
    SaleUnit,
    Supply,
    Text,
    Variant,
    hookimpl,
    mint,
)
from tests.acceptance.trial import METHOD, STAFF, START, Filled, Trial, person


@attrs.frozen
class Letters:
    """Keeps each mail it is to send."""

    sent: list[Rendered] = attrs.field(factory=list)
    code: str = "letters"

    def send(self, mail: Rendered) -> None:
        """Keep it."""
        self.sent.append(mail)


@attrs.frozen
class Post:
    """The plugin with that transport."""

    letters: Letters = attrs.field(factory=Letters)
    name = "post"
    version = "1"
    eckit_interface: ClassVar = {"messages": 1}

    @hookimpl
    def register_transports(self) -> tuple[Letters, ...]:
        """The transport."""
        return (self.letters,)

    def posted(self, trial: Trial) -> list[Rendered]:
        """All mails there are by now."""
        trial.shop.relay_events()
        trial.shop.send_mails()
        return self.letters.sent


@attrs.frozen(kw_only=True)
class Abroad:
    """A market of its own, with its channel and price list; what is sold there needs no delivery."""

    trial: Trial
    market: Market
    channel: str
    prices: PriceList

    @classmethod
    def opened(
        cls,
        trial: Trial,
        currency: str,
        *,
        code: str = "",
        includes_tax: bool = True,
        rate: str = "0",
        rounding: RoundingPolicy | None = None,
    ) -> "Abroad":
        """Sell in a currency, at one tax rate.

        :param code: of market, channel, price list and tax class, if not the currency's.
        """
        code = code or currency.lower()
        with trial.shop.write(STAFF) as work:
            home = next(iter(work.channel.setup().channels.values()))
            market = work.channel.save_market(
                Market(
                    id=mint("market"),
                    code=code,
                    countries=frozenset({"JP"}),
                    currency=currency,
                    prices_include_tax=includes_tax,
                    rounding=rounding or RoundingPolicy(),
                    tax_engine="tax-table",
                )
            )
            channel: Channel = attrs.evolve(home, id=mint("channel"), code=code, name=code, market_ids=(market.id,))
            work.channel.save_channel(channel)
            listed = PriceList(
                id=mint("price_list"),
                code=code,
                currency=currency,
                includes_tax=includes_tax,
                channel_ids=frozenset({channel.id}),
            )
            work.catalog.save_price_list(listed)
            since = START - dt.timedelta(days=1)
            eckit_tax_table.set_rate(work, country="JP", tax_class=code, rate=rate, code=code, valid_from=since)
        return cls(trial=trial, market=market, channel=code, prices=listed)

    def goods(self, sku: str, price: int, *, scale: int = 0) -> str:
        """Something to download, or sold by a fraction of its unit; its variant id."""
        product, variant = mint("product"), mint("variant")
        with self.trial.shop.write(STAFF) as work:
            sold = Variant(
                id=variant,
                product_id=product,
                sku=sku,
                kind="digital",
                tax_class=self.channel,
                unit=SaleUnit(scale=scale),
                supply=Supply(kind="unlimited"),
            )
            work.catalog.save(Product(id=product, handle=sku.lower(), title=Text.of(sku), state="published"), [sold])
            work.catalog.set_prices(
                self.prices.id, [Price(variant_id=variant, list_id=self.prices.id, amount_minor=price)]
            )
        return variant

    def cart(self, lines: Sequence[tuple[str, int]], *, code: str | None = None) -> Filled:
        """A guest's cart, ready to be ordered."""
        shop = self.trial.shop
        cart = shop.start_cart(Actor.guest(), self.channel, locale="en")
        buyer = Actor.guest(cart.token)
        shop.set_cart_lines(buyer, cart.id, list(lines))
        with shop.write(buyer) as work:
            party = work.customer.add_party(person())
            work.cart.set_buyer(cart.id, party)
            work.cart.set_destination(cart.id, party)
            work.cart.set_method(cart.id, METHOD)
            if code is not None:
                work.cart.add_code(cart.id, code)
        return Filled(shop=shop, cart=cart, buyer=buyer, quote=shop.price_cart(buyer, cart.id))

    def paid(self, lines: Sequence[tuple[str, int]], **more: Any) -> tuple[Actor, Order]:
        """An order that counts."""
        buyer, order = self.cart(lines, **more).placed()
        assert "authorized" == self.trial.pay(buyer, order).status.state.value
        return buyer, order
