"""The ``eckit`` command as a person runs it, in a folder of its own: a process of its own, or without one."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eckit import ShopSettings
from eckit.cli import main
from eckit.cli.printing import console
from eckit.shop import Shop

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``eckit …`` in the test's folder, in a process of its own."""

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


def typed(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """``eckit …`` in this process and folder, which is many times faster than starting one."""
    said, complained, words = io.StringIO(), io.StringIO(), ["eckit", *arguments]
    code: object = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
        warnings.catch_warnings(),
    ):
        patch.setattr(sys, "argv", words)
        patch.setattr(console, "_width", 160)
        patch.delenv("LC_ALL", raising=False)
        for name, value in {"COLUMNS": "160", "LANG": "C.UTF-8", **environment}.items():
            patch.setenv(name, value)
        warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return subprocess.CompletedProcess(words, int(str(code)), said.getvalue(), complained.getvalue())


@pytest.fixture
def eckit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``eckit …`` in the test's folder, in this process."""
    monkeypatch.chdir(tmp_path)
    return typed


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new shop; only to be copied."""
    folder = tmp_path_factory.mktemp("made") / "shop"
    done = typed("init", str(folder))
    assert 0 == done.returncode, done.stderr
    return folder


@pytest.fixture
def shop(eckit: Run, made: Path, tmp_path: Path) -> Path:
    """A new shop in the test's folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "eckit.toml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(made), str(tmp_path)), encoding="utf-8")
    return tmp_path


@contextlib.contextmanager
def composed(folder: Path) -> Iterator[Shop]:
    """That shop, as a host's own program has it."""
    with Shop.compose(ShopSettings.load(folder / "eckit.toml")) as shop:
        yield shop


def add_settings(folder: Path, text: str) -> None:
    """More of the settings file."""
    with (folder / "eckit.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
