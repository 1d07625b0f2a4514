"""Delivery options: each carrier by itself, money of one currency and basis, reasons people can read; no database."""

from typing import Any

import pytest
from moneyed import Money

from eckit.kernel.errors import PluginError, Problem
from eckit.kernel.plugins import RESTING
from eckit.kernel.text import Text
from eckit.pricing.model import ShippingOffer
from eckit.shipping import FareChange, FarePart, ParcelItem, ParcelPlan, rules, service as shipping
from tests.shipping.conftest import Fleet, Reader, Ship, a_request, composed, fare, fleet, refusal


def _options(*plugins: Any, request: Any = None, locale: str = "en") -> tuple[Any, Any, Any]:
    return shipping.options(composed(*plugins), None, {}, request or a_request(), locale=locale)  # type: ignore[arg-type]


def _amounts(offers: list[ShippingOffer]) -> list[tuple[str, int]]:
    return [(offer.option, offer.amount_minor) for offer in offers]


def _fails(request: Any) -> Any:
    raise ConnectionError("the carrier's tables are broken")


def test_options_are_offered_the_cheapest_first() -> None:
    """Over all carriers; equals by their codes."""
    offers, objections, failures = _options(
        *fleet(
            Ship("b", lambda request: [fare(500), fare(900, "express")]),
            Ship("a", lambda request: [fare(500)]),
        )
    )
    assert [("a.standard", 500), ("b.standard", 500), ("b.express", 900)] == _amounts(offers)
    assert ([], ()) == (objections, failures)


def test_one_carrier_that_fails_leaves_the_others() -> None:
    """PLG-09, SHP-01: ok, raises, ok: two fares and one failure record that names the plugin."""
    offers, _, failures = _options(
        *fleet(Ship("a", lambda request: [fare(500)]), Ship("b", _fails), Ship("c", lambda request: [fare(700)]))
    )
    assert [("a.standard", 500), ("c.standard", 700)] == _amounts(offers)
    assert [("fleet-b", "quote", "ConnectionError")] == [(one.plugin, one.hook, one.reason) for one in failures]


def test_a_carrier_that_keeps_failing_is_not_asked_while_it_rests() -> None:
    """PLG-09: three failures open its breaker; from then on it is left out at once, with a record that says so."""
    asked: list[Any] = []

    def down(request: Any) -> Any:
        asked.append(request)
        return _fails(request)

    plugins = composed(*fleet(Ship("a", lambda request: [fare(500)]), Ship("b", down)))
    reasons = []
    for _ in range(5):
        offers, _, failures = shipping.options(plugins, None, {}, a_request())  # type: ignore[arg-type]
        assert [("a.standard", 500)] == _amounts(offers)
        reasons += [(one.plugin, one.reason) for one in failures]
    assert [("fleet-b", "ConnectionError")] * 3 + [("fleet-b", RESTING)] * 2 == reasons
    assert 3 == len(asked)


@pytest.mark.parametrize(
    "answer",
    [None, "cheap", [500], [fare(1), "x"], 7, {"standard": fare(1)}],
    ids=["none", "text", "number", "mixed", "int", "mapping"],
)
def test_a_carrier_that_answers_nonsense_is_left_out(answer: Any) -> None:
    """DROP: as one that raises; its good fares go with it."""
    offers, _, failures = _options(*fleet(Ship("a", lambda request: answer), Ship("b", lambda request: [fare(700)])))
    assert [("b.standard", 700)] == _amounts(offers)
    assert ["fleet-a"] == [failure.plugin for failure in failures]


def test_a_fare_in_another_currency_is_dropped() -> None:
    """MNY-12: USD for a cart in yen is never added to it; the same carrier's yen are."""
    offers, _, failures = _options(
        *fleet(Ship("a", lambda request: [fare(Money("5.00", "USD"), "abroad"), fare(500, "home")]))
    )
    assert [("a.home", 500)] == _amounts(offers)
    assert ["abroad: fare in USD"] == [failure.reason for failure in failures]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (fare(500, tax_included=False), "fare in another tax basis"),
        (fare(-1), "negative fare"),
        (fare(Money("0.5", "JPY")), "fare is no amount in whole units"),
        (fare(500.0), "fare is no amount in whole units"),  # type: ignore[arg-type]
        (
            fare(500, parts=(FarePart(kind="base", label=Text.of("B"), amount=Money(400, "JPY")),)),
            "parts do not add up",
        ),
        (fare(500, parts=(FarePart(kind="base", label=Text.of("B"), amount=Money(500, "USD")),)), "fare in USD"),
    ],
)
def test_a_fare_that_is_no_amount_is_dropped(bad: Any, reason: str) -> None:
    """Another basis, negative, half a yen, parts that do not add up: each by itself, with its reason."""
    offers, _, failures = _options(*fleet(Ship("a", lambda request: [bad, fare(700, "good")])))
    assert [("a.good", 700)] == _amounts(offers)
    assert [f"standard: {reason}"] == [failure.reason for failure in failures]


