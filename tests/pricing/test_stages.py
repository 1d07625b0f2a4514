"""The stages of pricing: what each refuses, cuts, notes and leaves open."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.channel.model import Registration
from eckit.customer.model import TaxPlace
from eckit.kernel.clock import Window
from eckit.kernel.errors import ObjectedError, Objection
from eckit.kernel.ids import OptionCode, expect_id
from eckit.kernel.text import Text
from eckit.pricing import rules
from eckit.pricing.errors import AdjustmentError, DoesNotAddUpError, FeeTableError, NotReadyError, QuoteChangedError
from eckit.pricing.model import ChargeKind, FeeRule, FeeTier, MethodOffer, OpenItem, Quote, QuoteBasis, ShippingOffer
from eckit.promotion.model import Use
from tests.pricing.priced import (
    AT,
    ENTITY,
    PROMOTION,
    Item,
    a_cart,
    a_market,
    an_offer,
    by_class,
    ident,
    off,
    price,
    rounding,
    tax_by_code,
    the_terms,
)

YEN = a_market()
LINE_1 = ident("lin", 1)

# -- reductions -------------------------------------------------------------------------------------------------------


def discounts(quote: Quote) -> list[int]:
    return [charge.amount_minor for charge in quote.of_kind(ChargeKind.DISCOUNT)]


def test_one_promotion_reaches_one_target_once() -> None:
    """PRM-07: proposed as automatic and by code, it is applied once; the second try is in the trace with nothing."""
    twice = [off(-100, code=code, promotion_id=PROMOTION) for code in ("AUTO", "CODE")]
    quote = price([Item(1000)], YEN, on_order=twice)
    assert [-100] == discounts(quote)
    assert ["repeated"] == [entry.inputs["why"] for entry in quote.trace if entry.amount_minor == 0]


def test_one_promotion_may_reach_several_targets() -> None:
    """10 % off each line of a category is one promotion on several lines."""
    each = [off(-10 * n, ident("lin", n), phase=10, promotion_id=PROMOTION) for n in (1, 2)]
    assert [-10, -20] == discounts(price([Item(100), Item(200)], YEN, on_lines=each))


def test_same_code_of_two_plugins_is_two_promotions() -> None:
    """A code is a plugin's own."""
    two = [off(-10, code="CLUB"), attrs.evolve(off(-20, code="CLUB"), plugin="club")]
    assert [-10, -20] == discounts(price([Item(100)], YEN, on_order=two))


def test_two_free_shipping_promotions_leave_the_goods_alone() -> None:
    """PRM-06: shipping is 0 at the least, and goods are never made cheaper by it."""
    free = [off(-500, "shipping", code=code, phase=30) for code in ("A", "B")]
    quote = price([Item(1000)], YEN, shipping={1: (500, "0.10")}, on_shipping=free)
    assert (1000, [-500]) == (quote.total_minor, discounts(quote))


def test_shipping_reduction_of_two_groups_is_shared_by_their_cost() -> None:
    """One reduction over two deliveries is one charge with a share on each."""
    quote = price(
        [Item(100, group=1), Item(100, group=2)],
        YEN,
        shipping={1: (300, "0.10"), 2: (600, "0.10")},
        on_shipping=[off(-90, "shipping", phase=30)],
    )
    [discount] = quote.of_kind(ChargeKind.DISCOUNT)
    first, second = (charge.id for charge in quote.of_kind(ChargeKind.SHIPPING))
    assert {f"charge:{first}": -30, f"charge:{second}": -60} == {
        share.target: share.amount_minor for share in quote.shares if share.charge_id == discount.id
    }


def test_surcharge_raises_what_it_is_on() -> None:
    """A positive adjustment is a fee that somebody earns, taxed like the lines it is on."""
    quote = price([Item(100), Item(300)], a_market(tax_included=False), on_order=[off(40)])
    [fee] = quote.of_kind(ChargeKind.FEE)
    assert (40, "seller", None) == (fee.amount_minor, fee.earned_by, fee.funded_by)
    assert ([110, 330], 44) == ([line.total_minor for line in quote.lines], quote.tax_minor)


def test_surcharge_on_goods_that_cost_nothing_is_shared_equally() -> None:
    """What cannot be shared by cost is shared line by line."""
    quote = price([Item(0), Item(0)], YEN, on_order=[off(5)])
    assert [3, 2] == [line.total_minor for line in quote.lines]


