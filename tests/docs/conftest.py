"""Fixtures of the documentation's tests."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.shop import ROOT, Pages


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    """What pages find in their namespace; the working folder is a new one, with nothing but the project's examples."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with contextlib.chdir(tmp_path):
        found = Pages(tmp_path)
        with found.opened:
            yield found
