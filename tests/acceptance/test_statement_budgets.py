"""How many statements buying takes, counted at the database: the same whatever the lines and promotions."""

from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest

from eckit import Actor, InvalidInputError, Order
from eckit.shop import Shop
from tests.acceptance.counting import Asked, asked, hook_calls, print_table
from tests.acceptance.shelves import promote, stock_shelf
from tests.acceptance.trial import STAFF, Filled, Trial, open_shop

LINES: Final = (1, 3, 50, 200)
PROMOTIONS: Final = (0, 10, 1000)
ADD, PRICE, PLACE, CODES, LISTING = 6, 6, 18, 4, 3
CALLS_PER_ORDER, CALLS_PER_PRICING = 100, 20


@attrs.frozen
class Counts:
    """What one purchase asked."""

    add: int
    price: int
    price_with_code: int
    place: int
    with_code: int
    price_calls: int
    order_calls: int


@pytest.fixture(params=PROMOTIONS)
def shelf(request: pytest.FixtureRequest, begun: Callable[..., Trial]) -> tuple[Trial, list[str]]:
    """A shop with 200 goods and this many promotions."""
    trial = begun()
    skus = stock_shelf(trial, max(LINES))
    promote(trial, request.param, skus[:10])
    trial.coupon("WELCOME", total=1000, each=1000)
    return trial, skus


def test_buying_takes_the_same_few_statements_whatever_is_in_the_cart(
    shelf: tuple[Trial, list[str]], request: pytest.FixtureRequest
) -> None:
    """Adding takes at most 6 statements, pricing 6 reads and no write, placing 18 in its transaction
    and 4 more with a code, at 1 to 200 lines and 0 to 1,000 promotions; plugins are called a fixed number of times."""
    trial, skus = shelf
    _warm(trial, skus)

    counted = {lines: _purchase(trial, skus[:lines]) for lines in LINES}

    title = f"{request.node.callspec.id}: statements and plugin calls by lines"
    names = [field.name for field in attrs.fields(Counts)]
    print_table(title, ["lines", *names], [(lines, *attrs.astuple(one)) for lines, one in counted.items()])
    one = counted[LINES[0]]
    statements = {lines: attrs.astuple(found)[:5] for lines, found in counted.items()}
    assert {attrs.astuple(one)[:5]} == set(statements.values())
    assert one.add <= ADD
    assert one.price <= PRICE
    assert one.price_with_code <= PRICE
    assert one.place <= PLACE
    assert one.with_code <= PLACE + CODES
    assert max(found.order_calls for found in counted.values()) <= CALLS_PER_ORDER
    assert max(found.price_calls for found in counted.values()) <= CALLS_PER_PRICING


def _warm(trial: Trial, skus: list[str]) -> None:
    """What is kept by version stamp is loaded once."""
    trial.cart((skus[0], 1), code="WELCOME").placed()


def _purchase(trial: Trial, skus: list[str]) -> Counts:
    url, shop = trial.place.url, trial.shop
    lines = [(sku, 1) for sku in skus]
    plain, coded = trial.cart(*lines), trial.cart(*lines, code="WELCOME")
    grown = trial.cart(*lines)
    calls = hook_calls(shop)
    with asked(shop, url) as priced:
        plain = attrs.evolve(plain, quote=shop.price_cart(plain.buyer, plain.cart.id))
    price_calls = hook_calls(shop) - calls
    with asked(shop, url) as priced_with_code:
        coded = attrs.evolve(coded, quote=shop.price_cart(coded.buyer, coded.cart.id))
    before = hook_calls(shop)
    with asked(shop, url) as placing:
        plain.placed()
    order_calls = hook_calls(shop) - before
    with asked(shop, url) as placing_with_code:
        coded.placed()
    with asked(shop, url) as adding:
        shop.add_to_cart(grown.buyer, grown.cart.id, skus[-1], 2)
    assert [] == priced.changes == priced_with_code.changes
    assert 1 == _writing(placing) == _writing(placing_with_code) == _writing(adding)
    return Counts(
        add=len(adding.statements),
        price=len(priced.statements),
        price_with_code=len(priced_with_code.statements),
        place=len(placing.written),
        with_code=len(placing_with_code.written),
        price_calls=price_calls,
        order_calls=order_calls,
    )


def _writing(found: Asked) -> int:
    return sum(transaction.writes for transaction in found.transactions)


def test_a_process_reads_what_it_keeps_by_version_once(begun: Callable[..., Trial]) -> None:
    """The first price of a process takes one read more for the setup, one for the promotions and one for each plugin
    with facts of its own; after a change of the promotions that one comes again."""
    trial = begun()
    skus = stock_shelf(trial, 3)
    shop = open_shop(trial.place, clock=trial.clock)
    cart = trial.cart(*[(sku, 1) for sku in skus])

    with shop.database.reading():  # a connection that is new asks its server who it is
        pass
    counted = [_reads(trial, shop, cart) for _ in range(2)]
    promote(trial, 1, skus)
    counted += [_reads(trial, shop, cart) for _ in range(2)]
    shop.close()

    usual = counted[1]
    assert usual <= PRICE
    assert [usual + len(("setup", "promotions", "tax-table")), usual, usual + 1, usual] == counted


def _reads(trial: Trial, shop: Shop, cart: Filled) -> int:
    with asked(shop, trial.place.url) as found:
        shop.price_cart(cart.buyer, cart.cart.id)
    return len(found.statements)


