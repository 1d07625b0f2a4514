"""How a fare is found: by weight, place, date, currency and basis; pure, and never an exception for "can't"."""

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given, settings, strategies as st
from moneyed import Money

from eckit import Fare, FareRequest, ParcelPlan, Refusal, TaxPlace, Text, to_minor
from eckit.kernel.clock import day_bounds
from eckit_tablerate.carrier import TableRate
from eckit_tablerate.fares import Facts, Rate, Service, find
from eckit_tablerate.japan import japan
from eckit_tablerate.regions import prefectures, region_of

NOON = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TOKYO = TaxPlace(country="JP", region="東京都", postal_prefix="150")


def _rate(weight: int = 2000, amount: int = 800, **others: object) -> Rate:
    values: dict[str, object] = {"service": "standard", "country": "JP", "currency": "JPY", "valid_from": SINCE}
    return Rate(**{**values, "max_weight_grams": weight, "amount_minor": amount, **others})  # type: ignore[arg-type]


def _facts(*rates: Rate, **service: object) -> Facts:
    made = Service(code="standard", label=Text.of("Standard"), **service)  # type: ignore[arg-type]
    return Facts.of([made], rates, service.pop("excluded", ()))  # type: ignore[arg-type]


def _request(*weights: int, place: TaxPlace = TOKYO, goods: Money | None = None, **others: object) -> FareRequest:
    values: dict[str, object] = {"goods_include_tax": True, "at": NOON, **others}
    return FareRequest(
        origin=None,
        destination=place,
        parcels=tuple(ParcelPlan(weight_grams=weight) for weight in weights),
        goods_value=goods or Money(3000, "JPY"),
        **values,  # type: ignore[arg-type]
    )


def _answer(facts: Facts, request: FareRequest) -> Fare | Refusal:
    [answer] = TableRate().quote(facts, request)
    return answer


def _amounts(facts: Facts, requests: Sequence[FareRequest]) -> list[object]:
    answers = [_answer(facts, request) for request in requests]
    return [to_minor(answer.total) if isinstance(answer, Fare) else answer.code for answer in answers]


def test_a_weight_of_exactly_the_limit_is_within_it() -> None:
    """Conformance 8: the sum at the limit stays, one gram more goes up. MNY-09: three times 0.1 kg are 0.3 kg."""
    facts = _facts(_rate(300, 500), _rate(2000, 800), _rate(5000, 1100))

    assert [800, 800, 1100] == _amounts(facts, [_request(301), _request(2000), _request(2001)])
    assert [500] == _amounts(facts, [_request(3 * 100)])


def test_over_the_last_limit_is_too_heavy_and_never_a_price() -> None:
    """Conformance 9: the refusal tells the weight and the limit, in both languages."""
    refusal = _answer(_facts(_rate(2000), _rate(5000, 1100)), _request(5001))

    assert isinstance(refusal, Refusal)
    assert "too_heavy" == refusal.code
    assert "Too heavy: a parcel of 5.001 kg; at most 5 kg can be sent." == refusal.message.get("en")
    assert "重量超過です（5.001 kg）。1個あたり 5 kg まで配送できます。" == refusal.message.get("ja")


def test_each_parcel_costs_its_own_fare_and_parts_add_up() -> None:
    """Conformance 10 and 11: n parcels are the sum of n fares; their order does not matter."""
    facts = _facts(_rate(2000, 800), _rate(5000, 1100))
    one, other = (_answer(facts, _request(*weights)) for weights in ((1000, 4000, 2000), (2000, 1000, 4000)))

    assert isinstance(one, Fare)
    assert isinstance(other, Fare)
    assert [800, 1100, 800] == [to_minor(part.amount) for part in one.parts]
    assert (Money(2700, "JPY"), Money(2700, "JPY")) == (one.total, other.total)


def test_a_region_has_its_own_fares_before_the_countrys() -> None:
    """Where the region has no fares in force, the country's count."""
    facts = _facts(_rate(amount=800), _rate(amount=1600, region="沖縄県"))
    okinawa = TaxPlace(country="JP", region="沖縄県")

    assert [800, 1600] == _amounts(facts, [_request(1), _request(1, place=okinawa)])


@pytest.mark.parametrize(
    "written", ["東京都", "東京", "Tokyo", "TOKYO", "tokyo-to", "Tōkyō", "Tokyo to", "JP-13", "13"]
)
def test_a_prefecture_is_known_however_it_is_written(written: str) -> None:
    """An address in Latin letters pays what the same place pays in kanji."""
    facts = _facts(_rate(amount=800, region="東京都"))

    assert [800] == _amounts(facts, [_request(1, place=TaxPlace(country="JP", region=written))])


