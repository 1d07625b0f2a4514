"""The smallest useful plugins: each is one short file, is accepted by a shop, and does what its page says."""

import datetime as dt
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from moneyed import Money

import examples.carrier
import examples.goods_receipts
import examples.payment_method
import examples.promotion_condition
import examples.rate_source
import examples.tax_engine
from eckit import (
    Actor,
    CompositionError,
    FixedClock,
    NotAllowedError,
    NotFoundError,
    Promotion,
    RuleRef,
    Shop,
    ShopSettings,
    Text,
    mint,
)
from eckit.cli.starting import Start, found
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Work
from examples.goods_receipts import Receipt, ReceiptLine, book_receipt, find_receipt
from tests.docs.shop import NOON, OPERATOR, ROOT, Pages, cart_goods, filled_cart, quote_of

SMALLEST = ("payment_method", "carrier", "tax_engine", "rate_source", "promotion_condition")


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_useful_plugin_is_one_short_file(name: str) -> None:
    """A plugin author's first file has at most forty lines and imports nothing of eckit but its public face."""
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") <= 40
    assert not {line for line in text.splitlines() if line.startswith(("from eckit.", "import eckit."))}


@pytest.mark.parametrize("name", SMALLEST)
def test_each_is_shown_whole_on_its_page(name: str) -> None:
    """The page includes the file itself, so that what is read is what is tested."""
    page = (ROOT / "docs" / "how-to" / f"write-a-{name.replace('_', '-')}.md").read_text(encoding="utf-8")
    assert f"```{{literalinclude}} ../../examples/{name}.py\n" in page


# -- payment method ---------------------------------------------------------------------------------------------------


def test_an_order_is_paid_at_the_counter_and_captured_with_the_goods(pages: Pages) -> None:
    """The promise confirms the order; the cash is booked when the goods are handed over."""
    shop = pages.compose([examples.payment_method])
    order_id, buyer = _promised(shop)
    with shop.read(buyer) as work:
        assert work.order.get(order_id).order.confirmed_at is not None
    shop.ship_order(OPERATOR, order_id, number="counter-1")
    assert ["authorize", "capture"] == _moved(shop, order_id)
    assert not shop.audit(OPERATOR)


def test_a_promise_to_pay_at_the_counter_is_given_back_when_the_order_is_canceled(pages: Pages) -> None:
    """Nothing was paid, so nothing is refunded."""
    shop = pages.compose([examples.payment_method])
    order_id, buyer = _promised(shop)
    shop.cancel_order(buyer, order_id)
    assert ["authorize", "void"] == _moved(shop, order_id)


def test_the_counter_is_asked_again_when_nothing_was_written_down(pages: Pages) -> None:
    """Whoever died between asking and writing finds that nothing happened: the shop keeps the only books."""
    gateway = examples.payment_method.AtTheCounter()
    assert isinstance(gateway, examples.payment_method.eckit.Gateway)
    assert dt.timedelta(0) == gateway.capabilities().not_found_after


def _promised(shop: Shop) -> tuple[str, Actor]:
    cart = filled_cart(shop)
    guest = Actor.guest(cart.token)
    with shop.write(guest) as work:
        work.cart.set_method(cart.id, "counter.cash")
    order = shop.place_order(guest, cart.id, agreed=shop.price_cart(guest, cart.id).ref)
    buyer = Actor.guest(order.token)
    assert "authorized" == shop.take_payment(buyer, order.id).status.state.value
    return order.id, buyer


def _moved(shop: Shop, order_id: str) -> list[str]:
    with shop.read(OPERATOR) as work:
        return [movement.kind for payment in work.payment.for_order(order_id) for movement in payment.movements]


# -- carrier ----------------------------------------------------------------------------------------------------------


def test_the_bicycle_says_why_it_does_not_come(pages: Pages) -> None:
    """Too heavy and too far are answers, in the buyer's language, not errors."""
    shop = pages.compose([examples.carrier])
    cart = filled_cart(shop, {"CUP": 12, "TEA-100": 60})
    (group,) = quote_of(shop, cart).groups
    assert "bicycle.today" not in {option.option for option in group.options}
    assert ["自転車には重すぎます。"] == [
        objection.label for objection in group.refusals if objection.path == "bicycle.today"
    ]


# -- tax engine -------------------------------------------------------------------------------------------------------


def test_an_engine_taxes_what_goes_to_its_country_and_refuses_the_rest(pages: Pages) -> None:
    """A market names its engine; what the engine does not know is not taken for tax-free."""
    clock = FixedClock(NOON)
    settings = ShopSettings.of(f"sqlite:///{pages.folder / 'singapore.sqlite'}")
    with Shop.compose(settings, plugins=[examples.tax_engine], clock=clock, check=False) as shop:
        found(shop, Start(name="Tea", currency="SGD", country="SG", tax_engine="gst"))
        engine = shop.plugins.thing("tax.engines", "gst")
        assert engine is not None
        assert "gst" == engine.plugin


# -- rate source ------------------------------------------------------------------------------------------------------


def test_rates_come_from_the_file_named_in_the_settings(pages: Pages) -> None:
    """The plugin's settings are its own class; without the file's name the shop does not start."""
    Path("rates.csv").write_text("2026-03-01,EUR,JPY,160.00\n", encoding="utf-8")
    shop = pages.compose([examples.rate_source], plugin_settings={"ledger-rates": {"file": "rates.csv"}})
    source = shop.plugins.thing("currency.rate_sources", "ledger-rates")
    assert source is not None
    assert Decimal("160.00") == source.thing.rate("EUR", "JPY", NOON).rate
    with pytest.raises(CompositionError):
        pages.compose([examples.rate_source])


