"""What a cart costs, why, and what is still missing before it can be ordered."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from eckit.cart import service as carts
from eckit.cart.model import Cart, CartGroup
from eckit.catalog import service as catalog
from eckit.catalog.model import Offer
from eckit.channel import service as channels
from eckit.channel.model import LegalEntity, Market
from eckit.currency import service as currencies
from eckit.customer import service as customers
from eckit.customer.model import TaxPlace
from eckit.kernel import facets
from eckit.kernel.actors import Actor
from eckit.kernel.clock import utc
from eckit.kernel.errors import Objection, PluginError
from eckit.kernel.ids import CartId, MethodCode, VariantId, expect_id
from eckit.kernel.money import Rounding, from_minor, round_ratio
from eckit.kernel.own import Own
from eckit.kernel.plugins import FailureRecord, Plugins, Registered
from eckit.kernel.refs import Ref
from eckit.kernel.work import Begin, Work
from eckit.payment import service as payments
from eckit.pricing import rules
from eckit.pricing.model import FeeRule, MethodOffer, Quote, QuoteRef, ShippingOffer
from eckit.promotion import service as promotions
from eckit.promotion.model import Adjustment, CodeAnswer, Coupon
from eckit.promotion.rules import Book
from eckit.shipping import service as shipping
from eckit.shipping.model import FareRequest, ParcelItem
from eckit.tax import service as taxes
from eckit.tax.model import Taxable, TaxEngine, TaxRequest

_ALWAYS = ("channel", "catalog", "prices", "promotions")
"""Stamps every price rests on."""
_RATES = currencies.STAMP
"""The stamp of kept exchange rates, on which a price rests where something has to be converted."""


def price_cart(begin: Begin, actor: Actor, cart_id: CartId, *, as_of: QuoteRef | None = None) -> Quote:
    """Price a cart: lines, promotions, delivery, fees, tax; everything that makes the total, and its trace.

    What is missing (an address, a way to pay …) does not stop it: it stands in the quote's ``open``, as ``country``
    does where the market does not sell to the address's; the tax shown is then that of home. Nothing is written. At
    most six reads, whatever the lines and promotions; the rest is known by version stamps. Where something has no price
    in the market's currency and one in another, it is converted by the rate that was kept, which is one more read for
    each such currency; no source of rates is asked.

    :param as_of: a quote that was shown before; within the market's freeze it is priced as of that one's instant, with
        the prices, promotions and rates of then, so that the buyer pays what was confirmed. Later, as of now.
    :raises NotFoundError: no such cart for this actor.
    :raises AlreadyPlacedError: an order was made of it.
    :raises TaxUnavailableError: no believable answer about tax. Never priced without it.
    :raises PluginError: names the plugin that failed where its answer makes an amount.
    """
    expect_id("cart", cart_id)
    with begin.read(actor) as work:
        return priced(work, cart_id, as_of)


def priced(work: Work, cart_id: CartId, as_of: QuoteRef | None) -> Quote:
    """The same within a Work that is reading already."""
    return _Pricing(work, _read(work, cart_id, as_of)).run()


# -- the reads --------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _Facts:
    """Everything a price rests on, as it was in one snapshot of the database."""

    cart: Cart
    converts: bool
    terms: rules.Terms
    offers: Mapping[VariantId, Offer]
    book: Book
    coupons: Mapping[str, Coupon]
    stamps: Mapping[str, int]
    failures: tuple[FailureRecord, ...]


def _read(work: Work, cart_id: CartId, as_of: QuoteRef | None) -> _Facts:
    cart = carts.get(work, cart_id)
    stamps = work.stamps(_stamp_names(work.plugins, cart))
    setup = channels.setup(work, stamp=stamps["channel"])
    channel, market = setup.channels[cart.channel_id], setup.markets[cart.market_id]
    entity = setup.legal_entities[channel.legal_entity_id]
    offers = catalog.offers(work, [line.variant_id for line in cart.lines]) if cart.lines else {}
    extra = _facets(work, cart, offers)
    terms = rules.Terms(
        cart_id=cart.id,
        cart_version=cart.version,
        channel=channel,
        market=market,
        legal_entity=entity,
        at=_instant(work.now, as_of, market.freeze),
        home=_home(market, entity),
        locale=cart.locale,
        customer_id=cart.customer_id,
        customer_groups=customers.groups_of(work, cart.customer_id),
        buyer=cart.buyer,
        codes=cart.codes,
        method=cart.method,
        versions={name: info.version for name, info in work.plugins.infos.items()},
        facets=_by_kind(work.plugins, offers, extra),
    )
    foreign = rules.to_convert(terms, cart.lines, offers)
    if foreign:
        terms = attrs.evolve(terms, rates=currencies.in_force(work, foreign, market.currency, terms.at))
    return _Facts(
        cart=cart,
        converts=bool(foreign),
        terms=terms,
        offers=offers,
        book=promotions.book(work, stamp=stamps["promotions"]),
        coupons=promotions.coupons(work, cart.codes, channel.id),
        stamps=stamps,
        failures=extra.failures,
    )


def _stamp_names(plugins: Plugins, cart: Cart) -> set[str]:
    """What the price may rest on; of a plugin, the stamp of its own tables and facets."""
    asked = (*plugins.things(shipping.CARRIERS), *plugins.things(taxes.ENGINES), *_pricing_facets(plugins))
    names = {*_ALWAYS, _RATES, *(f"plugin:{entry.plugin}" for entry in asked)}
    return names | {f"customer:{cart.customer_id}"} if cart.customer_id else names


def _instant(now: dt.datetime, as_of: QuoteRef | None, freeze: dt.timedelta) -> dt.datetime:
    """The instant to price at: the confirmed quote's, for as long as that is valid."""
    if as_of is None:
        return now
    at = utc(as_of.priced_at, "as_of.priced_at")
    return at if at <= now < at + freeze else now


