"""Pricing a cart, from the tables to the quote: on both databases, with plugins that work and plugins that fail."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from moneyed import Money

from eckit.cart import service as carts
from eckit.cart.errors import AlreadyPlacedError
from eckit.catalog import service as catalog
from eckit.catalog.model import Price
from eckit.customer import service as customers
from eckit.customer.model import Customer, TaxPlace
from eckit.flows.price_cart import price_cart
from eckit.kernel.actors import Actor
from eckit.kernel.clock import Window
from eckit.kernel.errors import InvalidInputError, NotFoundError, Objection, PluginError
from eckit.kernel.facets import PRICING, FacetSpec
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.ids import CartId, CustomerId, OptionCode, OrderId
from eckit.kernel.minting import mint
from eckit.kernel.text import Text
from eckit.pricing import rules
from eckit.pricing.model import ChargeKind, FeeRule, FeeTier, Quote
from eckit.promotion.model import Adjustment, CodeStatus, RuleRef
from eckit.shipping.model import Refusal
from eckit.tax.errors import TaxUnavailableError
from eckit.testing.begin import START
from tests.flows.selling import (
    ANY,
    BOSS,
    CARD,
    CASH,
    FREE_SHIPPING,
    Selling,
    amount_off,
    fare,
    fixed_rates,
    open_shop,
    percent_off,
    statements,
    yen,
)


@pytest.fixture
def selling(migrated_url: str) -> Selling:
    """A shop in Japan with prices that include tax."""
    return open_shop(migrated_url)


def priced(selling: Selling, cart_id: CartId, **how: Any) -> Quote:
    return price_cart(selling.begin, BOSS, cart_id, **how)


def amounts(quote: Quote, kind: ChargeKind) -> list[int]:
    return [charge.amount_minor for charge in quote.of_kind(kind)]


def missing(quote: Quote) -> list[str]:
    return [item.code for item in quote.open]


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_cart_with_everything_is_priced_and_ready(selling: Selling) -> None:
    """Goods, promotions of all phases, delivery, a fee and tax by rate; nothing is open, and it adds up."""
    tea, bowl = selling.sell(1080, category="tea")[0], selling.sell(3300, tax_class="standard")[0]
    selling.promote("TEA-WEEK", percent_off("10"), RuleRef(code="category", settings={"category": "tea"}))
    selling.promote("WELCOME", amount_off(438), ANY, "HELLO")
    selling.promote("FREE", FREE_SHIPPING, RuleRef(code="sku", settings={"sku": "SKU-2"}))
    cart = selling.cart([(tea, 1), (bowl, 1)], codes=["hello"], method=CASH)
    quote = priced(selling, cart.id)
    assert [1080, 3300] == amounts(quote, ChargeKind.GOODS)
    assert [-108, -438, -500] == amounts(quote, ChargeKind.DISCOUNT)
    assert [500] == amounts(quote, ChargeKind.SHIPPING)
    assert [330] == amounts(quote, ChargeKind.FEE)
    assert (1080 + 3300 - 108 - 438 + 330, yen(4164)) == (quote.total_minor, quote.total)
    # 438 are shared 100 : 338, so 872 of food; 2,962 of pottery and 330 of fee
    assert {"jp-reduced": 64, "jp-standard": 299} == {c.code: c.amount_minor for c in quote.of_kind(ChargeKind.TAX)}
    assert ("HELLO", CodeStatus.APPLIED) == (quote.codes[0].code, quote.codes[0].status)
    assert ((), ()) == (quote.open, quote.failures)
    rules.require_ready(quote)
    [due] = quote.dues
    assert (4164, CASH) == (due.amount_minor, due.method)


def test_options_are_priced_before_and_after_shipping_promotions(selling: Selling) -> None:
    """Every way to deliver, cheapest first; the one taken is charged."""
    [tea] = selling.sell(1000)
    selling.promote("HALF", RuleRef(code="shipping_off", settings={"percent": "50"}), ANY)
    quote = priced(selling, selling.cart([(tea, 1)], option="mail.fast").id)
    [group] = quote.groups
    assert [("mail.slow", 500, 250), ("mail.fast", 900, 450)] == [
        (option.option, option.before_minor, option.after_minor) for option in group.options
    ]
    assert ("mail.fast", 1450) == (group.option, quote.total_minor)


def test_two_destinations_are_two_deliveries(selling: Selling) -> None:
    """Each group is asked for by itself, with its own goods."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 3)])
    with selling.begin.write(BOSS) as work:
        second = carts.add_group(work, cart.id).groups[-1].id
        carts.split_line(work, cart.id, cart.lines[0].id, 1, second)
        carts.set_destination(work, cart.id, mint("party"), TaxPlace(country="JP", region="沖縄県"), group=second)  # type: ignore[arg-type]
        carts.set_option(work, cart.id, OptionCode("mail.fast"), group=second)
    quote = priced(selling, cart.id)
    assert [500, 900] == amounts(quote, ChargeKind.SHIPPING)
    assert [(yen(2000), 200), (yen(1000), 100)] == [
        (request.goods_value, request.parcels[0].weight_grams) for request in selling.plugin.mail.requests
    ]
    assert ((), 4400) == (quote.open, quote.total_minor)


