"""What the README says is there is there."""

import ast
import re
import tomllib

import pytest

from tests.docs.pages import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROMISES = README.partition("<!-- promises -->")[2].partition("<!-- /promises -->")[0]


@pytest.mark.parametrize("named", re.findall(r"`(tests/[^`]+::[^`]+)`", PROMISES))
def test_the_test_named_for_a_promise_exists(named: str) -> None:
    """A promise stands in the README only with the test that shows it."""
    file, _, test = named.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert test in functions


def test_every_promise_names_a_test() -> None:
    """No row without one."""
    rows = [
        line for line in PROMISES.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
    ]
    assert 10 == len(rows)
    assert [] == [row for row in rows if "::test_" not in row]


def test_the_first_example_is_short() -> None:
    """A shop in at most twenty lines of Python."""
    (example,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert 20 >= len([line for line in example.splitlines() if line.strip()])


def test_every_folder_of_the_map_exists() -> None:
    """The map is of this house."""
    table = README.partition("## Where things are")[2].partition("\n## ")[0]
    for path in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE):
        assert (ROOT / path).exists(), path
    capabilities = re.findall(r"`([a-z]+)`", table.partition("purchase travels")[2].partition("|")[0])
    core = (ROOT / "src" / "eckit").iterdir()
    there = {folder.name for folder in core if (folder / "model.py").exists() or (folder / "model").is_dir()}
    assert there == set(capabilities)


def test_every_link_leads_somewhere() -> None:
    """To a file of this project."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_distribution_is_called_what_the_readme_says() -> None:
    """And shows the README where it is published."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"**`{project['name']}`**" in README
    assert "README.md" == project.get("readme")
    named = README.partition("Extras: ")[2].partition("\n")[0]
    assert set(project["optional-dependencies"]) == set(re.findall(r"`([a-z]+)`", named))


@pytest.mark.parametrize("command", ["demo", "test", "docs"])
def test_the_commands_of_the_readme_are_commands(command: str) -> None:
    """``dev.py`` knows them."""
    assert f"python3 dev.py {command}" in README
    assert f'"{command}": {command}' in (ROOT / "dev.py").read_text(encoding="utf-8")