@pytest.mark.parametrize(
    ("amount", "target", "reason"),
    [
        (Money(Decimal(-5), "USD"), "order", "amount in USD, the cart is in JPY"),
        (Money(Decimal("-0.5"), "JPY"), "order", "-0.5"),
        (Money(Decimal(-5), "JPY"), ident("lin", 9), f"there is no line {ident('lin', 9)}"),
        (Money(Decimal(-5), "JPY"), "shipping", "there is no line shipping"),
    ],
)
def test_unusable_adjustment_names_its_plugin(amount: Money, target: str, reason: str) -> None:
    """MNY-03, MNY-12: another currency, half a yen or a line that is not there prices nothing."""
    with pytest.raises(AdjustmentError) as caught:
        price([Item(100)], YEN, on_order=[attrs.evolve(off(-5), amount=amount, target=target)])
    assert "promotions" == caught.value.plugin
    assert reason in caught.value.reason


def test_goods_are_no_target_of_shipping_promotions() -> None:
    """In the last phase goods are settled."""
    with pytest.raises(AdjustmentError):
        price([Item(100)], YEN, shipping={1: (300, "0.10")}, on_shipping=[off(-5, LINE_1, phase=30)])


def test_adjustment_keeps_its_roles_and_names() -> None:
    """Who bears it, which coupon opened it, which plugin in which version proposed it."""
    proposed = off(-10, funded_by="maker", promotion_id=PROMOTION, coupon="TEA", inputs={"percent": "10"})
    [charge] = price([Item(100)], YEN, on_order=[proposed]).of_kind(ChargeKind.DISCOUNT)
    assert ("maker", PROMOTION, "TEA") == (charge.funded_by, charge.promotion_id, charge.coupon)
    assert ("promotions", "2.0", "PROMO") == (charge.plugin, charge.plugin_version, charge.rule)


def test_promotion_is_used_once_with_all_it_gives() -> None:
    """Three lines and shipping of one promotion are one use; what found nothing left is none."""
    each = [off(-10 * n, ident("lin", n), code="TEA", phase=10, promotion_id=PROMOTION) for n in (1, 2)]
    other = PROMOTION[:-1] + "1"
    quote = price(
        [Item(100), Item(200)],
        YEN,
        on_lines=each,
        on_order=[off(-300, code="ALL", promotion_id=other, coupon="ALL"), off(-5, code="NO", promotion_id="prm_2")],
    )
    assert (
        Use(promotion_id=PROMOTION, coupon=None, amount_minor=30),  # type: ignore[arg-type]
        Use(promotion_id=other, coupon="ALL", amount_minor=270),  # type: ignore[arg-type]
    ) == rules.uses(quote)
    assert () == rules.uses(price([Item(100)], YEN, on_order=[off(-10)]))


# -- fees -------------------------------------------------------------------------------------------------------------


def cod(*tiers: tuple[int | None, Any], counts_itself: bool = True) -> FeeRule:
    """Cash on delivery, by (limit, fee)."""
    return FeeRule(
        code="cod",
        label=Text.of("Cash on delivery", ja="代引手数料"),
        tiers=tuple(FeeTier(up_to_minor=limit, fee_minor=fee) for limit, fee in tiers),
        counts_itself=counts_itself,
        tax_class="0.10",
        plugin="offline",
    )


YAMATO = ((10_000, 330), (30_000, 440), (100_000, 660), (None, 1100))


@pytest.mark.parametrize(
    ("goods", "included", "fee"),
    [
        (9670, True, 330),  # 9,670 + 330 is just 10,000
        (9671, True, 440),
        (29_560, True, 440),
        (29_561, True, 660),
        (200_000, True, 1100),
        # On top: 8,760 + 330 + 10 % tax is 9,999; one yen more of goods makes 10,000.1, rounded down 10,000.
        (8760, False, 330),
        (8761, False, 330),
        (8762, False, 440),
    ],
)
def test_fee_tier_holds_for_what_is_paid_in_the_end(goods: int, included: bool, fee: int) -> None:
    """The tier's limit is held by the amount the driver collects: goods, fee and tax."""
    quote = price([Item(goods)], a_market(tax_included=included), fees=[cod(*YAMATO)])
    [charge] = quote.of_kind(ChargeKind.FEE)
    assert fee == charge.amount_minor


