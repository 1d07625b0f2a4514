"""``eckit init``: a shop that can price at once, in any country; or nothing at all."""

from pathlib import Path

import pytest

from eckit import Actor, ChargeKind
from eckit.cli import starting
from eckit.cli.opening import OPERATOR
from eckit.kernel.errors import RefusedError
from tests.cli.buying import CSV, filled_cart
from tests.cli.conftest import Run, composed


def test_a_japanese_shop_prices_at_once(eckit: Run, shop: Path) -> None:
    """Tax rates and delivery fares are there: after an import, the tax and the fare of a cart are known."""
    (shop / "tea.csv").write_text(CSV, encoding="utf-8")
    assert 0 == eckit("import", "products", "tea.csv").returncode
    with composed(shop) as there:
        cart = filled_cart(there, {"TEA-50": 2})
        quote = there.price_cart(Actor.guest(cart.token), cart.id)

    assert {"0.08", "0.1"} <= {str(charge.tax.rate) for charge in quote.charges if charge.tax}
    assert ChargeKind.SHIPPING in {charge.kind for charge in quote.charges}


def test_init_says_what_it_made(eckit: Run, tmp_path: Path) -> None:
    """Which tables were filled; in the language asked for."""
    assert "日本の税率と送料を次の表に登録しました: tablerate, tax-table" in eckit("init", "--locale", "ja").stdout
    assert (tmp_path / "eckit.toml").is_file()


def test_a_shop_elsewhere_is_of_its_country(eckit: Run, tmp_path: Path) -> None:
    """Currency, clock, languages and rounding are the country's; which rates are missing is said with the commands."""
    done = eckit("init", "--country", "DE")

    assert 0 == done.returncode, done.stderr
    assert "eckit tax-table set DE standard RATE --since DATE --zone Europe/Berlin" in done.stdout
    assert "eckit tablerate set standard DE MAX-GRAMS AMOUNT --currency EUR --since DATE --zone" in done.stdout
    with composed(tmp_path) as there, there.read(OPERATOR) as work:
        [market] = work.channel.setup().markets.values()
    assert ("de", {"DE"}, "EUR", "Europe/Berlin", ("de", "en"), "rate/half_up") == (
        market.code,
        market.countries,
        market.currency,
        market.zone,
        market.locales,
        market.rounding.name,
    )


def test_what_is_said_wins_over_what_is_usual(eckit: Run, tmp_path: Path) -> None:
    """A country of several clocks is asked for one; the currency may be another."""
    assert "America/Anchorage" in eckit("init", "--country", "US").stderr
    assert [] == list(tmp_path.iterdir())

    done = eckit("init", "--country", "US", "--zone", "America/New_York", "--currency", "EUR")

    assert 0 == done.returncode, done.stderr
    with composed(tmp_path) as there, there.read(OPERATOR) as work:
        [market] = work.channel.setup().markets.values()
    assert ("EUR", "America/New_York") == (market.currency, market.zone)


def test_a_country_without_clocks_on_the_map_is_asked_for_one(eckit: Run, tmp_path: Path) -> None:
    """Kosovo is a country to posts and carriers, and the time zones have none of its own."""
    assert "There is no single clock in XK" in eckit("init", "--country", "XK").stderr

    done = eckit("init", "--country", "XK", "--zone", "Europe/Belgrade")

    assert 0 == done.returncode, done.stderr
    with composed(tmp_path) as there, there.read(OPERATOR) as work:
        [market] = work.channel.setup().markets.values()
    assert ("xk", {"XK"}, "EUR", "Europe/Belgrade") == (market.code, market.countries, market.currency, market.zone)


WRONG = {
    "a database of another kind": ("--database", "mysql://127.0.0.1/x"),
    "a database that is not there": ("--database", "postgresql://127.0.0.1:1/x"),
    "a database in no folder": ("--database", "sqlite:////nonexistent/x"),
    "no country": ("--country", "J"),
    "two letters that are no country": ("--country", "XX"),
    "no known place": ("--country", "ZZ"),
    "the world": ("--country", "001"),
    "a country of several currencies": ("--country", "PA"),
    "no currency": ("--currency", "YEN"),
    "no zone": ("--zone", "Asia/Edo"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_made_leaves_nothing(eckit: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """One paragraph, exit 1, no file; the same command without the mistake then works."""
    done = eckit("init", "shop", *arguments)

    assert 1 == done.returncode
    assert done.stderr.startswith(("╭─ invalid-input", "╭─ database-unavailable"))
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_said(eckit: Run, tmp_path: Path) -> None:
    """A file stands where the folder should: the error of the operating system becomes a sentence."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    done = eckit("init", "taken/shop")
    assert 1 == done.returncode
    assert "Nothing can be written in the folder shop (NotADirectoryError)" in done.stderr


def test_a_failure_half_way_can_be_repeated(eckit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and rows were made and the rates fail: what was made goes, what was there stays, the next try works."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    def refuse(_: object) -> tuple[str, ...]:
        raise RefusedError

    with monkeypatch.context() as patch:
        patch.setattr(starting, "_preset", refuse)
        failed = eckit("init")
    assert 1 == failed.returncode
    assert ["notes.txt"] == [path.name for path in tmp_path.iterdir()]

    assert 0 == eckit("init").returncode
    assert {"eckit.toml", "notes.txt", "shop.sqlite"} <= {path.name for path in tmp_path.iterdir()}


def test_a_shop_is_not_made_over_another(eckit: Run, shop: Path) -> None:
    """The settings that are there stay as they are."""
    before = (shop / "eckit.toml").read_bytes()
    done = eckit("init")
    assert 1 == done.returncode
    assert "exists already" in done.stderr
    assert before == (shop / "eckit.toml").read_bytes()


def test_settings_are_written_as_toml(tmp_path: Path) -> None:
    """A quotation mark or a backslash in a database's URL does not end its text."""
    url = 'postgresql://shop:a"b\\c@127.0.0.1/x'
    assert url == starting.write_settings(tmp_path, url).database.url
