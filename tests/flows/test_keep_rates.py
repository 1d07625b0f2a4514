"""From a source of rates to a sealed order: asked beforehand, kept, used at pricing, told, and never changed."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from eckit.channel import service as channels
from eckit.currency import Rate, service as currency
from eckit.flows.keep_rates import keep_rates
from eckit.flows.price_cart import price_cart
from eckit.kernel.errors import InvalidInputError, PluginError
from eckit.kernel.hookspecs import hookimpl
from eckit.kernel.work import WorkOpenError
from eckit.order import service as orders
from eckit.pricing import rules
from eckit.pricing.model import Quote
from eckit.testing.begin import START
from tests.flows.selling import BOSS, Selling, open_shop, statements

MINUTE = dt.timedelta(minutes=1)
QUARTER = dt.timedelta(minutes=15)


@attrs.define
class Bank:
    """A source of rates that says what it is told, and rounds as it is told."""

    says: dict[str, Any] = attrs.field(factory=dict)
    charm: Callable[[tuple[int, ...]], Any] = lambda amounts: None
    asked: list[str] = attrs.field(factory=list)
    name: str = "bank"
    code: str = "bank"
    version: str = "1.0.0"
    eckit_interface = {"currency": 1}  # noqa: RUF012

    @hookimpl
    def register_rate_sources(self) -> tuple["Bank", ...]:
        return (self,)

    @hookimpl
    def choose_price_rounding(self, amounts_minor: tuple[int, ...], market: str) -> Any:
        return self.charm(amounts_minor)

    def rate(self, base: str, quote: str, at: dt.datetime) -> Rate | None:
        self.asked.append(f"{base}/{quote}")
        value = self.says.get(f"{base}/{quote}")
        if isinstance(value, Exception):
            raise value
        return None if value is None else Rate(base=base, quote=quote, rate=Decimal(value), source="bank", at=START)


@pytest.fixture
def bank() -> Bank:
    return Bank(says={"JPY/EUR": "0.0062"})


@pytest.fixture
def selling(migrated_url: str, bank: Bank) -> Selling:
    """A shop whose list is in yen, and whose second market is in euro."""
    shop = open_shop(migrated_url, plugins=[bank])
    abroad = attrs.evolve(shop.market, id="mkt_" + "0" * 26, code="eu", currency="EUR")  # type: ignore[arg-type]
    with shop.begin.write(BOSS) as work:
        channels.save_market(work, abroad)
        channel = attrs.evolve(shop.channel, market_ids=(*shop.channel.market_ids, abroad.id))
        channels.save_channel(work, channel)
    shop.market, shop.channel = abroad, channel
    return shop


def priced(selling: Selling, *yen: int, steps: int = 2) -> Quote:
    cart = selling.cart([(variant, steps) for variant in selling.sell(*yen)], ready=False)
    return price_cart(selling.begin, BOSS, cart.id)


def kept(selling: Selling) -> Rate | None:
    with selling.begin.read(BOSS) as work:
        return currency.in_force(work, ["JPY"], "EUR", work.now).get("JPY")


def test_a_price_is_converted_by_the_kept_rate_and_sealed_with_it(selling: Selling, bank: Bank) -> None:
    """The rate is in the quote, in the trace, in both languages of the explanation, and in the order's record."""
    report = keep_rates(selling.begin)
    [rate] = report.kept
    assert ("JPY", "EUR", Decimal("0.0062"), "bank") == (rate.base, rate.quote, rate.rate, rate.source)
    quote = priced(selling, 1000)

    [line] = quote.lines
    assert ("EUR", 620, 1240, 1240) == (quote.currency, line.unit_minor, line.goods_minor, quote.total_minor)
    assert ((rate,), True) == (quote.rates, "rates" in quote.stamps)
    english, japanese = (rules.explain(quote, locale)[0].text for locale in ("en", "ja"))
    assert "Converted from ¥1,000 at 1 JPY = 0.0062 EUR (bank, 2026" in english
    assert "€6.20" in english
    assert "1 JPY ＝ 0.0062 EUR（bank、2026" in japanese
    with selling.begin.write(BOSS) as work:
        order = orders.place(work, attrs.evolve(quote, open=()), pay_by=None)
        body = orders.get(work, order.id).placement.body
    bank.says["JPY/EUR"] = "0.0070"
    selling.clock.advance(QUARTER)
    keep_rates(selling.begin)
    with selling.begin.read(BOSS) as work:
        assert body == orders.get(work, order.id).placement.body
    assert [("JPY", "0.0062")] == [(one["base"], one["rate"]) for one in body["quote"]["rates"]]