def test_carrier_is_told_the_value_after_promotions(selling: Selling) -> None:
    """Free delivery from an amount on looks at what the goods cost in the end."""
    [tea] = selling.sell(1000)
    selling.promote("OFF", amount_off(300), ANY)
    priced(selling, selling.cart([(tea, 1)]).id)
    assert (yen(700), True) == (
        selling.plugin.mail.requests[0].goods_value,
        selling.plugin.mail.requests[0].goods_include_tax,
    )


def test_prices_without_tax_get_it_on_top(migrated_url: str) -> None:
    """A market of net prices: lists without tax, fares without tax, tax added once per rate."""
    selling = open_shop(migrated_url, prices_include_tax=False)
    [tea] = selling.sell(999)
    quote = priced(selling, selling.cart([(tea, 2)]).id)
    # 1,998 at 8 % and 500 at 10 %
    assert ([159, 50], 1998 + 500 + 209) == (amounts(quote, ChargeKind.TAX), quote.total_minor)
    assert not any(charge.included for charge in quote.charges)


def test_members_pay_members_prices(selling: Selling) -> None:
    """A price list for a customer group counts for customers in it only."""
    [tea] = selling.sell(1000)
    member = CustomerId(mint("customer"))
    with selling.begin.write(BOSS) as work:
        listed = catalog.price_lists(work)[0]
        trade = attrs.evolve(
            listed, id=mint("price_list"), code="trade", customer_groups=frozenset({"trade"}), priority=1
        )
        catalog.save_price_list(work, trade)
        catalog.set_prices(work, trade.id, [Price(variant_id=tea, list_id=trade.id, amount_minor=700)])
        customers.save_customer(work, Customer(id=member, groups=frozenset({"trade"})))
        own = carts.create(work, channel=selling.channel, market=selling.market, customer=member)
        carts.add(work, own.id, tea, 1)
    guest = selling.cart([(tea, 1)], ready=False)
    assert (700, 1000) == (priced(selling, own.id).total_minor, priced(selling, guest.id).total_minor)


def test_codes_are_answered(selling: Selling) -> None:
    """Each code that was entered has one answer, whichever phase it belongs to."""
    [tea] = selling.sell(1000)
    selling.promote("A", amount_off(100), ANY, "GOOD")
    selling.promote("B", amount_off(100), RuleRef(code="sku", settings={"sku": "OTHER"}), "LATER")
    selling.promote("C", FREE_SHIPPING, ANY, "SHIP")
    quote = priced(selling, selling.cart([(tea, 1)], codes=["good", "later", "ship", "nothing"]).id)
    assert {
        "GOOD": CodeStatus.APPLIED,
        "LATER": CodeStatus.NOT_YET,
        "SHIP": CodeStatus.APPLIED,
        "NOTHING": CodeStatus.NOT_VALID,
    } == {answer.code: answer.status for answer in quote.codes}
    assert [-100, -500] == amounts(quote, ChargeKind.DISCOUNT)
    assert {"GOOD", "SHIP"} == {charge.coupon for charge in quote.of_kind(ChargeKind.DISCOUNT)}


# -- what is missing --------------------------------------------------------------------------------------------------