def test_fee_that_does_not_count_itself_looks_at_the_rest() -> None:
    """Its tier is picked by what is left to pay without it."""
    quote = price([Item(10_000)], YEN, fees=[cod(*YAMATO, counts_itself=False)])
    assert 10_330 == quote.total_minor


def test_fees_count_for_each_other() -> None:
    """A second fee can lift the first over its limit."""
    other = attrs.evolve(cod((None, 500)), code="gift")
    quote = price([Item(9600)], YEN, fees=[cod(*YAMATO), other])
    assert {"cod": 440, "gift": 500} == {charge.code: charge.amount_minor for charge in quote.of_kind(ChargeKind.FEE)}


def test_nothing_to_pay_has_no_fee() -> None:
    """Cash on delivery of nothing costs nothing; there is no due either."""
    quote = price([Item(100)], YEN, on_order=[off(-100)], fees=[cod(*YAMATO)])
    assert (0, (), ()) == (quote.total_minor, quote.of_kind(ChargeKind.FEE), quote.dues)


def test_fee_of_zero_is_no_charge() -> None:
    """A tier that is free leaves no line on the invoice."""
    quote = price([Item(100)], a_market(tax_included=False), fees=[cod((1000, 0), (None, 300))])
    assert (110, ()) == (quote.total_minor, quote.of_kind(ChargeKind.FEE))


@pytest.mark.parametrize(
    "tiers",
    [(), ((10_000, 330),), ((None, 1), (None, 2)), ((2, 1), (2, 2), (None, 3)), ((-1, 1), (None, 2)), ((None, -1),)],
)
def test_fee_table_that_leaves_an_amount_without_a_fee_is_refused(tiers: tuple[tuple[int | None, int], ...]) -> None:
    """A table without a solution is refused when it is loaded, and names its plugin."""
    with pytest.raises(FeeTableError) as caught:
        rules.check_fees([cod(*tiers)])
    assert "offline" == caught.value.plugin


@pytest.mark.parametrize("fee", [1.5, Decimal(1), True, "1"])
def test_fee_is_an_integer_of_minor_units(fee: Any) -> None:
    """MNY-09: no floats for money."""
    with pytest.raises(FeeTableError):
        rules.check_fees([cod((None, fee))])


def test_engine_is_asked_once_while_fees_are_solved() -> None:
    """PRF-05: rates hold whatever the fee; only an engine that gives amounts is asked for the new ones."""
    calls = []

    def counted(request: Any) -> Any:
        calls.append(request)
        return by_class(request)

    price([Item(8762)], a_market(tax_included=False), fees=[cod(*YAMATO)], ask=counted)
    assert 1 == len(calls)
    quote = price([Item(8762)], a_market(tax_included=False), fees=[cod(*YAMATO)], ask=with_amounts)
    assert {"vat-0.10": 920} == tax_by_code(quote)


def with_amounts(request: Any) -> Any:
    """An engine that computes itself."""
    [answer] = by_class(request)
    lines = tuple(
        attrs.evolve(line, amount=Decimal(item.amount_minor) * line.rate)
        for item, line in zip(request.items, answer.lines, strict=True)
    )
    return (attrs.evolve(answer, lines=lines),)


# -- tax --------------------------------------------------------------------------------------------------------------


def test_tax_charge_says_what_it_rests_on() -> None:
    """Rate, base, jurisdiction, engine and the seller's number there; the state earns it, the shop hands it over."""
    entity = attrs.evolve(ENTITY, registrations=(Registration(scheme="jp-invoice", number="T1234567890123"),))
    quote = price([Item(1080, 1, "0.08")], YEN, legal_entity=entity)
    [charge] = quote.of_kind(ChargeKind.TAX)
    assert charge.tax is not None
    assert (Decimal("0.08"), 1080, "JP") == (charge.tax.rate, charge.tax.base_minor, charge.tax.jurisdiction)
    assert ("flat", "T1234567890123") == (charge.tax.engine, charge.tax.registration)
    assert (True, "state", "shop") == (charge.included, charge.earned_by, charge.remitted_by)


