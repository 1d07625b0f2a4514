"""The everyday commands of a shop."""

import subprocess
import sys
from pathlib import Path

import pytest

from eckit.cli.app import app
from eckit.cli.opening import OPERATOR
from tests.cli.conftest import Run, composed

CSV = """handle,title_en,sku,price_jpy,tax_class,stock
sencha,Sencha,TEA-50,648,reduced,40
bowl,Bowl,BOWL,3300,standard,5
"""


def test_a_shop_is_made_and_filled(eckit: Run, run: Run, tmp_path: Path) -> None:
    """init → import products → db check → audit → work: each says in one line what it did."""
    made = run("init")
    (tmp_path / "tea.csv").write_text(CSV, encoding="utf-8")
    imported = eckit("import", "products", "tea.csv")

    assert 0 == made.returncode, made.stderr
    assert "2 rows read: 2 products, 2 variants written, 0 rows refused" in imported.stdout
    assert "up to date" in eckit("db", "check").stdout
    assert "audit: 0 violations" in eckit("audit").stdout
    assert 0 == eckit("work", "--once").returncode


def test_the_same_file_again_writes_nothing(eckit: Run, shop: Path) -> None:
    """Importing is repeatable."""
    (shop / "tea.csv").write_text(CSV, encoding="utf-8")
    assert "2 products, 2 variants written" in eckit("import", "products", "tea.csv").stdout
    assert "2 rows read: 0 products, 0 variants written" in eckit("import", "products", "tea.csv").stdout


def test_wrong_rows_refuse_the_file(eckit: Run, shop: Path) -> None:
    """All or nothing, with line, column, value and reason; with --keep-good the right rows are written."""
    (shop / "bad.csv").write_text(CSV + "cup,Cup,CUP,-5,standard,1\n", encoding="utf-8")

    refused = eckit("import", "products", "bad.csv")
    kept = eckit("import", "products", "bad.csv", "--keep-good")

    assert 1 == refused.returncode
    assert "Line 4: price_jpy: -5 " in refused.stderr
    assert 0 == kept.returncode, kept.stderr
    assert "3 rows read: 2 products, 2 variants written, 1 rows refused" in kept.stdout


@pytest.mark.parametrize(
    ("language", "reason"),
    [("en", "• Line 4: price_jpy: -5 is below zero."), ("ja", "• 4 行目: price_jpy: -5 は負の金額です。")],
)
def test_rows_that_are_left_out_are_explained(eckit: Run, shop: Path, language: str, reason: str) -> None:
    """With --keep-good each row that is not written is named with a sentence in the language asked for, not a code."""
    (shop / "bad.csv").write_text(CSV + "cup,Cup,CUP,-5,standard,1\nagain,Again,TEA-50,5,standard,1\n", "utf-8")

    kept = eckit("import", "products", "bad.csv", "--keep-good", "--locale", language)

    assert reason in kept.stdout
    assert "TEA-50" in kept.stdout
    assert "duplicate-sku" not in kept.stdout


def test_texts_without_a_language_are_in_the_one_that_is_said(eckit: Run, shop: Path) -> None:
    """--locale ja says it of a column ``title``; what the terminal's language is says nothing about a file."""
    (shop / "tea.csv").write_text("handle,title,sku,price_jpy,stock\nsencha,煎茶,TEA-50,648,40\n", encoding="utf-8")
    assert 0 == eckit("import", "products", "tea.csv", "--locale", "ja").returncode
    with composed(shop) as there, there.read(OPERATOR) as work:
        [row] = work.catalog.list_products(list_id="main").items
        assert {"ja": "煎茶"} == dict(row.title.translations)


def test_a_missing_shop_is_said_kindly(eckit: Run) -> None:
    """No settings file: what to do, in the person's language, and no traceback."""
    english, japanese = eckit("audit"), eckit("audit", LANG="ja_JP.UTF-8", LC_ALL="ja_JP.UTF-8")

    assert (1, 1) == (english.returncode, japanese.returncode)
    assert "eckit init" in english.stderr
    assert "設定ファイル" in japanese.stderr
    assert "Traceback" not in english.stderr + japanese.stderr


def test_help_is_quick(tmp_path: Path) -> None:
    """Who asks for help does not wait for a database driver, texts or migrations to be loaded."""
    code = "import sys; from eckit.cli import main; sys.argv = ['eckit', '--help']\ntry: main()\nfinally: "
    code += "print([name for name in ('sqlalchemy', 'alembic', 'babel', 'eckit.shop') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "import" in done.stdout, done.stderr
    assert "[]" == done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", ["demo", "init"])
def test_help_says_what_the_command_says_of_itself(name: str) -> None:
    """What is loaded late is described ahead of it, by the same words."""
    assert app[name].help == (app[name].default_command.__doc__ or "")


def test_tables_are_made_and_checked(eckit: Run, shop: Path) -> None:
    """db check names the steps still to be taken and exits 1; db upgrade takes them; then both find nothing to do."""
    (shop / "shop.sqlite").unlink()

    missing = eckit("db", "check")
    done = eckit("db", "upgrade")
    again = eckit("db", "upgrade", "--locale", "ja")

    assert 1 == missing.returncode
    for told in ("tax-table", "tablerate", "Run: eckit db upgrade"):
        assert told in missing.stdout
    assert (0, 0) == (done.returncode, again.returncode)
    assert "steps taken" in done.stdout
    assert "tax-table: " in done.stdout
    assert "テーブルはすべて最新です。" == again.stdout.strip()
    assert 0 == eckit("db", "check").returncode


@pytest.mark.parametrize("url", ["sqlite:////nonexistent/x", "postgresql://127.0.0.1:1/x"])
@pytest.mark.parametrize("command", [("db", "check"), ("db", "upgrade"), ("tax-table", "list"), ("audit",)])
def test_a_database_that_is_not_there_is_said(eckit: Run, shop: Path, command: tuple[str, ...], url: str) -> None:
    """One paragraph and exit 1, no traceback."""
    file = shop / "eckit.toml"
    file.write_text(file.read_text("utf-8").replace(f"sqlite:///{shop}/shop.sqlite", url), encoding="utf-8")

    done = eckit(*command)

    assert 1 == done.returncode
    assert "database-unavailable" in done.stderr


def test_a_file_that_is_not_there_is_said(eckit: Run, shop: Path) -> None:
    """It is named."""
    done = eckit("import", "products", "gone.csv")
    assert 1 == done.returncode
    assert "There is no file gone.csv." in done.stderr
