"""Child processes that begin together and report their counts."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def together(commands: Sequence[Sequence[str]], *, timeout_s: float = 240) -> "Counter[str]":
    """Run ``python -m …`` once for each command; let them go when all are ready; their JSON counts, added up."""
    children = [
        subprocess.Popen(
            [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for command in commands
    ]
    outcomes: Counter[str] = Counter()
    try:
        for child in children:
            assert child.stdout is not None
            assert "READY\n" == child.stdout.readline()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            out, _ = child.communicate(timeout=timeout_s)
            outcomes.update(json.loads(out))
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.communicate()
    return outcomes
