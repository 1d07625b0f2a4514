"""The tables: what is set is found again, by those who may; quotes that rest on them are made anew."""

import datetime as dt
from typing import Any

import pytest
from moneyed import Money

import eckit_tablerate
from eckit import Actor, FareRequest, InvalidInputError, NotAllowedError, NotFoundError, ParcelPlan, TaxPlace, Text
from eckit.kernel.clock import FixedClock
from eckit.kernel.own import Own
from eckit.kernel.work import Begin
from eckit.shipping import service as shipping
from eckit_tablerate.commands import COMMANDS
from plugins.tablerate.tests.conftest import STAFF

SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _set(begin: Begin, **others: Any) -> eckit_tablerate.Rate:
    values: dict[str, Any] = {
        "service": "standard",
        "country": "JP",
        "max_weight_grams": 2000,
        "amount_minor": 800,
        "currency": "JPY",
        "valid_from": SINCE,
    }
    with begin.write(STAFF) as work:
        return eckit_tablerate.set_rate(work, **{**values, **others})


def _offers(begin: Begin, region: str = "東京都", goods: int = 3000) -> list[tuple[str, int]]:
    with begin.read(Actor.guest()) as work:
        request = FareRequest(
            origin=None,
            destination=TaxPlace(country="JP", region=region, postal_prefix="100"),
            parcels=(ParcelPlan(weight_grams=500),),
            goods_value=Money(goods, "JPY"),
            goods_include_tax=True,
            at=work.now,
        )
        stamps = work.stamps(["plugin:tablerate"])
        offers, _, failures = shipping.options(work.plugins, Own(work, reading_only=True), stamps, request)
    assert () == failures
    return [(offer.option, offer.amount_minor) for offer in offers]


def test_a_fare_is_offered_as_soon_as_it_is_set_and_until_it_is_changed(begin: Begin) -> None:
    """Cached by the plugin's stamp, which every change raises."""
    assert [] == _offers(begin)

    _set(begin, label=Text.of("Standard", ja="通常配送"))
    assert [("tablerate.standard", 800)] == _offers(begin)
    _set(begin, amount_minor=900)

    assert [("tablerate.standard", 900)] == _offers(begin)
    with begin.read(STAFF) as work:
        assert ["通常配送"] == [service.label.get("ja") for service in eckit_tablerate.services(work)]
        assert [900] == [rate.amount_minor for rate in eckit_tablerate.rates(work)]


def test_a_change_moves_the_stamp_that_quotes_rest_on(begin: Begin) -> None:
    """A quote that rests on the old fare cannot be placed."""
    with begin.read(STAFF) as work:
        before = work.stamps(["plugin:tablerate"])
    _set(begin)
    with begin.read(STAFF) as work:
        assert before != work.stamps(["plugin:tablerate"])


def test_the_preset_fills_in_all_of_japan_and_again_changes_nothing(begin: Begin) -> None:
    """47 prefectures × 6 weights, in a fixed number of statements; a second run gives the same table."""
    with begin.write(STAFF) as work:
        first = eckit_tablerate.preset_japan(work)
    with begin.write(STAFF) as work:
        eckit_tablerate.preset_japan(work)

    assert 47 * 6 == len(first)
    with begin.read(STAFF) as work:
        assert sorted(first, key=lambda rate: rate.table) == sorted(
            eckit_tablerate.rates(work), key=lambda rate: rate.table
        )
    assert [("tablerate.standard", 940)] == _offers(begin)
    assert [("tablerate.standard", 1460)] == _offers(begin, "沖縄")


def test_free_delivery_is_set_with_the_preset_and_by_itself(begin: Begin) -> None:
    """Goods worth the threshold go free; without one, none do."""
    with begin.write(STAFF) as work:
        eckit_tablerate.preset_japan(work, free_from=Money(5000, "JPY"))
    assert [("tablerate.standard", 0)] == _offers(begin, goods=5000)

    with begin.write(STAFF) as work:
        eckit_tablerate.set_service(work, code="standard", label=Text.of("Standard"))
    assert [("tablerate.standard", 940)] == _offers(begin, goods=5000)
    with pytest.raises(InvalidInputError), begin.write(STAFF) as work:
        eckit_tablerate.preset_japan(work, free_from=Money(50, "EUR"))


def test_an_excluded_place_is_not_delivered_to_until_it_is_included(begin: Begin) -> None:
    """Excluding twice is once; including what was not excluded says so."""
    _set(begin)
    for _ in range(2):
        with begin.write(STAFF) as work:
            eckit_tablerate.exclude(work, service="standard", country="JP", region="Tokyo", postal_prefix="１００")
    assert [] == _offers(begin)
    with begin.read(STAFF) as work:
        assert (("standard", "JP", "東京都", "100"),) == eckit_tablerate.excluded(work)

    for there in (True, False):
        with begin.write(STAFF) as work:
            assert there is eckit_tablerate.include(
                work, service="standard", country="JP", region="東京都", postal_prefix="100"
            )
    assert [("tablerate.standard", 800)] == _offers(begin)