def test_a_service_answers_once() -> None:
    """The first counts, the second is a failure: not the cheaper of two."""
    offers, _, failures = _options(*fleet(Ship("a", lambda request: [fare(500), fare(1)])))
    assert [("a.standard", 500)] == _amounts(offers)
    assert ["standard: service answered twice"] == [failure.reason for failure in failures]


def test_a_refusal_is_told_in_the_buyers_language() -> None:
    """It is no failure: the reason stands beside the other options."""
    offers, objections, failures = _options(
        *fleet(Ship("a", lambda request: [refusal("too_heavy"), fare(700, "freight")])), locale="ja"
    )
    assert [("a.freight", 700)] == _amounts(offers)
    assert [("too_heavy", "a.standard", "だめ。", "fleet-a")] == [
        (one.code, one.path, one.label, one.plugin) for one in objections
    ]
    assert () == failures


def test_what_a_carrier_cannot_do_is_a_reason_and_not_a_failure() -> None:
    """``check`` says what is wrong with the request; the carrier is not asked for fares then."""
    problem = Problem(code="wrong-country", path="destination.country", value="XX", limit="JP")
    offers, objections, failures = _options(
        *fleet(Ship("a", _fails, problems=lambda request: (problem,)), Ship("b", lambda request: [fare(700)]))
    )
    assert [("b.standard", 700)] == _amounts(offers)
    assert [("wrong-country", "a", "fleet-a")] == [(one.code, one.path, one.plugin) for one in objections]
    assert () == failures


@pytest.mark.parametrize("problems", [None, ["bad"], ("bad",), "bad"])
def test_a_check_that_is_nonsense_is_a_failure(problems: Any) -> None:
    """And names the plugin, as one that raises."""
    _, _, failures = _options(*fleet(Ship("a", problems=lambda request: problems)))
    assert [("fleet-a", "check")] == [(failure.plugin, failure.hook) for failure in failures]
    _, _, failures = _options(*fleet(Ship("a", problems=_fails)))
    assert [("fleet-a", "check")] == [(failure.plugin, failure.hook) for failure in failures]


def test_a_carrier_without_fares_offers_nothing() -> None:
    """One that only knows numbers is no failure."""
    assert ([], [], ()) == _options(Fleet("fleet-seven", (Reader(),)))
    assert ([], [], ()) == _options()


def test_facts_are_loaded_once_per_stamp() -> None:
    """A carrier's own tables are read again only when its plugin's stamp moved."""
    ship = Ship("a", lambda request: [fare(500)])
    plugins = composed(*fleet(ship))
    for stamp in (1, 1, 2, 2):
        shipping.options(plugins, None, {"plugin:fleet-a": stamp}, a_request())  # type: ignore[arg-type]
    assert 2 == len(ship.loads)


def test_plugins_may_hide_and_reprice_with_a_reason() -> None:
    """What is hidden leaves its reason; what is repriced names who did it; what is not offered is ignored."""
    ships = Ship("a", lambda request: [fare(500), fare(900, "express")])
    shop = Fleet(
        "shop-rules",
        (),
        changes=lambda offers: (
            FareChange(option="a.express", hide=True, reason="Not for pottery."),  # type: ignore[arg-type]
            FareChange(option="a.standard", total=Money(0, "JPY"), reason="members"),  # type: ignore[arg-type]
            FareChange(option="a.moon", hide=True, reason="?"),  # type: ignore[arg-type]
        ),
    )
    offers, objections, _ = _options(*fleet(ships), shop)
    assert [("a.standard", 0, "shop-rules", "members")] == [
        (offer.option, offer.amount_minor, offer.plugin, offer.rule) for offer in offers
    ]
    assert [("hidden", "a.express", "Not for pottery.", "shop-rules")] == [
        (one.code, one.path, one.label, one.plugin) for one in objections
    ]


@pytest.mark.parametrize("total", [Money(5, "USD"), Money(-1, "JPY"), Money("0.5", "JPY"), 500])
def test_a_price_that_is_none_fails_the_pricing(total: Any) -> None:
    """CLOSED: whoever changes an amount is named, and no cart is priced with it (MNY-12)."""
    shop = Fleet("shop-rules", (), changes=lambda offers: (FareChange(option="a.standard", total=total),))  # type: ignore[arg-type]
    with pytest.raises(PluginError) as caught:
        _options(*fleet(Ship("a", lambda request: [fare(500)])), shop)
    assert "shop-rules" == caught.value.plugin


def test_goods_go_in_one_parcel_where_nobody_chooses() -> None:
    """Weights are added up; what has no known weight counts nothing."""
    items = [ParcelItem(sku="A", steps=3, weight_grams=100), ParcelItem(sku="B", steps=2)]
    assert (ParcelPlan(weight_grams=300, steps=5),) == shipping.parcels(composed(), items)


def test_a_parcels_status_is_the_highest_told() -> None:
    """Nothing told is unknown; returned outranks delivered."""
    assert "unknown" == rules.status_of([])
    assert "delivered" == rules.status_of(["in_transit", "delivered", "accepted"])
    assert "returned" == rules.status_of(["returned", "delivered"])
