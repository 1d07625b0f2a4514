"""Settings: strict, named by their path, and silent about secrets."""

import datetime as dt
import enum
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from eckit.kernel.database import Database, DatabaseSettings, checked_url
from eckit.kernel.errors import InvalidInputError
from eckit.kernel.ids import expect_id
from eckit.kernel.money import Money
from eckit.kernel.refs import Ref
from eckit.kernel.secrets import Secret
from eckit.kernel.settings import ShopSettings, plugin_settings, secrets_of
from eckit.kernel.structuring import EnvText, structure, unstructure
from eckit.kernel.text import Text
from tests.kernel.shop import SHOP

FILE = f"""
shop_id = "{SHOP}"
plugin_order = ["tax-japan", "tax-table"]

[database]
url = "postgresql://shop:pa55word@db.internal/shop"
pool_size = 4

[http]
allow = ["erp.internal:8443"]

[plugins.tax-table]
preset = "japan"
api_key = "sk_live_1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def complaints(call: Any, *args: Any, **options: Any) -> dict[str, str]:
    """Path → code of each problem; nothing in them, nor in their texts, is secret."""
    with pytest.raises(InvalidInputError) as refused:
        call(*args, **options)
    assert "sk_live" not in repr(refused.value.problems) + str(refused.value)
    assert "pa55word" not in repr(refused.value.problems) + str(refused.value)
    return {problem.path: problem.code for problem in refused.value.problems}


def test_settings_come_from_the_file_and_the_environment_wins(file: Path) -> None:
    """``ECKIT_DATABASE__URL`` and ``ECKIT_PLUGINS__TAX_TABLE__…``; numbers, switches and lists are text there."""
    environment = {
        "ECKIT_DATABASE__POOL_SIZE": "9",
        "ECKIT_LIMITS__INLINE_S": "0.5",
        "ECKIT_STRICT": "false",
        "ECKIT_DISABLED_PLUGINS": "a, b",
        "ECKIT_PLUGINS__TAX_TABLE__PRESET": "eu",
        "ECKIT_PLUGINS__NEW__DEEP__KEY": "x",
        "ECKIT_FAULTS": "relay.after_send=kill",
        "PATH": "/bin",
    }
    settings = ShopSettings.load(file, environment)
    assert (9, 0.5, False) == (settings.database.pool_size, settings.limits.inline_s, settings.strict)
    assert frozenset({"a", "b"}) == settings.disabled_plugins
    assert ("tax-japan", "tax-table") == settings.plugin_order
    assert {"preset": "eu", "api_key": "sk_live_1"} == settings.plugins["tax-table"]
    assert {"deep": {"key": "x"}} == settings.plugins["new"]
    assert ("erp.internal:8443",) == settings.http.allow


def test_a_shop_needs_no_file() -> None:
    """In a container the environment says everything; for a first try a database's URL does."""
    settings = ShopSettings.load(None, {"ECKIT_SHOP_ID": SHOP, "ECKIT_DATABASE__URL": "sqlite:///x.sqlite"})
    assert (SHOP, "sqlite:///x.sqlite") == (settings.shop_id, settings.database.url)
    first, again, other = (ShopSettings.of(f"sqlite:///{name}.sqlite").shop_id for name in "aab")
    assert first == again != other
    assert first == expect_id("shop", first)


