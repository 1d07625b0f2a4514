"""The ``eckit`` command as a person runs it: a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``eckit …`` in the test's folder."""

    def call(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "eckit", *arguments],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "160", "LANG": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return call
