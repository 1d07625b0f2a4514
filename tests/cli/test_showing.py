"""``eckit price``, ``order show`` and ``order explain``: what is printed adds up, and is said in words."""

import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from eckit import Shop
from eckit.cli.opening import OPERATOR
from tests.cli.buying import COUPON, filled_cart, placed, stock_up, with_payment
from tests.cli.conftest import Run, composed

_AMOUNT = re.compile(r"(?P<open>\()?(?P<sign>-)?[¥￥](?P<digits>[\d,]+)\)?$")


@pytest.fixture
def selling(shop: Path) -> Iterator[Shop]:
    """The shop with goods, a coupon and a way to pay."""
    with composed(with_payment(shop)) as there:
        stock_up(there)
        yield there


def amounts(printed: str, total: str) -> tuple[list[int], int]:
    """The amounts at the ends of lines above the total, without those in brackets, and the total."""
    found: list[int] = []
    for line in printed.splitlines():
        match = _AMOUNT.search(line.strip())
        if match is None:
            continue
        minor = int(match["digits"].replace(",", "")) * (-1 if match["sign"] else 1)
        if line.startswith(f"{total}:"):
            return found, minor
        if not match["open"]:
            found.append(minor)
    raise AssertionError(f"no line begins with {total}:\n{printed}")


@pytest.mark.parametrize(("locale", "total"), [("en", "Total"), ("ja", "合計")])
def test_a_price_adds_up(eckit: Run, selling: Shop, locale: str, total: str) -> None:
    """Lines before the coupon, the coupon, delivery; tax that is contained stands in brackets."""
    cart = filled_cart(selling, {"TEA-50": 2, "BOWL": 1}, code=COUPON)

    done = eckit("price", cart.id, "--locale", locale)

    assert 0 == done.returncode, done.stderr
    parts, whole = amounts(done.stdout, total)
    assert whole == sum(parts)
    assert {1296, 3300, -500} <= set(parts)
    assert selling.price_cart(OPERATOR, cart.id).total_minor == whole
    assert re.search(r"\([¥￥]\d+\)", done.stdout), "the tax that is contained"


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", ("Still missing: The delivery address is missing.", "Still missing: It is not known who buys.")),
        ("ja", ("未入力: お届け先の住所が入力されていません。", "未入力: ご注文者が分かりません。")),
    ],
)
def test_what_is_missing_is_a_sentence(eckit: Run, selling: Shop, locale: str, said: tuple[str, ...]) -> None:
    """No codes, no ids of groups."""
    cart = filled_cart(selling, {"TEA-50": 2}, ready=False)

    done = eckit("price", cart.id, "--locale", locale)

    assert 0 == done.returncode, done.stderr
    for sentence in said:
        assert sentence in done.stdout
    assert "grp_" not in done.stdout


def test_a_line_that_cannot_be_sold_is_named(eckit: Run, selling: Shop) -> None:
    """What is missing of a line says of which; one that is not priced at all has but its id."""
    cart = filled_cart(selling, {"TEA-50": 2, "BOWL": 1})
    [line] = [line for line in cart.lines if line.steps == 1]
    with selling.write(OPERATOR) as work:
        [bowl] = [row for row in work.catalog.list_products(list_id="main").items if row.handle == "bowl"]
        product = work.catalog.product(bowl.product_id)
        work.catalog.save(attrs.evolve(product, state="archived"), work.catalog.variants(bowl.product_id))
    done = eckit("price", cart.id)
    assert f"not for sale any more. Remove it from the cart. (line:{line.id})" in done.stdout, done.stdout


@pytest.mark.parametrize(("locale", "total"), [("en", "Total"), ("ja", "合計")])
def test_an_order_adds_up_before_and_after_it_is_canceled(eckit: Run, selling: Shop, locale: str, total: str) -> None:
    """Lines as agreed, coupon, delivery, and what was canceled, make what is due now; state and reason are words."""
    order = placed(selling, {"TEA-50": 2, "BOWL": 1}, code=COUPON)
    before = eckit("order", "show", order.number, "--locale", locale)
    selling.cancel_order(OPERATOR, order.id, reason="buyer_changed_mind")
    after = eckit("order", "show", order.number, "--locale", locale)

    parts, whole = amounts(before.stdout, total)
    assert (order.total_minor, order.total_minor) == (whole, sum(parts))
    parts, whole = amounts(after.stdout, total)
    assert (0, 0) == (whole, sum(parts))
    state = {"en": "canceled (the buyer changed their mind)", "ja": "取消済み (お客様のご都合)"}[locale]
    assert state in after.stdout
    assert "buyer_changed_mind" not in after.stdout


def test_a_reason_of_somebody_else_stays_as_it_is(eckit: Run, selling: Shop) -> None:
    """Reasons are an open vocabulary."""
    order = placed(selling, {"TEA-50": 2})
    selling.cancel_order(OPERATOR, order.id, reason="wrong_color")
    assert "取消済み (wrong_color)" in eckit("order", "show", order.number, "--locale", "ja").stdout


def test_every_amount_of_an_order_is_explained(eckit: Run, selling: Shop) -> None:
    """``order explain`` tells by number why it costs that; a number nobody has is refused."""
    order = placed(selling, {"TEA-50": 2, "BOWL": 1}, code=COUPON)

    explained = eckit("order", "explain", order.number, "--locale", "ja")

    assert "税率ごとに一度" in explained.stdout
    parts, whole = amounts(explained.stdout, "合計")
    assert (order.total_minor, order.total_minor) == (whole, sum(parts))
    assert 1 == eckit("order", "show", "9999999").returncode


def test_a_refused_tax_is_said_in_one_language(eckit: Run, selling: Shop) -> None:
    """Why there is no tax is said in the language of the rest."""
    cart = filled_cart(selling, {"TEA-50": 2})
    removed = eckit("tax-table", "remove", "JP", "reduced", "--since", "2019-10-01", "--zone", "Asia/Tokyo")
    assert "Removed." == removed.stdout.strip()

    refused = eckit("price", cart.id, "--locale", "ja")

    assert 1 == refused.returncode
    assert "税額を計算できない" in refused.stderr
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", refused.stderr), refused.stderr
