"""A toy copy of the house, to plant imports in that the project's contracts must catch."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]


def project(directory: Path = ROOT) -> dict[str, Any]:
    return tomllib.loads((directory / "pyproject.toml").read_text(encoding="utf-8"))


CONTRACTS: Final = {contract["name"]: contract for contract in project()["tool"]["importlinter"]["contracts"]}
CAPABILITIES: Final = [
    name.removeprefix("eckit.") for name in CONTRACTS["Faces show models and errors only"]["source_modules"]
]
ROOMS: Final = ("model", "errors", "rules", "hooks", "store", "service", "audit")


def build_toy(place: Path) -> None:
    """A house with all capabilities and rooms, empty but for a few imports that are allowed."""
    river = CONTRACTS["River: a capability may know those before it"]["layers"]
    folders = {name.strip("() ") for layer in river for name in layer.split("|")}
    modules = {f"eckit.{name}" for name in folders} | {
        f"eckit.{name}.{room}" for name in CAPABILITIES for room in ROOMS
    }
    modules |= set(project()["tool"]["importlinter"]["root_packages"])
    modules |= {"eckit.kernel.work", "eckit.kernel.minting", "eckit.kernel.refs", "eckit.kernel.impure"}
    modules |= {"eckit.flows.place_order", "eckit.flows.ship"}
    for module in sorted(modules):
        write(place, module, "")
    write(place, "eckit.kernel.impure", "import eckit.kernel.minting\n")
    write(place, "eckit.tax.model", "import typing\nif typing.TYPE_CHECKING:\n    import eckit.order\n")
    allowed = [
        ("eckit.catalog", "eckit.catalog.model"),
        ("eckit.cart.model", "eckit.catalog"),
        ("eckit.cart.service", "eckit.cart.hooks"),
        ("eckit.cart.service", "eckit.cart.store"),
        ("eckit.cart.store", "sqlalchemy"),
        ("eckit.flows.place_order", "eckit.order.service"),
        ("eckit.flows.place_order", "eckit.pricing.rules"),
        ("eckit.shop", "eckit.order.hooks"),
        ("eckit.shop", "eckit.stock.audit"),
        ("eckit.migrations", "eckit.order.store"),
        ("eckit.testing", "eckit.payment.hooks"),
        ("eckit.defaults", "eckit.order"),
        ("eckit_sandbox", "eckit.payment"),
        ("eckit_sandbox", "eckit.kernel.refs"),
        ("eckit_sandbox", "eckit.testing"),
    ]
    for importer, imported in allowed:
        plant(place, importer, imported)


def write(place: Path, module: str, text: str) -> None:
    """Add lines to a module, which is made if it is new."""
    package = place.joinpath(*module.split("."))
    package.mkdir(parents=True, exist_ok=True)
    with (package / "__init__.py").open("a") as file:
        file.write(text)


def plant(place: Path, importer: str, imported: str) -> None:
    """Make a module import another."""
    write(place, importer, f"import {imported}\n")
    if imported.startswith("eckit"):
        write(place, imported, "")


def lint_imports(place: Path, contracts: list[str]) -> str:
    """What import-linter says about a house, by these of the project's contracts."""
    config = place / "importlinter.toml"
    settings = project()["tool"]["importlinter"]
    chosen = [contract for contract in settings["contracts"] if contract["name"] in contracts]
    config.write_text(to_toml({**settings, "contracts": chosen}))
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()"]
    options = ["--config", str(config), "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(place), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run([*command, *options], cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert "" == done.stderr
    return done.stdout


def to_toml(settings: dict[str, Any]) -> str:
    contracts = settings.pop("contracts")
    lines = ["[tool.importlinter]", *(f"{name} = {literal(value)}" for name, value in settings.items())]
    for contract in contracts:
        lines += [
            "[[tool.importlinter.contracts]]",
            *(f"{name} = {literal(value)}" for name, value in contract.items()),
        ]
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Strings, lists of them and booleans read the same in TOML as in Python, but for the booleans' case."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def names(said: str, importer: str, imported: str) -> bool:
    """Whether a report names the import, or the folder that has no place."""
    return f"{importer} -> {imported} (" in said or f"- {importer}\n" in said