# -- promotion condition ----------------------------------------------------------------------------------------------


def test_a_promotion_counts_on_its_days_only(pages: Pages) -> None:
    """The day is a day in Tokyo, at the instant the quote is priced at."""
    shop = pages.compose([examples.promotion_condition])
    _save_promotion(shop, {"days": ["tue"]})
    cart = filled_cart(shop, {"TEA-50": 2})
    assert 1296 == cart_goods(shop, cart)
    pages.clock.set(dt.datetime(2026, 4, 6, 15, 0, tzinfo=dt.UTC))  # Monday evening in UTC, Tuesday in Tokyo
    assert 1166 == cart_goods(shop, cart)


def test_a_day_that_there_is_not_is_refused_when_the_promotion_is_saved(pages: Pages) -> None:
    """Not when a buyer is waiting."""
    shop = pages.compose([examples.promotion_condition])
    with pytest.raises(examples.promotion_condition.eckit.InvalidInputError):
        _save_promotion(shop, {"days": ["tuesday"]})


def _save_promotion(shop: Shop, settings: dict[str, object]) -> None:
    with shop.write(OPERATOR) as work:
        work.promotion.save(
            Promotion(
                id=mint("promotion"),
                code="weekday-tea",
                title=Text.of("Tea of the day"),
                condition=RuleRef(code="weekday", settings=settings),
                action=RuleRef(code="percent_off", settings={"percent": "10"}),
            )
        )


# -- goods receipts ---------------------------------------------------------------------------------------------------

CLERK = Actor.staff("ken", "goods-receipts.write", "stock.write", "stock.read")
NOTE = [ReceiptLine(sku="TEA-50", steps=40, unit_cost=Money(285, "JPY"))]


@pytest.fixture
def receiving(database_url: str, pages: Pages) -> Shop:
    """A shop with the plugin, on SQLite and on PostgreSQL; its tables are made by its migrations."""
    shop = Shop.compose(
        ShopSettings.of(database_url), plugins=[examples.goods_receipts.plugin], clock=FixedClock(NOON), check=False
    )
    pages.opened.callback(shop.close)
    found(shop, Start(name="Tea house", currency="JPY", country="JP"))
    shop.import_products(OPERATOR, (ROOT / "examples" / "first_shop" / "products.csv").read_bytes())
    return shop


def test_a_receipt_its_stock_and_its_events_are_written_together(receiving: Shop) -> None:
    """One verb of a plugin, one transaction: two tables of its own, the stock of the core, both events."""
    with receiving.write(CLERK) as work:
        before = _available(work)
        booked = book_receipt(work, "DN-17", "Shizuoka Tea Co.", NOTE, at="main")
    with receiving.read(CLERK) as work:
        assert booked == find_receipt(work, "DN-17")
        assert before + 40 == _available(work)
    assert {"goods.received", "stock.changed"} <= _announced(receiving, since="goods.received")


def test_a_receipt_with_a_line_that_cannot_be_booked_leaves_nothing(receiving: Shop) -> None:
    """Neither its rows, nor the stock of the lines that were right, nor an event."""
    wrong = [*NOTE, ReceiptLine(sku="NO-SUCH", steps=1, unit_cost=Money(1, "JPY"))]
    with receiving.read(CLERK) as work:
        before = _available(work)
    with pytest.raises(NotFoundError), receiving.write(CLERK) as work:
        book_receipt(work, "DN-18", "Shizuoka Tea Co.", wrong, at="main")
    with receiving.read(CLERK) as work:
        assert None is find_receipt(work, "DN-18")
        assert before == _available(work)


def test_the_same_receipt_again_changes_nothing(receiving: Shop) -> None:
    """A delivery note has one number; whoever books it twice sees the first."""
    first = _book(receiving)
    with receiving.read(CLERK) as work:
        after_first = _available(work)
    assert first == _book(receiving)
    with receiving.read(CLERK) as work:
        assert after_first == _available(work)


def test_receipts_need_their_own_permission(receiving: Shop) -> None:
    """A plugin asks for permissions of its own, which the shop knows by then."""
    with pytest.raises(NotAllowedError), receiving.write(Actor.staff("ken", "stock.write")) as work:
        book_receipt(work, "DN-19", "Shizuoka Tea Co.", NOTE, at="main")


def _book(shop: Shop) -> Receipt:
    with shop.write(CLERK) as work:
        return book_receipt(work, "DN-17", "Shizuoka Tea Co.", NOTE, at="main")


def _available(work: Work) -> int:
    return sum(work.stock.availability([work.variant_of("TEA-50")]).values())


def _announced(shop: Shop, *, since: str) -> set[str]:
    import sqlalchemy as sa

    from eckit.kernel.outbox import outbox

    with shop.read(OPERATOR) as work:
        correlation = sa.select(outbox.c.correlation).where(outbox.c.name == since).scalar_subquery()
        return set(work.execute(sa.select(outbox.c.name).where(outbox.c.correlation == correlation)).scalars())


def test_migrations_make_the_tables_the_plugin_declares(receiving: Shop) -> None:
    """Written twice, by hand: what the migration makes is what the code expects."""
    import sqlalchemy as sa

    with receiving.read(OPERATOR) as work:
        schema = work.connection.get_execution_options().get("schema_translate_map", {}).get(SCHEMA)
        inspector = sa.inspect(work.connection)
        for table in examples.goods_receipts.metadata.sorted_tables:
            there = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name, schema=schema)}
            assert {column.name: column.nullable for column in table.columns} == there
    assert "examples.goods_receipts" in sys.modules
