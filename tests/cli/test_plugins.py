"""``eckit plugins``, and the commands that plugins bring."""

import re
from pathlib import Path
from typing import Any

import pytest

import eckit_tax_table
from eckit.kernel.host_hooks import Command
from tests.cli.conftest import Run, add_settings


def database_at(shop: Path, url: str) -> None:
    """Let the shop's settings name another database."""
    file = shop / "eckit.toml"
    file.write_text(file.read_text("utf-8").replace(f"sqlite:///{shop}/shop.sqlite", url), encoding="utf-8")


def test_plugins_are_listed_with_their_secrets_masked(eckit: Run, shop: Path) -> None:
    """Version, order of choice, settings; exit 0 while nothing is wrong."""
    secrets = 'api_key = "very-secret-key"\nnotify_secret = "very-secret-too"'
    add_settings(shop, f'[plugins.sandbox]\nbase_url = "http://127.0.0.1:9"\n{secrets}')

    listed = eckit("plugins")

    assert 0 == listed.returncode, listed.stdout + listed.stderr
    for name in ("sandbox", "tax-table", "tablerate", "promotions", "rates-fixed", "eckit-allocation"):
        assert name in listed.stdout
    assert "very-secret" not in listed.stdout
    assert "choose_allocation" in listed.stdout
    assert "Nothing is wrong." in listed.stdout


def test_what_plugins_bring_is_listed_by_kind(eckit: Run, shop: Path) -> None:
    """Codes with what they are codes of; tables, migrations and commands too."""
    listed = re.sub(r"  +", " ", eckit("plugins").stdout)
    for line in (
        "tax-table tax.engines: tax-table",
        "tax-table tables: tax_table_rate",
        "tax-table migrations: tax-table",
        "tax-table commands: set, remove, list, preset",
        "tablerate shipping.carriers: tablerate",
    ):
        assert line in listed


def test_plugins_with_problems_exit_1(eckit: Run, shop: Path) -> None:
    """A misspelt setting is named with its path."""
    add_settings(shop, "[plugins.tax-table]\npresett = 1")

    listed = eckit("plugins", "--locale", "ja")

    assert 1 == listed.returncode
    assert "presett" in listed.stdout
    assert "問題はありません" not in listed.stdout


def test_a_migration_that_has_not_been_applied_is_wrong(eckit: Run, shop: Path) -> None:
    """A plugin was installed and nobody upgraded: whose step is missing, what mends it, exit 1."""
    database_at(shop, f"sqlite:///{shop}/later.sqlite")
    settings = (shop / "eckit.toml").read_text("utf-8")
    (shop / "eckit.toml").write_text(f'disabled_plugins = ["tax-table"]\n{settings}', encoding="utf-8")
    assert 0 == eckit("db", "upgrade").returncode
    assert 0 == eckit("plugins").returncode
    (shop / "eckit.toml").write_text(settings, encoding="utf-8")

    listed = eckit("plugins")

    assert 1 == listed.returncode
    assert "tax_table_0001" in listed.stdout
    assert "Run: eckit db upgrade" in listed.stdout
    assert "Nothing is wrong" not in listed.stdout
    assert 0 == eckit("db", "upgrade").returncode
    assert 0 == eckit("plugins").returncode


def test_a_table_that_is_gone_is_wrong(eckit: Run, shop: Path) -> None:
    """All steps were taken, and somebody dropped a table."""
    import sqlite3

    with sqlite3.connect(shop / "shop.sqlite") as connection:
        connection.execute("drop table tax_table_rate")
    connection.close()

    listed = eckit("plugins")

    assert 1 == listed.returncode
    assert "tax-table: the table tax_table_rate is missing" in listed.stdout


@pytest.mark.parametrize("url", ["sqlite:////nonexistent/x", "postgresql://127.0.0.1:1/x"])
def test_a_database_that_does_not_answer_is_wrong(eckit: Run, shop: Path, url: str) -> None:
    """The plugins are listed all the same, and the exit code is 1."""
    database_at(shop, url)

    listed = eckit("plugins")

    assert 1 == listed.returncode
    assert "rates-fixed" in listed.stdout
    assert "The database cannot be used just now" in listed.stdout
    assert "Nothing is wrong" not in listed.stdout


def test_a_plugin_that_fails_to_say_what_it_brings_is_wrong(
    eckit: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, the others are listed."""
    from eckit import hookimpl

    def broken(_: Any) -> tuple[Command, ...]:
        raise RuntimeError

    monkeypatch.setattr(type(eckit_tax_table.plugin), "register_commands", hookimpl(broken))

    listed = eckit("plugins")

    assert 1 == listed.returncode
    assert "The plugin tax-table failed at register_commands (RuntimeError)" in listed.stdout
    assert "tablerate" in listed.stdout


# -- commands of plugins ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [("--settings", "eckit.toml"), ("--settings=eckit.toml",), ()])
def test_a_plugin_brings_commands(eckit: Run, shop: Path, named: tuple[str, ...]) -> None:
    """``eckit tax-table …``: a plugin's commands get the shop and their own arguments, as often as they are run."""
    assert 0 == eckit("tax-table", "set", "DE", "standard", "19%", "--since", "2021-01-01", *named).returncode

    listed = eckit("tax-table", "list", *named, "--locale", "ja")

    assert 0 == listed.returncode, listed.stderr
    assert re.search(r"^DE   standard +19% ", listed.stdout, re.MULTILINE)
    assert re.search(r"^JP   reduced +8% jp-reduced ", listed.stdout, re.MULTILINE)


def test_the_shop_of_a_plugins_command_is_the_one_that_is_named(
    eckit: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--settings works from another folder; without it, what is missing is the settings file, not the command."""
    elsewhere = shop / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    named, missing = eckit("tax-table", "list", "--settings", "../eckit.toml"), eckit("tax-table", "list")

    assert (0, 1) == (named.returncode, missing.returncode)
    assert "jp-standard" in named.stdout
    assert "There is no settings file eckit.toml here." in missing.stderr


def test_broken_settings_are_said_of_a_plugins_command_too(eckit: Run, shop: Path) -> None:
    """Invalid TOML is not an unknown command."""
    add_settings(shop, "[plugins")
    done = eckit("tax-table", "list")
    assert 1 == done.returncode
    assert "is not valid TOML" in done.stderr


def test_a_plugins_commands_tell_of_their_options(eckit: Run, shop: Path) -> None:
    """Help of a command names the options that every command has."""
    said = eckit("tax-table", "list", "--help").stdout
    assert "--settings" in said
    assert "--locale" in said


def test_a_plugins_command_insists_on_its_tables(eckit: Run, shop: Path) -> None:
    """What is missing is named with the command that makes it."""
    for file in shop.glob("shop.sqlite*"):
        file.unlink()
    done = eckit("tax-table", "list")
    assert 1 == done.returncode
    assert "the table tax_table_rate is missing. Run: eckit db upgrade" in done.stderr


def test_a_word_that_is_no_command_is_said(eckit: Run) -> None:
    """Neither the core's nor an installed plugin's: no shop is looked for."""
    done = eckit("imprt", "products")
    assert 2 == done.returncode
    assert "Unknown command" in done.stdout + done.stderr