def test_number_that_is_not_valid_any_more_is_not_shown() -> None:
    """A registration has a window; so has what it is shown on."""
    over = Registration(scheme="jp-invoice", number="T1", window=Window(None, AT))
    quote = price([Item(1080)], YEN, legal_entity=attrs.evolve(ENTITY, registrations=(over,)))
    [charge] = quote.of_kind(ChargeKind.TAX)
    assert "" == charge.tax.registration  # type: ignore[union-attr]


def test_tax_of_shipping_and_fees_is_shared_onto_them() -> None:
    """One charge per code and rate, whatever it is on."""
    quote = price([Item(1000)], a_market(tax_included=False), shipping={1: (500, "0.10")}, fees=[cod((None, 300))])
    [tax] = quote.of_kind(ChargeKind.TAX)
    targets = [share.target for share in quote.shares if share.charge_id == tax.id]
    shipping, fee = quote.of_kind(ChargeKind.SHIPPING)[0], quote.of_kind(ChargeKind.FEE)[0]
    assert [f"line:{LINE_1}", f"charge:{shipping.id}", f"charge:{fee.id}"] == targets
    assert (180, 1980) == (tax.amount_minor, quote.total_minor)


def test_goods_sold_by_measure_have_no_unit_to_round_for() -> None:
    """By the unit, 190 steps of a hundredth are one thing: 1.90 lb for 9.48 have 0.95 of tax, not 190 times nothing."""
    market = a_market("USD", tax_included=False, policy="unit/half_up")
    assert 95 == price([Item(499, 190, scale=2)], market).tax_minor


def test_rounding_is_the_markets_and_frozen_on_the_quote() -> None:
    """MNY-07: the mode is recorded with the quote, and another mode is another quote."""
    down, up = (price([Item(105)], a_market(policy=name)) for name in ("rate/floor", "rate/ceil"))
    assert (9, 10) == (down.tax_minor, up.tax_minor)
    assert (rounding("rate/floor"), rounding("rate/ceil")) == (down.rounding, up.rounding)
    assert down.digest != up.digest


# -- delivery ---------------------------------------------------------------------------------------------------------


def offers(*amounts: int) -> list[ShippingOffer]:
    return [
        ShippingOffer(option=OptionCode(f"mail.{n}"), label=Text.of(f"Mail {n}"), amount_minor=amount, plugin="mail")
        for n, amount in enumerate(amounts, 1)
    ]


def started(items: list[Item], **group: Any) -> tuple[rules.Sheet, Any]:
    """A sheet with these lines, and its first group changed."""
    lines, groups = a_cart(items)
    changed = attrs.evolve(groups[0], **group)
    sheet = rules.start(the_terms(YEN), (changed, *groups[1:]))
    found = {
        line.variant_id: an_offer(n, item, YEN) for n, (line, item) in enumerate(zip(lines, items, strict=True), 1)
    }
    rules.price_lines(sheet, lines, found)
    return sheet, changed


def left_open(sheet: rules.Sheet) -> list[str]:
    return [item.code for item in sheet.open]


def test_what_is_missing_for_delivery_is_left_open() -> None:
    """No address, no way to deliver chosen, or one that is not offered: an answer, not an error."""
    party = ident("pty", 1)
    sheet, group = started([Item(100)], tax_place=None)
    assert (False, ["address"]) == (rules.can_ask_carriers(sheet, group), left_open(sheet))
    sheet, group = started([Item(100)], destination=None)
    assert (True, ["address"]) == (rules.can_ask_carriers(sheet, group), left_open(sheet))
    sheet, group = started([Item(100)], destination=party, tax_place=TaxPlace(country="FR"))
    assert (False, ["country"]) == (rules.can_ask_carriers(sheet, group), left_open(sheet))
    for option in (None, OptionCode("mail.9")):
        sheet, group = started([Item(100)], destination=party, option=option)
        assert (True, None) == (rules.can_ask_carriers(sheet, group), rules.ship(sheet, group, offers(100)))
        assert ["option"] == left_open(sheet)


def test_what_nobody_carries_needs_no_address() -> None:
    """Digital goods, and groups that are collected."""
    for items, mode in (([Item(100, kind="digital")], "ship"), ([Item(100)], "pickup")):
        sheet, group = started(items, mode=mode, tax_place=None)
        assert (False, []) == (rules.can_ask_carriers(sheet, group), left_open(sheet))