def test_bare_cart_gets_a_quote_with_what_is_missing(selling: Selling) -> None:
    """No address, no buyer, no way to pay: an answer with its tax, not an error."""
    [tea] = selling.sell(1080)
    quote = priced(selling, selling.cart([(tea, 1)], ready=False).id)
    assert ["address", "buyer", "payment"] == missing(quote)
    assert (1080, 80) == (quote.total_minor, quote.tax_minor)
    assert {CARD, CASH} == {method.method for method in quote.methods if method.offered}
    assert [] == selling.plugin.mail.requests


def test_empty_cart_is_not_asked_about(selling: Selling) -> None:
    """Nothing to price: no plugin is asked anything."""
    quote = priced(selling, selling.cart([], ready=False).id)
    assert (0, ["lines", "buyer"]) == (quote.total_minor, missing(quote))
    assert 0 == selling.plugin.engine.asked


def test_wishes_that_cannot_be_had_stay_open(selling: Selling) -> None:
    """An option nobody offers, a method nobody registers, a country nobody delivers to."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)], option="mail.gone", method="gone")  # type: ignore[arg-type]
    quote = priced(selling, cart.id)
    assert (["option", "payment"], 1000) == (missing(quote), quote.total_minor)
    abroad = selling.cart([(tea, 1)])
    selling.change(abroad.id, carts.set_destination, mint("party"), TaxPlace(country="FR"))
    assert ["country"] == missing(priced(selling, abroad.id))


def test_what_is_not_for_sale_any_more_is_named(selling: Selling) -> None:
    """ORD-15: a product taken off the shelf is an open item; the rest is priced."""
    tea, bowl = selling.sell(1000, 3000)
    cart = selling.cart([(tea, 1), (bowl, 1)])
    with selling.begin.write(BOSS) as work:
        catalog.unpublish(work, catalog.variants_by_sku(work, ["SKU-2"])["SKU-2"].product_id)  # type: ignore[index]
    quote = priced(selling, cart.id)
    assert [("unavailable", f"line:{cart.lines[1].id}")] == [(item.code, item.path) for item in quote.open]
    assert [1000] == amounts(quote, ChargeKind.GOODS)


def test_method_that_does_not_take_so_much_is_left_out_with_its_reason(selling: Selling) -> None:
    """Limits are held by what it costs in the end."""
    [dear] = selling.sell(1_000_000)
    quote = priced(selling, selling.cart([(dear, 1)]).id)
    assert ["payment"] == missing(quote)
    assert {"payment-amount"} == {reason.code for method in quote.methods for reason in method.reasons}


# -- who may, and when ------------------------------------------------------------------------------------------------


def test_only_who_may_see_a_cart_sees_its_price(selling: Selling) -> None:
    """Whoever holds its token; missing equals forbidden."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    assert 1500 == price_cart(selling.begin, Actor.guest(cart.token), cart.id).total_minor
    for actor, cart_id in ((Actor.guest("other"), cart.id), (Actor.guest(cart.token), CartId(mint("cart")))):
        with pytest.raises(NotFoundError):
            price_cart(selling.begin, actor, cart_id)
    with pytest.raises(InvalidInputError):
        priced(selling, CartId("cart"))