def test_one_page_of_a_listing_takes_at_most_three_statements(begun: Callable[..., Trial]) -> None:
    """A page of 1, of 24 and of 200 products, the first and a later one."""
    trial = begun()
    stock_shelf(trial, 250)
    counted = []
    for limit in (1, 24, 200):
        after = None
        for page in (1, 2):
            with asked(trial.shop, trial.place.url) as found, trial.shop.read(Actor.guest()) as work:
                listed = work.catalog.list_products(list_id="main", after=after, limit=limit)
            after = listed.after
            counted.append((limit, page, len(listed.items), len(found.statements)))
    print_table("listing", ["limit", "page", "products", "statements"], counted)
    assert {row[3] for row in counted} <= set(range(1, LISTING + 1))
    assert [1, 1, 24, 24, 200, 50] == [row[2] for row in counted]


# -- failures that other shops have had --------------------------------------------------------------------------------


def test_ten_thousand_promotions_take_no_more_statements(begun: Callable[..., Trial]) -> None:
    """PRF-01: with 1, 100 and 10,000 promotions, mostly behind codes, and 1, 10 and 200 lines, pricing and placing ask
    the same number of statements."""
    trial = begun()
    skus = stock_shelf(trial, 200)
    rows = []
    for count, more in ((1, 1), (100, 99), (10_000, 9900)):
        _more_promotions(trial, count, more, skus)
        _warm_price(trial, skus)
        for lines in (1, 10, 200):
            cart = trial.cart(*[(sku, 1) for sku in skus[:lines]])
            with asked(trial.shop, trial.place.url) as pricing:
                quote = trial.shop.price_cart(cart.buyer, cart.cart.id)
            with asked(trial.shop, trial.place.url) as placing:
                attrs.evolve(cart, quote=quote).placed()
            rows.append((count, lines, len(pricing.statements), len(placing.statements)))
    print_table("PRF-01", ["promotions", "lines", "price", "place"], rows)
    assert 1 == len({row[2:] for row in rows})


def _more_promotions(trial: Trial, count: int, more: int, skus: list[str]) -> None:
    """Nine in ten behind codes."""
    promote(trial, more, skus[:10], by_code=more * 9 // 10, prefix=f"P{count}")


def _warm_price(trial: Trial, skus: list[str]) -> None:
    trial.cart((skus[0], 1))


def test_what_is_too_much_is_refused_by_name(trial: Trial) -> None:
    """PRF-03: lines, codes, metadata and page sizes beyond their limits are typed errors that name field and limit."""
    trial.goods("TEA-50", 648, 200)
    cart = trial.cart(("TEA-50", 1))
    shop, buyer, cart_id = trial.shop, cart.buyer, cart.cart.id

    def codes() -> None:
        for number in range(1000):
            with shop.write(buyer) as work:
                work.cart.add_code(cart_id, f"CODE-{number}")

    def refs() -> None:
        with shop.write(buyer) as work:
            work.cart.set_refs(cart_id, {"note": "x" * 5_000_000})

    def page() -> None:
        with shop.read(STAFF) as work:
            work.order.list_orders(limit=10**9)

    def products() -> None:
        with shop.read(STAFF) as work:
            work.catalog.list_products(list_id="main", limit=10**9)

    refused: dict[str, Callable[[], Any]] = {
        "lines": lambda: shop.set_cart_lines(buyer, cart_id, [(f"SKU-{number}", 1) for number in range(10**5)]),
        "codes": codes,
        "refs": refs,
        "choices": lambda: shop.add_to_cart(buyer, cart_id, "TEA-50", choices={"text": "x" * 5_000_000}),
        "limit": page,
        "limit ": products,
    }
    for field, ask in refused.items():
        with pytest.raises(InvalidInputError) as caught:
            ask()
        [problem] = caught.value.problems
        assert problem.path.startswith(field.strip()), problem
        assert len(str(caught.value)) < 2000
    assert ["TEA-50"] == [line.sku for line in shop.price_cart(buyer, cart_id).lines]


def test_reading_calls_no_plugin_and_a_price_calls_each_once(trial: Trial) -> None:
    """PRF-05: reading 100 orders calls no plugin; placing asks each no more often than one view of the cart does.

    Carriers and tax engines answer in this process, from their own tables, once for each view: nothing to be spared by
    keeping their answers. Pricing has no engine that is asked over the network yet.
    """
    trial.goods("TEA-50", 648, 10_000)
    for _ in range(100):
        trial.order(("TEA-50", 1))
    cart = trial.cart(("TEA-50", 1))

    reading = _engine_calls(trial, lambda: _read_orders(trial.shop))
    one_view = _engine_calls(trial, lambda: trial.shop.price_cart(cart.buyer, cart.cart.id))
    ten_views = _engine_calls(trial, lambda: [trial.shop.price_cart(cart.buyer, cart.cart.id) for _ in range(10)])
    placing = _engine_calls(trial, lambda: cart.placed())

    rows = [("100 orders", reading), ("one view", one_view), ("ten views", ten_views), ("placing", placing)]
    print_table("PRF-05", ["what", "calls"], [(what, sum(calls.values())) for what, calls in rows])
    assert {} == reading
    assert {"flat.check": 1, "flat.quote": 1, "tax-table.tax.answer": 1} == one_view
    assert {name: 10 * count for name, count in one_view.items()} == ten_views
    assert {name: count for name, count in placing.items() if name in one_view} == one_view


def _read_orders(shop: Shop) -> list[Order]:
    with shop.read(STAFF) as work:
        return list(work.order.list_orders(limit=100).items)


def _engine_calls(trial: Trial, act: Callable[[], Any]) -> dict[str, int]:
    """What plugins were asked meanwhile, by plugin and what."""
    tracks = trial.shop.plugins.tracks
    before = {key: track.calls for key, track in tracks.items()}
    act()
    made = {key: track.calls - before.get(key, 0) for key, track in tracks.items()}
    return {".".join(key): count for key, count in made.items() if count}
