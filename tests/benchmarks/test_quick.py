"""The benchmarks run, and say what they are meant to say; how fast anything is, is not asked here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FIELDS = {"scenario", "measure", "value", "target", "bar", "rounds", "facts", "met", "failed"}
SCENARIOS = {
    "sqlite": ("place_order", "price_cart", "hot SKU", "import", "listing"),
    "postgres": ("place_order", "price_cart", "hot SKU", "import", "listing", "20 silent plugins"),
}


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_a_quick_run_measures_every_scenario(database: str, tmp_path: Path) -> None:
    """Each scenario's ratios are positive, with at least five rounds where rounds alternate; nothing is oversold."""
    artifact = tmp_path / "bench.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--database", database, "--json", str(artifact)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert 0 == done.returncode, done.stderr
    results = json.loads(artifact.read_text())["results"]
    assert {frozenset(FIELDS)} == {frozenset(one) for one in results}
    for name in SCENARIOS[database]:
        assert [] != _of(results, name), name
    assert {0} == {one["value"] for one in _of(results, "hot SKU") if one["measure"].startswith("sold")}
    assert all(one["value"] > 0 for one in results if "time /" in one["measure"])
    assert all(len(one["rounds"]) >= 5 for one in _of(results, "place_order"))


def _of(results: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [one for one in results if one["scenario"].startswith(name)]