def test_cart_that_became_an_order_is_not_priced_again(selling: Selling) -> None:
    """What was agreed stands on the order."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    selling.change(cart.id, carts.take, cart.version, OrderId(mint("order")))
    with pytest.raises(AlreadyPlacedError):
        priced(selling, cart.id)


def with_sale(selling: Selling) -> tuple[Quote, CartId]:
    """A quote made in the last minute of a sale."""
    [tea] = selling.sell(1000)
    window = Window(START - dt.timedelta(days=1), START + dt.timedelta(minutes=1))
    with selling.begin.write(BOSS) as work:
        sale = Price(variant_id=tea, list_id=selling.list_id, amount_minor=800, window=window)
        catalog.set_prices(work, selling.list_id, [sale])
    cart = selling.cart([(tea, 1)])
    return priced(selling, cart.id), cart.id


def test_confirmed_price_holds_within_the_freeze(selling: Selling) -> None:
    """ORD-15: what was confirmed before the sale ended is paid, for the freeze period and no longer."""
    quote, cart_id = with_sale(selling)
    assert (1300, START + dt.timedelta(minutes=15)) == (quote.total_minor, quote.valid_until)
    selling.clock.advance(dt.timedelta(minutes=14, seconds=59))
    again = priced(selling, cart_id, as_of=quote.ref)
    assert (quote.digest, quote.priced_at) == (again.digest, again.priced_at)
    assert 1500 == priced(selling, cart_id).total_minor
    selling.clock.advance(dt.timedelta(seconds=1))
    late = priced(selling, cart_id, as_of=quote.ref)
    assert (1500, selling.clock.now()) == (late.total_minor, late.priced_at)


def test_instant_of_the_future_is_not_believed(selling: Selling) -> None:
    """A quote that claims to be of later is priced as of now."""
    quote, cart_id = with_sale(selling)
    later = attrs.evolve(quote.ref, priced_at=START + dt.timedelta(minutes=10))
    assert START == priced(selling, cart_id, as_of=later).priced_at


def test_same_cart_gives_the_same_digest_and_a_changed_one_another(selling: Selling) -> None:
    """Pricing is a function of its inputs; the moment is none of them."""
    tea, bowl = selling.sell(1000, 1000)
    cart = selling.cart([(tea, 1)])
    first = priced(selling, cart.id)
    selling.clock.advance(dt.timedelta(minutes=5))
    assert first.digest == priced(selling, cart.id).digest
    selling.change(cart.id, carts.add, bowl, 1)
    assert first.digest != priced(selling, cart.id).digest


# -- plugins that fail ------------------------------------------------------------------------------------------------


def raises(*_: Any) -> Any:
    raise RuntimeError("down")


@pytest.mark.parametrize(
    "how", [raises, lambda request: None, lambda request: (), lambda request: fixed_rates(request)[1:]]
)
def test_nothing_is_priced_without_tax(selling: Selling, how: Callable[..., Any]) -> None:
    """PLG-03: an engine that raises, answers nothing or too little ends the pricing; silence is not zero."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    selling.plugin.engine.rates = how
    with pytest.raises(TaxUnavailableError) as caught:
        priced(selling, cart.id)
    assert ("fixed", "tests") == (caught.value.engine, caught.value.plugin)


def test_market_without_an_engine_prices_nothing(migrated_url: str) -> None:
    """A market that names an engine nobody registers."""
    selling = open_shop(migrated_url, tax_engine="gone")
    [tea] = selling.sell(1000)
    with pytest.raises(TaxUnavailableError):
        priced(selling, selling.cart([(tea, 1)]).id)


def test_carrier_that_fails_is_left_out_with_a_record(selling: Selling) -> None:
    """The quote says who failed, and that an option is missing."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    selling.plugin.mail.fares = raises
    quote = priced(selling, cart.id)
    assert [("tests", "quote", "RuntimeError")] == [(f.plugin, f.hook, f.reason) for f in quote.failures]
    assert (["option"], 1000) == (missing(quote), quote.total_minor)


def test_fare_in_another_currency_is_never_added(selling: Selling) -> None:
    """MNY-12: it is dropped with a record; the others are offered."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)], option="mail.usd")
    selling.plugin.mail.fares = lambda request: (
        fare("usd", 5, request, "USD"),
        fare("slow", 500, request),
        Refusal(service="fast", code="too_heavy", message=Text.of("Too heavy", ja="重すぎます")),
    )
    quote = priced(selling, cart.id)
    [failure] = quote.failures
    assert "USD" in failure.reason
    assert ["mail.slow"] == [option.option for option in quote.groups[0].options]
    assert [Objection(code="too_heavy", label="Too heavy", path="mail.fast", plugin="tests")] == list(
        quote.groups[0].refusals
    )


