"""The everyday commands of a shop."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run

CSV = """handle,title_en,sku,price_jpy,tax_class,stock
sencha,Sencha,TEA-50,648,reduced,40
bowl,Bowl,BOWL,3300,standard,5
"""


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Path:
    """A new shop in this folder."""
    made = run("init")
    assert 0 == made.returncode, made.stderr
    return tmp_path


def test_a_shop_is_made_and_filled(run: Run, shop: Path) -> None:
    """init → import products → db check → audit: each says in one line what it did."""
    (shop / "tea.csv").write_text(CSV, encoding="utf-8")
    imported = run("import", "products", "tea.csv")
    again = run("import", "products", "tea.csv")

    assert "2 rows read: 2 products, 2 variants written, 0 rows refused" in imported.stdout
    assert "2 rows read: 0 products, 0 variants written" in again.stdout
    assert "up to date" in run("db", "check").stdout
    assert "audit: 0 violations" in run("audit").stdout
    assert 0 == run("work", "--once").returncode


def test_wrong_rows_refuse_the_file(run: Run, shop: Path) -> None:
    """All or nothing, with line, column, value and reason; with --keep-good the right rows are written."""
    (shop / "bad.csv").write_text(CSV + "cup,Cup,CUP,-5,standard,1\n", encoding="utf-8")

    refused = run("import", "products", "bad.csv")
    kept = run("import", "products", "bad.csv", "--keep-good")

    assert 1 == refused.returncode
    assert "4" in refused.stderr
    assert "-5" in refused.stderr
    assert 0 == kept.returncode, kept.stderr
    assert "3 rows read: 2 products, 2 variants written, 1 rows refused" in kept.stdout


def test_plugins_are_listed_with_their_secrets_masked(run: Run, shop: Path) -> None:
    """Version, what each registers, order of choice, settings; exit 0 while nothing is wrong."""
    with (shop / "eckit.toml").open("a", encoding="utf-8") as file:
        secrets = 'api_key = "very-secret-key"\nnotify_secret = "very-secret-too"'
        file.write(f'\n[plugins.sandbox]\nbase_url = "http://127.0.0.1:9"\n{secrets}\n')

    listed = run("plugins")

    assert 0 == listed.returncode, listed.stdout + listed.stderr
    for name in ("sandbox", "tax-table", "tablerate", "promotions", "rates-fixed", "eckit-allocation"):
        assert name in listed.stdout
    assert "very-secret" not in listed.stdout
    assert "choose_allocation" in listed.stdout


def test_plugins_with_problems_exit_1(run: Run, shop: Path) -> None:
    """A misspelt setting is named with its path."""
    with (shop / "eckit.toml").open("a", encoding="utf-8") as file:
        file.write("\n[plugins.tax-table]\npresett = 1\n")

    listed = run("plugins", "--locale", "ja")

    assert 1 == listed.returncode
    assert "presett" in listed.stdout


def test_a_missing_shop_is_said_kindly(run: Run) -> None:
    """No settings file: what to do, in the person's language, and no traceback."""
    english, japanese = run("audit"), run("audit", LANG="ja_JP.UTF-8", LC_ALL="ja_JP.UTF-8")

    assert (1, 1) == (english.returncode, japanese.returncode)
    assert "eckit init" in english.stderr
    assert "設定ファイル" in japanese.stderr
    assert "Traceback" not in english.stderr + japanese.stderr


def test_a_plugin_brings_commands(run: Run, shop: Path) -> None:
    """``eckit tax-table …``: a plugin's commands get the shop and their own arguments."""
    preset = run("tax-table", "preset", "japan")
    listed = run("tax-table", "list")

    assert 0 == preset.returncode, preset.stderr
    assert re.search(r"reduced.*0\.08|8", listed.stdout)


def test_orders_are_shown_and_explained(run: Run, tmp_path: Path) -> None:
    """``order show`` and ``order explain`` tell by number what was agreed, and why it costs that."""
    run("demo", "shop")
    settings = str(tmp_path / "shop" / "eckit.toml")

    shown = run("order", "show", "0000001", "--settings", settings)
    explained = run("order", "explain", "0000001", "--settings", settings, "--locale", "ja")
    missing = run("order", "show", "9999999", "--settings", settings)

    assert "closed" in shown.stdout
    assert "税率ごとに一度" in explained.stdout
    assert 1 == missing.returncode
