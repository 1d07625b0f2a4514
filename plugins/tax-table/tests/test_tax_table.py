"""The tax table: rates by place, class and day, from the shop's own table; unknown is never 0 %."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

import eckit_tax_table
from eckit import Actor, Market, NotAllowedError, TaxPlace, TaxRequest, TaxUnavailableError
from eckit.kernel.clock import day_bounds
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.own import Own
from eckit.kernel.tables import SCHEMA
from eckit.kernel.work import Begin
from eckit.tax import Taxable, TaxLine, service
from eckit.testing.begin import make_begin
from eckit.testing.databases import install_schema
from eckit_tax_table import NoTaxRateError, Rate, commands, preset_japan, rates, remove_rate, set_rate, tables

CLERK = Actor.staff("kimura", "tax-table.write")
NOW = dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC)
JAPAN = TaxPlace(country="JP", region="東京都")


@pytest.fixture
def begin(database_url: str) -> Begin:
    """A shop with the table, empty."""
    return opened(database_url)


def opened(url: str, settings: Any = None) -> Begin:
    install_schema(url, extra=(tables.metadata,))
    return make_begin(url, plugins=[eckit_tax_table.plugin], settings={"tax-table": settings} if settings else None)


def asked(begin: Begin, *classes: str, place: TaxPlace = JAPAN, at: dt.datetime = NOW) -> tuple[TaxLine, ...]:
    """What the core gets for one item of each class."""
    items = tuple(
        Taxable(key=f"k{n}", tax_class=one, amount_minor=1000, quantity_steps=1, place=place)
        for n, one in enumerate(classes)
    )
    request = TaxRequest(currency="JPY", prices_include_tax=True, seller_country="JP", at=at, items=items)
    with begin.read(Actor.system()) as work:
        stamp = work.stamps(["plugin:tax-table"])["plugin:tax-table"]
        return service.ask(work.plugins, "tax-table", Own(work, reading_only=True), stamp, request)


def with_japan(begin: Begin) -> None:
    with begin.write(CLERK) as work:
        preset_japan(work)


def german(work: Any, rate: Decimal | str, since: dt.date, until: dt.date | None = None) -> Rate:
    return set_rate(
        work,
        country="DE",
        tax_class="standard",
        rate=rate,
        code="de-standard",
        valid_from=day_bounds(since, "Europe/Berlin")[0],
        valid_to=None if until is None else day_bounds(until, "Europe/Berlin")[1],
    )


# -- rates ------------------------------------------------------------------------------------------------------------


def test_japan_taxes_food_with_8_and_the_rest_with_10_percent(begin: Begin) -> None:
    """The preset: two rates with their names in both languages, in every region."""
    with_japan(begin)
    standard, reduced = asked(begin, "standard", "reduced")
    assert (Decimal("0.1"), "jp-standard", "消費税 10%") == (standard.rate, standard.code, standard.label.get("ja"))
    assert (Decimal("0.08"), "jp-reduced", "JP") == (reduced.rate, reduced.code, reduced.jurisdiction)


@pytest.mark.parametrize(
    ("at", "standard", "reduced"),
    [
        ("2019-09-30T23:59:59.999999+09:00", ("jp-8", "0.08"), ("jp-8", "0.08")),
        ("2019-10-01T00:00:00+09:00", ("jp-standard", "0.1"), ("jp-reduced", "0.08")),
        ("2014-04-01T00:00:00+09:00", ("jp-8", "0.08"), ("jp-8", "0.08")),
    ],
)
def test_rates_change_at_midnight_in_tokyo(
    begin: Begin, at: str, standard: tuple[str, str], reduced: tuple[str, str]
) -> None:
    """Windows are half-open instants: until the last microsecond the old rate, from midnight on the new one."""
    with_japan(begin)
    lines = asked(begin, "standard", "reduced", at=dt.datetime.fromisoformat(at).astimezone(dt.UTC))
    assert [standard, reduced] == [(line.code, str(line.rate)) for line in lines]


@pytest.mark.parametrize(
    ("tax_class", "place", "at"),
    [
        ("wine", JAPAN, NOW),
        ("standard", TaxPlace(country="FR"), NOW),
        ("standard", JAPAN, dt.datetime(2014, 3, 31, tzinfo=dt.UTC)),
    ],
)
def test_unknown_class_place_or_date_has_no_rate(
    begin: Begin, tax_class: str, place: TaxPlace, at: dt.datetime
) -> None:
    """It is refused and says what is missing; it is never taken for 0 %."""
    with_japan(begin)
    with pytest.raises(TaxUnavailableError) as caught:
        asked(begin, "standard", tax_class, place=place, at=at)
    assert isinstance(caught.value.__cause__.__cause__, NoTaxRateError)  # type: ignore[union-attr]
    assert tax_class in caught.value.text("en")
    assert place.country in caught.value.text("ja")


def test_empty_table_has_no_rate(begin: Begin) -> None:
    """A shop that forgot to fill it sells nothing."""
    with pytest.raises(TaxUnavailableError):
        asked(begin, "standard")


def test_rate_for_a_season_goes_back_to_the_one_before(begin: Begin) -> None:
    """Germany's 16 % in the second half of 2020: of several rates that cover an instant the latest start counts."""
    with begin.write(CLERK) as work:
        german(work, "19%", dt.date(2007, 1, 1))
        german(work, "16%", dt.date(2020, 7, 1), dt.date(2020, 12, 31))
    place = TaxPlace(country="DE")
    found = [
        asked(begin, "standard", place=place, at=dt.datetime(year, month, day, tzinfo=dt.UTC))[0].rate
        for year, month, day in ((2020, 6, 30), (2020, 7, 1), (2020, 12, 31), (2021, 1, 1))
    ]
    assert ["0.19", "0.16", "0.16", "0.19"] == [str(rate) for rate in found]