@pytest.mark.parametrize(
    "fees",
    [raises, lambda: (FeeRule(code="cod", label=Text.of("COD"), tiers=(FeeTier(up_to_minor=1, fee_minor=1),)),)],
)
def test_method_whose_fee_cannot_be_told_is_left_out(selling: Selling, fees: Callable[..., Any]) -> None:
    """A way to pay is never offered without its fee: not when the plugin fails, not when its table has a hole."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)], method=CASH)
    selling.plugin.fees = fees
    quote = priced(selling, cart.id)
    assert (["payment"], (), 1500) == (missing(quote), quote.of_kind(ChargeKind.FEE), quote.total_minor)
    [cash] = [method for method in quote.methods if method.method == CASH]
    assert (False, ["payment-fee"]) == (cash.offered, [reason.code for reason in cash.reasons])
    assert ["tests"] == [failure.plugin for failure in quote.failures]


@attrs.define
class Club:
    """A plugin that proposes by itself, from a facet of the customer."""

    given: Callable[[Any], tuple[Adjustment, ...]]
    name: str = "club"
    version: str = "1.0.0"
    eckit_interface = {"promotion": 1, "catalog": 1}  # noqa: RUF012

    @hookimpl
    def propose_adjustments(self, draft: Any) -> tuple[Adjustment, ...]:
        return self.given(draft)

    @hookimpl
    def register_facets(self) -> tuple[FacetSpec, ...]:
        return (FacetSpec(kind=Grade, namespace="club", on="product", needed_for=frozenset({PRICING})),)


@attrs.frozen(kw_only=True)
class Grade:
    """How much the club gives on a product."""

    yen: int


@pytest.mark.parametrize(
    "given",
    [raises, lambda draft: (Adjustment(code="x", label="X", amount=Money(-1, "USD")),), lambda draft: ("minus 10",)],
)
def test_promotion_plugin_that_fails_ends_the_pricing(migrated_url: str, given: Callable[..., Any]) -> None:
    """What makes an amount fails closed, and the plugin is named."""
    selling = open_shop(migrated_url, plugins=[Club(given)])
    [tea] = selling.sell(1000)
    with pytest.raises(PluginError) as caught:
        priced(selling, selling.cart([(tea, 1)]).id)
    assert "club" == caught.value.plugin


def test_facets_that_prices_rest_on_are_in_the_draft_and_in_the_stamps(migrated_url: str) -> None:
    """A plugin's facts about products reach its proposals; changing them moves the quote."""

    def by_grade(draft: Any) -> tuple[Adjustment, ...]:
        grades = draft.facets[Grade]
        off = sum(grades[line.variant_id].yen for line in draft.lines if line.variant_id in grades)
        return (Adjustment(code="club", label="Club", amount=yen(-off)),)

    selling = open_shop(migrated_url, plugins=[Club(by_grade)])
    tea, _ = selling.sell(1000, 2000)
    cart = selling.cart([(tea, 1), (selling.variants[1], 1)])
    with selling.begin.write(BOSS) as work:
        product = catalog.variants_by_sku(work, ["SKU-1"])["SKU-1"].product_id  # type: ignore[index]
        catalog.save_facet(work, product, Grade(yen=30))
    quote = priced(selling, cart.id)
    assert [-30] == amounts(quote, ChargeKind.DISCOUNT)
    assert "plugin:club" in quote.stamps


# -- what it rests on, and what it takes ------------------------------------------------------------------------------


def test_quote_names_every_stamp_it_rests_on(selling: Selling) -> None:
    """Whatever moves a price moves one of them: prices, catalog, promotions, channel."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    quote = priced(selling, cart.id)
    assert {"catalog", "channel", "plugin:tests", "prices", "promotions"} == set(quote.stamps)

    def still_holds() -> bool:
        with selling.begin.read(BOSS) as work:
            return work.stamps(quote.stamps) == quote.stamps

    assert still_holds()
    with selling.begin.write(BOSS) as work:
        catalog.set_prices(work, selling.list_id, [Price(variant_id=tea, list_id=selling.list_id, amount_minor=1001)])
    assert not still_holds()
    for change in (
        lambda: selling.promote("X", amount_off(1), ANY),
        lambda: selling.sell(5),
    ):
        quote = priced(selling, cart.id)
        change()
        assert not still_holds()


def test_plugin_that_was_not_asked_is_not_rested_on(selling: Selling) -> None:
    """Without an address no carrier is asked; only the tax engine's plugin counts, which is the same one here."""
    [tea] = selling.sell(1000)
    selling.plugin.engine.rates = fixed_rates
    quote = priced(selling, selling.cart([(tea, 1)], ready=False).id)
    assert [name for name in quote.stamps if name.startswith("plugin:")] == ["plugin:tests"]
    assert [] == [
        name for name in priced(selling, selling.cart([], ready=False).id).stamps if name.startswith("plugin:")
    ]