def test_settings_never_show_a_secret(file: Path) -> None:
    """Somebody will print them: the database's password and all of the plugins' settings are masked."""
    settings = ShopSettings.load(file, {})
    shown = f"{settings} {settings!r}"
    assert "pa55word" not in shown
    assert "sk_live" not in shown
    assert "db.internal" in shown


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ECKIT_DATABASE__POOLSIZE", "3", {"ECKIT_DATABASE__POOLSIZE": "unknown-variable"}),
        ("ECKIT_DATABASE", "sk_live", {"ECKIT_DATABASE": "unknown-variable"}),
        ("ECKIT_PLUGINS__SANDBOX", "sk_live", {"ECKIT_PLUGINS__SANDBOX": "unknown-variable"}),
        ("ECKIT_STRCIT", "true", {"ECKIT_STRCIT": "unknown-variable"}),
        ("ECKIT_DATABASE____URL", "x", {"ECKIT_DATABASE____URL": "unknown-variable"}),
        ("ECKIT_STRICT", "yes", {"strict": "not-a-switch"}),
        ("ECKIT_DATABASE__POOL_SIZE", "sk_live", {"database.pool_size": "not-a-whole-number"}),
        ("ECKIT_DATABASE__POOL_SIZE", "0", {"database.pool_size": "too-small"}),
        ("ECKIT_SHOP_ID", "shp_1", {"shop_id": "wrong-id"}),
    ],
)
def test_a_variable_that_says_nothing_sensible_is_refused(
    file: Path, variable: str, value: str, expected: dict[str, str]
) -> None:
    """A misspelt variable would be a setting that silently is not set."""
    assert expected == complaints(ShopSettings.load, file, {variable: value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[database]\nurl = 'sqlite:///x'", {"shop_id": "missing"}),
        (
            f"shop_id = '{SHOP}'\n[database]\nurl = 'x'\npool = 3\n[male]\n",
            {"database.pool": "unknown-key", "male": "unknown-key"},
        ),
        (f"shop_id = '{SHOP}'\nplugins = 'sk_live'\n[database]\nurl = 'x'", {"plugins": "not-a-table"}),
        (
            f"shop_id = '{SHOP}'\nplugin_order = 'a'\n[database]\nurl = 1",
            {"plugin_order": "not-a-list", "database.url": "not-text"},
        ),
        ("password = sk_live_1", {"settings": "not-toml"}),
        ("\ud800", {"settings": "not-toml"}),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    """Every problem by its path; of the file itself only the place is told."""
    path = tmp_path / "shop.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert expected == complaints(ShopSettings.load, path, {})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """By its name; where it was looked for is nobody's business."""
    with pytest.raises(InvalidInputError) as refused:
        ShopSettings.load(tmp_path / "shop.toml", {})
    assert "shop.toml" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


# --- databases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["mysql://root:pa55word@h/x", "postgresql+asyncpg://u:pa55word@h/x", "pa55word", "", "oracle://x"]
)
def test_a_database_eckit_cannot_use_is_refused(url: str) -> None:
    """Nothing of the URL but its scheme is shown."""
    assert {"database.url": "unknown-database"} == complaints(Database, DatabaseSettings(url=url))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    """Each connection of the pool would be an empty database of its own."""
    assert {"database.url": "memory-database"} == complaints(Database, DatabaseSettings(url=url))


def test_postgresql_is_reached_by_psycopg_however_it_is_written() -> None:
    """Hosting providers give ``postgres://`` or ``postgresql://``."""
    for scheme in ("postgresql", "postgresql+psycopg"):
        assert "postgresql+psycopg" == checked_url(f"{scheme}://u:p@h/x").drivername


# --- a plugin's settings ---------------------------------------------------------------------------------------------


class Mode(enum.Enum):
    """How a provider is used."""

    TEST = "test"
    LIVE = "live"


@attrs.frozen(kw_only=True)
class Account:
    """One account at the provider."""

    name: str
    currency: str = "JPY"


@attrs.frozen(kw_only=True)
class Settings:
    """A plugin's settings with one field of each sort."""

    key: Secret
    mode: Mode = Mode.TEST
    rate: Decimal = Decimal("0.10")
    patience: dt.timedelta = dt.timedelta(seconds=20)
    opens: dt.date | None = None
    since: dt.datetime | None = None
    folder: Path = Path()
    accounts: tuple[Account, ...] = ()
    by_currency: dict[str, Account] = attrs.field(factory=dict)
    pair: tuple[str, int] = ("a", 1)
    tries: int = attrs.field(default=3, validator=attrs.validators.instance_of(int))
    share: float = 0.5
    on: bool = True
    spare: Secret | None = None


def test_a_plugins_settings_are_structured_by_their_types() -> None:
    """What TOML can hold becomes what the class says."""
    raw = {
        "key": "sk_live_1",
        "mode": "live",
        "rate": "0.08",
        "patience": 90,
        "opens": dt.date(2026, 4, 1),
        "since": "2026-04-01T09:00:00+09:00",
        "folder": "/var/labels",
        "accounts": [{"name": "a"}, {"name": "b", "currency": "EUR"}],
        "by_currency": {"EUR": {"name": "c"}},
        "pair": ["x", 2],
        "share": 1,
        "on": False,
    }
    assert Settings(
        key=Secret("sk_live_1"),
        mode=Mode.LIVE,
        rate=Decimal("0.08"),
        patience=dt.timedelta(seconds=90),
        opens=dt.date(2026, 4, 1),
        since=dt.datetime(2026, 4, 1, tzinfo=dt.UTC),
        folder=Path("/var/labels"),
        accounts=(Account(name="a"), Account(name="b", currency="EUR")),
        by_currency={"EUR": Account(name="c")},
        pair=("x", 2),
        share=1.0,
        on=False,
    ) == plugin_settings(Settings, "sandbox", raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, {"key": "missing"}),
        ({"key": ""}, {"key": "missing"}),
        ({"key": 5}, {"key": "not-text"}),
        ({"key": "k", "kye": "sk_live"}, {"kye": "unknown-key"}),
        ({"key": "k", "mode": "sk_live"}, {"mode": "not-one-of"}),
        ({"key": "k", "mode": ["sk_live"]}, {"mode": "not-acceptable"}),
        ({"key": "k", "rate": 0.1}, {"rate": "not-a-decimal"}),
        ({"key": "k", "rate": "sk_live"}, {"rate": "not-a-decimal"}),
        ({"key": "k", "rate": "NaN"}, {"rate": "not-a-decimal"}),
        ({"key": "k", "patience": "20"}, {"patience": "not-a-whole-number"}),
        ({"key": "k", "patience": -1}, {"patience": "negative-duration"}),
        ({"key": "k", "patience": True}, {"patience": "not-a-whole-number"}),
        ({"key": "k", "opens": "soon"}, {"opens": "not-a-date"}),
        ({"key": "k", "since": "2026-04-01T09:00:00"}, {"since": "naive-time"}),
        ({"key": "k", "since": "sk_live"}, {"since": "not-a-time"}),
        ({"key": "k", "folder": 3}, {"folder": "not-text"}),
        ({"key": "k", "accounts": "sk_live"}, {"accounts": "not-a-list"}),
        ({"key": "k", "accounts": [{"name": 1}, {"nome": "x"}]}, {
            "accounts[0].name": "not-text", "accounts[1].nome": "unknown-key", "accounts[1].name": "missing"}),
        ({"key": "k", "by_currency": {"EUR": "sk_live"}}, {"by_currency.EUR": "not-a-table"}),
        ({"key": "k", "pair": ["x"]}, {"pair": "not-a-list"}),
        ({"key": "k", "tries": "3"}, {"tries": "not-a-whole-number"}),
        ({"key": "k", "share": "x"}, {"share": "not-a-number"}),
        ({"key": "k", "share": float("nan")}, {"share": "not-a-number"}),
        ({"key": "k", "on": 1}, {"on": "not-a-switch"}),
        ("sk_live", {"": "not-a-table"}),
    ],
)  # fmt: skip
def test_a_plugins_setting_of_the_wrong_sort_is_refused_by_its_path(raw: Any, expected: dict[str, str]) -> None:
    """No coercion, no unknown keys, all problems at once, and never the value."""
    paths = {f"plugins.sandbox.{path}".rstrip("."): code for path, code in expected.items()}
    assert paths == complaints(plugin_settings, Settings, "sandbox", raw)