def _home(market: Market, entity: LegalEntity) -> TaxPlace:
    """Where goods are taken to go while the address is open: the seller's country if sold there, else the first."""
    if not market.countries or entity.country in market.countries:
        return TaxPlace(country=entity.country)
    return TaxPlace(country=min(market.countries))


def _pricing_facets(plugins: Plugins) -> list[Registered[facets.FacetSpec]]:
    return [entry for entry in plugins.things("facet") if facets.PRICING in entry.thing.needed_for]


def _facets(work: Work, cart: Cart, offers: Mapping[VariantId, Offer]) -> facets.Loaded:
    """Plugins' extra facts that prices rest on, in one statement; none if none is registered.

    Those of products came with the offers.
    """
    owners = {Ref("variant", variant_id) for variant_id in offers}
    if cart.customer_id is not None:
        owners.add(Ref("customer", cart.customer_id))
    return facets.load(work, sorted(owners, key=str), facets.PRICING)


def _by_kind(plugins: Plugins, offers: Mapping[VariantId, Offer], loaded: facets.Loaded) -> dict[type, Any]:
    """As a draft shows them, by class; of products and variants by class and then by the variant's id."""
    of_many = {"product", "variant"}
    found: dict[type, Any] = {entry.thing.kind: {} for entry in _pricing_facets(plugins) if entry.thing.on in of_many}
    for owner, values in loaded.items():
        for kind, value in values.items():
            if owner.kind in of_many:
                found[kind][owner.id] = value
            else:
                found[kind] = value
    for variant_id, offer in offers.items() if found else ():
        for kind, value in offer.product.facets.items():
            found.setdefault(kind, {})[variant_id] = value
    return found


# -- the stages -------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Delivery:
    """What can be had for a group, and what was taken."""

    group: CartGroup
    offers: tuple[ShippingOffer, ...] = ()
    refusals: tuple[Objection, ...] = ()
    taken: ShippingOffer | None = None

    @property
    def cost(self) -> int:
        return 0 if self.taken is None else self.taken.amount_minor