@pytest.mark.parametrize(("lines", "promotions"), [(1, 0), (3, 10), (50, 10)])
def test_six_reads_whatever_the_lines_and_promotions(migrated_url: str, lines: int, promotions: int) -> None:
    """PRF-01: counted at the server, warm; the customer's groups and the codes are the fifth and the sixth."""
    selling = open_shop(migrated_url)
    variants = selling.sell(*range(100, 100 + lines))
    for number in range(promotions):
        condition = RuleRef(code="sku", settings={"sku": f"SKU-{number + 1}"})
        selling.promote(f"P{number}", percent_off("10"), condition)
    selling.promote("CODE", amount_off(10), ANY, "CODE")
    cart = selling.cart([(variant, 1) for variant in variants], codes=["CODE"])
    priced(selling, cart.id)
    with statements(selling) as asked:
        quote = priced(selling, cart.id)
    assert lines == len(quote.lines)
    assert 5 == len(asked), asked
    member = CustomerId(mint("customer"))
    with selling.begin.write(BOSS) as work:
        customers.save_customer(work, Customer(id=member))
        own = carts.create(work, channel=selling.channel, market=selling.market, customer=member)
        carts.set_lines(work, own.id, [(variant, 1) for variant in variants])
        carts.add_code(work, own.id, "CODE")
    with statements(selling) as asked:
        quote = priced(selling, own.id)
    assert f"customer:{member}" in quote.stamps
    assert 6 == len(asked), asked


def test_tax_engine_is_asked_once_for_each_pricing_and_its_tables_read_once(selling: Selling) -> None:
    """PRF-05: one call for all lines; tables are read when they changed."""
    tea, bowl = selling.sell(1000, 2000)
    cart = selling.cart([(tea, 1), (bowl, 2)], method=CASH)
    for _ in range(3):
        priced(selling, cart.id)
    assert (3, 1) == (selling.plugin.engine.asked, selling.plugin.engine.loaded)


def test_plugins_are_asked_for_the_cart_and_never_for_a_line(selling: Selling) -> None:
    """At most twenty calls for each pricing, as many for one line as for thirty, with promotions of every phase."""
    variants = selling.sell(*range(1000, 1030), category="tea")
    selling.promote("TEA", percent_off("10"), RuleRef(code="category", settings={"category": "tea"}))
    selling.promote("OFF", amount_off(10), ANY)
    selling.promote("SHIP", FREE_SHIPPING, ANY)
    tracks, asked = selling.begin.plugins.tracks, []
    for lines in (30, 1, 30):
        cart = selling.cart([(variant, 1) for variant in variants[:lines]], method=CASH)
        before = sum(track.calls for track in tracks.values())
        assert lines == len(priced(selling, cart.id).lines)
        asked.append(sum(track.calls for track in tracks.values()) - before)
    assert asked[1] == asked[2] <= asked[0] <= 20


def test_pricing_writes_nothing(selling: Selling) -> None:
    """A price can be looked at any number of times."""
    [tea] = selling.sell(1000)
    cart = selling.cart([(tea, 1)])
    priced(selling, cart.id)
    with statements(selling) as asked:
        priced(selling, cart.id)
    assert [] == [one for one in asked if not one.lstrip().upper().startswith("SELECT")]
    with selling.begin.read(BOSS) as work:
        assert cart == carts.get(work, cart.id)


def test_quote_explains_itself(selling: Selling) -> None:
    """ORD-15: every yen is accounted for, in both languages."""
    [tea] = selling.sell(1080)
    selling.promote("WELCOME", amount_off(80), ANY)
    quote = priced(selling, selling.cart([(tea, 1)]).id)
    for locale in ("en", "ja"):
        lines = rules.explain(quote, locale)
        assert quote.total_minor == sum(line.amount_minor for line in lines if not line.included)
    assert "WELCOME: -¥80 (shared over the lines by what they cost; promotions 0.1.0, rule WELCOME)" in {
        line.text for line in rules.explain(quote, "en")
    }