def test_the_validators_of_a_class_are_heard_by_the_path_of_their_field() -> None:
    """attrs validators and a class's own checks become problems like all others."""

    @attrs.frozen(kw_only=True)
    class Checked:
        level: int = attrs.field(default=1, validator=attrs.validators.in_((1, 2)))

        def __attrs_post_init__(self) -> None:
            if self.level == 2:
                raise ZeroDivisionError("sk_live")

    assert {"plugins.p.level": "not-acceptable"} == complaints(plugin_settings, Checked, "p", {"level": 3})
    assert {"plugins.p": "not-acceptable"} == complaints(plugin_settings, Checked, "p", {"level": 2})


def test_a_type_that_cannot_be_read_is_the_plugins_mistake() -> None:
    """A class with a field of a strange type is refused when the settings are read."""

    @attrs.frozen(kw_only=True)
    class Strange:
        either: int | Account = 1

    assert {"plugins.p": "unsupported-type"} == complaints(plugin_settings, Strange, "p", {"either": 1})


def test_text_of_the_environment_stands_for_numbers_and_lists() -> None:
    """Only text from the environment; the same text in a file is text."""

    @attrs.frozen(kw_only=True)
    class Typed:
        number: int = 0
        share: float = 0.0
        on: bool = False
        names: tuple[str, ...] = ()
        wait: dt.timedelta = dt.timedelta(0)

    raw = {"number": "-3", "share": "0.5", "on": "true", "names": "a, b,", "wait": "60"}
    given = {key: EnvText(value) for key, value in raw.items()}
    expected = Typed(number=-3, share=0.5, on=True, names=("a", "b"), wait=dt.timedelta(minutes=1))
    assert expected == structure(Typed, given)
    assert set(raw) == set(complaints(structure, Typed, raw))


# --- stored and read again -------------------------------------------------------------------------------------------


def test_what_is_written_down_is_read_again_the_same() -> None:
    """Facts of plugins are stored as plain JSON: money, instants, references and translated texts included."""

    @attrs.frozen(kw_only=True)
    class Fact:
        price: Money
        at: dt.datetime
        of: Ref
        title: Text
        rate: Decimal
        span: dt.timedelta
        day: dt.date
        mode: Mode
        accounts: tuple[Account, ...]
        tags: frozenset[str]

    fact = Fact(
        price=Money("10.50", "EUR"),
        at=dt.datetime(2026, 4, 1, 3, 0, tzinfo=dt.UTC),
        of=Ref("note", "n1"),
        title=Text.of("Tea", ja="茶"),
        rate=Decimal("0.10"),
        span=dt.timedelta(minutes=1),
        day=dt.date(2026, 4, 1),
        mode=Mode.LIVE,
        accounts=(Account(name="a"),),
        tags=frozenset({"x"}),
    )
    plain = unstructure(fact)
    assert {"minor": 1050, "currency": "EUR"} == plain["price"]
    assert fact == structure(Fact, plain)


def test_a_secret_cannot_be_written_down() -> None:
    """No secret in any table."""
    with pytest.raises(TypeError):
        unstructure(Settings(key=Secret("sk_live_1")))


def test_all_secrets_of_settings_are_found_for_the_auditor() -> None:
    """However deep they stand."""
    settings = Settings(key=Secret("one"), spare=Secret("two"))
    assert {"one", "two", "three"} == {
        secret.reveal() for secret in secrets_of({"a": [settings]}, Secret("three"), None, 5)
    }
