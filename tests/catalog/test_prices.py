"""Price lists and prices: tiers, windows, one currency per list, told to who listens."""

import datetime as dt

import attrs
import pytest
import sqlalchemy as sa

from eckit.catalog import (
    Price,
    PriceChanged,
    PriceList,
    PriceListAmbiguousError,
    PriceListCodeTakenError,
    PriceListInUseError,
    PriceListMissingError,
    WrongListCurrencyError,
    service as catalog,
)
from eckit.catalog.store import price as price_table
from eckit.kernel.clock import Window
from eckit.kernel.database import ConstraintError
from eckit.kernel.errors import InvalidInputError, NotAllowedError, NotFoundError
from eckit.kernel.ids import ChannelId, VariantId
from eckit.kernel.minting import mint
from eckit.testing.begin import START
from tests.catalog.conftest import GUEST, STAFF, Shelves, announced, new_list


def stored(shelves: Shelves, variant_id: VariantId) -> tuple[Price, ...]:
    with shelves.begin.read(STAFF) as work:
        return catalog.prices_of(work, shelves.retail.id, [variant_id])


def test_tiers_and_windows_are_prices_of_their_own(shelves: Shelves) -> None:
    """Setting one leaves the others; setting it again takes its place."""
    _, variant = shelves.publish("tea", 1000)
    tokyo = dt.timezone(dt.timedelta(hours=9))
    week = Window(dt.datetime(2026, 8, 1, tzinfo=tokyo), dt.datetime(2026, 8, 8, 23, 30, tzinfo=tokyo))
    base = Price(variant_id=variant.id, list_id=shelves.retail.id, amount_minor=1000)
    tier, sale = attrs.evolve(base, min_steps=10, amount_minor=900), attrs.evolve(base, window=week, amount_minor=800)
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, shelves.retail.id, [tier, sale])
        catalog.set_prices(work, shelves.retail.id, [attrs.evolve(sale, amount_minor=750, original_minor=1000)])
    assert (base, attrs.evolve(sale, amount_minor=750, original_minor=1000), tier) == stored(shelves, variant.id)
    assert dt.datetime(2026, 8, 8, 14, 30, tzinfo=dt.UTC) == stored(shelves, variant.id)[1].window.end
    with shelves.begin.write(STAFF) as work:
        catalog.remove_prices(work, shelves.retail.id, [sale, attrs.evolve(tier, min_steps=99)])
    assert (base, tier) == stored(shelves, variant.id)


def test_naive_time_cannot_get_into_a_window() -> None:
    """23:30 where?"""
    with pytest.raises(InvalidInputError):
        Window(dt.datetime(2026, 8, 1))  # noqa: DTZ001


def test_change_of_price_is_announced_per_variant_and_only_when_it_is_one(shelves: Shelves) -> None:
    """Setting what is set already raises no stamp and tells nobody."""
    _, variant = shelves.publish("tea", 1000)
    again = Price(variant_id=variant.id, list_id=shelves.retail.id, amount_minor=1000)
    before = shelves.stamps()
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, shelves.retail.id, [again])
    assert before == shelves.stamps()
    assert [PriceChanged(variant_id=variant.id, list_id=shelves.retail.id, at=START)] == announced(
        shelves, PriceChanged
    )
    with shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, shelves.retail.id, [attrs.evolve(again, amount_minor=1100)])
    assert 2 == len(announced(shelves, PriceChanged))
    assert before["prices"] != shelves.stamps()["prices"]


def test_prices_need_a_list_and_a_variant_that_are_there(shelves: Shelves) -> None:
    """Nothing is set of what is not."""
    _, variant = shelves.publish("tea", 1000)
    nothing = Price(variant_id=VariantId(mint("variant")), list_id=shelves.retail.id, amount_minor=1)
    with pytest.raises(NotFoundError), shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, shelves.retail.id, [nothing])
    no_list = new_list("none", "JPY")
    with pytest.raises(NotFoundError), shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, no_list.id, [Price(variant_id=variant.id, list_id=no_list.id, amount_minor=1)])


def test_list_is_read_back_as_it_was_saved(shelves: Shelves) -> None:
    """Audience, basis, priority, window."""
    channel = ChannelId(mint("channel"))
    wholesale = shelves.add_list(
        "wholesale",
        "EUR",
        includes_tax=False,
        channel_ids=frozenset({channel}),
        customer_groups=frozenset({"b2b", "staff"}),
        priority=5,
        window=Window(START, START + dt.timedelta(days=30)),
    )
    with shelves.begin.read(STAFF) as work:
        assert (shelves.retail, wholesale) == catalog.price_lists(work)
    with shelves.begin.read(GUEST) as work:
        with pytest.raises(NotAllowedError):
            catalog.price_lists(work)
        with pytest.raises(NotAllowedError):
            catalog.prices_of(work, wholesale.id, [])


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"includes_tax": False}])
def test_list_with_prices_keeps_its_currency_and_basis(shelves: Shelves, change: dict[str, object]) -> None:
    """1000 yen with tax do not become 1000 euros, nor 1000 yen without."""
    empty = shelves.add_list("empty", "JPY")
    shelves.publish("tea", 1000)
    with shelves.begin.write(STAFF) as work:
        catalog.save_price_list(work, attrs.evolve(empty, **change))
    with pytest.raises(PriceListInUseError), shelves.begin.write(STAFF) as work:
        catalog.save_price_list(work, attrs.evolve(shelves.retail, **change))


def test_database_itself_keeps_the_currency_of_a_list(shelves: Shelves) -> None:
    """A price in another currency than its list cannot be stored, whoever tries."""
    _, variant = shelves.publish("tea", 1000)
    with pytest.raises(ConstraintError), shelves.begin.write(STAFF) as work:
        work.execute(sa.update(price_table).where(price_table.c.variant_id == variant.id).values(currency="EUR"))


def test_list_codes_are_unique(shelves: Shelves) -> None:
    """Files and pages name lists by their codes."""
    with pytest.raises(PriceListCodeTakenError):
        shelves.add_list("retail", "EUR")


def test_list_for_amounts_is_named_or_the_only_one(shelves: Shelves) -> None:
    """Which list an import means is never guessed."""

    def chosen(currency: str, name: str | None = None) -> PriceList:
        with shelves.begin.read(STAFF) as work:
            return catalog.list_for(work, currency, name)

    assert shelves.retail == chosen("JPY") == chosen("JPY", "retail") == chosen("JPY", shelves.retail.id)
    with pytest.raises(PriceListMissingError):
        chosen("EUR")
    with pytest.raises(WrongListCurrencyError):
        chosen("EUR", "retail")
    with pytest.raises(NotFoundError):
        chosen("JPY", "none")
    shelves.add_list("members", "JPY")
    with pytest.raises(PriceListAmbiguousError) as refused:
        chosen("JPY")
    assert "members, retail" == refused.value.price_lists


def test_so_many_prices_at_once_and_no_more(shelves: Shelves) -> None:
    """A batch has a limit; more come as a file."""
    one = Price(variant_id=VariantId(mint("variant")), list_id=shelves.retail.id, amount_minor=1)
    with pytest.raises(InvalidInputError) as refused, shelves.begin.write(STAFF) as work:
        catalog.set_prices(work, shelves.retail.id, [one] * 10_001)
    assert "too-many" == refused.value.problems[0].code
