"""Carts to be priced without a shop: lines, offers, rates and adjustments as plain arguments."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs
from moneyed import Money

from eckit.cart.model import CartGroup, CartLine
from eckit.catalog.model import Offer, Price, PriceList, Product, SaleUnit, Variant
from eckit.channel.model import Channel, LegalEntity, Market, RoundingPolicy
from eckit.customer.model import TaxPlace
from eckit.kernel.ids import OptionCode
from eckit.kernel.money import Rounding, from_minor
from eckit.kernel.text import Text
from eckit.pricing import rules
from eckit.pricing.model import FeeRule, MethodOffer, Quote, ShippingOffer
from eckit.promotion.model import Adjustment
from eckit.tax.model import TaxLine, TaxRequest

AT = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
HOME = TaxPlace(country="JP")
PROMOTION = "prm_" + "0" * 25


def ident(prefix: str, number: int) -> Any:
    """A well-formed id."""
    return f"{prefix}_{number:026d}"


def rounding(name: str) -> RoundingPolicy:
    """The policy of a name such as ``rate/floor``."""
    level, _, mode = name.partition("/")
    return RoundingPolicy(level=level, mode=Rounding(mode))


def a_market(currency: str = "JPY", *, tax_included: bool = True, policy: str = "rate/floor", **changes: Any) -> Market:
    """A market of one country, by default Japan's."""
    market = Market(
        id=ident("mkt", 1),
        code="home",
        countries=frozenset({"JP"}),
        currency=currency,
        prices_include_tax=tax_included,
        rounding=rounding(policy),
        tax_engine="flat",
    )
    return attrs.evolve(market, **changes)


CHANNEL = Channel(
    id=ident("chn", 1),
    code="web",
    kind="own",
    name="Web",
    legal_entity_id=ident("ent", 1),
    seller_id=ident("sel", 1),
    market_ids=(ident("mkt", 1),),
)
ENTITY = LegalEntity(id=ident("ent", 1), name="Tea K.K.", country="JP")


def the_terms(market: Market, **changes: Any) -> rules.Terms:
    """Terms of a cart in a market."""
    facts: dict[str, Any] = {
        "cart_id": ident("crt", 1),
        "cart_version": 3,
        "channel": CHANNEL,
        "market": market,
        "legal_entity": ENTITY,
        "at": AT,
        "home": HOME,
        "buyer": ident("pty", 1),
        "method": "sandbox.card",
        "versions": {"eckit": "0.1", "promotions": "2.0", "tax-flat": "1.0"},
    }
    return rules.Terms(**facts | changes)


@attrs.frozen
class Item:
    """A line to be: price in minor units per whole unit, steps, tax class (its rate is the class's text)."""

    unit: int
    steps: int = 1
    tax_class: str = "0.10"
    scale: int = 0
    group: int = 1
    kind: str = "goods"


def an_offer(number: int, item: Item, market: Market) -> Offer:
    """The offer of an item, at one price on one list."""
    price_list = PriceList(
        id=ident("pls", 1), code="retail", currency=market.currency, includes_tax=market.prices_include_tax
    )
    variant = Variant(
        id=ident("var", number),
        product_id=ident("prd", number),
        sku=f"SKU-{number}",  # type: ignore[arg-type]
        unit=SaleUnit(scale=item.scale),
        tax_class=item.tax_class,
        kind=item.kind,
    )
    product = Product(id=ident("prd", number), handle=f"p{number}", title=Text.of(f"Thing {number}", ja=f"品{number}"))
    price = Price(variant_id=variant.id, list_id=price_list.id, amount_minor=item.unit)
    return Offer(variant=variant, product=product, category_codes=frozenset(), prices=((price_list, price),))


def a_cart(items: Sequence[Item]) -> tuple[tuple[CartLine, ...], tuple[CartGroup, ...]]:
    """Lines and groups of a cart; line n has the id ``lin_…n`` and goes to its item's group."""
    lines = tuple(
        CartLine(id=ident("lin", n), variant_id=ident("var", n), steps=item.steps, group_id=ident("grp", item.group))
        for n, item in enumerate(items, 1)
    )
    groups = tuple(
        CartGroup(id=ident("grp", number), tax_place=HOME, option=OptionCode(f"mail.{number}"))
        for number in sorted({item.group for item in items})
    )
    return lines, groups


def by_class(request: TaxRequest) -> tuple[rules.TaxAnswer, ...]:
    """A tax engine whose rates are the tax classes themselves: class ``0.08`` is taxed with 8 %."""
    lines = tuple(
        TaxLine(
            key=item.key,
            code=f"vat-{item.tax_class}",
            rate=Decimal(item.tax_class),
            label=Text.of("VAT", ja="消費税"),
            jurisdiction=item.place.country,
        )
        for item in request.items
    )
    return (rules.TaxAnswer(engine="flat", plugin="tax-flat", request=request, lines=lines),)


def off(
    amount: int,
    target: str = "order",
    *,
    currency: str = "JPY",
    code: str = "PROMO",
    priority: int = 0,
    phase: int = 20,
    **changes: Any,
) -> Adjustment:
    """An adjustment in minor units; negative lowers the price."""
    return Adjustment(
        code=code,
        label=Text.of(f"Promotion {code}", ja=f"キャンペーン {code}"),
        amount=from_minor(amount, currency),
        target=target,
        phase=phase,
        priority=priority,
        plugin="promotions",
        **changes,
    )


def price(
    items: Sequence[Item],
    market: Market,
    *,
    on_lines: Iterable[Adjustment] = (),
    on_order: Iterable[Adjustment] = (),
    shipping: Mapping[int, tuple[int, str]] | None = None,
    on_shipping: Iterable[Adjustment] = (),
    fees: Sequence[FeeRule] = (),
    ask: rules.TaxAsk = by_class,
    **terms: Any,
) -> Quote:
    """Price a cart through all stages.

    :param shipping: group number → (amount, tax class) of the option it has taken.
    """
    lines, groups = a_cart(items)
    offers = {
        line.variant_id: an_offer(n, item, market) for n, (line, item) in enumerate(zip(lines, items, strict=True), 1)
    }
    sheet = rules.start(the_terms(market, **terms), groups)
    rules.price_lines(sheet, lines, offers)
    rules.reduce(sheet, on_lines)
    rules.reduce(sheet, on_order)
    for number, group in enumerate(groups, 1):
        if number in (shipping or {}):
            amount, tax_class = (shipping or {})[number]
            option = ShippingOffer(
                option=OptionCode(f"mail.{number}"),
                label=Text.of("By mail", ja="郵便"),
                amount_minor=amount,
                tax_class=tax_class,
                plugin="mail",
                rule="table",
            )
            assert rules.ship(sheet, group, [option]) == option
    rules.reduce_shipping(sheet, on_shipping)
    rules.charge_fees_and_tax(sheet, fees, ask)
    return rules.finish(sheet, methods=(MethodOffer(method=sheet.terms.method, label=Text.of("Card")),))  # type: ignore[arg-type]


def tax_by_code(quote: Quote) -> dict[str, int]:
    """Tax by its code, in minor units."""
    return {charge.code: charge.amount_minor for charge in quote.charges if charge.tax is not None}


def net(quote: Quote) -> int:
    """What the state does not get."""
    return quote.total_minor - quote.tax_minor


def minor(text: str, currency: str) -> int:
    """``"10.50"`` as minor units."""
    from eckit.kernel.money import to_minor

    return to_minor(Money(Decimal(text), currency))