def test_no_source_is_asked_at_pricing_and_without_a_kept_rate_there_is_no_price(selling: Selling, bank: Bank) -> None:
    """One read more for the currency that is missing; what is not priced is told and costs nothing by mistake."""
    quote = priced(selling, 1000)
    assert ([], (), 0) == ([*quote.lines], quote.rates, quote.total_minor)
    assert ("no-price", "shop") in [(item.code, item.who) for item in quote.open]
    assert ([], True) == (bank.asked, "rates" in quote.stamps)
    keep_rates(selling.begin)
    assert 620 == priced(selling, 1000).lines[0].unit_minor
    cart = selling.cart([(selling.variants[0], 1)], ready=False)
    price_cart(selling.begin, BOSS, cart.id)
    with statements(selling) as asked:
        price_cart(selling.begin, BOSS, cart.id)
    assert 1 == len([one for one in asked if "eckit_rate" in one])


def test_a_quote_that_was_confirmed_keeps_the_rate_of_its_instant(selling: Selling, bank: Bank) -> None:
    """A rate that is restated counts from then on; the buyer pays what was shown, within the market's freeze."""
    keep_rates(selling.begin, every=MINUTE)
    cart = selling.cart([(selling.sell(1000)[0], 1)], ready=False)
    shown = price_cart(selling.begin, BOSS, cart.id)
    selling.clock.advance(MINUTE)
    bank.says["JPY/EUR"] = "0.0070"
    [restated] = keep_rates(selling.begin, every=MINUTE).kept

    assert (Decimal("0.0070"), selling.clock.now()) == (restated.rate, restated.at)
    assert 700 == price_cart(selling.begin, BOSS, cart.id).lines[0].unit_minor
    again = price_cart(selling.begin, BOSS, cart.id, as_of=shown.ref)
    assert (620, shown.digest) == (again.lines[0].unit_minor, again.digest)


def test_a_pair_is_asked_for_no_more_often_than_wished_and_kept_once(selling: Selling, bank: Bank) -> None:
    """However many workers there are; the same rate again is no news."""
    assert 1 == len(keep_rates(selling.begin).kept)
    assert not keep_rates(selling.begin)
    assert ["JPY/EUR"] == bank.asked
    selling.clock.advance(QUARTER)
    assert not keep_rates(selling.begin)
    assert ["JPY/EUR"] * 2 == bank.asked


def test_what_no_source_knows_and_who_failed_is_told(selling: Selling, bank: Bank) -> None:
    """The rate kept before counts on; a rate that cannot be one is its source's failure."""
    keep_rates(selling.begin)
    for says, unknown, failing in (
        (None, ("JPY/EUR",), []),
        (ConnectionError("down"), (), ["bank"]),
        ("-1", (), ["bank"]),
    ):
        bank.says["JPY/EUR"] = says
        selling.clock.advance(QUARTER)
        report = keep_rates(selling.begin)
        assert ((), unknown) == (report.kept, report.unknown)
        assert failing == [record.plugin for record in report.failures]
        rate = kept(selling)
        assert rate is not None
        assert Decimal("0.0062") == rate.rate


def test_converted_prices_are_rounded_for_the_market_in_one_question(selling: Selling, bank: Bank) -> None:
    """Charm prices; the explanation tells both figures. A price of the market's own currency is not asked about."""
    asked: list[tuple[int, ...]] = []

    def charm(amounts: tuple[int, ...]) -> tuple[int, ...]:
        asked.append(amounts)
        return tuple(amount // 100 * 100 + 90 for amount in amounts)

    bank.charm = charm
    keep_rates(selling.begin)
    quote = priced(selling, 1000, 3000)
    assert [(620, 1860)] == asked
    assert [690, 1890] == [line.unit_minor for line in quote.lines]
    assert "rounded half up to €6.20 and to €6.90" in rules.explain(quote, "en")[0].text


@pytest.mark.parametrize("charm", [lambda _: (0,), lambda _: (-5,), lambda _: (), lambda _: (1, 2), lambda _: ("6",)])
def test_rounding_that_gives_no_price_ends_the_pricing(selling: Selling, bank: Bank, charm: Any) -> None:
    """CLOSED, and the plugin is named: nothing becomes free."""
    bank.charm = charm
    keep_rates(selling.begin)
    with pytest.raises(PluginError) as failed:
        priced(selling, 1000)
    assert "bank" == failed.value.plugin


def test_no_source_is_asked_with_a_transaction_open(selling: Selling) -> None:
    """It may use the network."""
    with selling.begin.read(BOSS), pytest.raises(WorkOpenError):
        keep_rates(selling.begin)


def test_a_time_that_cannot_be_is_refused(selling: Selling, bank: Bank) -> None:
    """Nothing is asked."""
    with pytest.raises(InvalidInputError, match="every"):
        keep_rates(selling.begin, every=-QUARTER)
    assert [] == bank.asked
