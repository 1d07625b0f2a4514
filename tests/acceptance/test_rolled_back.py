"""What a host's transaction changed and priced, and then rolled back, is charged to nobody."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import attrs
import pytest
import sqlalchemy as sa

import eckit_tablerate
import eckit_tax_table
from eckit import Actor, FixedClock, Promotion, RuleRef, Shop, Text, mint
from tests.acceptance.trial import METHOD, NOBODY
from tests.docs.shop import NOON, OPERATOR, filled_cart, prepared, quote_of

TODAY: Final = dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)  # midnight in Tokyo
PROMOTION: Final = mint("promotion")


def _promotion(work: Any, *, mistaken: bool) -> None:
    work.promotion.save(
        Promotion(
            id=PROMOTION,
            code="spring",
            title=Text.of("Spring"),
            condition=RuleRef(code="goods_minimum", settings={"minimum_minor": 1, "currency": "JPY"}),
            action=RuleRef(code="percent_off", settings={"percent": "90" if mistaken else "10"}),
        ),
        [],
    )


def _tax(work: Any, *, mistaken: bool) -> None:
    rate = Decimal("0.90" if mistaken else "0.09")
    eckit_tax_table.set_rate(
        work, country="JP", tax_class="reduced", rate=rate, code="jp-reduced", label=Text.of("Tax"), valid_from=TODAY
    )


def _fare(work: Any, *, mistaken: bool) -> None:
    for weight in (2_000, 25_000):
        eckit_tablerate.set_rate(
            work,
            service="standard",
            country="JP",
            region="東京都",
            max_weight_grams=weight,
            amount_minor=9 if mistaken else 900,
            currency="JPY",
            valid_from=TODAY,
        )


def _market(work: Any, *, mistaken: bool) -> None:
    work.bump("channel")  # the settings are read past what is cached, which a look would replace
    (market,) = work.channel.setup().markets.values()
    work.channel.save_market(
        attrs.evolve(market, prices_include_tax=not mistaken, freeze=market.freeze + dt.timedelta(minutes=1))
    )


CHANGES: Final[dict[str, Callable[..., None]]] = {
    "promotion": _promotion,
    "tax rate": _tax,
    "carrier fare": _fare,
    "market": _market,
}


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """The shop of the tutorial, with a provider that is not there."""
    with prepared(database_url, FixedClock(NOON), plugin_settings={"sandbox": NOBODY}) as made:
        yield made


def _cold(shop: Shop, cart: Any) -> Any:
    """The cart's price in another process, which has loaded nothing so far."""
    with Shop.compose(shop.settings, clock=shop.begin.clock, check=False) as other:
        return quote_of(other, cart)


@pytest.mark.parametrize("while_open", [False, True], ids=["in a later Work", "in the same Work"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_priced_in_a_transaction_that_was_rolled_back_is_charged_to_nobody(
    shop: Shop, change: Callable[..., None], while_open: bool
) -> None:
    """PRC-09: a mistake is saved and priced in a host's transaction, which is rolled back; then it is saved as it was
    meant. The cart costs what it costs in a process that has seen nothing of this, and that is what is ordered.
    """
    cart = filled_cart(shop)
    buyer = Actor.guest(cart.token)
    with shop.write(buyer) as work:
        work.cart.set_method(cart.id, METHOD)
    before = quote_of(shop, cart)
    engine = sa.create_engine(shop.settings.database.url)
    with engine.connect() as connection:
        joined = shop.join(connection)
        with joined.write(OPERATOR) as work:
            change(work, mistaken=True)
            if while_open:
                inside = quote_of(joined, cart)
        if not while_open:
            inside = quote_of(joined, cart)
        connection.rollback()
    engine.dispose()
    assert inside.digest != before.digest
    if while_open:  # not always: what is loaded for this look takes the place of what was loaded inside
        assert before.digest == quote_of(shop, cart).digest

    with shop.write(OPERATOR) as work:
        change(work, mistaken=False)
    agreed = quote_of(shop, cart)
    assert _cold(shop, cart).digest == agreed.digest
    assert inside.digest != agreed.digest
    order = shop.place_order(buyer, cart.id, agreed=agreed.ref)
    assert agreed.total_minor == order.total_minor