def _phases(book: Book) -> frozenset[int]:
    """The phases in which any promotion works."""
    by_coupon = (entry.action.phase for entry in book.by_coupon.values())
    return frozenset({*(phase for phase, _ in book.automatic), *by_coupon})


class _Pricing:
    """One pricing: rules do the arithmetic, plugins are asked between them."""

    def __init__(self, work: Work, facts: _Facts) -> None:
        self._facts = facts
        self._plugins = work.plugins
        self._own = Own(work, reading_only=True)
        self._sheet = rules.start(facts.terms, facts.cart.groups)
        self._codes: list[CodeAnswer] = []
        self._failures: list[FailureRecord] = list(facts.failures)
        self._rested = {name for name in facts.stamps if not name.startswith("plugin:")}
        if not facts.converts:
            self._rested.discard(_RATES)
        self._rested |= {f"plugin:{entry.plugin}" for entry in _pricing_facets(work.plugins)}
        self._on_shipping: dict[int, Sequence[Adjustment]] = {}
        stamp, book = facts.stamps["promotions"], facts.book
        self._phases = work.plugins.cached("eckit", "price_cart.phases", stamp, lambda: _phases(book))
        self._proposing = bool(work.plugins.implementations("propose_adjustments"))

    def run(self) -> Quote:
        """All stages."""
        sheet, cart = self._sheet, self._facts.cart
        rules.price_lines(sheet, cart.lines, self._facts.offers, round_price=self._rounded().__getitem__)
        for phase in (10, 20):
            rules.reduce(sheet, self._promoted(phase, keep_codes=True))
        deliveries = [self._deliver(group) for group in cart.groups]
        self._on_shipping[sheet.shipping_left] = on_shipping = self._promoted(30, keep_codes=True)
        rules.reduce_shipping(sheet, on_shipping)
        groups = [self._with_options(delivery, deliveries) for delivery in deliveries]
        fees = self._fees()
        rules.charge_fees_and_tax(sheet, fees or (), self._ask_tax)
        return rules.finish(
            sheet,
            groups=groups,
            codes=sorted(self._codes, key=lambda answer: answer.code),
            methods=self._methods(without=None if fees is not None else cart.method),
            failures=self._failures,
            stamps={name: self._facts.stamps[name] for name in sorted(self._rested)},
        )

    def _rounded(self) -> Mapping[int, int]:
        """What converted prices become in this market; nobody is asked where nothing is converted."""
        terms, facts = self._sheet.terms, self._facts
        amounts = rules.to_round(terms, facts.cart.lines, facts.offers)
        return currencies.rounded(self._plugins, amounts, terms.market.currency, terms.market.code)

    def _promoted(
        self, phase: int, *, shipping_minor: int | None = None, keep_codes: bool = False
    ) -> Sequence[Adjustment]:
        """What promotions give in a phase; nobody is asked where nobody could answer."""
        facts = self._facts
        about_codes = phase == 10 and facts.terms.codes
        if not (about_codes or phase in self._phases or (self._proposing and phase != 10)):
            return ()
        draft = self._sheet.draft(shipping_minor=shipping_minor)
        adjustments, answers = promotions.apply(self._plugins, facts.book, facts.coupons, draft, phase)
        if keep_codes:
            self._codes += answers
        return adjustments

    # shipping

    def _deliver(self, group: CartGroup) -> _Delivery:
        sheet = self._sheet
        if not rules.can_ask_carriers(sheet, group) or group.tax_place is None:
            return _Delivery(group)
        lines = rules.to_ship(sheet, group.id)
        request = FareRequest(
            origin=None,
            destination=group.tax_place,
            parcels=shipping.parcels(self._plugins, [_item(row) for row in lines]),
            goods_value=from_minor(sum(row.left for row in lines), sheet.currency),
            goods_include_tax=sheet.includes_tax,
            at=sheet.terms.at,
        )
        self._rested |= {f"plugin:{entry.plugin}" for entry in self._plugins.things(shipping.CARRIERS)}
        offers, refusals, failures = shipping.options(
            self._plugins, self._own, self._facts.stamps, request, locale=sheet.terms.locale
        )
        self._failures += failures
        return _Delivery(group, tuple(offers), tuple(refusals), rules.ship(sheet, group, offers))

    def _with_options(self, delivery: _Delivery, deliveries: Sequence[_Delivery]) -> Any:
        others = [other.cost for other in deliveries if other is not delivery]
        return rules.priced_group(
            self._sheet, delivery.group, delivery.offers, delivery.refusals, others, self._shipping_promotions
        )

    def _shipping_promotions(self, shipping_minor: int) -> Sequence[Adjustment]:
        """The shipping promotions if all shipping cost so much; asked once for each amount."""
        if shipping_minor not in self._on_shipping:
            self._on_shipping[shipping_minor] = self._promoted(30, shipping_minor=shipping_minor)
        return self._on_shipping[shipping_minor]

    # paying

    def _fees(self) -> tuple[FeeRule, ...] | None:
        """The fees of the way to pay that is wished for; None where they cannot be told: it is left out then."""
        method = self._facts.cart.method
        if method is None or not self._sheet.lines:
            return ()
        try:
            fees = payments.fees(self._plugins, self._sheet.draft(), method)
            rules.check_fees(fees)
        except PluginError as error:
            self._failures.append(FailureRecord(plugin=error.plugin, hook=error.hook, reason=error.reason))
            return None
        return fees

    def _methods(self, *, without: MethodCode | None) -> tuple[MethodOffer, ...]:
        """Every way to pay for what it costs in the end; ``without`` is one whose fee cannot be told."""
        if not self._sheet.lines:
            return ()
        offered = payments.methods(self._plugins, self._sheet.draft(), self._sheet.total)
        return tuple(
            attrs.evolve(one, offered=False, reasons=(*one.reasons, Objection(code="payment-fee")))
            if one.method == without
            else one
            for one in offered
        )

    # tax

    def _ask_tax(self, request: TaxRequest) -> Sequence[rules.TaxAnswer]:
        sheet = self._sheet
        places = dict.fromkeys((*map(sheet.place_of, sheet.groups), sheet.terms.home))
        engines = {place: taxes.engine_for(self._plugins, sheet.terms.market, place) for place in places}
        by_code = {engine.code: engine for engine in engines.values()}
        if len(by_code) == 1:
            [engine] = by_code.values()
            return [self._ask_engine(engine, request)]
        parts: defaultdict[str, list[Taxable]] = defaultdict(list)
        for item in request.items:
            parts[engines[item.place].code].append(item)
        return [
            self._ask_engine(by_code[code], attrs.evolve(request, items=tuple(items)))
            for code, items in sorted(parts.items())
        ]

    def _ask_engine(self, engine: Registered[TaxEngine], request: TaxRequest) -> rules.TaxAnswer:
        stamp = f"plugin:{engine.plugin}"
        self._rested.add(stamp)
        lines = taxes.ask(self._plugins, engine.code, self._own, self._facts.stamps[stamp], request)
        return rules.TaxAnswer(engine=engine.code, plugin=engine.plugin, request=request, lines=lines)


def _item(row: Any) -> ParcelItem:
    """A line as it is packed; what is sold by measure is one thing of its whole weight."""
    variant = row.offer.variant
    measures, scale = variant.measures, variant.unit.scale
    weight, steps = measures.weight_grams, row.steps
    if scale:
        weight = None if weight is None else round_ratio(weight * steps, 10**scale, Rounding.CEIL)
        steps = 1
    return ParcelItem(
        sku=variant.sku,
        steps=steps,
        weight_grams=weight,
        length_mm=measures.length_mm,
        width_mm=measures.width_mm,
        height_mm=measures.height_mm,
    )
