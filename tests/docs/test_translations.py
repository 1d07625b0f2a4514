"""The Japanese catalogs say everything that the English pages say now, in the words of the glossary."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from tests.docs.pages import DOCS, ROOT

CATALOGS = DOCS / "locale" / "ja" / "LC_MESSAGES"


def translated() -> tuple[str, ...]:
    """The pages that ``docs/conf.py`` names."""
    namespace: dict[str, object] = {"__file__": str(DOCS / "conf.py")}
    exec(compile((DOCS / "conf.py").read_text(encoding="utf-8"), "conf.py", "exec"), namespace)
    return tuple(namespace["TRANSLATED"])  # type: ignore[arg-type]


def messages(file: Path) -> Iterator[Message]:
    """The sentences of a catalog."""
    with file.open("rb") as opened:
        yield from (message for message in read_po(opened) if message.id)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sentences of the English pages as they are now."""
    folder = tmp_path_factory.mktemp("gettext")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "gettext", "-d", str(folder / "doctrees")]
    command += ["-D", "exclude_patterns=_build,locale,pages,reference"]  # which is long, and of no page here
    subprocess.run([*command, str(DOCS), str(folder)], check=True, cwd=ROOT, capture_output=True)
    return folder


@pytest.mark.parametrize("page", translated())
def test_every_sentence_of_a_page_is_translated(page: str, templates: Path) -> None:
    """Nothing new is left in English, nothing old is kept, nothing is unsure."""
    wanted = {message.id for message in messages(templates / f"{page}.pot")}
    there = {message.id: message for message in messages(CATALOGS / f"{page}.po")}
    assert set() == wanted ^ set(there)
    assert [] == [message.id for message in there.values() if not message.string or message.fuzzy]


@pytest.mark.parametrize("page", translated())
def test_a_translation_keeps_code_and_links(page: str) -> None:
    """What a reader types and follows is the same in both languages."""
    for message in messages(CATALOGS / f"{page}.po"):
        for part in (r"`[^`]+`", r"\]\(([^)]+)\)"):
            said = str(message.string)
            assert sorted(re.findall(part, str(message.id))) == sorted(re.findall(part, said)), message.id


def test_there_is_a_catalog_for_each_translated_page_and_no_other() -> None:
    """A catalog of a page that is not named would never be looked at."""
    assert set(translated()) == {
        file.relative_to(CATALOGS).with_suffix("").as_posix() for file in CATALOGS.rglob("*.po")
    }


def test_pictures_with_words_have_a_japanese_twin() -> None:
    """A page in Japanese shows its pictures in Japanese."""
    pictures = {file for file in DOCS.rglob("*.svg") if "_build" not in file.parts}
    english = {file for file in pictures if not file.name.endswith(".ja.svg")}
    assert english == {file.with_name(file.name.replace(".ja.svg", ".svg")) for file in pictures - english}