def test_a_country_that_is_not_sold_to_is_taken_for_home() -> None:
    """Nobody need know its rates: taxed is as at home, and the country stays open, of carried goods or not."""
    france = TaxPlace(country="FR")
    for items, mode in (([Item(100)], "ship"), ([Item(100, kind="digital")], "ship"), ([Item(100)], "pickup")):
        sheet, group = started(items, mode=mode, destination=ident("pty", 1), tax_place=france)
        assert [sheet.terms.home] == [row.place for row in sheet.lines]
        assert (False, ["country"]) == (rules.can_ask_carriers(sheet, group), left_open(sheet))


def test_a_market_without_countries_sells_everywhere() -> None:
    """The place itself is the one whose rates are asked for."""
    france = TaxPlace(country="FR")
    [group] = [attrs.evolve(group, tax_place=france) for group in a_cart([Item(100)])[1]]
    anywhere = attrs.evolve(YEN, countries=frozenset())
    assert france == rules.start(the_terms(anywhere), (group,)).place_of(group.id)


def test_a_group_without_goods_is_not_asked_where_it_goes() -> None:
    """As it needs no address, it needs no country that is sold to."""
    [group] = [attrs.evolve(group, tax_place=TaxPlace(country="FR")) for group in a_cart([Item(100)])[1]]
    sheet = rules.start(the_terms(YEN), (group,))
    assert (False, []) == (rules.can_ask_carriers(sheet, group), left_open(sheet))