def test_a_region_of_another_country_is_left_as_it_is_written() -> None:
    """Only Japan's prefectures have one name here; what is none stays readable."""
    assert ("CA", "Tokyo", "江戸") == (region_of("US", "CA"), region_of("DE", "Tokyo"), region_of("JP", "江戸"))


def test_dates_are_half_open_and_outside_them_there_is_no_tariff() -> None:
    """Conformance 12: a fare is never used silently after its end; its first instant counts, its end does not."""
    start, end = NOON, NOON + dt.timedelta(days=30)
    facts = _facts(_rate(valid_from=start, valid_to=end))
    tick = dt.timedelta(microseconds=1)

    instants = [start - tick, start, end - tick, end]
    assert ["no_tariff", 800, 800, "no_tariff"] == _amounts(facts, [_request(1, at=at) for at in instants])


def test_a_later_fare_takes_the_place_of_the_one_before() -> None:
    """A fare for a season goes back to the one before; another weight keeps its own."""
    summer = _rate(2000, 700, valid_from=NOON, valid_to=NOON + dt.timedelta(days=1))
    facts = _facts(_rate(2000, 800), _rate(5000, 1100), summer)
    before, during, after = (NOON + dt.timedelta(hours=hours) for hours in (-1, 1, 24))

    assert [800, 700, 800] == _amounts(facts, [_request(1, at=at) for at in (before, during, after)])
    assert [1100] == _amounts(facts, [_request(3000, at=during)])


def test_a_day_of_the_shops_zone_decides_and_not_the_servers() -> None:
    """Fares "from 1 April" in Tokyo start at 15:00 UTC of 31 March."""
    facts = _facts(_rate(valid_from=day_bounds(dt.date(2026, 4, 1), "Asia/Tokyo")[0]))
    first = dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)

    requests = [_request(1, at=first - dt.timedelta(seconds=1)), _request(1, at=first)]
    assert ["no_tariff", 800] == _amounts(facts, requests)


def test_money_of_another_currency_or_basis_is_no_fare() -> None:
    """MNY-12: a fare in another currency or tax basis is never taken for one; nothing is converted."""
    facts = _facts(_rate(amount=800), _rate(amount=500, currency="EUR"), _rate(amount=700, tax_included=False))

    requests = [
        _request(1),
        _request(1, goods=Money(30, "EUR")),
        _request(1, goods_include_tax=False),
        _request(1, goods=Money(30, "USD")),
    ]
    assert [800, 500, 700, "no_tariff"] == _amounts(facts, requests)


def test_goods_worth_the_threshold_go_free() -> None:
    """At the threshold, not a yen below it; in the threshold's currency only; the parts show what was given."""
    facts = _facts(_rate(amount=800), _rate(amount=500, currency="EUR"), free_from_minor=5000, free_currency="JPY")
    goods = [Money(4999, "JPY"), Money(5000, "JPY"), Money(9999, "EUR")]

    assert [800, 0, 500] == _amounts(facts, [_request(1, goods=value) for value in goods])
    fare = _answer(facts, _request(1, goods=Money(5000, "JPY")))
    assert isinstance(fare, Fare)
    assert [("base", 800), ("discount", -800)] == [(part.kind, to_minor(part.amount)) for part in fare.parts]


@pytest.mark.parametrize(
    "place",
    [
        ("standard", "JP", "", "100"),
        ("standard", "JP", "東京都", ""),
        ("standard", "JP", "東京都", "100"),
        ("standard", "JP", "", ""),
    ],
)
def test_an_excluded_place_is_refused(place: tuple[str, str, str, str]) -> None:
    """Conformance 14: by postal code, region, both, or the whole country; however the region is written."""
    facts = Facts.of([Service(code="standard", label=Text.of("Standard"))], [_rate()], [place])
    islands = [TaxPlace(country="JP", region=region, postal_prefix="100") for region in ("東京都", "Tokyo")]

    assert ["excluded_place"] * 2 == _amounts(facts, [_request(1, place=island) for island in islands])
    assert [800] == _amounts(Facts.of(facts.services, [_rate()], [("other", "JP", "", "")]), [_request(1)])


def test_a_place_without_its_prefecture_is_asked_for_it() -> None:
    """The country alone has no fare in Japan; the reason says what is missing."""
    refusal = _answer(_facts(_rate(region="東京都")), _request(1, place=TaxPlace(country="JP")))

    assert isinstance(refusal, Refusal)
    assert ("no_tariff", "region") == (refusal.code, refusal.path)
    assert "送料は都道府県によって異なります。" == refusal.message.get("ja")