def test_a_removed_fare_is_gone(begin: Begin) -> None:
    """Once; the second time there is nothing to remove."""
    _set(begin)
    key = {"service": "standard", "country": "JP", "max_weight_grams": 2000, "currency": "JPY", "valid_from": SINCE}
    for there in (True, False):
        with begin.write(STAFF) as work:
            assert there is eckit_tablerate.remove_rate(work, **key)  # type: ignore[arg-type]
    assert [] == _offers(begin)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("country", "Japan", "wrong-country"),
        ("country", "jp", "wrong-country"),
        ("country", "XX", "wrong-country"),
        ("max_weight_grams", 0, "wrong-quantity"),
        ("max_weight_grams", True, "wrong-quantity"),
        ("max_weight_grams", 2.5, "wrong-quantity"),
        ("amount_minor", -1, "negative"),
        ("currency", "YEN", "unknown-currency"),
        ("valid_from", dt.datetime(2026, 1, 1), "naive-time"),  # noqa: DTZ001 - what is refused
        ("valid_to", SINCE, "window-reversed"),
        ("lead_days", -1, "wrong-quantity"),
        ("service", "a b", "wrong-code"),
        ("region", "x" * 101, "too-long"),
    ],
)
def test_what_cannot_be_a_fare_is_refused_by_field(begin: Begin, field: str, value: object, code: str) -> None:
    """The error names the field and nothing is stored."""
    with pytest.raises(InvalidInputError) as caught:
        _set(begin, **{field: value})

    assert [code] == [problem.code for problem in caught.value.problems]
    with begin.read(STAFF) as work:
        assert () == eckit_tablerate.rates(work)


def test_nobody_changes_fares_without_the_permission(begin: Begin) -> None:
    """Every verb that writes asks for ``tablerate.write``."""
    clerk = Actor.staff("sato", "shipping.write")
    place = {"service": "standard", "country": "JP"}
    rate = {**place, "max_weight_grams": 1, "currency": "JPY", "valid_from": SINCE}
    attempts = [
        lambda work: eckit_tablerate.preset_japan(work),
        lambda work: eckit_tablerate.set_rate(work, **rate, amount_minor=1),
        lambda work: eckit_tablerate.remove_rate(work, **rate),
        lambda work: eckit_tablerate.set_service(work, code="standard", label=Text.of("S")),
        lambda work: eckit_tablerate.exclude(work, **place),
        lambda work: eckit_tablerate.include(work, **place),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowedError), begin.write(clerk) as work:
            attempt(work)


def test_an_unknown_service_cannot_be_kept_from_a_place(begin: Begin) -> None:
    """A misspelt service is an error, not a silent nothing; a prefix pricing cannot know is one too."""
    with pytest.raises(NotFoundError), begin.write(STAFF) as work:
        eckit_tablerate.exclude(work, service="standrad", country="JP")
    _set(begin)
    with pytest.raises(InvalidInputError), begin.write(STAFF) as work:
        eckit_tablerate.exclude(work, service="standard", country="JP", postal_prefix="1000001")


class _Shop:
    """As commands see a shop."""

    def __init__(self, begin: Begin) -> None:
        self.read, self.write = begin.read, begin.write


def test_the_commands_set_list_and_fill_in(begin: Begin) -> None:
    """``eckit tablerate set``, ``free``, ``list`` and ``preset``."""
    run: dict[str, Any] = {command.name: command.run for command in COMMANDS}
    shop = _Shop(begin)

    assert "The table is empty. Start with: eckit tablerate preset japan" == run["list"](shop)
    day = dt.date(2026, 4, 1)
    said = run["set"](shop, "economy", "JP", 1000, "1,234,567", since=day, zone="Asia/Tokyo", region="Tokyo")
    assert "  JP 東京都       up to   1000 g  ¥1,234,567  with tax  from 2026-03-31 15:00 UTC" == said
    assert "economy: economy (tax class standard, free from ¥5,000)" == run["free"](shop, "economy", "5000")
    assert "economy: economy (tax class standard)" == run["free"](shop, "economy")
    assert run["preset"](shop, "japan").startswith("282 fares of the service standard")
    assert 2 == len(run["list"](shop, "economy").splitlines())
    with pytest.raises(InvalidInputError):
        run["preset"](shop, "atlantis")
    with pytest.raises(InvalidInputError):
        run["free"](shop, "standrad", "1")


def test_a_day_of_the_command_line_is_a_day_of_its_zone(begin: Begin, clock: FixedClock) -> None:
    """``--until 2026-04-01`` holds to the end of that day in Tokyo."""
    run: dict[str, Any] = {command.name: command.run for command in COMMANDS}
    day = dt.date(2026, 4, 1)
    run["set"](_Shop(begin), "standard", "JP", 1000, "500", since=day, until=day, zone="Asia/Tokyo")

    found = []
    for at in ("2026-03-31T14:59:59", "2026-03-31T15:00:00", "2026-04-01T14:59:59", "2026-04-01T15:00:00"):
        clock.set(dt.datetime.fromisoformat(f"{at}+00:00"))
        found.append(len(_offers(begin)))
    assert [0, 1, 1, 0] == found