def test_region_goes_before_its_country(begin: Begin) -> None:
    """A region with a rate of its own; the others have the country's."""
    with begin.write(CLERK) as work:
        for region, rate in (("", "0.05"), ("QC", "0.14975")):
            set_rate(
                work, country="CA", region=region, tax_class="standard", rate=rate, code=f"ca{region}", valid_from=NOW
            )
    [quebec] = asked(begin, "standard", place=TaxPlace(country="CA", region="QC"))
    [ontario] = asked(begin, "standard", place=TaxPlace(country="CA", region="ON"))
    assert (Decimal("0.14975"), "CA-QC") == (quebec.rate, quebec.jurisdiction)
    assert (Decimal("0.05"), "CA") == (ontario.rate, ontario.jurisdiction)


def test_change_is_seen_by_the_next_pricing(begin: Begin) -> None:
    """The table is read once and again when it changed, in the same transaction as the change's stamp."""
    with_japan(begin)
    assert Decimal("0.1") == asked(begin, "standard")[0].rate
    with begin.write(CLERK) as work:
        set_rate(work, country="JP", tax_class="standard", rate="0.12", code="jp-12", valid_from=NOW)
    assert Decimal("0.12") == asked(begin, "standard")[0].rate
    with begin.write(CLERK) as work:
        assert remove_rate(work, country="JP", tax_class="standard", valid_from=NOW)
        assert not remove_rate(work, country="JP", tax_class="standard", valid_from=NOW)
    assert Decimal("0.1") == asked(begin, "standard")[0].rate