def test_the_earliest_day_is_counted_in_the_services_zone() -> None:
    """23:00 in Tokyo is still that day, though UTC is nine hours behind; of several parcels the slowest counts."""
    facts = _facts(_rate(2000, lead_days=1), _rate(5000, 1100, lead_days=2), zone="Asia/Tokyo")
    night = dt.datetime(2026, 4, 1, 14, 0, tzinfo=dt.UTC)
    fares = [_answer(facts, _request(*weights, at=night)) for weights in ((1,), (1, 3000))]

    assert [dt.date(2026, 4, 2), dt.date(2026, 4, 3)] == [fare.earliest for fare in fares if isinstance(fare, Fare)]


def test_a_fare_names_the_row_it_rests_on() -> None:
    """The order keeps it: place, weight and start of the row."""
    fare = _answer(_facts(_rate(region="東京都")), _request(1))

    assert isinstance(fare, Fare)
    assert "standard/JP/東京都/2000g/2026-01-01T00:00" == fare.table


def test_all_prefectures_and_weights_of_the_preset_quote_or_refuse() -> None:
    """Conformance 6: 47 prefectures × weights from 1 g to 30 kg; none raises, over 25 kg all refuse."""
    facts = Facts.of([japan()[0]], japan()[1], [])
    weights = (1, 2000, 2001, 5000, 10_000, 15_000, 20_000, 25_000, 25_001, 30_000)

    table = {
        prefecture: _amounts(
            facts, [_request(weight, place=TaxPlace(country="JP", region=prefecture)) for weight in weights]
        )
        for prefecture in prefectures()
    }
    assert 47 == len(table)
    assert [940, 940, 1230, 1230, 1530, 2040, 2630, 3020, "too_heavy", "too_heavy"] == table["東京都"]
    assert [1460, 1460, 1740, 1740, 2050, 2610, 3250, 3630, "too_heavy", "too_heavy"] == table["北海道"]
    assert {"too_heavy"} == {answers[-1] for answers in table.values()}
    assert all(isinstance(amount, int) for answers in table.values() for amount in answers[:-2])


def test_the_preset_is_tax_inclusive_yen_of_the_standard_class() -> None:
    """Fares for buyers in Japan contain 10 % consumption tax; the tax engine takes it out by the class."""
    service, rates = japan()

    assert ("standard", "standard", "Asia/Tokyo") == (service.code, service.tax_class, service.zone)
    assert {("JPY", True)} == {(rate.currency, rate.tax_included) for rate in rates}
    assert {day_bounds(dt.date(2025, 10, 1), "Asia/Tokyo")[0]} == {rate.valid_from for rate in rates}
    assert set(prefectures()) == {rate.region for rate in rates}


_rows = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 5000)), min_size=1, max_size=8, unique_by=lambda row: row[0]
)


@given(_rows, st.integers(0, 50), st.integers(0, 50))
@settings(max_examples=200)
def test_more_weight_never_costs_less(rows: list[tuple[int, int]], one: int, other: int) -> None:
    """Conformance 7: whatever the table says, even one whose heavier fare is the cheaper."""
    tariff = sorted((_rate(weight, amount) for weight, amount in rows), key=lambda rate: rate.max_weight_grams)
    light, heavy = (find(tariff, weight) for weight in sorted((one, other)))

    assert heavy is None or (light is not None and light.amount_minor <= heavy.amount_minor)


@given(
    st.lists(st.integers(0, 60_000), max_size=5),
    st.text(max_size=8),
    st.sampled_from(["JP", "US", "XX", ""]),
    st.sampled_from(["JPY", "EUR", "BHD"]),
    st.booleans(),
    st.datetimes(timezones=st.just(dt.UTC)),
)
@settings(max_examples=200)
def test_a_quote_never_raises_and_is_the_same_twice(
    weights: list[int], region: str, country: str, currency: str, basis: bool, at: dt.datetime
) -> None:
    """Conformance 15 and "never raises for can't": one answer per service; parts add up to the total."""
    facts = Facts.of([japan()[0]], japan()[1], [])
    request = _request(
        *weights,
        place=TaxPlace(country=country, region=region),
        goods=Money(1, currency),
        goods_include_tax=basis,
        at=at,
    )

    answers = TableRate().quote(facts, request)
    assert 1 == len(answers)
    assert answers == TableRate().quote(facts, request)
    for answer in answers:
        if isinstance(answer, Fare):
            assert to_minor(answer.total) == sum(to_minor(part.amount) for part in answer.parts)