def test_options_show_what_they_cost_before_and_after_promotions() -> None:
    """Each option as it would be if it were taken; the goods' other deliveries share in the reduction."""
    sheet, group = started([Item(1000)])
    asked = []

    def half_off(shipping_minor: int) -> Any:
        asked.append(shipping_minor)
        return [off(-shipping_minor // 2, "shipping", phase=30)]

    priced = rules.priced_group(sheet, group, offers(500, 900), (), [100], half_off)
    assert [(500, 250), (900, 450)] == [(option.before_minor, option.after_minor) for option in priced.options]
    assert ([600, 1000], "mail.1") == (asked, priced.option)


def test_option_that_is_not_offered_is_not_taken() -> None:
    """A quote never says that an option was taken which nobody offers."""
    sheet, group = started([Item(1000)], option=OptionCode("mail.9"))
    refusal = Objection(code="too-heavy", path="mail.9", plugin="mail")
    priced = rules.priced_group(sheet, group, offers(500), [refusal], [], lambda shipping: ())
    assert (None, (refusal,)) == (priced.option, priced.refusals)


# -- the quote --------------------------------------------------------------------------------------------------------


def test_lines_that_cannot_be_priced_are_left_open() -> None:
    """ORD-15: what is not for sale any more or has no price is named, and nothing is guessed."""
    lines, groups = a_cart([Item(100), Item(200), Item(300), Item(400)])
    found = {line.variant_id: an_offer(n, Item(100 * n), YEN) for n, line in enumerate(lines, 1)}
    del found[ident("var", 1)]
    second, third = found[ident("var", 2)], found[ident("var", 3)]
    found[ident("var", 2)] = attrs.evolve(second, prices=())
    unit = attrs.evolve(third.variant.unit, increment=2)
    found[ident("var", 3)] = attrs.evolve(third, variant=attrs.evolve(third.variant, unit=unit))
    sheet = rules.start(the_terms(YEN), groups)
    rules.price_lines(sheet, lines, found)
    assert (
        OpenItem(code="unavailable", path=f"line:{ident('lin', 1)}"),
        OpenItem(code="no-price", path=f"line:{ident('lin', 2)}", who="shop"),
        OpenItem(code="increment", path=f"line:{ident('lin', 3)}"),
    ) == tuple(sheet.open)
    assert 700 == sheet.total


def test_empty_cart_is_a_quote_of_nothing() -> None:
    """It costs nothing and needs lines before anything else; no engine is asked."""
    quote = price([], YEN, buyer=None, ask=lambda request: 1 / 0)
    assert (0, ["lines", "buyer"]) == (quote.total_minor, [item.code for item in quote.open])


def test_payment_is_open_until_an_offered_method_is_chosen() -> None:
    """A method that is not offered for this cart is no way to pay."""
    lines, groups = a_cart([Item(100)])
    card = MethodOffer(method="sandbox.card", label=Text.of("Card"))  # type: ignore[arg-type]
    for method, offered, missing in (
        ("sandbox.card", card, []),
        (None, card, ["payment"]),
        ("other", card, ["payment"]),
        ("sandbox.card", attrs.evolve(card, offered=False), ["payment"]),
    ):
        sheet = rules.start(the_terms(YEN, method=method), groups)
        rules.price_lines(sheet, lines, {ident("var", 1): an_offer(1, Item(100), YEN)})
        quote = rules.finish(sheet, methods=[offered])
        assert missing == [item.code for item in quote.open]


def test_digest_is_of_the_price_and_not_of_the_moment() -> None:
    """Texts, instants and versions do not change it; amounts, options and places do."""
    base = price([Item(100)], YEN, shipping={1: (50, "0.10")})
    later = price(
        [Item(100)], YEN, shipping={1: (50, "0.10")}, at=AT + dt.timedelta(minutes=1), versions={}, locale="ja"
    )
    assert base.digest == later.digest
    assert re.fullmatch("[0-9a-f]{64}", base.digest)
    for changed in (
        price([Item(101)], YEN, shipping={1: (50, "0.10")}),
        price([Item(50, 2)], YEN, shipping={1: (50, "0.10")}),
        price([Item(100)], YEN, shipping={1: (51, "0.10")}),
        price([Item(100)], YEN, shipping={1: (50, "0.08")}),
        price([Item(100, 1, "0.08")], YEN, shipping={1: (50, "0.10")}),
        price([Item(100)], YEN, shipping={1: (50, "0.10")}, method="other"),
        price([Item(100)], YEN, shipping={1: (51, "0.10")}, on_shipping=[off(-1, "shipping", phase=30)]),
    ):
        assert base.digest != changed.digest


@pytest.mark.parametrize(
    "change",
    [
        {"tax_place": TaxPlace(country="JP", region="沖縄県")},
        {"option": OptionCode("mail.2")},
        {"mode": "pickup"},
    ],
)
def test_digest_covers_where_it_goes_and_how(change: dict[str, Any]) -> None:
    """The same total to another place is another promise."""
    sheet, group = started([Item(100)])
    groups = [
        rules.priced_group(sheet, one, offers(0, 0), (), [], lambda shipping: ())
        for one in (group, attrs.evolve(group, **change))
    ]
    first, second = (rules.finish(sheet, groups=[one]) for one in groups)
    assert first.digest != second.digest


def test_charges_have_ids_that_follow_from_the_cart() -> None:
    """The same cart version gives the same ids, another version others; all are well-formed and different."""
    ids = [charge.id for charge in price([Item(1)] * 40, YEN).charges]
    assert len(ids) == len(set(ids))
    assert ids == [expect_id("charge", one) for one in ids]
    assert ids == [charge.id for charge in price([Item(1)] * 40, YEN).charges]
    assert set(ids).isdisjoint(charge.id for charge in price([Item(1)] * 40, YEN, cart_version=4).charges)


def test_changed_price_carries_the_new_quote() -> None:
    """ORD-15: whatever was confirmed before, only the same price is accepted; the new one comes with the refusal."""
    agreed, quote = price([Item(100)], YEN).ref, price([Item(90)], YEN)
    rules.require_same(price([Item(100)], YEN), agreed)
    with pytest.raises(QuoteChangedError) as caught:
        rules.require_same(quote, agreed)
    assert caught.value.quote is quote
    assert "¥90" in caught.value.text("en")
    assert "￥90" in caught.value.text("ja")


def test_open_items_and_objections_stop_an_order() -> None:
    """Everything that is missing is named, in both languages."""
    quote = price([Item(100)], YEN, buyer=None, method=None)
    with pytest.raises(NotReadyError) as caught:
        rules.require_ready(quote)
    assert quote.open == caught.value.open
    for locale in ("en", "ja"):
        assert "open." not in caught.value.text(locale)
    ready = attrs.evolve(quote, open=(), objections=(Objection(code="x", label="No."),))
    with pytest.raises(ObjectedError):
        rules.require_ready(ready)
    rules.require_ready(attrs.evolve(ready, objections=()))


FALSE = {
    "total": lambda quote: attrs.evolve(quote, total_minor=quote.total_minor + 1),
    "dues": lambda quote: attrs.evolve(quote, dues=()),
    "charge": lambda quote: attrs.evolve(quote, charges=quote.charges[1:]),
    "share": lambda quote: attrs.evolve(quote, shares=quote.shares[1:]),
    "line": lambda quote: attrs.evolve(quote, lines=(attrs.evolve(quote.lines[0], total_minor=1), *quote.lines[1:])),
    "tax base": lambda quote: attrs.evolve(
        quote,
        charges=(
            *quote.charges[:-1],
            attrs.evolve(quote.charges[-1], tax=attrs.evolve(quote.charges[-1].tax, base_minor=1)),
        ),
    ),
    "unknown charge": lambda quote: attrs.evolve(
        quote, shares=(*quote.shares, attrs.evolve(quote.shares[0], charge_id=ident("chg", 9)))
    ),
}


@pytest.mark.parametrize("what", FALSE)
def test_quote_that_does_not_add_up_is_refused(what: str) -> None:
    """Whoever made it: no figure may stand for itself."""
    quote = price([Item(100), Item(200)], YEN, on_order=[off(-30)])
    rules.add_up(quote)
    with pytest.raises(DoesNotAddUpError):
        rules.add_up(FALSE[what](quote))


def test_external_prices_need_not_show_all_tax() -> None:
    """A channel may leave tax of some goods out; its sums must hold all the same."""
    quote = price([Item(100), Item(200, 1, "0.08")], YEN)
    partial = attrs.evolve(quote, basis=QuoteBasis.EXTERNAL, charges=quote.charges[:-1], shares=quote.shares[:1])
    assert 64 == len(rules.with_digest(partial).digest)
    with pytest.raises(DoesNotAddUpError):
        rules.with_digest(attrs.evolve(partial, basis=QuoteBasis.HONORED))


# -- explain ----------------------------------------------------------------------------------------------------------


def test_explain_names_plugin_rule_rate_base_and_rounding() -> None:
    """Every step in one sentence, in English and Japanese."""
    quote = price(
        [Item(1080, 2, "0.08"), Item(499, 190, "0.10", scale=2)],
        YEN,
        on_lines=[off(-80, LINE_1, code="TEA", phase=10)],
        on_order=[off(-300, code="WELCOME")],
        shipping={1: (500, "0.10")},
        on_shipping=[off(-700, "shipping", code="FREE", phase=30)],
        fees=[cod(*YAMATO)],
    )
    english = [line.text for line in rules.explain(quote, "en")]
    assert [
        "Thing 1 (SKU-1): ¥1,080 × 2 = ¥2,160 (price list retail)",
        "Thing 2 (SKU-2): ¥499 × 1.90 = ¥948 (price list retail; rounded half up, for each line)",
        "Promotion TEA: -¥80 (on one line; promotions 2.0, rule TEA)",
        "Promotion WELCOME: -¥300 (shared over the lines by what they cost; promotions 2.0, rule WELCOME)",
        "Shipping, By mail: ¥500 (mail, table)",
        (
            "Promotion FREE: -¥500 (on shipping; promotions 2.0, rule FREE) "
            "It would have been -¥700, but no price falls below zero."
        ),
        "Cash on delivery: ¥330 (offline, rule cod)",
        "VAT 8% contained in ¥1,874: ¥138 (tax-flat 1.0, rule vat-0.08; rounded down, once for each rate)",
        "VAT 10% contained in ¥1,184: ¥107 (tax-flat 1.0, rule vat-0.10; rounded down, once for each rate)",
    ] == english
    japanese = [line.text for line in rules.explain(quote, "ja-JP")]
    tax = "消費税 税込 ￥1,874 のうち 8% の税額 ￥138（tax-flat 1.0、ルール vat-0.08、税率ごとに一度、切り捨て）"
    assert tax == japanese[7]
    assert "代引手数料：￥330（offline、ルール cod）" == japanese[6]


def test_explain_works_from_a_placed_record() -> None:
    """A placement knows no currency of its own; charges and trace are enough otherwise."""
    quote = price([Item(100)], YEN)

    @attrs.frozen
    class Record:
        charges: Any
        trace: Any

    assert rules.explain(quote, "en") == rules.explain(Record(quote.charges, quote.trace), "en", currency="JPY")