def test_change_that_fails_leaves_no_trace(begin: Begin) -> None:
    """The plugin's row and the core's stamp commit together or not at all."""
    with_japan(begin)

    def change_and_fail() -> None:
        with begin.write(CLERK) as work:
            set_rate(work, country="JP", tax_class="standard", rate="0.12", code="jp-12", valid_from=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert Decimal("0.1") == asked(begin, "standard")[0].rate


def test_classes_of_the_shop_may_be_taxed_as_others(database_url: str) -> None:
    """A setting: food is taxed as the reduced class."""
    begin = opened(database_url, {"classes": {"food": "reduced"}})
    with_japan(begin)
    assert "jp-reduced" == asked(begin, "food")[0].code


# -- verbs ------------------------------------------------------------------------------------------------------------


def test_preset_can_be_put_in_again(begin: Begin) -> None:
    """Twice the same gives the same rows."""
    with_japan(begin)
    with begin.read(CLERK) as work:
        before = rates(work)
    with_japan(begin)
    with begin.read(CLERK) as work:
        assert before == rates(work)
    assert 4 == len(before)


def test_rate_is_kept_exactly(begin: Begin) -> None:
    """Neither database rounds it."""
    with begin.write(CLERK) as work:
        given = german(work, Decimal("0.1234567891"), dt.date(2026, 1, 1))
    with begin.read(CLERK) as work:
        assert (given,) == rates(work)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "country": ({"country": "Japan"}, "wrong-country", "country"),
    "no country there is": ({"country": "XX"}, "wrong-country", "country"),
    "lower case": ({"country": "jp"}, "wrong-country", "country"),
    "above one": ({"rate": Decimal("1.01")}, "rate-out-of-range", "rate"),
    "ten thousand percent": ({"rate": "10"}, "rate-out-of-range", "rate"),
    "negative": ({"rate": "-0.1"}, "rate-out-of-range", "rate"),
    "too fine": ({"rate": "0.00000000001"}, "rate-out-of-range", "rate"),
    "NaN": ({"rate": Decimal("NaN")}, "not-an-amount", "rate"),
    "no number": ({"rate": "ten"}, "not-an-amount", "rate"),
    "no code": ({"code": ""}, "missing", "code"),
    "no class": ({"tax_class": ""}, "missing", "tax_class"),
    "naive": ({"valid_from": dt.datetime(2026, 1, 1)}, "naive-time", "valid_from"),  # noqa: DTZ001
    "no time": ({"valid_to": NOW}, "window-reversed", "valid_to"),
    "control character": ({"region": "\x07"}, "control-character", "region"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_rate_is_refused_by_field(begin: Begin, what: str) -> None:
    """The field and the reason are named, and nothing is changed."""
    change, code, path = WRONG[what]
    right = {"country": "JP", "tax_class": "standard", "rate": "0.1", "code": "jp", "valid_from": NOW}
    with pytest.raises(InvalidInputError) as caught, begin.write(CLERK) as work:
        set_rate(work, **right | change)
    assert [(code, path)] == [(problem.code, problem.path) for problem in caught.value.problems]
    for locale in ("en", "ja"):
        assert "problem." not in caught.value.text(locale)
    with begin.read(CLERK) as work:
        assert () == rates(work)


def test_float_is_no_rate(begin: Begin) -> None:
    """MNY-09."""
    with pytest.raises(TypeError), begin.write(CLERK) as work:
        german(work, 0.19, dt.date(2026, 1, 1))  # type: ignore[arg-type]


def test_rates_are_changed_by_permission(begin: Begin) -> None:
    """``tax-table.write``, which is registered so that staff roles can grant it."""
    verbs: tuple[Callable[[Any], Any], ...] = (
        preset_japan,
        lambda work: german(work, "0.19", dt.date(2026, 1, 1)),
        lambda work: remove_rate(work, country="JP", tax_class="standard", valid_from=NOW),
    )
    for verb in verbs:
        with pytest.raises(NotAllowedError), begin.write(Actor.staff("sato", "catalog.write")) as work:
            verb(work)
    assert begin.plugins.thing("customer.permissions", "tax-table.write")


# -- host -------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Shop:
    """As much of a shop as commands use."""

    begin: Begin

    def read(self, actor: Actor) -> Any:
        return self.begin.read(actor)

    def write(self, actor: Actor) -> Any:
        return self.begin.write(actor)


def test_commands_fill_and_show_the_table(begin: Begin) -> None:
    """``set``, ``remove``, ``list`` and ``preset japan``."""
    shop = Shop(begin)
    run: dict[str, Callable[..., Any]] = {command.name: command.run for command in commands.COMMANDS}
    assert "preset japan" in run["list"](shop)
    assert 4 == len(run["preset"](shop, "japan").splitlines())
    said = run["set"](shop, "DE", "standard", "19%", since=dt.date(2021, 1, 1), zone="Europe/Berlin", label="MwSt.")
    assert "DE   standard         19% de-standard    2020-12-31T23:00Z .." == said
    assert said in run["list"](shop).splitlines()
    day = dt.datetime(2021, 1, 1)  # noqa: DTZ001 - as command lines read a day
    assert "Removed." == run["remove"](shop, "DE", "standard", since=day, zone="Europe/Berlin")
    assert "nothing was changed" in run["remove"](shop, "DE", "standard", since=day, zone="Europe/Berlin")
    with pytest.raises(InvalidInputError):
        run["preset"](shop, "atlantis")


def test_engine_is_found_by_a_market_that_names_it(begin: Begin) -> None:
    """The engine's code is the plugin's name."""
    market = Market(
        id="mkt_1",  # type: ignore[arg-type]
        code="jp",
        countries=frozenset({"JP"}),
        currency="JPY",
        prices_include_tax=True,
        tax_engine="tax-table",
    )
    assert "tax-table" == service.engine_for(begin.plugins, market, JAPAN).plugin


@pytest.fixture
def migrated(database_url: str) -> Iterator[sa.Connection]:
    """A database on which only the plugin's own migration ran."""
    import importlib.util

    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    branch = eckit_tax_table.plugin.register_migrations()
    [file] = branch.directory.glob("*.py")
    spec = importlib.util.spec_from_file_location("tax_table_migration", file)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    assert (branch.label,) == module.branch_labels
    engine = sa.create_engine(database_url).execution_options(schema_translate_map={SCHEMA: None})
    with engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            module.upgrade()
        yield connection
    engine.dispose()


def test_migration_makes_the_tables_that_the_code_declares(migrated: sa.Connection) -> None:
    """Columns, types, keys and names are those of the metadata."""
    [declared] = tables.metadata.sorted_tables
    inspector = sa.inspect(migrated)
    found = {column["name"]: column for column in inspector.get_columns(declared.name)}
    assert [column.name for column in declared.columns] == list(found)
    for column in declared.columns:
        dialect = migrated.dialect
        assert column.nullable == found[column.name]["nullable"]
        assert column.type.compile(dialect) == found[column.name]["type"].compile(dialect)
    key = inspector.get_pk_constraint(declared.name)
    assert [column.name for column in declared.primary_key] == key["constrained_columns"]
    assert declared.primary_key.name == key["name"]
