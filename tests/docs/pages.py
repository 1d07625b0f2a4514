"""Run what a page shows: Python, commands, settings. Plain text is only shown; there is nothing else."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from unittest import mock

from sybil import Document, Example, Region
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

from eckit.cli import main
from eckit.cli.app import app
from eckit.cli.printing import console
from eckit.kernel.settings import ShopSettings

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
ONLY_SHOWN: Final = frozenset({"text"})
"""Pictures and signatures."""

RUN: Final = frozenset({"python", "console", "toml"})
_FENCE: Final = re.compile(r"^(?:```|:::)(.*)$", re.MULTILINE)
_DATA: Final = re.compile(r"^```\{literalinclude\} (\S+\.csv)$", re.MULTILINE)
_DIRECTIVE: Final = re.compile(r"\{(?P<name>[a-z-]+)\}\s*(?P<argument>.*)")


def written_pages() -> list[Path]:
    """The pages people wrote; those under reference are written from the code."""
    found = [path for path in DOCS.rglob("*.md") if not {"_build", "reference", "locale"} & set(path.parts)]
    return [ROOT / "README.md", *sorted(found)]


def languages(page: Path) -> Iterator[str]:
    """The language of every code block of a page."""
    opened = False
    for match in _FENCE.finditer(page.read_text(encoding="utf-8")):
        if opened:
            opened = False
            continue
        opened = True
        directive = _DIRECTIVE.fullmatch(match[1])
        if directive is None:
            yield match[1].strip()
        elif directive["name"] == "code-block":
            yield directive["argument"].strip()


def run(page: Path, namespace: Callable[[], dict[str, Any]]) -> int:
    """Run a page from its top to its end in one namespace; how many blocks there were.

    :param namespace: makes what the page finds there; not asked for a page without code.
    """
    parsers = (
        PythonCodeBlockParser(),
        CodeBlockParser("console", _command),
        CodeBlockParser("toml", _settings),
        _files,
    )
    document = Document.parse(str(page), *parsers)
    examples = list(document.examples())
    document.namespace.update(namespace() if examples else {})
    for example in examples:
        example.evaluate()
    return len(examples)


def _settings(example: Example) -> None:
    """A settings file, or a part of one: it must be TOML, and settings that there are."""
    text = str(example.parsed)
    given = tomllib.loads(text)
    if "shop_id" in given:
        ShopSettings.load(_written(text))


def _written(text: str) -> Path:
    file = Path("shown.toml")
    file.write_text(text, encoding="utf-8")
    return file


def _command(example: Example) -> None:
    """Each ``$ command`` is run; the lines below it must be in what it prints, in their order; ``…`` stands for any."""
    for command, expected in _commands(str(example.parsed)):
        words = shlex.split(command)
        if words[0] == "python3" and words[1] == "dev.py":
            _check_dev(words[2])
            continue
        assert words[:2] != ["pip", "install"], "what installs is said in words"
        if words[0] == "cd":
            os.chdir(words[1])
            continue
        printed = _output(command)
        place = 0
        for line in expected:
            found = printed.find(line, place)
            assert found >= 0, f"$ {command}\ndoes not print {line!r}, but\n{printed}"
            place = found + len(line)


def _files(document: Document) -> Iterator[Region]:
    """The data that a page shows by including it, and tells its reader to save."""
    for match in _DATA.finditer(document.text):
        yield Region(match.start(), match.end(), Path(document.path).parent / match[1], _save)


def _save(example: Example) -> None:
    file: Path = example.parsed
    Path(file.name).write_bytes(file.read_bytes())


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *lines = part.strip("\n").split("\n")
        while command.endswith("\\"):
            command = f"{command[:-1]} {lines.pop(0).strip()}"
        yield command, [piece.strip() for line in lines for piece in line.split("…") if piece.strip()]


def _check_dev(name: str) -> None:
    usage = subprocess.run([sys.executable, str(ROOT / "dev.py"), "--help"], capture_output=True, text=True, check=True)
    assert re.search(rf"dev\.py .*\b{name}\b", usage.stderr + usage.stdout), f"dev.py knows no {name}"


def _output(command: str) -> str:
    words = shlex.split(command)
    if words[0] == "eckit" and words[1] in app and not set("|&;<>$") & set(command):
        return _in_process(words)
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["sh", "-ec", command], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, f"$ {command}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def _in_process(words: list[str]) -> str:
    """The command line without a new process: starting one takes longer than most pages."""
    said, complained = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        mock.patch.object(sys, "argv", words),
        mock.patch.dict(os.environ, LANG="C.UTF-8"),
        mock.patch.object(console, "_width", 160),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Cyclopts application invoked without tokens")
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    assert code == 0, f"$ {shlex.join(words)}\nended with {code}:\n{said.getvalue()}{complained.getvalue()}"
    return said.getvalue()
