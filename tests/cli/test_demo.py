"""``eckit demo``: a shop in one command, on any catalogue, and everything adds up."""

import datetime as dt
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from eckit.cli.demo_shop import minor_of
from tests.cli.conftest import Run

CATALOGUES = Path(__file__).parents[1] / "catalogues"
BOOKS = CATALOGUES / "books.csv"
FLOWERS = CATALOGUES / "flowers.csv"
INVENTORY = CATALOGUES / "flowers-inventory.csv"


def test_the_demo_in_english(run: Run, tmp_path: Path) -> None:
    """Five purchases, each with its end; mails in a folder; one total explained in both languages; a clean audit."""
    done = run("demo", "shop")

    assert 0 == done.returncode, done.stderr
    for told in (
        "69 rows read; in the database: 40 products with 69 variants",
        "(a) A domestic card order: mixed tax rates, a coupon, a challenge; shipped and delivered",
        "Welcome: ¥500 off",
        "The card company asks for a confirmation",
        "Delivered.",
        "CHAWAN-0107: 1 > 0",
        "payment being processed (outcome unknown), not confirmed yet",
        "recovery asked about 1 operations and settled 1",
        "There is not enough money or credit left",
        "payment voided, canceled (the buyer changed their mind).",
        "every amount explained (English)",
        "金額の説明（日本語）",
        "audit: 0 violations",
    ):
        assert told in done.stdout
    mails = [message_from_bytes(file.read_bytes()) for file in (tmp_path / "shop" / "mails").glob("*.eml")]
    assert len(mails) >= 8
    for mail in mails:
        assert abs(parsedate_to_datetime(mail["Date"]) - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_demo_in_japanese(eckit: Run, database: str) -> None:
    """All of it in Japanese, for whoever asks so."""
    done = eckit("demo", "shop", "--locale", "ja")

    assert 0 == done.returncode, done.stderr
    for told in (
        "お店:",
        "カード会社の本人認証",
        "お届け済みです",
        "在庫が足りません",
        "結果不明",
        "ようこそクーポン ￥500引き",
        "完了",
        "与信",
        "配達済み",
        "決済は取消済み、取消済み (お客様のご都合)。",
        "audit: 0 violations",
    ):
        assert told in done.stdout
    for code in ("authorize", "delivered", "closed", "buyer_changed_mind"):
        assert code not in done.stdout


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_the_demo_on_postgresql(run: Run, database: str) -> None:
    """It starts the embedded server itself."""
    done = run("demo", "shop", "--database", "postgres")

    assert 0 == done.returncode, done.stderr
    assert "audit: 0 violations" in done.stdout


def test_the_demo_on_a_catalogue_of_books(eckit: Run) -> None:
    """Every record of a real file is read and imported; each order has an imported line."""
    done = eckit("demo", "shop", "--catalogue", str(BOOKS), "--currency", "GBP")

    assert 0 == done.returncode, done.stderr
    assert "82 rows read; in the database: 82 products with 82 variants" in done.stdout
    orders = done.stdout.partition("All orders")[2].partition("every amount")[0]
    assert 5 <= orders.count("978")
    assert "(a) A domestic card order: a coupon, a challenge" in done.stdout, "there is one rate"
    assert "Welcome: £5.00 off" in done.stdout
    assert "yen" not in done.stdout
    assert "audit: 0 violations" in done.stdout


def test_a_catalogue_with_too_few_goods_is_said(eckit: Run, tmp_path: Path) -> None:
    """Two buyers cannot compete for the last of nothing."""
    (tmp_path / "one.csv").write_text("handle,title_en,sku,price_jpy,stock\ntea,Tea,TEA,648,0\n", encoding="utf-8")
    done = eckit("demo", "shop", "--catalogue", "one.csv")
    assert 1 == done.returncode
    assert "has too few goods" in done.stderr


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 500), ("GBP", 500), ("KWD", 5_000)])
def test_amounts_of_the_bundled_promotions_are_whole(currency: str, minor: int) -> None:
    """500 yen are five pounds or five dinars, as an integer."""
    made = minor_of(500, currency)
    assert (minor, int) == (made, type(made))


def test_a_catalogue_without_a_currency_is_one_clear_error(eckit: Run, tmp_path: Path) -> None:
    """Prices in nobody knows what: refused before anything is made."""
    done = eckit("demo", "shop", "--catalogue", str(BOOKS))

    assert 1 == done.returncode
    assert "currency" in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_the_demo_on_flowers_in_cents(eckit: Run) -> None:
    """Prices in minor units, stock in a second file: all in, the sold-out one not sellable."""
    arguments = ("--catalogue", str(FLOWERS), "--inventory", str(INVENTORY), "--currency", "USD", "--minor-units")
    done = eckit("demo", "shop", *arguments)

    assert 0 == done.returncode, done.stderr
    assert "6 rows read; in the database: 6 products with 6 variants" in done.stdout
    assert "not sellable: gardenias" in done.stdout
    assert "Two buyers want the last of orchid_white" in done.stdout
    assert "800 of orchid_white are left; a count of the shelf finds 1." in done.stdout
    assert "orchid_white: 1 > 0" in done.stdout, "of two buyers of one unit one is refused"
    assert "orchid_white × 1" in done.stdout
    assert "Welcome: $5.00 off" in done.stdout
    assert "audit: 0 violations" in done.stdout
