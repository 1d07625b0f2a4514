"""Quotes for tests of orders: put together by hand, so that these tests rest on nothing but the models; they add up."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import attrs

from eckit.catalog.model import SaleUnit, Supply
from eckit.channel.model import RoundingPolicy
from eckit.customer.model import TaxPlace
from eckit.kernel.ids import (
    CartId,
    ChannelId,
    ChargeId,
    CustomerId,
    GroupId,
    LineId,
    MarketId,
    MethodCode,
    OptionCode,
    PartyId,
    SellerId,
    Sku,
    VariantId,
)
from eckit.kernel.minting import mint
from eckit.kernel.money import Rounding, round_ratio, split, tax_contained, tax_on
from eckit.kernel.text import Text
from eckit.pricing.model import (
    Charge,
    ChargeKind,
    Due,
    Quote,
    QuoteBasis,
    QuoteGroup,
    QuoteLine,
    Share,
    TaxFacts,
    TraceEntry,
)

AT = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
CHANNEL = ChannelId(mint("channel"))
MARKET = MarketId(mint("market"))
SELLER = SellerId(mint("seller"))
RATES = {"standard": Decimal("0.10"), "reduced": Decimal("0.08"), "exempt": Decimal(0)}


@attrs.frozen(kw_only=True)
class Wish:
    """A line wanted: so many steps of 10^-scale of a unit at a price, in a group of the quote."""

    steps: int = 1
    unit_minor: int = 1_000
    tax_class: str = "standard"
    group: int = 0
    scale: int = 0
    discount_minor: int = 0


def make_quote(
    wishes: Sequence[Wish] = (Wish(),),
    *,
    currency: str = "JPY",
    includes_tax: bool = True,
    discount_minor: int = 0,
    shipping_minor: Sequence[int] = (500,),
    shipping_discount_minor: int = 0,
    fee_minor: int = 0,
    customer: CustomerId | None = None,
    buyer: PartyId | None = None,
    cart_id: CartId | None = None,
    cart_version: int = 3,
    channel: ChannelId = CHANNEL,
    locale: str = "ja",
    series: str = "main",
) -> Quote:
    """A quote that adds up.

    :param discount_minor: of the order, shared over its lines. ``shipping_minor``: of each group, in order.
    """
    groups = [
        QuoteGroup(
            id=GroupId(mint("group")),
            mode="ship",
            destination=PartyId(mint("party")),
            tax_place=TaxPlace(country="JP", region="東京都", postal_prefix="150"),
            option=OptionCode("tablerate.standard"),
        )
        for _ in shipping_minor
    ]
    maker = _Maker(currency, includes_tax)
    lines = [maker.line(wish, groups[wish.group].id) for wish in wishes]
    maker.reduce_order(min(discount_minor, sum(maker.left[f"line:{line.id}"] for line in lines)), lines)
    maker.ship(groups, shipping_minor, shipping_discount_minor)
    if fee_minor:
        maker.extra("order", ChargeKind.FEE, "cod", fee_minor, "standard")
    maker.tax()
    total = sum(charge.amount_minor for charge in maker.charges if not charge.included)
    return Quote(
        cart_id=cart_id or CartId(mint("cart")),
        cart_version=cart_version,
        basis=QuoteBasis.RULES,
        channel_id=channel,
        market_id=MARKET,
        customer_id=customer,
        buyer=buyer or PartyId(mint("party")),
        locale=locale,
        currency=currency,
        prices_include_tax=includes_tax,
        rounding=RoundingPolicy(),
        series=series,
        priced_at=AT,
        valid_until=AT + dt.timedelta(minutes=15),
        lines=tuple(attrs.evolve(line, total_minor=maker.left[f"line:{line.id}"]) for line in lines),
        groups=tuple(groups),
        charges=tuple(maker.charges),
        shares=tuple(maker.shares),
        trace=(TraceEntry(phase="goods", target="order", plugin="eckit", version="1", rule="web", amount_minor=total),),
        method=MethodCode("sandbox.card"),
        total_minor=total,
        dues=(Due(seq=1, amount_minor=total, method=MethodCode("sandbox.card")),) if total else (),
        stamps={"prices": 4, "catalog": 2},
        digest="0" * 64,
    )


class _Maker:
    """Collects charges and shares, and what is left of each target to be taxed."""

    def __init__(self, currency: str, includes_tax: bool) -> None:
        self.currency = currency
        self.includes_tax = includes_tax
        self.charges: list[Charge] = []
        self.shares: list[Share] = []
        self.left: dict[str, int] = {}
        self.classes: dict[str, str] = {}

    def charge(self, target: str, kind: ChargeKind, code: str, amount: int, **more: object) -> Charge:
        charge = Charge(
            id=ChargeId(mint("charge")),
            target=target,
            kind=kind,
            code=code,
            label=Text.of(code, ja=code),
            amount_minor=amount,
            **more,
        )
        self.charges.append(charge)
        return charge

    def line(self, wish: Wish, group: GroupId) -> QuoteLine:
        goods = round_ratio(wish.unit_minor * wish.steps, 10**wish.scale, Rounding.HALF_UP)
        line_id, variant = LineId(mint("line")), VariantId(mint("variant"))
        target = f"line:{line_id}"
        self.charge(
            target, ChargeKind.GOODS, f"SKU-{variant[-6:]}", goods, tax_class=wish.tax_class, earned_by="seller"
        )
        self.left[target], self.classes[target] = goods, wish.tax_class
        cut = min(wish.discount_minor, goods)
        if cut:
            self.charge(target, ChargeKind.DISCOUNT, "line-promotion", -cut, funded_by="shop", phase=10)
            self.left[target] -= cut
        return QuoteLine(
            id=line_id,
            group_id=group,
            seller_id=SELLER,
            variant_id=variant,
            sku=Sku(f"SKU-{variant[-6:]}"),
            title=Text.of("Tea", ja="お茶"),
            option=Text.of("50 g"),
            choices={"engraving": "初夏"},
            steps=wish.steps,
            unit=SaleUnit(scale=wish.scale),
            list_minor=wish.unit_minor,
            unit_minor=wish.unit_minor,
            goods_minor=goods,
            total_minor=goods,
            tax_class=wish.tax_class,
            supply=Supply(),
            kind="goods",
        )

    def reduce_order(self, amount: int, lines: Sequence[QuoteLine]) -> None:
        if not amount:
            return
        targets = [f"line:{line.id}" for line in lines]
        discount = self.charge("order", ChargeKind.DISCOUNT, "order-promotion", -amount, funded_by="shop", phase=20)
        for target, part in zip(targets, split(-amount, [self.left[target] for target in targets]), strict=True):
            if part:
                self.left[target] += part
                self.shares.append(Share(discount.id, target, part))

    def extra(self, target: str, kind: ChargeKind, code: str, amount: int, tax_class: str) -> str:
        charge = self.charge(target, kind, code, amount, tax_class=tax_class, earned_by="seller")
        self.left[f"charge:{charge.id}"], self.classes[f"charge:{charge.id}"] = amount, tax_class
        return f"charge:{charge.id}"

    def ship(self, groups: Sequence[QuoteGroup], amounts: Sequence[int], discount: int) -> None:
        targets = [
            self.extra(f"group:{group.id}", ChargeKind.SHIPPING, "tablerate.standard", amount, "standard")
            for group, amount in zip(groups, amounts, strict=True)
        ]
        cut = min(discount, sum(amounts))
        if not cut:
            return
        charge = self.charge("order", ChargeKind.DISCOUNT, "free-shipping", -cut, funded_by="shop", phase=30)
        for target, part in zip(targets, split(-cut, list(amounts)), strict=True):
            if part:
                self.left[target] += part
                self.shares.append(Share(charge.id, target, part))

    def tax(self) -> None:
        compute = tax_contained if self.includes_tax else tax_on
        for tax_class in dict.fromkeys(self.classes.values()):
            targets = [target for target, its in self.classes.items() if its == tax_class]
            base, rate = sum(self.left[target] for target in targets), RATES[tax_class]
            if not base:
                continue
            amount = compute(base, rate, Rounding.FLOOR)
            facts = TaxFacts(code=f"jp-{tax_class}", rate=rate, base_minor=base, jurisdiction="JP")
            charge = self.charge(
                "order",
                ChargeKind.TAX,
                f"jp-{tax_class}",
                amount,
                included=self.includes_tax,
                remitted_by="shop",
                tax=facts,
            )
            for target, part in zip(targets, split(amount, [self.left[target] for target in targets]), strict=True):
                if part:
                    self.shares.append(Share(charge.id, target, part))
